"""Reports made by hand: predictions drawn by chance, scored as the trainer scores them."""

from typing import Any

import numpy as np

from trainingrun_api.advice import Finding, FindingType, Severity
from trainingrun_api.evaluation import (
    Baseline,
    BaselineMethod,
    Curves,
    DataCounts,
    DuplicateExamples,
    Evaluation,
    FlaggedText,
    LabelIssues,
    LossPoint,
    Part,
    Recipe,
    SimilarityScores,
    TextPair,
)
from trainingrun_api.lineage import Ancestor, ResolvedBaseModel
from trainingrun_api.run_config import RunConfig
from trainingrun_api.status import EpochSummary
from trainingrun_trainer.evaluation import (
    LabelledEmbeddings,
    LabelPredictions,
    MultiLabelPredictions,
    Predictions,
    nearest_label_table,
    nearest_labels,
    predictions_table,
    score_labelled,
)
from trainingrun_trainer.records import Example, RunRecord
from trainingrun_trainer.report import Report

TOPICS = (
    "invoice",
    "parcel",
    "password",
    "refund",
    "app",
    "camera",
    "sensor",
    "heating",
    "contract",
    "visit",
)
KINDS = ("is late", "is broken", "is missing", "was changed", "can't be opened")
WORDS = (
    "since",
    "the",
    "last",
    "update",
    "nothing",
    "works",
    "and",
    "nobody",
    "calls",
    "back",
    "again",
    "please",
)

CONFIG = RunConfig.model_validate(
    {
        "run": {"namespace": "support", "name": "tickets", "uid": "1"},
        "modelName": "tickets-v3",
        "taskType": "Classification",
        "dataset": {"uri": "s3://data/tickets.jsonl", "textField": "message", "labelField": "topic"},
        "contextParameters": ["channel"],
        "skipDuplicates": True,
        "trainPercent": 80,
        "training": {"maxEpochs": 10},
        "outputPrefix": "s3://models/support/tickets/0123456789ab",
        "storage": {},
    }
)

ADVICE = [
    Finding(
        type=FindingType.LOSS_JUMP,
        severity=Severity.WARNING,
        message="The training loss rose from 0.41 to 1.32 in epoch 4 and stayed there.",
        evidence={"epoch": 4, "before": 0.41, "after": 1.32},
        suggestion="Lower spec.training.learningRate to 5e-5.",
    ),
    Finding(
        type="SmallEvaluationSplit",
        severity=Severity.INFO,
        message="The evaluation split is small: accuracy may be off by 4 points.",
        suggestion="Lower spec.trainPercent, or label more texts.",
    ),
]

COPY = TextPair(
    text="Card was charged twice",
    labels=["invoice"],
    other="card was charged  twice",
    other_labels=["refund"],
    similarity=1.0,
)

LABEL_ISSUES = LabelIssues(
    judged=1500,
    flagged=3,
    texts=[
        FlaggedText(
            text=text,
            cut=text.startswith("A long"),
            context=["phone"],
            source="s3://data/tickets.jsonl",
            label="invoice is late",
            suggested="parcel is late",
            probability=probability,
            part=part,
        )
        for text, probability, part in (
            ('Where is "my" parcel, please?', 0.97, Part.TRAINING),
            ("The courier, again, did not come", 0.91, Part.EVALUATION),
            ("A long story of a parcel", 0.9, Part.TRAINING),
        )
    ],
)

RECIPE = Recipe(
    learning_rate=1e-4,
    warmup_steps=50,
    max_epochs=10,
    patience=3,
    total_steps=500,
    batch_size=32,
    gradient_accumulation_steps=1,
    max_gradient_norm=1.0,
    mixed_precision="bf16",
    parameters=22_713_216,
    trained_parameters=22_713_216,
)


def label_names(number: int) -> list[str]:
    """That many labels such as `parcel is late`, the first ones short."""
    return sorted(
        f"{TOPICS[n % 10]} {KINDS[n // 10 % 5]}" + (f" {n // 50}" if n >= 50 else "") for n in range(number)
    )


def single(labels: int, texts: int, seed: int = 0) -> Predictions:
    """Mostly right; the second label is often taken for the first, and rare labels are learned worse."""
    random = np.random.default_rng(seed)
    shares = 1 / np.arange(1, labels + 1) ** 0.6
    targets = random.choice(labels, texts, p=shares / shares.sum())
    logits = random.normal(0, 1, (texts, labels))
    logits[np.arange(texts), targets] += random.normal(4.2 - 1.5 * targets / labels, 1)
    logits[targets == 1, 0] += 3.2
    chosen = logits.astype(np.float32)
    made = Predictions(targets.astype(np.int64), chosen, loss=0.0)
    return Predictions(made.targets, chosen, loss=float(made.losses.mean()))


def several(labels: int, texts: int, seed: int = 0) -> MultiLabelPredictions:
    """None to a few labels a text, about four of five found."""
    random = np.random.default_rng(seed)
    targets = (random.random((texts, labels)) < 1.6 / labels).astype(np.int64)
    logits = (random.normal(-2.5, 1.2, (texts, labels)) + 4.5 * targets).astype(np.float32)
    made = MultiLabelPredictions(targets, logits, loss=0.0)
    return MultiLabelPredictions(targets, logits, loss=float(made.losses.mean()))


