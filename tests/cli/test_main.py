"""What a user sees when a command can't be carried out: never a trace."""

import re
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from trainingrun_api.names import ExitCode
from trainingrun_cli import watching
from trainingrun_cli.__main__ import COMMANDS

from .conftest import EXAMPLES, Command


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


def test_what_the_command_line_alone_does_not_need_is_named_where_it_is_needed(tmp_path: Path) -> None:
    without_torch = (
        "import sys; sys.modules['torch'] = None; from trainingrun_cli.__main__ import main; main()"
    )
    command = (sys.executable, "-c", without_torch, "run", str(EXAMPLES / "tickets.yaml"))
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (said.returncode, said.stdout) == (2, "")
    assert "Python package torch is missing; install trainingrun[cli,trainer]" in said.stderr


def kubeconfig(server: str) -> str:
    """Of one cluster, which is called a."""
    return (
        "{current-context: a, contexts: [{name: a, context: {cluster: a, user: a}}], "
        f"users: [{{name: a, user: {{}}}}], clusters: [{{name: a, cluster: {{server: '{server}'}}}}]}}"
    )


@pytest.fixture
def no_cluster(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A kubeconfig to be written."""
    path = tmp_path / "kubeconfig"
    monkeypatch.setenv("KUBECONFIG", str(path))
    return path


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no cluster: "),
        ("a: [1", "is not a valid kubeconfig: "),
        ("hello", "is not a valid kubeconfig: "),
        ("[1]", "is not a valid kubeconfig: "),
        ("{}", "Expected key current-context"),
    ],
    ids=["none", "no YAML", "text", "list", "empty"],
)
def test_a_kubeconfig_that_names_no_cluster_is_told(
    command: Command, no_cluster: Path, content: str | None, message: str
) -> None:
    if content is not None:
        no_cluster.write_text(content)
    said = command("watch", "tickets", "--namespace", "team")
    assert said.status == 2
    assert said.err.startswith("trainingrun: ")
    assert message in said.err


def test_a_context_that_is_not_there_is_told(command: Command, no_cluster: Path) -> None:
    no_cluster.write_text(kubeconfig("http://127.0.0.1:9"))
    said = command("list", "--context", "b")
    assert said.status == 2
    assert "there is no context 'b' in the kubeconfig" in said.err


@pytest.mark.parametrize(
    "words",
    [
        ("list",),
        ("list", "-A"),
        ("submit", str(EXAMPLES / "tickets.yaml")),
        ("watch", "tickets"),
        ("logs", "tickets", "-f"),
        ("suspend", "tickets"),
        ("resume", "tickets"),
        ("rerun", "tickets"),
        ("report", "tickets"),
        ("compare", "tickets", "other"),
        ("download", "tickets", "model"),
    ],
    ids=" ".join,
)
def test_a_cluster_that_does_not_answer_is_told_at_once(
    command: Command, no_cluster: Path, words: tuple[str, ...]
) -> None:
    no_cluster.write_text(kubeconfig("http://127.0.0.1:9"))
    began = time.monotonic()
    said = command(*words)
    assert time.monotonic() - began < 30, "a machine may be slow, but nothing is tried again"
    assert said.status == 75
    assert "the cluster can't be reached: " in said.err
    assert len(said.err.splitlines()) == 1


def test_a_server_that_takes_no_connection_is_given_up_on(command: Command, no_cluster: Path) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        address = full.getsockname()
        with ExitStack() as waiting:  # as long as nobody accepts them, no other comes through
            for _ in range(2):
                waiting.enter_context(connecting(address))
            no_cluster.write_text(kubeconfig(f"http://127.0.0.1:{address[1]}"))
            said = command("list")
    assert said.status == 75
    assert "timed out" in said.err


def connecting(address: tuple[str, int]) -> socket.socket:
    """A connection that is asked for."""
    one = socket.socket()
    one.setblocking(False)
    one.connect_ex(address)
    return one


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


def test_the_page_has_each_command_and_exit_status(command: Command) -> None:
    page = (EXAMPLES.parent / "docs/command-line.md").read_text()
    table = page.partition("| Command | What it does |")[2].partition("\n\n")[0]
    cells = re.findall(r"^\| (.*?) \|", table, re.MULTILINE)
    told = {name for cell in cells for name in re.findall(r"`(\w+)(?: [^`]*)?`", cell)}
    assert told == {name for commands in COMMANDS.values() for name in commands}
    statuses = set(re.findall(r"^\| (\d+) \|", page, re.MULTILINE))
    assert statuses == {"0", "1", "2", str(ExitCode.BUG), str(ExitCode.TEMPORARY), "130"}
    shown = command("--help").out
    assert all(re.search(rf"\b{status}: ", shown) for status in statuses)
