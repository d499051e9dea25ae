"""How a model is fine-tuned."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from .base import Model
from .metrics import StoppingMetric
from .rules import Chosen, Equals, Given, Rule


class MixedPrecision(StrEnum):
    """Number format of the forward and backward pass; weights stay float32."""

    AUTO = "Auto"
    BF16 = "BF16"
    FP32 = "FP32"


class Schedule(StrEnum):
    """Course of the learning rate after the warm-up."""

    LINEAR = "Linear"
    COSINE = "Cosine"
    CONSTANT = "Constant"


class SimilarityStage(StrEnum):
    """Whether a contrastive stage precedes the training of a classifier."""

    AUTO = "Auto"
    ALWAYS = "Always"
    NEVER = "Never"


class Sharding(StrEnum):
    """What processes divide among them, besides the texts."""

    NONE = "None"
    FULL = "Full"


class ClassWeights(StrEnum):
    """Weights of labels in the training loss."""

    NONE = "None"
    BALANCED = "Balanced"


class EarlyStopping(Model):
    """Stop when the metric no longer improves. The best epoch by this metric is published in any case.

    By EvaluationLoss, the best epoch of a classifier is the last one whose loss is within one standard error
    of the lowest and below that of the model before training: such losses can't be told apart.
    """

    metric: StoppingMetric = StoppingMetric.EVALUATION_LOSS
    """Metric on the evaluation split: EvaluationLoss, F1 (macro) or Accuracy. For TextSimilarity
    EvaluationLoss, or AveragePrecision (of the cosine as a score for "same label") with labelled texts,
    Spearman with scored pairs, Accuracy (positives ranked first) with other pairs and triplets."""

    patience: Annotated[int, Field(ge=1, le=100)] | None = None
    """Epochs without improvement before training stops.

    Default: 3. If maxEpochs is left out too and is more than 5 because there are few texts, training doesn't
    stop early: the first epochs, at high rates, may be worse than the model before training.
    """

    min_delta: Annotated[float, Field(ge=0, le=10)] = 0.0
    """Smallest change of the metric that counts as an improvement, in nats per text or as a share."""


class Lora(Model):
    """Low-rank adapters, trained in place of the body's matrices and merged into these before publishing."""

    rank: Annotated[int, Field(ge=1, le=256)] = 8
    """Rank of the adapters: a higher one can learn more and takes more memory."""

    alpha: Annotated[int, Field(ge=1, le=1024)] = 16
    """The output of the adapters is scaled by alpha / rank."""

    dropout: Annotated[float, Field(ge=0, le=0.9)] = 0.1
    """Dropout probability of the adapters' inputs during training."""


class Checkpoint(Model):
    """Checkpoints, from which an interrupted run continues."""

    every_epochs: Annotated[int, Field(ge=1, le=1000)] = 1
    """Epochs between two checkpoints; the last epoch always has one."""

    every_minutes: Annotated[int, Field(ge=1, le=10_080)] = 10
    """Minutes of training after which a checkpoint is saved inside an epoch; not while the one before is
    still being uploaded. A pod that is killed loses no more than that; one that is stopped by SIGTERM loses
    nothing."""

    keep: Annotated[int, Field(ge=1, le=100)] = 2
    """Number of latest checkpoints kept in the object store, in addition to the best epoch's weights."""


ONE_WARMUP = Rule(
    ~Given("warmup_steps") | ~Given("warmup_ratio"), "set at most one of warmupSteps and warmupRatio"
)
ONE_WAY_TO_SPARE_THE_BODY = Rule(
    ~Given("lora") | ~Chosen("freeze_body"), "set at most one of freezeBody and lora"
)
STAGE_TRAINS_THE_BODY = Rule(
    ~Equals("similarity_stage", SimilarityStage.ALWAYS) | ~Chosen("freeze_body"),
    "similarityStage Always can't be set with freezeBody: it trains the body, which freezeBody doesn't",
)


WHOLE_FOR_THE_STAGE = Rule(
    ~Equals("similarity_stage", SimilarityStage.ALWAYS) | ~Equals("sharding", Sharding.FULL),
    "similarityStage Always can't be set with sharding Full: set Auto or Never",
)
WHOLE_FOR_THE_FINAL_FIT = Rule(
    ~Chosen("final_fit") | ~Equals("sharding", Sharding.FULL),
    "finalFit can't be set with sharding Full: leave one of them out",
)


