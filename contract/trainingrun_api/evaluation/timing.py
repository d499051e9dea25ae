"""How long it took."""

from ..base import Model


class Timing(Model):
    """How long it took, as a clock on the wall has it."""

    stages: dict[str, float] = {}
    """Seconds of each stage of status.progress.stage, in order, of the attempt that wrote this; Training has
    the evaluations and checkpoints of its epochs in it."""
    training_seconds: float = 0.0
    """Seconds of all training steps, over all attempts; what was lost with an attempt doesn't count."""
    texts_per_second: float | None = None
    """Texts trained on in a second of these; null before the first epoch is done."""
