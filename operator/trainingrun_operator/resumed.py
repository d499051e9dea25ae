"""What a run resumes that names a failed one: a value made from that run."""

from trainingrun_api.status import Phase, Reason

from .blocked import Blocked
from .resources import Run


def results_of_failed(name: str, run: Run | None) -> str | Blocked:
    """URI of the results of the failed run."""
    if run is None:
        text = f"resumeFrom: TrainingRun {name} does not exist; name a failed run"
        return _not_failed(text)
    status = run.status
    if status.phase is Phase.SUCCEEDED:
        text = (
            f"resumeFrom: TrainingRun {name} has succeeded, so there is nothing to resume; "
            "to start from its model, set baseModel.fromRun in a new run"
        )
        return _not_failed(text, permanent=True)
    if status.phase is not Phase.FAILED:
        text = f"resumeFrom: TrainingRun {name} is {status.phase}; waiting until it fails"
        return _not_failed(text)
    if status.started_with is None:
        text = (
            f"resumeFrom: TrainingRun {name} failed before it started, so there is nothing to resume; "
            "remove resumeFrom in a new run"
        )
        return _not_failed(text, permanent=True)
    return status.started_with.output_prefix


def _not_failed(text: str, *, permanent: bool = False) -> Blocked:
    return Blocked(Reason.RESUMED_RUN_NOT_FAILED, text, permanent)
