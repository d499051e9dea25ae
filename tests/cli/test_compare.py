"""`trainingrun compare`: runs side by side, from folders of this machine."""

import json
import shutil
from pathlib import Path

import boto3
import pytest

from localcluster import S3Server
from trainingrun_api.evaluation import Evaluation
from trainingrun_api.names import REQUIRED_STORAGE_KEYS
from trainingrun_api.run_config import Storage
from trainingrun_cli.comparing import compare_runs
from trainingrun_client import Client, ClientError
from trainingrun_client.outputs import newest_output
from trainingrun_trainer.artifacts import open_store

from .conftest import Command, Trained

pytestmark = pytest.mark.slow


def evaluation_of(output: Path) -> Evaluation:
    return Evaluation.model_validate_json((output / "evaluation.json").read_text())


def test_two_runs_of_this_machine_are_compared_in_the_terminal_and_as_a_page(
    retrained: Trained, command: Command
) -> None:
    first, second = (retrained.output(name) for name in ("reviews", "reviews-by-stars"))
    page = retrained.folder / "compared.html"
    # The first is the run's folder, which has one folder for each time it was trained.
    said = command("compare", str(first.parent), second.as_uri(), "--no-open", "--output", str(page))
    assert said.status == 0, said.err
    for output in (first, second):
        assert Client().evaluation(str(output)) == evaluation_of(output)
        scores = evaluation_of(output).classification
        assert scores is not None
        assert scores.accuracy_interval is not None
        assert f"{100 * scores.accuracy:.1f}" in said.out
    for words in ("contextParameters", "stars", "positive", "Losses by epoch", "From run"):
        assert words in said.out
    assert said.out.splitlines()[-1] == str(page)
    assert "<title>reviews, reviews-by-stars" in page.read_text()


def test_runs_in_an_object_store_are_compared_as_those_here(
    retrained: Trained, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    outputs = [retrained.output(name) for name in ("reviews", "reviews-by-stars")]
    uris = [f"s3://results/{output.parent.name}" for output in outputs]
    with S3Server() as server:
        for name, value in zip(REQUIRED_STORAGE_KEYS, (server.access_key, server.secret_key), strict=True):
            monkeypatch.setenv(name, value)
        # Not boto3's session of the process, which keeps the keys of the server before.
        session = boto3.session.Session(server.access_key, server.secret_key, region_name=server.region)
        client = session.client("s3", endpoint_url=server.endpoint)
        client.create_bucket(Bucket="results")
        client.close()
        store = open_store("s3://results", Storage(endpoint=server.endpoint))
        for output, uri in zip(outputs, uris, strict=True):
            for name in ("evaluation.json", "run.json", "predictions.parquet"):
                store.upload(output / name, f"{uri}/{name}")
        stored = command("compare", *uris, "--endpoint", server.endpoint)
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.endpoint)
        assert command("compare", *uris) == stored
    assert stored.status == 0, stored.err
    assert stored.out == command("compare", *map(str, outputs)).out


def a_finished_run(retrained: Trained, folder: Path) -> Path:
    """Its results, without the model, in a place of their own."""
    return shutil.copytree(
        retrained.output("reviews"), folder, ignore=shutil.ignore_patterns("model", "checkpoints")
    )


def test_a_run_without_predictions_is_compared_as_far_as_it_goes(
    retrained: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = a_finished_run(retrained, tmp_path / "copy")
    (copy / "predictions.parquet").unlink()
    assert compare_runs(Client(), [str(copy), str(retrained.output("reviews-by-stars"))], None) is None
    assert (
        "reviews-by-stars is better than reviews: the predictions.parquet of reviews is missing"
        in capsys.readouterr().out
    )


def test_fields_that_only_a_newer_trainer_writes_are_left_out(
    retrained: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy, other = a_finished_run(retrained, tmp_path / "reviews"), str(retrained.output("reviews-by-stars"))
    compare_runs(Client(), [str(retrained.output("reviews")), other], None)
    as_written = capsys.readouterr().out
    for name in ("evaluation.json", "run.json"):
        (copy / name).write_text((copy / name).read_text().replace("{", '{"newer": 1, ', 1))
    compare_runs(Client(), [str(copy), other], None)
    assert capsys.readouterr().out == as_written


def test_what_can_not_be_compared_is_refused_with_the_name_of_the_run(
    retrained: Trained, tmp_path: Path
) -> None:
    good = str(retrained.output("reviews"))

    def refusal(*runs: str) -> str:
        with pytest.raises(ClientError) as refused:
            compare_runs(Client(), runs, None)
        return str(refused.value)

    empty = tmp_path / "empty"
    empty.mkdir()
    assert refusal(good, str(empty)).startswith(f"{empty}: no finished run is there")
    assert refusal(good, empty.as_uri()).startswith(f"{empty.as_uri()} has no evaluation.json")
    assert refusal(good, "ftp://x/y") == "ftp://x/y: only s3:// and file:// URIs can be used"
    under_way = a_finished_run(retrained, tmp_path / "runs/under-way")
    so_far = json.loads((under_way / "evaluation.json").read_text()) | {"finished": False}
    (under_way / "evaluation.json").write_text(json.dumps(so_far))
    assert "no finished run is there" in refusal(good, str(under_way))
    assert "is still training; only finished runs can be" in refusal(good, under_way.as_uri())
    assert newest_output(under_way.parent) is None
    copy = a_finished_run(retrained, tmp_path / "copy")
    assert refusal(good, str(copy)) == f"{good} and {copy} are results of the same run; name each run once"
    assert "name 2 to 8 runs" in refusal(good)
    (copy / "run.json").unlink()
    assert f"{copy} has no run.json" in refusal(good, str(copy))
    evaluation = json.loads((copy / "evaluation.json").read_text()) | {"loss": "low"}
    (copy / "evaluation.json").write_text(json.dumps(evaluation))
    assert f"{copy.as_uri()}/evaluation.json can't be read by this version" in refusal(good, str(copy))