def examples(predictions: LabelPredictions, labels: list[str], words: int = 12) -> list[Example]:
    """A text for each prediction."""
    targets = predictions.targets
    sets = [[index] for index in targets] if targets.ndim == 1 else [row.nonzero()[0] for row in targets]
    random = np.random.default_rng(1)
    return [
        Example(
            f"{' and '.join(labels[index] for index in indices) or 'hello'}: "
            f"{' '.join(random.choice(WORDS, words))} ({number})",
            tuple(labels[index] for index in indices),
            (("phone", "mail")[number % 2],),
            "s3://data/tickets.jsonl",
        )
        for number, indices in enumerate(sets)
    ]


def epochs(accuracy: float, f1: float) -> list[EpochSummary]:
    """Nine epochs that overfit after the sixth, which has the scores given."""
    training = (1.4, 1.1, 0.8, 0.6, 0.45, 0.33, 0.25, 0.19, 0.15, 0.12)
    evaluating = (1.35, 1.12, 0.9, 0.78, 0.7, 0.66, 0.65, 0.69, 0.74, 0.8)
    gains = (-0.12, -0.07, -0.04, -0.02, -0.01, -0.005, 0, -0.002, -0.004, -0.01)
    return [
        EpochSummary(
            epoch=number,
            training_loss=training[number],
            evaluation_loss=evaluating[number],
            accuracy=max(accuracy + gains[number], 0),
            f1=max(f1 + gains[number], 0),
            learning_rate=1e-4 * (1 - number / 10) if number else 0.0,
        )
        for number in range(10)
    ]


def curve(epochs: int = 9, points: int = 50) -> list[LossPoint]:
    """A loss that falls, with some noise."""
    random = np.random.default_rng(2)
    rows = np.arange(1, epochs * points + 1) / points
    noise = random.normal(0, 0.06, len(rows))
    return [
        LossPoint(
            step=number + 1,
            epoch=float(epoch),
            loss=float(1.4 * np.exp(-epoch / 3.5) + 0.05 + abs(noise[number])),
            learning_rate=1e-4 * float(min(1.0, epoch) * (1 - epoch / 10)),
            gradient_norm=float(2 * np.exp(-epoch / 3) + 5 * abs(noise[number])),
        )
        for number, epoch in enumerate(rows)
    ]


def a_report(
    predictions: LabelPredictions,
    labels: list[str],
    texts: list[Example] | None = None,
    config: RunConfig = CONFIG,
    **changes: Any,
) -> Report:
    """A finished run with these predictions; `changes` are other fields of its evaluation."""
    scores = predictions.scores(labels)
    texts = examples(predictions, labels) if texts is None else texts
    history = epochs(scores.accuracy, scores.averages.macro.f1)
    count = len(texts)
    evaluation = Evaluation(
        model_name=config.model_name,
        labels=labels,
        best_epoch=6,
        stopped_early=True,
        loss=predictions.loss,
        classification=scores,
        baseline=Baseline(method=BaselineMethod.LOGISTIC_REGRESSION, scores=history[0]),
        settings=config.settings(),
        recipe=RECIPE,
        curves=Curves(training_loss=curve(), epochs=history),
        data=DataCounts(
            read=count * 6,
            empty=count // 40,
            unlabelled=count // 20,
            filtered=0,
            duplicates=count // 2,
            conflicts=count // 50,
            truncated=count // 10,
            training=count * 4,
            evaluation=count,
            near_conflicts=2,
            without_context={"channel": count // 10},
            sources=[],
            not_evaluated=["rarely said"],
            examples=DuplicateExamples(conflicts=[COPY]),
        ),
        advice=ADVICE,
        label_issues=LABEL_ISSUES,
        base_model=ResolvedBaseModel(
            source="s3://models/support/tickets-v2/model",
            from_run="tickets-v2",
            digest="5f2c" * 16,
            lineage=[Ancestor(run="tickets-v1", model_name="tickets-v1", source="Default")],
        ),
    )
    record = RunRecord(
        config=config,
        dataset_sha256="9a" * 32,
        versions={"python": "3.11.2", "torch": "2.10.0", "transformers": "5.5.0"},
    )
    table = predictions_table(texts, labels, predictions)
    return Report(evaluation.model_copy(update=changes), record, table)


def of_embeddings(labels: list[str], texts: int = 60) -> Report:
    """An embedding model of labelled texts: those of one label lie around one point, those of two overlap."""
    random = np.random.default_rng(3)

    def drawn(number: int) -> LabelledEmbeddings:
        targets = np.arange(number) % len(labels)
        places = np.eye(len(labels) + 4)[np.maximum(targets, 1)] + 0.2 * np.eye(len(labels) + 4)[targets]
        vectors = places + random.normal(0, 0.25, places.shape)
        return LabelledEmbeddings(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), targets)

    training, evaluation = drawn(4 * texts), drawn(texts)
    nearest = nearest_labels(training, evaluation)
    similarity = SimilarityScores(labels=score_labelled(nearest, evaluation, labels))
    report = a_report(single(len(labels), texts), labels)
    read = [Example(f"{labels[t]} {n}", (labels[t],)) for n, t in enumerate(evaluation.targets)]
    return Report(
        report.evaluation.model_copy(update={"classification": None, "similarity": similarity}),
        report.record,
        nearest_label_table(read, labels, nearest),
    )
