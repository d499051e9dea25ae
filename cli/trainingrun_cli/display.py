"""How a run looks in a terminal: a bar for the epoch under way, a line for each one done, then scores."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from trainingrun_api.advice import Finding
from trainingrun_api.artifacts import Artifacts
from trainingrun_api.evaluation import ClassScores, DataCounts, SourceScores
from trainingrun_api.final_fit import FinalFit, fitted_anew
from trainingrun_api.metrics import ACCURACY, LOSS, MACRO_F1
from trainingrun_api.run_config import RunConfig
from trainingrun_api.status import EpochSummary, EvaluationScores, RunResult, Stage
from trainingrun_api.status import Progress as RunProgress
from trainingrun_api.visible import visible

APART = {Stage.SIMILARITY_STAGE: "before epoch 1", Stage.FINAL_FIT: "final fit"}
"""Stages whose steps are none of the epochs', by what the bar is called then."""


@contextmanager
def progress_bars(console: Console) -> Iterator[Progress]:
    """Room for the bars of runs at the foot of the terminal, from which they go in the end."""
    bars = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[detail]}", markup=False),
        TimeRemainingColumn(),
        console=console,
    )
    with bars:
        yield bars
        for task in bars.task_ids:
            bars.update(task, visible=False)


class RunDisplay:
    """Shows the newest state of one run, with its name where there are several."""

    def __init__(self, bars: Progress, name: str = "") -> None:
        self._bars = bars
        self._start = f"{name}: " if name else ""
        self._shown_epoch = -1
        self._stage: Stage | None = None
        self._task = bars.add_task(f"{self._start}waiting", total=None, detail="")

    def say(self, line: str, style: str | None = None) -> None:
        """Print one line above the bars."""
        self._bars.console.print(f"{self._start}{line}", style=style, highlight=False, soft_wrap=True)

    def end(self) -> None:
        """Nothing more comes, and the bar goes."""
        self._bars.update(self._task, visible=False)

    def update(self, progress: RunProgress, epochs: list[EpochSummary]) -> None:
        """Show the newest report."""
        for epoch in epochs:
            if epoch.epoch > self._shown_epoch:
                self._shown_epoch = epoch.epoch
                self.say(epoch_line(epoch, progress.max_epochs))
        if progress.stage != self._stage:
            self._stage = progress.stage
            self.say(progress.stage, style="dim")
        apart = APART.get(progress.stage)
        steps = progress.total_steps if apart else progress.total_steps // (progress.max_epochs or 1)
        self._bars.update(
            self._task,
            description=f"{self._start}{apart or _under_way(progress)}",
            total=steps or None,
            completed=progress.step - (0 if apart else progress.epoch * steps),
            detail=_detail(progress),
        )


def _under_way(progress: RunProgress) -> str:
    if progress.max_epochs is None:
        return "before training"
    return f"epoch {min(progress.epoch + 1, progress.max_epochs)}/{progress.max_epochs}"


def _detail(progress: RunProgress) -> str:
    parts = [str(progress.stage)]
    if progress.training_loss is not None:
        parts.append(f"loss {progress.training_loss:.3f}")
    if progress.samples_per_second:
        parts.append(f"{progress.samples_per_second:.0f} texts/s")
    return "  ".join(parts)


class _Terminal(Console):
    """Shows the characters that nobody sees, so that no label steers the terminal."""

    def render_str(self, text: str, **options: Any) -> Text:
        """What all strings become before they are printed, those in tables too."""
        return super().render_str(visible(text), **options)


def terminal() -> Console:
    """A console that prints text as it is: a label such as [red] or :bug: is no markup."""
    return _Terminal(markup=False, emoji=False)


def epoch_line(epoch: EpochSummary, max_epochs: int | None) -> str:
    """One finished epoch in words."""
    before = "" if epoch.epoch else " (before training)"
    losses = {"training loss": epoch.training_loss, "evaluation loss": epoch.evaluation_loss}
    scores = {metric.name: value for metric, value in epoch.scores.items()}
    parts = [f"{name} {value:.3f}" for name, value in {**losses, **scores}.items()]
    number = f"epoch {epoch.epoch:>3}" + (f"/{max_epochs}" if max_epochs else "")
    return "   ".join([f"{number}{before}", *parts])


