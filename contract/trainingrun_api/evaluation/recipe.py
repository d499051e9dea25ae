"""How the model was trained, with what the settings left open decided."""

from ..base import Model


class Recipe(Model):
    """Settings as they were used."""

    learning_rate: float
    """Highest learning rate of the body, or of its last layer where layerDecay lets others learn slower."""
    layer_decay: float = 1.0
    """Rate of each layer of the body, as a share of that of the layer after it."""
    warmup_steps: int
    """Optimizer steps over which the learning rate rose."""
    max_epochs: int | None = None
    """Epochs at most; None in runs of versions that did not say."""
    patience: int | None = None
    """Epochs without improvement that end training; None in runs of versions that did not say."""
    total_steps: int
    """Optimizer steps of all maxEpochs."""
    batch_size: int
    """Texts that went through the model at once, on each device."""
    gradient_accumulation_steps: int
    """Batches whose gradients made one step."""
    max_sequence_length: int | None = None
    """Tokens after which texts were cut, context included."""
    max_gradient_norm: float
    """Length that gradients were cut to."""
    adversarial_epsilon: float = 0.0
    """Length of the noise on token embeddings, as a share of their own; 0 where there was none."""
    mixed_precision: str
    """bf16, or no for float32."""
    parameters: int
    """Numbers that make the model, with its adapters while it has some."""
    trained_parameters: int
    """Those of them that training changes."""
