"""What can go wrong, each with the reason and exit code that the operator acts on.

A message says what happened and what the user should change.
"""

from typing import ClassVar

from trainingrun_api.names import ExitCode
from trainingrun_api.status import Reason


def first_line(error: BaseException) -> str:
    """What it says first, or what it is called where it says nothing: libraries add traces and advice."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


class TrainerError(Exception):
    """A failure with a cause we know."""

    reason: ClassVar[Reason] = Reason.TRAINER_ERROR
    exit_code: ClassVar[int] = ExitCode.BUG


class SettingsError(TrainerError):
    """The run's settings can't be used; not retried."""

    reason = Reason.SETTINGS_ERROR
    exit_code = ExitCode.USAGE


class DataError(TrainerError):
    """The data set can't be used as it is; not retried."""

    reason = Reason.DATA_ERROR
    exit_code = ExitCode.DATA


class ModelError(TrainerError):
    """The base model can't be used; not retried."""

    reason = Reason.MODEL_ERROR
    exit_code = ExitCode.MODEL


class StorageRefusedError(TrainerError):
    """The object store refused: credentials, permission, no such bucket; not retried."""

    reason = Reason.STORAGE_REFUSED
    exit_code = ExitCode.STORAGE_REFUSED


class StorageUnavailableError(TrainerError):
    """Trouble with storage or network that may pass; retried from the last committed checkpoint."""

    reason = Reason.STORAGE_UNAVAILABLE
    exit_code = ExitCode.TEMPORARY


class AlreadyWrittenError(StorageUnavailableError):
    """Another trainer has written what was to be new."""


class OutOfMemoryError(TrainerError):
    """Memory was not enough. The same settings would end the same way, so it is not retried."""

    reason = Reason.OUT_OF_MEMORY
    exit_code = ExitCode.USAGE


class GPUNotFoundError(TrainerError):
    """The pod has no GPU that works, though the run asks for one; retried, since another node may have it."""

    reason = Reason.GPU_NOT_FOUND
    exit_code = ExitCode.MACHINE


class DiskFullError(TrainerError):
    """The machine's disk is full; retried, since another node may have more room."""

    reason = Reason.DISK_FULL
    exit_code = ExitCode.MACHINE


class ObjectMissingError(Exception):
    """There is nothing at this URI; whoever asked knows whether that is a mistake and whose."""


class Interrupted(BaseException):
    """SIGTERM arrived; a BaseException so that no library's `except Exception` swallows it."""

    reason: ClassVar[Reason] = Reason.INTERRUPTED
    exit_code: ClassVar[int] = ExitCode.INTERRUPTED
    how: ClassVar[str] = "stopped by SIGTERM"

    def __str__(self) -> str:
        return f"{self.how}; the run resumes from its last checkpoint when it is restarted"


class GraceOver(Interrupted):
    """What was to be saved took longer than the grace after SIGTERM allows."""

    how = "stopped by SIGTERM, before the latest steps could be saved"


class PeerLostError(Interrupted):
    """Another process of the run ended, and with it what this one trains; nothing of it can be saved."""

    reason = Reason.PEER_LOST
    exit_code = ExitCode.PEER_LOST

    def __str__(self) -> str:
        return (
            f"another process of the run ended ({self.args[0]}); the run resumes from its last checkpoint "
            "when all of them are restarted"
        )


class PeersNotReached(Interrupted):
    """The other nodes of the run did not come in time. Costs no restart: their pods may still be pending."""

    reason = Reason.PEER_LOST
    exit_code = ExitCode.PEER_LOST

    def __str__(self) -> str:
        return (
            f"{self.args[0]}; the pods of the run must be able to connect to each other: look at the "
            "NetworkPolicies and the DNS of the namespace"
        )


class PeerInterrupted(Interrupted):
    """SIGTERM arrived at another node of the run, and all stop."""

    reason = Reason.PEER_LOST
    exit_code = ExitCode.PEER_LOST
    how = "stopped, since another pod of the run was stopped by SIGTERM"
