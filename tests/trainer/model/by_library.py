"""Scores of published models by the libraries alone, as their cards and config.json say; run as a program.

Takes a file with a JSON list of {"folder", "texts", "contexts"} and writes their probabilities over it:
a list (texts, labels) for each.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from sentence_transformers import SentenceTransformer
from transformers import pipeline


def written(context: dict[str, Any], values: list[str]) -> str:
    """One line, as in the model card."""
    named = dict(zip(context["names"], values, strict=True))
    named_too = context["form"] == "Prefix"
    return " | ".join(f"{name}: {value}" if named_too else value for name, value in named.items() if value)


def inputs(config: dict[str, Any], texts: list[str], contexts: list[list[str]], *, pooled: bool) -> list[Any]:
    if not contexts:
        return texts
    beside = [written(config["context"], values) for values in contexts]
    pairs = list(zip(texts, beside, strict=True))
    if config["context"]["form"] == "Prefix":
        return [f"{context} | {text}" if context else text for text, context in pairs]
    return pairs if pooled else [{"text": text, "text_pair": context} for text, context in pairs]


def probabilities(folder: Path, texts: list[str], contexts: list[list[str]]) -> np.ndarray:
    config = json.loads((folder / "config.json").read_text())
    pooled = (folder / "modules.json").exists()
    given = inputs(config, texts, contexts, pooled=pooled)
    if pooled:
        model = SentenceTransformer(str(folder), device="cpu")
        return model.encode(given, convert_to_tensor=True).softmax(dim=1).numpy()
    classify = pipeline("text-classification", str(folder), device="cpu", top_k=None)
    rows = [{one["label"]: one["score"] for one in row} for row in classify(given, truncation=True)]
    return np.array([[row[label] for _, label in sorted(config["id2label"].items())] for row in rows])


if __name__ == "__main__":
    path = Path(sys.argv[1])
    models = json.loads(path.read_text())
    found = [probabilities(Path(one["folder"]), one["texts"], one["contexts"]).tolist() for one in models]
    assert not any(name.startswith("trainingrun") for name in sys.modules)
    path.write_text(json.dumps(found))
