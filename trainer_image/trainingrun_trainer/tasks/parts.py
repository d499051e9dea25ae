"""The texts to train on and those to evaluate on, without what occurs again."""

from dataclasses import dataclass

from trainingrun_api.run_config import RunConfig

from ..corpus import Corpus, Splits, Texts
from ..dedup import Copies, CopyPairs, Deduplicated, deduplicate, find_copies, without_copies_of
from ..errors import DataError
from ..split import require_classes, split


@dataclass(frozen=True, eq=False)
class Parts:
    """The two parts, and what was found on the way."""

    splits: Splits
    found: Deduplicated
    """Of the texts to learn from."""
    leaked: CopyPairs
    """Texts that are evaluated on, with copies and near-copies of them among those to learn from."""


def divide(corpus: Corpus, learned: int, config: RunConfig) -> Parts:
    """The first `learned` texts are there to learn from, all others to evaluate on; without any, a part is.

    Raises DataError for texts that can't be divided, or that don't go together.
    """
    copies = find_copies(corpus, config.near_duplicates.threshold)
    texts, given = corpus.all()[:learned], corpus.all()[learned:]
    texts, leaked = without_copies_of(texts, given, copies)
    found = deduplicate(texts, copies, skip=config.skip_duplicates, skip_near=config.near_duplicates.skip)
    return Parts(_splits(found.texts, given, copies, config), found, leaked)


def _splits(texts: Texts, given: Texts, copies: Copies, config: RunConfig) -> Splits:
    if config.evaluation_dataset is None:
        return split(texts, copies.group[texts.rows], config.train_percent, config.training.seed)
    if not len(texts):
        raise DataError(
            f"{config.dataset.name} has no text that {config.evaluation_dataset.name} lacks: name other "
            "texts in spec.evaluationDataset, or leave it out and a part of spec.dataset is evaluated on"
        )
    require_classes(texts)
    return Splits(training=texts, evaluation=given)
