"""The base model, brought onto this machine from wherever it is kept."""

from .fetch import BaseModelFolder, fetch_base_model

__all__ = ["BaseModelFolder", "fetch_base_model"]
