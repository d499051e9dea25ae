"""The commands of README.md, and which tests type them."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)
COMMENT = re.compile(r"\s+#.*$", re.MULTILINE)

TYPED = {
    "kubectl get trun": "tests/cli/test_readme.py",
    "make demo": "tests/e2e/test_demo.py",
    "make demo-down": "tests/e2e/test_demo.py",
    "make test": ".ci/run",
    "make help": "tests/cli/test_readme.py",
    "trainingrun watch": "tests/e2e/test_demo.py",
    "trainingrun run": "tests/cli/test_readme.py",
    "trainingrun init": "tests/cli/test_readme.py",
    "helm install": "tests/chart/test_installation.py",
}
"""Beginnings of the commands, in the order of the page, each with the file where it is typed."""


def commands(page: str = "README.md") -> Iterator[str]:
    """All of a page, without comments; where a block shows what was said, its lines after a $."""
    for block in BLOCK.findall((ROOT / page).read_text()):
        lines = COMMENT.sub("", block).replace("\\\n", "").splitlines()
        typed = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
        yield from typed or lines


def command(beginning: str) -> str:
    """The one of README.md that begins with these words."""
    words = beginning.split()
    (found,) = [line for line in commands() if line.split()[: len(words)] == words]
    return found
