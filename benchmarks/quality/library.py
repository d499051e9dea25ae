"""Score a published model by its own library, in a process that knows nothing of the trainer.

Run as `python -I library.py FOLDER TEXTS FIGURES`: the texts are rows of JSON with text and label, and with
context where the model reads one, which its card gives `encode` as the second text of a pair.
"""

import json
import sys
from pathlib import Path
from typing import Any

import torch
from sentence_transformers import SentenceTransformer
from sklearn.metrics import f1_score
from torch.nn.functional import cross_entropy
from transformers import pipeline


def logits(folder: Path, texts: list[Any]) -> tuple[torch.Tensor, dict[int, str]]:
    """Logits (texts, labels) and the label of each column."""
    if (folder / "modules.json").is_file():
        model = SentenceTransformer(str(folder), device="cpu")
        return model.encode(texts, convert_to_tensor=True, show_progress_bar=False), model.config.id2label
    settings = {"top_k": None, "function_to_apply": "none", "batch_size": 32, "truncation": True}
    classify = pipeline("text-classification", str(folder), device="cpu", **settings)
    id2label = classify.model.config.id2label
    rows = [{one["label"]: one["score"] for one in scores} for scores in classify(texts)]
    return torch.tensor([[row[id2label[n]] for n in sorted(id2label)] for row in rows]), id2label


def main(folder: Path, path: Path, figures: Path) -> None:
    """Write accuracy, macro F1 (shares) and loss (nats per text)."""
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    texts = [(row["text"], row["context"]) if "context" in row else row["text"] for row in rows]
    found, id2label = logits(folder, texts)
    index = {label: int(number) for number, label in id2label.items()}
    targets = torch.tensor([index[row["label"]] for row in rows])
    predicted = found.argmax(dim=1)
    f1 = f1_score(targets, predicted, labels=targets.unique(), average="macro", zero_division=0)
    scores = {
        "accuracy": float((predicted == targets).double().mean()),
        "f1": float(f1),
        "loss": float(cross_entropy(found.float(), targets)),
    }
    figures.write_text(json.dumps(scores))


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(*map(Path, sys.argv[1:4]))
