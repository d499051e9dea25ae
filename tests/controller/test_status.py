"""The status as a value of what was seen."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from trainingrun_api.names import ExitCode
from trainingrun_api.started_with import SecretNames, StartedWith
from trainingrun_api.status import Phase, Progress, Reason, TrainingRunStatus
from trainingrun_operator.blocked import Blocked
from trainingrun_operator.observed import Attempt, Termination, Waiting
from trainingrun_operator.refusals import Refusal
from trainingrun_operator.resources import Run, format_time
from trainingrun_operator.run_events import events_between
from trainingrun_operator.status import Observation, observe
from trainingrun_operator.workload import Workload

from .manifests import Manifest, a_result, a_run

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
RUNNING = Workload("Job", "tickets", uid="j-1", owner="u-1")
COMPLETE = replace(RUNNING, complete=True, ended_at="2026-11-01T11:59:00Z")
STARTED = StartedWith.of("example.com/trainer:1", {"outputPrefix": "s3://models/team/x"}, SecretNames())
MISSING = Blocked(Reason.PROJECT_NOT_FOUND, "create it")


def a_parsed_run(status: TrainingRunStatus | None = None, generation: int = 1, **spec: object) -> Run:
    manifest = a_run("tickets", **spec)
    metadata = {"namespace": "team", "name": "tickets", "uid": "u-1", "generation": generation}
    metadata["resourceVersion"] = "1"
    metadata["creationTimestamp"] = "2026-01-01T00:00:00Z"
    found: Manifest = status.model_dump(mode="json", exclude_none=True) if status else {}
    return Run.parse(manifest | {"metadata": metadata, "status": found})


def an_attempt(
    name: str = "tickets-a",
    phase: str = "Running",
    age: int = 60,
    *,
    started: bool = True,
    deleting: bool = False,
    unschedulable: str | None = None,
    disruption: str | None = None,
    waiting: Waiting | None = None,
    termination: Termination | None = None,
) -> Attempt:
    created = NOW - timedelta(seconds=age)
    return Attempt(
        name=name,
        created=created,
        phase=phase,
        deleting=deleting,
        unschedulable=unschedulable,
        disruption=disruption,
        waiting=waiting,
        started=format_time(created) if started else None,
        termination=termination,
    )


def seen(*attempts: Attempt, job: Workload = RUNNING) -> Observation:
    return Observation(job, list(attempts), started_with=STARTED)


def status_of(observation: Observation, run: Run | None = None, now: datetime = NOW) -> TrainingRunStatus:
    run = run or a_parsed_run()
    return observe(run, run.spec, observation, now)


def reason_of(status: TrainingRunStatus) -> str:
    return status.conditions[0].reason


def conditions_of(status: TrainingRunStatus) -> dict[str, str]:
    return {c.type: c.status for c in status.conditions}


@pytest.mark.parametrize(
    ("attempt", "reason"),
    [
        (an_attempt(started=False, phase="Pending"), Reason.POD_STARTING),
        (an_attempt(started=False, phase="Pending", unschedulable="0/3 nodes"), Reason.UNSCHEDULABLE),
        (an_attempt(started=False, waiting=Waiting("ErrImagePull", "")), Reason.IMAGE_PULL),
        (an_attempt(started=False, waiting=Waiting("ContainerCreating", "")), Reason.POD_STARTING),
        (an_attempt(started=False, waiting=Waiting("CreateContainerError", "no")), Reason.CONTAINER_ERROR),
    ],
)
def test_waiting_run_says_what_for(attempt: Attempt, reason: Reason) -> None:
    status = status_of(seen(attempt))
    assert (status.phase, reason_of(status)) == (Phase.PENDING, reason)
    assert conditions_of(status) == {
        "Succeeded": "Unknown",
        "Ready": "False",
        "Reconciling": "True",
        "Stalled": "False",
    }


def test_deleted_pod_is_a_restart_but_not_one_of_before_a_suspension() -> None:
    deleted = an_attempt(deleting=True)
    known = a_parsed_run(TrainingRunStatus(pod_name=deleted.name))
    assert reason_of(status_of(seen(deleted), known)) == Reason.RESTARTING
    assert reason_of(status_of(seen(deleted))) == Reason.WAITING_FOR_POD


def test_user_error_ends_the_run_before_its_job_is_marked_failed() -> None:
    refused = an_attempt(phase="Failed", termination=Termination(ExitCode.STORAGE_REFUSED, "Error", ""))
    status = status_of(seen(refused))
    assert (status.phase, reason_of(status)) == (Phase.FAILED, Reason.STORAGE_REFUSED)


@pytest.mark.parametrize("code", [ExitCode.TEMPORARY, ExitCode.BUG, ExitCode.INTERRUPTED])
def test_failure_that_may_pass_announces_a_new_attempt(code: int) -> None:
    status = status_of(seen(an_attempt(phase="Failed", termination=Termination(code, "Error", ""))))
    assert (status.phase, reason_of(status)) == (Phase.PENDING, Reason.RESTARTING)


def test_the_same_observation_gives_the_same_status() -> None:
    first = status_of(seen(an_attempt()))
    again = status_of(seen(an_attempt()), a_parsed_run(first), NOW + timedelta(hours=1))
    assert again == first


def test_transition_time_moves_only_with_the_status() -> None:
    waiting = status_of(Observation(blocked=MISSING))
    later = NOW + timedelta(minutes=1)
    running = status_of(seen(an_attempt()), a_parsed_run(waiting), later)
    assert {c.last_transition_time for c in running.conditions} == {format_time(NOW)}
    done = an_attempt(phase="Succeeded", termination=Termination(0, "", a_result()))
    ended = status_of(seen(done, job=COMPLETE), a_parsed_run(running), later)
    moved = {c.type for c in ended.conditions if c.last_transition_time == format_time(later)}
    assert moved == {"Succeeded", "Ready", "Reconciling"}


def test_result_of_the_trainer_becomes_the_scores() -> None:
    done = an_attempt(phase="Succeeded", termination=Termination(0, "", a_result()))
    status = status_of(seen(done, job=COMPLETE))
    assert status.phase is Phase.SUCCEEDED
    assert status.best_epoch == 3
    assert status.evaluation is not None
    assert status.completion_time == "2026-11-01T11:59:00Z"


def test_scores_of_before_a_final_fit_are_said_to_be_so() -> None:
    fit = {"texts": 730, "epochs": 3, "loss": 0.1, "kept": True}
    result = json.dumps(json.loads(a_result()) | {"finalFit": fit})
    done = an_attempt(phase="Succeeded", termination=Termination(0, "", result))
    status = status_of(seen(done, job=COMPLETE))
    assert status.final_fit is not None
    assert status.conditions[0].message.startswith(
        "Trained 4 epochs, stopped early; epoch 3 is the best: accuracy 0.912, macro F1 0.900, loss 0.310; "
        "the final fit on all 730 texts is published. Model: s3://"
    )


def test_advice_of_the_trainer_is_told_as_warnings() -> None:
    message, suggestion = "The training loss rose", "Lower spec.training.learningRate"
    found = [
        {"type": kind, "severity": severity, "message": message, "suggestion": suggestion}
        for kind, severity in (("LossJump", "Warning"), ("NewerThanThis", "Warning"), ("Slow", "Info"))
    ]
    result = json.dumps(json.loads(a_result()) | {"advice": found})
    done = an_attempt(phase="Succeeded", termination=Termination(0, "", result))
    before = status_of(seen(an_attempt()))
    after = status_of(seen(done, job=COMPLETE), a_parsed_run(before))
    assert [one.type for one in after.advice] == ["LossJump", "NewerThanThis", "Slow"]
    assert after.conditions[0].message.endswith("The training loss rose: see status.advice")
    told = events_between(before, after)
    assert [(one.kind, one.reason) for one in told] == [
        ("Normal", "Completed"),
        ("Warning", "LossJump"),
        ("Warning", "NewerThanThis"),
    ]
    assert told[1].note == f"{message}. {suggestion}"
    assert len({one.order for one in told}) == 3
    assert events_between(after, status_of(Observation(), a_parsed_run(after))) == []


@pytest.mark.parametrize(
    ("pushed", "told"),
    [
        ({"revision": "1f3a"}, "Pushed to team/tickets, revision 1f3a"),
        ({"message": "the hub answers 403"}, "Not pushed to team/tickets: the hub answers 403"),
    ],
)
def test_a_push_is_told_and_one_that_failed_is_an_event(pushed: dict[str, str], told: str) -> None:
    result = json.dumps(json.loads(a_result()) | {"huggingFace": {"repoId": "team/tickets", **pushed}})
    done = an_attempt(phase="Succeeded", termination=Termination(0, "", result))
    before = status_of(seen(an_attempt()))
    after = status_of(seen(done, job=COMPLETE), a_parsed_run(before))
    assert after.phase is Phase.SUCCEEDED
    assert after.hugging_face is not None
    assert after.hugging_face.revision == pushed.get("revision")
    assert after.conditions[0].message.endswith(told)
    failed = [one.note for one in events_between(before, after) if one.reason == "PushFailed"]
    assert failed == ([] if "revision" in pushed else [told])
    assert events_between(after, status_of(Observation(), a_parsed_run(after))) == []


def test_what_is_only_good_to_know_is_no_event_and_not_in_the_condition() -> None:
    found = [{"type": "Slow", "severity": "Info", "message": "It was slow", "suggestion": "Wait"}]
    result = json.dumps(json.loads(a_result()) | {"advice": found})
    done = an_attempt(phase="Succeeded", termination=Termination(0, "", result))
    before = status_of(seen(an_attempt()))
    after = status_of(seen(done, job=COMPLETE), a_parsed_run(before))
    assert [one.type for one in after.advice] == ["Slow"]
    assert "It was slow" not in after.conditions[0].message
    assert [one.reason for one in events_between(before, after)] == ["Completed"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        *(a_result().replace("0.912", number) for number in ("NaN", "Infinity", "1e999")),
        a_result().replace('"bestEpoch": 3', f'"bestEpoch": {2**63}'),
        "[" * 2000 + "]" * 2000,
    ],
    ids=["none", "no JSON", "NaN", "infinity", "beyond a float", "beyond 64 bits", "too deep"],
)
def test_success_without_a_readable_result_is_a_success_still(text: str) -> None:
    done = an_attempt(phase="Succeeded", termination=Termination(0, "", text))
    status = status_of(seen(done, job=COMPLETE))
    assert status.phase is Phase.SUCCEEDED
    assert (status.evaluation, status.best_epoch) == (None, None)
    assert status.artifacts is not None
    assert status.artifacts.model == "s3://models/team/x/model"


def test_finished_run_stays_finished_and_acknowledges_changes() -> None:
    done = an_attempt(phase="Succeeded", termination=Termination(0, "", a_result()))
    final = status_of(seen(done, job=COMPLETE))
    after = status_of(Observation(), a_parsed_run(final, generation=2, suspend=True))
    assert after.phase is Phase.SUCCEEDED
    assert after.observed_generation == 2
    assert {c.observed_generation for c in after.conditions} == {2}


def test_pending_deadline_counts_from_when_the_run_began_to_wait() -> None:
    run = a_parsed_run(pendingDeadlineSeconds=60)
    waiting = status_of(Observation(blocked=MISSING), run)
    assert waiting.pending_since == format_time(NOW)
    run = a_parsed_run(waiting, pendingDeadlineSeconds=60)
    assert status_of(Observation(blocked=MISSING), run, NOW + timedelta(seconds=59)).phase is Phase.PENDING
    failed = status_of(Observation(blocked=MISSING), run, NOW + timedelta(seconds=60))
    assert (failed.phase, reason_of(failed)) == (Phase.FAILED, Reason.PENDING_DEADLINE_EXCEEDED)
    assert "create it" in failed.conditions[0].message


def test_running_run_does_not_wait() -> None:
    assert status_of(seen(an_attempt()), a_parsed_run(pendingDeadlineSeconds=1)).pending_since is None


def test_report_of_an_earlier_attempt_does_not_say_that_this_one_evaluates() -> None:
    report = Progress(stage="Evaluating", max_epochs=3, last_update_time=format_time(NOW))
    run = a_parsed_run(TrainingRunStatus(progress=report))
    assert status_of(seen(an_attempt(age=60)), run).phase is Phase.EVALUATING
    assert status_of(seen(an_attempt(age=-60)), run).phase is Phase.RUNNING


def test_a_run_in_its_final_fit_is_running_and_says_so() -> None:
    report = Progress(stage="FinalFit", max_epochs=3, last_update_time=format_time(NOW))
    status = status_of(seen(an_attempt()), a_parsed_run(TrainingRunStatus(progress=report)))
    assert status.phase is Phase.RUNNING
    assert status.conditions[0].message == "Pod tickets-a is fitting the model on all texts"


def test_replaced_pods_are_counted_also_when_the_old_one_is_gone() -> None:
    first = status_of(seen(an_attempt("tickets-a")))
    second = status_of(seen(an_attempt("tickets-b")), a_parsed_run(first))
    assert (first.restarts, second.restarts, second.pod_name) == (0, 1, "tickets-b")
    assert events_between(first, second)[0].reason == "Restarted"


def test_suspension_is_no_restart() -> None:
    first = status_of(seen(an_attempt("tickets-a")))
    stopped = replace(RUNNING, suspended=True)
    leaving = seen(an_attempt("tickets-a", deleting=True), job=stopped)
    paused = status_of(leaving, a_parsed_run(first, suspend=True))
    assert paused.phase is Phase.SUSPENDED
    resumed = status_of(seen(an_attempt("tickets-a", deleting=True)), a_parsed_run(paused))
    again = status_of(seen(an_attempt("tickets-b")), a_parsed_run(resumed))
    assert again.restarts == 0


REFUSED = 'pods "tickets" is forbidden: exceeded quota: q, requested: cpu=2, used: cpu=3, limited: cpu='


@pytest.mark.parametrize(
    ("message", "stalled"),
    [
        (f"{REFUSED}1", True),
        (f"{REFUSED}4", False),
        (f"{REFUSED}many", True),
        ('pods "tickets" is forbidden: no PriorityClass with name high was found', True),
        ('pods "tickets" is forbidden: maximum memory usage per Container is 1Gi, but limit is 4Gi', True),
        ('admission webhook "images.example.com" denied the request: unsigned', True),
        ('Pod "tickets" is invalid: spec.containers[0].image: Required value', True),
        ('pods "tickets" is forbidden: error looking up service account team/default: not found', False),
        ('pods "tickets" is forbidden: error looking up service account team/trainer: not found', True),
        ('Internal error occurred: failed calling webhook "images.example.com": no endpoints', False),
    ],
)
def test_refused_pod_is_told_and_stalls_the_run_where_only_a_person_can_help(
    message: str, stalled: bool
) -> None:
    told = f"(combined from similar events): Error creating: {message}".replace("tickets", "tickets-x2z4b")
    event = {"message": told, "lastTimestamp": format_time(NOW), "involvedObject": {"name": "tickets"}}
    status = status_of(Observation(RUNNING, refusal=Refusal.parse(event)))
    assert (status.phase, reason_of(status)) == (Phase.PENDING, Reason.POD_REFUSED)
    assert status.conditions[0].message.endswith(f": {message}")
    assert conditions_of(status)["Stalled"] == str(stalled)
    assert [(one.kind, one.reason) for one in events_between(TrainingRunStatus(), status)][-1] == (
        "Warning",
        Reason.POD_REFUSED,
    )


def test_refusal_of_before_speaks_of_no_pod_of_now() -> None:
    old = Refusal("is forbidden", NOW - timedelta(minutes=2))
    failed = an_attempt(phase="Failed", termination=Termination(ExitCode.TEMPORARY, "Error", ""))
    resumed = replace(RUNNING, started_at=format_time(NOW))
    assert reason_of(status_of(Observation(RUNNING, [failed], refusal=old))) == Reason.RESTARTING
    assert reason_of(status_of(Observation(resumed, refusal=old))) == Reason.WAITING_FOR_POD
    new = Refusal("is forbidden", NOW)
    assert reason_of(status_of(Observation(RUNNING, [failed], refusal=new))) == Reason.POD_REFUSED
    assert reason_of(status_of(Observation(RUNNING, [an_attempt()], refusal=new))) == Reason.TRAINING


def test_failure_that_was_seen_is_known_when_its_pod_is_gone() -> None:
    running = status_of(seen(an_attempt("tickets-a")))
    deleted = status_of(seen(an_attempt("tickets-a", deleting=True)), a_parsed_run(running))
    failed = replace(RUNNING, failed=Reason.BACKOFF_LIMIT_EXCEEDED, ended_at=format_time(NOW))
    after = status_of(seen(job=failed), a_parsed_run(deleted))
    assert reason_of(after) == Reason.BACKOFF_LIMIT_EXCEEDED
    assert "Interrupted: Pod tickets-a was deleted" in after.conditions[0].message
    assert after.last_failure is not None
    assert after.last_failure.reason is Reason.INTERRUPTED


def test_time_in_a_queue_is_no_time_of_waiting_and_ends_without_a_restart() -> None:
    first = status_of(seen(an_attempt("tickets-a")))
    held = replace(RUNNING, suspended=True)
    queued = status_of(seen(an_attempt("tickets-a", deleting=True), job=held), a_parsed_run(first))
    assert (queued.phase, reason_of(queued), queued.pending_since) == (Phase.QUEUED, Reason.QUEUED, None)
    again = status_of(seen(an_attempt("tickets-b")), a_parsed_run(queued))
    assert (again.phase, again.restarts) == (Phase.RUNNING, 0)


def test_long_messages_are_cut_to_what_a_condition_holds() -> None:
    status = status_of(seen(an_attempt(started=False, unschedulable="x" * 5000)))
    assert len(status.conditions[0].message) == 2048


def test_messages_are_one_line_that_steers_no_terminal() -> None:
    message = json.dumps({"reason": "DataError", "message": "label 'a\nall is well\x1b[2J'"})
    refused = an_attempt(phase="Failed", termination=Termination(ExitCode.DATA, "Error", message))
    status = status_of(seen(refused))
    assert r"label 'a\nall is well\x1b[2J'" in status.conditions[0].message
