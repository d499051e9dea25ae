"""What a run waits for: named, with what to do, and gone on from when it is there."""

import json
from typing import Any

from .cluster import Api
from .kubelet import Kubelet
from .manifests import Manifest, a_failure, a_foreign_job, a_project, a_project_run, a_quota, a_result, a_run


def config_of(api: Api, job: str) -> dict[str, Any]:
    environment = api.get("Job", job)["spec"]["template"]["spec"]["containers"][0]["env"]
    config: dict[str, Any] = json.loads(
        next(v["value"] for v in environment if v["name"] == "TRAININGRUN_CONFIG")
    )
    return config


def stalled(run: Manifest) -> bool:
    return {c["type"]: c["status"] for c in run["status"]["conditions"]}["Stalled"] == "True"


def test_run_waits_for_its_project(api: Api) -> None:
    api.apply(a_project_run("early", "tickets"))
    api.eventually(
        "early", phase="Pending", reason="ProjectNotFound", message="TrainingProject tickets does not exist"
    )
    assert api.get("Job", "early") is None

    api.apply(a_project("tickets"))

    api.eventually("early", phase="Pending", reason="Unschedulable")
    assert config_of(api, "early")["dataset"]["uri"] == "s3://data/project.csv"
    assert config_of(api, "early")["outputPrefix"].startswith(f"s3://models/project/{api.namespace}/early/")


def test_a_run_takes_over_its_projects_defaults_as_they_were_when_it_started(api: Api) -> None:
    defaults = {"trainPercent": 90, "training": {"maxEpochs": 9, "seed": 7}}
    api.apply(a_project("tickets", defaults=defaults, baseModel={"uri": "s3://models/preset"}))
    api.apply(a_project_run("mine", "tickets", training={"maxEpochs": 2}))
    api.apply(a_project_run("other", "tickets", baseModel={"uri": "s3://models/own"}))
    api.eventually("other", phase="Pending", reason="Unschedulable")
    assert config_of(api, "other")["baseModel"]["uri"] == "s3://models/own"
    api.eventually("mine", phase="Pending", reason="Unschedulable")
    api.change_project("tickets", defaults={"trainPercent": 60})
    config = config_of(api, "mine")
    assert config["baseModel"]["uri"] == "s3://models/preset"
    assert (config["trainPercent"], config["training"]["maxEpochs"], config["training"]["seed"]) == (90, 2, 7)
    assert api.get("TrainingRun", "mine")["spec"]["training"] == {"maxEpochs": 2}


def test_a_run_that_does_not_go_with_its_projects_defaults_fails_and_says_so(api: Api) -> None:
    api.apply(a_project("tickets", defaults={"labels": {"aliases": {"a": "b"}}}))
    api.apply(a_project_run("odd", "tickets", labels={"aliases": {"b": "c"}}))
    message = "Combined with the defaults of TrainingProject tickets: spec.labels: an alias can't stand for"
    api.eventually("odd", phase="Failed", reason="InvalidSpec", message=message)


def test_a_run_without_output_fails_where_the_operator_has_no_default(api: Api) -> None:
    without_output = a_run("lost")
    del without_output["spec"]["output"]
    api.apply(without_output)
    message = "spec.output.uri, such as s3://bucket/prefix, is required"
    api.eventually("lost", phase="Failed", reason="InvalidSpec", message=message)


def test_everything_missing_is_named_at_once(api: Api) -> None:
    api.apply(a_project_run("poor", "nowhere", additionalDatasets=[{"project": "gone"}]))
    run = api.eventually("poor", phase="Pending", message="TrainingProject nowhere")
    assert "TrainingProject gone does not exist" in run["status"]["conditions"][0]["message"]


