"""Pairs and triplets, from files to the two parts of the split."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from trainingrun_api.dataset import DataSource
from trainingrun_api.duplicates import NearDuplicates
from trainingrun_api.evaluation import DataCounts
from trainingrun_api.labels import Labels
from trainingrun_api.run_config import RunConfig

from ..data import PairReading, Tally, source_counts
from ..errors import SettingsError
from ..pairs import Pairs, PairSplits, deduplicate_pairs, given_pairs, split_pairs
from .datasets import fetch_datasets, sources_sha256
from .task import TaskData

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PairedTexts(TaskData):
    """The data set, ready to be tokenised."""

    splits: PairSplits


@dataclass
class _Found:
    """Counts of what is left out."""

    duplicates: int = 0
    conflicts: int = 0
    leaked: int = 0


def load_pairs(config: RunConfig, folder: Path) -> PairedTexts:
    """Fetch into a new `folder`, read, deduplicate and split.

    Raises DataError and SettingsError that say what to change.
    """
    _require_fitting(config)
    sources = fetch_datasets(config.all_sources, config.storage, folder)
    reading = PairReading(sources)
    rows = Pairs.of(reading)
    learned = sum(tally.used for tally in reading.tallies[: len(config.sources)])
    found = _Found()
    splits = _divide(rows[:learned], rows[learned:], config, found)
    counts = _counts(reading.tallies, splits, found)
    _log_data(counts, splits)
    return PairedTexts(
        labels=[],
        counts=counts,
        sha256=sources_sha256(sources),
        fields=reading.metadata.fields(),
        splits=splits,
    )


def require_one_kind(sources: Sequence[DataSource]) -> None:
    """Raises SettingsError for labelled texts beside pairs, or pairs of different kinds."""
    kinds = {_kind(source) for source in sources}
    if len(kinds) > 1:
        raise SettingsError(
            f"the data sets hold different kinds of data ({', '.join(sorted(kinds))}): give all of them the "
            "same of pairField, scoreField and negativeField"
        )


def _kind(source: DataSource) -> str:
    if source.pair_field is None:
        return "labelled texts"
    if source.score_field is not None:
        return "scored pairs"
    return "pairs" if source.negative_field is None else "triplets"


def _require_fitting(config: RunConfig) -> None:
    """What admission can't know of a project's data; what the project says of its labels isn't here."""
    if config.labels != Labels():
        raise SettingsError("spec.labels doesn't apply to pairs of texts, which have no labels: leave it out")
    if config.near_duplicates != NearDuplicates():
        raise SettingsError(
            "spec.nearDuplicates doesn't apply to pairs, which aren't searched for near-duplicates: "
            "leave it out"
        )


def _divide(learned: Pairs, evaluated: Pairs, config: RunConfig, found: _Found) -> PairSplits:
    learned = _each_once(learned, config, found)
    if not len(evaluated):
        return split_pairs(learned, config.train_percent, config.training.seed)
    splits, found.leaked = given_pairs(learned, _each_once(evaluated, config, found))
    return splits


def _each_once(rows: Pairs, config: RunConfig, found: _Found) -> Pairs:
    unique = deduplicate_pairs(rows)
    found.duplicates += unique.duplicates
    found.conflicts += unique.conflicts
    return unique.rows if config.skip_duplicates else rows


def _counts(tallies: Sequence[Tally], splits: PairSplits, found: _Found) -> DataCounts:
    return DataCounts(
        read=sum(tally.read for tally in tallies),
        rows_filtered=sum(tally.rows_filtered for tally in tallies),
        empty=sum(tally.empty for tally in tallies),
        unlabelled=sum(tally.unlabelled for tally in tallies),
        duplicates=found.duplicates,
        conflicts=found.conflicts,
        leaked=found.leaked,
        truncated=0,
        training=len(splits.training),
        evaluation=len(splits.evaluation),
        sources=source_counts(tallies, splits.training.source_counts(), splits.evaluation.source_counts()),
    )


def _log_data(counts: DataCounts, splits: PairSplits) -> None:
    log.info(
        "Data: %d rows read; %d skipped by dataset.filter, %d without a text, %d without a score, "
        "%d duplicates, %d conflicting scores, %d that share a text with the evaluation data",
        counts.read,
        counts.rows_filtered,
        counts.empty,
        counts.unlabelled,
        counts.duplicates,
        counts.conflicts,
        counts.leaked,
    )
    log.info("Split: %d rows to train on, %d to evaluate on", counts.training, counts.evaluation)
    if splits.texts_shared:
        log.warning(
            "More than half of the rows are connected by shared texts: training and evaluation split "
            "share no first texts, but do share other texts, so scores may be too high"
        )
