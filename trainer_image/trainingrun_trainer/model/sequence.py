"""Any other transformer, with the classification head that transformers gives it."""

from collections.abc import Iterator
from pathlib import Path

from torch import Tensor, nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from .classifier import Classifier, Outputs, other_outputs
from .text_model import Features


class SequenceClassifier(Classifier):
    """An AutoModelForSequenceClassification, saved for `pipeline("text-classification", folder)`."""

    network: PreTrainedModel

    def __init__(
        self, network: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, outputs: Outputs
    ) -> None:
        super().__init__(network, tokenizer, network.config, outputs)
        network.config.pad_token_id = tokenizer.pad_token_id

    @property
    def output_layer(self) -> nn.Linear | None:
        """The head's last linear one, in all of transformers but Perceiver, whose head is in the body."""
        body = set(_body(self.network).modules())
        layers = (module for module in self.network.modules() if module not in body)
        *_, last = (None, *(layer for layer in layers if isinstance(layer, nn.Linear)))
        return last

    def embed(self, features: Features) -> Tensor:
        """What the output layer reads, after all else of the head; of decoders for each token."""
        read: list[Tensor] = []
        layer = self.output_layer  # which is looked for among all modules
        assert layer is not None
        with layer.register_forward_pre_hook(lambda _layer, inputs: read.append(inputs[0])):
            self.logits(features)
        return read[0]

    def logits(self, features: Features) -> Tensor:
        scores: Tensor = self.network(**features).logits
        return scores

    def head_parameters(self) -> Iterator[nn.Parameter]:
        """All parameters outside the body."""
        body = {id(parameter) for parameter in _body(self.network).parameters()}
        return (parameter for parameter in self.network.parameters() if id(parameter) not in body)

    def body_names(self) -> set[str]:
        """Names of the body's parameters."""
        body = {id(parameter) for parameter in _body(self.network).parameters()}
        return {name for name, parameter in self.network.named_parameters() if id(parameter) in body}

    def take_head(
        self, saved: Outputs, wanted: Outputs, missing: set[str], mismatched: set[str]
    ) -> list[str]:
        """Keep a head that was made for these outputs, be it in another order, and forget any other; gives
        what there is to say of it.

        `missing` and `mismatched` are the names of parameters that the base model lacks, or has in another
        size.
        """
        head = {name for name, _ in self.network.named_parameters()} - self.body_names()
        if missing & head:
            # What such a model has of a head, its own pre-training made; its output layer is new already.
            return []
        rows = saved.order_of(wanted)
        if rows is not None and not mismatched & head:
            self.reuse_head(rows)
            return []
        self.renew_head()
        return [other_outputs(saved, wanted)]

    def renew_head(self) -> None:
        """Forget a head that was made for other labels."""
        body = set(_body(self.network).modules())
        for module in self.network.modules():
            if module not in body and isinstance(module, nn.Linear | nn.LayerNorm):
                module.reset_parameters()

    def save(self, folder: Path) -> None:
        self.tokenizer.model_max_length = self.max_tokens
        self.network.save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)


def _body(network: PreTrainedModel) -> nn.Module:
    body: nn.Module = getattr(network, network.base_model_prefix)
    return body
