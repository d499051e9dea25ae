"""Objects in S3 or a server that speaks its protocol."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import CredentialProvider, Credentials, ReadOnlyCredentials
from botocore.exceptions import BotoCoreError, ClientError

from trainingrun_api.names import STORAGE_FOLDER, STORAGE_KEYS
from trainingrun_api.run_config import Storage

from ..credentials import StorageKeys, read_keys, require_sendable
from ..errors import ObjectMissingError, StorageRefusedError
from ..settings import secret_folder
from .s3_errors import translate

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


DELETE_AT_ONCE = 1000
"""Most keys in one DeleteObjects request."""

NOT_IMPLEMENTED = 501

TOKEN_VARIABLE = "AWS_WEB_IDENTITY_TOKEN_FILE"  # noqa: S105 - its name
"""Environment variable of pods with an identity of their own: the file with their token."""

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


class S3Store:
    """A Store over S3; without keys, credentials come from the environment or the pod's identity."""

    def __init__(self, storage: Storage, keys: StorageKeys | None = None) -> None:
        self._storage, self._keys = storage, keys

    @cached_property
    def _session(self) -> boto3.session.Session:
        return open_session(self._keys)

    @cached_property
    def _client(self) -> "S3Client":
        return open_client(self._session, self._storage)

    def files(self, prefix: str) -> list[str]:
        bucket, key = _split(prefix)
        with self._translated(prefix):
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key)
            keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
        return sorted(f"s3://{bucket}/{key}" for key in keys if not key.endswith("/"))

    def exists(self, uri: str) -> bool:
        try:
            with self._translated(uri):
                # A list tells a missing object from a missing bucket, which HeadObject doesn't.
                bucket, key = _split(uri)
                found = self._client.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1)
        except ObjectMissingError:
            return False
        return any(item["Key"] == key for item in found.get("Contents", []))

    def read(self, uri: str) -> bytes:
        bucket, key = _split(uri)
        with self._translated(uri):
            return self._client.get_object(Bucket=bucket, Key=key)["Body"].read()

    def write(self, uri: str, content: bytes, *, only_new: bool = False) -> None:
        """Put an object; only_new by If-None-Match, which a server may ignore."""
        bucket, key = _split(uri)
        with self._translated(uri):
            if not only_new or not self._put_new(bucket, key, content):
                self._client.put_object(Bucket=bucket, Key=key, Body=content)

    def _put_new(self, bucket: str, key: str, content: bytes) -> bool:
        """Put an object on the condition that it isn't there; False where the server can't."""
        try:
            self._client.put_object(Bucket=bucket, Key=key, Body=content, IfNoneMatch="*")
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] != NOT_IMPLEMENTED:
                raise
            return False
        return True

    def download(self, uri: str, path: Path) -> None:
        """Get an object, in parts when it is large."""
        bucket, key = _split(uri)
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._translated(uri), path.open("wb") as content:
            self._client.download_fileobj(bucket, key, content)

    def upload(self, path: Path, uri: str) -> None:
        """Put an object, in parts when it is large."""
        bucket, key = _split(uri)
        with self._translated(uri), path.open("rb") as content:
            self._client.upload_fileobj(content, bucket, key)

    def delete(self, uris: list[str]) -> None:
        for start in range(0, len(uris), DELETE_AT_ONCE):
            several = uris[start : start + DELETE_AT_ONCE]
            bucket, _ = _split(several[0])
            with self._translated(several[0]):
                for key in self._left_of(bucket, [_split(uri)[1] for uri in several]):
                    self._client.delete_object(Bucket=bucket, Key=key)

    def _left_of(self, bucket: str, keys: list[str]) -> list[str]:
        """Delete all in one request; gives those that are to be deleted one by one.

        That is all of them where the server refuses the request as such: some have no DeleteObjects, others
        demand a Content-MD5, which botocore no longer sends.
        """
        objects = [{"Key": key} for key in keys]
        try:
            answer = self._client.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})  # type: ignore[typeddict-item]
        except ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            if status >= 500 and status != NOT_IMPLEMENTED:
                raise
            return keys
        return [refused["Key"] for refused in answer.get("Errors", [])]

    @contextmanager
    def _translated(self, uri: str) -> Iterator[None]:
        try:
            yield
        except (ClientError, BotoCoreError) as error:
            raise translate(error, uri, self._storage, self._sent) from None
        except FileNotFoundError as error:
            if error.filename != os.environ.get(TOKEN_VARIABLE):
                raise
            raise StorageRefusedError(
                f"{uri}: there is no token in {error.filename}, which {TOKEN_VARIABLE} names; mount it there"
            ) from None

    def _sent(self) -> list[str]:
        """What a server knows of the credentials, and may repeat."""
        try:
            credentials = self._session.get_credentials()
            frozen = credentials.get_frozen_credentials() if credentials else None
        except (ClientError, BotoCoreError, OSError):
            return []
        return [part for part in (frozen.access_key, frozen.token) if part] if frozen else []


