"""Base models of all kinds, and those that can't be used."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from transformers import AutoTokenizer, RobertaConfig, RobertaModel

from trainingrun_api.lineage import HeadOrigin
from trainingrun_trainer.errors import ModelError, SettingsError
from trainingrun_trainer.model import (
    Classifier,
    PooledClassifier,
    SequenceClassifier,
    default_model_folder,
    load,
)
from trainingrun_trainer.records import Example

from .conftest import pickled

LABELS = ["billing", "login"]


def test_the_format_of_the_base_model_is_kept(plain_model: Path, pooled_model: Path) -> None:
    assert isinstance(load(plain_model, "uri", LABELS), SequenceClassifier)
    assert isinstance(load(pooled_model, "uri", LABELS), PooledClassifier)


def test_the_default_model_comes_with_the_trainer() -> None:
    classifier = load(default_model_folder(), "Default", LABELS)
    assert classifier.token_limit() == 256


@pytest.mark.parametrize("kind", ["plain_model", "pooled_model"])
def test_a_head_is_reused_for_equal_labels_only(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    first = load(request.getfixturevalue(kind), "uri", LABELS)
    first.save(tmp_path / "model")
    heads = [
        [parameter.detach() for parameter in classifier.head_parameters()]
        for classifier in (
            first,
            load(tmp_path / "model", "uri", LABELS),
            load(tmp_path / "model", "uri", ["x", "y"]),
        )
    ]
    assert all(torch.equal(a, b) for a, b in zip(heads[0], heads[1], strict=True))
    assert not torch.equal(heads[0][0], heads[2][0])


@pytest.mark.parametrize("kind", ["plain_model", "pooled_model"])
@pytest.mark.parametrize("several", [False, True], ids=["one label", "several"])
def test_a_head_is_reused_whatever_the_order_of_its_labels(
    kind: str, several: bool, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    labels = ["a", "b", "c"]
    first = load(request.getfixturevalue(kind), "uri", labels, multi_label=several)
    with torch.no_grad():  # as training leaves it
        for parameter in first.head_parameters():
            parameter.copy_(torch.randn_like(parameter))
    first.save(tmp_path / "model")
    again = load(tmp_path / "model", "uri", ["c", "a", "b"], multi_label=several)
    assert (again.head_origin, again.notes) == (HeadOrigin.REUSED, [])
    before, after = ([*logits(classifier, "my card").tolist()] for classifier in (first, again))
    assert dict(zip(again.labels, after, strict=True)) == pytest.approx(
        dict(zip(labels, before, strict=True)), abs=1e-6
    )
    assert again.config.id2label == {0: "c", 1: "a", 2: "b"}


def logits(classifier: Classifier, text: str) -> torch.Tensor:
    classifier.network.eval()
    with torch.no_grad():
        return classifier.logits(classifier.pad(classifier.tokenizer([text])["input_ids"]))[0]


def test_long_texts_are_cut_and_counted(pooled_model: Path) -> None:
    classifier = load(pooled_model, "uri", LABELS)
    classifier.limit_tokens(8, [])
    encoded = classifier.encode([Example("my card " * 9, ("login",)), Example("my card", ("billing",))])
    assert [len(ids) for ids in encoded.input_ids] == [8, 4]
    assert encoded.input_ids[0][-1] == classifier.tokenizer.sep_token_id
    assert (encoded.targets.tolist(), encoded.truncated) == ([1, 0], 1)


def test_more_tokens_than_the_model_reads_are_refused(pooled_model: Path) -> None:
    with pytest.raises(SettingsError, match="maxSequenceLength is 64, but this model reads at most 32"):
        load(pooled_model, "uri", LABELS).limit_tokens(64, [])


@pytest.mark.parametrize("kind", ["plain_model", "pooled_model"])
def test_a_run_that_goes_on_from_another_may_read_longer_texts(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    first = load(request.getfixturevalue(kind), "uri", LABELS)
    first.limit_tokens(8, [])
    first.save(tmp_path / "model")
    again = load(tmp_path / "model", "uri", LABELS)
    again.limit_tokens(32, [])
    assert (first.token_limit(), again.token_limit(), again.max_tokens) == (32, 32, 32)


def test_positions_that_padding_takes_are_no_room_for_tokens(plain_model: Path, tmp_path: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(plain_model)
    tokenizer.model_max_length = 10**30  # as tokenizers without a limit have it
    tokenizer.save_pretrained(tmp_path)
    RobertaModel(
        RobertaConfig(
            vocab_size=40,
            hidden_size=32,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=64,
            max_position_embeddings=34,
            pad_token_id=1,
        )
    ).save_pretrained(tmp_path)
    assert load(tmp_path, "uri", LABELS).token_limit() == 32


def test_the_limit_left_out_is_where_99_of_100_texts_end() -> None:
    classifier = load(default_model_folder(), "Default", LABELS)
    short, long = Example("my card", ("login",)), Example("my card " * 50, ("login",))
    longer = Example("my card " * 90, ("login",))
    limits = []
    for examples in (
        [short] * 100,
        [short] * 95 + [long] * 5,
        [long] * 2 + [short] * 396,
        [long, longer] * 5,
    ):
        classifier.limit_tokens(None, examples)
        limits.append(classifier.max_tokens)
    assert limits == [64, 104, 64, 184]
    classifier.limit_tokens(None, [Example("my card " * 500, ("login",))])
    assert classifier.max_tokens == classifier.token_limit() == 256


def without_weights(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def without_config(folder: Path) -> None:
    (folder / "config.json").unlink()


def with_own_code(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "auto_map": {"AutoModel": "own.Model"}}))


def with_own_modules(folder: Path) -> None:
    modules = json.loads((folder / "modules.json").read_text())
    (folder / "modules.json").write_text(json.dumps([{**modules[0], "type": "os.system"}, *modules[1:]]))


def with_damage(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"no weights")


@pytest.mark.parametrize("kind", ["plain_model", "pooled_model"])
def test_pickled_weights_are_read_where_they_are_allowed(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    source = request.getfixturevalue(kind)
    folder = pickled(source, tmp_path / "model")
    with pytest.raises(ModelError, match="have the operator's allowPickledModels set"):
        load(folder, "uri", LABELS)
    read, expected = load(folder, "uri", LABELS, allow_pickled=True), load(source, "uri", LABELS)
    assert torch.equal(*(next(classifier.network.parameters()) for classifier in (read, expected)))
    assert read.notes == []


class MakesAFile:
    """When it is unpickled."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
        return Path.touch, (self._path,)


