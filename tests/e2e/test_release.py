"""The Helm release while runs train: upgraded, rolled back, uninstalled and installed again."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from e2e.test_main_job import OUTPUT, SPEC
from e2e.world import World

from demo.operator_release import CHART, NAMESPACE, RELEASE, helm, wait_until_it_leads
from trainingrun_api.status import Phase

pytestmark = [pytest.mark.slow, pytest.mark.ecosystem]

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
