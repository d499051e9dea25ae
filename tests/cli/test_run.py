"""`trainingrun run`: a manifest on this machine, as a data scientist tries it."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from sentence_transformers import SentenceTransformer

from trainingrun_api.evaluation import Evaluation
from trainingrun_cli.local import local_config
from trainingrun_cli.manifest import read_manifest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def trainingrun(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "trainingrun_cli", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def manifest(folder: Path, **spec: object) -> Path:
    run = yaml.safe_load((EXAMPLES / "reviews.yaml").read_text())
    run["spec"].update(spec)
    path = folder / "run.yaml"
    path.write_text(yaml.safe_dump(run))
    return path


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess[str], Path]:
    folder = tmp_path_factory.mktemp("run")
    path = manifest(folder, training={"maxEpochs": 1})
    return trainingrun("run", str(path), "--data", str(EXAMPLES / "data"), folder=folder), folder


def test_manifest_for_the_cluster_trains_here_on_local_copies(
    trained: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    result, folder = trained
    assert result.returncode == 0, result.stderr
    assert "epoch   1/1" in result.stdout
    assert "By label, the worst first" in result.stdout
    (path,) = folder.glob("runs/default/reviews/*/evaluation.json")
    evaluation = Evaluation.model_validate_json(path.read_text())
    assert evaluation.labels == ["mixed", "negative", "positive"]
    assert path.as_uri() in result.stdout
    model = SentenceTransformer(str(path.parent / "model"), device="cpu")
    assert model.encode(["Great, works as it should"]).shape == (1, 3)


def test_run_goes_on_from_an_earlier_one_in_the_same_folder(
    trained: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    _, folder = trained
    path = manifest(folder, baseModel={"fromRun": {"name": "reviews"}}, training={"maxEpochs": 1})
    result = trainingrun("run", str(path), "--data", str(EXAMPLES / "data"), folder=folder)
    assert result.returncode == 0, result.stderr
    newest = max(folder.glob("runs/default/reviews/*/evaluation.json"), key=lambda file: file.stat().st_mtime)
    base_model = Evaluation.model_validate_json(newest.read_text()).base_model
    assert base_model.from_run == "reviews"
    assert base_model.source.endswith("/model")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            {"training": {"maxEpochs": 0, "lerningRate": 1}},
            ["spec.training.maxEpochs", "spec.training.lerningRate"],
        ),
        ({"dataset": {"project": "tickets"}}, ["TrainingProject 'tickets' is not in the file"]),
        ({"dataset": {}}, ["spec.dataset", "set exactly one of project and uri"]),
        ({"baseModel": {"fromRun": {"name": "never"}}}, ["no finished run 'never'"]),
        ({"dataset": {"uri": "file:///nowhere/x.csv"}}, ["/nowhere/x.csv"]),
    ],
    ids=["fields", "project", "neither", "earlier run", "file"],
)
def test_manifest_that_can_not_work_is_refused_with_all_that_is_wrong(
    tmp_path: Path, spec: dict[str, object], message: list[str]
) -> None:
    result = trainingrun("run", str(manifest(tmp_path, **spec)), folder=tmp_path)
    assert result.returncode == 2
    assert result.stderr.startswith("trainingrun: ")
    for part in message:
        assert part in result.stderr
    assert "Traceback" not in result.stderr


def test_file_that_is_no_manifest_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_text("a: [1")
    assert "is no YAML" in trainingrun("run", "run.yaml", folder=tmp_path).stderr
    (tmp_path / "run.yaml").write_text("kind: TrainingRun")
    assert (
        "apiVersion: training.labelator.io/v1alpha1" in trainingrun("run", "run.yaml", folder=tmp_path).stderr
    )
    assert "No such file" in trainingrun("run", "none.yaml", folder=tmp_path).stderr


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.name)
def test_every_example_is_a_valid_manifest_with_its_data_beside_it(example: Path) -> None:
    config = local_config(read_manifest(example), Path("runs"), EXAMPLES / "data")
    assert config.dataset.uri.startswith("file://")
