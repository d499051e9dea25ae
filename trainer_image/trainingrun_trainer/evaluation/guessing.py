"""The loss of giving labels by how frequent they are: what a model that learned anything stays below."""

import numpy as np

from trainingrun_api.evaluation import DataCounts

from .arrays import Floats


def loss_of_guessing_one(data: DataCounts) -> float:
    """Where each text has one label: the entropy of the training split's labels, in nats per text."""
    return _entropy(_shares(data))


def loss_of_guessing_several(data: DataCounts) -> float:
    """Where a text has any number of labels: the entropies of each one's presence, in nats per text."""
    shares = _shares(data)
    return _entropy(shares) + _entropy(1 - shares)


def _shares(data: DataCounts) -> Floats:
    """Share of the training texts that have each label."""
    return np.array([one.training for one in data.by_label], dtype=float) / max(data.training, 1)


def _entropy(shares: Floats) -> float:
    known = shares[shares > 0]
    return float(-(known * np.log(known)).sum())
