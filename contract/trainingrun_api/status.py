"""The status of a run, computed by the operator and reported by the trainer."""

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, WithJsonSchema, field_validator

from .advice import MAX_FINDINGS, Finding
from .artifacts import Artifacts, PushedModel
from .base import Model
from .final_fit import FinalFit
from .lineage import ResolvedBaseModel
from .metrics import MACRO_F1, Scores
from .started_with import StartedWith

DIGITS = 4

Rounded = Annotated[float, AfterValidator(lambda value: round(value, DIGITS))]
"""Four digits are what a column of `kubectl get` has room for; evaluation.json has all."""

MAX_EPOCHS_IN_STATUS = 60
"""Keeps the resource under 32 KiB; the first, the best and the latest stay, evaluation.json has all."""

MAX_MESSAGE = 2048
"""Characters of a condition's message."""

Advice = Annotated[list[Finding], Field(max_length=MAX_FINDINGS)]


class Phase(StrEnum):
    """Where a run is, for people; programs read the conditions."""

    PENDING = "Pending"
    QUEUED = "Queued"
    RUNNING = "Running"
    EVALUATING = "Evaluating"
    SUSPENDED = "Suspended"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"

    @property
    def finished(self) -> bool:
        """True when the run won't change any more."""
        return self in {Phase.SUCCEEDED, Phase.FAILED}


class Stage(StrEnum):
    """What the trainer does now, in the order in which it does so."""

    LOADING_DATA = "LoadingData"
    LOADING_MODEL = "LoadingModel"
    SIMILARITY_STAGE = "SimilarityStage"
    TRAINING = "Training"
    EVALUATING = "Evaluating"
    FINAL_FIT = "FinalFit"
    PUBLISHING = "Publishing"
    DONE = "Done"


StageSeconds = Annotated[
    dict[Stage, Annotated[int, Field(ge=0)]],
    WithJsonSchema({"type": "object", "additionalProperties": {"type": "integer", "minimum": 0}}),
]


MAX_METRICS = 32
MAX_METRIC_NAME = 64

ReportedMetrics = Annotated[
    dict[Annotated[str, Field(max_length=MAX_METRIC_NAME)], float],
    Field(max_length=MAX_METRICS),
    WithJsonSchema(
        {"type": "object", "additionalProperties": {"type": "number"}, "maxProperties": MAX_METRICS}
    ),
]


class Reason(StrEnum):
    """Reasons of conditions and Events, one for each thing that a user can act on."""

    MODEL_NAME_TAKEN = "ModelNameTaken"
    PROJECT_NOT_FOUND = "ProjectNotFound"
    PROJECT_NOT_SHARED = "ProjectNotShared"
    BASE_MODEL_NOT_FOUND = "BaseModelNotFound"
    BASE_MODEL_NOT_READY = "BaseModelNotReady"
    BASE_MODEL_FAILED = "BaseModelFailed"
    RESUMED_RUN_NOT_FAILED = "ResumedRunNotFailed"
    SECRET_NOT_FOUND = "SecretNotFound"  # noqa: S105
    JOB_CONFLICT = "JobConflict"
    JOB_REFUSED = "JobRefused"
    SERVICE_CONFLICT = "ServiceConflict"
    SERVICE_REFUSED = "ServiceRefused"
    INVALID_SPEC = "InvalidSpec"
    SUSPENDED = "Suspended"
    STOPPED = "Stopped"
    QUEUED = "Queued"
    WAITING_FOR_POD = "WaitingForPod"
    POD_REFUSED = "PodRefused"
    UNSCHEDULABLE = "Unschedulable"
    IMAGE_PULL = "ImagePull"
    CONTAINER_ERROR = "ContainerError"
    POD_STARTING = "PodStarting"
    TRAINING = "Training"
    EVALUATING = "Evaluating"
    RESTARTING = "Restarting"
    PENDING_DEADLINE_EXCEEDED = "PendingDeadlineExceeded"
    ACTIVE_DEADLINE_EXCEEDED = "ActiveDeadlineExceeded"
    BACKOFF_LIMIT_EXCEEDED = "BackoffLimitExceeded"
    SETTINGS_ERROR = "SettingsError"
    DATA_ERROR = "DataError"
    MODEL_ERROR = "ModelError"
    STORAGE_REFUSED = "StorageRefused"
    STORAGE_UNAVAILABLE = "StorageUnavailable"
    TRAINER_ERROR = "TrainerError"
    INTERRUPTED = "Interrupted"
    PEER_LOST = "PeerLost"
    OUT_OF_MEMORY = "OutOfMemory"
    GPU_NOT_FOUND = "GPUNotFound"
    DISK_FULL = "DiskFull"
    JOB_DELETED = "JobDeleted"
    STARTED_OVER = "StartedOver"
    UNCONDITIONAL_WRITES = "UnconditionalWrites"
    COMPLETED = "Completed"


