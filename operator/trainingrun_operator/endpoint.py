"""The HTTPS endpoint that trainer pods post their progress to."""

import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

from aiohttp import web
from pydantic import ValidationError

from trainingrun_api.names import KUBEFLOW_PATH, PROGRESS_PATH
from trainingrun_api.problems import problems
from trainingrun_api.progress import MAX_REPORT_BYTES, ProgressReport, RunIdentity
from trainingrun_api.status import TrainingRunStatus

from . import kubeflow
from .errors import ApiError, ReportRefusedError
from .identity import Identities
from .metrics import Metrics
from .rate_limit import RateLimit
from .reports import Reports
from .resources import kubernetes_json, parse_time

logger = logging.getLogger(__name__)

Posted = TypeVar("Posted")
TakeReport = Callable[[bytes, RunIdentity], Awaitable[None]]
"""What takes a report for the run of a pod from what the pod has posted."""


class ReportEndpoint:
    """Accepts a report only for the run whose workload owns the sending pod."""

    def __init__(self, reports: Reports, identities: Identities, limit: RateLimit, metrics: Metrics) -> None:
        self._reports = reports
        self._identities = identities
        self._limit = limit
        self._metrics = metrics

    def application(self) -> web.Application:
        """The web application."""
        application = web.Application(client_max_size=MAX_REPORT_BYTES)
        application.router.add_post(PROGRESS_PATH, partial(self._post, self._own_report))
        application.router.add_post(PROGRESS_PATH + KUBEFLOW_PATH, partial(self._post, self._kubeflow_report))
        return application

    async def _post(self, take: TakeReport, request: web.Request) -> web.Response:
        try:
            await self._accept(take, request)
        except ReportRefusedError as refused:
            return self._answer(refused.status, refused.outcome, str(refused))
        except web.HTTPRequestEntityTooLarge:
            return self._answer(413, "too_large", f"a report can have at most {MAX_REPORT_BYTES} bytes")
        except ConnectionError:
            # Nobody reads this any more.
            return self._answer(400, "cut", "the connection was closed within the report")
        except ApiError as error:
            return self._not_stored(error)
        return self._answer(204, "accepted")

    def _not_stored(self, error: ApiError) -> web.Response:
        if error.status in {400, 422}:
            return self._answer(400, "invalid", f"the Kubernetes API rejects the report: {error}")
        if error.status in {404, 409}:
            return self._answer(403, "forbidden", "the run no longer exists")
        logger.warning("can't store a progress report: %s", error)
        return self._answer(
            503, "unavailable", "the Kubernetes API can't be reached; the next report replaces this one"
        )

    async def _accept(self, take: TakeReport, request: web.Request) -> None:
        _check_length(request)
        identity = await self._identities.of_token(_bearer_token(request))
        self._limit.take(identity.uid)
        await take(await request.read(), identity)

    async def _own_report(self, body: bytes, identity: RunIdentity) -> None:
        report = _parsed(_own, body)
        if report.run != identity:
            raise ReportRefusedError(403, "forbidden", "the report is for another run than the pod's")
        # One without epochs continues those in the status.
        status = await self._reports.status_of(identity, all_epochs=report.epochs is None)
        await self._reports.take(report, _unfinished(status))

    async def _kubeflow_report(self, body: bytes, identity: RunIdentity) -> None:
        payload = _parsed(_kubeflow, body)
        status = _unfinished(await self._reports.status_of(identity, all_epochs=True))
        # At once, since the next one adds to what the status has then.
        await self._reports.write(kubeflow.report_of(payload, identity, status))

    def _answer(self, status: int, outcome: str, text: str | None = None) -> web.Response:
        self._metrics.progress_reports.labels(outcome).inc()
        return web.Response(status=status, text=text)


def _unfinished(status: TrainingRunStatus | None) -> TrainingRunStatus:
    if status is None:
        raise ReportRefusedError(403, "forbidden", "the run no longer exists")
    if status.phase.finished:
        raise ReportRefusedError(409, "finished", "the run has finished")
    return status


def _check_length(request: web.Request) -> None:
    if (request.content_length or 0) > MAX_REPORT_BYTES:
        raise ReportRefusedError(413, "too_large", f"a report can have at most {MAX_REPORT_BYTES} bytes")


def _bearer_token(request: web.Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    # Headers may hold any bytes; tokens are Base64 and dots.
    if scheme != "Bearer" or not token or not token.isascii():
        raise ReportRefusedError(401, "unauthenticated", "send Authorization: Bearer <the pod's token>")
    return token


def _own(body: bytes) -> ProgressReport:
    report = ProgressReport.model_validate(kubernetes_json(body))
    parse_time(report.progress.last_update_time)
    return report


def _kubeflow(body: bytes) -> kubeflow.Payload:
    return kubeflow.Payload.model_validate(kubernetes_json(body))


def _parsed(read: Callable[[bytes], Posted], body: bytes) -> Posted:
    try:
        return read(body)
    except ValidationError as error:
        raise ReportRefusedError(400, "invalid", "; ".join(problems(error))) from error
    except ValueError as error:
        raise ReportRefusedError(400, "invalid", str(error)) from error
