"""Several data sets combined: what each brings, and how well the model does on each."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet
from sklearn.metrics import f1_score

from trainingrun_api.dataset import DataSource
from trainingrun_api.evaluation import Evaluation, SourceCounts
from trainingrun_api.labels import Labels
from trainingrun_api.run_config import RunConfig
from trainingrun_api.tasks import TaskType
from trainingrun_trainer import pipeline
from trainingrun_trainer.errors import DataError

from ..conftest import changed, tickets, write_jsonl


def shop_tickets(label: str = "returns") -> list[dict[str, Any]]:
    """Another team's: two labels of the tickets, the second half of them, and one of its own."""
    known = [ticket for ticket in tickets(40) if ticket["label"] != "login"]
    known = [ticket for number, ticket in enumerate(known) if number % 40 >= 20]
    own = [{"text": f"send it back, wrong size {number}", "label": label} for number in range(10)]
    return [*known, *own, {"text": "nobody knows", "label": None}, {"text": " ", "label": label}]


@pytest.fixture
def shop(tmp_path: Path) -> DataSource:
    rows = [{"body": row["text"], "topic": row["label"]} for row in shop_tickets()]
    uri = write_jsonl(tmp_path / "shop.jsonl", rows)
    return DataSource(
        uri=uri,
        text_field="body",
        label_field="topic",
        project="shop/returns",
        setting="TrainingProject shop/returns, spec.dataset",
    )


def combined(config: RunConfig, *sources: DataSource, **fields: Any) -> RunConfig:
    tickets_of_the_team = config.dataset.model_copy(update={"project": "tickets"})
    return changed(config, dataset=tickets_of_the_team, additional_datasets=list(sources), **fields)


def trained(config: RunConfig) -> tuple[Evaluation, dict[str, list[Any]]]:
    """What was written of the run, and its table of predictions."""
    pipeline.run(config, lambda report: None)
    out = Path(config.output_prefix.removeprefix("file://"))
    table = parquet.read_table(out / "predictions.parquet").to_pydict()
    return Evaluation.model_validate_json((out / "evaluation.json").read_text()), table


