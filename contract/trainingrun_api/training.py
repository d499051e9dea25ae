"""How a model is fine-tuned."""

from enum import StrEnum
from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from .base import Model, Rule
from .metrics import StoppingMetric


class MixedPrecision(StrEnum):
    """Number format of the forward and backward pass; weights stay float32."""

    AUTO = "Auto"
    BF16 = "BF16"
    FP32 = "FP32"


class Schedule(StrEnum):
    """How the learning rate goes on after the warm-up."""

    LINEAR = "Linear"
    COSINE = "Cosine"
    CONSTANT = "Constant"


class SimilarityStage(StrEnum):
    """When texts of one label are brought near each other before a classifier is trained."""

    AUTO = "Auto"
    ALWAYS = "Always"
    NEVER = "Never"


class ClassWeights(StrEnum):
    """How much the texts of each label count in training."""

    NONE = "None"
    BALANCED = "Balanced"


class EarlyStopping(Model):
    """Stop when the metric no longer improves; the best epoch by it is published either way.

    Of classifiers' epochs whose evaluation loss is within its standard error of the lowest, and below that
    of the model before training, the last is the best by EvaluationLoss: it is chance that tells them apart.
    """

    metric: StoppingMetric = StoppingMetric.EVALUATION_LOSS
    """Score of the evaluation split that decides: EvaluationLoss, F1 (macro) or Accuracy. For TextSimilarity
    EvaluationLoss, or AveragePrecision (of the cosine as a score for "same label") for labelled texts,
    Spearman for scored pairs, Accuracy (near texts that are the nearest) for other pairs and triplets."""

    patience: Annotated[int, Field(ge=1, le=100)] | None = None
    """Epochs without improvement before training stops.

    Left out: 3; where maxEpochs is left out too and few texts make more than 5, all of these, since the first
    ones, at high rates, may be worse than the model before training.
    """

    min_delta: Annotated[float, Field(ge=0, le=10)] = 0.0
    """Smallest change of the metric, in its unit (nats per text, or a share), that counts as improvement."""


class Lora(Model):
    """Train small adapters beside the body's matrices, not these; they are merged before publishing."""

    rank: Annotated[int, Field(ge=1, le=256)] = 8
    """Inner dimension of the adapters: more can learn more, and take more memory."""

    alpha: Annotated[int, Field(ge=1, le=1024)] = 16
    """What the adapters add is scaled by alpha / rank."""

    dropout: Annotated[float, Field(ge=0, le=0.9)] = 0.1
    """Share of the adapters' inputs left out at random while training."""


class Checkpoint(Model):
    """Checkpoints that an interrupted run goes on from."""

    every_epochs: Annotated[int, Field(ge=1, le=1000)] = 1
    """Epochs between two checkpoints; the last epoch always has one."""

    keep: Annotated[int, Field(ge=1, le=100)] = 2
    """Latest checkpoints kept in the object store; the best epoch's weights are kept besides."""


ONE_WARMUP = Rule(
    "!has(self.warmupSteps) || !has(self.warmupRatio)", "set at most one of warmupSteps and warmupRatio"
)
ONE_WAY_TO_SPARE_THE_BODY = Rule(
    "!has(self.lora) || !has(self.freezeBody) || !self.freezeBody", "set at most one of freezeBody and lora"
)
STAGE_TRAINS_THE_BODY = Rule(
    "!has(self.similarityStage) || self.similarityStage != 'Always' "
    "|| !has(self.freezeBody) || !self.freezeBody",
    "similarityStage Always trains the body, which freezeBody keeps as it is: leave one of them out",
)


