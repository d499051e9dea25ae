"""Errors of the command line that a user can mend."""


class CommandError(Exception):
    """The command can't be carried out; the message says what to change."""