@pytest.mark.parametrize("kind", ["plain_model", "pooled_model"])
def test_pickled_code_is_never_run(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    folder = pickled(request.getfixturevalue(kind), tmp_path / "model")
    ran = tmp_path / "ran"
    torch.save({"weights": MakesAFile(ran)}, folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match="the model can't be loaded"):
        load(folder, "uri", LABELS, allow_pickled=True)
    assert not ran.exists()


@pytest.mark.parametrize("kind", ["plain_model", "pooled_model"])
def test_tokens_without_an_embedding_get_one(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    folder = shutil.copytree(request.getfixturevalue(kind), tmp_path / "model")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.add_tokens([f"word{n}" for n in range(42 - len(tokenizer))])
    tokenizer.save_pretrained(folder)
    classifier = load(folder, "uri", LABELS)
    assert classifier.notes == ["the tokenizer has 42 tokens and the model 40 embeddings; 2 were added"]
    added = tokenizer.convert_ids_to_tokens(41)
    assert 41 in classifier.tokenizer(added)["input_ids"]
    assert logits(classifier, added).isfinite().all()
    classifier.save(tmp_path / "saved")
    assert load(tmp_path / "saved", "uri", LABELS).notes == []


@pytest.mark.parametrize("kind", ["plain_model", "pooled_model"])
def test_a_tokenizer_that_can_not_pad_does_so_by_its_end_mark_or_is_refused(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    folder = shutil.copytree(request.getfixturevalue(kind), tmp_path / "model")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.pad_token = None
    tokenizer.save_pretrained(folder)
    with pytest.raises(ModelError, match=r"uri: .* neither pad_token nor eos_token: add one of them"):
        load(folder, "uri", LABELS)
    tokenizer.eos_token = "[SEP]"
    tokenizer.save_pretrained(folder)
    classifier = load(folder, "uri", LABELS)
    assert classifier.tokenizer.pad_token == "[SEP]"
    assert logits(classifier, "my card").isfinite().all()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (without_weights, "no .safetensors file"),
        (without_config, "there is no config.json"),
        (with_own_code, "needs code of its own"),
        (with_own_modules, "names 'os.system', code that is never run"),
        (with_damage, "can't be loaded"),
    ],
)
def test_messages_say_what_is_wrong_with_the_folder(
    pooled_model: Path, tmp_path: Path, spoil: object, message: str
) -> None:
    folder = shutil.copytree(pooled_model, tmp_path / "model")
    spoil(folder)  # type: ignore[operator]
    with pytest.raises(ModelError, match=message) as caught:
        load(folder, "s3://models/mine", LABELS)
    assert str(caught.value).startswith("s3://models/mine")
    assert str(tmp_path) not in str(caught.value)
