"""Trackers of experiments that runs are written to, besides their output."""

from typing import Annotated

from pydantic import Field

from .base import Model
from .references import LocalObjectReference


class MlflowServer(Model):
    """A tracking server of MLflow. One that can't be reached is warned of; training doesn't wait for it."""

    tracking_uri: Annotated[str, Field(max_length=1024, pattern=r"^https?://[^@\s]+$")]
    """URL of the server as pods reach it, without credentials."""

    experiment: Annotated[str, Field(min_length=1, max_length=250)] | None = None
    """Experiment that runs are put into, made when it isn't there; left out, one named after the run's
    namespace."""

    credentials_secret_ref: LocalObjectReference | None = None
    """Secret with MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or with MLFLOW_TRACKING_TOKEN; left
    out, the server is asked without."""


class Tracking(Model):
    """Trackers of experiments that runs are written to, besides their output."""

    mlflow: MlflowServer | None = None
    """A tracking server of MLflow: parameters, curves, scores, report and where the model is."""
