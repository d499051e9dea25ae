"""Near-duplicates."""

from typing import Annotated

from pydantic import Field

from .base import Model


class NearDuplicates(Model):
    """Which texts are near-duplicates, and whether they are removed."""

    threshold: Annotated[float, Field(ge=0.5, le=1)] = 0.8
    """Jaccard similarity from which texts are near-duplicates: the number of character 4-grams that both
    texts have, divided by the number that either has, after Unicode, case and white-space normalization. They
    are found by MinHash, and never on both sides of the split, whether removed or not."""

    skip: bool = False
    """Remove near-duplicates: the first one with the same labels is kept, and all with other labels."""
