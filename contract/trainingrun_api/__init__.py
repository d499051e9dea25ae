"""The contract between manifest, operator and trainer: values only, no I/O."""

__version__ = "0.1.0"