class Condition(Model):
    """A Kubernetes condition. Succeeded is the run's own; Ready, Reconciling and Stalled follow kstatus."""

    type: Annotated[str, Field(max_length=64)]
    """Succeeded, Ready, Reconciling or Stalled."""
    status: Annotated[str, Field(pattern="^(True|False|Unknown)$")]
    """True, False or Unknown."""
    reason: Annotated[str, Field(max_length=128)]
    """One CamelCase word for programs."""
    message: Annotated[str, Field(max_length=MAX_MESSAGE)] = ""
    """What happened and what to do, for people."""
    observed_generation: Annotated[int, Field(ge=0)] = 0
    """Generation of the spec that this condition describes."""
    last_transition_time: str
    """When status last changed, RFC 3339."""


class EpochSummary(Scores):
    """One epoch; 0 is the model before epoch 1, with a new head set to logistic regression on the base
    model's embeddings.

    Losses are means per text, in nats.
    """

    epoch: Annotated[int, Field(ge=0)]
    """Number of the epoch; 0 is the model before epoch 1, after the similarity stage if there was one."""
    training_loss: float
    """Mean loss on the training split during the epoch; for epoch 0 on some of its texts, without dropout."""
    evaluation_loss: float
    """Mean loss on the evaluation split after the epoch."""
    learning_rate: float
    """Learning rate of the body at the end of the epoch; 0 for epoch 0."""


NoticeReason = Literal[
    Reason.STARTED_OVER, Reason.UNCONDITIONAL_WRITES, Reason.STORAGE_UNAVAILABLE, Reason.STORAGE_REFUSED
]

MAX_NOTICE = 512
"""Characters of a notice."""


class Notice(Model):
    """A message about a run that continues."""

    reason: NoticeReason
    """StartedOver: the checkpoints of an earlier attempt can't be used, so training started over.
    UnconditionalWrites: the object store has no conditional writes, which keep two pods of one run apart.
    StorageUnavailable, StorageRefused: the object store doesn't accept results now; the trainer retries."""
    message: Annotated[str, Field(max_length=MAX_NOTICE)]
    """What happened and what to do, for people."""


class Progress(Model):
    """Progress of training: the trainer's latest report."""

    stage: Stage
    """What the trainer does now."""
    epoch: Annotated[int, Field(ge=0)] = 0
    """Epochs finished."""
    max_epochs: Annotated[int, Field(ge=1)] | None = None
    """Maximum number of epochs; if spec.training.maxEpochs is left out, it is known once training begins."""
    percent: Annotated[int, Field(ge=0, le=100)] = 0
    """Share of maxEpochs and the final fit that is done, in percent; 100 when training has ended."""
    step: Annotated[int, Field(ge=0)] = 0
    """Optimizer steps done; during the similarity stage and the final fit, those of the stage."""
    total_steps: Annotated[int, Field(ge=0)] = 0
    """Optimizer steps without early stopping; during the similarity stage and the final fit, those of the
    stage."""
    training_loss: Rounded | None = None
    """Mean loss of the latest steps, in nats per text."""
    evaluation_loss: Rounded | None = None
    """Evaluation loss of the latest epoch, in nats per text."""
    learning_rate: float | None = None
    """Current learning rate of the body."""
    samples_per_second: Rounded | None = None
    """Texts trained on per second."""
    remaining_seconds: Annotated[int, Field(ge=0)] | None = None
    """Seconds until maxEpochs, and the end of the final fit, at the current speed."""
    stage_seconds: StageSeconds = {}
    """Seconds that each stage has taken so far, of the attempt that reports."""
    metrics: ReportedMetrics = {}
    """More metrics by name, of a trainer of the user's own, as it names them."""
    notice: Notice | None = None
    """A message that isn't a failure."""
    last_update_time: str
    """When the trainer wrote this, RFC 3339."""

    def done(self) -> Self:
        """The same at the end of training."""
        return self.model_copy(update={"stage": Stage.DONE, "percent": 100, "remaining_seconds": 0})


class EvaluationScores(Scores):
    """Main scores of the best epoch on the evaluation split, from 0 to 1 except loss and correlations. Scores
    that a task doesn't have are left out."""

    precision: Rounded | None = None
    """Macro precision, over the same labels."""
    recall: Rounded | None = None
    """Macro recall, over the same labels."""
    weighted_f1: Rounded | None = None
    """F1 weighted by support."""
    evaluated_labels: Annotated[int, Field(ge=0)] | None = None
    """Labels that occur in the evaluation split; macro averages are over these."""
    labels: Annotated[int, Field(ge=0)] | None = None
    """All labels of the model, or of the texts that an embedding model was trained on."""
    pearson: Rounded | None = None
    """TextSimilarity with scored pairs: Pearson correlation of cosine similarity and score, -1 to 1."""
    mean_reciprocal_rank: Rounded | None = None
    """TextSimilarity with pairs and triplets without scores: mean of 1 / rank of the positive among
    others."""
    loss: Rounded
    """Mean loss, in nats per text: cross-entropy, or a contrastive loss for TextSimilarity."""
    support: Annotated[int, Field(ge=0)]
    """Texts, pairs or triplets evaluated."""

    @field_validator(*Scores.model_fields)
    @classmethod
    def _rounded(cls, value: float | None) -> float | None:
        return None if value is None else round(value, DIGITS)

    def in_words(self) -> str:
        """The scores a person asks for first, in one line."""
        shown = {metric: value for metric, value in self.scores.items() if metric.stopping is not None}
        basis = {MACRO_F1: f" over {self.some_labels}"} if self.some_labels else {}
        return ", ".join(
            f"{metric.name} {value:.3f}{basis.get(metric, '')}" for metric, value in shown.items()
        )

    @property
    def some_labels(self) -> str:
        """How many of how many labels macro averages are over; "" where it is all, or not known."""
        if self.labels is None or self.evaluated_labels in {None, self.labels}:
            return ""
        return f"{self.evaluated_labels} of {self.labels} labels"


