"""Any other transformer, with the classification head that transformers gives it."""

from collections.abc import Iterator
from pathlib import Path

from torch import Tensor, nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from .classifier import Classifier, Features, most_tokens, require_padding


class SequenceClassifier(Classifier):
    """An AutoModelForSequenceClassification, saved for `pipeline("text-classification", folder)`."""

    network: PreTrainedModel

    def __init__(
        self, network: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, labels: list[str]
    ) -> None:
        require_padding(tokenizer)
        network.config.pad_token_id = tokenizer.pad_token_id
        super().__init__(network, tokenizer, labels)

    def logits(self, features: Features) -> Tensor:
        """Scores before softmax, (texts, labels)."""
        scores: Tensor = self.network(**features).logits
        return scores

    def head_parameters(self) -> Iterator[nn.Parameter]:
        """All parameters outside the body."""
        body = {id(parameter) for parameter in _body(self.network).parameters()}
        return (parameter for parameter in self.network.parameters() if id(parameter) not in body)

    def renew_head(self) -> None:
        """Forget a head that was made for other labels."""
        body = set(_body(self.network).modules())
        for module in self.network.modules():
            if module not in body and isinstance(module, nn.Linear):
                module.reset_parameters()

    def token_limit(self) -> int:
        """What the tokenizer says, within the model's positions."""
        return most_tokens(self.tokenizer, self.network.config)

    def save(self, folder: Path) -> None:
        """Write a Hugging Face folder, safetensors only."""
        self.tokenizer.model_max_length = self.max_tokens
        self.network.save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)


def _body(network: PreTrainedModel) -> nn.Module:
    body: nn.Module = getattr(network, network.base_model_prefix)
    return body
