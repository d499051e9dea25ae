"""Settings of duplicates and of the split, from the file to evaluation.json."""

import json
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from trainingrun_api.dataset import DataSource
from trainingrun_api.duplicates import NearDuplicates
from trainingrun_api.evaluation import Evaluation, LabelParts, TextPair
from trainingrun_api.run_config import RunConfig
from trainingrun_api.tasks import TaskType
from trainingrun_api.training import Training
from trainingrun_trainer import pipeline
from trainingrun_trainer.errors import DataError

from ..conftest import changed, tickets, write_jsonl

ONE_EPOCH = {"training": {"max_epochs": 1}}


def on(config: RunConfig, rows: list[dict[str, Any]], **fields: Any) -> RunConfig:
    folder = Path(config.output_prefix.removeprefix("file://")).parent
    number = len(list(folder.glob("rows*")))
    uri = write_jsonl(folder / f"rows{number}.jsonl", rows)
    prefix = f"{config.output_prefix}{number}"
    return changed(config, dataset=DataSource(uri=uri), output_prefix=prefix, **ONE_EPOCH, **fields)


def held_out_set(folder: Path, rows: list[dict[str, Any]]) -> DataSource:
    return DataSource(uri=write_jsonl(folder / "test.jsonl", rows), project="held-out")


def trained(config: RunConfig) -> tuple[Evaluation, list[str]]:
    """What was written of the run, and the texts it was evaluated on."""
    pipeline.run(config, lambda report: None)
    out = Path(config.output_prefix.removeprefix("file://"))
    table = parquet.read_table(out / "predictions.parquet").to_pydict()
    return Evaluation.model_validate_json((out / "evaluation.json").read_text()), table["text"]


def near_duplicates_of(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"text": f"{row['text']} and thank you for your help with it all", "label": row["label"]}
        for row in rows
    ]


def variants() -> list[dict[str, Any]]:
    """Each ticket with many words in common with the next one."""
    rows = near_duplicates_of(tickets())
    return [*rows, *({**row, "text": row["text"] + "!"} for row in rows)]


def test_near_duplicates_are_counted_shown_and_kept_together(config: RunConfig) -> None:
    evaluation, texts = trained(on(config, variants()))
    data = evaluation.data
    assert (data.duplicates, data.near_conflicts) == (0, 0)
    assert data.near_duplicates >= 60
    assert data.training + data.evaluation == 120
    assert {f"{text}!" for text in texts if not text.endswith("!")} == {t for t in texts if t.endswith("!")}
    assert len(data.examples.near_duplicates) == 20
    shown = data.examples.near_duplicates[0]
    assert shown.similarity >= 0.8
    assert shown.labels == shown.other_labels == ["billing"]


def test_near_duplicates_are_left_out_on_request(config: RunConfig) -> None:
    kept, _ = trained(on(config, variants()))
    skipped, _ = trained(on(config, variants(), near_duplicates=NearDuplicates(skip=True)))
    data = skipped.data
    assert data.near_duplicates == kept.data.near_duplicates
    assert data.training + data.evaluation == 120 - data.near_duplicates
    strict, _ = trained(on(config, variants(), near_duplicates=NearDuplicates(skip=True, threshold=1)))
    assert strict.data.near_duplicates == 0
    assert skipped.loss != kept.loss


def test_conflicts_are_counted_and_shown(config: RunConfig) -> None:
    rows = tickets()
    changed_label = {"text": rows[0]["text"].upper(), "label": "login"}
    slightly = {"text": "please do help with my late parcel today", "label": "login"}
    other = {"text": "please do help with my late parcels today", "label": "delivery"}
    evaluation, _ = trained(on(config, [*rows, changed_label, rows[1], slightly, other]))
    data = evaluation.data
    assert (data.duplicates, data.conflicts, data.near_duplicates, data.near_conflicts) == (1, 1, 0, 1)
    assert data.examples.conflicts == [
        TextPair(
            text=rows[0]["text"],
            labels=["billing"],
            other=rows[0]["text"].upper(),
            other_labels=["login"],
            similarity=1,
        )
    ]
    assert data.examples.near_conflicts[0].other == other["text"]


