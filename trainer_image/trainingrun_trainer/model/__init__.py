"""The model: a body that reads texts and a head with one output for each label."""

from .card import model_card
from .classifier import Classifier, Features
from .loading import MODEL_SUFFIXES, default_model_folder, load, model_files
from .pooled import PooledClassifier
from .sequence import SequenceClassifier

__all__ = [
    "MODEL_SUFFIXES",
    "Classifier",
    "Features",
    "PooledClassifier",
    "SequenceClassifier",
    "default_model_folder",
    "load",
    "model_card",
    "model_files",
]
