"""What containerd keeps of images that came from the registry."""

from collections import defaultdict
from collections.abc import Callable

from localcluster.layout import REGISTRY


def stale(listing: str, in_registry: Callable[[str, str], bool]) -> list[str]:
    """Names of the images in `listing`, which is that of `ctr images list`, that the registry no longer has.

    Among them those by digest: an image that the kubelet pulled has three names, and each one keeps it.
    `in_registry` is asked for repository and tag.
    """
    names = defaultdict[str, list[str]](list)
    for line in listing.splitlines()[1:]:
        name, _, digest, *_ = line.split()
        names[digest].append(name)
    return [name for same in names.values() if _is_stale(same, in_registry) for name in same]


def _is_stale(names: list[str], in_registry: Callable[[str, str], bool]) -> bool:
    given = [name for name in names if not name.startswith("sha256:")]
    tagged = [name.removeprefix(f"{REGISTRY}/").partition(":") for name in given if "@" not in name]
    from_registry = bool(given) and all(name.startswith(f"{REGISTRY}/") for name in given)
    return from_registry and not any(in_registry(repository, tag) for repository, _, tag in tagged)
