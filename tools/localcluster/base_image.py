"""A stand-in for python:3.11-slim, made of Debian packages, for machines that reach no image registry."""

import hashlib
import tempfile
from pathlib import Path

from localcluster import buildah, packages
from localcluster.process import execute
from localcluster.progress import step

SUITE = "bookworm"
PACKAGES = ("ca-certificates", "python3-venv")
OPTIONS = (
    "--variant=minbase",
    f"--include={','.join(PACKAGES)}",
    "--dpkgopt=path-exclude=/usr/share/doc/*",
    "--dpkgopt=path-include=/usr/share/doc/*/copyright",
    "--dpkgopt=path-exclude=/usr/share/locale/*",
    "--dpkgopt=path-exclude=/usr/share/man/*",
)
REPOSITORY = "localhost/trainingrun-base"


def name() -> str:
    """Its name; another suite or package is another one."""
    return f"{REPOSITORY}:{hashlib.sha256(' '.join((SUITE, *OPTIONS)).encode()).hexdigest()[:12]}"


def ensure() -> str:
    """Make it unless it is there; gives its name.

    Raises:
        LocalClusterError: mmdebstrap failed, most often for want of a Debian mirror.
    """
    packages.ensure(("buildah", "mmdebstrap"))
    if not buildah.has(name()):
        with step("base image from Debian packages"), tempfile.TemporaryDirectory() as folder:
            archive = Path(folder, "base.tar")
            execute("mmdebstrap", "--quiet", *OPTIONS, SUITE, str(archive))
            buildah.from_archive(name(), archive, ("--cmd=python3",))
        buildah.remove_but(REPOSITORY, [name()])
    return name()
