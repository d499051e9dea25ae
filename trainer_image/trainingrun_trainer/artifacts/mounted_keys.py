"""Keys of an object store in files, which are replaced while a run goes on."""

from pathlib import Path

from botocore.credentials import CredentialProvider, Credentials, ReadOnlyCredentials

from trainingrun_api.names import STORAGE_KEYS

NEWEST = "..data"
"""Link that the kubelet turns to a new folder with all files of a Secret that has changed."""


class MountedKeys(Credentials):
    """Read anew for each request that is signed, and never kept."""

    def __init__(self, folder: Path) -> None:
        super().__init__(access_key="", secret_key="", method=Mounted.METHOD)
        self._folder = folder

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """As they are now: all of one version of the Secret, "" for what there is none of."""
        newest = self._folder / NEWEST
        folder = newest.resolve() if newest.exists() else self._folder
        access_key, secret_key, token = (_content(folder / name) for name in STORAGE_KEYS)
        return ReadOnlyCredentials(access_key, secret_key, token or None, None)


class Mounted(CredentialProvider):
    """The keys in a folder."""

    METHOD = "mounted-keys"

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def load(self) -> MountedKeys:
        """Those that are there now."""
        return MountedKeys(self._folder)


def _content(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
