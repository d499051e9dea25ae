"""Adversarial training: a text is learned as it is, and with the noise on it that harms most."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from ..model import token_table
from .body import transformer_of


def bears_noise(network: nn.Module) -> bool:
    """Whether its tokens have embeddings of their own, which noise can be put on."""
    return token_table(transformer_of(network)) is not None


class AdversarialNoise:
    """Puts noise on the embeddings of a text's tokens, along the gradient of its loss.

    Miyato et al. (ICLR 2017, arXiv:1605.07725). The noise is a share of the embeddings' own length, which is
    the same to texts of any length and models of any scale.
    """

    def __init__(self, network: nn.Module, epsilon: float) -> None:
        """`epsilon` is that share, above 0; for networks that `bears_noise`."""
        self._embedding = transformer_of(network).get_input_embeddings()
        self._epsilon = epsilon
        self._embedded: list[Tensor] = []

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Passes within go forward and backward as ever, but for the embeddings: their gradients say which
        noise harms them, and reach the table of tokens with the second pass.
        """
        self._embedded = []
        with self._embedding.register_forward_hook(self._keep):
            yield

    @contextmanager
    def disturbing(self) -> Iterator[None]:
        """The same passes once more, each with its noise."""
        embedded, self._embedded = iter(self._embedded), []
        with self._embedding.register_forward_hook(
            lambda _module, _inputs, output: self._disturbed(output, next(embedded))
        ):
            yield

    def _keep(self, _module: nn.Module, _inputs: Any, output: Tensor) -> Tensor:
        self._embedded.append(output.detach().requires_grad_())
        return self._embedded[-1].clone()  # which networks may change in place

    def _disturbed(self, output: Tensor, watched: Tensor) -> Tensor:
        """Embeddings with noise; the gradient of the first pass goes on with that of this one.

        Together, since each gradient of the table is as large as the table, however few tokens have a part.
        """
        gradient = watched.grad
        assert gradient is not None
        if output.requires_grad:  # else they are frozen
            output.register_hook(lambda own: own + gradient)  # type: ignore[no-untyped-call]
        return output + self._noise(watched.detach(), gradient)

    def _noise(self, embedded: Tensor, gradient: Tensor) -> Tensor:
        """(texts, tokens, dimensions), as both of these."""
        reached = gradient.ne(0).any(dim=-1, keepdim=True)  # not the padding
        length = torch.linalg.vector_norm(embedded * reached, dim=(1, 2), keepdim=True)
        steepness = torch.linalg.vector_norm(gradient, dim=(1, 2), keepdim=True)
        noise: Tensor = gradient * (
            self._epsilon * length / steepness.clamp_min(torch.finfo(gradient.dtype).tiny)
        )
        return noise
