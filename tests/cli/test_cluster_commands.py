"""Commands about runs on a real API server, without an operator."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes.client import ApiException, CustomObjectsApi

from localcluster import ControlPlane
from trainingrun_api.names import API_VERSION, GROUP, PROJECT_PLURAL, RUN_PLURAL, VERSION

from .conftest import EXAMPLES, Command, apply, kubectl
from .test_run_manifest import SMALLEST, written

SCORES = {"accuracy": 0.9, "f1": 0.8125, "loss": 0.3, "support": 9}


def runs(api: CustomObjectsApi, namespace: str, plural: str = RUN_PLURAL) -> dict[str, Any]:
    found: Any = api.list_namespaced_custom_object(GROUP, VERSION, namespace, plural)
    return {item["metadata"]["name"]: item for item in found["items"]}


def includes(stored: Any, value: Any) -> bool:
    """Whether it is what was written, but for what the API server fills in."""
    if isinstance(value, dict):
        return all(includes(stored.get(key), one) for key, one in value.items())
    if isinstance(value, list):
        return len(stored) == len(value) and all(map(includes, stored, value))
    return bool(stored == value)


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_an_example_is_submitted_as_it_is_written(
    api: CustomObjectsApi, namespace: str, command: Command, example: Path
) -> None:
    said = command("submit", str(example), "-n", namespace)
    assert said.status == 0, said.err
    documents = list(yaml.safe_load_all(example.read_text()))
    ours = [one for one in documents if one["apiVersion"] == API_VERSION]
    stored = runs(api, namespace) | runs(api, namespace, PROJECT_PLURAL)
    lines = set(said.out.splitlines())
    for document in ours:
        name = document["metadata"]["name"]
        assert f"{document['kind'].lower()}/{name} submitted" in lines
    assert len(lines) == len(ours)
    for document in ours:
        assert includes(
            runs(api, namespace, f"{document['kind'].lower()}s")[document["metadata"]["name"]]["spec"],
            document["spec"],
        )
    assert stored
    left_out = [f"{one['kind']} {one['metadata']['name']}" for one in documents if one not in ours]
    assert all(name in said.err for name in left_out)
    assert said.err.startswith("Left out: ") is bool(left_out)


def test_what_is_submitted_again_stays_and_what_is_changed_is_refused(
    api: CustomObjectsApi, namespace: str, command: Command, tmp_path: Path
) -> None:
    path = written(tmp_path, metadata="{name: again, labels: {team: a}, annotations: {note: b}}")
    for _ in range(2):
        assert command("submit", str(path), "-n", namespace).status == 0
        metadata = runs(api, namespace)["again"]["metadata"]
        assert metadata["generation"] == 1
        assert (metadata["labels"], metadata["annotations"]) == ({"team": "a"}, {"note": "b"})
    path.write_text(path.read_text().replace("s3://d/x.csv", "s3://d/y.csv"))
    said = command("submit", str(path), "-n", namespace)
    assert said.status == 2
    assert "dataset is immutable: apply a changed experiment as a new TrainingRun" in said.err


def test_what_kubectl_has_applied_can_be_submitted_again(
    api: CustomObjectsApi, api_server: ControlPlane, namespace: str, command: Command
) -> None:
    example = EXAMPLES / "two-nodes.yaml"  # it has a number where the API server also takes a text
    applied = kubectl(api_server, "apply", "-n", namespace, "-f", str(example))
    assert applied.returncode == 0, applied.stderr
    said = command("submit", str(example), "-n", namespace)
    assert said.status == 0, said.err
    assert runs(api, namespace)["tickets-two-nodes"]["metadata"]["generation"] == 1


def test_a_namespace_or_an_installation_that_is_missing_is_told(
    api: CustomObjectsApi, command: Command, tmp_path: Path
) -> None:
    said = command("submit", str(written(tmp_path)), "-n", "nowhere")
    assert said == (2, "", 'trainingrun: TrainingRun nowhere/x: namespaces "nowhere" not found\n')


def test_a_generated_name_is_told_and_each_submission_is_a_new_run(
    api: CustomObjectsApi, namespace: str, command: Command, tmp_path: Path
) -> None:
    path = written(tmp_path, metadata="{generateName: tickets-}")
    names = [command("submit", str(path), "-n", namespace, "-o", "name").out.strip() for _ in range(2)]
    assert {f"trainingrun.{GROUP}/{name}" for name in runs(api, namespace)} == set(names)
    assert len(set(names)) == 2


def test_a_dry_run_keeps_nothing_and_standard_input_is_a_file(
    api: CustomObjectsApi, namespace: str, command: Command, tmp_path: Path
) -> None:
    text = written(tmp_path).read_text()
    said = command("submit", "-", "--dry-run", "-n", namespace, given=text)
    assert (said.status, said.out) == (0, "trainingrun/x submitted (dry run)\n")
    assert runs(api, namespace) == {}
    said = command("submit", "-", "-n", namespace, "-o", "json", given=text)
    (stored,) = json.loads(said.out)["items"]
    assert (stored["kind"], stored["metadata"]["namespace"]) == ("TrainingRun", namespace)


def test_a_file_without_runs_is_refused(command: Command, tmp_path: Path) -> None:
    (tmp_path / "account.yaml").write_text("apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: a}\n")
    for verb, status in (("submit", 2), ("validate", 1)):
        said = command(verb, str(tmp_path / "account.yaml"))
        assert said.status == status
        assert "there is no TrainingRun or TrainingProject" in said.err


@pytest.mark.parametrize(
    ("metadata", "spec", "message"),
    [
        (
            "{name: a.b}",
            "resources: {nodes: 2}",
            "metadata.name has to begin with a letter and can't contain",
        ),
        ("{generateName: 1-}", "resources: {nodes: 2}", "metadata.name has to begin with a letter"),
        (f"{{name: {'a' * 53}}}", "", "must be no more than 52 characters: pods are named after it"),
        ("{name: a}", "nearDuplicates: {skip: true}, skipDuplicates: false", "nearDuplicates.skip requires"),
        ("{name: a}", "contextParameters: [a, a]", "contextParameters lists a field twice: list each once"),
        ("{}", "", "name or generateName is required"),
    ],
)
def test_a_manifest_is_refused_offline_in_the_words_of_the_api_server(
    api: CustomObjectsApi, command: Command, tmp_path: Path, metadata: str, spec: str, message: str
) -> None:
    path = written(tmp_path, metadata=metadata, spec=f"{SMALLEST}, {spec}")
    said = command("validate", str(path))
    assert (said.status, said.out) == (1, "")
    assert message in said.err
    with pytest.raises(ApiException) as refused:
        api.create_namespaced_custom_object(
            GROUP, VERSION, "default", RUN_PLURAL, yaml.safe_load(path.read_text())
        )
    assert message in json.loads(str(refused.value.body))["message"]


def test_runs_are_listed_with_how_far_they_are(
    api: CustomObjectsApi, namespace: str, command: Command
) -> None:
    progress = {"stage": "Training", "epoch": 3, "maxEpochs": 8, "lastUpdateTime": "2026-01-01T00:00:00Z"}
    apply(api, "first", {"phase": "Succeeded", "progress": progress, "evaluation": SCORES}, namespace)
    epoch = {"epoch": 1, "trainingLoss": 1, "evaluationLoss": 1, "learningRate": 1e-4, "spearman": 0.5}
    apply(api, "second", {"phase": "Running", "epochs": [epoch]}, namespace)
    said = command("list", "-n", namespace)
    head, first, second = (line.split("   ") for line in said.out.splitlines())
    assert [cell.strip() for cell in head if cell] == ["NAME", "PHASE", "EPOCH", "SCORE", "AGE"]
    assert [cell.strip() for cell in first if cell][:-1] == ["first", "Succeeded", "3/8", "macro F1 0.812"]
    assert [cell.strip() for cell in second if cell][:-1] == ["second", "Running", "-", "Spearman 0.500"]
    everywhere = command("list", "--all-namespaces").out
    assert f"{namespace}   first" in everywhere
    names = command("list", "-n", namespace, "-o", "name").out.split()
    assert names == [f"trainingrun.{GROUP}/{name}" for name in ("first", "second")]
    for form, read in (("json", json.loads), ("yaml", yaml.safe_load)):
        items = read(command("list", "-n", namespace, "-o", form).out)["items"]
        assert [item["status"]["phase"] for item in items] == ["Succeeded", "Running"]
        assert items[0]["status"]["evaluation"] == SCORES
        assert items[0]["metadata"]["creationTimestamp"]


def test_no_runs_are_told_to_people_and_are_an_empty_list_to_programs(
    api: CustomObjectsApi, namespace: str, command: Command
) -> None:
    assert command("list", "-n", namespace) == (0, "", "There are no runs.\n")
    assert json.loads(command("list", "-n", namespace, "-o", "json").out)["items"] == []


def test_a_run_is_suspended_and_resumed(api: CustomObjectsApi, namespace: str, command: Command) -> None:
    apply(api, "tickets", {"phase": "Running"}, namespace)
    for verb, suspended in (("suspend", True), ("suspend", True), ("resume", False)):
        said = command(verb, "tickets", "-n", namespace)
        assert said == (0, f"trainingrun/tickets {verb.rstrip('e')}ed\n", "")
        assert runs(api, namespace)["tickets"]["spec"]["suspend"] is suspended


def test_a_run_is_stopped(api: CustomObjectsApi, namespace: str, command: Command) -> None:
    apply(api, "tickets", {"phase": "Suspended"}, namespace, suspend=True)
    assert command("stop", "tickets", "-n", namespace) == (0, "trainingrun/tickets stopped\n", "")
    assert runs(api, namespace)["tickets"]["spec"]["stop"] is True


@pytest.mark.parametrize("options", [(), ("--follow",)])
def test_logs_of_a_run_without_pods_are_none(
    api: CustomObjectsApi, namespace: str, command: Command, options: tuple[str, ...]
) -> None:
    apply(api, "done", {"phase": "Failed"}, namespace)
    assert command("logs", "done", "-n", namespace, *options) == (0, "", "No pod has a log. Failed\n")


@pytest.mark.parametrize("verb", ["suspend", "resume", "stop"])
def test_a_run_that_has_ended_is_left_as_it_is(
    api: CustomObjectsApi, namespace: str, command: Command, verb: str
) -> None:
    apply(api, "done", {"phase": "Failed"}, namespace)
    said = command(verb, "done", "-n", namespace)
    assert said == (2, "", f"trainingrun: TrainingRun {namespace}/done has ended (Failed)\n")
    missing = command(verb, "none", "-n", namespace)
    assert missing == (2, "", f"trainingrun: TrainingRun {namespace}/none: Not Found\n")


def test_a_run_is_run_again_with_changes(api: CustomObjectsApi, namespace: str, command: Command) -> None:
    spec = {"modelName": "Tickets", "suspend": True, "training": {"maxEpochs": 3, "lora": {"rank": 8}}}
    apply(api, "tickets", {"phase": "Failed"}, namespace, **spec)
    changes = ("--set", "training.maxEpochs=10", "--set", "training.lora=null", "--set", "labels.exclude=[a]")
    said = command("rerun", "tickets", "-n", namespace, *changes, "--resume")
    assert said.err == ""
    name = said.out.removeprefix("trainingrun/").removesuffix(" submitted\n")
    assert name.startswith("tickets-")
    new = runs(api, namespace)[name]["spec"]
    assert new["training"] == {"maxEpochs": 10}
    assert new["labels"] == {"exclude": ["a"]}
    assert new["resumeFrom"] == {"name": "tickets"}
    assert "modelName" not in new
    assert new["suspend"] is False
    named = command("rerun", "tickets", "-n", namespace, "--name", "other", "-o", "name")
    assert named.out == f"trainingrun.{GROUP}/other\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--set", "training.maxEpochs=0"), "rerun of tickets:\n  spec.training.maxEpochs: "),
        (("--set", "trainng.maxEpochs=3"), "spec.trainng: unknown field"),
        (("--set", "trainPercent.x=3"), "trainPercent.x: trainPercent is no object"),
        (("--set", "training.maxEpochs"), "--set training.maxEpochs: write PATH=VALUE"),
        (("--set", "labels=[a"), "the value is not valid YAML"),
        (("--resume",), "tickets is Running: only a failed run can be resumed by a new one"),
    ],
)
def test_changes_that_do_not_go_with_the_run_are_refused(
    api: CustomObjectsApi, namespace: str, command: Command, options: tuple[str, ...], message: str
) -> None:
    apply(api, "tickets", {"phase": "Running"}, namespace, trainPercent=70)
    said = command("rerun", "tickets", "-n", namespace, *options)
    assert said.status == 2
    assert message in said.err
    assert list(runs(api, namespace)) == ["tickets"]


def test_the_context_names_cluster_and_namespace(
    api: CustomObjectsApi,
    api_server: ControlPlane,
    namespace: str,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    content = yaml.safe_load(api_server.kubeconfig.read_text())
    (context,) = content["contexts"]
    content["contexts"].append({"name": "team", "context": {**context["context"], "namespace": namespace}})
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(content))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    apply(api, "tickets", {"phase": "Running"}, namespace)
    assert "tickets" in command("list", "--context", "team").out
    assert "tickets" not in command("list").out
