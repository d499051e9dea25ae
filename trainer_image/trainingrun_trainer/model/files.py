"""Which files of a folder, a repository or an archive make a model."""

from collections.abc import Iterable
from pathlib import Path, PurePosixPath

MODEL_SUFFIXES = (".json", ".safetensors", ".txt", ".model", ".jinja")
"""Kinds of files that a model may consist of; whatever else lies in its folder is not read."""

PICKLED = "pytorch_model*.bin"


def is_model_file(name: str, *, allow_pickled: bool) -> bool:
    """True for the name, relative to the model's folder, of a file that may be read."""
    path = PurePosixPath(name)
    if path.is_absolute() or any(part.startswith((".", "__")) for part in path.parts):
        return False
    return path.suffix in MODEL_SUFFIXES or (allow_pickled and path.match(PICKLED))


def wanted_files(names: Iterable[str], *, allow_pickled: bool) -> list[str]:
    """Those of the names that make the model, sorted; pickled weights only where no safetensors are."""
    found = [name for name in names if is_model_file(name, allow_pickled=allow_pickled)]
    safe = {PurePosixPath(name).parent for name in found if name.endswith(".safetensors")}
    return sorted(
        name for name in found if not name.endswith(".bin") or PurePosixPath(name).parent not in safe
    )


def model_files(folder: Path, *, allow_pickled: bool = False) -> list[tuple[str, Path]]:
    """Names and paths of the files that make the model, sorted by name."""
    names = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return [(name, folder / name) for name in wanted_files(names, allow_pickled=allow_pickled)]
