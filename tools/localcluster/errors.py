"""What can go wrong, said so that the reader knows what to do next."""


class LocalClusterError(Exception):
    """The local cluster, or a part of it, can't be started or used; the message says what to change."""
