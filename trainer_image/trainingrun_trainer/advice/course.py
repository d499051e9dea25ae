"""What findings are made from."""

from dataclasses import dataclass

from trainingrun_api.evaluation import Curves, Recipe


@dataclass(frozen=True)
class Course:
    """How training went."""

    curves: Curves
    recipe: Recipe
    support: list[int]
    """Evaluation texts of each label."""
