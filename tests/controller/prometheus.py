"""Prometheus itself, as Debian has it."""

import subprocess

from localcluster import packages


def promtool(*arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    """Run it; what it says is in stdout and stderr."""
    program = packages.unpacked("prometheus") / "usr/bin/promtool"
    return subprocess.run([program, *arguments], input=given, capture_output=True, text=True, check=False)
