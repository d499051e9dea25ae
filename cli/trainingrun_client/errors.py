"""What can't be done, in words for the user who asked for it."""

from trainingrun_api.visible import visible


class ClientError(Exception):
    """It can't be done; the message says what to change."""

    def __str__(self) -> str:
        return "\n".join(map(visible, super().__str__().split("\n")))


class UnreachableError(ClientError):
    """Cluster or object store don't answer; the same may work later."""
