"""An environment with the libraries that servers have, made once and kept in the user's cache."""

import hashlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

from localcluster.cache import cache_folder, locked

LOCK = Path(__file__).with_name("requirements.lock")
UV_LOCK = Path(__file__).parents[3] / "tools" / "uv.lock"
MADE = "made"


def older_environment() -> Path:
    """Its folder. Installed by uv, whose cache shares the files of PyTorch with .venv's."""
    digest = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    folder = cache_folder() / f"servers-{digest[:12]}"
    with locked("servers"):
        if not (folder / MADE).exists():
            for old in cache_folder().glob("servers-*"):
                shutil.rmtree(old)
            uv("venv", "--python", sys.executable, str(folder))
            python = str(folder / "bin" / "python")
            uv("pip", "install", "--python", python, "--require-hashes", "--requirement", str(LOCK))
            (folder / MADE).touch()
    return folder


def uv(*arguments: str) -> None:
    """The one that the Makefile has installed."""
    (version,) = re.findall(r"^uv==([\d.]+)", UV_LOCK.read_text(), re.MULTILINE)
    program = cache_folder() / f"uv-{version}" / "bin" / "uv"
    subprocess.run([str(program), "--quiet", *arguments], check=True, timeout=1500)
