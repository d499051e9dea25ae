"""Names of models: readable, kept, and never two the same in a namespace."""

import re
from itertools import islice

from trainingrun_api.model_names import candidate_names
from trainingrun_operator.model_names import free_name, holder_of
from trainingrun_operator.resources import Run

from .cluster import Api
from .kubelet import Kubelet
from .manifests import a_result, a_run


def seen(name: str, created: int = 0, status: dict[str, object] | None = None, **spec: object) -> Run:
    """A run as the API server gives it back, created so many seconds after the hour."""
    metadata = {"namespace": "team", "uid": f"uid-of-{name}", "generation": 1}
    metadata["creationTimestamp"] = f"2026-01-01T00:00:{created:02d}Z"
    manifest = a_run(name, **spec)
    return Run.parse(manifest | {"metadata": metadata | manifest["metadata"], "status": status or {}})


def test_names_are_readable_and_follow_from_the_uid() -> None:
    names = list(islice(candidate_names("u-1"), 500))
    assert all(re.fullmatch("[a-z]+-[a-z]+-[0-9a-f]{4}", name) for name in names)
    assert names == list(islice(candidate_names("u-1"), 500))
    assert len({*names, *islice(candidate_names("u-2"), 500)}) == 1000


def test_a_name_that_is_had_or_asked_for_is_passed_over() -> None:
    run = seen("mine")
    first, second, third = islice(candidate_names(run.uid), 3)
    assert free_name(run, []) == first
    others = [seen("had", status={"modelName": first}), seen("asked-for", modelName=second)]
    assert free_name(run, others) == third


def test_the_older_of_two_has_the_name_unless_the_other_has_it_already() -> None:
    older, younger = seen("older", 1, modelName="tickets"), seen("younger", 2, modelName="tickets")
    assert holder_of(older, [younger]) is None
    assert holder_of(younger, [older]) == older
    assert holder_of(older, [younger.named("tickets")]) is not None
    gave_up = seen("older", 1, status={"phase": "Failed"}, modelName="tickets")
    assert holder_of(younger, [gave_up]) is None
    twin = seen("twin", 1, modelName="tickets")
    assert [holder_of(older, [twin]), holder_of(twin, [older])] == [None, older]


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
