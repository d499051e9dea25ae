"""What a published model says of texts: by the libraries alone, as its model card has it."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from sentence_transformers import SentenceTransformer
from transformers import pipeline
from transformers.utils.logging import disable_progress_bar

from trainingrun_client.errors import ClientError

Scores = dict[str, float]
"""The probability of each label, the most probable first."""


class PublishedModel:
    """A folder that a run has published."""

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

    def scores(self, texts: Sequence[str], context: Mapping[str, str]) -> list[Scores]:
        """Of each text, all beside the same context: values by name, some or all of the model's.

        Raises ClientError for a name that the model doesn't know.
        """
        written = self._written(context)
        inputs = [self._input(text, written) for text in texts]
        disable_progress_bar()  # loading takes less than a second
        pooled = (self._folder / "modules.json").is_file()
        try:
            found = self._encode(inputs) if pooled else self._classify(inputs)
        except (OSError, ValueError, RuntimeError, SafetensorError) as error:
            why = str(error).splitlines()[0]  # transformers tells traces of all it has tried
            raise ClientError(f"{self._folder}: the model can't be loaded: {why}; copy it again") from error
        return [dict(sorted(scores.items(), key=lambda one: -one[1])) for scores in found]

    def given(self, scores: Scores) -> list[str]:
        """The most probable label; where texts have several, all from the model's threshold on."""
        threshold = self._config.get("threshold")
        if threshold is None:
            return [next(iter(scores))]
        return [label for label, score in scores.items() if score >= threshold]

    def _written(self, context: Mapping[str, str]) -> str:
        known: list[str] = self._config.get("context", {}).get("names", [])
        if unknown := sorted(context.keys() - set(known)):
            reads = ", ".join(known) or "no context"
            raise ClientError(f"--context {unknown[0]}: this model reads {reads}")
        named = self._config.get("context", {}).get("form") == "Prefix"
        return " | ".join(
            f"{name}: {context[name]}" if named else context[name] for name in known if context.get(name)
        )

    def _input(self, text: str, written: str) -> Any:
        match self._config.get("context", {}).get("form"):
            case "Pair":
                pooled = (self._folder / "modules.json").is_file()
                return (text, written) if pooled else {"text": text, "text_pair": written}
            case "Prefix" if written:
                return f"{written} | {text}"
        return text

    def _encode(self, inputs: list[Any]) -> list[Scores]:
        logits = SentenceTransformer(str(self._folder)).encode(inputs, convert_to_tensor=True)
        several = self._config.get("problem_type") == "multi_label_classification"
        labels = [label for _, label in sorted(self._config["id2label"].items(), key=lambda one: int(one[0]))]
        rows = (logits.sigmoid() if several else logits.softmax(dim=1)).tolist()
        return [dict(zip(labels, row, strict=True)) for row in rows]

    def _classify(self, inputs: list[Any]) -> list[Scores]:
        classify = pipeline("text-classification", str(self._folder), top_k=None)
        rows: Any = classify(inputs, truncation=True)  # typed for the one label it gives without top_k
        return [{one["label"]: one["score"] for one in row} for row in rows]
