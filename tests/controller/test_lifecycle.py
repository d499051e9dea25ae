"""A run from apply to its scores, as a user sees it."""

from .cluster import Api
from .kubelet import Kubelet
from .manifests import a_report, a_result, a_run
from .process import OperatorProcess


def test_run_trains_reports_and_succeeds(api: Api, kubelet: Kubelet, operator: OperatorProcess) -> None:
    api.apply(a_run("tickets", modelName="tickets-v3"))
    run = api.eventually("tickets", phase="Pending", reason="Unschedulable", message="no nodes available")
    pod = kubelet.pod_of("tickets")

    kubelet.start(pod)
    api.eventually("tickets", phase="Running", reason="Training")
    assert operator.post(a_report(run), api.token(pod)) == (204, "")
    reported = api.get("TrainingRun", "tickets")["status"]
    assert reported["progress"]["epoch"] == 2
    assert [e["epoch"] for e in reported["epochs"]] == [1, 2]

    later = a_report(run, stage="Evaluating", time="2099-01-01T00:01:00Z")
    assert operator.post(later, api.token(pod))[0] == 204
    api.eventually("tickets", phase="Evaluating")

    kubelet.end(pod, 0, a_result())
    api.eventually("tickets", phase="Succeeded", reason="Completed", message="macro F1 0.900")
    status = api.until(
        lambda: (s := api.get("TrainingRun", "tickets")["status"])["progress"]["percent"] == 100 and s,
        "progress at its end",
    )
    assert status["evaluation"]["accuracy"] == 0.912
    assert status["modelName"] == "tickets-v3"
    assert status["jobName"] == "tickets"
    assert status["epochs"] == reported["epochs"]
    assert {c["type"]: c["status"] for c in status["conditions"]} == {
        "Succeeded": "True",
        "Ready": "True",
        "Reconciling": "False",
        "Stalled": "False",
    }
    assert api.events("tickets") == ["Unschedulable", "Training", "Completed"]


def test_operator_restarted_meanwhile_goes_on(api: Api, kubelet: Kubelet, operator: OperatorProcess) -> None:
    run = api.apply(a_run("long"))
    pod = kubelet.pod_of("long")
    kubelet.start(pod)
    api.eventually("long", phase="Running")
    assert operator.post(a_report(run), api.token(pod))[0] == 204
    job = api.get("Job", "long")["metadata"]["uid"]
    told = api.events("long")
    api.apply(a_run("queued"))
    api.eventually("queued", phase="Pending", reason="Unschedulable")
    api.suspend_job("queued", True)
    api.eventually("queued", phase="Queued")
    api.apply(a_run("refused", scheduling={"priorityClassName": "missing"}))
    refused = api.eventually("refused", phase="Pending", reason="PodRefused")["status"]

    assert operator.stop() == 0
    kubelet.end(pod, 0, a_result())
    operator.start()

    api.change("queued", activeDeadlineSeconds=1000)
    api.until(lambda: api.get("Job", "queued")["spec"].get("activeDeadlineSeconds"), "the deadline")
    assert api.get("Job", "queued")["spec"]["suspend"] is True
    assert api.get("TrainingRun", "refused")["status"] == refused
    api.eventually("long", phase="Succeeded")
    assert api.get("Job", "long")["metadata"]["uid"] == job
    assert api.events("long") == [*told, "Completed"]
    api.until(
        lambda: f'trainingrun_f1{{name="long",namespace="{api.namespace}"}} 0.9' in operator.metrics(),
        "metrics",
    )


def test_deleted_run_takes_its_job_and_metrics_along(
    api: Api, kubelet: Kubelet, operator: OperatorProcess
) -> None:
    series = f'name="gone",namespace="{api.namespace}"'
    run = api.apply(a_run("gone"))
    pod = kubelet.pod_of("gone")
    kubelet.start(pod)
    api.eventually("gone", phase="Running")
    assert operator.post(a_report(run), api.token(pod))[0] == 204
    api.until(lambda: f"trainingrun_epoch{{{series}}} 2.0" in operator.metrics(), "the epoch in metrics")
    assert f'trainingrun_phase{{{series},phase="Running"}} 1.0' in operator.metrics()

    api.delete("TrainingRun", "gone")

    api.until(lambda: api.get("Job", "gone") is None, "the Job to be collected")
    api.until(lambda: series not in operator.metrics(), "the series to go")


def test_stopped_run_ends_for_good(api: Api, kubelet: Kubelet) -> None:
    for name, suspend in (("stopped", False), ("early", True)):
        api.apply(a_run(name, suspend=suspend))
    pod = kubelet.pod_of("stopped")
    kubelet.start(pod)
    api.eventually("stopped", phase="Running")
    api.eventually("early", phase="Suspended")
    for name in ("stopped", "early"):
        api.change(name, stop=True)
        run = api.eventually(name, phase="Failed", reason="Stopped", message="with resumeFrom continues")
        assert run["status"]["completionTime"]
    api.until(lambda: api.get("Job", "stopped") is None, "the Job to be gone")
    api.until(lambda: not api.pods("stopped"), "the pod to be gone")
    assert api.get("Job", "early") is None
    api.change("stopped", stop=False)
    api.apply(a_run("never", stop=True))
    api.eventually("never", phase="Failed", reason="Stopped")
    assert api.get("Job", "never") is None
    assert (api.get("TrainingRun", "stopped") or {})["status"]["phase"] == "Failed"


