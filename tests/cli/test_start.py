"""Nobody waits for libraries that a command doesn't use."""

import os
import subprocess
import sys

import pytest

from .conftest import EXAMPLES, Trained

TICKETS, RUN = str(EXAMPLES / "data" / "tickets.jsonl"), str(EXAMPLES / "tickets.yaml")

CLUSTER = {"kubernetes", "boto3"}
TORCH = {"torch", "transformers", "sentence_transformers"}
ALL = {*CLUSTER, *TORCH, "numpy", "pyarrow"}


def not_needed(unwanted: set[str], *arguments: str, **variables: str) -> list[str]:
    """Which of these modules the command has imported when it ends."""
    program = f"""
import atexit, sys
atexit.register(lambda: print("imported", *sys.modules.keys() & {unwanted!r}, file=sys.stderr))
sys.argv = ["trainingrun", *{list(arguments)!r}]
from trainingrun_cli.__main__ import main
main()
"""
    result = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=True,
    )
    return result.stderr.splitlines()[-1].split()[1:]


def test_help_waits_for_no_library() -> None:
    assert not_needed({*ALL, "pydantic", "yaml"}, "--help") == []


def test_completion_waits_for_no_library() -> None:
    asked = {"_TRAININGRUN_COMPLETE": "complete_bash", "COMP_WORDS": "trainingrun ini", "COMP_CWORD": "1"}
    assert not_needed({*ALL, "trainingrun_api.spec", "yaml"}, **asked) == []


@pytest.mark.parametrize(
    ("arguments", "unwanted"),
    [
        (("init", "--help"), {*ALL, "trainingrun_api.spec", "yaml"}),
        (("validate", RUN), ALL),
        (("init", TICKETS), {*CLUSTER, *TORCH}),
    ],
    ids=["init --help", "validate", "init"],
)
def test_commands_wait_for_what_they_use(arguments: tuple[str, ...], unwanted: set[str]) -> None:
    assert not_needed(unwanted, *arguments) == []


@pytest.mark.slow
def test_a_graph_is_asked_without_torch(retrained: Trained) -> None:
    model = retrained.output("reviews-by-stars") / "model"
    assert not_needed({*CLUSTER, "torch"}, "predict", str(model), "It works") == []
