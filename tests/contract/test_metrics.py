"""Each metric has its entry, its field and, where epochs have it, its name for early stopping."""

from trainingrun_api.metrics import (
    BY_STOPPING,
    EPOCH_METRICS,
    METRICS,
    DataKind,
    Scores,
    StoppingMetric,
    stopping_metrics,
)
from trainingrun_api.status import EpochSummary, EvaluationScores


def test_entries_and_fields_are_the_same_metrics() -> None:
    assert {metric.key for metric in EPOCH_METRICS} == set(Scores.model_fields)
    counts = {"support", "labels", "evaluated_labels"}
    assert {metric.key for metric in METRICS} == set(EvaluationScores.model_fields) - counts
    assert set(BY_STOPPING) == set(StoppingMetric)


def test_early_stopping_has_a_loss_and_a_score_for_all_data() -> None:
    assert all(bool(metric.kinds) is (metric.stopping is not None) for metric in METRICS)
    for kind in DataKind:
        assert stopping_metrics(kind) > {StoppingMetric.EVALUATION_LOSS}


def test_scores_are_read_by_metric_in_one_order() -> None:
    epoch = EpochSummary(
        epoch=1, training_loss=0.5, evaluation_loss=0.7, f1=0, accuracy=0.9, learning_rate=0.1
    )
    assert {metric.name: score for metric, score in epoch.scores.items()} == {"accuracy": 0.9, "macro F1": 0}
    whole = EvaluationScores(loss=0.25, f1=0.123456, accuracy=1 / 3, precision=0.5, support=9)
    assert [metric.title for metric in whole.scores] == ["Accuracy", "Macro F1", "Precision", "Loss"]
    assert whole.in_words() == "accuracy 0.333, macro F1 0.123, loss 0.250"
    assert whole.f1 == 0.1235
