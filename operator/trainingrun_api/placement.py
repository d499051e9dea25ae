"""What a trainer pod asks for, and where it may run."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from .base import Model, ObjectName

QUANTITY = r"^[0-9]+(\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$"

ResourceName = Annotated[str, Field(max_length=253, pattern=r"^[a-z0-9.-]+/[A-Za-z0-9._-]+$")]
Quantity = Annotated[
    str,
    BeforeValidator(lambda value: str(value) if isinstance(value, int | float) else value),
    Field(max_length=32, pattern=QUANTITY),
    WithJsonSchema({"x-kubernetes-int-or-string": True, "pattern": QUANTITY, "maxLength": 32}),
]


class Resources(Model):
    """What the trainer pod asks for."""

    gpus_per_node: Annotated[int, Field(ge=0, le=16)] = 0
    """GPUs of the pod, as a limit of gpuResourceName; 0 trains on CPU."""

    gpu_resource_name: ResourceName = "nvidia.com/gpu"
    """Extended resource that stands for a GPU on this cluster."""

    cpu: Quantity = "1"
    """CPU request; the pod may use more when the node has it to spare."""

    memory: Quantity = "4Gi"
    """Memory request and limit."""


TolerationOperator = Literal["Exists", "Equal"]
TaintEffect = Literal["NoSchedule", "PreferNoSchedule", "NoExecute"]


class Toleration(Model):
    """A Kubernetes toleration."""

    key: Annotated[str, Field(max_length=317)] | None = None
    """Taint key; left out with operator Exists it matches all."""
    operator: TolerationOperator = "Equal"
    """Exists or Equal."""
    value: Annotated[str, Field(max_length=63)] | None = None
    """Taint value, with operator Equal."""
    effect: TaintEffect | None = None
    """NoSchedule, PreferNoSchedule or NoExecute; left out it matches all."""
    toleration_seconds: Annotated[int, Field(ge=0)] | None = None
    """How long a NoExecute taint is tolerated."""


LabelValue = Annotated[str, Field(max_length=63)]


class Scheduling(Model):
    """Where the trainer pod may run; read once, when the Job is created."""

    node_selector: Annotated[dict[str, LabelValue], Field(max_length=32)] = {}
    """Labels a node must have."""

    tolerations: Annotated[list[Toleration], Field(max_length=32)] = []
    """Taints the pod tolerates."""

    priority_class_name: ObjectName | None = None
    """PriorityClass of the pod."""
