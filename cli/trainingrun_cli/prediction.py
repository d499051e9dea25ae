"""What a published model says of texts: by the libraries alone, as its model card has it."""

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from safetensors import SafetensorError
from scipy.special import expit, softmax

from trainingrun_client.errors import ClientError

from .graph import Graph

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Scores = dict[str, float]
"""The probability of each label, the most probable first."""


class TextInContext(NamedTuple):
    """A text, and what is known beside it."""

    text: str
    context: Mapping[str, str]
    """Values by name; of those that the model reads, some or all."""


class PublishedModel:
    """A folder that a run has published: its ONNX graph, if there is one, for which nobody waits until torch
    is imported; else the model itself.
    """

    def __init__(self, folder: Path) -> None:
        """Raises ClientError when it holds no classifier."""
        try:
            self._config: Any = json.loads((folder / "config.json").read_bytes())
        except OSError as error:
            raise ClientError(
                f"{folder}/config.json: {error.strerror}; pass the folder of a model"
            ) from error
        except ValueError as error:
            raise ClientError(
                f"{folder}/config.json is not valid JSON: {error}; copy the model again"
            ) from error
        if not isinstance(self._config, dict) or not str(self._config.get("problem_type")).endswith(
            "label_classification"
        ):
            raise ClientError(f"{folder}: not a classifier, so it predicts no labels")
        self._folder = folder

    @property
    def context_names(self) -> list[str]:
        """What it reads beside the text."""
        return list(self._config.get("context", {}).get("names", []))

    def scores(self, texts: Sequence[TextInContext]) -> list[Scores]:
        """Of each text. Raises ClientError for a model that can't be loaded."""
        inputs = [self._input(one) for one in texts]
        try:
            found = self._classify(inputs) if self._stock else self._labelled(self._logits(inputs))
        except (OSError, ValueError, RuntimeError, SafetensorError) as error:
            why = str(error).splitlines()[0]  # transformers tells traces of all it has tried
            raise ClientError(f"{self._folder}: the model can't be loaded: {why}; copy it again") from error
        return [dict(sorted(scores.items(), key=lambda one: -one[1])) for scores in found]

    def given(self, scores: Scores, least: float = 0.0) -> list[str]:
        """The most probable label; where texts have several, all from the model's threshold on.

        None whose probability is below `least`.
        """
        threshold = self._config.get("threshold")
        if threshold is None:
            return [label for label, score in list(scores.items())[:1] if score >= least]
        return [label for label, score in scores.items() if score >= max(threshold, least)]

    @cached_property
    def _graph(self) -> Graph | None:
        return Graph.of(self._folder)

    @property
    def _stock(self) -> bool:
        """Whether transformers alone load it."""
        return self._graph is None and not (self._folder / "modules.json").is_file()

    def _input(self, one: TextInContext) -> Any:
        form, context = self._config.get("context", {}).get("form"), one.context
        names = [name for name in self.context_names if context.get(name)]
        named = form == "Prefix"
        beside = " | ".join(f"{name}: {context[name]}" if named else context[name] for name in names)
        if form == "Pair":
            return {"text": one.text, "text_pair": beside} if self._stock else (one.text, beside)
        return f"{beside} | {one.text}" if named and beside else one.text

    def _logits(self, inputs: list[Any]) -> Any:
        return np.asarray(self._graph.logits(inputs) if self._graph else self._transformer.encode(inputs))

    def _labelled(self, logits: Any) -> list[Scores]:
        several = self._config.get("problem_type") == "multi_label_classification"
        labels = [label for _, label in sorted(self._config["id2label"].items(), key=lambda one: int(one[0]))]
        rows = (expit(logits) if several else softmax(logits, axis=1)).tolist()
        return [dict(zip(labels, row, strict=True)) for row in rows]

    def _classify(self, inputs: list[Any]) -> list[Scores]:
        rows: Any = self._pipeline(inputs, truncation=True)
        return [{one["label"]: one["score"] for one in row} for row in rows]

    @cached_property
    def _transformer(self) -> "SentenceTransformer":
        from sentence_transformers import SentenceTransformer  # noqa: PLC0415  # torch
        from transformers.utils.logging import disable_progress_bar  # noqa: PLC0415

        disable_progress_bar()  # loading takes less than a second
        return SentenceTransformer(str(self._folder))

    @cached_property
    def _pipeline(self) -> Any:
        from transformers import pipeline  # noqa: PLC0415  # torch
        from transformers.utils.logging import disable_progress_bar  # noqa: PLC0415

        disable_progress_bar()
        return pipeline("text-classification", str(self._folder), top_k=None)
