"""The model: a body that reads texts and a head with one output for each label."""

from .card import embedding_card, model_card, onnx_card
from .classifier import Classifier
from .context import CONTEXT, Context, ContextForm
from .folder import is_model_file, model_files, wanted_files
from .loading import default_model_folder, load, load_embedding_model
from .onnx import export_onnx, require_exportable
from .pooled import EmbeddingModel, PooledClassifier
from .portable import make_portable
from .sequence import SequenceClassifier
from .text_model import Embedder, Features, TextModel, token_table

__all__ = [
    "CONTEXT",
    "Classifier",
    "Context",
    "ContextForm",
    "Embedder",
    "EmbeddingModel",
    "Features",
    "PooledClassifier",
    "SequenceClassifier",
    "TextModel",
    "default_model_folder",
    "embedding_card",
    "export_onnx",
    "is_model_file",
    "load",
    "load_embedding_model",
    "make_portable",
    "model_card",
    "model_files",
    "onnx_card",
    "require_exportable",
    "token_table",
    "wanted_files",
]
