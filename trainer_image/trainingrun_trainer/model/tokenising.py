"""Texts as token ids, whole or cut to what the model reads."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from transformers import PreTrainedTokenizerBase

from ..errors import SettingsError
from ..records import Example, Starts
from .context import Context, ContextForm


class Tokenised(NamedTuple):
    """Some texts."""

    input_ids: list[list[int]]
    context_starts: Starts | None
    """Where the model is told which tokens are the context's."""
    truncated: int
    """Texts that were cut."""


def tokenise(
    tokenizer: PreTrainedTokenizerBase, context: Context, examples: Sequence[Example], max_tokens: int
) -> Tokenised:
    """Texts with what stands beside them. Raises SettingsError for a context that leaves them little room."""
    inputs = context.inputs(examples)
    encoded = tokenizer(**inputs, verbose=False)
    too_long = sum(len(ids) > max_tokens for ids in encoded["input_ids"])
    if too_long:
        _require_room(tokenizer, context, examples, max_tokens)
        # By the tokenizer, since the last token has to be its end mark.
        encoded = tokenizer(**inputs, truncation=True, max_length=max_tokens)
    marked = context.marks_segments(tokenizer)
    starts = np.array([types.index(1) for types in encoded["token_type_ids"]], np.int32) if marked else None
    return Tokenised(encoded["input_ids"], starts, too_long)


def _require_room(
    tokenizer: PreTrainedTokenizerBase, context: Context, examples: Sequence[Example], max_tokens: int
) -> None:
    """A pair keeps its context when it is cut; of what stands before a text, the text is all that is cut."""
    if context.form is ContextForm.PAIR or not context.parameters:
        return
    longest = max((context.written(example.context) for example in examples), key=len)
    if 2 * len(tokenizer(longest)["input_ids"]) > max_tokens:
        raise SettingsError(
            f"spec.contextParameters: {longest[:80]!r} takes more than half of the {max_tokens} tokens that "
            "context and text have together; leave out long values, or raise spec.training.maxSequenceLength"
        )
