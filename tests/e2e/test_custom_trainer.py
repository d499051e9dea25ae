"""The example of a trainer of one's own, as an image, in a pod on a real node."""

import hashlib
import math
from typing import Any

import pytest
import yaml
from e2e.world import World
from readme import ROOT

from localcluster import LocalCluster, buildah, images
from localcluster.cache import locked
from trainingrun_api.status import Phase, TrainingRunStatus

pytestmark = [pytest.mark.slow, pytest.mark.ecosystem]

EXAMPLE = ROOT / "examples" / "custom-trainer"
EPOCHS = 2
LOSS_OF_GUESSING = math.log(8)
"""There are eight labels."""


@pytest.fixture
def image(world: World) -> str:
    """That of the example, in the registry: beside the trainer's, whose layers are there."""
    cluster = LocalCluster()
    tag = f"custom-{hashlib.sha256((EXAMPLE / 'train.py').read_bytes()).hexdigest()[:12]}"
    local, pushed = images.TRAINER.local_name(tag), f"{cluster.registry}/{images.TRAINER.name}:{tag}"
    with locked("images"):
        base = images.TRAINER.local_name(images.build(images.TRAINER))
        buildah.build(local, EXAMPLE / "Dockerfile", EXAMPLE, base)
        buildah.push(local, pushed, cluster.nsenter)
    return pushed


def under_way(status: TrainingRunStatus) -> bool:
    """Whether it has said how far it is, and how long it takes yet."""
    told = status.progress
    return told is not None and 0 < told.percent < 100 and told.remaining_seconds is not None


def test_it_trains_reports_and_leaves_its_model(world: World, image: str) -> None:
    spec: dict[str, Any] = yaml.safe_load((EXAMPLE / "run.yaml").read_text())["spec"]
    spec["trainer"]["image"] = image
    spec["training"]["maxEpochs"] = EPOCHS
    name = world.apply(spec | {"resources": {"cpu": "1", "memory": "3Gi"}}, "custom")
    told = world.until(name, lambda status: under_way(status) or status.phase.finished)
    assert under_way(told), world.story(name)
    status = world.finished(name)
    assert (status.phase, status.restarts) == (Phase.SUCCEEDED, 0), world.story(name)
    assert status.progress is not None
    assert status.progress.percent == 100
    assert status.progress.metrics["grad_norm"] > 0
    assert status.epochs[-1].epoch == EPOCHS
    assert status.epochs[-1].evaluation_loss < LOSS_OF_GUESSING
    assert status.artifacts is not None
    assert {"model.safetensors", "config.json"} <= world.objects(status.artifacts.model)
    world.delete(name)
