"""Runs on a cluster, shown until they end."""

from collections.abc import Iterator, Sequence

from rich.console import Console

from trainingrun_api.resources import TrainingRun
from trainingrun_api.status import Phase
from trainingrun_client.client import Client
from trainingrun_client.errors import ClientError

from .display import RunDisplay, advice_lines, artifacts_lines, progress_bars, scores_table, terminal


def unfinished(client: Client) -> list[str]:
    """Names of the runs that have not ended. Raises ClientError when there are none."""
    names = [run.name for run in client.list() if not run.status.phase.finished]
    if not names:
        raise ClientError(f"no run of namespace {client.namespace} is under way")
    return names


def watch(client: Client, names: Sequence[str], timeout: float) -> bool:
    """Show runs until all have ended; True when all have succeeded.

    Raises ClientError when there is no such run, or `timeout` seconds pass first.
    """
    console = terminal()
    ended = list(_shown(client.watch(*names, timeout=timeout), names, console))
    for run in ended:
        if run.status.evaluation and run.status.artifacts:
            _print_result(run, console, named=len(names) > 1)
    return all(run.status.phase is Phase.SUCCEEDED for run in ended)


def _shown(versions: Iterator[TrainingRun], names: Sequence[str], console: Console) -> Iterator[TrainingRun]:
    """The runs as they have ended, each once."""
    with progress_bars(console) as bars:
        displays = {name: RunDisplay(bars, name if len(names) > 1 else "") for name in names}
        said = dict.fromkeys(names, "")
        for run in versions:
            display, state = displays[run.name], run.status.in_words
            if state != said[run.name]:
                said[run.name] = state
                display.say(state)
            if run.status.progress:
                display.update(run.status.progress, run.status.epochs)
            if run.status.phase.finished:
                display.end()
                yield run


def _print_result(run: TrainingRun, console: Console, *, named: bool) -> None:
    if named:
        console.print(run.name, style="bold", highlight=False, soft_wrap=True)
    if run.status.evaluation:
        console.print(scores_table(run.status.evaluation, run.status.final_fit))
    artifacts = artifacts_lines(run.status.artifacts) if run.status.artifacts else ()
    for line in (*advice_lines(run.status.advice), *artifacts):
        console.print(line, highlight=False, soft_wrap=True)
