"""Where training starts."""

from typing import Annotated, ClassVar

from pydantic import Field

from .base import DNS_NAME, Model
from .references import NO_WAY_UP, LocalObjectReference, RepositoryId, Revision
from .rules import ExactlyOne, Rule

ModelUri = Annotated[
    str,
    Field(
        max_length=1024,
        pattern=rf"^((s3|file)://.+|pvc://{DNS_NAME}(/.*)?)$",
    ),
    NO_WAY_UP,
]


class HuggingFaceModel(Model):
    """A model on the Hugging Face Hub, or on the mirror that the operator is configured with."""

    repo_id: RepositoryId
    """Repository, such as organization/name."""

    revision: Revision = "main"
    """Branch, tag or commit; status.baseModel.revision has the commit that it resolved to."""

    token_secret_ref: LocalObjectReference | None = None
    """Secret with an access token under the key `token`, for private and gated repositories."""


ONE_ORIGIN = Rule(
    ExactlyOne(("from_run", "uri", "hugging_face")),
    "set exactly one of fromRun, uri and huggingFace; for the default model, leave out baseModel",
)


class BaseModel(Model):
    """The model that training starts from; set exactly one field."""

    from_run: LocalObjectReference | None = None
    """An earlier TrainingRun in this namespace; the run waits until it has succeeded."""

    uri: ModelUri | None = None
    """A folder in Hugging Face format (config.json, model.safetensors, tokenizer files), or a .zip, .tar,
    .tar.gz or .tgz of one: s3://bucket/path, or pvc://claim/path on a volume in this namespace."""

    hugging_face: HuggingFaceModel | None = None
    """A model on the Hugging Face Hub."""

    RULES: ClassVar = (ONE_ORIGIN,)