def test_a_run_that_ends_before_it_is_stopped_keeps_its_result(api: Api, kubelet: Kubelet) -> None:
    api.apply(a_run("done"))
    pod = kubelet.pod_of("done")
    kubelet.start(pod)
    kubelet.end(pod, 0, a_result())
    api.eventually("done", phase="Succeeded")
    api.change("done", stop=True)
    api.until(
        lambda: (api.get("TrainingRun", "done") or {})["status"]["observedGeneration"] == 2, "the change seen"
    )
    assert (api.get("TrainingRun", "done") or {})["status"]["phase"] == "Succeeded"


def test_suspended_run_stops_and_goes_on(api: Api, kubelet: Kubelet) -> None:
    api.apply(a_run("paused", suspend=True))
    api.eventually("paused", phase="Suspended", reason="Suspended")
    assert api.get("Job", "paused") is None

    api.change("paused", suspend=False)
    pod = kubelet.pod_of("paused")
    kubelet.start(pod)
    api.eventually("paused", phase="Running")

    api.change("paused", suspend=True)
    api.eventually("paused", phase="Suspended")
    api.until(lambda: not api.pods("paused"), "the pod to be gone")

    api.change("paused", suspend=False)
    kubelet.start(kubelet.pod_of("paused", after=pod))
    run = api.eventually("paused", phase="Running")
    assert run["status"]["restarts"] == 0


def test_queue_decides_when_a_job_runs_and_only_the_user_overrules_it(api: Api, kubelet: Kubelet) -> None:
    api.apply(a_run("queued"))
    pod = kubelet.pod_of("queued")
    kubelet.start(pod)
    api.eventually("queued", phase="Running")
    api.suspend_job("queued", True)
    api.eventually("queued", phase="Queued", reason="Queued", message="suspended by a queue")
    api.change("queued", activeDeadlineSeconds=1000)
    api.until(lambda: api.get("Job", "queued")["spec"].get("activeDeadlineSeconds"), "the deadline")
    assert api.get("Job", "queued")["spec"]["suspend"] is True

    api.suspend_job("queued", False)
    pod = kubelet.pod_of("queued", after=pod)
    kubelet.start(pod)
    assert api.eventually("queued", phase="Running")["status"]["restarts"] == 0

    api.change("queued", suspend=True)
    api.eventually("queued", phase="Suspended")
    api.change("queued", suspend=False)
    kubelet.start(kubelet.pod_of("queued", after=pod))
    api.eventually("queued", phase="Running")
    assert [one for one in api.events("queued") if one in {"Queued", "Suspended"}] == ["Queued", "Suspended"]


def test_a_run_in_a_queue_is_not_started_where_there_is_no_queue(api: Api) -> None:
    api.apply(a_run("waiting", scheduling={"queueName": "training"}, pendingDeadlineSeconds=1))
    api.eventually("waiting", phase="Queued", message="waits for queue training; if that lasts, Kueue isn't")
    api.change("waiting", suspend=True)
    api.eventually("waiting", phase="Suspended")
    api.change("waiting", suspend=False)
    api.eventually("waiting", phase="Queued")
    job = api.get("Job", "waiting")
    assert job is not None
    assert job["spec"]["suspend"] is True
    assert api.pods("waiting") == []


def test_finished_job_is_removed_after_its_ttl_and_never_trained_again(api: Api, kubelet: Kubelet) -> None:
    api.apply(a_run("tidy", ttlSecondsAfterFinished=0))
    kubelet.end(kubelet.pod_of("tidy"), 0, a_result())
    run = api.eventually("tidy", phase="Succeeded")
    assert run["status"]["evaluation"]["f1"] == 0.9

    api.until(lambda: api.get("Job", "tidy") is None, "the TTL controller")

    api.change("tidy", ttlSecondsAfterFinished=7)
    api.until(
        lambda: api.get("TrainingRun", "tidy")["status"]["observedGeneration"] == 2,
        "the change to be observed",
    )
    assert api.get("Job", "tidy") is None


def test_job_that_was_deleted_is_created_again(api: Api, kubelet: Kubelet) -> None:
    api.apply(a_run("again"))
    pod = kubelet.pod_of("again")
    uid = api.get("Job", "again")["metadata"]["uid"]

    api.delete("Job", "again")

    api.until(lambda: (j := api.get("Job", "again")) and j["metadata"]["uid"] != uid, "another Job")
    kubelet.start(kubelet.pod_of("again", after=pod))
    api.eventually("again", phase="Running")


def test_deadlines_reach_the_job(api: Api) -> None:
    api.apply(a_run("late", activeDeadlineSeconds=1000))
    api.until(lambda: api.get("Job", "late"), "the Job")
    assert api.get("Job", "late")["spec"]["activeDeadlineSeconds"] == 1000

    api.change("late", activeDeadlineSeconds=1)

    api.eventually("late", phase="Failed", reason="ActiveDeadlineExceeded", message="activeDeadlineSeconds")
