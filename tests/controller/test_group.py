"""The status of a run of several nodes, as a value of what was seen."""

from dataclasses import replace
from datetime import timedelta

from trainingrun_api.names import ExitCode
from trainingrun_api.status import Phase, Reason, TrainingRunStatus
from trainingrun_operator.observed import Attempt, Termination
from trainingrun_operator.refusals import Refusal
from trainingrun_operator.status import Observation

from .manifests import a_result
from .test_status import COMPLETE, NOW, RUNNING, a_parsed_run, an_attempt, reason_of, seen, status_of

NODES = {"nodes": 2}


def member(
    index: int, name: str = "a", age: int = 60, *, exit_code: int | None = None, ago: int = 0
) -> Attempt:
    """The attempt of one node: running, or ended some seconds ago."""
    attempt = replace(an_attempt(f"tickets-{index}-{name}", age=age), index=index)
    if exit_code is None:
        return attempt
    phase, text = ("Failed", "") if exit_code else ("Succeeded", a_result() if index == 0 else "")
    termination = Termination(exit_code, "", text)
    return replace(attempt, phase=phase, termination=termination, ended_at=NOW - timedelta(seconds=ago))


def deleting(attempt: Attempt) -> Attempt:
    return replace(attempt, deleting=True)


def pending(attempt: Attempt) -> Attempt:
    return replace(attempt, phase="Pending", started=None)


def after(status: TrainingRunStatus | None, *attempts: Attempt) -> TrainingRunStatus:
    """The status that follows when these attempts are seen."""
    return status_of(seen(*attempts), a_parsed_run(status, resources=NODES))


def message_of(status: TrainingRunStatus) -> str:
    return status.conditions[0].message


RUNNING_PAIR = after(None, member(0), member(1))


def test_group_runs_when_all_do() -> None:
    assert (RUNNING_PAIR.phase, message_of(RUNNING_PAIR)) == (Phase.RUNNING, "2 pods are training")
    half = after(None, member(0), pending(member(1)))
    assert (half.phase, half.start_time) == (Phase.PENDING, None)
    assert message_of(half) == "1 of 2 pods run. Pod tickets-1-a is starting"
    alone = after(None, member(0))
    assert message_of(alone) == "1 of 2 pods run. Job tickets was created; waiting for its pod"


def test_message_is_about_the_pod_that_a_person_can_help() -> None:
    stuck = replace(pending(member(1)), unschedulable="0/3 nodes")
    status = after(None, pending(member(0)), stuck)
    assert message_of(status) == "0 of 2 pods run. Pod tickets-1-a can't be scheduled: 0/3 nodes"
    refused = Refusal("exceeded quota: one", NOW - timedelta(seconds=60))
    run = a_parsed_run(resources=NODES)
    status = status_of(Observation(RUNNING, [pending(member(0))], refusal=refused), run)
    assert (reason_of(status), message_of(status)[:19]) == (Reason.POD_REFUSED, "0 of 2 pods run. Ku")


def test_pod_at_fault_is_named_also_when_it_was_replaced_before_the_others() -> None:
    faulty, peer = member(1, exit_code=ExitCode.TEMPORARY, ago=9), member(0, exit_code=ExitCode.PEER_LOST)
    lost = after(RUNNING_PAIR, member(0), faulty)
    assert (lost.phase, reason_of(lost)) == (Phase.PENDING, Reason.RESTARTING)
    for before in (lost, RUNNING_PAIR):
        status = after(before, peer, faulty, member(1, "b", age=-5))
        assert reason_of(status) == Reason.RESTARTING
        assert status.last_failure is not None
        assert status.last_failure.reason is Reason.STORAGE_UNAVAILABLE


def test_cause_that_was_seen_stays_known_when_only_those_that_followed_it_are_left() -> None:
    lost = after(RUNNING_PAIR, member(0), deleting(member(1)))
    later = after(lost, member(0, exit_code=ExitCode.PEER_LOST))
    assert later.last_failure == lost.last_failure
    assert "Pod tickets-1-a was deleted" in message_of(later)
    unseen = after(RUNNING_PAIR, member(0, exit_code=ExitCode.PEER_LOST))
    assert unseen.last_failure is not None
    assert unseen.last_failure.reason is Reason.PEER_LOST


def test_cause_of_an_earlier_restart_is_not_that_of_this_one() -> None:
    old = member(1, exit_code=ExitCode.TEMPORARY, age=600, ago=500)
    status = after(RUNNING_PAIR, old, member(0, exit_code=ExitCode.PEER_LOST), member(1))
    assert status.last_failure is not None
    assert status.last_failure.reason is Reason.PEER_LOST


def test_pod_of_the_earlier_group_that_still_ends_keeps_the_run_from_running() -> None:
    lost = after(RUNNING_PAIR, member(0, exit_code=ExitCode.BUG), deleting(member(1)))
    beside = after(lost, member(0, "b", age=0), deleting(member(1)))
    assert (reason_of(beside), beside.restarts, beside.pod_name) == (Reason.RESTARTING, 1, "tickets-0-b")
    again = after(beside, member(0, "b", age=0), member(1, "b", age=0))
    assert (again.phase, again.restarts) == (Phase.RUNNING, 1)


def test_first_pod_that_is_replaced_when_another_has_succeeded_is_waited_for() -> None:
    done = member(1, exit_code=0)
    lost = after(RUNNING_PAIR, deleting(member(0)), done)
    assert reason_of(lost) == Reason.RESTARTING
    starting = after(lost, pending(member(0, "b", age=0)), done)
    assert message_of(starting) == "0 of 2 pods run. Pod tickets-0-b is starting"
    assert after(starting, member(0, "b", age=0), done).phase is Phase.RUNNING


def test_what_is_not_retried_is_at_fault_whatever_ended_first() -> None:
    first = member(0, exit_code=ExitCode.TEMPORARY, ago=5)
    status = after(RUNNING_PAIR, first, member(1, exit_code=ExitCode.DATA))
    assert (status.phase, reason_of(status)) == (Phase.FAILED, Reason.DATA_ERROR)


def test_pods_of_before_a_suspension_are_no_restart_and_no_failure() -> None:
    held = replace(RUNNING, suspended=True)
    leaving = [deleting(member(0)), deleting(member(1))]
    run = a_parsed_run(RUNNING_PAIR, resources=NODES)
    queued = status_of(seen(*leaving, job=held), run)
    assert (queued.phase, queued.pod_name) == (Phase.QUEUED, None)
    resumed = after(queued, *leaving, pending(member(1, "b", age=0)))
    assert (reason_of(resumed), resumed.last_failure) == (Reason.WAITING_FOR_POD, None)
    again = after(resumed, member(0, "b", age=0), member(1, "b", age=0))
    assert (again.phase, again.restarts, again.last_failure) == (Phase.RUNNING, 0, None)


def test_result_is_that_of_the_first_pod() -> None:
    members = seen(member(1, exit_code=0), member(0, exit_code=0), job=COMPLETE)
    status = status_of(members, a_parsed_run(RUNNING_PAIR, resources=NODES))
    assert (status.phase, status.best_epoch) == (Phase.SUCCEEDED, 3)
