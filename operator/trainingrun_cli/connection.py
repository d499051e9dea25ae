"""The cluster of the current kubectl context."""

import os

from kubernetes import config
from kubernetes.client import ApiClient
from kubernetes.config import ConfigException

from .errors import CommandError


def connect(namespace: str | None) -> tuple[ApiClient, str]:
    """A client, and the namespace: the one given, else the context's. Raises CommandError for no cluster."""
    try:
        file = os.environ.get("KUBECONFIG")  # given by hand, since the library reads it once, at its import
        _, active = config.list_kube_config_contexts(file)
        return config.new_client_from_config(file), namespace or active["context"].get("namespace", "default")
    except ConfigException as error:
        raise CommandError(f"no cluster: {error}; set KUBECONFIG or pick a kubectl context") from error
