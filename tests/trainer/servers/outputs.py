"""What the libraries alone make of published folders; run as a program, in an environment that has them.

Takes a file with a JSON list of {"folder", "texts"} and writes over it the versions of the libraries, and
for each folder a list (texts, outputs) of embeddings or logits, or what the libraries say against it.
"""

import json
import sys
from pathlib import Path
from typing import Any

import sentence_transformers
import torch
import transformers
from sentence_transformers import SentenceTransformer
from transformers import AutoModelForSequenceClassification, AutoTokenizer


def outputs(folder: Path, texts: list[str]) -> list[list[float]]:
    if (folder / "modules.json").exists():
        return SentenceTransformer(str(folder), device="cpu").encode(texts).tolist()
    tokens = AutoTokenizer.from_pretrained(folder)(texts, padding=True, truncation=True, return_tensors="pt")
    with torch.no_grad():
        network = AutoModelForSequenceClassification.from_pretrained(folder)
        return network.eval()(**tokens).logits.tolist()


def outputs_or_error(folder: Path, texts: list[str]) -> list[list[float]] | str:
    try:
        return outputs(folder, texts)
    except Exception as error:  # noqa: BLE001 - whatever they raise for what they do not know
        return f"{type(error).__name__}: {error}"


def versions() -> dict[str, str]:
    return {library.__name__: library.__version__ for library in (sentence_transformers, transformers)}


if __name__ == "__main__":
    path = Path(sys.argv[1])
    models: list[dict[str, Any]] = json.loads(path.read_text())
    found = [outputs_or_error(Path(one["folder"]), one["texts"]) for one in models]
    assert not any(name.startswith("trainingrun") for name in sys.modules)
    path.write_text(json.dumps({"versions": versions(), "outputs": found}))
