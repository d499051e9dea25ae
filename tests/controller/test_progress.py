"""Progress is accepted from the run's own pod only, and only so much of it."""

import json
import time
from contextlib import ExitStack, suppress

import pytest
from promises import Promise

from trainingrun_operator.reports import SECONDS, turn_seconds

from .cluster import Api
from .kubelet import Kubelet
from .manifests import Manifest, a_report, a_result, a_run
from .process import PROGRESS_PATH, OperatorProcess, stopped


@pytest.fixture
def run(api: Api) -> Manifest:
    return api.apply(a_run("mine"))


@pytest.fixture
def pod(api: Api, run: Manifest, kubelet: Kubelet) -> Manifest:
    api.until(lambda: api.get("TrainingRun", "mine").get("status", {}).get("jobUid"), "the Job in the status")
    return kubelet.pod_of("mine")


def test_token_of_another_runs_pod_is_refused(
    api: Api, kubelet: Kubelet, operator: OperatorProcess, run: Manifest
) -> None:
    api.apply(a_run("other"))
    status, text = operator.post(a_report(run), api.token(kubelet.pod_of("other")))
    assert (status, "another run" in text) == (403, True)
    assert "progress" not in api.get("TrainingRun", "mine").get("status", {})


def test_token_of_a_pod_without_a_run_is_refused(api: Api, operator: OperatorProcess, run: Manifest) -> None:
    security = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    privileges = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    container = {"name": "trainer", "image": "example.com/x", "securityContext": privileges}
    spec = {"securityContext": security, "containers": [container]}
    labels = {"training.labelator.io/run": "mine", "app.kubernetes.io/managed-by": "trainingrun-operator"}
    forger = api.apply(
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "forger", "labels": labels}, "spec": spec}
    )
    assert operator.post(a_report(run), api.token(forger))[0] == 403


def test_token_for_another_audience_is_refused(
    api: Api, operator: OperatorProcess, run: Manifest, pod: Manifest
) -> None:
    token = api.token(pod, audience="https://kubernetes.default.svc")
    assert operator.post(a_report(run), token)[0] == 401


@pytest.mark.parametrize("token", [None, "nonsense", "ñönsense"])
def test_without_a_good_token_nothing_is_accepted(
    operator: OperatorProcess, run: Manifest, token: str | None
) -> None:
    assert operator.post(a_report(run), token)[0] == 401


def test_report_for_an_earlier_run_of_the_same_name_is_refused(
    api: Api, operator: OperatorProcess, run: Manifest, pod: Manifest
) -> None:
    report = a_report(run)
    report["run"]["uid"] = "11111111-2222-3333-4444-555555555555"
    assert operator.post(report, api.token(pod))[0] == 403


def test_report_that_is_too_big_is_refused(
    api: Api, operator: OperatorProcess, run: Manifest, pod: Manifest
) -> None:
    body = json.dumps(a_report(run)).encode() + b" " * 65536
    assert operator.post(body, api.token(pod))[0] == 413


def test_report_of_unknown_length_is_refused_once_it_is_too_big(
    api: Api, operator: OperatorProcess, run: Manifest, pod: Manifest
) -> None:
    chunks = iter([json.dumps(a_report(run)).encode(), b" " * 65536])
    assert operator.post(chunks, api.token(pod))[0] == 413


@pytest.mark.faults
def test_sender_that_is_slow_is_cut_and_keeps_nobody_waiting(
    api: Api, operator: OperatorProcess, run: Manifest, pod: Manifest, promise: Promise
) -> None:
    token, since = api.token(pod), time.monotonic()
    headers = ("Host: x", f"Authorization: Bearer {token}", "Content-Length: 999")
    with operator.connection("127.0.0.9") as slow, suppress(OSError):
        slow.sendall("\r\n".join([f"POST {PROGRESS_PATH} HTTP/1.1", *headers, "", ""]).encode())
        while time.monotonic() < since + 60:
            slow.sendall(b" ")
            time.sleep(1)
            if time.monotonic() < since + 3:
                assert operator.post(a_report(run), token)[0] == 204
    seconds = time.monotonic() - since
    assert seconds < 30
    promise("Security", "A sender that is slow is cut after 20 seconds", f"{seconds:.0f} s")


