"""Models of sentence-transformers: with a linear head on the text embedding, and without one."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Dense
from torch import Tensor, nn
from transformers import PreTrainedConfig

from ..errors import ModelError
from ..records import EncodedTexts, Example
from ..tokens import TokenIds, TokenWriter
from .classifier import Classifier, Outputs, other_outputs
from .context import CONTEXT
from .text_model import Embedder, Features, TextModel


class PooledClassifier(Classifier):
    """Transformer, Pooling, whatever else the base model has (such as Normalize), then Dense as head.

    `SentenceTransformer(folder).encode(texts)` gives the logits, (texts, labels): Dense can't hold a softmax
    over the right axis. The labels are in config.json as id2label.
    """

    pooled = True

    network: SentenceTransformer

    def __init__(self, network: SentenceTransformer, outputs: Outputs) -> None:
        saved = Outputs.saved(config_of(network).to_dict())
        earlier = take_head(network, len(saved.labels))
        order = saved.order_of(outputs)
        self.head = earlier if earlier and order else _new_head(network, len(outputs.labels))
        network.append(self.head)
        # A prompt would be put before each text by encode(), but training sees the texts alone.
        network.prompts = {}
        network.default_prompt_name = None
        super().__init__(network, network.tokenizer, config_of(network), outputs)
        if earlier and order:
            self.reuse_head(order)
        elif earlier:
            self.notes.append(other_outputs(saved, outputs))

    @property
    def embedder(self) -> Embedder:
        """The model itself."""
        return self

    @property
    def output_layer(self) -> nn.Linear:
        """The only layer of the head."""
        return self.head.linear

    def embed(self, features: Features) -> Tensor:
        passed = dict(features)  # to which modules add what they make
        for module in list(self.network.children())[:-1]:
            passed = module(passed)
        return passed["sentence_embedding"]

    def logits(self, features: Features) -> Tensor:
        scores: Tensor = self.network(dict(features))["sentence_embedding"]
        return scores

    def head_parameters(self) -> Iterator[nn.Parameter]:
        return self.head.parameters()

    def save(self, folder: Path) -> None:
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
        raise ModelError("the base model's embedding dimension is unknown; choose another")
    return Dense(dimensions, labels, activation_function=nn.Identity())


def config_of(network: SentenceTransformer) -> PreTrainedConfig:
    """That of its transformer. Raises ModelError when the first module is none."""
    if network.config is None:
        raise ModelError("the base model's first module is not a transformer; choose another")
    return network.config


class EmbeddingModel(TextModel):
    """Transformer, Pooling, and whatever else the base model has, such as Normalize."""

    network: SentenceTransformer

    def __init__(self, network: SentenceTransformer) -> None:
        config = config_of(network)
        super().__init__(network.tokenizer, config)
        self.network = network
        if take_head(network, len(Outputs.saved(config.to_dict()).labels)) is not None:
            self.notes.append("the base model's classification head is left out: embeddings have none")
        Outputs.forget(config)
        if hasattr(config, CONTEXT):
            self.notes.append("the base model was trained with context, which is not used")
            delattr(config, CONTEXT)
        # A prompt would be put before each text by encode(), but training sees the texts alone.
        network.prompts = {}
        network.default_prompt_name = None

    def embed(self, features: Features) -> Tensor:
        embeddings: Tensor = self.network(dict(features))["sentence_embedding"]
        return embeddings

    def outputs(self, features: Features) -> Features:
        passed = self.network(dict(features))
        return {
            "last_hidden_state": passed["token_embeddings"],
            "sentence_embedding": passed["sentence_embedding"],
        }

    def encode(self, examples: Sequence[Example], labels: Sequence[str]) -> EncodedTexts:
        """Tokenise texts that have one label each; targets are its index in `labels`."""
        index = {label: position for position, label in enumerate(labels)}
        input_ids, truncated = self.encode_texts(examples)
        return EncodedTexts(input_ids, np.array([index[example.label] for example in examples]), truncated)

    def encode_texts(self, examples: Sequence[Example]) -> tuple[TokenIds, int]:
        """Token ids of each text, cut after `max_tokens`, and how many were cut."""
        truncated = 0
        with TokenWriter() as writer:
            for part in self.tokenised(examples, self.max_tokens):
                writer.add(part.input_ids)
                truncated += part.truncated
            return writer.tokens(), truncated

    def save(self, folder: Path) -> None:
        self.network.max_seq_length = self.max_tokens
        self.network.save_pretrained(str(folder), create_model_card=False, safe_serialization=True)
