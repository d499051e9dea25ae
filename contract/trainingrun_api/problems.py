"""What is wrong with a value, for the user who wrote it."""

from pydantic import ValidationError
from pydantic_core import ErrorDetails

LONGEST_SHOWN = 64
"""Characters of a value up to which it is repeated; a whole object would hide what is wrong with it."""


def problems(error: ValidationError, place: str = "") -> list[str]:
    """One for each field at fault: where it is, below `place`, what is wrong, and what was given."""
    return [_at(_place(place, problem["loc"]), _wrong(problem)) for problem in error.errors()]


def _at(place: str, wrong: str) -> str:
    return f"{place}: {wrong}" if place else wrong


def _place(place: str, location: tuple[int | str, ...]) -> str:
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return f"{place}{path}" if place else path.removeprefix(".")


def _wrong(problem: ErrorDetails) -> str:
    match problem["type"]:
        case "extra_forbidden":
            return "unknown field"
        case "model_type":  # in pydantic's words for JSON, since manifests know no dictionaries or instances
            return "Input should be an object"
        case "value_error":  # of the contract's own validators, which say all there is to say
            return str(problem["ctx"]["error"])
    given = problem["input"]
    if isinstance(given, str | int | float) and len(repr(given)) <= LONGEST_SHOWN:
        return f"{problem['msg']}, not {given!r}"
    return problem["msg"]
