"""How a run stands, told from its workload and its attempts."""

from collections.abc import Sequence
from typing import NamedTuple

from trainingrun_api.advice import Severity
from trainingrun_api.final_fit import fitted_anew
from trainingrun_api.names import ExitCode
from trainingrun_api.status import Phase, Progress, Reason, RunFailure, RunResult, Stage

from .blocked import Blocked
from .group import Group
from .observed import Attempt, Termination
from .refusals import Refusal
from .resources import parse_time
from .workload import Workload


class RunState(NamedTuple):
    """Phase, reason and message of a run; `stalled` when it can't continue by itself."""

    phase: Phase
    reason: Reason
    message: str
    stalled: bool = False


EXIT_REASONS = {
    ExitCode.USAGE: Reason.SETTINGS_ERROR,
    ExitCode.DATA: Reason.DATA_ERROR,
    ExitCode.MODEL: Reason.MODEL_ERROR,
    ExitCode.STORAGE_REFUSED: Reason.STORAGE_REFUSED,
    ExitCode.MACHINE: Reason.GPU_NOT_FOUND,
    ExitCode.TEMPORARY: Reason.STORAGE_UNAVAILABLE,
    ExitCode.INTERRUPTED: Reason.INTERRUPTED,
    ExitCode.PEER_LOST: Reason.PEER_LOST,
}
WAITING = {
    **dict.fromkeys(
        ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"), Reason.IMAGE_PULL
    ),
    **dict.fromkeys(
        ("CreateContainerConfigError", "CreateContainerError", "RunContainerError"), Reason.CONTAINER_ERROR
    ),
}
"""By what the kubelet calls it; while all goes well, a container waits too."""
MOST_TELLING: Sequence[Reason] = (
    Reason.SECRET_NOT_FOUND,
    Reason.POD_REFUSED,
    Reason.IMAGE_PULL,
    Reason.CONTAINER_ERROR,
    Reason.UNSCHEDULABLE,
    Reason.WAITING_FOR_POD,
    Reason.POD_STARTING,
)
"""Of several pods that wait, the message is about one: first what a person has to help with."""
KILLED = 137
"""Exit code of a process that SIGKILL ended."""
UNKNOWN = (
    Reason.TRAINER_ERROR,
    "The pod is gone, so the cause isn't known; look for its log in your log collector",
)
AT_THE_END = {Stage.EVALUATING, Stage.PUBLISHING, Stage.DONE}
NEEDS_A_PERSON = {Reason.INVALID_SPEC, Reason.JOB_CONFLICT, Reason.JOB_REFUSED}


def of_blocked(blocked: Blocked) -> RunState:
    """How a run stands that has no workload."""
    phase = Phase.FAILED if blocked.permanent else Phase.PENDING
    return RunState(phase, blocked.reason, blocked.message, stalled=blocked.reason in NEEDS_A_PERSON)


def of_failed(workload: Workload, failure: RunFailure | None) -> RunState:
    """Why it failed, and what to change; `failure` is that of its last attempt."""
    reason, message = (failure.reason, failure.message) if failure else UNKNOWN
    if workload.failed is Reason.ACTIVE_DEADLINE_EXCEEDED:
        return RunState(
            Phase.FAILED,
            Reason.ACTIVE_DEADLINE_EXCEEDED,
            "The run didn't finish within spec.activeDeadlineSeconds; apply a new run with fewer epochs, "
            "or with a longer deadline and resumeFrom, which continues from the last checkpoint",
        )
    if workload.failed is Reason.BACKOFF_LIMIT_EXCEEDED and reason is not Reason.OUT_OF_MEMORY:
        text = f"Failed after all restarts that spec.backoffLimit allows. Last failure: {reason}: {message}"
        return RunState(Phase.FAILED, Reason.BACKOFF_LIMIT_EXCEEDED, text)
    return RunState(Phase.FAILED, reason, message)


def failure_of(attempt: Attempt, memory: str) -> RunFailure:
    """Why an attempt failed."""
    reason, message = _reason_and_message(attempt, memory)
    return RunFailure(reason=reason, message=message)


def _reason_and_message(attempt: Attempt, memory: str) -> tuple[Reason, str]:
    if attempt.disruption is not None:
        return Reason.INTERRUPTED, f"Pod {attempt.name} was evicted: {attempt.disruption}"
    if attempt.termination is None:
        what = "was deleted" if attempt.deleting else "ended without an exit code"
        why = f": {attempt.turned_away}" if attempt.turned_away else ""
        return Reason.INTERRUPTED, f"Pod {attempt.name} {what}{why}"
    if attempt.termination.reason == "OOMKilled" or _killed(attempt):
        advice = "raise spec.resources.memory or lower spec.training.batchSize or maxSequenceLength"
        return (
            Reason.OUT_OF_MEMORY,
            f"Pod {attempt.name} needed more memory than {memory}: {advice} in a new run",
        )
    return _told_failure(attempt.name, attempt.termination)


def _killed(attempt: Attempt) -> bool:
    """By the kernel: some runtimes don't say that it was for want of memory."""
    ended = attempt.termination
    return ended is not None and ended.exit_code == KILLED and not attempt.deleting


