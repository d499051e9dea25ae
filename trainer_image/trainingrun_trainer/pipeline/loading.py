"""Data sets, from files to the two parts of the split."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from trainingrun_api.evaluation import CopyExamples, DataCounts, LabelParts
from trainingrun_api.run_config import RunConfig

from ..corpus import Corpus, Splits
from ..data import (
    LabelRules,
    Reading,
    Tally,
    Wanted,
    log_sources,
    require_common_labels,
    require_context,
    source_counts,
)
from ..dedup import Deduplicated, deduplicate, examples, find_copies
from ..split import split
from .datasets import fetch_dataset, sources_sha256
from .session import Run

log = logging.getLogger(__name__)

NEAR = 0.8


@dataclass(frozen=True)
class PreparedData:
    """The data set, ready to be tokenised."""

    splits: Splits
    counts: DataCounts
    sha256: str


def load_data(run: Run) -> PreparedData:
    """Fetch, read, deduplicate and split. Raises DataError that says what to change."""
    sources = [
        fetch_dataset(source, run.config.storage, run.work / "data" / str(number))
        for number, source in enumerate(run.config.sources)
    ]
    rules = LabelRules(run.config.labels)
    context = run.config.context_parameters
    reading = Reading(sources, Wanted(rules, run.config.task_type.several_labels, context))
    corpus = Corpus.store(reading)
    rules.require_known()
    log_sources(reading.tallies)
    if not run.config.labels.allow_disjoint:
        require_common_labels(reading.tallies)
    require_context(reading.tallies, context)
    copies = find_copies(corpus, NEAR)
    unique = deduplicate(corpus.all(), copies, skip=run.config.skip_duplicates, skip_near=False)
    groups = copies.group[unique.texts.rows]
    splits = split(unique.texts, groups, run.config.train_percent, run.config.training.seed)
    counts = _counts(run.config, reading.tallies, unique, splits)
    _log_data(run.config, counts, splits)
    return PreparedData(splits, counts, sources_sha256(sources))


def _counts(config: RunConfig, tallies: Sequence[Tally], unique: Deduplicated, splits: Splits) -> DataCounts:
    by_label = splits.by_label()
    missing = {name: sum(t.without_context[name] for t in tallies) for name in config.context_parameters}
    return DataCounts(
        read=sum(tally.read for tally in tallies),
        empty=sum(tally.empty for tally in tallies),
        unlabelled=sum(tally.unlabelled for tally in tallies),
        filtered=sum(tally.filtered for tally in tallies),
        duplicates=len(unique.duplicates),
        conflicts=len(unique.conflicts),
        near_duplicates=len(unique.near_duplicates),
        near_conflicts=len(unique.near_conflicts),
        truncated=0,
        without_context=missing,
        training=len(splits.training),
        evaluation=len(splits.evaluation),
        sources=source_counts(tallies, splits),
        by_label=[LabelParts(label=label, training=t, evaluation=e) for label, (t, e) in by_label.items()],
        not_evaluated=[label for label, (_, evaluated) in by_label.items() if not evaluated],
        examples=_examples(unique),
    )


def _examples(unique: Deduplicated) -> CopyExamples:
    corpus = unique.texts.corpus
    return CopyExamples(
        duplicates=examples(corpus, unique.duplicates),
        conflicts=examples(corpus, unique.conflicts),
        near_duplicates=examples(corpus, unique.near_duplicates),
        near_conflicts=examples(corpus, unique.near_conflicts),
    )


def _log_data(config: RunConfig, counts: DataCounts, splits: Splits) -> None:
    log.info(
        "Data: %d texts read from %s; %d empty, %d unlabelled, %d filtered, %d duplicates, %d conflicts%s",
        counts.read,
        ", ".join(source.name for source in config.sources),
        counts.empty,
        counts.unlabelled,
        counts.filtered,
        counts.duplicates,
        counts.conflicts,
        "" if config.skip_duplicates else " (duplicates are kept)",
    )
    shown = ", ".join(splits.labels[:20]) + (", …" if len(splits.labels) > 20 else "")
    log.info("Split: %d texts to train on, %d to evaluate on", counts.training, counts.evaluation)
    log.info("%d labels: %s", len(splits.labels), shown)
