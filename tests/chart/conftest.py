import pytest

from localcluster import binaries


@pytest.fixture(scope="session", autouse=True)
def _programs() -> None:
    binaries.ensure(("helm", "kubectl"))
