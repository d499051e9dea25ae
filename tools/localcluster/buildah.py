"""Building and pushing images with buildah, in a storage folder of our own."""

import json
import os
import re
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from localcluster.cache import cache_folder
from localcluster.errors import LocalClusterError
from localcluster.process import execute
from localcluster.progress import say, step

LOG_TAIL_LINES = 25
LIFE_SIGN_SECONDS = 20.0
LONGEST_STEP = 100
# Steps that take time.
STEP = re.compile(r"STEP \d+/\d+: (COPY|RUN)")
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
COMPRESSION = ("--compression-format=zstd",)
# The uv cache of this machine lies here during a build, so that nothing is fetched twice.
UV_CACHE_IN_BUILD = "/var/cache/uv"
# Where Debian's certificate store and what it links to lie.
CERTIFICATE_FOLDERS = ("/etc/ssl/certs", "/usr/share/ca-certificates", "/usr/local/share/ca-certificates")


def storage_folder() -> Path:
    """Where built layers are kept."""
    return cache_folder() / "images"


def command(*arguments: str) -> list[str]:
    """buildah with our storage."""
    folder = storage_folder()
    (folder / "tmp").mkdir(parents=True, exist_ok=True)
    places = ("--root", str(folder / "storage"), "--runroot", str(folder / "run"))
    return ["buildah", *places, "--storage-driver", "overlay", *arguments]


def environment() -> dict[str, str]:
    """What buildah unpacks on its way goes to our folder too, /tmp may be small."""
    return os.environ | {"TMPDIR": str(storage_folder() / "tmp")}


def has(image: str) -> bool:
    """Whether `image` is in the storage."""
    return any(image in found["names"] for found in _images())


def from_archive(image: str, content: Path, configuration: Sequence[str]) -> None:
    """Make `image` of one layer from a tar archive, a folder or a file."""
    container = execute(*command("from", "scratch"), environment=environment()).strip()
    try:
        for arguments in (
            ("add", "--quiet", container, str(content), "/"),
            ("config", *configuration, container),
            ("commit", "--quiet", container, image),
        ):
            execute(*command(*arguments), environment=environment())
    finally:
        execute(*command("rm", container), environment=environment())


def build(image: str, dockerfile: Path, context: Path, base: str) -> None:
    """Build `image`; layers whose inputs are the same are taken from the storage.

    Raises:
        LocalClusterError: a step failed; the message carries the end of what it said.
    """
    uv_cache = Path(os.environ.get("UV_CACHE_DIR") or cache_folder().parent / "uv").resolve()
    uv_cache.mkdir(parents=True, exist_ok=True)
    options = ["--layers", "--isolation=chroot", "--network=host", "--pull-never", "--format=oci"]
    arguments = {"BASE_IMAGE": base, "UV_CACHE_DIR": UV_CACHE_IN_BUILD, "SSL_CERT_FILE": str(CERTIFICATES)}
    for name, value in arguments.items():
        options += ["--build-arg", f"{name}={value}"]
    for folder in filter(os.path.isdir, CERTIFICATE_FOLDERS):
        options += ["--volume", f"{folder}:{folder}:ro"]
    options += ["--volume", f"{uv_cache}:{UV_CACHE_IN_BUILD}", "--file", str(dockerfile), "--tag", image]
    _run_visibly(f"building {image}", command("bud", *options, str(context)))


def push(image: str, target: str, run_in: Callable[[Sequence[str]], list[str]] = list) -> None:
    """Push `image` as `target`, moving only layers that the registry lacks.

    `run_in` turns the command into one that runs where the registry can be reached.
    """
    host = target.partition("/")[0].rpartition(":")[0] or target.partition("/")[0]
    plain = ("--tls-verify=false",) if host in ("localhost", "127.0.0.1", "[::1]") else ()
    options = ("--quiet", *plain, *COMPRESSION, image, f"docker://{target}")
    _run_visibly(f"pushing {target}", run_in(command("push", *options)))


def save(image: str, archive: Path, name: str) -> None:
    """Write `image` into an OCI archive, in which it is called `name`."""
    options = ("--quiet", *COMPRESSION, image, f"oci-archive:{archive}:{name}")
    _run_visibly(f"writing {archive.name}", command("push", *options))


@contextmanager
def mounted(image: str) -> Iterator[Path]:
    """The root folder of `image`."""
    container = execute(*command("from", "--pull-never", image), environment=environment()).strip()
    try:
        yield Path(execute(*command("mount", container), environment=environment()).strip())
    finally:
        execute(*command("rm", container), environment=environment())


def remove(image: str) -> None:
    """Remove `image`'s name, and the layers that no other has."""
    execute(*command("rmi", image), environment=environment())


def remove_but(repository: str, kept: Sequence[str]) -> None:
    """Remove all images of `repository` but `kept`, and the layers that are then of no use."""
    stale = [name for found in _images() for name in found["names"] if name.rpartition(":")[0] == repository]
    for name in set(stale) - set(kept):
        remove(name)
    execute(*command("rmi", "--prune"), environment=environment())


def newest(repository: str, count: int) -> list[str]:
    """The names of the `count` latest images of `repository`."""
    found = sorted(_images(), key=lambda image: str(image["createdatraw"]), reverse=True)
    names = [name for image in found for name in image["names"]]
    return [name for name in names if name.rpartition(":")[0] == repository][:count]


def _images() -> Iterator[dict[str, list[str]]]:
    listed = execute(*command("images", "--json"), environment=environment())
    for image in json.loads(listed or "[]") or []:
        yield image | {"names": image.get("names") or []}


def _run_visibly(title: str, arguments: Sequence[str]) -> None:
    """Run it, saying each step of a Dockerfile as it begins."""
    started, said = time.monotonic(), deque[str](maxlen=LOG_TAIL_LINES)
    with (
        step(title),
        _life_signs(title),
        subprocess.Popen(
            arguments, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process,
    ):
        for line in process.stdout or ():
            said.append(line.rstrip())
            if "STEP" in line:
                say(f"  {time.monotonic() - started:5.0f} s  {line.strip()[:LONGEST_STEP]}")
        if process.wait():
            advice = "correct what it says below and run it again, finished steps are kept"
            raise LocalClusterError("\n".join([f"{title} failed; {advice}:", *said]))


@contextmanager
def _life_signs(title: str) -> Iterator[None]:
    ended, started = threading.Event(), time.monotonic()

    def speak() -> None:
        while not ended.wait(LIFE_SIGN_SECONDS):
            say(f"  {time.monotonic() - started:5.0f} s  still {title}")

    speaker = threading.Thread(target=speak, daemon=True)
    speaker.start()
    try:
        yield
    finally:
        ended.set()
        speaker.join()
