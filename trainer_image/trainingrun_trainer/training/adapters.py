"""Adapters of low rank beside the matrices of the body (Hu et al., ICLR 2022, arXiv:2106.09685)."""

from peft import LoraConfig
from peft.tuners.lora import LoraModel
from torch import nn
from transformers import PreTrainedModel

from trainingrun_api.training import Lora

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


def merge_adapters(adapters: LoraModel) -> None:
    """Add what the adapters learned to the matrices, and leave an ordinary model that can be trained."""
    adapters.merge_and_unload().requires_grad_(requires_grad=True)