def test_report_that_is_no_report_is_refused_with_its_problems(
    api: Api, operator: OperatorProcess, run: Manifest, pod: Manifest
) -> None:
    report = a_report(run)
    report["progress"]["percent"] = 120
    status, text = operator.post(report, api.token(pod))
    assert (status, "progress.percent" in text) == (400, True)


def test_report_can_not_touch_phase_or_conditions(
    api: Api, operator: OperatorProcess, run: Manifest, pod: Manifest
) -> None:
    report = a_report(run) | {"phase": "Succeeded"}
    assert operator.post(report, api.token(pod))[0] == 400


@pytest.mark.parametrize("number", ["NaN", "1e999", str(2**63), "9" * 5000, "[" * 20_000])
def test_number_that_no_api_takes_is_refused_and_counted(
    api: Api, operator: OperatorProcess, run: Manifest, pod: Manifest, number: str
) -> None:
    token, refused = api.token(pod), operator.count("progress_reports_total", outcome="invalid")
    body = json.dumps(a_report(run)).replace('"percent": 20', f'"percent": {number}')
    assert operator.post(body.encode(), token)[0] == 400
    assert operator.count("progress_reports_total", outcome="invalid") == refused + 1
    assert operator.post(a_report(run), token)[0] == 204


def test_idle_connections_keep_no_pod_from_reporting_and_no_probe_from_its_answer(
    api: Api, operator: OperatorProcess, run: Manifest, pod: Manifest
) -> None:
    token, before = api.token(pod), operator.resident_bytes()
    with ExitStack() as idle:
        for number in range(1500):
            idle.enter_context(operator.connection(f"127.0.1.{number % 100}"))
        assert operator.healthy()
        assert operator.post(a_report(run), token)[0] == 204
        assert operator.resident_bytes() - before < 100 * 2**20
    assert operator.count("unserved_connections_total", port="progress", bound="connections") >= 1000


def test_too_many_reports_are_refused(
    api: Api, operator: OperatorProcess, run: Manifest, pod: Manifest
) -> None:
    token = api.token(pod)
    answers = [operator.post(a_report(run), token)[0] for _ in range(40)]
    assert answers[0] == 204
    assert 429 in answers
    assert operator.count("progress_reports_total", outcome="rate_limited") >= 1


def test_sender_that_goes_away_within_its_report_is_counted(
    api: Api, operator: OperatorProcess, run: Manifest, pod: Manifest
) -> None:
    lines = (
        "POST /v1/progress HTTP/1.1",
        "Host: x",
        f"Authorization: Bearer {api.token(pod)}",
        "Content-Length: 99",
        "",
        "{",
    )
    before = operator.count("progress_reports_total", outcome="cut")
    with operator.connection("127.0.2.1") as connection:
        connection.sendall("\r\n".join(lines).encode())
        time.sleep(1)
    api.until(lambda: operator.count("progress_reports_total", outcome="cut") == before + 1, "the count")
    assert "Traceback" not in operator.log_tail()


def test_a_notice_of_the_trainer_is_in_the_condition_and_an_event(
    api: Api, operator: OperatorProcess, kubelet: Kubelet, run: Manifest, pod: Manifest
) -> None:
    kubelet.start(pod)
    notice = {"reason": "StartedOver", "message": "Training started over: the data sets' content changed"}
    assert operator.post(a_report(run, notice=notice), api.token(pod))[0] == 204
    status = api.eventually("mine", phase="Running", reason="StartedOver")
    assert f"Pod {pod['metadata']['name']} is training. {notice['message']}" in str(status)
    api.until(lambda: "StartedOver" in api.events("mine"), "an Event that says so")


