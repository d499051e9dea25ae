"""Resources and placement of the trainer pod, with the rules of the Job API as far as they can be checked."""

import re
from typing import Annotated, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from .base import LABEL_VALUE, QUALIFIED_NAME, Model, ObjectName, Rule

QUANTITY = r"^[0-9]+(\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$"

QualifiedName = Annotated[str, Field(max_length=253, pattern=QUALIFIED_NAME)]
LabelValue = Annotated[str, Field(max_length=63, pattern=LABEL_VALUE)]
Quantity = Annotated[
    str,
    BeforeValidator(lambda value: str(value) if isinstance(value, int | float) else value),
    Field(max_length=32, pattern=QUANTITY),
    WithJsonSchema({"x-kubernetes-int-or-string": True, "pattern": QUANTITY, "maxLength": 32}),
]

ONE_GPU = Rule(
    "!has(self.gpusPerNode) || self.gpusPerNode <= 1",
    "gpusPerNode is at most 1: training uses one GPU, and others would be reserved and do nothing",
)
EXTENDED_RESOURCE = Rule(
    "!has(self.gpuResourceName) || self.gpuResourceName.contains('/') "
    "&& !self.gpuResourceName.contains('kubernetes.io/') && !self.gpuResourceName.startsWith('requests.')",
    "gpuResourceName is an extended resource, of a domain that isn't Kubernetes' own: nvidia.com/gpu",
)


class Resources(Model):
    """Resources of the trainer pod."""

    gpus_per_node: Annotated[int, Field(ge=0)] = 0
    """GPUs of the pod, as a limit of gpuResourceName: 0 trains on the CPU, 1 on a GPU. Training uses at most
    one, so more are rejected."""

    gpu_resource_name: Annotated[QualifiedName, Field(max_length=244)] = "nvidia.com/gpu"
    """Extended resource that represents a GPU on this cluster."""

    cpu: Quantity = "1"
    """CPU request; the pod may use more if the node has it to spare."""

    memory: Quantity = "4Gi"
    """Memory request and limit."""

    RULES: ClassVar = (ONE_GPU, EXTENDED_RESOURCE)

    @model_validator(mode="after")
    def _has_one_gpu(self) -> Self:
        if self.gpus_per_node > 1:
            raise ValueError(ONE_GPU.message)
        return self

    @model_validator(mode="after")
    def _names_an_extended_resource(self) -> Self:
        name = self.gpu_resource_name
        if "/" not in name or "kubernetes.io/" in name or name.startswith("requests."):
            raise ValueError(EXTENDED_RESOURCE.message)
        return self


TolerationOperator = Literal["Exists", "Equal"]
TaintEffect = Literal["NoSchedule", "PreferNoSchedule", "NoExecute"]

KEY_OF_A_VALUE = Rule(
    "has(self.key) || self.operator == 'Exists'",
    "a toleration without a key has operator Exists, and matches all taints",
)
VALUE_OF_EQUAL = Rule(
    "!has(self.value) || self.value == '' || self.operator == 'Equal'",
    "the value of a toleration goes with operator Equal",
)
SECONDS_OF_NO_EXECUTE = Rule(
    "!has(self.tolerationSeconds) || has(self.effect) && self.effect == 'NoExecute'",
    "tolerationSeconds goes with effect NoExecute",
)


class Toleration(Model):
    """A Kubernetes toleration."""

    key: QualifiedName | None = None
    """Taint key; empty with operator Exists to match all taints."""
    operator: TolerationOperator = "Equal"
    """Exists or Equal."""
    value: LabelValue | None = None
    """Taint value, with operator Equal."""
    effect: TaintEffect | None = None
    """NoSchedule, PreferNoSchedule or NoExecute; empty to match all effects."""
    toleration_seconds: Annotated[int, Field(ge=0)] | None = None
    """Seconds that a NoExecute taint is tolerated."""

    RULES: ClassVar = (KEY_OF_A_VALUE, VALUE_OF_EQUAL, SECONDS_OF_NO_EXECUTE)

    @model_validator(mode="after")
    def _is_one_that_pods_have(self) -> Self:
        broken = {
            KEY_OF_A_VALUE: self.key is None and self.operator == "Equal",
            VALUE_OF_EQUAL: bool(self.value) and self.operator == "Exists",
            SECONDS_OF_NO_EXECUTE: self.toleration_seconds is not None and self.effect != "NoExecute",
        }
        for rule, is_broken in broken.items():
            if is_broken:
                raise ValueError(rule.message)
        return self


NAMES_OF_LABELS = Rule(
    "!has(self.nodeSelector) "
    f"|| self.nodeSelector.all(name, size(name) <= 253 && name.matches({QUALIFIED_NAME!r}))",
    "nodeSelector has a name that no label can have: write it as disktype or example.com/disktype",
)


class Scheduling(Model):
    """Where the trainer pod may run; applied when the Job is created."""

    node_selector: Annotated[dict[str, LabelValue], Field(max_length=32)] = {}
    """Labels that a node must have."""

    tolerations: Annotated[list[Toleration], Field(max_length=32)] = []
    """Taints that the pod tolerates."""

    priority_class_name: ObjectName | None = None
    """PriorityClass of the pod."""

    RULES: ClassVar = (NAMES_OF_LABELS,)

    @model_validator(mode="after")
    def _selects_by_names_of_labels(self) -> Self:
        if not all(len(name) <= 253 and re.fullmatch(QUALIFIED_NAME, name) for name in self.node_selector):
            raise ValueError(NAMES_OF_LABELS.message)
        return self
