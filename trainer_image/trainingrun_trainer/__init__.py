"""The trainer: labelled texts in, a fine-tuned classifier and its scores out."""
