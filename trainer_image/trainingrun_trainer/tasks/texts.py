"""Labelled texts, from files to the two parts of the split."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from trainingrun_api.advice import Severity
from trainingrun_api.evaluation import DataCounts, DuplicateExamples, JoinedLabel, LabelParts
from trainingrun_api.run_config import RunConfig

from ..advice import advise_on_labels
from ..corpus import Corpus, Splits, Texts
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
from ..dedup import (
    Deduplicated,
    DuplicatePairs,
    Duplicates,
    deduplicate,
    examples,
    find_duplicates,
    without_duplicates_of,
)
from ..errors import DataError
from ..split import require_classes, split
from .datasets import fetch_datasets, sources_sha256
from .task import TaskData

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Parts:
    """The two parts, and what was found on the way."""

    splits: Splits
    found: Deduplicated
    """Of the texts to learn from."""
    leaked: DuplicatePairs
    """Texts that are evaluated on, with duplicates and near-duplicates of them among those to learn from."""


def divide(corpus: Corpus, learned: int, config: RunConfig) -> Parts:
    """The first `learned` texts are there to learn from, all others to evaluate on; without any, a part is.

    Raises DataError for texts that can't be divided, or that don't go together.
    """
    duplicates = find_duplicates(corpus, config.near_duplicates.threshold)
    texts, given = corpus.all()[:learned], corpus.all()[learned:]
    texts, leaked = without_duplicates_of(texts, given, duplicates)
    found = deduplicate(texts, duplicates, skip=config.skip_duplicates, skip_near=config.near_duplicates.skip)
    return Parts(_splits(found.texts, given, duplicates, config), found, leaked)


def _splits(texts: Texts, given: Texts, duplicates: Duplicates, config: RunConfig) -> Splits:
    if config.evaluation_dataset is None:
        return split(texts, duplicates.group[texts.rows], config.train_percent, config.training.seed)
    if not len(texts):
        raise DataError(
            f"{config.dataset.name} has no text that {config.evaluation_dataset.name} lacks: name other "
            "texts in spec.evaluationDataset, or leave it out and a part of spec.dataset is evaluated on"
        )
    require_classes(texts)
    return Splits(training=texts, evaluation=given)


@dataclass(frozen=True)
class LabelledTexts(TaskData):
    """The data set, ready to be tokenised."""

    splits: Splits


def load_texts(config: RunConfig, folder: Path, one_label: str | None) -> LabelledTexts:
    """Fetch into a new `folder`, read, deduplicate and split. Raises DataError that says what to change.

    `one_label` as `Wanted` has it.
    """
    sources = fetch_datasets(config.all_sources, config.storage, folder)
    rules = LabelRules(config.labels)
    reading = Reading(sources, Wanted(rules, one_label, config.context_parameters))
    corpus = Corpus.store(reading)
    rules.require_known()
    tallies = reading.tallies
    learned = tallies[: len(config.sources)]
    log_sources(learned)
    if not config.labels.allow_disjoint:
        require_common_labels(learned)
    require_context(tallies, config.context_parameters)
    parts = divide(corpus, sum(tally.used for tally in learned), config)
    counts = _counts(config, tallies, parts, reading.spellings.joined())
    _log_data(config, counts, parts.splits)
    return LabelledTexts(
        labels=parts.splits.labels,
        counts=counts,
        sha256=sources_sha256(sources),
        fields=reading.metadata.fields(),
        splits=parts.splits,
    )


def _counts(
    config: RunConfig, tallies: Sequence[Tally], parts: Parts, joined: list[JoinedLabel]
) -> DataCounts:
    found, splits = parts.found, parts.splits
    by_label = splits.by_label()
    missing = {name: sum(t.without_context[name] for t in tallies) for name in config.context_parameters}
    return DataCounts(
        read=sum(tally.read for tally in tallies),
        rows_filtered=sum(tally.rows_filtered for tally in tallies),
        empty=sum(tally.empty for tally in tallies),
        unlabelled=sum(tally.unlabelled for tally in tallies),
        disputed=sum(tally.disputed for tally in tallies),
        disagreed=sum(tally.disagreed for tally in tallies),
        filtered=sum(tally.filtered for tally in tallies),
        duplicates=len(found.duplicates),
        conflicts=len(found.conflicts),
        near_duplicates=len(found.near_duplicates),
        near_conflicts=len(found.near_conflicts),
        leaked=len(parts.leaked),
        truncated=0,
        without_context=missing,
        training=len(splits.training),
        evaluation=len(splits.evaluation),
        sources=source_counts(tallies, splits.training.source_counts(), splits.evaluation.source_counts()),
        by_label=[LabelParts(label=label, training=t, evaluation=e) for label, (t, e) in by_label.items()],
        not_evaluated=[label for label, (_, evaluated) in by_label.items() if not evaluated],
        joined_labels=joined,
        examples=_examples(parts),
    )


def _examples(parts: Parts) -> DuplicateExamples:
    corpus, found = parts.splits.training.corpus, parts.found
    return DuplicateExamples(
        duplicates=examples(corpus, found.duplicates),
        conflicts=examples(corpus, found.conflicts),
        near_duplicates=examples(corpus, found.near_duplicates),
        near_conflicts=examples(corpus, found.near_conflicts),
        leaked=examples(corpus, parts.leaked),
    )


def _log_data(config: RunConfig, counts: DataCounts, splits: Splits) -> None:
    log.info(
        "Data: %d texts read from %s; %d skipped by dataset.filter, %d empty, %d unlabelled, %d filtered, "
        "%d duplicates, %d conflicts, %d near-duplicates, %d also in the evaluation data%s",
        counts.read,
        ", ".join(config.source_names),
        counts.rows_filtered,
        counts.empty,
        counts.unlabelled,
        counts.filtered,
        counts.duplicates,
        counts.conflicts,
        counts.near_duplicates,
        counts.leaked,
        "" if config.skip_duplicates else " (duplicates are kept)",
    )
    if counts.disputed or counts.disagreed:
        log.info(
            "Annotators disagree about %d texts: %d are used with the labels that more than half of them "
            "gave, %d have no such label and are left out",
            counts.disagreed + counts.disputed,
            counts.disagreed,
            counts.disputed,
        )
    shown = ", ".join(splits.labels[:20]) + (", …" if len(splits.labels) > 20 else "")
    log.info("Split: %d texts to train on, %d to evaluate on", counts.training, counts.evaluation)
    log.info("%d labels: %s", len(splits.labels), shown)
    if counts.joined_labels:
        ways = [f"{one.label} ({one.spellings} ways, {one.texts} rows)" for one in counts.joined_labels[:20]]
        log.info(
            "%d labels are spelled in several ways that look the same, and read as one each: %s",
            len(counts.joined_labels),
            ", ".join(ways) + (", …" if len(counts.joined_labels) > 20 else ""),
        )
    for finding in advise_on_labels(counts):
        if finding.severity is Severity.WARNING:  # worth stopping for; all findings stand in the results
            log.warning("%s. %s", finding.message, finding.suggestion)
    if counts.not_evaluated:
        log.warning(
            "Trained on but not evaluated, for lack of texts: %s", ", ".join(counts.not_evaluated[:20])
        )
