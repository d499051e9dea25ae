"""What can go wrong in the operator; each error says what to change."""

from collections.abc import Sequence


class OperatorError(Exception):
    """Root of the operator's own errors."""


class ConfigurationError(OperatorError):
    """The operator's environment can't be used; carries every problem found."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))


class InvalidSpecError(OperatorError):
    """A run's spec can't be carried out; says which fields to change."""


class ApiError(OperatorError):
    """The API server rejected a request or can't be reached; `status` is 0 when there was no response."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status

    @property
    def refused(self) -> bool:
        """True when the same request would be rejected again: it is invalid or forbidden."""
        return self.status in {400, 403, 422}

    @property
    def namespace_ends(self) -> bool:
        """True when nothing can be created in the namespace, as it is being deleted."""
        return self.status == 403 and "because it is being terminated" in str(self)


class LeaseInDoubtError(ApiError):
    """A write was not sent, as the Lease of the leader isn't renewed: it is again soon, or another leads."""

    def __init__(self) -> None:
        super().__init__(0, "not sent: the Lease of the leader is not renewed")


class LeadershipLostError(OperatorError):
    """Another replica has led meanwhile, so that this one has to begin anew."""

    def __init__(self, holder: str) -> None:
        super().__init__(f"another replica has the Lease now: {holder or 'none any more'}")


class ReportRefusedError(OperatorError):
    """A progress report isn't accepted; `status` is the HTTP status, `outcome` the label in metrics."""

    def __init__(self, status: int, outcome: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.outcome = outcome
