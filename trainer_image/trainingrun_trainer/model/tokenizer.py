"""A tokenizer that fits its model and any text, and what it makes of texts."""

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from tokenizers import Regex
from tokenizers.pre_tokenizers import PreTokenizer, Split
from tokenizers.pre_tokenizers import Sequence as InOrder
from transformers import PreTrainedConfig, PreTrainedTokenizerBase

from ..errors import ModelError, SettingsError
from ..records import Example, Starts
from .context import Context, ContextForm


def fit_tokenizer(tokenizer: PreTrainedTokenizerBase, config: PreTrainedConfig) -> None:
    """Have it pad, read special tokens in texts as text, and give token types where the model has two.

    Raises ModelError that says what to change.
    """
    _require_padding(tokenizer, config)
    _read_as_text(tokenizer)
    names = tokenizer.model_input_names
    if getattr(config, "type_vocab_size", 2) < 2:
        names = [name for name in names if name != "token_type_ids"]
    tokenizer.model_input_names = names
    tokenizer.init_kwargs["model_input_names"] = names  # saved, since other versions have other defaults


def _read_as_text(tokenizer: PreTrainedTokenizerBase) -> None:
    """Have a text like "end </s>" give no special tokens.

    Models that look for such a token, as BART's head does, would fail or read something else.
    """
    tokenizer.split_special_tokens = True
    tokenizer.init_kwargs["split_special_tokens"] = True  # these are saved
    found = [token for token in _special_tokens(tokenizer) if _is_read(tokenizer, token)]
    if found:
        _divide(tokenizer, found)


def _require_padding(tokenizer: PreTrainedTokenizerBase, config: PreTrainedConfig) -> None:
    """Have the tokenizer pad; models that only ever saw one text at a time have no padding token.

    By the end mark; encoder-decoders, whose heads read from where end marks stand, by what their
    configuration pads with. Raises ModelError when there is neither.
    """
    if tokenizer.pad_token is not None:
        return
    if not config.is_encoder_decoder:
        if tokenizer.eos_token is None:
            raise ModelError(
                "the base model's tokenizer has neither pad_token nor eos_token: add one of them"
            )
        tokenizer.pad_token = tokenizer.eos_token
        return
    if config.pad_token_id in {None, tokenizer.eos_token_id}:
        raise ModelError("the base model's tokenizer has no pad_token, and the model needs one: add it")
    tokenizer.pad_token = tokenizer.convert_ids_to_tokens(config.pad_token_id)


def _special_tokens(tokenizer: PreTrainedTokenizerBase) -> list[str]:
    added = (token.content for token in tokenizer.added_tokens_decoder.values() if token.special)
    tokens = {*added, *tokenizer.all_special_tokens} - {tokenizer.unk_token}
    return sorted(token for token in tokens if len(token) > 1)


def _is_read(tokenizer: PreTrainedTokenizerBase, token: str) -> bool:
    """Whether the vocabulary has it as a word or piece like any other, as those of SentencePiece have."""
    ids: list[int] = tokenizer(f"a {token} b", add_special_tokens=False)["input_ids"]
    return tokenizer.convert_tokens_to_ids(token) in ids


def _divide(tokenizer: PreTrainedTokenizerBase, tokens: list[str]) -> None:
    """Take the first character of each apart from the others, whereby none is found in the vocabulary."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise ModelError(
            f"the base model's tokenizer reads {tokens[0]} in a text as a special token; choose another"
        )
    pattern = "|".join(f"{re.escape(token[0])}(?={re.escape(token[1:])})" for token in tokens)
    apart: PreTokenizer = Split(Regex(pattern), "isolated")
    earlier = backend.pre_tokenizer
    backend.pre_tokenizer = apart if earlier is None else InOrder([earlier, apart])


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
