"""A sentence-transformers model without a head: it gives texts embeddings."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sentence_transformers import SentenceTransformer
from torch import Tensor

from ..records import EncodedTexts, Example
from ..tokens import TokenIds, TokenWriter
from .context import CONTEXT
from .outputs import Outputs
from .pooled import config_of, take_head
from .text_model import Features, TextModel


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
        """Text embeddings, (texts, dimensions)."""
        embeddings: Tensor = self.network(features)["sentence_embedding"]
        return embeddings

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
        """Write a sentence-transformers folder, safetensors only."""
        self.network.max_seq_length = self.max_tokens
        self.network.save_pretrained(str(folder), create_model_card=False, safe_serialization=True)
