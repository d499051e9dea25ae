"""Batches of few texts leave several devices little to do."""

import pytest

from trainingrun_api.advice import FindingType, Severity
from trainingrun_trainer.advice import advise

from .evidence import RECIPE, evidence, types


@pytest.mark.parametrize(("batch_size", "processes"), [(7, 1), (16, 2), (64, 8)])
def test_devices_with_enough_texts_are_not_remarked_on(batch_size: int, processes: int) -> None:
    recipe = RECIPE.model_copy(update={"batch_size": batch_size, "processes": processes})
    assert types(evidence(recipe=recipe)) == []


def test_devices_with_few_texts_are_told_what_to_raise() -> None:
    recipe = RECIPE.model_copy(update={"batch_size": 30, "processes": 4})
    (found,) = advise(evidence(recipe=recipe))
    assert (found.type, found.severity) == (FindingType.STARVED_DEVICES, Severity.INFO)
    assert "4 devices shared batches of 30 texts, 7.5 each" in found.message
    assert "Set training.batchSize to 32 or more" in found.suggestion
    assert found.evidence == {"processes": 4, "batchSize": 30}
