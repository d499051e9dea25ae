"""The client of an S3 server, which sends nothing that can't be right."""

import re
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import Credentials

from trainingrun_api.run_config import Storage

from ..credentials import StorageKeys, require_sendable
from ..errors import StorageRefusedError
from ..settings import storage_keys
from .mounted_keys import Mounted

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CONFIG = Config(
    connect_timeout=10,
    read_timeout=60,
    retries={"mode": "standard", "max_attempts": 5},
    # Servers other than AWS's seldom have a host name for each bucket, nor the newest checksums.
    s3={"addressing_style": "path"},
    request_checksum_calculation="when_required",
    response_checksum_validation="when_required",
)

ANSWER = re.compile(rb"<(\w+:)?(ListBucketResult|Error)[\s>]")
"""What an object store says to a list of objects: the list, or why not."""

MAY_PASS = {408, 429}
"""Refusals that a proxy before an object store may write."""


def open_client(storage: Storage, keys: StorageKeys | None = None) -> "S3Client":
    """A client with these `keys`; else mounted ones, which may change, the environment's, or the pod's own.

    Raises StorageRefusedError for credentials that no request can hold; so do requests for lists, for a
    server that is no object store.
    """
    session = _session(keys)
    credentials = session.get_credentials()
    if credentials is not None:
        _require_sendable(credentials, storage)
    client = session.client("s3", endpoint_url=storage.endpoint, region_name=storage.region, config=CONFIG)

    def require_object_store(response_dict: dict[str, Any], **_: object) -> None:
        status, body = response_dict["status_code"], response_dict["body"]
        if status < 500 and status not in MAY_PASS and not ANSWER.search(body):
            kind = response_dict["headers"].get("Content-Type") or "no content type"
            raise StorageRefusedError(
                f"{client.meta.endpoint_url} is no object store: it answers a request for a list of objects "
                f"with {kind}, status {status}; correct spec.output.endpoint"
            )

    # By a wildcard, which comes before botocore's own handler: that makes a status 500, tried again, of
    # a 200 without XML.
    client.meta.events.register("before-parse.*.ListObjectsV2", require_object_store)
    return client


def _session(keys: StorageKeys | None) -> boto3.session.Session:
    """One of its own, since the one that boto3 shares keeps the credentials it saw first."""
    session = botocore.session.get_session()
    if keys is not None:
        session.set_credentials(keys.access_key, keys.secret_key, keys.token)
    folder = storage_keys()
    if folder is not None:
        session.get_component("credential_provider").insert_before("env", Mounted(folder))
    return boto3.session.Session(botocore_session=session)


def _require_sendable(credentials: Credentials, storage: Storage) -> None:
    frozen = credentials.get_frozen_credentials()
    values = {
        "AWS_ACCESS_KEY_ID": frozen.access_key,
        "AWS_SECRET_ACCESS_KEY": frozen.secret_key,
        "AWS_SESSION_TOKEN": frozen.token,
    }
    secret = storage.credentials_secret
    for name, value in values.items():
        require_sendable(
            value, f"{name} in {f'Secret {secret}' if secret else 'the environment'}", StorageRefusedError
        )
