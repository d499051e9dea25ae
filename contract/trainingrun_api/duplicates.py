"""Texts that are nearly the same."""

from typing import Annotated

from pydantic import Field

from .base import Model


class NearDuplicates(Model):
    """What counts as a near-copy, and what becomes of it."""

    threshold: Annotated[float, Field(ge=0.5, le=1)] = 0.8
    """Near-copies have at least this similarity (Jaccard): the number of character 4-grams that both texts
    have by the number that either has, after Unicode, case and white-space normalisation. Found by MinHash.
    Near-copies never stand on both sides of the split, skipped or not."""

    skip: bool = False
    """Leave out near-copies: of those with the same labels the first is kept, those with other labels all."""
