"""Secrets as the kubelet mounts them."""

from pathlib import Path

from localcluster import S3Server
from trainingrun_api.names import REQUIRED_STORAGE_KEYS


class MountedSecret:
    """A folder of credentials: each version of the Secret is a new folder, to which a link is turned."""

    def __init__(self, credentials: Path, name: str, keys: dict[str, str]) -> None:
        self._folder = credentials / name
        self._versions = 0
        self.change(keys)

    def change(self, keys: dict[str, str]) -> None:
        """The Secret has these keys from now on, and no others."""
        self._versions += 1
        version = self._folder / f"..{self._versions}"
        version.mkdir(parents=True)
        for name, value in keys.items():
            (version / name).write_text(value)
        (self._folder / "..new").symlink_to(version.name)
        (self._folder / "..new").replace(self._folder / "..data")


def storage_keys(server: S3Server) -> dict[str, str]:
    """What a Secret for this server holds."""
    return dict(zip(REQUIRED_STORAGE_KEYS, (server.access_key, server.secret_key), strict=True))
