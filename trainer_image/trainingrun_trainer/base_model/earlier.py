"""What the run that made the base model was worth."""

import logging

from pydantic import ValidationError

from trainingrun_api.artifacts import ArtifactPaths
from trainingrun_api.evaluation import Evaluation
from trainingrun_api.run_config import BaseModelSource, Storage

from .. import artifacts
from ..errors import ObjectMissingError, TrainerError

log = logging.getLogger(__name__)


def earlier_evaluation(source: BaseModelSource, storage: Storage) -> Evaluation | None:
    """The evaluation.json beside the model of the earlier run; None for a base model that no run made.

    None too, with a warning, when it can't be read: the model can be gone on from all the same.
    """
    if source.from_run is None or source.uri is None:
        return None
    uri = ArtifactPaths.beside(source.uri).evaluation
    try:
        content = artifacts.open_store(uri, storage).read(uri)
        # A newer trainer may have written more.
        return Evaluation.model_validate_json(content, extra="ignore")
    except (ObjectMissingError, TrainerError, ValidationError) as error:
        log.warning(
            "The scores of run %s are left out, since %s can't be read: %s", source.from_run, uri, error
        )
        return None
