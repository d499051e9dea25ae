"""What an S3 error means to the user: something to fix, or something that may pass."""

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    InvalidRegionError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
)

from ..errors import ObjectMissingError, StorageRefusedError, StorageUnavailableError, TrainerError

MISSING = {"NoSuchKey", "404"}

KEYS = (
    "the Secret named in spec.output.credentialsSecretRef (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY), "
    "or in the environment of a local run"
)

REFUSALS = {
    "NoSuchBucket": "the bucket does not exist; create it or correct the URI",
    "InvalidBucketName": "no valid bucket name; correct the URI",
    "AccessDenied": f"access denied; allow reading, writing, listing and deleting to the user of {KEYS}",
    "403": f"access denied; allow reading, writing, listing and deleting to the user of {KEYS}",
    "InvalidAccessKeyId": f"the server does not know this access key; correct {KEYS}",
    "XAdminUserNotFound": f"the server does not know this access key; correct {KEYS}",  # versitygw
    "SignatureDoesNotMatch": f"the secret key is wrong; correct {KEYS}",
    "AuthorizationHeaderMalformed": "the bucket is in another region; correct spec.output.region",
    "PermanentRedirect": "the bucket is in another region; correct spec.output.region",
    "ExpiredToken": f"the session has expired; renew {KEYS}",
    "InvalidToken": f"the session token is not valid; correct {KEYS}",
}


def translate(
    error: ClientError | BotoCoreError, uri: str, endpoint: str | None
) -> TrainerError | ObjectMissingError:
    """The trainer's error for one of botocore's."""
    where = f"{uri} at {endpoint}" if endpoint else uri
    if isinstance(error, ClientError):
        code = str(error.response.get("Error", {}).get("Code"))
        if code in MISSING:
            return ObjectMissingError(uri)
        if code in REFUSALS:
            return StorageRefusedError(f"{where}: {REFUSALS[code]} ({code})")
        return StorageUnavailableError(f"{where}: {error}")
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return StorageRefusedError(f"{where}: there are no credentials; set {KEYS}")
    if isinstance(error, ParamValidationError | InvalidRegionError):
        return StorageRefusedError(f"{where}: correct the URI, spec.output.endpoint or region ({error})")
    return StorageUnavailableError(f"{where}: {error}; see spec.output.endpoint when this goes on")
