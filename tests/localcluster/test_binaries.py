from pathlib import Path

import pytest

from localcluster import ControlPlane, LocalClusterError, binaries

SETUP_ENVTEST = ("etcd", "kube-apiserver")


@pytest.fixture
def nothing_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a cache that is empty, on a machine that can't build."""
    cache = tmp_path / "cache"
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    monkeypatch.setenv("PATH", str(tmp_path / "no-programs"))
    return cache


@pytest.fixture
def assets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as setup-envtest leaves it."""
    binaries.ensure(SETUP_ENVTEST)
    folder = tmp_path / "assets"
    folder.mkdir()
    for name in SETUP_ENVTEST:
        (folder / name).symlink_to(binaries.path(name))
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(folder))
    return folder


def test_programs_of_kubebuilder_assets_are_used_and_nothing_is_built(
    assets: Path, nothing_built: Path
) -> None:
    with ControlPlane() as plane:
        started = {name: process.command.arguments[0] for name, process in plane.processes.items()}
    assert started == {name: str(assets / name) for name in SETUP_ENVTEST}
    assert not [path for path in nothing_built.rglob("*") if path.is_file()]


def test_what_kubebuilder_assets_lacks_is_built(assets: Path, nothing_built: Path) -> None:
    with pytest.raises(LocalClusterError, match="Go is not installed"):
        binaries.ensure(("kube-apiserver", "helm"))
    assert binaries.path("helm").is_relative_to(nothing_built)
