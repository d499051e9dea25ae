"""Weights and optimizer state, written and read by all processes together, whether they are divided or not.

What is written is the same either way, so that it fits any number of processes. All processes come to each of
these functions, and the first one writes and reads.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, load_model, save_file, save_model
from torch import nn
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_optimizer_state_dict,
    set_model_state_dict,
    set_optimizer_state_dict,
)
from torch.optim import AdamW

from ..distributed import is_first, take_weights
from .sharding import is_sharded

WEIGHTS = "model.safetensors"

WHOLE = StateDictOptions(full_state_dict=True, cpu_offload=True)
FROM_FIRST = StateDictOptions(full_state_dict=True, broadcast_from_rank0=True)


def save_weights(network: nn.Module, folder: Path) -> None:
    """Write the weights alone, in a new file: an older one may have another link."""
    divided: dict[str, Any] = get_model_state_dict(network, options=WHOLE) if is_sharded(network) else {}
    if not is_first():
        return
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f".{WEIGHTS}"
    if divided:
        save_file(divided, part)
    else:
        save_model(network, str(part))
    part.replace(folder / WEIGHTS)


def load_weights(network: nn.Module, folder: Path) -> None:
    """Take the weights that `save_weights` wrote, each process its part. Raises RuntimeError for others."""
    if is_sharded(network):
        weights: dict[str, Any] = dict(load_file(folder / WEIGHTS)) if is_first() else {}
        set_model_state_dict(network, weights, options=FROM_FIRST)
        return
    if is_first():
        load_model(network, folder / WEIGHTS, device=str(next(network.parameters()).device))
    take_weights(network)


def optimizer_state(network: nn.Module, optimizer: AdamW) -> dict[str, Any]:
    """What the optimizer knows of all weights, by name, at the first process; {} before its first step."""
    if not optimizer.state:
        return {}
    if is_sharded(network):
        return get_optimizer_state_dict(network, optimizer, options=WHOLE)
    names, state = _names(network, optimizer), optimizer.state_dict()
    return {
        "state": {names[number]: known for number, known in state["state"].items()},
        "param_groups": [
            group | {"params": [names[number] for number in group["params"]]}
            for group in state["param_groups"]
        ],
    }


def load_optimizer_state(network: nn.Module, optimizer: AdamW, state: dict[str, Any]) -> None:
    """Take what `optimizer_state` gave, each process its part."""
    if not state:
        return
    if is_sharded(network):
        # Parameters that no pass reaches, such as a pooler's, have no state.
        options = replace(FROM_FIRST, strict=False)
        set_optimizer_state_dict(network, optimizer, state if is_first() else {}, options=options)
        return
    numbers = {name: number for number, name in enumerate(_names(network, optimizer))}
    optimizer.load_state_dict(_renamed(state, numbers))


def _renamed(state: dict[str, Any], names: Mapping[Any, Any]) -> dict[str, Any]:
    """The same state, its parameters called otherwise."""
    groups = state["param_groups"]
    return {
        "state": {names[one]: known for one, known in state["state"].items()},
        "param_groups": [group | {"params": [names[one] for one in group["params"]]} for group in groups],
    }


def _names(network: nn.Module, optimizer: AdamW) -> list[str]:
    """Of the optimizer's parameters, in the order that it numbers them."""
    name = {id(parameter): name for name, parameter in network.named_parameters()}
    return [name[id(one)] for group in optimizer.param_groups for one in group["params"]]