def test_epochs_stay_while_a_restarted_pod_loads(
    api: Api, operator: OperatorProcess, run: Manifest, pod: Manifest
) -> None:
    token = api.token(pod)
    assert operator.post(a_report(run, epoch=2), token)[0] == 204
    before = api.get("TrainingRun", "mine")["status"]

    loading = a_report(run, epoch=0, stage="LoadingData", time="2099-01-01T00:01:00Z")
    del loading["epochs"]
    assert operator.post(loading, token)[0] == 204
    status = reported(api, stage="LoadingData")
    assert status["epochs"] == before["epochs"]
    changed = {"stage": "LoadingData", "lastUpdateTime": "2099-01-01T00:01:00Z"}
    kept = {name: value for name, value in before["progress"].items() if name != "samplesPerSecond"}
    assert status["progress"] == kept | changed

    time.sleep(2 * SECONDS)  # until the next report is written at once, on what the status says
    assert operator.post(loading, token)[0] == 204
    assert api.get("TrainingRun", "mine")["status"]["epochs"] == before["epochs"]

    # It goes on from epoch 1.
    assert operator.post(a_report(run, epoch=1, time="2099-01-01T00:02:00Z"), token)[0] == 204
    assert reported(api, epoch=1)["epochs"] == before["epochs"][:1]


def test_of_many_reports_the_last_is_written_after_a_while(
    api: Api, operator: OperatorProcess, run: Manifest, pod: Manifest, promise: Promise
) -> None:
    token, seen = api.token(pod), set()
    for epoch in range(1, 5):
        assert operator.post(a_report(run, epoch=epoch), token)[0] == 204

    def last() -> Manifest | None:
        status = api.get("TrainingRun", "mine")["status"]
        seen.add(status["progress"]["epoch"])
        return status if 4 in seen else None

    assert [one["epoch"] for one in api.until(last, "the last one")["epochs"]] == [1, 2, 3, 4]
    assert seen == {1, 4}
    sentence = "A run's progress is written at most every 5 seconds, however often its trainer reports"
    promise("Scale", sentence, f"{len(seen)} writes of 4 reports")


def test_thousands_of_runs_are_written_less_often() -> None:
    assert [turn_seconds(runs) for runs in (1, 500, 1000, 5000)] == [5.0, 5.0, 10.0, 50.0]


def test_what_is_held_is_written_before_the_end(
    api: Api, operator: OperatorProcess, kubelet: Kubelet, run: Manifest, pod: Manifest, promise: Promise
) -> None:
    kubelet.start(pod)
    api.eventually("mine", phase="Running")
    token = api.token(pod)
    for epoch in (1, 2):
        assert operator.post(a_report(run, epoch=epoch), token)[0] == 204
    kubelet.end(pod, 0, a_result())
    status = api.eventually("mine", phase="Succeeded")["status"]
    assert [one["epoch"] for one in status["epochs"]] == [1, 2]
    assert operator.post(a_report(run, epoch=3), token)[0] == 409, "it has ended"
    promise("Scale", "A run that has ended shows all epochs that were reported", "2 of 2, one of them held")


def test_what_is_held_is_written_when_the_operator_stops(
    api: Api, operator: OperatorProcess, run: Manifest, pod: Manifest
) -> None:
    for epoch in (1, 2):
        assert operator.post(a_report(run, epoch=epoch), api.token(pod))[0] == 204
    with stopped(operator):
        assert api.get("TrainingRun", "mine")["status"]["progress"]["epoch"] == 2


def test_an_older_report_does_not_replace_what_another_replica_has_written(
    api: Api, operator: OperatorProcess, run: Manifest, pod: Manifest
) -> None:
    for epoch in (1, 2):
        assert operator.post(a_report(run, epoch=epoch), api.token(pod))[0] == 204
    later = a_report(run, epoch=3, time="2099-01-01T01:00:00Z")
    api.write_progress("mine", {name: later[name] for name in ("progress", "epochs")})
    time.sleep(2 * SECONDS)
    assert api.get("TrainingRun", "mine")["status"]["progress"]["epoch"] == 3


def reported(api: Api, **progress: object) -> Manifest:
    """The status, once its progress has these values."""

    def there() -> Manifest | None:
        status = api.get("TrainingRun", "mine")["status"]
        return status if progress.items() <= status["progress"].items() else None

    return api.until(there, f"progress {progress}")
