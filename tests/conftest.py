"""How the tests are shared out over processes."""

from pathlib import Path

import pytest

pytest_plugins = ["promises"]

TESTS = Path(__file__).parent
LONGEST_FIRST = (
    "e2e",
    "trainer",
    "controller",
    "queues",
    "cli",
    "localcluster",
    "chart",
    "benchmarks",
    "gitops",
    "contract",
)

CONTROLLERS = "control_plane"
"""The fixture with Kubernetes' controllers, which setup-envtest doesn't provide."""


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep a folder in one process, since its tests share servers, and start the longest ones first."""
    for item in items:
        item.add_marker(pytest.mark.xdist_group(folder(item)))
        if CONTROLLERS in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)
    items.sort(key=lambda item: LONGEST_FIRST.index(folder(item)))


def folder(item: pytest.Item) -> str:
    """Name of the folder under tests/ that the test is in."""
    return item.path.relative_to(TESTS).parts[0]
