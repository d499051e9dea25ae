"""What the trainer is measured against: the libraries that a data scientist would take instead."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from numpy.typing import NDArray
from sentence_transformers import (
    SentenceTransformer,
    SentenceTransformerTrainer,
    SentenceTransformerTrainingArguments,
)
from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold
from torch.utils.data import BatchSampler, SequentialSampler
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    Trainer,
    TrainingArguments,
    set_seed,
)

from trainingrun_trainer.model import default_model_folder

from .texts import Text

CONTRAST_STEPS = 400
"""Of SetFit's stage: 32 labels x 2 texts each, the steps that the trainer's own stage is of the order of."""

CONTRAST_LABELS = 32

TUNED_C = (1.0, 3.0, 10.0, 30.0)


def logistic_regression(training: list[Text], test: list[Text], c: float = 1.0) -> float:
    """Accuracy on the frozen default model's embeddings: the cheap baseline; `c` is scikit-learn's C."""
    return _regression(base(), training, test, c)


def tuned_regression(training: list[Text], test: list[Text]) -> float:
    """The same with that C of TUNED_C which is the best in five-fold cross-validation."""
    model = base()
    folds = KFold(5, shuffle=True, random_state=0)  # not stratified, since some labels have a single text
    search = GridSearchCV(LogisticRegression(max_iter=1000), {"C": TUNED_C}, cv=folds)
    search.fit(embeddings(model, training), [text.label for text in training])
    return float(search.score(embeddings(model, test), [text.label for text in test]))


def hf_trainer(training: list[Text], test: list[Text], seed: int, work: Path) -> float:
    """Accuracy of transformers' Trainer with its own defaults: 3 epochs, 5e-5, batches of 8, linear."""
    set_seed(seed)
    labels = sorted({text.label for text in training})
    folder = str(default_model_folder())
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=len(labels))

    def encoded(texts: list[Text]) -> Dataset:
        rows = dict(tokenizer([text.text for text in texts], truncation=True))
        return Dataset.from_dict({**rows, "labels": [labels.index(text.label) for text in texts]})

    trainer = Trainer(
        model=model,
        args=TrainingArguments(
            output_dir=str(work),
            seed=seed,
            use_cpu=True,
            report_to="none",
            save_strategy="no",
            disable_tqdm=True,
        ),
        train_dataset=encoded(training),
        data_collator=DataCollatorWithPadding(tokenizer),
    )
    trainer.train()
    found = trainer.predict(encoded(test))
    return float((np.argmax(found.predictions, axis=1) == found.label_ids).mean())


def setfit(training: list[Text], test: list[Text], seed: int, work: Path) -> float:
    """Accuracy of SetFit's method: contrastive pairs by sentence-transformers, then logistic regression.

    Training arguments are sentence-transformers' own. A batch has one pair of each of 32 labels, so that
    no negative has the label of its anchor.
    """
    set_seed(seed)
    model = base()
    pairs = Dataset.from_list(list(_pairs(training, seed)))
    arguments = SentenceTransformerTrainingArguments(
        output_dir=str(work),
        num_train_epochs=1,
        per_device_train_batch_size=CONTRAST_LABELS,
        batch_sampler=_in_order,
        seed=seed,
        use_cpu=True,
        report_to="none",
        save_strategy="no",
        disable_tqdm=True,
    )
    SentenceTransformerTrainer(
        model, arguments, train_dataset=pairs, loss=MultipleNegativesRankingLoss(model)
    ).train()
    return _regression(model, training, test)


def embeddings(model: SentenceTransformer, texts: list[Text]) -> NDArray[np.float32]:
    """(texts, dimensions)."""
    found: NDArray[np.float32] = model.encode([text.text for text in texts], show_progress_bar=False)
    return found


def load(folder: Path) -> SentenceTransformer:
    """A model of a folder."""
    return SentenceTransformer(str(folder), device="cpu")


def base() -> SentenceTransformer:
    """The default model as it is."""
    return load(default_model_folder())


def _regression(model: SentenceTransformer, training: list[Text], test: list[Text], c: float = 1.0) -> float:
    solved = LogisticRegression(C=c, max_iter=1000).fit(
        embeddings(model, training), [text.label for text in training]
    )
    return float(solved.score(embeddings(model, test), [text.label for text in test]))


def _pairs(texts: list[Text], seed: int) -> Iterator[dict[str, str]]:
    random = np.random.default_rng(seed)
    by_label = [
        [text.text for text in texts if text.label == label] for label in sorted({t.label for t in texts})
    ]
    for _ in range(CONTRAST_STEPS):
        for label in random.permutation(len(by_label))[:CONTRAST_LABELS]:
            anchor, positive = random.choice(by_label[label], 2, replace=False)
            yield {"anchor": str(anchor), "positive": str(positive)}


def _in_order(dataset: Dataset, batch_size: int, drop_last: bool, **_: Any) -> BatchSampler:
    return BatchSampler(SequentialSampler(dataset), batch_size, drop_last)


torch.set_num_threads(1)