def _told_failure(pod: str, termination: Termination) -> tuple[Reason, str]:
    failure = termination.failure()
    if failure is not None:
        return failure.reason, failure.message
    reason = EXIT_REASONS.get(termination.exit_code, Reason.TRAINER_ERROR)
    return (
        reason,
        f"Pod {pod} exited with code {termination.exit_code}; see its log: kubectl logs {pod}",
    )


def success_message(result: RunResult) -> str:
    """The scores in one line, and the first warning of the advice."""
    warning = next((one for one in result.advice if one.severity is Severity.WARNING), None)
    advice = f". {warning.message}: see status.advice" if warning else ""
    early = ", stopped early" if result.stopped_early else ""
    epochs = "1 epoch" if result.epochs == 1 else f"{result.epochs} epochs"
    pushed = f". {result.hugging_face.in_words()}" if result.hugging_face else ""
    return f"Trained {epochs}{early}; {_chosen(result)}. Model: {result.artifacts.model}{pushed}{advice}"


def _chosen(result: RunResult) -> str:
    """The epoch, with its scores, and whether it is published."""
    epoch, scores = f"epoch {result.best_epoch}", result.evaluation.in_words()
    if final := fitted_anew(result.final_fit):
        fit = f"the final fit on all {final.texts} texts"
        return f"{epoch} is the best: {scores}; {fit} is published"
    return f"{epoch} is published: {scores}"


def without_pod(workload: Workload, refusal: Refusal | None) -> RunState:
    """How a run stands whose workload has made no pod, yet or any more."""
    if refusal is None:
        text = f"{workload.title} was created; waiting for its pod"
        return RunState(Phase.PENDING, Reason.WAITING_FOR_POD, text)
    hint = " and keeps retrying" if not refusal.for_good else ""
    text = f"Kubernetes rejects the pod of {workload.title}{hint}: {refusal.message}"
    return RunState(Phase.PENDING, Reason.POD_REFUSED, text, stalled=refusal.for_good)


def of_lost(attempt: Attempt, failure: RunFailure) -> RunState:
    """How a run stands of which this attempt was lost, for which all others end too."""
    if attempt.final:
        return RunState(Phase.FAILED, failure.reason, failure.message)
    bound = "" if attempt.disruption or attempt.peer_lost else ", if spec.backoffLimit allows it"
    text = f"Restarting from the last checkpoint{bound}. {failure.reason}: {failure.message}"
    return RunState(Phase.PENDING, Reason.RESTARTING, text)


def of_waiting(workload: Workload, group: Group, refusal: Refusal | None) -> RunState:
    """How a run stands of which some pods don't run yet."""
    states = [_on_its_way(one) for one in group.waiting]
    if group.lost or not group.complete:
        states.append(without_pod(workload, refusal))
    state = min(states, key=lambda one: MOST_TELLING.index(one.reason))
    if group.size == 1:
        return state
    return state._replace(message=f"{len(group.running)} of {group.size} pods run. {state.message}")


def of_working(first: Attempt, size: int, progress: Progress | None) -> RunState:
    """How a run stands all of whose pods run, or have finished after the first one."""
    # The report of an attempt before says nothing of this one.
    if progress is not None and parse_time(progress.last_update_time) < first.created:
        progress = None
    state = _at(progress.stage if progress else None, first, size)
    if progress is None or progress.notice is None:
        return state
    message = f"{state.message}. {progress.notice.message}"
    return state._replace(reason=progress.notice.reason, message=message)


def _at(stage: Stage | None, first: Attempt, size: int) -> RunState:
    who = f"Pod {first.name} is" if size == 1 else f"{size} pods are"
    # That a pod has finished soon after it said so is no news.
    if stage in AT_THE_END:
        text = f"{who} evaluating and publishing the model"
        return RunState(Phase.EVALUATING, Reason.EVALUATING, text)
    if first.phase == "Succeeded":
        return RunState(Phase.EVALUATING, Reason.EVALUATING, f"Pod {first.name} has finished")
    work = "fitting the model on all texts" if stage is Stage.FINAL_FIT else "training"
    return RunState(Phase.RUNNING, Reason.TRAINING, f"{who} {work}")


def _on_its_way(attempt: Attempt) -> RunState:
    name, waiting = attempt.name, attempt.waiting
    if attempt.missing_secret is not None:
        text = f"{attempt.missing_secret}. Pod {name} is waiting for it on its node"
        return RunState(Phase.PENDING, Reason.SECRET_NOT_FOUND, text)
    if waiting is None:
        if attempt.unschedulable is None:
            return RunState(Phase.PENDING, Reason.POD_STARTING, f"Pod {name} is starting")
        text = f"Pod {name} can't be scheduled: {attempt.unschedulable}"
        return RunState(Phase.PENDING, Reason.UNSCHEDULABLE, text)
    reason = WAITING.get(waiting.reason, Reason.POD_STARTING)
    return RunState(Phase.PENDING, reason, f"Pod {name}: {waiting.reason} {waiting.message}".rstrip())