class Training(Model):
    """How the model is fine-tuned."""

    max_epochs: Annotated[int, Field(ge=1, le=1000)] | None = None
    """Maximum number of passes over the training split; early stopping may end training sooner.

    Default: 5. For classifiers, if that is fewer than 180 optimizer steps, as many epochs as make 180, at
    most 20.
    """

    early_stopping: EarlyStopping = EarlyStopping()
    """When to stop before maxEpochs, and which epoch is published."""

    learning_rate: Annotated[float, Field(ge=1e-7, le=0.1)] | None = None
    """Peak learning rate of AdamW for the body of the model; a new head learns ten times as fast.

    Default: 2e-4 for models with less than 50 million parameters, 5e-5 below 250 million, 2e-5 above. With
    lora ten times these, at most 1e-3, for both adapters and head. A similarity stage uses half the rate.
    """

    layer_decay: Annotated[float, Field(ge=0.1, le=1)] | None = None
    """Learning rate of each layer of the body as a share of that of the layer after it (Clark et al., ICLR
    2020: 0.8 with 12 layers, 0.9 with 24). Preserves the general knowledge of layers near the input.

    Default: 1. If a similarity stage precedes classification, labels have 16 texts or more on average, and
    lora isn't used: the value with which the token embeddings learn at a tenth of the rate (0.68 with 6
    layers, 0.83 with 12).
    """

    schedule: Schedule = Schedule.LINEAR
    """Course of the learning rate after the warm-up: linearly to zero, along a cosine to zero, or
    constant."""

    warmup_steps: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    """Optimizer steps over which the learning rate rises from zero; at most as many as training takes."""

    warmup_ratio: Annotated[float, Field(ge=0, le=1)] | None = None
    """The same as a share of all steps. Default: 0.1, if warmupSteps is left out too."""

    max_gradient_norm: Annotated[float, Field(ge=0.001, le=1000)] = 1.0
    """Gradients with a larger norm are clipped to it before each step."""

    adversarial_epsilon: Annotated[float, Field(ge=0, le=1)] | None = None
    """Adversarial training: norm of the noise on the token embeddings of a text, in the direction of the
    loss's gradient, as a share of their own norm. Each step learns its texts without and with noise, which
    takes twice the time. 0 turns it off.

    Default: 0.15 for classifiers with less than 50 million parameters on less than 100,000 texts whose body
    is trained, otherwise 0.
    """

    weight_decay: Annotated[float, Field(ge=0, le=1)] = 0.01
    """Decoupled weight decay of AdamW; biases and normalization weights are exempt."""

    batch_size: Annotated[int, Field(ge=1, le=4096)] | None = None
    """Texts per forward and backward pass, on all devices together, which share them.

    Default: 32, halved as often as needed if memory is short; a step still has as many texts.
    TextSimilarity compares the rows of a batch with each other, so its batches aren't divided: set a lower
    value if memory is short.
    """

    gradient_accumulation_steps: Annotated[int, Field(ge=1, le=1024)] = 1
    """Batches per optimizer step: a step has batchSize times this many texts."""

    freeze_body: bool = False
    """Train only the head: fast and with little to overfit, but the body learns nothing from your texts."""

    similarity_stage: SimilarityStage = SimilarityStage.AUTO
    """For Classification with a base model that has pooling: first train embeddings that are similar for
    texts with the same label, then train the classifier from there, unless that made it worse. Auto: if the
    training split has fewer than 16 texts per label on average."""

    lora: Lora | None = None
    """Train low-rank adapters and the head, with a fraction of the memory that a large model needs."""

    sharding: Sharding = Sharding.NONE
    """Full: parameters, gradients and optimizer state are divided among all processes (FSDP), for models that
    one GPU can't hold with what training needs, about 16 bytes a parameter. None: each process has them all,
    which is faster. With Full, batches aren't divided where memory is short, and a classifier has no
    similarity stage."""

    activation_checkpointing: bool = False
    """Compute the activations of each layer again in the backward pass instead of keeping them: a step takes
    about a third longer and far less memory."""

    final_fit: bool = False
    """For classification: after an epoch has been chosen and scored, fit the model again on all texts,
    including the evaluation split, with the same recipe and for as many epochs, and publish that model. All
    scores are those of the earlier model, which hasn't seen the evaluation split. Not with
    evaluationDataset."""

    max_sequence_length: Annotated[int, Field(ge=8, le=8192)] | None = None
    """Tokens after which a text is cut; at most what the model reads.

    Default: the 99th percentile of the training split, at least 64, within the model's limit. The number of
    texts cut is in evaluation.json.
    """

    class_weights: ClassWeights = ClassWeights.NONE
    """None: each text has the same weight. Balanced: each label has the same weight, however few its texts,
    in the training loss and in the logistic regression that initializes a new head. The evaluation loss and
    all scores are unweighted."""

    label_smoothing: Annotated[float, Field(ge=0, le=0.99)] = 0.0
    """Label smoothing of the training loss (Szegedy et al., CVPR 2016): the share of each text's certainty
    that is spread evenly over all labels, which reduces the influence of wrong labels. With several labels
    per text, the targets are 1 - labelSmoothing / 2 and labelSmoothing / 2. The evaluation loss and all
    scores are unsmoothed."""

    mixed_precision: MixedPrecision = MixedPrecision.AUTO
    """Auto: BF16 if the hardware computes it faster, otherwise FP32."""

    seed: Annotated[int, Field(ge=0, le=2_147_483_647)] = 42
    """Seed of split, order and dropout. The same seed on the same hardware gives the same model."""

    checkpoint: Checkpoint = Checkpoint()
    """When checkpoints are saved, and how many are kept."""

    ALTERNATIVES: ClassVar = (frozenset({"warmup_steps", "warmup_ratio"}), frozenset({"freeze_body", "lora"}))
    RULES: ClassVar = (
        ONE_WARMUP,
        ONE_WAY_TO_SPARE_THE_BODY,
        STAGE_TRAINS_THE_BODY,
        WHOLE_FOR_THE_STAGE,
        WHOLE_FOR_THE_FINAL_FIT,
    )
