"""The log of the pod, whatever labels and texts are in it."""

import io
import logging

from trainingrun_trainer.program import LineFormatter


def logged(message: str, error: Exception | None = None) -> list[str]:
    shown = io.StringIO()
    handler = logging.StreamHandler(shown)
    handler.setFormatter(LineFormatter("%(levelname)s %(message)s"))
    record = logging.LogRecord("a", logging.INFO, "", 1, "labels: %s", (message,), None)
    record.exc_info = (type(error), error, error.__traceback__) if error else None
    handler.handle(record)
    return shown.getvalue().splitlines()


def test_a_message_is_one_line_that_steers_no_terminal() -> None:
    assert logged("a\nINFO all is well\x1b[31m") == [r"INFO labels: a\nINFO all is well\x1b[31m"]


def test_a_trace_keeps_its_lines() -> None:
    try:
        raise ValueError("\x1b[2J")
    except ValueError as error:
        first, *trace, last = logged("a", error)
    assert first == "INFO labels: a"
    assert trace[0] == "Traceback (most recent call last):"
    assert last == r"ValueError: \x1b[2J"
