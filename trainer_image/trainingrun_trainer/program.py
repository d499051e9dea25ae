"""What the trainer pod does: RunConfig from the environment, termination message and exit code at the end."""

import logging
import os
import signal
import sys
import time
from types import TracebackType
from typing import NoReturn

from trainingrun_api.advice import Severity
from trainingrun_api.base import Model
from trainingrun_api.names import REPORT_FAULTS, ExitCode
from trainingrun_api.progress import ProgressReport
from trainingrun_api.run_config import RunConfig
from trainingrun_api.status import MAX_MESSAGE, Reason, RunFailure, RunResult
from trainingrun_api.visible import visible

from . import settings
from .errors import Interrupted, PeerLostError, TrainerError
from .interruption import Interruption
from .progress import ProgressSender

log = logging.getLogger("trainingrun_trainer")

UNEXPECTED = f"a fault of the trainer; {REPORT_FAULTS}, with the pod's log, which has the whole trace"

CUT = " … (whole in the pod's log)"
"""Ends a message that is longer than the status takes."""

MAX_TERMINATION_BYTES = 4096
"""Kubernetes cuts termination messages here, which would leave no valid JSON."""


CAUSE_FIRST_SECONDS = 1.0
"""After which a process ends that has lost another one: the launcher takes the first to end for the cause."""

ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def run() -> int:
    """As `main`, but a process of a group that fails ends here, at once."""
    code = main()
    if code and settings.rank() is not None:
        _leave_at_once(code)
    return code


def main() -> int:
    """Train what the environment says; gives the exit code of the process.

    Where several processes are to train, this one starts those of its node, each of which comes here again.
    """
    rank = settings.rank()
    log_to_stdout(rank)
    try:
        layout = settings.ProcessLayout.from_environment()
        if layout.size > 1 and rank is None:
            from .distributed.launcher import launch  # noqa: PLC0415 - see _train

            return launch(layout)
        result = _train(settings.run_config(), rank)
    except Interrupted as error:
        # The launcher's, once another process has ended, would interrupt the way out.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if isinstance(error, PeerLostError):
            _tell_others(rank)
            time.sleep(CAUSE_FIRST_SECONDS)
        return _end_interrupted(error)
    except TrainerError as error:
        log.error("%s: %s", error.reason, error)
        _leave_message(_failure(error.reason, str(error)))
        _tell_others(rank)
        return error.exit_code
    except Exception as error:
        log.exception("Unexpected error")
        _leave_message(_failure(Reason.TRAINER_ERROR, f"{UNEXPECTED}: {type(error).__name__}: {error}"))
        _tell_others(rank)
        return ExitCode.BUG
    if not rank:
        _log_result(result)
        _leave_message(fitting(result))
    return ExitCode.OK


def _train(config: RunConfig, rank: int | None) -> RunResult:
    interruption = Interruption()
    interruption.listen()
    # Importing torch takes seconds, in which SIGTERM has to end in a message already.
    from . import distributed, machine, pipeline  # noqa: PLC0415

    machine.require_gpus(config.gpus_per_node)
    if rank is not None:
        distributed.join(_end_lost)
    sender = ProgressSender(config.progress) if config.progress and not rank else None
    try:
        result = pipeline.run(config, sender.send if sender else _ignore, interruption)
    finally:
        if sender:
            sender.close()
    distributed.leave()
    return result


def _tell_others(rank: int | None) -> None:
    """Have the other processes of the run end with this one."""
    if rank is not None:
        from . import distributed  # noqa: PLC0415 - see _train

        distributed.tell_over(f"process {rank} has ended")


def _end_lost(why: str) -> None:
    """End from another thread than the one that is held up."""
    _leave_at_once(_end_interrupted(PeerLostError(why)))


def _leave_at_once(code: int) -> NoReturn:
    """Without the interpreter's way out, which threads of a broken group would abort."""
    logging.shutdown()
    os._exit(code)


def _end_interrupted(error: Interrupted) -> int:
    """Say so, unless another process of this pod has failed and said why, for which this one was ended."""
    log.error("%s: %s", error.reason, error)
    message = settings.termination_path()
    if not message.exists() or not message.stat().st_size:
        _leave_message(_failure(error.reason, str(error)))
    return error.exit_code


def _ignore(report: ProgressReport) -> None:
    """Without an operator nobody wants to know."""


def _log_result(result: RunResult) -> None:
    log.info(
        "Published epoch %d: %s; model %s, scores %s",
        result.best_epoch,
        result.evaluation.in_words(),
        result.artifacts.model,
        result.artifacts.evaluation,
    )
    for finding in result.advice:
        level = logging.WARNING if finding.severity is Severity.WARNING else logging.INFO
        log.log(level, "%s. %s", finding.message, finding.suggestion)


def _failure(reason: Reason, message: str) -> RunFailure:
    """With as much of the message as there is room for, on one line; the log has all of it."""
    line, lengths = visible(message), range(MAX_MESSAGE, len(CUT), -1)
    failures = (RunFailure(reason=reason, message=_cut(line, most)) for most in lengths)
    return next(one for one in failures if len(one.model_dump_json().encode()) <= MAX_TERMINATION_BYTES)


def _cut(message: str, most: int) -> str:
    return message if len(message) <= most else message[: most - len(CUT)].rsplit(" ", 1)[0] + CUT


def fitting(result: RunResult) -> RunResult:
    """With as much of the advice as there is room for."""
    while result.advice and len(result.model_dump_json(exclude_none=True).encode()) > MAX_TERMINATION_BYTES:
        result = result.model_copy(update={"advice": result.advice[:-1]})
    return result


def _leave_message(message: Model) -> None:
    try:
        settings.termination_path().write_text(message.model_dump_json(exclude_none=True), encoding="utf-8")
    except OSError as error:
        log.warning("The termination message could not be written: %s", error)


class LineFormatter(logging.Formatter):
    """One line for each message: no label or text in it forges another line, or steers a terminal."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        return visible(super().formatMessage(record))

    def formatException(self, ei: ExceptionInfo) -> str:  # noqa: N802 - logging's name
        return "\n".join(map(visible, super().formatException(ei).split("\n")))


def log_to_stdout(rank: int | None = None) -> None:
    """Warnings of all libraries, and what the trainer does; of several processes, what the first one does."""
    handler = logging.StreamHandler(sys.stdout)
    process = "" if rank is None else f"[rank {rank}] "
    handler.setFormatter(LineFormatter(f"%(asctime)s {process}%(levelname)s %(message)s"))
    logging.basicConfig(handlers=[handler], level=logging.WARNING)
    logging.getLogger(__package__).setLevel(logging.WARNING if rank else logging.INFO)
