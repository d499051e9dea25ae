"""Tiny real models, a small data set, and a real S3 server."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import torch
from safetensors.torch import load_file
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast
from transformers.utils import logging

from localcluster import S3Server
from trainingrun_api.evaluation import Evaluation, Timing
from trainingrun_api.progress import ProgressReport
from trainingrun_api.run_config import RunConfig
from trainingrun_trainer.records import Example

WORDS = {
    "billing": ("invoice", "charge", "refund", "price", "card"),
    "delivery": ("parcel", "courier", "late", "address", "box"),
    "login": ("password", "account", "locked", "code", "email"),
}
FILLERS = ("my", "the", "please", "help", "with", "again", "today", "is", "not", "right")
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")

logging.disable_progress_bar()


def tickets(per_label: int = 20) -> list[dict[str, str]]:
    """Distinct texts that a linear model can tell apart."""
    return [
        {
            "text": f"{FILLERS[n % 10]} {words[n % 5]} {FILLERS[n // 5 % 10]} {words[n // 3 % 5]} {n}",
            "label": label,
        }
        for label, words in WORDS.items()
        for n in range(per_label)
    ]


def ticket_texts() -> list[Example]:
    """The tickets, as read from their file."""
    return [Example(ticket["text"], (ticket["label"],)) for ticket in tickets()]


def write_jsonl(path: Path, rows: list[Any]) -> str:
    """Write rows and give the file's URI."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path.as_uri()


def tokenizer(*, model_max_length: int = 32, padding_side: str = "right") -> PreTrainedTokenizerFast:
    """Whole words of a small vocabulary."""
    words = [*SPECIAL, *FILLERS, *(word for group in WORDS.values() for word in group)]
    backend = Tokenizer(models.WordLevel({word: n for n, word in enumerate(words)}, unk_token="[UNK]"))
    backend.normalizer = normalizers.Lowercase()
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    backend.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        model_max_length=model_max_length,
        padding_side=padding_side,
        unk_token="[UNK]",
        pad_token="[PAD]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
    )


@pytest.fixture(scope="session")
def plain_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random BERT of two small layers, without pooling."""
    folder = tmp_path_factory.mktemp("plain")
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=40,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=32,
    )
    BertModel(config).save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def pooled_model(plain_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same in sentence-transformers format."""
    folder = tmp_path_factory.mktemp("pooled")
    body = Transformer(str(plain_model))
    pooling = Pooling(body.get_embedding_dimension(), pooling_mode="mean")
    model = SentenceTransformer(modules=[body, pooling, Normalize()], device="cpu")
    model.save_pretrained(str(folder), create_model_card=False)
    return folder


def pickled(source: Path, folder: Path) -> Path:
    """The model with its weights in pytorch_model.bin."""
    shutil.copytree(source, folder)
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    return folder


@pytest.fixture
def config(tmp_path: Path, pooled_model: Path) -> RunConfig:
    """Three epochs on the tiny pooled model, from and to local folders."""
    return RunConfig.model_validate(
        {
            "run": {"namespace": "team", "name": "tickets", "uid": "1"},
            "modelName": "tickets",
            "taskType": "Classification",
            "baseModel": {"uri": pooled_model.as_uri()},
            "dataset": {"uri": write_jsonl(tmp_path / "tickets.jsonl", tickets())},
            "skipDuplicates": True,
            "trainPercent": 80,
            "training": {"maxEpochs": 3, "batchSize": 8, "learningRate": 1e-3, "mixedPrecision": "FP32"},
            "outputPrefix": (tmp_path / "out").as_uri(),
            "storage": {},
        }
    )


def changed(config: RunConfig, **fields: Any) -> RunConfig:
    """The configuration with other fields; `training` takes a dict of what differs."""
    training = config.training.model_copy(update=fields.pop("training", {}))
    return config.model_copy(update={"training": training, **fields})


class KilledError(BaseException):
    """Ends a run as SIGKILL does: without time to save anything."""


def ending_at(step: int, ending: type[BaseException]) -> Callable[[ProgressReport], None]:
    """A listener that ends the run when a step is reached: by KilledError, or by Interrupted."""

    def listen(report: ProgressReport) -> None:
        if report.progress.step >= step:
            raise ending

    return listen


def untimed(evaluation: Evaluation) -> Evaluation:
    """Without what differs between two runs that give the same model: the clock, and interruptions."""
    curves = evaluation.curves.model_copy(update={"restarts": []})
    return evaluation.model_copy(update={"timing": Timing(), "curves": curves})


@pytest.fixture(scope="session")
def s3() -> Iterator[S3Server]:
    """An S3 server with a bucket named `bucket`."""
    with S3Server() as server:
        client = boto3.client(
            "s3",
            endpoint_url=server.endpoint,
            region_name=server.region,
            aws_access_key_id=server.access_key,
            aws_secret_access_key=server.secret_key,
        )
        client.create_bucket(Bucket="bucket")
        client.close()
        yield server


@pytest.fixture
def s3_credentials(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> S3Server:
    """The server, with its credentials in the environment as the pod has them."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", s3.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", s3.secret_key)
    return s3
