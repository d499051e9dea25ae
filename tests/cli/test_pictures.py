"""The pictures of the documentation, here of other runs."""

from pathlib import Path

import pytest
from PIL import Image

import pictures

from .conftest import Command, Trained

pytestmark = pytest.mark.slow

IMAGES = sorted((Path(__file__).parents[2] / "docs" / "images").glob("*.png"))
MOST_BYTES = 200_000


def test_pictures_of_reports_are_drawn(retrained: Trained, command: Command, tmp_path: Path) -> None:
    outputs = [retrained.output(name) for name in ("reviews", "reviews-by-stars")]
    page = tmp_path / "compared.html"
    assert command("compare", *map(str, outputs), "--no-open", "--output", str(page)).status == 0
    pictures.draw(outputs[0] / "report.html", page, tmp_path)
    drawn = {path.name: path for path in tmp_path.glob("*.png")}
    assert set(drawn) == {"report.png", "report-confusions.png", "comparison.png"}
    for path in drawn.values():
        with Image.open(path) as picture:
            assert picture.size == pictures.SIZE
            assert len(picture.convert("L").getcolors() or ()) > 50
        assert path.stat().st_size < MOST_BYTES


@pytest.mark.parametrize("picture", IMAGES, ids=lambda path: path.stem)
def test_pictures_of_the_documentation_are_small(picture: Path) -> None:
    assert picture.stat().st_size < MOST_BYTES
