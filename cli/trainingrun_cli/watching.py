"""Runs on a cluster, shown until they end."""

from collections.abc import Sequence

from trainingrun_api.status import Phase
from trainingrun_client.client import Client

from .display import RunDisplay, advice_lines, artifacts_lines, scores_table, terminal


def watch(client: Client, names: Sequence[str], timeout: float) -> bool:
    """Show runs until all have ended; True when all have succeeded.

    Raises ClientError when there is no such run, or `timeout` seconds pass first.
    """
    console = terminal()
    (name,) = names
    with RunDisplay(console) as display:
        phase_shown = ""
        for run in client.watch([name], timeout=timeout):
            if run.status.in_words != phase_shown:
                phase_shown = run.status.in_words
                display.say(phase_shown)
            if run.status.progress:
                display.update(run.status.progress, run.status.epochs)
    if run.status.evaluation and run.status.artifacts:
        console.print(scores_table(run.status.evaluation, run.status.final_fit))
        for line in (*advice_lines(run.status.advice), *artifacts_lines(run.status.artifacts)):
            console.print(line, highlight=False, soft_wrap=True)
    return run.status.phase is Phase.SUCCEEDED
