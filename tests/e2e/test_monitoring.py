"""Prometheus beside a run that trains: its curves are what the trainer said."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from controller.prometheus import Prometheus, draw_dashboards
from e2e.test_main_job import SPEC
from e2e.world import World

from demo.objectstore import NAMESPACE
from demo.operator_release import service_address

pytestmark = [pytest.mark.slow, pytest.mark.ecosystem]


@pytest.fixture
def prometheus(world: World, tmp_path: Path) -> Iterator[Prometheus]:
    with Prometheus(tmp_path, f"{service_address(world.kubernetes)}:8080") as prometheus:
        yield prometheus


def test_curves_by_epoch_are_those_of_the_run(world: World, prometheus: Prometheus, tmp_path: Path) -> None:
    began = time.time()
    world.apply(SPEC | {"resources": {"memory": "900Gi"}}, "too-large")
    world.apply(SPEC | {"dataset": {"uri": "s3://trainingrun-demo/data/missing.csv"}}, "mistyped")
    name = world.apply(SPEC | {"training": {"maxEpochs": 4, "earlyStopping": {"patience": 4}}}, "curves")
    status = world.finished(name)
    time.sleep(5)  # a scrape or two of the end
    draw_dashboards(prometheus, time.time() - began, NAMESPACE, name, tmp_path)

    of_the_run = f'{{namespace="{NAMESPACE}",name="{name}"}}'
    told = {(epoch.epoch, round(epoch.f1 or 0, 3)) for epoch in status.epochs}
    seen = prometheus.pairs(
        f"trainingrun_epoch{of_the_run} and on (name) trainingrun_phase{{phase='Running'}} == 1",
        f"trainingrun_f1{of_the_run}",
        time.time() - began,
    )
    assert {(epoch, round(f1, 3)) for epoch, f1 in seen} <= told
    assert len(seen) >= 3
