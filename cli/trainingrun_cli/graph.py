"""The ONNX graph of a published model, which runs without torch."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

BATCH_SIZE = 32
"""Texts of about one length at once."""


class Graph:
    """A classifier's graph, with the tokenizer beside it."""

    def __init__(self, graph: Path, tokenizer: Path) -> None:
        # Each takes part of a second to import.
        from onnxruntime import InferenceSession  # noqa: PLC0415
        from transformers import PreTrainedTokenizerFast  # noqa: PLC0415

        self._session: Any = InferenceSession(graph, providers=["CPUExecutionProvider"])
        self._inputs = [one.name for one in self._session.get_inputs()]
        self._tokenizer = PreTrainedTokenizerFast.from_pretrained(tokenizer)

    @classmethod
    def of(cls, folder: Path) -> Self | None:
        """That of a model's folder; None where it has none, or a tokenizer that is read in Python alone."""
        graph = folder / "onnx" / "model.onnx"
        if not graph.is_file() or not (folder / "tokenizer.json").is_file():
            return None
        return cls(graph, folder)

    def logits(self, texts: Sequence[str | tuple[str, str]]) -> Any:
        """Of each text, or pair of texts: (texts, labels)."""
        by_length = sorted(range(len(texts)), key=lambda one: len("".join(texts[one])))
        parts = [by_length[start : start + BATCH_SIZE] for start in range(0, len(texts), BATCH_SIZE)]
        found = np.concatenate([self._run([texts[one] for one in part]) for part in parts])
        return found[np.argsort(by_length)]

    def _run(self, texts: list[Any]) -> Any:
        # What it gives beside depends on the class, which isn't the one that the graph was written with.
        tokens = self._tokenizer(
            texts, padding=True, truncation=True, return_token_type_ids=True, return_tensors="np"
        )
        (logits,) = self._session.run(["logits"], {name: tokens[name] for name in self._inputs})
        return logits
