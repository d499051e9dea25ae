"""The contract between manifest, operator and trainer: values only, no I/O."""
