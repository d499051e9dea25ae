"""Errors of the command line that a user can mend."""

from trainingrun_api.visible import visible


class CommandError(Exception):
    """The command can't be carried out; the message says what to change."""

    def __str__(self) -> str:
        return "\n".join(map(visible, super().__str__().split("\n")))
