"""`trainingrun run`: a manifest on this machine, as a data scientist tries it."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
import torch
import yaml
from sentence_transformers import SentenceTransformer

from localcluster import S3Server
from trainingrun_api.evaluation import Evaluation
from trainingrun_api.names import REQUIRED_STORAGE_KEYS
from trainingrun_api.references import ModelFormat
from trainingrun_api.run_config import Storage
from trainingrun_cli.local import local_config
from trainingrun_client.errors import ClientError
from trainingrun_client.run_manifest import read_manifest

from ..trainer.hub import TOKEN, Hub
from .conftest import EXAMPLES, Command, Trained, manifest, trainingrun

pytestmark = pytest.mark.slow


def test_manifest_for_the_cluster_trains_here_on_local_copies(trained: Trained) -> None:
    result = trained.result
    assert result.returncode == 0, result.stderr
    assert "epoch   1/1" in result.stdout
    assert "By label, the worst first" in result.stdout
    path = trained.output("reviews") / "evaluation.json"
    evaluation = Evaluation.model_validate_json(path.read_text())
    assert evaluation.labels == ["mixed", "negative", "positive"]
    assert path.as_uri() in result.stdout
    (published,) = [line for line in result.stdout.splitlines() if line.startswith("Published: ")]
    assert published.startswith(f"Published: epoch {evaluation.best_epoch},")
    assert published.endswith(", chosen by EvaluationLoss")
    assert evaluation.advice
    assert all(f"  {one.severity}: {one.message}" in result.stdout for one in evaluation.advice)
    model = SentenceTransformer(str(path.parent / "model"), device="cpu")
    assert model.encode(["Great, works as it should"]).shape == (1, 3)


def test_a_run_on_pairs_shows_how_the_cosine_follows_their_scores(tmp_path: Path) -> None:
    run = yaml.safe_load((EXAMPLES / "question-pairs.yaml").read_text())
    run["spec"]["training"]["maxEpochs"] = 1
    run["spec"]["resources"] = {"gpusPerNode": 1}
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(run))
    result = trainingrun("run", "run.yaml", "--data", str(EXAMPLES / "data"), folder=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "epoch   1/1" in result.stdout
    without_gpu = "spec.resources.gpusPerNode is 1, but torch sees no GPU" in result.stdout
    assert without_gpu is not torch.cuda.is_available()
    assert "80 rows read, 64 trained on, 16 evaluated on\n" in result.stdout
    assert "Spearman" in result.stdout.partition("Scores on 16 evaluation rows")[2]
    (path,) = tmp_path.glob("runs/default/question-pairs/*/evaluation.json")
    similarity = Evaluation.model_validate_json(path.read_text()).similarity
    assert similarity is not None
    assert similarity.pairs is not None
    assert similarity.pairs.pairs == 16
    model = SentenceTransformer(str(path.parent / "model"), device="cpu")
    assert model.encode(["How do I reset the hub?"]).shape == (1, 384)


def test_data_set_of_the_hub_is_read_here_with_what_users_of_the_hub_have_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = tmp_path / "repository"
    repository.mkdir()
    shutil.copy(EXAMPLES / "data" / "reviews.csv", repository / "train.csv")
    fields = {"textField": "review", "labelField": "sentiment"}
    dataset = {"huggingFace": {"repoId": "acme/reviews"}, **fields}
    wanted = manifest(tmp_path, dataset=dataset, training={"maxEpochs": 1})
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    with Hub() as hub:
        hub.folders["datasets/acme/reviews"] = repository
        hub.private.add("datasets/acme/reviews")
        monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
        result = trainingrun("run", str(wanted), folder=tmp_path)
        commit = hub.commit("datasets/acme/reviews")
    assert result.returncode == 0, result.stderr
    assert "data from hf://datasets/acme/reviews/train" in result.stdout
    (path,) = tmp_path.glob("runs/default/reviews/*/evaluation.json")
    (source,) = Evaluation.model_validate_json(path.read_text()).data.sources
    assert (source.source, source.revision) == ("hf://datasets/acme/reviews/train", commit)


def test_run_goes_on_from_an_earlier_one_in_the_same_folder(retrained: Trained, command: Command) -> None:
    result, _ = retrained
    assert result.returncode == 0, result.stderr
    output = retrained.output("reviews-by-stars")
    evaluation = Evaluation.model_validate_json((output / "evaluation.json").read_text())
    base_model, base_run = evaluation.base_model, evaluation.base_run
    assert base_model.from_run == "reviews"
    assert base_model.source == (retrained.output("reviews") / "model").as_uri()
    assert base_model.notes == []
    assert base_run is not None
    assert (base_run.name, base_run.scores) == ("reviews", evaluation.baseline.scores)
    model = str(output / "model")
    answer = command("predict", model, "--context", "stars=1", given="It works\nIt broke\n")
    assert (answer.status, answer.err) == (0, "")
    lines = [json.loads(line) for line in answer.out.splitlines()]
    assert [line["text"] for line in lines] == ["It works", "It broke"]
    assert all(line["labels"] == [max(line["scores"], key=line["scores"].get)] for line in lines)
    refused = command("predict", model, "It works", "--context", "colour=red")
    assert refused == (2, "", "trainingrun: --context colour: this model reads stars\n")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            {"training": {"maxEpochs": 0, "lerningRate": 1}},
            ["spec.training.maxEpochs", "spec.training.lerningRate"],
        ),
        ({"dataset": {"project": "tickets"}}, ["TrainingProject 'tickets' is not in the file"]),
        ({"dataset": {}}, ["spec.dataset", "set exactly one of project, uri and huggingFace"]),
        ({"baseModel": {"fromRun": {"name": "never"}}}, ["no finished run 'never'"]),
        ({"dataset": {"uri": "file:///nowhere/x.csv"}}, ["/nowhere/x.csv"]),
        ({"trainer": {"image": "example.com/own:1"}}, ["spec.trainer: a local run"]),
    ],
    ids=["fields", "project", "neither", "earlier run", "file", "trainer"],
)
def test_manifest_that_can_not_work_is_refused_with_all_that_is_wrong(
    tmp_path: Path, spec: dict[str, object], message: list[str], command: Command
) -> None:
    said = command("run", str(manifest(tmp_path, **spec)), "--output", str(tmp_path / "runs"))
    assert said.status == 2
    assert said.err.startswith("trainingrun: ")
    for part in message:
        assert part in said.err


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.name)
def test_every_example_is_a_valid_manifest_with_its_data_beside_it(trained: Trained, example: Path) -> None:
    config = local_config(read_manifest(example), trained.folder / "runs", EXAMPLES / "data")
    assert config.dataset.place.startswith(("file://", "hf://"))


def projects_of_two_teams(folder: Path, **shop: object) -> Path:
    """The example of two data sets, the shop's project in a namespace of its own."""
    documents = list(yaml.safe_load_all((EXAMPLES / "combined.yaml").read_text()))
    support, project, run = documents
    project["metadata"]["namespace"] = "shop"
    project["spec"] |= shop
    run["spec"]["additionalDatasets"] = [{"project": "shop", "namespace": "shop"}]
    (folder / "run.yaml").write_text(yaml.safe_dump_all([support, project, run]))
    return folder / "run.yaml"


