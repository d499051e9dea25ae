"""Which Secret, or key of one, a pod waits for, as its kubelet says; the operator itself can read none."""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from trainingrun_api.names import MLFLOW_CREDENTIALS

from .credentials import MLFLOW_VOLUME
from .resources import Manifest

# As the kubelet writes them: kubelet_pods.go of variables, secret.go and projected.go of volumes.
NO_SECRET = re.compile(r'secrets? "(?P<secret>[^"\s]+)" not found')
NO_KEY = re.compile(r"couldn't find key (?P<key>\S+) in Secret \S+/(?P<secret>\S+)")
NO_FILE = re.compile(
    r'for volume "(?P<volume>[^"]+)".* references non-existent secret key: (?P<key>[^\s,\]]+)'
)


class TakenSecret(NamedTuple):
    """A Secret that a pod can't start without."""

    secret: str
    keys: tuple[str, ...]
    """That it needs of it; none where it takes what there is."""
    volume: str | None = None
    """By which it takes it; None for variables."""


def taken_secrets(pod: Manifest) -> tuple[TakenSecret, ...]:
    """All Secrets that a pod can't start without."""
    return tuple(_of_variables(pod["spec"]["containers"])) + tuple(
        _of_volumes(pod["spec"].get("volumes", ()))
    )


def missing_secret(message: str, taken: tuple[TakenSecret, ...], namespace: str) -> str | None:
    """What to create, from why a container can't be made or a volume mounted; None for something else."""
    if found := NO_KEY.search(message):
        return _no_key(found["secret"], found["key"], namespace)
    if found := NO_FILE.search(message):
        of_it = [one for one in taken if one.volume == found["volume"]]
        named = [one.secret for one in of_it if found["key"] in one.keys]
        return _no_key(named[0], found["key"], namespace) if named else None
    if found := NO_SECRET.search(message):
        keys = _keys([one for one in taken if one.secret == found["secret"]])
        hint = f"create it with {keys}" if keys else "create it"
        return f"Secret {found['secret']} does not exist in namespace {namespace}; {hint}"
    return None


def _no_key(secret: str, key: str, namespace: str) -> str:
    return f"Secret {secret} in namespace {namespace} has no key {key}; add it"


def _keys(of_it: list[TakenSecret]) -> str:
    """What the Secret has to hold."""
    keys = dict.fromkeys(key for one in of_it for key in one.keys)
    choices = MLFLOW_CREDENTIALS if MLFLOW_VOLUME in {one.volume for one in of_it} else ()
    return ", or ".join(" and ".join(some) for some in (tuple(keys), *choices) if some)


def _of_variables(containers: Iterable[Manifest]) -> Iterator[TakenSecret]:
    for container in containers:
        for variable in container.get("env", ()):
            reference = variable.get("valueFrom", {}).get("secretKeyRef")
            if reference and not reference.get("optional"):
                yield TakenSecret(reference["name"], (reference["key"],))


def _of_volumes(volumes: Iterable[Manifest]) -> Iterator[TakenSecret]:
    for volume in volumes:
        if secret := volume.get("secret"):
            yield from _of_source(secret["secretName"], secret, volume["name"])
        for source in volume.get("projected", {}).get("sources") or ():  # null where a user gives none
            if secret := source.get("secret"):
                yield from _of_source(secret["name"], secret, volume["name"])


def _of_source(name: str, source: Manifest, volume: str) -> Iterator[TakenSecret]:
    if not source.get("optional"):
        yield TakenSecret(name, tuple(item["key"] for item in source.get("items", ())), volume)
