"""What the operator knows without asking: never older than what it knew before."""

import tracemalloc

from promises import Promise

from trainingrun_operator.cache import Cache
from trainingrun_operator.resources import Run

from .manifests import Manifest, a_run

KEY = ("team", "tickets")
STARTED_WITH = {"digest": "0" * 64, "image": "example.com/trainer:1", "config": {"text": "x" * 2000}}


def seen(version: int, uid: str = "u-1", **status: object) -> Manifest:
    metadata = {"namespace": "team", "name": "tickets", "uid": uid, "generation": 1}
    versions = {"resourceVersion": str(version), "creationTimestamp": "2026-01-01T00:00:00Z"}
    return a_run("tickets", modelName="asked-for") | {"metadata": metadata | versions, "status": status}


def test_the_newer_one_counts_whoever_told_it_first() -> None:
    runs = Cache().runs
    assert runs.saw(seen(10, modelName="new"))
    assert not runs.saw(seen(9, modelName="old"))
    assert not runs.saw(seen(10, modelName="new"))
    run = runs.get(KEY)
    assert run is not None
    assert (run.version, run.status.model_name) == (10, "new")


def test_of_the_epochs_of_thousands_of_runs_the_latest_are_kept() -> None:
    runs = Cache().runs
    losses = {"trainingLoss": 0.5, "evaluationLoss": 0.4, "learningRate": 1e-4}
    runs.saw(seen(1, epochs=[{"epoch": number, **losses} for number in range(60)]))
    run = runs.get(KEY)
    assert run is not None
    assert [one.epoch for one in run.status.epochs] == [59]


def test_runs_are_found_by_the_names_that_they_have_or_ask_for() -> None:
    runs = Cache().runs
    runs.saw(seen(1))
    runs.saw(seen(2, modelName="had"))
    assert [run.uid for run in runs.group(("team", "had"))] == ["u-1"]
    assert [run.uid for run in runs.group(("team", "asked-for"))] == ["u-1"]
    assert runs.group(("other", "had")) == []
    runs.lost(KEY, "u-1")
    assert runs.group(("team", "had")) == []


def test_the_end_of_an_earlier_one_of_the_name_takes_nothing_away() -> None:
    runs = Cache().runs
    runs.saw(seen(1))
    runs.saw(seen(5, uid="u-2"))
    runs.lost(KEY, "u-1")
    assert runs.get(KEY) is not None
    runs.lost(KEY, "u-2")
    assert runs.get(KEY) is None


def test_what_was_found_to_be_gone_does_not_come_back_by_a_late_watch() -> None:
    runs = Cache().runs
    runs.saw(seen(1))
    runs.absent(KEY, "u-1", 3)
    assert not runs.saw(seen(2))
    assert runs.get(KEY) is None
    assert runs.saw(seen(5, uid="u-2"))


def test_what_no_watch_tells_of_is_not_kept() -> None:
    metadata = {"namespace": "team", "name": "tickets", "uid": "j-1", "resourceVersion": "1"}
    jobs = Cache().workloads
    assert not jobs.saw({"metadata": metadata, "spec": {}})
    assert jobs.get(KEY) is None


def test_a_change_that_says_nothing_of_the_run_is_no_news() -> None:
    labels = {"app.kubernetes.io/managed-by": "trainingrun-operator", "training.labelator.io/run": "tickets"}
    metadata = {"namespace": "team", "name": "tickets", "uid": "j-1", "labels": labels}
    jobs = Cache().workloads

    def shown(version: int, **status: object) -> bool:
        return jobs.saw(
            {"metadata": metadata | {"resourceVersion": str(version)}, "spec": {}, "status": status}
        )

    assert shown(1)
    assert not shown(2, active=1)
    assert shown(3, conditions=[{"type": "Complete", "status": "True"}], succeeded=1)


def test_a_finished_run_is_the_same_as_it_was_shown() -> None:
    runs = Cache().runs
    manifest = seen(7, phase="Succeeded", modelName="had", completionTime="2026-01-01T01:00:00Z")
    assert runs.saw(manifest)
    assert runs.get(KEY) == Run.parse(manifest)
    assert runs.group(("team", "had")) == [Run.parse(manifest)]
    assert runs.saw(seen(9, phase="Failed"))
    assert runs.group(("team", "had")) == []


def test_a_thousand_finished_runs_take_little_memory(promise: Promise) -> None:
    runs = Cache().runs
    tracemalloc.start()
    for number in range(1000):
        finished = seen(number + 1, phase="Succeeded", modelName=f"model-{number}", startedWith=STARTED_WITH)
        finished["metadata"]["name"] = f"run-{number}"
        runs.saw(finished)
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert taken < 5 * 2**20
    promise("Scale", "A finished run takes 5 KiB of the operator's cache at most", f"{taken / 2**20:.1f} KiB")
