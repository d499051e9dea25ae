"""What a run goes on from that names a failed one: a value made from that run."""

from trainingrun_api.status import Phase, Reason

from .resources import Missing, Run


def results_of_failed(name: str, run: Run | None) -> tuple[str | None, Missing | None, Missing | None]:
    """URI of the results of the failed run, what there is to wait for, why there never are any."""
    if run is None:
        text = f"TrainingRun {name}, which is to be resumed, does not exist; name a failed one"
        return None, _not_failed(text), None
    status = run.status
    if status.phase is Phase.SUCCEEDED:
        text = (
            f"TrainingRun {name} has succeeded, so there is nothing to resume; name it in baseModel.fromRun"
        )
        return None, None, _not_failed(text)
    if status.phase is not Phase.FAILED:
        text = f"TrainingRun {name}, which is to be resumed, is {status.phase}; waiting until it has failed"
        return None, _not_failed(text), None
    if status.started_with is None:
        text = (
            f"TrainingRun {name} failed before it started: there is nothing to resume; leave resumeFrom out"
        )
        return None, None, _not_failed(text)
    return status.started_with.output_prefix, None, None


def _not_failed(text: str) -> Missing:
    return Missing(Reason.RESUMED_RUN_NOT_FAILED, text)
