"""Adversarial training: what the noise is, and when there is some."""

from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn.utils import parameters_to_vector

from trainingrun_api.training import Lora, MixedPrecision, Training
from trainingrun_trainer.errors import SettingsError
from trainingrun_trainer.model import Classifier, load
from trainingrun_trainer.training import SingleLabelClassification, TrainState, prepare
from trainingrun_trainer.training.adversarial_noise import AdversarialNoise
from trainingrun_trainer.training.batches import Batch
from trainingrun_trainer.training.body import transformer_of
from trainingrun_trainer.training.fit import batch_loss, train_epoch
from trainingrun_trainer.training.recipe import decide

from ..conftest import WORDS, ticket_texts, tokenizer
from ..model.tiny_models import tiny_body

EPSILON = 0.2


def objective(base: Path) -> SingleLabelClassification:
    """Without dropout, so that passes differ by their noise alone."""
    torch.manual_seed(0)
    classifier = load(base, "uri", list(WORDS))
    assert isinstance(classifier, Classifier)
    for module in classifier.network.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0
    texts = classifier.encode(ticket_texts()[::2])
    return SingleLabelClassification(classifier, texts, texts, Training())


def state(base: Path, **settings: object) -> TrainState:
    training = Training(batch_size=15, max_epochs=1, warmup_steps=0, mixed_precision=MixedPrecision.FP32)
    return prepare(objective(base), training.model_copy(update=settings))


@pytest.fixture(params=["pooled_model", "plain_model"])
def base(request: pytest.FixtureRequest) -> Path:
    folder: Path = request.getfixturevalue(request.param)
    return folder


def token_embedding(learner: TrainState) -> torch.nn.Embedding:
    found = transformer_of(learner.objective.network).get_input_embeddings()
    assert isinstance(found, torch.nn.Embedding)
    return found


def embeddings_of(learner: TrainState, batch: Batch) -> tuple[Tensor, float]:
    """What the model makes of tokens in a pass, (texts, tokens, dimensions), and the loss of the pass."""
    found: list[Tensor] = []
    keep = token_embedding(learner).register_forward_hook(
        lambda _module, _inputs, output: found.append(output)
    )
    with torch.no_grad(), keep:
        loss = float(batch_loss(learner, batch))
    return found[0], loss


def test_the_noise_has_its_length_keeps_off_the_padding_and_harms_more_than_chance(base: Path) -> None:
    learner = state(base)
    batch = next(iter(learner.training))
    adversarial_noise = AdversarialNoise(learner.objective.network, EPSILON)
    with adversarial_noise.watching():
        batch_loss(learner, batch).backward()
    clean, loss = embeddings_of(learner, batch)
    with adversarial_noise.disturbing():
        disturbed, worse = embeddings_of(learner, batch)
    assert embeddings_of(learner, batch)[1] == loss  # the noise is gone with the pass

    present = batch.columns[0]["attention_mask"].bool()
    noise = disturbed - clean
    assert not noise[~present].any()
    whole = (clean * present.unsqueeze(-1)).flatten(1).norm(dim=1)
    assert noise.flatten(1).norm(dim=1).tolist() == pytest.approx((EPSILON * whole).tolist(), rel=1e-4)

    chance = torch.randn(clean.shape, generator=torch.Generator().manual_seed(0)) * present.unsqueeze(-1)
    chance *= noise.flatten(1).norm(dim=1)[:, None, None] / chance.flatten(1).norm(dim=1)[:, None, None]
    with token_embedding(learner).register_forward_hook(lambda _module, _inputs, output: output + chance):
        by_chance = embeddings_of(learner, batch)[1]
    assert worse - loss > 3 * abs(by_chance - loss)


