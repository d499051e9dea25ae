"""What an S3 error means to the user: something to fix, or something that may pass."""

import os

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    InvalidRegionError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
)

from trainingrun_api.names import REQUIRED_STORAGE_KEYS
from trainingrun_api.run_config import Storage

from ..credentials import StorageKeys
from ..errors import (
    AlreadyWrittenError,
    ObjectMissingError,
    StorageRefusedError,
    StorageUnavailableError,
    TrainerError,
)

MISSING = {"NoSuchKey", "404"}

DENIED = "access denied; allow reading, writing, listing and deleting to the user of {keys}"
UNKNOWN_KEY = "the server does not know this access key; correct {keys}"
OTHER_REGION = "the bucket is in another region; correct spec.output.region"

REFUSALS = {
    "NoSuchBucket": "the bucket does not exist; create it or correct the URI",
    "InvalidBucketName": "no valid bucket name; correct the URI",
    "AccessDenied": DENIED,
    "403": DENIED,
    "InvalidAccessKeyId": UNKNOWN_KEY,
    "XAdminUserNotFound": UNKNOWN_KEY,  # versitygw
    "SignatureDoesNotMatch": "the secret key is wrong; correct {keys}",
    "AuthorizationHeaderMalformed": OTHER_REGION,
    "PermanentRedirect": OTHER_REGION,
    "ExpiredToken": "the session has expired; renew {keys}",
    "InvalidToken": "the session token is not valid; correct {keys}",
}

NEVER = {401, 403, 405, 501}
"""Statuses that another try doesn't change: who asks may not, or the server can't."""


def translate(
    error: ClientError | BotoCoreError, uri: str, storage: Storage, keys: StorageKeys | None = None
) -> TrainerError | ObjectMissingError:
    """The trainer's error for one of botocore's, made with `keys` or those of the environment."""
    where = f"{uri} at {storage.endpoint}" if storage.endpoint else uri
    if isinstance(error, ClientError):
        return _refused(error, uri, where, storage, keys)
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return StorageRefusedError(f"{where}: there are no credentials; set {_keys(storage)}")
    if isinstance(error, ParamValidationError | InvalidRegionError):
        return StorageRefusedError(f"{where}: correct the URI, spec.output.endpoint or region ({error})")
    said: object = error
    if type(error) is HTTPClientError:  # its text may hold headers, and so what a request is signed with
        said = f"a request could not be sent ({type(error.kwargs['error']).__name__})"
    return StorageUnavailableError(f"{where}: {said}; see spec.output.endpoint when this goes on")


def _refused(
    error: ClientError, uri: str, where: str, storage: Storage, keys: StorageKeys | None
) -> TrainerError | ObjectMissingError:
    code = str(error.response.get("Error", {}).get("Code"))
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    if code in MISSING:
        return ObjectMissingError(uri)
    if code in REFUSALS:
        return StorageRefusedError(f"{where}: {REFUSALS[code].format(keys=_keys(storage))} ({code})")
    if code == "PreconditionFailed":
        return AlreadyWrittenError(f"{where}: another trainer wrote it in the meantime")
    kind = StorageRefusedError if status in NEVER else StorageUnavailableError
    return kind(f"{where}: {_said(error, keys)}")


def _said(error: ClientError, keys: StorageKeys | None) -> str:
    """The server's words, without the key that some repeat."""
    key = keys.access_key if keys else os.environ.get(REQUIRED_STORAGE_KEYS[0])
    return str(error).replace(key, "(access key)") if key else str(error)


def _keys(storage: Storage) -> str:
    names = " and ".join(REQUIRED_STORAGE_KEYS)
    if storage.credentials_secret:
        return f"{names} in Secret {storage.credentials_secret}"
    return f"{names} in the environment, on a cluster by the Secret of spec.output.credentialsSecretRef"
