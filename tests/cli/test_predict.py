"""`trainingrun predict`: texts from everywhere, labelled by a model that a run has published."""

import json
import shutil
from pathlib import Path

import pytest

from .conftest import EXAMPLES, Command, Said, Trained

pytestmark = pytest.mark.slow

REVIEWS = EXAMPLES / "data" / "reviews.csv"


@pytest.fixture
def model(trained: Trained) -> str:
    """It reads texts alone."""
    return str(trained.output("reviews") / "model")


@pytest.fixture
def by_stars(retrained: Trained) -> str:
    """It reads the stars beside the text."""
    return str(retrained.output("reviews-by-stars") / "model")


def lines(said: Said) -> list[dict[str, object]]:
    assert (said.status, said.err) == (0, "")
    return [json.loads(line) for line in said.out.splitlines()]


def test_texts_are_the_same_wherever_they_come_from(command: Command, model: str, tmp_path: Path) -> None:
    texts = ["It works", "It broke after a day"]
    (tmp_path / "texts.txt").write_text("\n".join(texts))
    (tmp_path / "texts.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    (tmp_path / "texts.csv").write_text("id;words\n" + "".join(f"1;{text}\n" for text in texts))
    answers = lines(command("predict", model, *texts))
    assert [answer["text"] for answer in answers] == texts
    assert lines(command("predict", model, given="\n".join(texts))) == answers
    for name, options in (("texts.txt", ()), ("texts.jsonl", ()), ("texts.csv", ("--field", "words"))):
        assert lines(command("predict", model, "--file", str(tmp_path / name), *options)) == answers


def test_a_row_brings_its_own_context(command: Command, by_stars: str, tmp_path: Path) -> None:
    rows = lines(command("predict", by_stars, "--file", str(REVIEWS), "--field", "review"))
    assert len(rows) == 120
    one = rows[0]
    (alone,) = lines(command("predict", by_stars, str(one["text"]), "--context", "stars=1"))
    assert alone["scores"] == pytest.approx(one["scores"], abs=1e-5)
    (tmp_path / "texts").write_text(str(one["text"]))
    assert lines(command("predict", by_stars, "-f", str(tmp_path / "texts"), "--context", "stars=1")) == [
        alone
    ]


def test_the_graph_says_what_the_model_says(command: Command, by_stars: str, tmp_path: Path) -> None:
    without = shutil.copytree(by_stars, tmp_path / "model", ignore=shutil.ignore_patterns("onnx"))
    asked = ("--file", str(REVIEWS), "--field", "review")
    by_graph, by_model = (lines(command("predict", model, *asked)) for model in (by_stars, str(without)))
    assert [row["labels"] for row in by_graph] == [row["labels"] for row in by_model]
    for one, other in zip(by_graph, by_model, strict=True):
        assert one["scores"] == pytest.approx(other["scores"], abs=1e-4)


def test_below_a_threshold_a_text_is_unknown(command: Command, model: str) -> None:
    text = "It works"
    (answer,) = lines(command("predict", model, text))
    assert "unknown" not in answer
    scores = answer["scores"]
    assert isinstance(scores, dict)
    best = max(scores.values())
    (known,) = lines(command("predict", model, text, "--threshold", str(best - 0.001)))
    assert (known["labels"], known["unknown"]) == (answer["labels"], False)
    (unknown,) = lines(command("predict", model, text, "--threshold", str(best + 0.001)))
    assert (unknown["labels"], unknown["unknown"], unknown["scores"]) == ([], True, scores)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("-f", str(REVIEWS)), "field 'text' is missing; there are 'review', 'sentiment', 'stars'"),
        (("-f", str(REVIEWS), "a text"), "--file takes the place of texts"),
        (("-f", str(REVIEWS), "--context", "stars=1"), "--context: of each row of"),
        (("-f", "nowhere.csv"), "'nowhere.csv' does not exist"),
        (("a text", "--threshold", "2"), "should be less than or equal to 1"),
    ],
)
def test_what_can_not_be_labelled_is_told(
    command: Command, model: str, options: tuple[str, ...], message: str
) -> None:
    said = command("predict", model, *options)
    assert said.status == 2
    assert message in " ".join(said.err.split())