def test_run_waits_for_its_secret_and_each_key(api: Api, kubelet: Kubelet) -> None:
    output = {"uri": "s3://models/x", "credentialsSecretRef": {"name": "store"}}
    api.apply(a_run("locked", dataset={"uri": "s3://d/t.csv"}, output=output))
    pod = kubelet.pod_of("locked")
    kubelet.lack(pod, "credentials-storage", 'secret "store" not found')
    message = "Secret store does not exist"
    run = api.eventually("locked", phase="Pending", reason="SecretNotFound", message=message)
    wanted = "create it with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    assert wanted in run["status"]["conditions"][0]["message"]
    why = "references non-existent secret key: AWS_SECRET_ACCESS_KEY"
    kubelet.lack(pod, "credentials-storage", why)
    message = f"Secret store in namespace {api.namespace} has no key AWS_SECRET_ACCESS_KEY; add it"
    api.eventually("locked", phase="Pending", reason="SecretNotFound", message=message)
    kubelet.mount(pod)
    api.eventually("locked", phase="Pending", reason="PodStarting")
    kubelet.start(pod)
    api.eventually("locked", phase="Running")


def test_run_waits_for_what_its_tracker_takes(api: Api, kubelet: Kubelet) -> None:
    server = {"trackingUri": "http://mlflow", "credentialsSecretRef": {"name": "tracker"}}
    api.apply(a_run("tracked", tracking={"mlflow": server}))
    kubelet.lack(kubelet.pod_of("tracked"), "credentials-mlflow", 'secret "tracker" not found')
    message = "create it with MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN"
    api.eventually("tracked", phase="Pending", reason="SecretNotFound", message=message)


def test_run_names_all_secrets_that_it_waits_for(api: Api, kubelet: Kubelet) -> None:
    output = {"uri": "s3://models/x", "credentialsSecretRef": {"name": "store"}}
    hub = {"repoId": "team/model", "tokenSecretRef": {"name": "hub"}}
    api.apply(a_run("poor", dataset={"uri": "s3://d/t.csv"}, output=output, baseModel={"huggingFace": hub}))
    pod = kubelet.pod_of("poor")
    kubelet.lack(pod, "credentials-storage", 'secret "store" not found')
    kubelet.lack(pod, "credentials-hf-token", "references non-existent secret key: token")
    run = api.eventually("poor", phase="Pending", reason="SecretNotFound", message="Secret hub in namespace")
    assert "Secret store does not exist" in run["status"]["conditions"][0]["message"]


def test_run_waits_for_the_secret_of_a_variable_that_its_user_adds(api: Api, kubelet: Kubelet) -> None:
    reference = {"secretKeyRef": {"name": "extra", "key": "token"}}
    added = {"name": "trainer", "env": [{"name": "TOKEN", "valueFrom": reference}]}
    api.apply(a_run("added", podTemplate={"spec": {"containers": [added]}}))
    pod = kubelet.pod_of("added")
    kubelet.wait(pod, "CreateContainerConfigError", 'secret "extra" not found')
    message = f"Secret extra does not exist in namespace {api.namespace}; create it with token"
    api.eventually("added", phase="Pending", reason="SecretNotFound", message=message)
    message = f"couldn't find key token in Secret {api.namespace}/extra"
    kubelet.wait(pod, "CreateContainerConfigError", message)
    api.eventually("added", phase="Pending", reason="SecretNotFound", message="has no key token; add it")


def test_a_volume_that_mounts_nothing_waits_for_nothing(api: Api, kubelet: Kubelet) -> None:
    """The API server keeps no list for it, but null."""
    api.apply(a_run("hollow", podTemplate={"spec": {"volumes": [{"name": "hollow", "projected": {}}]}}))
    kubelet.wait(kubelet.pod_of("hollow"), "ImagePullBackOff", "no such image")
    api.eventually("hollow", phase="Pending", message="no such image")


def test_run_waits_for_its_base_model(api: Api, kubelet: Kubelet) -> None:
    api.apply(a_run("child", baseModel={"fromRun": {"name": "parent"}}))
    api.eventually("child", phase="Pending", reason="BaseModelNotFound", message="TrainingRun parent")

    api.apply(a_run("parent"))
    api.eventually("child", phase="Pending", reason="BaseModelNotReady", message="parent")

    kubelet.end(kubelet.pod_of("parent"), 0, a_result("s3://models/parent"))
    api.eventually("child", phase="Pending", reason="Unschedulable")
    base_model = config_of(api, "child")["baseModel"]
    assert (base_model["uri"], base_model["fromRun"]) == ("s3://models/parent/model", "parent")
    parent = api.get("TrainingRun", "parent")["status"]
    origin = {"run": "parent", "modelName": parent["modelName"], "source": "Default", "digest": "abc"}
    assert base_model["lineage"] == [origin]

    kubelet.end(kubelet.pod_of("child"), 0, a_result("s3://models/child"))
    child = api.eventually("child", phase="Succeeded")["status"]
    assert (child["baseModel"]["digest"], child["baseModel"]["lineage"]) == ("abc", [origin])
    api.apply(a_run("grandchild", baseModel={"fromRun": {"name": "child"}}))
    grandchild = api.eventually("grandchild", phase="Pending", reason="Unschedulable")["status"]
    assert [one["run"] for one in grandchild["baseModel"]["lineage"]] == ["parent", "child"]


