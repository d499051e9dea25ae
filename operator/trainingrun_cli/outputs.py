"""Results of runs in folders of this machine."""

from pathlib import Path


def newest_output(folder: Path) -> Path | None:
    """The folder itself if it holds the results of a finished run, else the newest one in it that does.

    A run's folder has one for each time that it was trained.
    """
    if (folder / "evaluation.json").is_file():
        return folder
    finished = sorted(folder.glob("*/evaluation.json"), key=lambda path: path.stat().st_mtime)
    return finished[-1].parent if finished else None
