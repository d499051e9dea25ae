"""Secrets of a run on a real node: missing ones are named, present ones are files, replaced ones arrive."""

import base64
import uuid
from typing import Any

import pytest
from e2e.test_main_job import OUTPUT, SPEC, succeeded
from e2e.world import World
from kubernetes.client import CoreV1Api

from demo.objectstore import NAMESPACE
from trainingrun_api.names import CREDENTIALS_VARIABLE, REQUIRED_STORAGE_KEYS
from trainingrun_api.status import Phase, TrainingRunStatus

pytestmark = pytest.mark.slow

ACCESS_KEY, SECRET_KEY = REQUIRED_STORAGE_KEYS


class TeamSecret:
    """A Secret of the namespace, with the keys of the demo's or others."""

    def __init__(self, world: World, name: str) -> None:
        self.name = f"{name}-{uuid.uuid4().hex[:6]}"
        self._core = CoreV1Api(world.api_client)
        held = self._core.read_namespaced_secret("s3-credentials", NAMESPACE).data
        self.right = {key: base64.b64decode(value).decode() for key, value in held.items()}

    @property
    def output(self) -> dict[str, Any]:
        """That of a run with these keys."""
        return {**OUTPUT, "credentialsSecretRef": {"name": self.name}}

    def create(self, keys: dict[str, str]) -> None:
        self._core.create_namespaced_secret(NAMESPACE, self._body(keys))

    def change(self, keys: dict[str, str]) -> None:
        self._core.patch_namespaced_secret(self.name, NAMESPACE, self._body(keys))

    def delete(self) -> None:
        self._core.delete_namespaced_secret(self.name, NAMESPACE)

    def _body(self, keys: dict[str, str]) -> dict[str, Any]:
        return {"metadata": {"name": self.name}, "stringData": keys}


def says(words: str) -> Any:
    """Whether a status has these words in its first condition."""

    def said(status: TrainingRunStatus) -> bool:
        return bool(status.conditions) and words in status.conditions[0].message

    return said


def running(status: TrainingRunStatus) -> bool:
    return status.phase is Phase.RUNNING


def test_a_missing_secret_and_key_are_named_and_keys_are_in_no_environment(world: World) -> None:
    secret = TeamSecret(world, "later")
    name = world.apply({**SPEC, "output": secret.output}, "locked")
    waiting = world.until(name, says(f"Secret {secret.name} does not exist"))
    assert succeeded(waiting) == ("Unknown", "SecretNotFound")
    assert f"create it with {ACCESS_KEY} and {SECRET_KEY}" in waiting.conditions[0].message
    secret.create({ACCESS_KEY: secret.right[ACCESS_KEY]})
    waiting = world.until(name, says(f"has no key {SECRET_KEY}; add it"))
    assert succeeded(waiting) == ("Unknown", "SecretNotFound")
    secret.change(secret.right)
    started = world.until(name, running)
    assert started.pod_name is not None
    environment = world.execute(started.pod_name, "cat", "/proc/1/environ")
    assert CREDENTIALS_VARIABLE in environment
    assert [key for key in secret.right.values() if key in environment] == []
    secret.delete()
    world.delete(name)


@pytest.mark.ecosystem
def test_replaced_keys_reach_a_running_pod(world: World) -> None:
    """Wrong ones are noticed, and right ones again are taken up, in one pod."""
    secret = TeamSecret(world, "replaced")
    secret.create(secret.right)
    training = {"maxEpochs": 10, "earlyStopping": {"patience": 10}}
    name = world.apply({**SPEC, "training": training, "output": secret.output}, "rotated")
    started = world.until(name, lambda status: len(status.epochs) > 1)
    secret.change({SECRET_KEY: "wrong"})
    noticed = world.until(name, says("the secret key is wrong"))
    secret.change(secret.right)
    ended = world.finished(name)
    assert ended.phase is Phase.SUCCEEDED, world.story(name)
    assert started.pod_name == noticed.pod_name == ended.pod_name
    assert ended.restarts == 0
    secret.delete()
    world.delete(name)
