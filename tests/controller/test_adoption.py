"""A run believes the Job that the operator made for it, and no other."""

from kubernetes.client import ApiClient, CustomObjectsApi

from trainingrun_api.names import API_VERSION, GROUP, RUN_PLURAL, VERSION

from .cluster import Api
from .kubelet import Kubelet
from .manifests import Manifest, a_foreign_job, a_project, a_project_run, a_report, a_result, a_run
from .process import OperatorProcess, stopped
from .test_waiting import config_of

LABELS = {"app.kubernetes.io/managed-by": "trainingrun-operator"}


def a_forged_job(run: Manifest) -> Manifest:
    """What a user of the namespace can write who wants the run to have succeeded."""
    name, uid = run["metadata"]["name"], run["metadata"]["uid"]
    job = a_foreign_job(name)
    labels = LABELS | {"training.labelator.io/run": name}
    owner = {"apiVersion": API_VERSION, "kind": "TrainingRun", "name": name, "uid": uid, "controller": True}
    job["metadata"] |= {"labels": labels, "ownerReferences": [owner]}
    template = job["spec"]["template"]
    template["metadata"] = {"labels": labels}
    security = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    template["spec"]["securityContext"] = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    template["spec"]["containers"][0] |= {"name": "trainer", "securityContext": security}
    return job


def forget(client: ApiClient, run: Manifest, *fields: str) -> None:
    """Take fields out of a run's status, as if its operator had been killed before it wrote them."""
    runs, metadata = CustomObjectsApi(client), run["metadata"]
    at = (GROUP, VERSION, metadata["namespace"], RUN_PLURAL, metadata["name"])
    runs.patch_namespaced_custom_object_status(*at, {"status": dict.fromkeys(fields)})


def test_forged_job_of_a_suspended_run_does_not_count(api: Api, kubelet: Kubelet) -> None:
    run = api.apply(a_run("idle", suspend=True))
    api.eventually("idle", phase="Suspended")
    forged = api.apply(a_forged_job(run))
    pod = kubelet.pod_of("idle")
    kubelet.start(pod)
    assert api.operator.post(a_report(run), api.token(pod))[0] == 403
    kubelet.end(pod, 0, a_result())
    api.until(lambda: api.get("Job", "idle")["status"].get("succeeded"), "the forged Job to end")

    api.change("idle", suspend=False)

    status = api.eventually("idle", phase="Pending", reason="JobConflict", message="delete it")["status"]
    assert not {"evaluation", "jobName", "jobUid", "progress"} & set(status)
    assert api.get("Job", "idle")["metadata"]["uid"] == forged["metadata"]["uid"]

    api.delete("Job", "idle")
    again = api.eventually("idle", phase="Pending", reason="Unschedulable")
    assert again["status"]["jobUid"] == api.get("Job", "idle")["metadata"]["uid"]


def test_forged_job_in_the_place_of_the_runs_own_does_not_count(
    api: Api, kubelet: Kubelet, operator: OperatorProcess
) -> None:
    run = api.apply(a_run("swapped"))
    api.eventually("swapped", phase="Pending", reason="Unschedulable")
    own = kubelet.pod_of("swapped")
    with stopped(operator):
        api.delete("Job", "swapped")
        api.until(lambda: api.get("Job", "swapped") is None, "the Job to be gone")
        api.apply(a_forged_job(run))
        kubelet.end(kubelet.pod_of("swapped", after=own), 0, a_result())
    api.eventually("swapped", phase="Pending", reason="JobConflict")


def test_job_that_was_made_but_not_recorded_is_the_runs_own(
    api: Api, api_client: ApiClient, kubelet: Kubelet, operator: OperatorProcess
) -> None:
    api.apply(a_project("tickets", defaults={"training": {"learningRate": 1.0e-3}}))
    run = api.apply(a_project_run("killed", "tickets", resources={"cpu": "0.5"}))
    api.eventually("killed", phase="Pending", reason="Unschedulable")
    made = api.get("Job", "killed")["metadata"]["uid"]
    with stopped(operator):
        forget(api_client, run, "jobName", "jobUid")
    kubelet.end(kubelet.pod_of("killed"), 0, a_result())
    status = api.eventually("killed", phase="Succeeded")["status"]
    assert (status["jobUid"], status["evaluation"]["f1"]) == (made, 0.9)


def test_job_that_is_made_again_is_made_of_what_the_run_was_started_with(
    api: Api, kubelet: Kubelet, operator: OperatorProcess
) -> None:
    api.apply(a_project("tickets", defaults={"training": {"maxEpochs": 60}}))
    api.apply(a_project_run("long", "tickets"))
    api.eventually("long", phase="Pending", reason="Unschedulable")
    first, config = api.get("Job", "long"), config_of(api, "long")

    api.change_project("tickets", defaults={"training": {"maxEpochs": 3}}, output={"uri": "s3://elsewhere"})
    assert operator.stop() == 0
    operator.start({"TRAINER_IMAGE": "example.com/trainer:2"})
    try:
        api.delete("Job", "long")

        def again() -> Manifest | None:
            job = api.get("Job", "long")
            return job if job and job["metadata"]["uid"] != first["metadata"]["uid"] else None

        job = api.until(again, "another Job")
    finally:
        assert operator.stop() == 0
        operator.start()
    assert config_of(api, "long") == config
    assert config["training"]["maxEpochs"] == 60
    assert job["spec"]["template"]["spec"]["containers"] == first["spec"]["template"]["spec"]["containers"]
    status = api.eventually("long", phase="Pending", reason="Unschedulable")["status"]
    assert status["startedWith"]["config"] == {k: v for k, v in config.items() if k != "progress"}
