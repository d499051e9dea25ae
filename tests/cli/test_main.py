"""What a user sees when a command can't be carried out: never a trace."""

import re
from pathlib import Path

import pytest

from trainingrun_cli import watching

from .conftest import Command


def test_an_unexpected_error_says_where_to_report_it_and_where_the_trace_is(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def broken(*arguments: object) -> bool:
        raise KeyError("lost")

    monkeypatch.setattr(watching, "watch", broken)  # what is known to be broken is mended
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    said = command("watch", "tickets")
    assert (said.status, said.out) == (70, "")
    assert said.err.startswith("trainingrun: internal error; please report it as an issue")
    assert said.err.endswith("KeyError: 'lost'\n")
    assert "Traceback" not in said.err
    trace = re.search(r"with the traceback in (\S+): ", said.err)
    assert trace is not None
    assert 'raise KeyError("lost")' in Path(trace[1]).read_text()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no cluster: "),
        ("a: [1", "is not a valid kubeconfig: "),
        ("hello", "is not a valid kubeconfig: "),
        ("[1]", "is not a valid kubeconfig: "),
        ("{}", "Expected key current-context"),
        (
            "{current-context: a, contexts: [{name: a, context: {cluster: a, user: a}}], "
            "users: [{name: a, user: {}}], clusters: [{name: a, cluster: {server: 'http://127.0.0.1:9'}}]}",
            "TrainingRun team/tickets: the cluster can't be reached: ",
        ),
    ],
    ids=["none", "no YAML", "text", "list", "empty", "down"],
)
def test_a_cluster_that_can_not_be_asked_is_told(
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    content: str | None,
    message: str,
) -> None:
    path = tmp_path / "kubeconfig"
    if content is not None:
        path.write_text(content)
    monkeypatch.setenv("KUBECONFIG", str(path))
    said = command("watch", "tickets", "--namespace", "team")
    assert said.status == 2
    assert said.err.startswith("trainingrun: ")
    assert message in said.err


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "config.json: No such file or directory; pass the folder of a model"),
        ({"config.json": b"caf\xe9"}, "config.json is not valid JSON: "),
        ({"config.json": b"[]"}, "not a classifier, so it predicts no labels"),
        (
            {"config.json": b'{"problem_type": "single_label_classification", "model_type": "bert"}'},
            "the model can't be loaded: ",
        ),
        (
            {"config.json": b'{"problem_type": "single_label_classification"}', "modules.json": b"[]"},
            "the model can't be loaded: ",
        ),
    ],
)
def test_a_folder_that_holds_no_whole_model_is_refused(
    command: Command, tmp_path: Path, files: dict[str, bytes], message: str
) -> None:
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    said = command("predict", str(tmp_path), "a text")
    assert said.status == 2
    assert message in said.err
    assert "Traceback" not in said.err
