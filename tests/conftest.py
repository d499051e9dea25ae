"""How the tests are shared out over processes, and where their temporary files go."""

import multiprocessing.util
import tempfile
from collections.abc import Iterator, Sequence
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

LOCAL_CLUSTER = "world"
"""The fixture with the local cluster, which must not run yet when the demo is typed."""


@pytest.fixture(scope="session", autouse=True)
def temporary_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Takes what killed programs leave behind, and goes with the tests."""
    # These two stay outside: pytest keeps its own for a while, and a process removes its own when it exits.
    tmp_path_factory.getbasetemp()
    multiprocessing.util.get_temp_dir()
    with (
        tempfile.TemporaryDirectory(prefix="tests-", ignore_cleanup_errors=True) as folder,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("TMPDIR", folder)
        patch.setattr(tempfile, "tempdir", folder)
        yield


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep a folder in one process, since its tests share servers, and start the longest ones first."""
    for item in items:
        item.add_marker(pytest.mark.xdist_group(folder(item)))
        if CONTROLLERS in fixtures(item):
            item.add_marker(pytest.mark.slow)
    items.sort(key=lambda item: (LONGEST_FIRST.index(folder(item)), LOCAL_CLUSTER in fixtures(item)))


def fixtures(item: pytest.Item) -> Sequence[str]:
    """Names of the fixtures that the test uses."""
    names: Sequence[str] = getattr(item, "fixturenames", ())
    return names


def folder(item: pytest.Item) -> str:
    """Name of the folder under tests/ that the test is in."""
    return item.path.relative_to(TESTS).parts[0]
