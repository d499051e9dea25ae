"""How training went: from what, by which recipe, for how long, and what it changed."""

from enum import StrEnum

from ..base import Model
from ..metrics import Scores
from ..status import EpochSummary, EvaluationScores


class Recipe(Model):
    """Settings as they were used."""

    learning_rate: float
    """Highest learning rate of the body, or of its last layer where layerDecay lets others learn slower."""
    layer_decay: float = 1.0
    """Rate of each layer of the body, as a share of that of the layer after it."""
    warmup_steps: int
    """Optimizer steps over which the learning rate rose."""
    max_epochs: int | None = None
    """Epochs at most; None in runs of versions that did not say."""
    patience: int | None = None
    """Epochs without improvement that end training; None in runs of versions that did not say."""
    total_steps: int
    """Optimizer steps of all maxEpochs."""
    batch_size: int
    """Texts that went through the model at once, on all devices together."""
    processes: int = 1
    """Processes that shared each batch, one a GPU."""
    gradient_accumulation_steps: int
    """Batches whose gradients made one step."""
    max_sequence_length: int | None = None
    """Tokens after which texts were cut, context included."""
    max_gradient_norm: float
    """Length that gradients were cut to."""
    adversarial_epsilon: float = 0.0
    """Length of the noise on token embeddings, as a share of their own; 0 where there was none."""
    mixed_precision: str
    """bf16, or no for float32."""
    parameters: int
    """Numbers that make the model, with its adapters while it has some."""
    trained_parameters: int
    """Those of them that training changes."""


class BaselineMethod(StrEnum):
    """How the model that training starts from came by its head."""

    LOGISTIC_REGRESSION = "LogisticRegression"
    """A new head, set to logistic regression on the embeddings of the frozen body."""
    BASE_MODEL = "BaseModel"
    """As it was loaded: the head of an earlier run with the same labels, or one that knows nothing yet."""


class Baseline(Model):
    """The cheap alternative that training has to beat; it is published when training does not."""

    method: BaselineMethod
    """LogisticRegression on the frozen body's embeddings, or BaseModel: as it was loaded."""
    scores: EpochSummary
    """Its scores on the evaluation split: epoch 0, unless a similarity stage made that better."""


class StageOutcome(Model):
    """Texts of one label were brought near each other before epoch 0."""

    steps: int
    """Optimizer steps."""
    pairs: int
    """Pairs of texts with the same label in a step."""
    kept: bool
    """True: better than the baseline by the metric of early stopping, so epoch 0 is the model after it.
    False: it was undone, and epoch 0 is the baseline."""
    scores: EpochSummary
    """After it, with a new head set to logistic regression; training loss and scores are the classifier's."""


class LossPoint(Model):
    """One point of the training curve."""

    step: int
    """Optimizer step, from 1."""
    epoch: float
    """Passes over the training split."""
    loss: float
    """Mean loss of the texts since the point before, in nats per text."""
    learning_rate: float
    """Learning rate of the body."""
    gradient_norm: float
    """Largest norm of the gradient since the point before, as it was before it was cut to maxGradientNorm."""


class Restart(Model):
    """Training went on from a checkpoint, after what came later was lost."""

    step: int
    """Optimizer steps done by then."""
    epoch: int
    """Epochs done by then."""


class Divergence(Model):
    """The loss was not finite, which ended training."""

    step: int
    """Optimizer steps done by then."""
    epoch: int
    """Epoch that was being trained; it is not among the epochs."""


class Curves(Model):
    """How training went."""

    training_loss: list[LossPoint]
    """By step, at most about 100 points an epoch."""
    epochs: list[EpochSummary]
    """By epoch, from 0, the model before training: losses, accuracy, F1, learning rate."""
    restarts: list[Restart] = []
    """Where training went on after the run was interrupted, in order."""
    divergence: Divergence | None = None
    """Where the loss was not finite; null where it always was."""


class Timing(Model):
    """How long it took, as a clock on the wall has it."""

    stages: dict[str, float] = {}
    """Seconds of each stage of status.progress.stage, in order, of the attempt that wrote this; Training has
    the evaluations and checkpoints of its epochs in it."""
    training_seconds: float = 0.0
    """Seconds of all training steps, over all attempts; what was lost with an attempt doesn't count."""
    texts_per_second: float | None = None
    """Texts trained on in a second of these; null before the first epoch is done."""


class ScoreChange(Scores):
    """What training added to a model's scores: each field is the score after minus the one before."""

    loss: float
    """Evaluation loss, in nats per text: less than 0 is better."""


class BaseRun(Model):
    """The earlier run whose model training started from."""

    name: str
    """Name of the TrainingRun."""
    model_name: str
    """Name of the model it made."""
    own_scores: EvaluationScores
    """Its model's scores on its own evaluation split, as its evaluation.json has them."""
    final_fit: bool = False
    """True where the model was fitted anew after these scores, and so has learned all texts of that run."""
    scores: EpochSummary | None = None
    """Its model's scores on the evaluation split of this run, before training; null where task or labels
    differ. Texts that it was trained on may be among these."""
    difference: ScoreChange | None = None
    """This run's best epoch minus those."""
