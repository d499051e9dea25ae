"""A sentence-transformers model with a linear head on its text embedding."""

from collections.abc import Iterator
from pathlib import Path

import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Dense
from torch import Tensor, nn
from transformers import PreTrainedConfig

from trainingrun_api.lineage import HeadOrigin

from ..errors import ModelError
from .classifier import Classifier, other_outputs, reorder
from .outputs import Outputs
from .text_model import Features, require_padding


class PooledClassifier(Classifier):
    """Transformer, Pooling, whatever else the base model has (such as Normalize), then Dense as head.

    `SentenceTransformer(folder).encode(texts)` gives the logits, (texts, labels): Dense can't hold a softmax
    over the right axis. The labels are in config.json as id2label.
    """

    network: SentenceTransformer

    def __init__(self, network: SentenceTransformer, outputs: Outputs) -> None:
        require_padding(network.tokenizer)
        saved = Outputs.saved(config_of(network).to_dict())
        earlier = take_head(network, len(saved.labels))
        rows, notes = saved.order_of(outputs), []
        if earlier is not None and rows is not None:
            reorder(earlier.linear, rows)
        elif earlier is not None:
            earlier, notes = None, [other_outputs(saved, outputs)]
        self.head = earlier or _new_head(network, len(outputs.labels))
        self.head_is_new = earlier is None
        network.append(self.head)
        # A prompt would be put before each text by encode(), but training sees the texts alone.
        network.prompts = {}
        network.default_prompt_name = None
        super().__init__(network, network.tokenizer, config_of(network), outputs)
        self.head_origin = HeadOrigin.NEW if self.head_is_new else HeadOrigin.REUSED
        self.notes += notes

    def embed(self, features: Features) -> Tensor:
        """Text embeddings that the head reads, (texts, dimensions)."""
        for module in list(self.network.children())[:-1]:
            features = module(features)
        return features["sentence_embedding"]

    def logits(self, features: Features) -> Tensor:
        """Scores before softmax, (texts, labels)."""
        scores: Tensor = self.network(features)["sentence_embedding"]
        return scores

    def head_parameters(self) -> Iterator[nn.Parameter]:
        """Weight and bias of the Dense module."""
        return self.head.parameters()

    def set_head(self, weight: Tensor, bias: Tensor) -> None:
        """Start the head from a solution found elsewhere: weight (labels, dimensions), bias (labels)."""
        with torch.no_grad():
            self.head.linear.weight.copy_(weight)
            self.head.linear.bias.copy_(bias)

    def save(self, folder: Path) -> None:
        """Write a sentence-transformers folder, safetensors only."""
        self.network.max_seq_length = self.max_tokens
        self.network.save_pretrained(str(folder), create_model_card=False, safe_serialization=True)


def take_head(network: SentenceTransformer, labels: int) -> Dense | None:
    """Remove and give the head of an earlier run: a Dense module at the end with an output for each label."""
    last = network[-1]
    if not isinstance(last, Dense) or not isinstance(last.activation_function, nn.Identity):
        return None
    if last.out_features != labels:
        return None
    del network[-1]
    return last


def _new_head(network: SentenceTransformer, labels: int) -> Dense:
    dimensions = network.get_embedding_dimension()
    if dimensions is None:
        raise ModelError("the dimensions of the base model's embeddings are not known; choose another")
    return Dense(dimensions, labels, activation_function=nn.Identity())


def config_of(network: SentenceTransformer) -> PreTrainedConfig:
    """That of its transformer. Raises ModelError when the first module is none."""
    if network.config is None:
        raise ModelError("the first module of the base model is no transformer; choose another")
    return network.config