class Training(Model):
    """How the model is fine-tuned."""

    max_epochs: Annotated[int, Field(ge=1, le=1000)] | None = None
    """Most passes over the training split; early stopping may end sooner.

    Left out: 5; for classifiers, where these are fewer than 180 optimizer steps, as many as make so many, at
    most 20.
    """

    early_stopping: EarlyStopping = EarlyStopping()
    """When to stop before maxEpochs, and which epoch is published."""

    learning_rate: Annotated[float, Field(ge=1e-7, le=0.1)] | None = None
    """Highest learning rate of AdamW for the body of the model; its new head learns ten times as fast.

    Left out: 2e-4 for models of less than 50 million parameters, 5e-5 below 250 million, 2e-5 above; ten
    times these with lora, at most 1e-3, where adapters and head learn at one rate. A similarity stage takes
    half of the rate.
    """

    layer_decay: Annotated[float, Field(ge=0.1, le=1)] | None = None
    """Learning rate of each layer of the body, as a share of that of the layer after it (Clark et al., ICLR
    2020: 0.8 with 12 layers, 0.9 with 24): what layers near the input know of texts of all kinds is kept.

    Left out: 1; where a similarity stage comes before classification and labels have 16 texts or more on
    average, and without lora, such that the token embeddings learn at a tenth of the rate: 0.68 with 6
    layers, 0.83 with 12.
    """

    schedule: Schedule = Schedule.LINEAR
    """How the learning rate goes on after the warm-up: to zero in a line or along a cosine, or not at all."""

    warmup_steps: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    """Optimizer steps over which the learning rate rises from zero; at most as many as training takes."""

    warmup_ratio: Annotated[float, Field(ge=0, le=1)] | None = None
    """The same as a share of all steps; a tenth when neither is given."""

    max_gradient_norm: Annotated[float, Field(ge=0.001, le=1000)] = 1.0
    """Longer gradients are cut to this length before each step, which keeps rare texts from undoing much."""

    adversarial_epsilon: Annotated[float, Field(ge=0, le=1)] | None = None
    """Length of the noise that is put on the token embeddings of a text where it harms most, as a share of
    their own length: each step learns its texts without and with it, which takes twice the time. 0: none.

    Left out: 0.15 for classifiers of less than 50 million parameters on less than 100,000 texts whose body
    is trained, else 0.
    """

    weight_decay: Annotated[float, Field(ge=0, le=1)] = 0.01
    """Decoupled weight decay of AdamW; never applied to biases and normalisation weights."""

    batch_size: Annotated[int, Field(ge=1, le=4096)] | None = None
    """Texts that go through the model at once, on each device.

    Left out: 32, and half as many, again and again, when memory is not enough; a step keeps its texts.
    TextSimilarity compares the rows of a batch with each other, so there it stays 32: lower it by hand.
    """

    gradient_accumulation_steps: Annotated[int, Field(ge=1, le=1024)] = 1
    """Batches whose gradients make one step: batchSize times this many texts count as one batch."""

    freeze_body: bool = False
    """Train the head alone: fast, and little to overfit with, but the body learns nothing of your texts."""

    similarity_stage: SimilarityStage = SimilarityStage.AUTO
    """For Classification on a base model with pooling: first bring texts of one label near each other, then
    train the classifier from there, unless that made it worse. Auto: where the training split has fewer than
    16 texts a label."""

    lora: Lora | None = None
    """Train adapters of low rank and the head: a fraction of the memory of training a large model."""

    final_fit: bool = False
    """For classification: once an epoch is chosen and scored, fit the model anew on all texts, those of the
    evaluation split too, with the same recipe and for as many epochs, and publish that. All scores are of the
    model before, which did not see the evaluation split. Goes without evaluationDataset."""

    max_sequence_length: Annotated[int, Field(ge=8, le=8192)] | None = None
    """Tokens after which a text is cut; at most what the model reads.

    Left out: where 99 of 100 texts of the training split end, at least 64, within the model's limit. How many
    were cut is in evaluation.json.
    """

    class_weights: ClassWeights = ClassWeights.NONE
    """None: each text counts the same. Balanced: each label does, however few its texts, in the training loss
    and in the regression that a new head starts from; the evaluation loss and all scores stay unweighted."""

    label_smoothing: Annotated[float, Field(ge=0, le=0.99)] = 0.0
    """Share of each label's certainty that is spread evenly over all labels in the training loss (Szegedy et
    al., CVPR 2016), so that wrong labels pull less. Where texts have several labels, each is wanted by
    1 - labelSmoothing / 2 or labelSmoothing / 2. The evaluation loss and all scores stay unsmoothed."""

    mixed_precision: MixedPrecision = MixedPrecision.AUTO
    """Auto: BF16 where the hardware is faster with it, FP32 elsewhere."""

    seed: Annotated[int, Field(ge=0, le=2_147_483_647)] = 42
    """Seed of split, order and dropout: the same seed on the same hardware gives the same model."""

    checkpoint: Checkpoint = Checkpoint()
    """How often progress is saved."""

    ALTERNATIVES: ClassVar = (frozenset({"warmup_steps", "warmup_ratio"}), frozenset({"freeze_body", "lora"}))
    RULES: ClassVar = (ONE_WARMUP, ONE_WAY_TO_SPARE_THE_BODY, STAGE_TRAINS_THE_BODY)

    @model_validator(mode="after")
    def _one_warmup(self) -> Self:
        if self.warmup_steps is not None and self.warmup_ratio is not None:
            raise ValueError(ONE_WARMUP.message)
        return self

    @model_validator(mode="after")
    def _one_way_to_spare_the_body(self) -> Self:
        if self.lora is not None and self.freeze_body:
            raise ValueError(ONE_WAY_TO_SPARE_THE_BODY.message)
        return self

    @model_validator(mode="after")
    def _stage_has_a_body_to_train(self) -> Self:
        if self.similarity_stage is SimilarityStage.ALWAYS and self.freeze_body:
            raise ValueError(STAGE_TRAINS_THE_BODY.message)
        return self
