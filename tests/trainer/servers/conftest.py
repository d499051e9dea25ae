"""The environment of servers."""

from pathlib import Path

import pytest

from .older import older_environment


@pytest.fixture(scope="session")
def older() -> Path:
    """Its folder."""
    return older_environment()
