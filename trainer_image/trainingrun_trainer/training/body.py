"""The transformer within a network: how deep its parameters are, and adapters of low rank beside them."""

from peft import LoraConfig
from peft.tuners.lora import LoraModel
from torch import nn
from transformers import PreTrainedModel

from trainingrun_api.training import Lora

from ..errors import SettingsError

TARGETS = "all-linear"
"""Adapters beside every matrix of the body, not of its attention alone: it takes these to come near full
fine-tuning (Dettmers et al., NeurIPS 2023, arXiv:2305.14314, section 4)."""


def add_adapters(network: nn.Module, settings: Lora) -> LoraModel:
    """Put adapters into the transformer within `network` and freeze all else of it.

    They change nothing until they are trained.
    """
    config = LoraConfig(
        r=settings.rank, lora_alpha=settings.alpha, lora_dropout=settings.dropout, target_modules=TARGETS
    )
    return LoraModel(transformer_of(network).base_model, config, "default")


def transformer_of(network: nn.Module) -> PreTrainedModel:
    """The transformer within `network`, or `network` itself."""
    return next(module for module in network.modules() if isinstance(module, PreTrainedModel))


def checkpoint_activations(network: nn.Module) -> None:
    """Compute the activations of each layer again in the backward pass. Raises SettingsError for an
    architecture that can't."""
    transformer = transformer_of(network)
    if not transformer.supports_gradient_checkpointing:
        raise SettingsError(
            f"spec.training.activationCheckpointing: {transformer.config.model_type} doesn't support it; "
            "leave it out"
        )
    transformer.activation_checkpointing_enable({"use_reentrant": False})


def merge_adapters(adapters: LoraModel) -> None:
    """Add what the adapters learned to the matrices, and leave an ordinary model that can be trained."""
    adapters.merge_and_unload().requires_grad_(requires_grad=True)


def depths(network: nn.Module) -> dict[str, int]:
    """How many layers the output of each parameter still goes through, by the parameter's name.

    0 for the last layer and what comes after it; the number of layers for embeddings.
    """
    layers = layers_of(network)
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


def layers_of(network: nn.Module) -> nn.ModuleList:
    """The layers of the transformer within `network`, from its input to its output; none where it has none.

    They are what most of its parameters are in.
    """
    lists = [module for module in transformer_of(network).modules() if isinstance(module, nn.ModuleList)]
    return max(lists, key=_size, default=nn.ModuleList())


def _size(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())
