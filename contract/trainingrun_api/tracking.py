"""Experiment trackers that runs are logged to, in addition to their output."""

from typing import Annotated

from pydantic import Field

from .base import Model
from .references import LocalObjectReference


class MlflowServer(Model):
    """An MLflow tracking server. If it can't be reached, that is logged, and training doesn't wait for it."""

    tracking_uri: Annotated[str, Field(max_length=1024, pattern=r"^https?://[^@\s]+$")]
    """URL at which pods reach the server, without credentials."""

    experiment: Annotated[str, Field(min_length=1, max_length=250)] | None = None
    """Experiment to log to; it is created if it doesn't exist. Default: the run's namespace."""

    credentials_secret_ref: LocalObjectReference | None = None
    """Secret with MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or with MLFLOW_TRACKING_TOKEN.
    Default: no credentials."""


class Tracking(Model):
    """Experiment trackers that runs are logged to, in addition to their output."""

    mlflow: MlflowServer | None = None
    """An MLflow tracking server, for parameters, curves, scores, the report and the URI of the model."""