def test_run_waits_for_the_token_of_its_base_model(api: Api, kubelet: Kubelet) -> None:
    hub = {"repoId": "team/model", "tokenSecretRef": {"name": "hub"}}
    api.apply(a_run("private", baseModel={"huggingFace": hub}, pendingDeadlineSeconds=3600))
    kubelet.lack(kubelet.pod_of("private"), "credentials-hf-token", 'secret "hub" not found')
    message = f"Secret hub does not exist in namespace {api.namespace}; create it with token"
    api.eventually("private", phase="Pending", reason="SecretNotFound", message=message)
    assert config_of(api, "private")["baseModel"]["hub"] == {"repoId": "team/model", "revision": "main"}
    api.change("private", pendingDeadlineSeconds=1)
    api.eventually("private", phase="Failed", reason="PendingDeadlineExceeded", message=message)


def test_run_waits_for_the_volume_of_its_base_model(api: Api, kubelet: Kubelet) -> None:
    api.apply(a_run("imported", baseModel={"uri": "pvc://imported/models/mine"}))
    claims = [volume.get("persistentVolumeClaim") for volume in kubelet.pod_of("imported")["spec"]["volumes"]]
    assert {"claimName": "imported", "readOnly": True} in claims
    api.eventually("imported", phase="Pending", reason="Unschedulable", message="can't be scheduled")


def test_run_fails_with_its_base_model(api: Api, kubelet: Kubelet) -> None:
    api.apply(a_run("parent"))
    api.apply(a_run("child", baseModel={"fromRun": {"name": "parent"}}))
    kubelet.end(kubelet.pod_of("parent"), 65)
    api.eventually("child", phase="Failed", reason="BaseModelFailed", message="parent")


def test_runs_whose_base_models_go_in_a_circle_fail_and_name_it(api: Api) -> None:
    api.apply(a_project("preset", baseModel={"fromRun": {"name": "first"}}))
    api.apply(a_run("first", baseModel={"fromRun": {"name": "second"}}))
    api.apply(a_run("second", baseModel={"fromRun": {"name": "third"}}))
    api.eventually("second", phase="Pending", reason="BaseModelNotFound", message="TrainingRun third")
    api.apply(a_project_run("third", "preset"))
    for name in ("first", "second", "third"):
        api.eventually(name, phase="Failed", reason="BaseModelFailed", message=f"{name} starts from")
    api.apply(a_run("own", baseModel={"fromRun": {"name": "own"}}))
    api.eventually("own", phase="Failed", reason="BaseModelFailed", message="own starts from own")


def test_foreign_job_of_the_same_name_is_left_alone(api: Api) -> None:
    foreign = api.apply(a_foreign_job("taken"))
    api.apply(a_run("taken"))
    run = api.eventually("taken", phase="Pending", reason="JobConflict", message="another name")
    assert stalled(run)
    assert api.get("Job", "taken")["metadata"]["uid"] == foreign["metadata"]["uid"]


def test_run_that_waited_too_long_fails_and_never_starts(api: Api) -> None:
    api.apply(a_run("impatient", pendingDeadlineSeconds=3600))
    api.eventually("impatient", phase="Pending", reason="Unschedulable")
    api.change("impatient", pendingDeadlineSeconds=1)
    run = api.eventually(
        "impatient", phase="Failed", reason="PendingDeadlineExceeded", message="no nodes available"
    )
    assert run["status"]["completionTime"]
    api.until(lambda: api.get("Job", "impatient") is None, "the Job to be deleted")


def test_pending_deadline_holds_for_references_too(api: Api) -> None:
    api.apply(a_project_run("orphan", "nowhere", pendingDeadlineSeconds=1))
    api.eventually(
        "orphan", phase="Failed", reason="PendingDeadlineExceeded", message="TrainingProject nowhere"
    )


