"""The Secrets of a run as files of its pod: each is a folder, whose files follow it when it changes."""

from typing import NamedTuple

from trainingrun_api.names import (
    HUB_PUSH_TOKEN_VARIABLE,
    HUB_TOKEN_KEY,
    HUB_TOKEN_VARIABLE,
    MLFLOW_FOLDER,
    REQUIRED_STORAGE_KEYS,
    STORAGE_FOLDER,
    TEMPORARY_STORAGE_KEY,
)
from trainingrun_api.started_with import SecretNames

from .resources import Manifest

CREDENTIALS_FOLDER = "/var/run/secrets/credentials"
MLFLOW_VOLUME = "credentials-mlflow"


class MountedSecret(NamedTuple):
    """A Secret, and which of its keys are files in which folder."""

    folder: str
    secret: str
    required: tuple[str, ...] = ()
    """Until these are there, the pod waits; with none, for the Secret, all of whose keys are files."""
    optional: tuple[str, ...] = ()

    @property
    def volume(self) -> Manifest:
        """The volume of the pod."""
        sources = [_source(self.secret, self.required)]
        if self.optional:
            sources.append(_source(self.secret, self.optional, optional=True))
        return {"name": self._name, "projected": {"defaultMode": 0o440, "sources": sources}}

    @property
    def mount(self) -> Manifest:
        """Where the trainer's container has it."""
        return {"name": self._name, "mountPath": f"{CREDENTIALS_FOLDER}/{self.folder}", "readOnly": True}

    @property
    def _name(self) -> str:
        return f"credentials-{self.folder.lower().replace('_', '-')}"


def mounted_secrets(names: SecretNames) -> list[MountedSecret]:
    """All that the trainer reads."""
    storage, temporary = REQUIRED_STORAGE_KEYS, (TEMPORARY_STORAGE_KEY,)
    tokens = {HUB_TOKEN_VARIABLE: names.hub, **names.datasets, HUB_PUSH_TOKEN_VARIABLE: names.push}
    return [
        *([MountedSecret(STORAGE_FOLDER, names.storage, storage, temporary)] if names.storage else []),
        *(MountedSecret(name, secret, (HUB_TOKEN_KEY,)) for name, secret in tokens.items() if secret),
        # It holds a password or a token, and the kubelet knows no "or".
        *([MountedSecret(MLFLOW_FOLDER, names.mlflow)] if names.mlflow else []),
    ]


def _source(secret: str, keys: tuple[str, ...], *, optional: bool = False) -> Manifest:
    items = {"items": [{"key": key, "path": key} for key in keys]} if keys else {}
    return {"secret": {"name": secret, **items, **({"optional": True} if optional else {})}}
