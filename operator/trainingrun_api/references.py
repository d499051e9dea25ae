"""What specs refer to: other objects and places in an object store."""

from typing import Annotated

from pydantic import Field

from .base import Model, ObjectName

StorageUri = Annotated[str, Field(max_length=1024, pattern=r"^(s3|file)://.+$")]


class LocalObjectReference(Model):
    """An object in the namespace of the resource that names it."""

    name: ObjectName
    """Name of the object."""


class Output(Model):
    """The object store that results go to, and that s3:// data sets and models are read from."""

    uri: StorageUri
    """Results go under <uri>/<namespace>/<run name>/<hash of the spec>/."""

    endpoint: Annotated[str, Field(max_length=1024, pattern=r"^https?://.+$")] | None = None
    """URL of an S3-compatible server; AWS when left out."""

    region: Annotated[str, Field(min_length=1, max_length=64)] = "us-east-1"
    """Region of the bucket."""

    credentials_secret_ref: LocalObjectReference | None = None
    """Secret with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; left out, the pod's own identity is used."""
