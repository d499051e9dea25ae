"""Resources and placement of the trainer pod, with the rules of the Job API as far as they can be checked."""

from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from .base import LABEL_VALUE, QUALIFIED_NAME, Model, ObjectName, Without
from .rules import Equals, Given, KeysMatch, Rule

QUANTITY = r"^[0-9]+(\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$"

QualifiedName = Annotated[str, Field(max_length=253, pattern=QUALIFIED_NAME)]
LabelValue = Annotated[str, Field(max_length=63, pattern=LABEL_VALUE)]
Quantity = Annotated[
    str,
    BeforeValidator(lambda value: str(value) if isinstance(value, int | float) else value),
    Field(max_length=32, pattern=QUANTITY),
    WithJsonSchema({"x-kubernetes-int-or-string": True, "pattern": QUANTITY, "maxLength": 32}),
]

EXTENDED_RESOURCE = Without(
    r"^[^/]*$|kubernetes\.io/|^requests\.",
    "gpuResourceName has to be an extended resource outside kubernetes.io, such as nvidia.com/gpu",
)


class Resources(Model):
    """Resources of each trainer pod."""

    nodes: Annotated[int, Field(ge=1, le=64)] = 1
    """Pods that train the model together, each with all of the resources below."""

    gpus_per_node: Annotated[int, Field(ge=0, le=16)] = 0
    """GPUs of each pod, as a limit of gpuResourceName; each has a process of its own. 0 trains on the CPU, in
    one process a pod. However many processes share a batch, the results are the same but for the noise of
    dropout."""

    gpu_resource_name: Annotated[QualifiedName, Field(max_length=244), EXTENDED_RESOURCE] = "nvidia.com/gpu"
    """Extended resource that represents a GPU on this cluster."""

    cpu: Quantity = "1"
    """CPU request; the pod may use more if the node has it to spare."""

    memory: Quantity = "4Gi"
    """Memory request and limit."""


TolerationOperator = Literal["Exists", "Equal"]
TaintEffect = Literal["NoSchedule", "PreferNoSchedule", "NoExecute"]

KEY_OF_A_VALUE = Rule(
    Given("key") | Equals("operator", "Exists"),
    "a toleration without a key has to have operator Exists, and matches all taints",
)
VALUE_OF_EQUAL = Rule(
    ~Given("value") | Equals("value", "") | Equals("operator", "Equal"),
    "the value of a toleration requires operator Equal",
)
SECONDS_OF_NO_EXECUTE = Rule(
    ~Given("toleration_seconds") | Equals("effect", "NoExecute"),
    "tolerationSeconds requires effect NoExecute",
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


NAMES_OF_LABELS = Rule(
    KeysMatch("node_selector", QUALIFIED_NAME, max_length=253),
    "nodeSelector has an invalid label name: write it like disktype or example.com/disktype",
)


class Scheduling(Model):
    """Where and when the trainer pod may run; applied when the Job is created."""

    queue_name: Annotated[ObjectName, Field(max_length=63)] | None = None
    """LocalQueue of Kueue in this namespace that the run waits in. Default: none, the run starts at once."""

    node_selector: Annotated[dict[str, LabelValue], Field(max_length=32)] = {}
    """Labels that a node must have."""

    tolerations: Annotated[list[Toleration], Field(max_length=32)] = []
    """Taints that the pod tolerates."""

    priority_class_name: ObjectName | None = None
    """PriorityClass of the pod."""

    RULES: ClassVar = (NAMES_OF_LABELS,)
