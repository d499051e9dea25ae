"""References of specs: other objects, and places in an object store."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from .base import Model, ObjectName, Without

NO_WAY_UP = Without(
    r"(^|/)(\.|%2[eE]){1,2}(/|$)", "a path can't have . or .. between slashes: write the resolved path"
)
StorageUri = Annotated[str, Field(max_length=1024, pattern=r"^(s3|file)://.+$"), NO_WAY_UP]

Endpoint = Annotated[
    str,
    Field(max_length=1024, pattern=r"^https?://[^/?#\s][^\s]*$"),
    Without(r"@", "an endpoint can't contain credentials: put them into a Secret, see credentialsSecretRef"),
    # A server takes the first part of a path for the bucket: objects would be read, written and deleted in
    # another one than the URI names.
    Without(
        r"^[a-z]+://[^/?#]*(/.|[?#])",
        "an endpoint can't have a path: write only the server's URL, such as https://s3.example.com",
    ),
]
RepositoryId = Annotated[
    str, Field(max_length=200, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)?$")
]
OwnedRepositoryId = Annotated[
    str, Field(max_length=200, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*$")
]
Revision = Annotated[str, Field(max_length=200, pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]*$"), NO_WAY_UP]
Region = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9-]*$")]


class LocalObjectReference(Model):
    """An object in the same namespace."""

    name: ObjectName
    """Name of the object."""


class ModelFormat(StrEnum):
    """What a model can be published as, beside safetensors."""

    ONNX = "ONNX"


class HuggingFaceOutput(Model):
    """A repository of the Hugging Face Hub, or of the mirror that the operator is configured with."""

    repo_id: OwnedRepositoryId
    """Repository, such as organization/name; created when training starts if it doesn't exist. Each run is a
    commit that replaces all files."""

    private: bool = True
    """Whether the repository must be private. If true, nothing is pushed to a public one."""

    token_secret_ref: LocalObjectReference | None = None
    """Secret with an access token under the key `token` that may write to the repository. Default: the token
    of baseModel.huggingFace."""


class Output(Model):
    """The object store that results are written to, and that s3:// data sets and models are read from."""

    uri: StorageUri
    """Results are written under <uri>/<namespace>/<run name>/<hash of the spec>/."""

    endpoint: Endpoint | None = None
    """URL of an S3-compatible server, without path and credentials. Default: AWS."""

    region: Region = "us-east-1"
    """Region of the bucket."""

    formats: Annotated[list[ModelFormat], Field(max_length=1)] = []
    """What the model is published as beside safetensors. ONNX: a graph for onnxruntime, in onnx/model.onnx of
    the model's folder."""

    hugging_face: HuggingFaceOutput | None = None
    """Where the published model is also pushed to. Whether that is allowed is checked before training. If it
    fails afterwards, the run succeeds all the same, and status.huggingFace says why."""

    patience_seconds: Annotated[int, Field(ge=0, le=86_400)] = 3600
    """Seconds that the store may be unavailable, or reject what it accepted before, until the run fails.
    Training continues meanwhile, and its results are uploaded afterwards. A push to the Hugging Face Hub is
    retried for as long."""

    credentials_secret_ref: LocalObjectReference | None = None
    """Secret with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and AWS_SESSION_TOKEN for temporary
    credentials. Default: the pod's own identity. Running pods pick up changed keys."""