def test_the_parts_are_counted_by_label_and_rare_labels_named(config: RunConfig) -> None:
    rows = [*tickets(), {"text": "where do I find you", "label": "visit"}]
    evaluation, _ = trained(on(config, rows))
    assert evaluation.data.by_label == [
        LabelParts(label="billing", training=16, evaluation=4),
        LabelParts(label="delivery", training=16, evaluation=4),
        LabelParts(label="login", training=16, evaluation=4),
        LabelParts(label="visit", training=1, evaluation=0),
    ]
    assert evaluation.data.not_evaluated == ["visit"]


def test_more_texts_leave_the_others_where_they_are(config: RunConfig) -> None:
    _, before = trained(on(config, tickets()))
    _, after = trained(on(config, [*tickets(), *near_duplicates_of(tickets(3))]))
    assert len(set(before) - set(after)) <= 3
    _, other_seed = trained(
        on(config, tickets()).model_copy(update={"training": Training(seed=7, max_epochs=1)})
    )
    assert set(other_seed) != set(before)


def test_share_of_texts_to_train_on(config: RunConfig) -> None:
    evaluation, texts = trained(on(config, tickets(), train_percent=50))
    assert (evaluation.data.training, evaluation.data.evaluation, len(texts)) == (30, 30, 30)


def test_a_given_evaluation_data_set_is_what_is_evaluated_on(config: RunConfig, tmp_path: Path) -> None:
    rows = [
        *near_duplicates_of(tickets(4)),
        tickets()[0],
        near_duplicates_of(tickets())[0] | {"text": "my card code again"},
    ]
    held_out = held_out_set(tmp_path, rows)
    evaluation, texts = trained(on(config, [*tickets(), *variants()[:60]], evaluation_dataset=held_out))
    data = evaluation.data
    assert texts == [row["text"] for row in rows]
    assert data.evaluation == 14
    assert data.leaked >= 13
    assert data.training == 120 - data.leaked
    assert [(counts.source, counts.evaluation) for counts in data.sources][1] == ("held-out", 14)
    assert [scores.source for scores in evaluation.sources] == ["held-out"]
    assert data.examples.leaked[0].similarity >= 0.8
    assert (
        json.loads((Path(config.output_prefix.removeprefix("file://") + "0") / "run.json").read_text())[
            "config"
        ]["evaluationDataset"]["project"]
        == "held-out"
    )


def test_embeddings_are_evaluated_on_labels_that_were_never_trained(
    config: RunConfig, tmp_path: Path
) -> None:
    known = [ticket for ticket in tickets() if ticket["label"] != "login"]
    unseen = [ticket for ticket in tickets() if ticket["label"] == "login"]
    held_out = held_out_set(tmp_path, [*unseen, *known[-5:]])
    similarity = {"task_type": TaskType.TEXT_SIMILARITY, "evaluation_dataset": held_out}
    evaluation, _ = trained(on(config, known, **similarity))
    assert evaluation.similarity is not None
    assert (evaluation.data.evaluation, evaluation.data.leaked) == (25, 5)
    assert evaluation.data.not_evaluated == ["billing"]


def test_an_evaluation_data_set_that_does_not_go_with_the_texts_is_refused(
    config: RunConfig, tmp_path: Path
) -> None:
    same = held_out_set(tmp_path, tickets())
    with pytest.raises(DataError, match="has no text that held-out lacks"):
        trained(on(config, tickets(), evaluation_dataset=same))
    other = held_out_set(tmp_path, [{"text": "hello you", "label": "greeting"}, *tickets()[:9]])
    with pytest.raises(DataError, match="held-out has labels without any training text: 'greeting'"):
        trained(on(config, tickets(), evaluation_dataset=other))
