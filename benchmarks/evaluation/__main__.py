"""What evaluation and report cost, beside the libraries alone; written beside this package."""

import json
import platform
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from benchmarks.data.texts import texts
from benchmarks.quality.trainer import Published, train
from benchmarks.timing import REPEATS, timed
from pyarrow import parquet
from sentence_transformers import SentenceTransformer
from sklearn.metrics import classification_report, confusion_matrix

from trainingrun_api.evaluation import Evaluation
from trainingrun_api.training import Training
from trainingrun_trainer import model
from trainingrun_trainer.advice import Evidence, advise
from trainingrun_trainer.corpus import Splits, Texts
from trainingrun_trainer.evaluation import LabelPredictions, predictions_table, to_parquet
from trainingrun_trainer.records import Example, RunRecord
from trainingrun_trainer.report import Report, render
from trainingrun_trainer.tasks.classification import collect_label_issues
from trainingrun_trainer.training import SingleLabelClassification
from trainingrun_trainer.training.recipe import AUTOMATIC_BATCH_SIZE

RESULTS = Path(__file__).parents[1] / "RESULTS-evaluation.md"

LABELS, EVALUATED = 150, 5_000

TRAINED_PER_EVALUATED = 4
"""With the default split, an epoch trains on four texts for each one that is evaluated."""


@dataclass(frozen=True)
class Costs:
    """Seconds of processor time, the least of REPEATS, for so many `texts`."""

    texts: int

    forward: float
    """The model's pass alone."""
    epoch: float
    """What an epoch's evaluation does: the pass, loss, accuracy, macro F1."""
    end: float
    """What comes once: all scores with their intervals, label_issues, advice, and predictions.parquet."""
    page: float
    """report.html."""
    encode: float
    """The peer's pass, by sentence-transformers."""
    scored: float
    """The peer's scores, by scikit-learn."""
    page_bytes: int
    """Size of report.html."""


def main() -> None:
    """Train once, then measure on what was published."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        costs = _measure(_run(Path(folder)))
    RESULTS.write_text("\n".join(_lines(costs)) + "\n", encoding="utf-8")
    print(RESULTS.read_text(encoding="utf-8"))


def _run(folder: Path) -> Published:
    path = folder / "texts.jsonl"
    rows = (
        {"text": f"{text} {n}", "label": f"label {n % LABELS:03}"}
        for n, text in enumerate(texts(2 * EVALUATED))
    )
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return train(path, folder / "run", seed=1, trainPercent=50, training={"maxEpochs": 1})


def _measure(published: Published) -> Costs:
    evaluation = published.evaluation
    table = parquet.read_table(published.predictions)
    given: list[str] = table["text"].to_pylist()
    true = [labels[0] for labels in table["labels"].to_pylist()]
    found = [labels[0] for labels in table["predicted"].to_pylist()]
    record = RunRecord.model_validate_json((published.model.parent / "run.json").read_text())
    report = Report(evaluation, record, table)
    library = SentenceTransformer(str(published.model), device="cpu")
    evaluated = Texts.of(Example(text, (label,)) for text, label in zip(given, true, strict=True))
    classifier = model.load(published.model, "published", evaluation.labels)
    encoded = classifier.encode(evaluated)
    objective = SingleLabelClassification(classifier, encoded, encoded, Training())
    batches = objective.evaluation_batches(AUTOMATIC_BATCH_SIZE)

    def forward() -> None:
        classifier.network.eval()
        with torch.no_grad():
            for batch in batches:
                classifier.logits(batch.columns[0])

    def predictions() -> LabelPredictions:
        return objective.evaluate(batches).output

    epoch, made = timed(predictions)
    page, drawn = timed(lambda: render(report))
    return Costs(
        texts=len(given),
        forward=timed(forward)[0],
        epoch=epoch,
        end=timed(lambda: _end(made, evaluated, evaluation))[0],
        page=page,
        encode=timed(lambda: library.encode(given, show_progress_bar=False))[0],
        scored=timed(
            lambda: (classification_report(true, found, zero_division=0), confusion_matrix(true, found))
        )[0],
        page_bytes=len(drawn.encode()),
    )


def _end(made: LabelPredictions, evaluated: Texts, evaluation: Evaluation) -> None:
    labels = evaluation.labels
    scores = made.scores(labels)
    label_issues = collect_label_issues(None, made.label_issues(), Splits(evaluated, evaluated))
    advise(
        Evidence(
            curves=evaluation.curves,
            recipe=evaluation.recipe,
            settings=evaluation.settings,
            data=evaluation.data,
            best_epoch=evaluation.best_epoch,
            scores=scores,
            label_issues=label_issues,
        )
    )
    to_parquet(predictions_table(evaluated, labels, made))


def _lines(costs: Costs) -> Iterator[str]:
    # Evaluation and report of the latest epoch are written while training goes on, so an epoch may do it all.
    # What its loss and scores take is less than what one pass differs from the next.
    overhead = max(costs.epoch - costs.forward, 0) + costs.end + costs.page
    epoch_forward = TRAINED_PER_EVALUATED * costs.forward
    yield "# What evaluation costs"
    yield ""
    yield f"Written by `make bench-evaluation`: {costs.texts:,} made-up texts with {LABELS} labels, the"
    yield f"default model, one thread; seconds of processor time, the least of {REPEATS}."
    yield f"{platform.machine()}, Python {platform.python_version()}."
    yield ""
    yield "| What | Seconds | Peer | Its seconds | Ratio |"
    yield "| --- | ---: | --- | ---: | ---: |"
    yield (
        f"| an epoch's evaluation: pass, loss, accuracy, F1 | {costs.epoch:.2f} "
        f"| sentence-transformers' encode | {costs.encode:.2f} | {costs.epoch / costs.encode:.2f} |"
    )
    yield (
        "| at the end: all scores, label issues of the evaluation split, advice, predictions.parquet "
        f"| {costs.end:.2f} | scikit-learn's report and matrix | {costs.scored:.2f} "
        f"| {costs.end / costs.scored:.2f} |"
    )
    yield f"| report.html | {costs.page:.2f} | | | |"
    yield ""
    yield f"The model's pass alone takes {costs.forward:.2f} s. With the default split an epoch's forward"
    yield f"cost is {TRAINED_PER_EVALUATED} times that."
    yield ""
    yield "| Wanted | Measured | Reached |"
    yield "| --- | ---: | --- |"
    yield _target(
        "all of that beyond the pass at most 10 % of an epoch's forward cost",
        f"{100 * overhead / epoch_forward:.2f} %",
        overhead <= 0.1 * epoch_forward,
    )
    yield _target("report.html in less than 3 s", f"{costs.page:.2f} s", costs.page < 3)
    yield _target(
        "report.html smaller than 2 MB", f"{costs.page_bytes / 1e6:.2f} MB", costs.page_bytes < 2_000_000
    )


def _target(wanted: str, measured: str, reached: bool) -> str:
    return f"| {wanted} | {measured} | {'yes' if reached else '**no**'} |"


if __name__ == "__main__":
    main()
