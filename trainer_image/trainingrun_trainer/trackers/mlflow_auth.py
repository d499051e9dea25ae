"""Credentials of an MLflow server from a mounted Secret: MLflow's client itself only knows variables."""

import base64
from typing import Any

from mlflow.tracking.request_auth.abstract_request_auth_provider import RequestAuthProvider
from mlflow.tracking.request_auth.registry import _request_auth_provider_registry

from trainingrun_api.names import MLFLOW_CREDENTIALS, MLFLOW_FOLDER

from ..credentials import read_keys, require_sendable
from ..errors import SettingsError
from ..settings import secret_folder
from .mlflow import AUTHENTICATION, TOKEN_PLACE


class MountedCredentials(RequestAuthProvider):  # type: ignore[misc] # MLflow has no types
    """Signs each request with what the Secret has then."""

    def get_name(self) -> str:
        return AUTHENTICATION

    def get_auth(self) -> "MountedCredentials":
        return self

    def __call__(self, request: Any) -> Any:
        """The request with its header. Raises SettingsError for a token that none can hold."""
        folder = secret_folder(MLFLOW_FOLDER)
        names = [name for names in MLFLOW_CREDENTIALS for name in names]
        username, password, token = read_keys(folder, names) if folder else ("", "", "")
        if username and password:
            both = base64.b64encode(f"{username}:{password}".encode()).decode()
            request.headers["Authorization"] = f"Basic {both}"
        elif token:
            require_sendable(token, TOKEN_PLACE, SettingsError)
            request.headers["Authorization"] = f"Bearer {token}"
        return request


def use_mounted_credentials() -> None:
    """Have MLflow's client find them. It looks for entry points, which code without a package has none of."""
    if not any(isinstance(known, MountedCredentials) for known in _request_auth_provider_registry):
        _request_auth_provider_registry.register(MountedCredentials)
