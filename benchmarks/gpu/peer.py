"""transformers' Trainer, with the flags that are known to make it fast."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Any

import torch
from benchmarks.gpu.work import BATCH, LEARNING_RATE, Found, Length, Step, measure
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

from trainingrun_trainer.records import Example

STEPS = 1_000_000
"""More than are taken."""


def measure_peer(base: Path, rows: Sequence[Example], length: Length, work: Path) -> Found:
    """Train the model in `base` on all rows."""
    with Steps(_trainer(base, rows, work)) as steps:
        return measure(iter(steps), length)


class Steps(TrainerCallback):
    """Lets Trainer take one step at a time, in a thread of its own, as they are asked for."""

    def __init__(self, trainer: Trainer) -> None:
        self._trainer = trainer
        self._wanted, self._done = Queue[bool](), Queue[Step | BaseException]()
        self._thread = Thread(target=self._train, daemon=True)
        trainer.add_callback(self)

    def __enter__(self) -> "Steps":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._wanted.put(False)
        self._thread.join()

    def __iter__(self) -> Iterator[Step]:
        while True:
            self._wanted.put(True)
            done = self._done.get()
            if isinstance(done, BaseException):
                raise done
            yield done

    def _train(self) -> None:
        try:
            if self._wanted.get():
                self._trainer.train()
        except BaseException as error:  # noqa: BLE001 - raised where steps are asked for
            self._done.put(error)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Wait for the next to be asked for."""
        logged = state.log_history[-1].get("loss") if state.log_history else None
        self._done.put((BATCH, logged))
        if not self._wanted.get():
            control.should_training_stop = True


def _trainer(base: Path, rows: Sequence[Example], work: Path) -> Trainer:
    torch.manual_seed(0)
    labels = sorted({label for row in rows for label in row.labels})
    tokenizer = AutoTokenizer.from_pretrained(base)
    tokens = tokenizer([row.text for row in rows], truncation=True, max_length=128)["input_ids"]
    data = [
        {"input_ids": ids, "attention_mask": [1] * len(ids), "labels": labels.index(row.labels[0])}
        for ids, row in zip(tokens, rows, strict=True)
    ]
    gpu = torch.cuda.is_available()
    bf16 = gpu and torch.cuda.is_bf16_supported(including_emulation=False)
    arguments = TrainingArguments(
        output_dir=str(work),
        per_device_train_batch_size=BATCH,
        max_steps=STEPS,
        learning_rate=LEARNING_RATE,
        lr_scheduler_type="constant",
        bf16=bf16,
        tf32=True if bf16 else None,
        optim="adamw_torch_fused",
        train_sampling_strategy="group_by_length",
        dataloader_num_workers=2 if gpu else 0,
        dataloader_pin_memory=gpu,
        dataloader_persistent_workers=gpu,
        logging_steps=16,
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
        use_cpu=not gpu,
        seed=0,
    )
    model = AutoModelForSequenceClassification.from_pretrained(base, num_labels=len(labels))
    return Trainer(model, arguments, DataCollatorWithPadding(tokenizer), train_dataset=data)
