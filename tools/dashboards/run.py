"""One run: where it is, its curves, and what came in between."""

from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards.panels import (
    HALF,
    THIRD,
    Query,
    a_dashboard,
    bars,
    by_epoch,
    choice,
    curves,
    number,
    rows,
    states,
)
from trainingrun_api.metrics import EPOCH_METRICS

SELECTED = '{namespace="$namespace",name="$name"}'
RUNNING = 'trainingrun_phase{namespace="$namespace",name="$name",phase="Running"} == 1'
EPOCH = Query(f"max(trainingrun_epoch{SELECTED} and on (namespace, name) ({RUNNING}))", "Epoch")


def build() -> Dashboard:
    """The dashboard."""
    built = (
        a_dashboard("run", "TrainingRun / Run", "One training run.")
        .with_variable(choice("namespace", "Namespace", "label_values(trainingrun_phase, namespace)"))
        .with_variable(choice("name", "Run", 'label_values(trainingrun_phase{namespace="$namespace"}, name)'))
    )
    for panel in (
        number(
            "Phase",
            "Phase of the run.",
            Query(f"max by (phase) (trainingrun_phase{SELECTED} == 1)", "{{phase}}"),
        ),
        number(
            "Progress",
            "Share of training that is done.",
            Query(f"max(trainingrun_progress_ratio{SELECTED})"),
            "percentunit",
        ),
        number("Epochs", "Epochs finished.", Query(f"max(trainingrun_epoch{SELECTED})")),
        number(
            "Epochs at most",
            "Early stopping can end training before.",
            Query(f"max(trainingrun_max_epochs{SELECTED})"),
        ),
        number(
            "Time until start",
            "From the creation of the run until all of its pods ran.",
            Query(
                f"max(trainingrun_start_timestamp_seconds{SELECTED}"
                f" - trainingrun_created_timestamp_seconds{SELECTED})"
            ),
            "s",
        ),
        number("GPUs", "GPUs of all pods.", Query(f"max(trainingrun_requested_gpus{SELECTED})")),
        by_epoch(
            "Loss by epoch",
            "Nats per text. If the evaluation loss rises while the training loss falls, the model overfits.",
            EPOCH,
            _at_epochs("trainingrun_epoch_training_loss", "Training loss"),
            _at_epochs("trainingrun_evaluation_loss", "Evaluation loss"),
        ),
        by_epoch(
            "Scores by epoch",
            "Scores on the evaluation split, those that the task has.",
            EPOCH,
            *(_at_epochs(f"trainingrun_{metric.key}", metric.title) for metric in EPOCH_METRICS),
        ),
        curves(
            "Training loss",
            "Mean of the latest steps, in nats per text.",
            Query(f"max(trainingrun_training_loss{SELECTED})", "Training loss"),
            width=THIRD,
        ),
        curves(
            "Learning rate",
            "Of the body.",
            Query(f"max(trainingrun_learning_rate{SELECTED})", "Learning rate"),
            unit="sci",
            width=THIRD,
        ),
        curves(
            "Throughput",
            "Texts trained on per second.",
            Query(f"max(trainingrun_samples_per_second{SELECTED})", "Texts per second"),
            width=THIRD,
        ),
        states(
            "Phases",
            "When the run was in which phase.",
            Query(f"max by (phase) (trainingrun_phase{SELECTED} == 1)", "{{phase}}"),
        ),
        bars(
            "Time by stage",
            "Of the latest attempt.",
            Query(f"max by (stage) (trainingrun_stage_seconds{SELECTED})", "{{stage}}"),
            unit="s",
            width=THIRD,
        ),
        curves(
            "Restarts",
            "Pods that ended without finishing the run and were replaced.",
            Query(f"max(trainingrun_restarts{SELECTED})", "Restarts"),
            width=THIRD,
        ),
        curves(
            "Age of the latest report",
            "Reports come every two seconds while training, and seldom otherwise.",
            Query(f"max(time() - trainingrun_last_progress_timestamp_seconds{SELECTED})", "Age"),
            unit="s",
            width=THIRD,
        ),
        rows(
            "Advice",
            "Findings of the run, which are known at its end.",
            Query(f"max by (type, severity) (trainingrun_advice{SELECTED})"),
            width=HALF,
        ),
        rows(
            "Latest failure",
            "Why the latest pod that ended without finishing the run did so.",
            Query(f"max by (reason) (trainingrun_failure{SELECTED})"),
            width=HALF,
        ),
    ):
        built.with_panel(panel)
    return built.build()


def _at_epochs(metric: str, title: str) -> Query:
    """While training: at the end, scores are those of the best epoch."""
    return Query(f"max({metric}{SELECTED} and on (namespace, name) ({RUNNING}))", title)
