"""The table that gives each token its embedding."""

from torch import nn
from transformers import PreTrainedModel


def token_table(transformer: PreTrainedModel) -> nn.Embedding | None:
    """The table; None where embeddings come about otherwise: CANINE hashes characters, I-BERT rounds."""
    try:
        table = transformer.get_input_embeddings()
    except NotImplementedError:
        return None
    return table if isinstance(table, nn.Embedding) else None