def test_pod_over_its_quota_is_told_at_once_and_goes_on_when_there_is_room(
    api: Api, kubelet: Kubelet
) -> None:
    api.apply(a_quota("small", **{"limits.memory": "1Gi"}))
    api.apply(a_run("refused"))
    message = 'pods "refused" is forbidden: exceeded quota: small, requested: limits.memory=4Gi'
    run = api.eventually("refused", phase="Pending", reason="PodRefused", message=message)
    assert stalled(run)
    assert api.events("refused")[-1] == "PodRefused"
    api.delete("ResourceQuota", "small")
    kubelet.start(kubelet.pod_of("refused"))
    assert not stalled(api.eventually("refused", phase="Running"))


def test_job_at_its_bounds_is_taken(api: Api) -> None:
    domain = ".".join(["x" * 44] * 4)
    scheduling = {
        "nodeSelector": {f"{domain}/{'x' * 63}": "x" * 63, "empty": ""},
        "tolerations": [
            {"operator": "Exists", "value": ""},
            {"key": f"{domain}/{'x' * 63}", "value": "x" * 63},
            {"key": "a", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 5},
        ],
    }
    resources = {
        "gpusPerNode": 1,
        "gpuResourceName": f"{domain}/{'x' * 63}",
        "cpu": "0.0001",
        "memory": "9" * 32,
    }
    api.apply(a_run("x.y" + "z" * 49, scheduling=scheduling, resources=resources))
    api.eventually("x.y" + "z" * 49, phase="Pending", reason="Unschedulable")


def test_job_that_is_refused_is_told_and_ends_the_run_at_the_deadline(api: Api) -> None:
    api.apply(a_quota("none", **{"count/jobs.batch": "0"}))
    api.apply(a_run("refused"))
    message = "The API server rejects the Job: "
    assert stalled(api.eventually("refused", phase="Pending", reason="JobRefused", message=message))
    api.change("refused", pendingDeadlineSeconds=1)
    api.eventually(
        "refused", phase="Failed", reason="PendingDeadlineExceeded", message="exceeded quota: none"
    )


def test_image_that_can_not_be_pulled_is_named(api: Api, kubelet: Kubelet) -> None:
    api.apply(a_run("nopull"))
    kubelet.wait(kubelet.pod_of("nopull"), "ImagePullBackOff", "Back-off pulling image example.com/trainer:1")
    api.eventually("nopull", phase="Pending", reason="ImagePull", message="example.com/trainer:1")


def test_files_of_this_machine_are_refused_before_a_pod_looks_for_them(api: Api) -> None:
    api.apply(a_run("local", dataset={"uri": "file:///data/x.csv"}, output={"uri": "file:///models"}))
    message = (
        "spec.dataset (file:///data/x.csv) and spec.output (file:///models): pods can't access local files"
    )
    api.eventually("local", phase="Failed", reason="InvalidSpec", message=message)
    assert api.pods("local") == []


def test_run_waits_until_the_one_it_resumes_has_failed_and_goes_on_from_its_results(
    api: Api, kubelet: Kubelet
) -> None:
    api.apply(a_run("again", resumeFrom={"name": "failed"}))
    api.eventually("again", phase="Pending", reason="ResumedRunNotFailed", message="failed")
    api.apply(a_run("failed"))
    kubelet.end(kubelet.pod_of("failed"), 77, a_failure("StorageRefused", "access denied"))
    failed = api.eventually("failed", phase="Failed")
    kubelet.start(kubelet.pod_of("again"))
    config = api.eventually("again", phase="Running")["status"]["startedWith"]["config"]
    assert config["resumeFrom"] == failed["status"]["startedWith"]["config"]["outputPrefix"]


def test_run_that_resumes_one_that_has_succeeded_fails(api: Api, kubelet: Kubelet) -> None:
    api.apply(a_run("done"))
    kubelet.end(kubelet.pod_of("done"), 0, a_result())
    api.eventually("done", phase="Succeeded")
    api.apply(a_run("again", resumeFrom={"name": "done"}))
    api.eventually("again", phase="Failed", reason="ResumedRunNotFailed", message="baseModel.fromRun")
