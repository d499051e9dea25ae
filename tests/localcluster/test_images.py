from pathlib import Path

import pytest

from localcluster import images, node_images
from localcluster.images import ImageRecipe

RECIPE = ImageRecipe("example", "Dockerfile", "packages.lock", ("code",))


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(images, "CHECKOUT", tmp_path)
    for name in (
        ".dockerignore",
        "Dockerfile",
        "packages.lock",
        "tools/uv.lock",
        "code/module.py",
        "elsewhere.py",
    ):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("before")
    return tmp_path


@pytest.mark.parametrize(
    "name", ["Dockerfile", "packages.lock", "tools/uv.lock", "code/module.py", "code/new.py"]
)
def test_what_goes_into_an_image_changes_its_tag(checkout: Path, name: str) -> None:
    before = RECIPE.tag
    (checkout / name).write_text("after")
    assert RECIPE.tag != before


@pytest.mark.parametrize("name", ["elsewhere.py", "code/__pycache__/module.pyc"])
def test_what_does_not_go_into_it_leaves_the_tag(checkout: Path, name: str) -> None:
    before = RECIPE.tag
    (checkout / name).parent.mkdir(exist_ok=True)
    (checkout / name).write_text("after")
    assert RECIPE.tag == before


def test_moving_a_file_changes_the_tag(checkout: Path) -> None:
    before = RECIPE.tag
    (checkout / "code/module.py").rename(checkout / "code/renamed.py")
    assert RECIPE.tag != before


@pytest.mark.parametrize(("name", "same"), [("code/module.py", True), ("packages.lock", False)])
def test_the_first_half_of_the_tag_is_of_the_packages(checkout: Path, name: str, same: bool) -> None:
    before = RECIPE.tag.partition("-")[0]
    (checkout / name).write_text("after")
    assert (RECIPE.tag.partition("-")[0] == before) is same


LISTING = """\
REF                                  TYPE        DIGEST   SIZE PLATFORMS   LABELS
127.0.0.1:5000/trainer:old           manifest.v1 sha256:a 2 GB linux/amd64 io.cri-containerd.image=managed
127.0.0.1:5000/trainer@sha256:a      manifest.v1 sha256:a 2 GB linux/amd64 io.cri-containerd.image=managed
sha256:aa                            manifest.v1 sha256:a 2 GB linux/amd64 io.cri-containerd.image=managed
127.0.0.1:5000/trainer:new           manifest.v1 sha256:b 2 GB linux/amd64 io.cri-containerd.image=managed
127.0.0.1:5000/trainer@sha256:b      manifest.v1 sha256:b 2 GB linux/amd64 io.cri-containerd.image=managed
sha256:bb                            manifest.v1 sha256:b 2 GB linux/amd64 io.cri-containerd.image=managed
127.0.0.1:5000/operator@sha256:c     manifest.v1 sha256:c 2 GB linux/amd64 io.cri-containerd.image=managed
localhost/pause:local                manifest.v1 sha256:d 2 MB linux/amd64 io.cri-containerd.image=managed
sha256:dd                            manifest.v1 sha256:d 2 MB linux/amd64 io.cri-containerd.image=managed
"""


def test_images_that_the_registry_no_longer_has_are_stale_under_all_their_names() -> None:
    stale = node_images.stale(LISTING, lambda repository, tag: (repository, tag) == ("trainer", "new"))
    assert stale == [
        "127.0.0.1:5000/trainer:old",
        "127.0.0.1:5000/trainer@sha256:a",
        "sha256:aa",
        "127.0.0.1:5000/operator@sha256:c",
    ]
