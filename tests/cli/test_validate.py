"""`trainingrun validate`: manifests and their data, without a cluster."""

from pathlib import Path

import pytest
import yaml

from trainingrun_api.names import API_VERSION

from .conftest import EXAMPLES, Command, Said, manifest


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_an_example_is_valid(command: Command, example: Path) -> None:
    said = command("validate", str(example))
    assert (said.status, said.err) == (0, "")
    assert all(
        line.startswith(f"{example}: ") and line.endswith(" is valid") for line in said.out.splitlines()
    )


def test_all_files_are_checked_and_every_problem_is_told(command: Command, tmp_path: Path) -> None:
    wrong = manifest(tmp_path, trainPercent=120, training={"maxEpochs": 0})
    said = command("validate", str(wrong), str(EXAMPLES / "reviews.yaml"))
    assert said.status == 1
    assert said.out == f"{EXAMPLES / 'reviews.yaml'}: TrainingRun reviews is valid\n"
    assert said.err.startswith(f"trainingrun: {wrong}, TrainingRun:\n  spec.")
    for field in ("spec.trainPercent: ", "spec.training.maxEpochs: "):
        assert field in said.err


def test_a_project_may_be_in_another_file(command: Command, tmp_path: Path) -> None:
    run = manifest(tmp_path, dataset={"project": "tickets"}, trainPercent=60)
    alone = command("validate", str(run))
    assert (alone.status, alone.err) == (0, "")
    assert alone.out == (
        f"{run}: TrainingRun reviews is valid by itself; also name the file of TrainingProject tickets\n"
    )
    project = tmp_path / "project.yaml"
    spec: dict[str, object] = {"dataset": {"uri": "s3://d/x.csv"}, "output": {"uri": "s3://b/o"}}

    def both(**defaults: object) -> Said:
        document = {"apiVersion": API_VERSION, "kind": "TrainingProject", "metadata": {"name": "tickets"}}
        project.write_text(yaml.safe_dump({**document, "spec": {**spec, "defaults": defaults}}))
        return command("validate", str(run), str(project))

    assert f"{run}: TrainingRun reviews is valid\n" in both().out
    broken = both(labels={"exclude": ["a"], "aliases": {"a": "b"}})
    assert broken.status == 1
    assert "aliases" in broken.err


@pytest.mark.slow  # torch is imported
def test_data_are_read_where_there_are_copies(command: Command, tmp_path: Path) -> None:
    data = str(EXAMPLES / "data")
    said = command("validate", str(EXAMPLES / "reviews.yaml"), "--data", data)
    assert said.status == 0, said.err
    assert " rows read with 3 labels: " in said.out
    said = command("validate", str(EXAMPLES / "label-studio.yaml"), "--data", data)
    assert "56 rows read with 3 labels: " in said.out
    elsewhere = command("validate", str(EXAMPLES / "banking.yaml"), "--data", data)
    assert elsewhere.status == 0, elsewhere.err
    assert "data not checked: hf://datasets/mteb/banking77/train is not on this machine" in elsewhere.out
    empty = command("validate", str(EXAMPLES / "reviews.yaml"), "--data", str(tmp_path))
    assert (
        f"data not checked: s3://trainingrun-demo/data/reviews.csv has no copy under {tmp_path}" in empty.out
    )


@pytest.mark.slow
def test_data_that_can_not_be_trained_on_are_refused(command: Command, tmp_path: Path) -> None:
    (tmp_path / "reviews.csv").write_text("review,sentiment,stars\nGood,positive,5\nFine,positive,4\n")
    path = manifest(tmp_path)
    said = command("validate", str(path), "--data", str(tmp_path))
    assert said.status == 1
    assert "a classifier needs texts of at least two labels" in said.err
    (tmp_path / "reviews.csv").write_text("text,sentiment\nGood,positive\n")
    said = command("validate", str(path), "--data", str(tmp_path))
    assert "field 'review' is missing; there are 'sentiment', 'text'" in said.err
