"""How deep in a transformer its parameters are."""

from torch import nn

from .adapters import transformer_of


def depths(network: nn.Module) -> dict[str, int]:
    """How many layers the output of each parameter still goes through, by the parameter's name.

    0 for the last layer and what comes after it; the number of layers for embeddings.
    """
    layers = _layers_of(network)
    found = {
        id(parameter): depth
        for depth, layer in enumerate(reversed(layers))
        for parameter in layer.parameters()
    }
    for parameter in transformer_of(network).base_model.parameters():  # as texts go through them
        if id(parameter) in found:
            break
        found[id(parameter)] = len(layers)
    return {name: found.get(id(parameter), 0) for name, parameter in network.named_parameters()}


def _layers_of(network: nn.Module) -> nn.ModuleList:
    """The layers of the transformer within `network`, from its input to its output; none where it has none.

    They are what most of its parameters are in.
    """
    lists = [module for module in transformer_of(network).modules() if isinstance(module, nn.ModuleList)]
    return max(lists, key=_size, default=nn.ModuleList())


def _size(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())