def test_the_table_of_tokens_has_the_gradient_of_both_passes(base: Path) -> None:
    learner = state(base)
    batch, embedding = next(iter(learner.training)), token_embedding(learner)
    clean, _ = embeddings_of(learner, batch)
    adversarial_noise = AdversarialNoise(learner.objective.network, EPSILON)
    with adversarial_noise.watching():
        batch_loss(learner, batch).backward()
    with adversarial_noise.disturbing():
        batch_loss(learner, batch).backward()
    both = embedding.weight.grad
    assert both is not None

    embedding.weight.grad = None
    with adversarial_noise.watching():
        batch_loss(learner, batch).backward()
    with adversarial_noise.disturbing():
        noise = embeddings_of(learner, batch)[0] - clean
    batch_loss(learner, batch).backward()
    with embedding.register_forward_hook(lambda _module, _inputs, output: output + noise):
        batch_loss(learner, batch).backward()
    torch.testing.assert_close(both, embedding.weight.grad)


def update(base: Path, **settings: object) -> Tensor:
    """What the first step changes."""
    learner = state(base, **settings)
    network = learner.objective.network
    before = parameters_to_vector(network.parameters()).detach().clone()
    next(train_epoch(learner, 1))
    return parameters_to_vector(network.parameters()).detach() - before


def test_a_step_learns_with_the_noise_too_and_batches_accumulate_as_ever(base: Path) -> None:
    plain = update(base, adversarial_epsilon=0.0, batch_size=30)
    large = update(base, adversarial_epsilon=EPSILON, batch_size=30)
    accumulated = update(base, adversarial_epsilon=EPSILON, gradient_accumulation_steps=2)
    assert float((accumulated - large).norm() / large.norm()) < 0.01
    assert float((plain - large).norm() / large.norm()) > 0.05


def test_the_loss_that_is_told_is_that_without_noise(base: Path) -> None:
    losses = [next(train_epoch(state(base, adversarial_epsilon=e), 1)).loss for e in (0.0, EPSILON)]
    assert losses[1] == pytest.approx(losses[0], rel=1e-6)


@pytest.mark.parametrize("settings", [{"lora": Lora(rank=2)}, {"freeze_body": True}])
def test_noise_comes_through_a_body_that_is_not_trained(base: Path, settings: dict[str, object]) -> None:
    learner = state(base, adversarial_epsilon=EPSILON, learning_rate=1e-2, **settings)
    losses = [step.loss for epoch in (1, 2, 3) for step in train_epoch(learner, epoch)]
    assert losses[-1] < losses[0]
    assert token_embedding(learner).weight.grad is None


def epsilon(base: Path, batches: int = 10, **settings: object) -> float:
    return decide(objective(base), Training().model_copy(update=settings), batches, "no").adversarial_epsilon


def test_small_classifiers_on_few_texts_have_noise_unless_they_are_told_otherwise(plain_model: Path) -> None:
    assert epsilon(plain_model) == 0.15
    assert epsilon(plain_model, batches=100_000 // 32 + 1) == 0
    assert epsilon(plain_model, freeze_body=True) == 0
    assert epsilon(plain_model, adversarial_epsilon=0.0) == 0
    assert epsilon(plain_model, batches=100_000, adversarial_epsilon=0.3) == 0.3


def test_a_large_model_has_none_by_default(plain_model: Path) -> None:
    large = objective(plain_model)
    with torch.device("meta"):
        large.network.add_module("more", torch.nn.Linear(10_000, 5_000))
    recipe = decide(large, Training(), 10, "no")
    assert recipe.parameters > 50_000_000
    assert recipe.adversarial_epsilon == 0


def test_noise_needs_a_table_of_token_embeddings(tmp_path: Path) -> None:
    tiny_body("canine").save_pretrained(tmp_path)  # it hashes characters
    tokenizer().save_pretrained(tmp_path)
    hashed = objective(tmp_path)
    assert prepare(hashed, Training()).recipe.adversarial_epsilon == 0
    with pytest.raises(SettingsError, match="adversarialEpsilon: this base model has no token embeddings"):
        prepare(hashed, Training(adversarial_epsilon=0.1))
