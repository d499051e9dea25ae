"""The Helm release while runs train: upgraded, rolled back, uninstalled and installed again."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from e2e.reporter import Reporter
from e2e.test_main_job import OUTPUT, SPEC
from e2e.world import World
from promises import Promise

from demo.operator_release import (
    CHART,
    NAMESPACE,
    RELEASE,
    helm,
    service_address,
    staying_pods,
    wait_until_it_leads,
)
from trainingrun_api.status import Phase

pytestmark = pytest.mark.slow

WITHOUT_OUTPUT = {name: value for name, value in SPEC.items() if name != "output"}


class Release:
    """The operator's, by the commands that an administrator types."""

    def __init__(self, world: World) -> None:
        self._kubernetes = world.kubernetes
        self.values: dict[str, Any] = json.loads(self._helm("get", "values", RELEASE, "--output=json"))

    def upgrade(self, **values: Any) -> None:
        """Install it with other values, or anew."""
        given = json.dumps({**self.values, **values})
        self._helm("upgrade", RELEASE, str(CHART), "--install", "--values=-", standard_input=given)
        wait_until_it_leads(self._kubernetes)

    def roll_back(self) -> None:
        self._helm("rollback", RELEASE)
        wait_until_it_leads(self._kubernetes)

    def uninstall(self) -> None:
        self._helm("uninstall", RELEASE, "--wait")

    @property
    def variables(self) -> str:
        """Names of the variables that the operator has."""
        names = "--output=jsonpath={.spec.template.spec.containers[0].env[*].name}"
        return self._kubernetes.kubectl("--namespace", NAMESPACE, "get", f"deployment/{RELEASE}", names)

    def _helm(self, *arguments: str, standard_input: str | None = None) -> str:
        return helm(self._kubernetes, *arguments, "--namespace", NAMESPACE, standard_input=standard_input)


@pytest.fixture
def release(world: World) -> Iterator[Release]:
    release = Release(world)
    yield release
    release.upgrade()


@pytest.mark.ecosystem
def test_runs_go_on_whatever_happens_to_the_release(world: World, release: Release) -> None:
    name = world.apply(SPEC, "upgraded")
    world.until(name, lambda status: len(status.epochs) > 0)

    release.upgrade(defaultOutput=OUTPUT, podDisruptionBudget={"enabled": True})
    assert "DEFAULT_OUTPUT" in release.variables
    started = world.apply(WITHOUT_OUTPUT, "defaulted")
    world.until(started, lambda status: status.job_name is not None)

    release.roll_back()
    assert "DEFAULT_OUTPUT" not in release.variables
    refused = world.finished(world.apply(WITHOUT_OUTPUT, "refused"))
    assert refused.phase is Phase.FAILED
    assert "spec.output.uri, such as s3://bucket/prefix, is required" in refused.conditions[0].message

    release.uninstall()
    assert world.story(name), "the definitions are kept, and all runs with them"

    release.upgrade()
    for run in (name, started):
        status = world.finished(run)
        assert (status.phase, status.restarts) == (Phase.SUCCEEDED, 0), world.story(run)
        assert status.artifacts is not None
        assert "model.safetensors" in world.objects(status.artifacts.model)
        world.delete(run)


ENDING_SECONDS = 15.0
"""In which pods that were replaced come to their end."""
RUNS = 4
SMALL = {"cpu": "100m", "memory": "1Gi"}


def reporters_of(world: World, name: str) -> list[Reporter]:
    """For a run whose pod does nothing, with that pod's token: over one connection, and over many."""
    world.until(name, lambda status: status.phase is Phase.RUNNING)
    token, authority = (
        world.execute(world.pod(name), "sh", "-c", f"cat ${variable}")
        for variable in ("KUBEFLOW_TRAINER_SERVER_TOKEN", "KUBEFLOW_TRAINER_SERVER_CA_CERT")
    )
    address, run = service_address(world.kubernetes), world.run(name)
    return [Reporter(address, authority, token, run, keeps=keeps) for keeps in (True, False)]


@pytest.mark.faults
def test_no_report_is_lost_while_replicas_are_replaced(
    world: World, release: Release, promise: Promise
) -> None:
    release.upgrade(replicas=2)
    image = "{repository}:{tag}".format(**release.values["trainerImage"])
    idle = SPEC | {"trainer": {"image": image, "command": ["sleep", "1200"]}, "resources": SMALL}
    names = [world.apply(idle, "reporting") for _ in range(RUNS)]
    reporters = [reporter for name in names for reporter in reporters_of(world, name)]
    before = staying_pods(world.kubernetes)
    for reporter in reporters:
        reporter.start()
    release.upgrade(replicas=2, podAnnotations={"replaced": "all"})
    time.sleep(ENDING_SECONDS)
    for reporter in reporters:
        reporter.end()

    after = staying_pods(world.kubernetes)
    assert len(before) == len(after) == 2
    assert not before & after
    answers = sum((reporter.answers for reporter in reporters), Counter[int | str]())
    assert set(answers) == {204}, answers
    for name in names:
        last = max(reporter.last for reporter in reporters if reporter.of == name)
        world.until(name, lambda status, last=last: status.progress.last_update_time == last)
        world.delete(name)
    promise(
        "Operator",
        "While two replicas are replaced by an upgrade, no report is lost, over one connection or many",
        f"{answers.total():,} reports, none unanswered or refused",
    )
