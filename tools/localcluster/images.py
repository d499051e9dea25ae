"""The project's images, named by what they are made of: what is unchanged is neither built nor pushed."""

import hashlib
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from localcluster import base_image, binaries, buildah, packages, registry_store
from localcluster.cache import cache_folder, locked
from localcluster.cluster import LocalCluster
from localcluster.errors import LocalClusterError
from localcluster.progress import say

CHECKOUT = Path(__file__).resolve().parents[2]
# The latest ones: what is deployed may not be the newest, and another checkout may use another. None with
# other Python packages, though, which are gigabytes.
KEPT = 5
FREE_GIGABYTES = 16


@dataclass(frozen=True)
class Images:
    """Full names of the images, as manifests have them."""

    operator: str
    trainer: str


@dataclass(frozen=True)
class ImageRecipe:
    """How one image is made; `packages` and `sources` are the paths in the checkout that it is made from."""

    name: str
    dockerfile: str
    packages: str
    """The lock file of its Python packages."""
    sources: tuple[str, ...]

    @property
    def tag(self) -> str:
        """Digests of its Python packages, and of everything that goes into the image."""
        packages = (".dockerignore", "tools/uv.lock", self.dockerfile, self.packages)
        return f"{_digest(packages)[:8]}-{_digest((*packages, *self.sources))[:16]}"

    @property
    def repository(self) -> str:
        """Its name in buildah's storage, without tag."""
        return f"localhost/{self.name}"

    def local_name(self, tag: str) -> str:
        """Its name in buildah's storage."""
        return f"{self.repository}:{tag}"


def _digest(names: Iterable[str]) -> str:
    digest = hashlib.sha256(base_image.name().encode())
    for file in _files(names):
        digest.update(f"{file.relative_to(CHECKOUT)}\0".encode())
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def _files(names: Iterable[str]) -> Iterator[Path]:
    for path in (CHECKOUT / name for name in names):
        found = sorted(path.rglob("*")) if path.is_dir() else [path]
        yield from (file for file in found if file.is_file() and "__pycache__" not in file.parts)


CONTRACT = "contract/trainingrun_api"
OPERATOR = ImageRecipe(
    "trainingrun-operator",
    "operator/Dockerfile",
    "operator/requirements.lock",
    (CONTRACT, "operator/trainingrun_operator"),
)
TRAINER = ImageRecipe(
    "trainingrun-trainer",
    "trainer_image/Dockerfile",
    "trainer_image/requirements.lock",
    (CONTRACT, "trainer_image/trainingrun_trainer"),
)


def build(recipe: ImageRecipe) -> str:
    """Build the image unless it is there; gives its tag.

    Raises:
        LocalClusterError: a step failed or the disk is too full; says what to do.
    """
    packages.ensure(("buildah",))
    tag = recipe.tag
    image = recipe.local_name(tag)
    if buildah.has(image):
        return tag
    _check_disk()
    buildah.build(image, CHECKOUT / recipe.dockerfile, CHECKOUT, base_image.ensure())
    if recipe.tag != tag:
        say(f"sources of {recipe.name} changed meanwhile, so once more")
        buildah.remove(image)
        return build(recipe)
    buildah.remove_but(recipe.repository, [recipe.local_name(kept) for kept in _kept(recipe, tag)])
    return tag


def build_and_push(cluster: LocalCluster) -> Images:
    """Bring both images to the local cluster's registry; seconds when nothing changed."""
    with locked("images"):
        return Images(_to_local(cluster, OPERATOR), _to_local(cluster, TRAINER))


def build_and_push_to(registry: str) -> Images:
    """Bring both images to `registry` (host/path), logged in by `buildah login` or `docker login`."""
    with locked("images"):
        return Images(_to_remote(registry, OPERATOR), _to_remote(registry, TRAINER))


def save(folder: Path, version: str) -> None:
    """Write both images into `folder`, as archives that registries and nodes take."""
    with locked("images"):
        for recipe in (OPERATOR, TRAINER):
            image = recipe.local_name(build(recipe))
            buildah.save(image, folder / f"{recipe.name}-{version}.tar", f"{recipe.name}:{version}")


@contextmanager
def mounted(recipe: ImageRecipe) -> Iterator[Path]:
    """The root folder of the image."""
    with locked("images"), buildah.mounted(recipe.local_name(build(recipe))) as root:
        yield root


def push_objectstore(registry: str) -> str:
    """Bring an image of the S3 server to `registry`; gives its full name."""
    packages.ensure(("buildah",))
    binaries.ensure(("versitygw",))
    program = binaries.path("versitygw")
    name = f"trainingrun-objectstore:{program.parent.name}"
    with locked("images"):
        if not buildah.has(f"localhost/{name}"):
            configuration = ('--entrypoint=["/versitygw"]', "--user=65532:65532")
            buildah.from_archive(f"localhost/{name}", program, configuration)
        buildah.push(f"localhost/{name}", f"{registry}/{name}")
    return f"{registry}/{name}"


def _to_remote(registry: str, recipe: ImageRecipe) -> str:
    tag = build(recipe)
    target = f"{registry}/{recipe.name}:{tag}"
    buildah.push(recipe.local_name(tag), target)
    return target


def _to_local(cluster: LocalCluster, recipe: ImageRecipe) -> str:
    present = recipe.tag
    if registry_store.has(recipe.name, present):
        say(f"{recipe.name}:{present} is in the registry")
        return f"{cluster.registry}/{recipe.name}:{present}"
    tag = build(recipe)
    target = f"{cluster.registry}/{recipe.name}:{tag}"
    buildah.push(recipe.local_name(tag), target, cluster.nsenter)
    _remove_old(cluster, recipe, tag)
    return target


def _remove_old(cluster: LocalCluster, recipe: ImageRecipe, tag: str) -> None:
    """Free the disk of images that newer ones have replaced."""
    registry_store.remove_but(recipe.name, _kept(recipe, tag), cluster.layout.config / "registry.yaml")
    cluster.drop_images()


def _kept(recipe: ImageRecipe, tag: str) -> list[str]:
    """`tag` and those of the latest images that have the same Python packages."""
    packages = tag.partition("-")[0]
    latest = (name.rpartition(":")[2] for name in buildah.newest(recipe.repository, KEPT))
    return [tag, *(found for found in latest if found.partition("-")[0] == packages)]


def _check_disk() -> None:
    free = shutil.disk_usage(cache_folder()).free / 1e9
    if free < FREE_GIGABYTES:
        raise LocalClusterError(
            f"the images need up to {FREE_GIGABYTES} GB in {cache_folder()}, {free:.0f} GB are free: "
            "make room, or set XDG_CACHE_HOME to a folder on another disk"
        )