def test_data_sets_are_combined_and_counted_by_source_and_label(
    config: RunConfig, shop: DataSource, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        evaluation, table = trained(combined(config, shop))
    assert evaluation.labels == ["billing", "delivery", "login", "returns"]
    main, other = evaluation.data.sources
    assert (main.source, main.read, main.used, main.common_labels) == ("tickets", 60, 60, 3)
    assert labels_of(main) == {"billing": 20, "delivery": 20, "login": 20}
    assert (other.source, other.read, other.empty, other.unlabelled) == ("shop/returns", 52, 1, 1)
    assert (other.used, other.common_labels) == (50, 2)
    assert labels_of(other) == {"billing": 20, "delivery": 20, "returns": 10}
    assert main.training + other.training == evaluation.data.training
    assert other.evaluation == table["source"].count("shop/returns") > 0
    assert (
        "shop/returns: 50 texts with 3 labels, 2 of them also in tickets: billing (20 + 20), "
        "delivery (20 + 20); new: 'returns'"
    ) in caplog.text


def labels_of(counts: SourceCounts) -> dict[str, int]:
    return {count.label: count.texts for count in counts.labels}


def test_scores_of_each_source_are_those_of_its_texts(config: RunConfig, shop: DataSource) -> None:
    evaluation, table = trained(combined(config, shop))
    assert [scores.source for scores in evaluation.sources] == ["tickets", "shop/returns"]
    for scores in evaluation.sources:
        own = [n for n, source in enumerate(table["source"]) if source == scores.source]
        true, given = [table["labels"][n][0] for n in own], [table["predicted"][n][0] for n in own]
        assert scores.support == len(own)
        assert scores.accuracy == sum(a == b for a, b in zip(true, given, strict=True)) / len(own)
        macro = f1_score(true, given, labels=sorted(set(true)), average="macro", zero_division=0)
        assert scores.macro_f1 == pytest.approx(macro)
        assert scores.loss == pytest.approx(sum(table["loss"][n] for n in own) / len(own))
    assert sum(s.support * (s.loss or 0) for s in evaluation.sources) == pytest.approx(
        evaluation.loss * evaluation.data.evaluation, rel=1e-5
    )


def test_embeddings_have_scores_by_source_too(config: RunConfig, shop: DataSource) -> None:
    similarity = combined(config, shop, task_type=TaskType.TEXT_SIMILARITY)
    evaluation, table = trained(similarity)
    assert evaluation.data.sources[1].common_labels == 2
    for scores in evaluation.sources:
        own = [n for n, source in enumerate(table["source"]) if source == scores.source]
        right = sum(table["labels"][n] == table["predicted"][n] for n in own)
        assert (scores.support, scores.accuracy, scores.loss) == (len(own), right / len(own), None)
    assert sum(scores.support for scores in evaluation.sources) == evaluation.data.evaluation


def test_one_data_set_is_a_source_too(config: RunConfig) -> None:
    evaluation, _ = trained(config)
    (counts,), (scores,) = evaluation.data.sources, evaluation.sources
    assert counts.source == scores.source == config.dataset.uri
    assert scores.loss == pytest.approx(evaluation.loss, rel=1e-5)


def test_duplicates_in_two_data_sets_are_one_text_of_the_first(config: RunConfig) -> None:
    again = config.dataset.model_copy(update={"project": "again"})
    evaluation, _ = trained(combined(config, again))
    assert [(s.used, s.training, s.evaluation) for s in evaluation.data.sources] == [(60, 48, 12), (60, 0, 0)]
    assert evaluation.data.duplicates == 60
    assert [scores.source for scores in evaluation.sources] == ["tickets"]


def test_data_sets_without_a_common_label_are_an_error_unless_allowed(
    config: RunConfig, tmp_path: Path
) -> None:
    rows = [{"text": f"lovely weather {n}", "label": "Rechnung" if n % 2 else "chat"} for n in range(20)]
    other = DataSource(uri=write_jsonl(tmp_path / "other.jsonl", rows))
    disjoint = combined(config, other)
    with pytest.raises(
        DataError, match="no label in common with tickets: 'Rechnung', 'chat' here, 'billing'"
    ):
        pipeline.run(disjoint, lambda report: None)
    filtered = changed(disjoint, labels=Labels(include=["billing"], aliases={"Rechnung": "invoice"}))
    with pytest.raises(DataError, match=r"leaves out all labels of .*/other.jsonl: 'chat', 'invoice'\. Name"):
        pipeline.run(filtered, lambda report: None)
    evaluation, _ = trained(changed(disjoint, labels=Labels(allow_disjoint=True)))
    assert evaluation.labels == ["Rechnung", "billing", "chat", "delivery", "login"]
    assert evaluation.data.sources[1].common_labels == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"text_field": "txt"}, r"line 1: .* in TrainingProject shop/returns, spec.dataset.textField"),
        ({"label_field": "lbl"}, r"no row has .* in TrainingProject shop/returns, spec.dataset.labelField"),
        (
            {"uri": "file:///nowhere.csv", "setting": "spec.additionalDatasets[0]"},
            "spec.additionalDatasets[0].uri",
        ),
    ],
)
def test_messages_name_the_place_where_the_data_set_is_written(
    config: RunConfig, shop: DataSource, change: dict[str, str], message: str
) -> None:
    with pytest.raises(DataError, match=message.replace("[0]", r"\[0\]")):
        pipeline.run(combined(config, shop.model_copy(update=change)), lambda report: None)


def test_aliases_make_labels_common(config: RunConfig, tmp_path: Path) -> None:
    rows = [{"text": f"die karte {n}", "label": "Rechnung"} for n in range(10)]
    other = DataSource(uri=write_jsonl(tmp_path / "other.jsonl", rows))
    evaluation, _ = trained(combined(config, other, labels=Labels(aliases={"Rechnung": "billing"})))
    assert evaluation.labels == ["billing", "delivery", "login"]
    assert labels_of(evaluation.data.sources[1]) == {"billing": 10}


def test_a_change_in_any_data_set_is_another_training(
    config: RunConfig, shop: DataSource, tmp_path: Path
) -> None:
    records = []
    for number in range(2):
        with Path(shop.uri.removeprefix("file://")).open("a") as rows:
            rows.write(json.dumps({"body": f"one more {number}", "topic": "returns"}) + "\n")
        prefix = tmp_path / f"out-{number}"
        trained(combined(config, shop, output_prefix=prefix.as_uri(), training={"max_epochs": 1}))
        records.append(json.loads((prefix / "run.json").read_text()))
    assert records[0]["datasetSha256"] != records[1]["datasetSha256"]
    assert [source["project"] for source in records[0]["config"]["additionalDatasets"]] == ["shop/returns"]
