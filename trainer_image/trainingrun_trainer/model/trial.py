"""Have a loaded model read, before hours of work are built on it."""

from collections.abc import Callable

import torch

from .text_model import Features, TextModel

TEXTS = ("a text", "and another text, which is longer than the first")

PADDING_MATTERS = "what it makes of a text depends on how long the others of its batch are"


def try_reading(model: TextModel, read: Callable[[Features], torch.Tensor]) -> None:
    """Read two texts, of which some models need more than tokens: pictures, or a language that is set.

    Notes it when padding changes what is made of a text. Raises what the model raises.
    """
    model.network.eval()
    tokens: list[list[int]] = model.tokenizer(list(TEXTS))["input_ids"]
    with torch.no_grad():
        alone, padded = (read(model.pad(batch))[0] for batch in (tokens[:1], tokens))
    if not torch.allclose(alone, padded, rtol=1e-2, atol=1e-3, equal_nan=True):
        model.notes.append(PADDING_MATTERS)
