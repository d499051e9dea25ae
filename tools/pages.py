"""Stages the documentation for mkdocs: every page, and every file that pages link to, at its own place."""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "build" / "pages"
SOURCES = ("*.md", "docs/**", "examples/**", "deploy/**", "LICENSE")
LEFT_OUT = (":!tests/**", ":!.github/**")


def main() -> None:
    """Copy what git tracks, then build; ends with mkdocs' exit status, which is not 0 after any warning."""
    shutil.rmtree(PAGES, ignore_errors=True)
    for name in _tracked():
        target = PAGES / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, target)
    sys.exit(subprocess.run([sys.executable, "-m", "mkdocs", "build"], cwd=ROOT, check=False).returncode)


def _tracked() -> list[str]:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *SOURCES, *LEFT_OUT]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return listed.stdout.splitlines()


if __name__ == "__main__":
    main()