def test_a_run_reads_the_projects_of_its_file(tmp_path: Path) -> None:
    for path, name in (
        (EXAMPLES / "combined.yaml", "shop"),
        (projects_of_two_teams(tmp_path, allowedNamespaces=["default"]), "shop/shop"),
    ):
        config = local_config(read_manifest(path), Path("runs"), EXAMPLES / "data")
        support, shop = config.sources
        assert (support.project, shop.project, shop.label_field) == ("support", name, "reason")
        assert shop.uri == (EXAMPLES / "data" / "shop.jsonl").as_uri()
        assert (config.train_percent, config.training.max_epochs) == (75, 3)
        assert config.training.early_stopping.metric == "F1"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {},
            "TrainingProject shop/shop is not shared with default; add default to its spec.allowedNamespaces",
        ),
        ({"allowedNamespaces": ["team"]}, "TrainingProject shop/shop is not shared with default"),
        ({"defaults": {"trainPercent": 10}}, "spec.defaults.trainPercent"),
    ],
)
def test_a_project_is_held_to_what_a_cluster_would_hold_it_to(
    tmp_path: Path, change: dict[str, object], message: str
) -> None:
    with pytest.raises(ClientError, match=re.escape(message)):
        read_manifest(projects_of_two_teams(tmp_path, **change))


