"""Base models of all kinds, and those that can't be used."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import (
    AutoModel,
    AutoTokenizer,
    BartConfig,
    BartModel,
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaModel,
    T5Config,
    T5Model,
)

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

from ..conftest import pickled
from .tiny_models import tiny_body

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


@pytest.mark.parametrize("stated", [-1, 0])
def test_a_limit_that_is_none_is_none(plain_model: Path, tmp_path: Path, stated: int) -> None:
    classifier = load(plain_model, "uri", LABELS)
    classifier.config.max_position_embeddings = stated  # as XLNet's says -1
    assert classifier.token_limit() == 32


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


def unigrams() -> PreTrainedTokenizerFast:
    """As SentencePiece makes them: special tokens are pieces of the vocabulary like any other."""
    pieces = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0)]
    backend = Tokenizer(models.Unigram([*pieces, *((letter, -3.0) for letter in "abcdemnrsy</>")], unk_id=3))
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    backend.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=backend, bos_token="<s>", pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    )


def whole_words() -> PreTrainedTokenizerFast:
    """Divided at spaces alone."""
    words = ["<s>", "<pad>", "</s>", "<unk>", "my", "card"]
    backend = Tokenizer(models.WordLevel({word: n for n, word in enumerate(words)}, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    backend.post_processor = unigrams().backend_tokenizer.post_processor
    return PreTrainedTokenizerFast(
        tokenizer_object=backend, bos_token="<s>", pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    )


@pytest.mark.parametrize("made", [unigrams, whole_words])
def test_special_tokens_in_texts_are_text(
    tmp_path: Path, made: Callable[[], PreTrainedTokenizerFast]
) -> None:
    small = {"d_model": 32, "vocab_size": 40, "max_position_embeddings": 64}
    layers = {"encoder_layers": 1, "decoder_layers": 1, "encoder_ffn_dim": 32, "decoder_ffn_dim": 32}
    heads = {"encoder_attention_heads": 2, "decoder_attention_heads": 2}
    BartModel(BartConfig(**small, **layers, **heads)).save_pretrained(tmp_path / "base")
    made().save_pretrained(tmp_path / "base")
    classifier = load(tmp_path / "base", "uri", LABELS)
    texts = ["my card", "my </s> card </s>", "<s> my card <pad>"]
    ids = list(classifier.encode([Example(text, ("login",)) for text in texts]).input_ids)
    assert [(one[0], one[-1]) for one in ids] == [(0, 2)] * 3
    assert not any({0, 1, 2} & set(one[1:-1]) for one in ids)
    with torch.no_grad():
        assert classifier.logits(classifier.pad(ids)).isfinite().all()  # BART counts end marks
    classifier.save(tmp_path / "model")
    assert AutoTokenizer.from_pretrained(tmp_path / "model")(texts)["input_ids"] == ids


def test_a_model_of_one_token_type_is_given_no_others(tmp_path: Path) -> None:
    small = {"vocab_size": 40, "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1}
    RobertaModel(RobertaConfig(**small, num_attention_heads=2, type_vocab_size=1)).save_pretrained(tmp_path)
    template = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> $B:1 </s>:1", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    tokenizer = unigrams()
    tokenizer.backend_tokenizer.post_processor = template
    tokenizer.init_kwargs["model_input_names"] = ["input_ids", "token_type_ids", "attention_mask"]
    tokenizer.save_pretrained(tmp_path)
    classifier = load(tmp_path, "uri", LABELS)
    classifier.use_context(["channel"])
    encoded = classifier.encode([Example("my card", ("login",), ("app",))])
    assert encoded.context_starts is None
    classifier.save(tmp_path / "model")
    assert "token_type_ids" not in AutoTokenizer.from_pretrained(tmp_path / "model")("my card", "app")


def test_other_texts_are_read_as_ever() -> None:
    read = AutoTokenizer.from_pretrained(default_model_folder())("my card [is] late")["input_ids"]
    classifier = load(default_model_folder(), "Default", LABELS)
    assert classifier.tokenizer("my card [is] late")["input_ids"] == read


@pytest.mark.parametrize("kind", ["plain_model", "pooled_model"])
def test_weights_in_half_precision_and_in_shards_are_read(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    source = request.getfixturevalue(kind)
    folder = shutil.copytree(source, tmp_path / "model")
    (folder / "model.safetensors").unlink()
    AutoModel.from_pretrained(source).half().save_pretrained(folder, max_shard_size="20KB")
    assert len(list(folder.glob("model-*.safetensors"))) > 1
    read, expected = load(folder, "uri", LABELS), load(source, "uri", LABELS)
    assert read.notes == []
    weights = dict(read.network.named_parameters())
    head = {id(parameter) for parameter in read.head_parameters()}
    for name, weight in expected.network.named_parameters():
        if id(weights[name]) not in head:
            assert weights[name].dtype is torch.float32
            assert torch.allclose(weights[name], weight, atol=1e-3)


def test_an_encoder_decoder_is_not_padded_by_its_end_mark(tmp_path: Path) -> None:
    small = {"d_model": 16, "d_ff": 16, "num_layers": 1, "num_heads": 2, "d_kv": 8}
    small |= {"vocab_size": 40, "decoder_start_token_id": 0, "eos_token_id": 2}
    T5Model(T5Config(**small, pad_token_id=1)).save_pretrained(tmp_path)
    tokenizer = unigrams()
    tokenizer.pad_token = None
    tokenizer.save_pretrained(tmp_path)
    assert load(tmp_path, "uri", LABELS).tokenizer.pad_token == "<pad>"  # of the model's pad_token_id
    T5Model(T5Config(**small, pad_token_id=None)).save_pretrained(tmp_path)
    with pytest.raises(ModelError, match="tokenizer has no pad_token, and the model needs one: add it"):
        load(tmp_path, "uri", LABELS)


def test_a_model_that_needs_more_than_text_is_refused(tmp_path: Path) -> None:
    body = tiny_body("xmod")
    body.config.default_language = None
    body.save_pretrained(tmp_path)
    whole_words().save_pretrained(tmp_path)
    with pytest.raises(ModelError, match=r"uri: the model can't be loaded or read text .*language unknown"):
        load(tmp_path, "uri", LABELS)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (without_weights, "no .safetensors file"),
        (without_config, "there is no config.json"),
        (with_own_code, "needs custom code"),
        (with_own_modules, "names 'os.system', custom code that is never run"),
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