def data_line(config: RunConfig, data: DataCounts, scores: EvaluationScores) -> str:
    """What became of the texts that were read, or of the rows of them that are compared."""
    what, lacking = ("rows", "score") if _compares(scores) else ("texts", "label")
    kinds = [  # with whether they are left out
        ("skipped by dataset.filter", data.rows_filtered, True),
        ("empty", data.empty, True),
        (f"without {lacking}", data.unlabelled, True),
        ("disputed", data.disputed, True),
        ("dropped by labels", data.filtered, True),
        ("duplicates", data.duplicates, config.skip_duplicates),
        ("conflicts", data.conflicts, True),
        ("near-duplicates", data.near_duplicates, config.near_duplicates.skip),
        ("also evaluated on", data.leaked, True),
        ("cut", data.truncated, False),
    ]
    parts = [f"{data.read} {what} read, {data.training} trained on, {data.evaluation} evaluated on"]
    for title, leaves in (("left out", True), ("kept", False)):
        found = [f"{name} {count}" for name, count, left_out in kinds if count and left_out is leaves]
        parts += [f"{title}: {', '.join(found)}"] if found else []
    if data.joined_labels:
        parts.append(f"labels written in several ways and joined: {len(data.joined_labels)}")
    return "; ".join(parts)


def scores_table(scores: EvaluationScores, final: FinalFit | None = None) -> Table:
    """Headline scores of the published model, or of the one before the `final` fit that is published."""
    what = "rows" if _compares(scores) else "texts"
    some = f"; macro averages over {scores.some_labels}" if scores.some_labels else ""
    before = ", before the final fit" if fitted_anew(final) else ""
    title = f"Scores on {scores.support} evaluation {what}{before}{some}"
    table = Table(title=title, title_justify="left")
    for metric in scores.scores:
        table.add_column(metric.title, justify="right")
    table.add_row(*(f"{value:.3f}" for value in scores.scores.values()))
    return table


def _compares(scores: EvaluationScores) -> bool:
    """Whether they are of pairs or triplets, which have no labels."""
    return scores.labels is None


def classes_table(classes: list[ClassScores]) -> Table:
    """Scores of each label, in the order given: the worst first."""
    table = Table(title="By label, the worst first", title_justify="left")
    table.add_column("Label")
    for name in ("Precision", "Recall", "F1", "Texts"):
        table.add_column(name, justify="right")
    for one in classes:
        scores = [f"{share:.3f}" if one.support else "-" for share in (one.precision, one.recall, one.f1)]
        table.add_row(one.label, *scores, str(one.support))
    return table


def sources_table(sources: list[SourceScores]) -> Table:
    """Scores of each data set's evaluation texts."""
    table = Table(title="By data set", title_justify="left")
    table.add_column("Data set", overflow="fold")
    for name in (ACCURACY.title, MACRO_F1.title, LOSS.title, "Texts"):
        table.add_column(name, justify="right")
    for scores in sources:
        loss = "" if scores.loss is None else f"{scores.loss:.3f}"
        row = (f"{scores.accuracy:.3f}", f"{scores.macro_f1:.3f}", loss, str(scores.support))
        table.add_row(scores.source, *row)
    return table


def published_line(result: RunResult, chosen_by: str) -> str:
    """Which epoch the scores are of, and by what it was chosen; what is published instead, if anything."""
    best = f"epoch {result.best_epoch}" if result.best_epoch else "epoch 0, the model before training"
    early = f"; stopped early after epoch {result.epochs}" if result.stopped_early else ""
    if final := fitted_anew(result.final_fit):
        return f"Chosen: {best}, by {chosen_by}{early}. Published: the model fitted anew {final.course}"
    return f"Published: {best}, chosen by {chosen_by}{early}"


def advice_lines(advice: list[Finding]) -> Iterator[str]:
    """What was found, and what to change; none when nothing was."""
    if advice:
        yield "Advice"
    for finding in advice:
        yield f"  {finding.severity}: {finding.message}. {finding.suggestion}."


def artifacts_lines(artifacts: Artifacts) -> Iterator[str]:
    """Where results are, each URI whole so that it can be copied."""
    yield "Artifacts"
    for name, uri in artifacts.model_dump(exclude_none=True).items():
        yield f"  {name:<12} {uri}"