def test_settings_that_do_not_go_with_the_project_are_refused(tmp_path: Path) -> None:
    text = (
        (EXAMPLES / "combined.yaml")
        .read_text()
        .replace("maxEpochs: 3", "maxEpochs: 3\n  labels: {aliases: {returns_refund: x}}")
    )
    (tmp_path / "run.yaml").write_text(text)
    message = "TrainingRun with the defaults of TrainingProject support:\n  spec.labels"
    with pytest.raises(ClientError, match=re.escape(message)):
        read_manifest(tmp_path / "run.yaml")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Server]:
    """An S3 server with data that can't be read, and its credentials in the environment."""
    with S3Server() as server:
        for name, value in zip(REQUIRED_STORAGE_KEYS, (server.access_key, server.secret_key), strict=True):
            monkeypatch.setenv(name, value)
        # Not boto3's session of the process, which keeps the keys of the server before.
        session = boto3.session.Session(server.access_key, server.secret_key, region_name=server.region)
        client = session.client("s3", endpoint_url=server.endpoint)
        client.create_bucket(Bucket="data")
        client.put_object(Bucket="data", Key="broken.jsonl", Body=b"no JSON")
        client.close()
        yield server


def test_data_in_s3_are_read_from_the_endpoint_of_the_manifest(
    tmp_path: Path, command: Command, server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = {"uri": "s3://models", "endpoint": server.endpoint, "region": "eu-west-1", "formats": ["ONNX"]}

    def error_of(name: str, *options: str) -> str:
        path = manifest(tmp_path, dataset={"uri": f"s3://data/{name}"}, output=output)
        said = command("run", str(path), "--output", str(tmp_path / "runs"), *options)
        assert said.status == 2
        return said.err

    config = local_config(read_manifest(manifest(tmp_path, output=output)), tmp_path, tmp_path)
    assert config.storage == Storage(endpoint=server.endpoint, region="eu-west-1")
    assert config.formats == [ModelFormat.ONNX]
    assert "s3://data/broken.jsonl, line 1" in error_of("broken.jsonl")
    missing = error_of("none.jsonl")
    assert "s3://data/none.jsonl: there is no such file" in missing
    assert f"has no copy under {tmp_path}/data (looked for data/none.jsonl, none.jsonl)" in missing
    output["endpoint"] = "http://127.0.0.1:9"  # as it is reached from pods
    assert "line 1" in error_of("broken.jsonl", "--endpoint", server.endpoint)
    assert "an endpoint can't have a path" in error_of(
        "broken.jsonl", "--endpoint", f"{server.endpoint}/data"
    )
    for name in REQUIRED_STORAGE_KEYS:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    unknown = error_of("none.jsonl", "--endpoint", server.endpoint)
    assert "there are no credentials" in unknown
    assert "looked for data/none.jsonl, none.jsonl" in unknown


def test_folders_that_can_not_be_used_are_named(tmp_path: Path, command: Command) -> None:
    path = str(manifest(tmp_path))
    for option, value in (("--data", "nowhere"), ("--output", path)):
        said = command("run", path, option, value)
        assert said.status == 2
        assert f"Invalid value for '{option}'" in said.err
