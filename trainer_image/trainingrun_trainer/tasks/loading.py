"""Which task a run is: the only place that asks for its type."""

from pathlib import Path
from typing import Any

from trainingrun_api.run_config import RunConfig
from trainingrun_api.tasks import TaskType

from .classification import MultiLabelTask, SingleLabelTask
from .embeddings import LabelEmbeddingTask, RankedPairsTask, ScoredPairsTask
from .pairs import require_one_kind
from .task import Task


def load_task(config: RunConfig, folder: Path) -> Task[Any, Any, Any]:
    """The run's task, with its data fetched into a new `folder`, read, deduplicated and split.

    Raises DataError, and SettingsError for settings that don't go with the data.
    """
    match config.task_type:
        case TaskType.CLASSIFICATION:
            return SingleLabelTask.load(config, folder)
        case TaskType.MULTI_LABEL_CLASSIFICATION:
            return MultiLabelTask.load(config, folder)
        case TaskType.TEXT_SIMILARITY:
            return _load_embedding_task(config, folder)


def _load_embedding_task(config: RunConfig, folder: Path) -> Task[Any, Any, Any]:
    require_one_kind(config.all_sources)
    if config.dataset.pair_field is None:
        return LabelEmbeddingTask.load(config, folder)
    if config.dataset.score_field is None:
        return RankedPairsTask.load(config, folder)
    return ScoredPairsTask.load(config, folder)
