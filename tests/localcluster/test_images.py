from pathlib import Path

import pytest

from localcluster import images
from localcluster.images import ImageRecipe

RECIPE = ImageRecipe("example", "Dockerfile", ("code",))


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(images, "CHECKOUT", tmp_path)
    for name in (".dockerignore", "Dockerfile", "tools/uv.lock", "code/module.py", "elsewhere.py"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("before")
    return tmp_path


@pytest.mark.parametrize("name", ["Dockerfile", "tools/uv.lock", "code/module.py", "code/new.py"])
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
