"""README.md of a model whose labels, context and base are named by someone who means harm."""

import ast
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from huggingface_hub import ModelCard
from markdown_it import MarkdownIt

from trainingrun_api.evaluation import Evaluation, SourceCounts
from trainingrun_api.final_fit import FinalFit
from trainingrun_api.lineage import ResolvedBaseModel
from trainingrun_api.metrics import ACCURACY, MACRO_F1
from trainingrun_trainer.model import embedding_card, model_card
from trainingrun_trainer.model.context import NO_CONTEXT, Context, ContextForm

from ..report.reports import a_report, of_embeddings, single

HOSTILE = [
    "</table><script>alert(1)</script>",
    "a | b \\| c",
    "line\nbreak",
    "[click](javascript:alert(1)) ![x](y)",
    "`code` **bold** _it_ ~~no~~ $x$ &lt;",
    "\x1b[31mred\u202e",
    "card_arrival",
]
SHOWN = [*HOSTILE[:2], r"line\nbreak", *HOSTILE[3:5], r"\x1b[31mred\u202e", "card_arrival"]
"""How they are read."""


class Rendered(HTMLParser):
    """Tags of a page of Markdown, and the cells of its tables."""

    def __init__(self, card: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.rows: list[list[str]] = []
        self.text = ""
        self._cell = False
        self.feed(MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(card))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self._cell = tag in {"td", "th"}
        if tag == "tr":
            self.rows.append([])
        if self._cell:
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        self._cell = self._cell and tag not in {"td", "th"}

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._cell:
            self.rows[-1][-1] += data


def read_from(evaluation: Evaluation, *names: str) -> Evaluation:
    sources = [
        SourceCounts(
            source=name,
            read=1,
            empty=0,
            unlabelled=0,
            filtered=0,
            used=1,
            training=1,
            evaluation=0,
            labels=[],
            common_labels=0,
        )
        for name in names
    ]
    return evaluation.model_copy(update={"data": evaluation.data.model_copy(update={"sources": sources})})


def a_classifier(*sources: str) -> Evaluation:
    return read_from(a_report(single(7, 200), HOSTILE).evaluation, *sources or ("s3://data/*.csv",))


def metadata_of(card: str) -> dict[str, Any]:
    """The YAML at its beginning, as the Hub reads it."""
    found: dict[str, Any] = ModelCard(card).data.to_dict()
    return found


def test_labels_are_shown_as_they_are_and_make_no_markup() -> None:
    evaluation = a_classifier()
    base = ResolvedBaseModel(source="s3://models/<img src=x>/`_a_`")
    evaluation = evaluation.model_copy(update={"base_model": base})
    card = model_card(evaluation, pooled=True, max_tokens=128, context=NO_CONTEXT)
    assert "<script" not in card
    assert "\x1b" not in card
    page = Rendered(card)
    assert [row[0] for row in page.rows[-7:]] == SHOWN
    assert {len(row) for row in page.rows[-7:]} == {5}
    assert page.tags & {"script", "img", "a", "em", "strong", "s"} == set()
    assert "Fine-tuned from s3://models/<img src=x>/`_a_` on" in page.text.replace("\n", " ")
    assert r"\_" not in card.replace(r"\_it\_", "").replace(r"\_a\_", "")  # names stay legible


@pytest.mark.parametrize("form", ContextForm)
@pytest.mark.parametrize("pooled", [True, False])
def test_snippets_stay_python_that_holds_the_names(form: ContextForm, pooled: bool) -> None:
    names = ('"]; import os', "a\nb\n```\n<b>", "`tick`")
    evaluation = a_classifier()
    context = Context(names, form)
    card = model_card(evaluation, pooled=pooled, max_tokens=128, context=context)
    snippets = re.findall(r"^```python\n(.*?)^```$", card, flags=re.DOTALL | re.MULTILINE)
    strings = [
        node.value
        for snippet in snippets
        for node in ast.walk(ast.parse(snippet))
        if isinstance(node, ast.Constant)
    ]
    assert set(names) <= set(strings)
    assert any(context.written([f"some {name}" for name in names]) in str(one) for one in strings)
    assert not any(
        isinstance(node, ast.Import) for snippet in snippets for node in ast.walk(ast.parse(snippet))
    )
    assert "b" not in Rendered(card).tags


def test_scores_beside_a_model_that_was_fitted_anew_are_said_to_be_of_the_one_before() -> None:
    fit = FinalFit(texts=1000, epochs=7, loss=0.1, kept=True)
    evaluation = a_classifier().model_copy(update={"final_fit": fit})
    card = model_card(evaluation, pooled=True, max_tokens=128, context=NO_CONTEXT)
    assert "for 7 epochs on all 1,000 texts.\n" in card
    assert "Not of this model, which has learned all texts, but of the one before it" in card
    assert "published are the weights of epoch" not in card


def test_the_base_of_an_embedding_model_makes_no_markup() -> None:
    evaluation = read_from(of_embeddings(["a", "b"]).evaluation, "s3://data/pairs.csv")
    base = ResolvedBaseModel(source="s3://models/<script>alert(1)</script>")
    card = embedding_card(evaluation.model_copy(update={"base_model": base}), max_tokens=128)
    assert "<script" not in card
    assert "<script>" in Rendered(card).text


def test_the_hub_reads_library_base_model_data_and_scores() -> None:
    evaluation = a_classifier("hf://datasets/team/tickets@v2/default/train", "s3://data/<b>.csv\n---")
    evaluation = evaluation.model_copy(update={"base_model": ResolvedBaseModel(source="hf://team/base")})
    card = model_card(evaluation, pooled=False, max_tokens=128, context=NO_CONTEXT)
    found = metadata_of(card)
    assert (found["library_name"], found["pipeline_tag"]) == ("transformers", "text-classification")
    assert (found["base_model"], found["datasets"]) == ("team/base", ["team/tickets"])
    (index,) = found["model-index"]
    assert index["name"] == evaluation.model_name
    (result,) = index["results"]
    assert result["dataset"]["name"].endswith(r"s3://data/<b>.csv\n---")
    scores = {one["name"]: (one["type"], one["value"]) for one in result["metrics"]}
    assert scores["Accuracy"] == ("accuracy", round(evaluation.scores[ACCURACY], 4))
    assert scores["Macro F1"] == ("f1", round(evaluation.scores[MACRO_F1], 4))
    assert "Loss" not in scores


def test_the_hub_reads_no_scores_of_a_model_that_was_fitted_anew() -> None:
    fit = FinalFit(texts=1000, epochs=7, loss=0.1, kept=True)
    evaluation = a_classifier().model_copy(update={"final_fit": fit})
    found = metadata_of(model_card(evaluation, pooled=True, max_tokens=128, context=NO_CONTEXT))
    assert "model-index" not in found
    assert found["library_name"] == "sentence-transformers"


def test_limits_name_what_the_model_is_bad_at() -> None:
    card = model_card(a_classifier(), pooled=True, max_tokens=128, context=NO_CONTEXT)
    limits = card.partition("## Limits")[2]
    assert "It knows only its 7 labels" in limits
    assert "Texts are cut after 128 tokens." in limits


def test_a_card_of_embeddings_tells_their_data_and_limits() -> None:
    evaluation = read_from(of_embeddings(["a", "b"]).evaluation, "s3://data/texts.csv")
    card = embedding_card(evaluation, max_tokens=128)
    data, _, limits = card.partition("## Data")[2].partition("## Limits")
    assert "s3://data/texts.csv" in data
    assert f"{evaluation.data.evaluation} to evaluate on" in data
    assert "Texts are cut after 128 tokens." in limits
    assert "the same one of 2 labels" in limits
