"""What an S3 error means to the user: something to fix, or something that may pass."""

from collections.abc import Callable, Iterable

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

from ..errors import (
    AlreadyWrittenError,
    ObjectMissingError,
    StorageRefusedError,
    StorageUnavailableError,
    TrainerError,
)

Hidden = Callable[[], Iterable[str]]

MISSING = {"NoSuchKey", "404"}

ROLE_VARIABLE = "AWS_ROLE_ARN"
"""Environment variable of pods with an identity of their own."""

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

IDENTITY = "AssumeRoleWithWebIdentity"
"""What asks for keys in exchange for the token of the pod's service account."""

IDENTITY_MAY_PASS = {"IDPCommunicationError", "Throttling", "RequestTimeout"}

NEVER = {401, 403, 405, 501}
"""Statuses that another try doesn't change: who asks may not, or the server can't."""


def translate(
    error: ClientError | BotoCoreError, uri: str, storage: Storage, hidden: Hidden = list
) -> TrainerError | ObjectMissingError:
    """The trainer's error for one of botocore's, which repeats nothing that `hidden` gives."""
    where = f"{uri} at {storage.endpoint}" if storage.endpoint else uri
    if isinstance(error, ClientError):
        return _refused(error, uri, where, storage, hidden)
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return StorageRefusedError(f"{where}: there are no credentials; set {_keys(storage)}")
    if isinstance(error, ParamValidationError | InvalidRegionError):
        return StorageRefusedError(f"{where}: correct the URI, spec.output.endpoint or region ({error})")
    said: object = error
    if type(error) is HTTPClientError:  # its text may hold headers, and so what a request is signed with
        said = f"a request could not be sent ({type(error.kwargs['error']).__name__})"
    return StorageUnavailableError(f"{where}: {said}; see spec.output.endpoint when this goes on")


def _refused(
    error: ClientError, uri: str, where: str, storage: Storage, hidden: Hidden
) -> TrainerError | ObjectMissingError:
    code = str(error.response.get("Error", {}).get("Code"))
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    if error.operation_name == IDENTITY:
        return _no_identity(where, code, status)
    if code in MISSING:
        return ObjectMissingError(uri)
    if code in REFUSALS:
        return StorageRefusedError(f"{where}: {REFUSALS[code].format(keys=_keys(storage))} ({code})")
    if code == "PreconditionFailed":
        return AlreadyWrittenError(f"{where}: another trainer wrote it in the meantime")
    kind = StorageRefusedError if status in NEVER else StorageUnavailableError
    return kind(f"{where}: {_said(error, hidden)}")


def _no_identity(where: str, code: str, status: object) -> TrainerError:
    passes = code in IDENTITY_MAY_PASS or (isinstance(status, int) and status >= 500)
    kind = StorageUnavailableError if passes else StorageRefusedError
    return kind(
        f"{where}: the pod's own identity is rejected ({IDENTITY}: {code}); let the role in {ROLE_VARIABLE} "
        "trust the service account of the run"
    )


def _said(error: ClientError, hidden: Hidden) -> str:
    """The server's words, without the keys that some repeat."""
    said = str(error)
    for key in hidden():
        said = said.replace(key, "(access key)")
    return said


def _keys(storage: Storage) -> str:
    names = " and ".join(REQUIRED_STORAGE_KEYS)
    if storage.credentials_secret:
        return f"{names} in Secret {storage.credentials_secret}"
    return f"{names} in the environment, on a cluster by the Secret of spec.output.credentialsSecretRef"
