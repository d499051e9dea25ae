"""What a user adds to the trainer pod: part of a Kubernetes PodTemplateSpec.

The API server rejects all other fields: the operator decides them, or they would take the pod out of the
restricted Pod Security Standard. What is in a FreeForm or OpenModel is checked by the cluster's own version
of Kubernetes, when the Job is created.
"""

from typing import Annotated, ClassVar, Self

from pydantic import ConfigDict, Field

from .base import PRESERVED, QUALIFIED_NAME, FreeForm, Model, ObjectName
from .placement import LabelValue
from .rules import ExactlyOne, KeysMatch, Rule

Text = Annotated[str, Field(min_length=1, max_length=4096)]
AnnotationText = Annotated[str, Field(max_length=65_536)]

NAMES_OF_METADATA = Rule(
    KeysMatch("labels", QUALIFIED_NAME, max_length=253)
    & KeysMatch("annotations", QUALIFIED_NAME, max_length=253),
    "podTemplate.metadata has an invalid name: write it like team or example.com/team",
)
VOLUME_SOURCES = (
    "config_map",
    "csi",
    "downward_api",
    "empty_dir",
    "ephemeral",
    "persistent_volume_claim",
    "projected",
    "secret",
)
ONE_SOURCE = Rule(
    ExactlyOne(VOLUME_SOURCES),
    "a volume of podTemplate has exactly one of configMap, csi, downwardAPI, emptyDir, ephemeral, "
    "persistentVolumeClaim, projected and secret",
)


class PodMetadata(Model):
    """Labels and annotations of the pod."""

    labels: Annotated[dict[str, LabelValue], Field(max_length=32)] = {}
    """Labels, beside those of the operator."""

    annotations: Annotated[dict[str, AnnotationText], Field(max_length=32)] = {}
    """Annotations."""

    RULES: ClassVar = (NAMES_OF_METADATA,)


class OpenModel(Model):
    """An object of Kubernetes' own schema, of which only the field that it is merged by is known here."""

    model_config = ConfigDict(extra="allow", json_schema_extra=PRESERVED)


class EnvironmentVariable(OpenModel):
    """A variable, with value or valueFrom as in Kubernetes."""

    name: Text
    """Its name; not that of a variable that the operator sets."""


class VolumeMount(OpenModel):
    """Where the trainer finds a volume, with name, subPath and readOnly as in Kubernetes."""

    mount_path: Text
    """Folder in the container; not one that the operator mounts a volume at."""


class TrainerContainer(Model):
    """Additions to the container that trains."""

    name: Annotated[str, Field(pattern="^trainer$")]
    """trainer; the pod has no other container."""

    image: Text | None = None
    """Image of this run, which has to contain the trainer. Default: that of the operator."""

    env: Annotated[list[EnvironmentVariable], Field(max_length=128)] = []
    """More environment variables."""

    env_from: Annotated[list[FreeForm], Field(max_length=32)] = []
    """ConfigMaps and Secrets all of whose keys become variables. Those of the operator and of env win."""

    resources: FreeForm | None = None
    """More requests and limits, such as rdma/hca or ephemeral-storage. CPU, memory and GPUs are in
    spec.resources."""

    volume_mounts: Annotated[list[VolumeMount], Field(max_length=32)] = []
    """Where the trainer finds the volumes."""


class Volume(Model):
    """A volume of a type that the restricted Pod Security Standard allows."""

    name: ObjectName
    """Its name; not that of a volume of the operator."""

    config_map: FreeForm | None = None
    """A ConfigMap."""
    csi: FreeForm | None = None
    """An ephemeral volume of a CSI driver."""
    downward_api: Annotated[FreeForm | None, Field(alias="downwardAPI")] = None
    """Fields of the pod."""
    empty_dir: FreeForm | None = None
    """An empty folder."""
    ephemeral: FreeForm | None = None
    """A claim that is deleted with the pod."""
    persistent_volume_claim: FreeForm | None = None
    """A PersistentVolumeClaim of this namespace."""
    projected: FreeForm | None = None
    """Several sources in one folder."""
    secret: FreeForm | None = None
    """A Secret."""

    RULES: ClassVar = (ONE_SOURCE,)


class PodSpec(Model):
    """Additions to the spec of the pod."""

    affinity: FreeForm | None = None
    """Rules for the nodes and pods that the pod is scheduled near to or away from."""

    topology_spread_constraints: Annotated[list[FreeForm], Field(max_length=16)] = []
    """How pods are spread over zones and nodes."""

    runtime_class_name: ObjectName | None = None
    """RuntimeClass of the pod."""

    scheduler_name: ObjectName | None = None
    """Scheduler of the pod."""

    service_account_name: ObjectName | None = None
    """ServiceAccount whose identity the pod has in the cloud. Its token for the cluster isn't mounted."""

    image_pull_secrets: Annotated[list[FreeForm], Field(max_length=16)] = []
    """More Secrets to pull the image with."""

    containers: Annotated[list[TrainerContainer], Field(max_length=1)] = []
    """Additions to the container trainer."""

    volumes: Annotated[list[Volume], Field(max_length=32)] = []
    """More volumes."""


class PodTemplate(Model):
    """Additions to the trainer pod, as in the pod template of a Job. Lists are merged by name or mountPath; a
    field that the operator sets can't be changed."""

    metadata: PodMetadata = PodMetadata()
    """Labels and annotations of the pod."""

    spec: PodSpec = PodSpec()
    """Additions to the spec of the pod."""

    def without_image(self) -> Self:
        """The same with the image that would be used otherwise."""
        containers = [one.model_copy(update={"image": None}) for one in self.spec.containers]
        return self.model_copy(update={"spec": self.spec.model_copy(update={"containers": containers})})

    @property
    def image(self) -> str | None:
        """Image of this run, if it has its own."""
        return next((container.image for container in self.spec.containers), None)