class RunResult(Model):
    """The trainer's termination message after success (at most 4,096 bytes)."""

    best_epoch: int
    """Epoch whose scores these are, and whose weights are published unless a final fit's are; 0 when
    training made nothing better."""
    epochs: int
    """Epochs trained."""
    stopped_early: bool
    """True when early stopping, or a loss that is not finite, ended training before maxEpochs."""
    evaluation: EvaluationScores
    """Scores of the best epoch, which is the published model unless a final fit took its place."""
    final_fit: FinalFit | None = None
    """Outcome of the final fit; None without one."""
    artifacts: Artifacts
    """Where results are."""
    hugging_face: PushedModel | None = None
    """The model on the Hub; None where it isn't to be pushed."""
    base_model: ResolvedBaseModel
    """The model that training started from, without its lineage, which would be too long."""
    advice: Advice = []
    """What training shows and a user can act on."""


class RunFailure(Model):
    """The trainer's termination message after a failure (at most 4,096 bytes)."""

    reason: Reason
    """Kind of failure."""
    message: str
    """What went wrong and what to change."""


class TrainingRunStatus(Model):
    """The state of the run."""

    phase: Phase = Phase.PENDING
    """Pending, Queued, Running, Evaluating, Suspended, Succeeded or Failed."""
    observed_generation: Annotated[int, Field(ge=0)] = 0
    """Generation of the spec that this status describes."""
    conditions: Annotated[list[Condition], Field(max_length=8)] = []
    """Succeeded, and Ready, Reconciling and Stalled for GitOps tools."""
    model_name: str | None = None
    """Name of the trained model, unique among the runs of this namespace."""
    started_with: StartedWith | None = None
    """What the run was started with. Each of its Jobs is built from it, including one that replaces a deleted
    Job."""
    job_name: str | None = None
    """The Job that trains."""
    job_uid: str | None = None
    """UID of that Job; any other Job is ignored."""
    suspend: bool = False
    """spec.suspend as it was last passed on to the Job or its queue; these may have changed since."""
    pod_name: str | None = None
    """The pod of the latest attempt; its log is the trainer's. Of several nodes, the first one's, which
    reports and publishes."""
    pending_since: str | None = None
    """When the run started to wait, RFC 3339; pendingDeadlineSeconds counts from here."""
    start_time: str | None = None
    """When all pods first ran, RFC 3339."""
    completion_time: str | None = None
    """When the run ended, RFC 3339."""
    restarts: Annotated[int, Field(ge=0)] = 0
    """How often training was restarted because a pod ended without finishing the run; once for all pods that
    ended with it."""
    last_failure: RunFailure | None = None
    """Why the latest pod that ended without finishing the run did so; kept when the pod is gone. Of several
    nodes, the pod that the others ended for."""
    progress: Progress | None = None
    """The trainer's latest report."""
    epochs: Annotated[list[EpochSummary], Field(max_length=MAX_EPOCHS_IN_STATUS)] = []
    """Epochs, from 0, the model before training; at most 60 of them. All are in evaluation.json."""
    best_epoch: int | None = None
    """Epoch whose scores these are, and whose weights are published unless a final fit's are; 0 when
    training made nothing better."""
    stopped_early: bool | None = None
    """True when early stopping, or a loss that is not finite, ended training before maxEpochs."""
    evaluation: EvaluationScores | None = None
    """Main scores of the published model, or of the model before a final fit that was kept."""
    final_fit: FinalFit | None = None
    """Outcome of the final fit on all texts; absent without spec.training.finalFit."""
    artifacts: Artifacts | None = None
    """Where results are."""
    hugging_face: PushedModel | None = None
    """The model on the Hugging Face Hub, with spec.output.huggingFace."""
    base_model: ResolvedBaseModel | None = None
    """The model that training started from."""
    advice: Advice = []
    """Findings that you can act on, warnings first; at most 5, all of them in evaluation.json."""

    @property
    def in_words(self) -> str:
        """The phase, and why, in one line."""
        succeeded = next((one for one in self.conditions if one.type == "Succeeded"), None)
        if succeeded is None:
            return f"{self.phase}"
        return f"{self.phase}: {succeeded.reason} {succeeded.message}".rstrip()
