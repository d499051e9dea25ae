"""Runs as GitOps tools and pipelines handle them."""

from pathlib import Path

from ..gitops.tools import Seen, seen
from .cluster import WAIT_SECONDS, Api
from .kubectl import Kubectl
from .kubelet import Kubelet
from .manifests import a_failure, a_report, a_result, a_run
from .process import OperatorProcess

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "gitops" / "team-support"


def told(api: Api, name: str) -> Seen:
    run = api.get("TrainingRun", name)
    assert run is not None
    (only,) = seen(run)
    return only


def test_tools_follow_a_run_from_apply_to_its_end(
    api: Api, kubelet: Kubelet, operator: OperatorProcess
) -> None:
    api.apply(a_run("tickets", suspend=True))
    api.eventually("tickets", phase="Suspended")
    assert told(api, "tickets").statuses == ("Suspended", "Current", "InProgress")
    api.change("tickets", suspend=False)
    pod = kubelet.pod_of("tickets")
    api.eventually("tickets", phase="Pending", reason="Unschedulable")
    assert told(api, "tickets").statuses == ("Progressing", "InProgress", "InProgress")
    kubelet.start(pod)
    run = api.eventually("tickets", phase="Running")
    assert operator.post(a_report(run), api.token(pod))[0] == 204
    assert told(api, "tickets").argocd == ("Progressing", f"Pod {pod['metadata']['name']} is training")
    kubelet.end(pod, 0, a_result())
    api.eventually("tickets", phase="Succeeded")
    assert told(api, "tickets").statuses == ("Healthy", "Current", "Current")


def test_a_failed_run_is_degraded_and_says_why(api: Api, kubelet: Kubelet) -> None:
    api.apply(a_run("tickets"))
    kubelet.end(kubelet.pod_of("tickets"), 65, a_failure("DataError", "no text"))
    api.eventually("tickets", phase="Failed")
    found = told(api, "tickets")
    assert found.argocd == ("Degraded", "no text")
    assert (found.flux.status, found.kstatus.status) == ("Failed", "Failed")


def test_applied_again_by_another_tool_a_run_is_not_touched(
    api: Api, kubelet: Kubelet, kubectl: Kubectl
) -> None:
    manifest = a_run("tickets")
    manifest["metadata"]["labels"] = {"app.kubernetes.io/instance": "training"}
    one, other = (
        ("apply", "--server-side", f"--field-manager={name}", "--filename=-")
        for name in ("argocd-controller", "kustomize-controller")
    )
    kubectl(*one, given=manifest)
    kubelet.start(kubelet.pod_of("tickets"))
    before = api.eventually("tickets", phase="Running")
    job = api.get("Job", "tickets")
    assert job is not None
    for apply in (other, other, one, ("apply", "--filename=-")):
        kubectl(*apply, given=manifest)
    after = api.get("TrainingRun", "tickets")
    assert after is not None
    assert [after[part] for part in ("spec", "status")] == [before[part] for part in ("spec", "status")]
    assert after["metadata"]["generation"] == 1
    unchanged = api.get("Job", "tickets")
    assert unchanged is not None
    assert unchanged["metadata"] == job["metadata"]
    assert "app.kubernetes.io/instance" not in job["metadata"]["labels"], "Argo CD would prune it"


def test_a_changed_file_is_rejected_and_says_what_to_do(api: Api, kubectl: Kubectl) -> None:
    kubectl("apply", "--filename=-", given=a_run("tickets"))
    changed = a_run("tickets", training={"maxEpochs": 3})
    assert "immutable" in kubectl("apply", "--filename=-", given=changed, fails=True)


def test_kubectl_waits_for_the_end(api: Api, kubelet: Kubelet, kubectl: Kubectl) -> None:
    api.apply(a_run("good"))
    api.apply(a_run("bad"))
    waiting = [
        kubectl.wait_for("Succeeded", "good"),
        kubectl.wait_for("Succeeded=False", "bad"),
        kubectl.wait_for("Reconciling=False", "bad"),
    ]
    kubelet.end(kubelet.pod_of("good"), 0, a_result())
    kubelet.end(kubelet.pod_of("bad"), 65, a_failure("DataError", "no text"))
    for process in waiting:
        said, _ = process.communicate(timeout=WAIT_SECONDS)
        assert process.returncode == 0, said
        assert "condition met" in said


def test_a_name_can_be_generated(api: Api, kubelet: Kubelet, kubectl: Kubectl) -> None:
    manifest = a_run("")
    manifest["metadata"] = {"generateName": "tickets-"}
    name = kubectl("create", "--filename=-", "--output=name", given=manifest).strip().partition("/")[2]
    assert name.startswith("tickets-")
    kubelet.end(kubelet.pod_of(name), 0, a_result())
    api.eventually(name, phase="Succeeded")


def test_a_teams_folder_is_applied_whole_and_its_runs_follow_each_other(
    api: Api, kubelet: Kubelet, kubectl: Kubectl
) -> None:
    apply = ("apply", "--server-side", "--field-manager=argocd-controller", f"--kustomize={FOLDER}")
    kubectl(*apply)
    waiting = api.eventually("tickets-2026-11", phase="Pending", reason="BaseModelNotReady")
    pod = kubelet.pod_of("tickets-2026-10")
    result = a_result(f"s3://models/tickets/{api.namespace}/tickets-2026-10/x")
    kubelet.end(pod, 0, result)
    api.eventually("tickets-2026-10", phase="Succeeded")
    kubelet.start(kubelet.pod_of("tickets-2026-11"))
    api.eventually("tickets-2026-11", phase="Running")
    api.delete("TrainingRun", "tickets-2026-10")  # as pruning does
    api.until(lambda: api.get("Job", "tickets-2026-10") is None, "its Job to be collected")
    status = api.eventually("tickets-2026-11", phase="Running")["status"]
    assert status["baseModel"]["source"] == f"s3://models/tickets/{api.namespace}/tickets-2026-10/x/model"
    assert waiting["metadata"]["generation"] == 1
