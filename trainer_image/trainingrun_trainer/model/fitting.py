"""Make a tokenizer fit its model and any text, here and wherever it is saved."""

import re

from tokenizers import Regex
from tokenizers.pre_tokenizers import PreTokenizer, Sequence, Split
from transformers import PreTrainedConfig, PreTrainedTokenizerBase

from ..errors import ModelError


def fit_tokenizer(tokenizer: PreTrainedTokenizerBase, config: PreTrainedConfig) -> None:
    """Have it pad, read special tokens in texts as text, and give token types where the model has two.

    Raises ModelError that says what to change.
    """
    _require_padding(tokenizer, config)
    _read_as_text(tokenizer)
    if getattr(config, "type_vocab_size", 2) < 2:
        names = [name for name in tokenizer.model_input_names if name != "token_type_ids"]
        tokenizer.model_input_names = names
        tokenizer.init_kwargs["model_input_names"] = names


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
    backend.pre_tokenizer = apart if earlier is None else Sequence([earlier, apart])
