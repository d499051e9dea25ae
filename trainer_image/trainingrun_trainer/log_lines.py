"""The log of the pod: a line for each message."""

import logging
import sys
from types import TracebackType

from trainingrun_api.visible import visible

ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class LineFormatter(logging.Formatter):
    """One line for each message: no label or text in it forges another line, or steers a terminal."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """The line."""
        return visible(super().formatMessage(record))

    def formatException(self, ei: ExceptionInfo) -> str:  # noqa: N802 - logging's name
        """The lines of a trace."""
        return "\n".join(map(visible, super().formatException(ei).split("\n")))


def log_to_stdout() -> None:
    """Warnings of all libraries, and what the trainer does."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(LineFormatter("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(handlers=[handler], level=logging.WARNING)
    logging.getLogger(__package__).setLevel(logging.INFO)
