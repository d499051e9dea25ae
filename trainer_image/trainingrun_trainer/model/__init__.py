"""The model: a body that reads texts and a head with one output for each label."""

from .card import model_card
from .classifier import Classifier, Features
from .context import CONTEXT, Context, ContextForm
from .files import is_model_file, model_files, wanted_files
from .loading import default_model_folder, load
from .pooled import PooledClassifier
from .sequence import SequenceClassifier

__all__ = [
    "CONTEXT",
    "Classifier",
    "Context",
    "ContextForm",
    "Features",
    "PooledClassifier",
    "SequenceClassifier",
    "default_model_folder",
    "is_model_file",
    "load",
    "model_card",
    "model_files",
    "wanted_files",
]
