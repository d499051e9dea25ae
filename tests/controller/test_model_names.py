"""Names of models: readable, kept, and never two the same in a namespace."""

import re
from itertools import islice
from pathlib import Path

from localcluster import ControlPlane
from localcluster.control_plane import free_port
from trainingrun_api.model_names import candidate_names
from trainingrun_operator.model_names import holder_of, name_lease
from trainingrun_operator.resources import Run

from .cluster import Api
from .kubelet import Kubelet
from .manifests import a_result, a_run
from .process import OperatorProcess


def seen(name: str, created: int = 0, status: dict[str, object] | None = None, **spec: object) -> Run:
    """A run as the API server gives it back, created so many seconds after the hour."""
    metadata = {"namespace": "team", "uid": f"uid-of-{name}", "generation": 1, "resourceVersion": "1"}
    metadata["creationTimestamp"] = f"2026-01-01T00:00:{created:02d}Z"
    manifest = a_run(name, **spec)
    return Run.parse(manifest | {"metadata": metadata | manifest["metadata"], "status": status or {}})


def test_names_are_readable_and_follow_from_the_uid() -> None:
    names = list(islice(candidate_names("u-1"), 500))
    assert all(re.fullmatch("[a-z]+-[a-z]+-[0-9a-f]{4}", name) for name in names)
    assert names == list(islice(candidate_names("u-1"), 500))
    assert len({*names, *islice(candidate_names("u-2"), 500)}) == 1000


def test_the_older_of_two_has_the_name_unless_the_other_has_it_already() -> None:
    older, younger = seen("older", 1, modelName="tickets"), seen("younger", 2, modelName="tickets")
    assert holder_of(older, "tickets", [younger]) is None
    assert holder_of(younger, "tickets", [older]) == older
    assert holder_of(older, "tickets", [younger.with_status(model_name="tickets")]) is not None
    gave_up = seen("older", 1, status={"phase": "Failed"}, modelName="tickets")
    assert holder_of(younger, "tickets", [gave_up]) is None
    twin = seen("twin", 1, modelName="tickets")
    assert [holder_of(older, "tickets", [twin]), holder_of(twin, "tickets", [older])] == [None, older]


def test_a_run_without_a_name_gets_one_and_keeps_it(api: Api, kubelet: Kubelet) -> None:
    api.apply(a_run("nameless", suspend=True))
    run = api.eventually("nameless", phase="Suspended")
    name = run["status"]["modelName"]
    assert name == next(candidate_names(run["metadata"]["uid"]))
    api.operator.stop()
    api.operator.start()
    api.change("nameless", suspend=False)
    kubelet.end(kubelet.pod_of("nameless"), 0, a_result())
    assert api.eventually("nameless", phase="Succeeded")["status"]["modelName"] == name
    environment = api.get("Job", "nameless")["spec"]["template"]["spec"]["containers"][0]["env"]
    assert f'"modelName":"{name}"' in environment[0]["value"]


def test_the_second_run_that_asks_for_a_name_waits_until_the_first_is_deleted(
    api: Api, kubelet: Kubelet
) -> None:
    api.apply(a_run("first", modelName="Tickets"))
    kubelet.end(kubelet.pod_of("first"), 0, a_result())
    api.eventually("first", phase="Succeeded")

    api.apply(a_run("second", modelName="Tickets"))
    api.apply(a_run("impatient", modelName="Tickets", pendingDeadlineSeconds=1))
    second = api.eventually(
        "second", phase="Pending", reason="ModelNameTaken", message="kubectl delete trainingrun first"
    )
    assert "modelName" not in second["status"]
    assert api.get("Job", "second") is None
    api.eventually("impatient", phase="Failed", reason="PendingDeadlineExceeded", message="TrainingRun first")

    api.delete("TrainingRun", "first")
    run = api.eventually("second", phase="Pending", reason="Unschedulable")
    assert run["status"]["modelName"] == "Tickets"


def test_a_name_that_another_operator_gave_out_is_taken_until_its_run_is_deleted(api: Api) -> None:
    other = api.apply(a_run("other"))
    api.eventually("other", phase="Pending", reason="Unschedulable")
    api.apply(name_lease(Run.parse(other), "Tickets"))

    api.apply(a_run("mine", modelName="Tickets"))
    api.eventually("mine", phase="Pending", reason="ModelNameTaken", message="taken by TrainingRun other")

    api.delete("TrainingRun", "other")
    api.eventually("mine", phase="Pending", reason="Unschedulable")
    lease = api.until(
        lambda: api.get("Lease", name_lease(Run.parse(other), "Tickets")["metadata"]["name"]), "it"
    )
    assert lease["spec"]["holderIdentity"] == "mine"


def test_two_operators_never_give_out_a_name_twice(
    api: Api, control_plane: ControlPlane, tmp_path: Path
) -> None:
    second = OperatorProcess(control_plane.kubeconfig, tmp_path / "second.log", free_port(), free_port())
    second.start({"SERVICE_NAME": "another", "CERTIFICATE_SECRET_NAME": "another-tls"})  # both lead
    try:
        names = [f"run-{number}" for number in range(12)]
        for number, name in enumerate(names):
            api.apply(a_run(name, modelName=f"model-{number % 3}", suspend=True))

        def settled() -> list[str] | None:
            runs = [api.get("TrainingRun", name) or {} for name in names]
            held = [run.get("status", {}).get("modelName") for run in runs]
            return [name for name in held if name] if all(run.get("status") for run in runs) else None

        api.until(lambda: len(settled() or ()) >= 3, "each model name to be given out")
        assert sorted(settled() or ()) == ["model-0", "model-1", "model-2"]
        for name in names:
            api.change(name, suspend=False)
        waits = {"ModelNameTaken", "Unschedulable"}

        def all_wait() -> bool:
            runs = [api.get("TrainingRun", name) or {} for name in names]
            return all(run["status"]["conditions"][0]["reason"] in waits for run in runs)

        api.until(all_wait, "all to have a Job or to wait for a name")
        assert len({api.get("Job", name)["metadata"]["uid"] for name in names if api.get("Job", name)}) == 3
    finally:
        assert second.stop() == 0


def test_two_at_once_never_share_a_name(api: Api) -> None:
    api.operator.stop()
    for number in range(4):
        api.apply(a_run(f"twin-{number}", modelName="Tickets"))
    api.operator.start()

    def settled() -> list[str]:
        runs = [api.get("TrainingRun", f"twin-{number}") or {} for number in range(4)]
        reasons = [(run.get("status", {}).get("conditions") or [{"reason": ""}])[0]["reason"] for run in runs]
        done = set(reasons) <= {"ModelNameTaken", "Unschedulable"}
        return [r["metadata"]["name"] for r in runs if r["status"].get("modelName")] if done else []

    assert len(api.until(settled, "all four to be settled")) == 1