def _split(uri: str) -> tuple[str, str]:
    parts = urlsplit(uri, allow_fragments=False)
    return parts.netloc, uri.removeprefix(f"s3://{parts.netloc}").removeprefix("/")


def open_client(session: boto3.session.Session, storage: Storage) -> "S3Client":
    """A client with the session's credentials.

    Raises StorageRefusedError for credentials that no request can hold; so do requests for lists, for a
    server that is no object store.
    """
    credentials = session.get_credentials()
    if credentials is not None:
        _require_sendable(credentials, storage)
    client = session.client("s3", endpoint_url=storage.endpoint, region_name=storage.region, config=CONFIG)

    def require_object_store(response_dict: dict[str, Any], **_: object) -> None:
        status, body = response_dict["status_code"], response_dict["body"]
        if status < 500 and status not in MAY_PASS and not ANSWER.search(body):
            kind = response_dict["headers"].get("Content-Type") or "no content type"
            raise StorageRefusedError(
                f"{client.meta.endpoint_url} is not an S3 server: it answered a request to list objects "
                f"with {kind}, status {status}; correct spec.output.endpoint"
            )

    # By a wildcard, which comes before botocore's own handler: that makes a status 500, tried again, of
    # a 200 without XML.
    client.meta.events.register("before-parse.*.ListObjectsV2", require_object_store)
    return client


def open_session(keys: StorageKeys | None) -> boto3.session.Session:
    """With these `keys`; else mounted ones, which may change, the environment's, or the pod's own.

    It is a new one, since the one that boto3 shares keeps the credentials it saw first.
    """
    session = botocore.session.get_session()
    if keys is not None:
        session.set_credentials(keys.access_key, keys.secret_key, keys.token)
    folder = secret_folder(STORAGE_FOLDER)
    if folder is not None:
        session.get_component("credential_provider").insert_before("env", Mounted(folder))
    return boto3.session.Session(botocore_session=session)


def _require_sendable(credentials: Credentials, storage: Storage) -> None:
    frozen = credentials.get_frozen_credentials()
    values = (frozen.access_key, frozen.secret_key, frozen.token)
    secret = storage.credentials_secret
    for name, value in zip(STORAGE_KEYS, values, strict=True):
        require_sendable(
            value, f"{name} in {f'Secret {secret}' if secret else 'the environment'}", StorageRefusedError
        )


class MountedKeys(Credentials):
    """Read anew for each request that is signed, and never kept."""

    def __init__(self, folder: Path) -> None:
        super().__init__(access_key="", secret_key="", method=Mounted.METHOD)
        self._folder = folder

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """As they are now: all of one version of the Secret, "" for what there is none of."""
        access_key, secret_key, token = read_keys(self._folder, STORAGE_KEYS)
        return ReadOnlyCredentials(access_key, secret_key, token or None, None)


class Mounted(CredentialProvider):
    """The keys in a folder."""

    METHOD = "mounted-keys"

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def load(self) -> MountedKeys:
        return MountedKeys(self._folder)
