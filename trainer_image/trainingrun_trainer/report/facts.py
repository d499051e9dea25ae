"""What went in: steps of the data, settings, lineage and versions, as rows of tables."""

from dataclasses import dataclass

from trainingrun_api.evaluation import DataCounts, Recipe, TextPair, Timing

from .content import Report


@dataclass(frozen=True)
class DataStep:
    """A step of the way from file to split."""

    name: str
    count: int
    note: str
    share: float
    """Of all texts read, 0 to 1."""
    kind: str
    """kept, lost, noted or split: how it is drawn."""


def data_steps(report: Report) -> list[DataStep]:
    """From the texts read to those trained and evaluated on."""
    data, config = report.evaluation.data, report.record.config
    kept, near = not config.skip_duplicates, config.near_duplicates.skip
    steps = [
        ("Read", data.read, "", "kept"),
        ("Rows filtered", data.rows_filtered, "rows that dataset.filter leaves out", "lost"),
        ("Empty", data.empty, "no text; left out", "lost"),
        ("Unlabelled", data.unlabelled, "no label; left out", "lost"),
        ("Disputed", data.disputed, "no label from more than half of the annotators; left out", "lost"),
        ("Disagreed", data.disagreed, "annotators disagree; labels of more than half of them", "noted"),
        ("Filtered", data.filtered, "labels that spec.labels leaves out", "lost"),
        (
            "Duplicates",
            data.duplicates,
            "the same text again; kept on one side of the split" if kept else "the same text again; left out",
            "noted" if kept else "lost",
        ),
        ("Conflicts", data.conflicts, "the same text with another label; the most frequent is kept", "lost"),
        (
            "Near-duplicates",
            data.near_duplicates,
            "nearly the same text with the same labels; "
            + ("left out" if near else "kept on one side of the split"),
            "lost" if near else "noted",
        ),
        ("Near-conflicts", data.near_conflicts, "nearly the same text with other labels; kept", "noted"),
        ("Leaked", data.leaked, "duplicates of texts of evaluationDataset; left out of training", "lost"),
        ("Trained on", data.training, "", "split"),
        ("Evaluated on", data.evaluation, "", "split"),
        ("Truncated", data.truncated, "longer than maxSequenceLength; truncated", "noted"),
        *(
            (f"No {name}", count, "labelled texts without this context parameter", "noted")
            for name, count in data.without_context.items()
        ),
    ]
    return [DataStep(name, count, note, count / max(data.read, 1), kind) for name, count, note, kind in steps]


def duplicates(data: DataCounts) -> list[tuple[str, list[TextPair]]]:
    """Pairs of texts to look at, by what they are; what isn't there is left out."""
    found = data.examples
    kinds = {
        "The same text with other labels": found.conflicts,
        "Nearly the same text with other labels": found.near_conflicts,
        "In the evaluation data set, and in the training data": found.leaked,
        "Nearly the same text with the same labels": found.near_duplicates,
        "The same text with the same labels": found.duplicates,
    }
    return [(kind, pairs) for kind, pairs in kinds.items() if pairs]


def recipe(used: Recipe) -> list[tuple[str, str]]:
    """What the settings left open, as it was decided."""
    values = used.model_dump(exclude_none=True)
    return [(name, f"{value:,}" if isinstance(value, int) else str(value)) for name, value in values.items()]


def timing(took: Timing) -> list[tuple[str, str]]:
    """How long it took: the steps of training, and each stage so far."""
    speed = took.texts_per_second
    rows = {
        "Training steps": _duration(took.training_seconds),
        "Speed": f"{speed:,.0f} texts a second" if speed else "",
        **{stage: _duration(seconds) for stage, seconds in took.stages.items()},
    }
    return [(name, value) for name, value in rows.items() if value]


def _duration(seconds: float) -> str:
    """Hours, minutes and seconds; tenths where it is less than a minute."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60} h {minutes % 60} min {rest} s" if minutes >= 60 else f"{minutes} min {rest} s"


def lineage(report: Report) -> list[tuple[str, str]]:
    """What the model was made from, by name."""
    base = report.evaluation.base_model
    rows = {
        "Base model": "the trainer image's default" if base.source == "Default" else base.source,
        "From run": base.from_run,
        "Revision": base.revision,
        "Digest of the model": base.digest,
        "Head": base.head,
        "Digest of the data": report.record.dataset_sha256,
        **{f"Commit of {one.source}": one.revision for one in report.evaluation.data.sources},
    }
    return [(name, value) for name, value in rows.items() if value]
