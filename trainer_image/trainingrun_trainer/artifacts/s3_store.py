"""Objects in S3 or a server that speaks its protocol."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from trainingrun_api.run_config import Storage

from ..credentials import StorageKeys
from ..errors import ObjectMissingError
from .s3_client import open_client
from .s3_errors import translate

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

DELETE_AT_ONCE = 1000
"""Most keys in one DeleteObjects request."""

NOT_IMPLEMENTED = 501


class S3Store:
    """A Store over S3; without keys, credentials come from the environment or the pod's identity."""

    def __init__(self, storage: Storage, keys: StorageKeys | None = None) -> None:
        self._storage, self._keys = storage, keys

    @cached_property
    def _client(self) -> "S3Client":
        return open_client(self._storage, self._keys)

    def files(self, prefix: str) -> list[str]:
        """URIs of all objects under the prefix, sorted."""
        bucket, key = _split(prefix)
        with self._translated(prefix):
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key)
            keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
        return sorted(f"s3://{bucket}/{key}" for key in keys if not key.endswith("/"))

    def exists(self, uri: str) -> bool:
        """True when there is an object."""
        try:
            with self._translated(uri):
                # A list tells a missing object from a missing bucket, which HeadObject doesn't.
                bucket, key = _split(uri)
                found = self._client.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1)
        except ObjectMissingError:
            return False
        return any(item["Key"] == key for item in found.get("Contents", []))

    def read(self, uri: str) -> bytes:
        """Content of an object."""
        bucket, key = _split(uri)
        with self._translated(uri):
            return self._client.get_object(Bucket=bucket, Key=key)["Body"].read()

    def write(self, uri: str, content: bytes, *, only_new: bool = False) -> None:
        """Put an object; only_new by If-None-Match."""
        bucket, key = _split(uri)
        with self._translated(uri):
            if only_new:
                self._client.put_object(Bucket=bucket, Key=key, Body=content, IfNoneMatch="*")
            else:
                self._client.put_object(Bucket=bucket, Key=key, Body=content)

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
        """Delete objects."""
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
            raise translate(error, uri, self._storage, self._keys) from None


def _split(uri: str) -> tuple[str, str]:
    parts = urlsplit(uri, allow_fragments=False)
    return parts.netloc, uri.removeprefix(f"s3://{parts.netloc}").removeprefix("/")
