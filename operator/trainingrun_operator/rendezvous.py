"""How the pods of a run of several nodes find each other, and what torchrun's launcher is told of them."""

from trainingrun_api.names import (
    INDEX_ANNOTATION,
    MASTER_ADDRESS_VARIABLE,
    MASTER_PORT,
    MASTER_PORT_VARIABLE,
    NODE_RANK_VARIABLE,
    NODES_VARIABLE,
    PROCESSES_VARIABLE,
)
from trainingrun_api.placement import Resources

from .resources import Manifest, Run

PORT_NAME = "rendezvous"


def domain(run: Run, resources: Resources) -> Manifest:
    """What puts a pod into the domain of the run's Service; {} where there is only one."""
    return {"subdomain": run.key.name} if resources.nodes > 1 else {}


def ports(resources: Resources) -> Manifest:
    """The port at which the first pod waits for the others; {} where there is only one."""
    port = {"name": PORT_NAME, "containerPort": MASTER_PORT, "protocol": "TCP"}
    return {"ports": [port]} if resources.nodes > 1 else {}


def variables(run: Run, resources: Resources) -> list[Manifest]:
    """What torchrun's launcher reads from the environment of a pod."""
    values: dict[str, object] = {
        NODES_VARIABLE: resources.nodes,
        PROCESSES_VARIABLE: max(resources.gpus_per_node, 1),
    }
    if resources.nodes == 1:
        return _environment(values)
    values |= {
        MASTER_ADDRESS_VARIABLE: f"{run.key.name}-0.{run.key.name}",
        MASTER_PORT_VARIABLE: MASTER_PORT,
    }
    index = {"fieldRef": {"fieldPath": f"metadata.annotations['{INDEX_ANNOTATION}']"}}
    return [*_environment(values), {"name": NODE_RANK_VARIABLE, "valueFrom": index}]


def _environment(values: dict[str, object]) -> list[Manifest]:
    return [{"name": name, "value": str(value)} for name, value in values.items()]
