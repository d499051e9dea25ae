"""`python -m trainingrun_operator`: watches, reconciles, takes progress, shows metrics, until SIGTERM."""

import asyncio
import logging
import os
import signal
import sys
from asyncio.sslproto import SSLProtocol

import kopf
from aiohttp import web

from trainingrun_api import __version__

from .certificate_files import CertificateFiles
from .certificate_store import CertificateStore
from .cluster import Cluster, connected
from .election import Election
from .endpoint import ReportEndpoint
from .errors import OperatorError
from .identity import Identities
from .leader import Leader, run_beside
from .listener import Bounds, Listener, listening_on
from .metrics import Metrics
from .rate_limit import RateLimit
from .reports import Reports
from .scrapes import Scrapes
from .settings import Settings
from .tokens import ReviewedTokens, SignedTokens, Tokens

# A record of TLS has half of it. By default it is 256 KiB, which was most of what a connection took.
TLS_BUFFER = 32 * 1024
# With TLS 20 MiB at most. A report takes milliseconds, so that thousands of pods have room.
OF_REPORTS = Bounds(connections=256, of_one_address=16, seconds=20)
OF_PROBES = Bounds(connections=64, of_one_address=8, seconds=20)


def main() -> int:
    """Run the operator; 0 after SIGTERM, 1 when it can't start or continue."""
    try:
        settings = Settings.from_environment(os.environ)
        _configure_logging(settings)
        asyncio.run(_serve(settings))
    except asyncio.CancelledError:
        return 0  # SIGTERM, while another replica led
    except (OperatorError, ExceptionGroup) as error:
        sys.stderr.write(f"trainingrun-operator: {_root(error)}\n")
        return 1
    return 0


async def _serve(settings: Settings) -> None:
    SSLProtocol.max_size = TLS_BUFFER
    _cancel_at_sigterm()
    metrics = Metrics(__version__)
    async with connected(metrics.count_request) as cluster:
        certificates = _certificates(cluster, settings)
        await certificates.load()
        election = Election(cluster, settings, metrics.count_request)
        leader = Leader(cluster.fenced(election.check), settings, metrics, certificates.ca_certificate)
        identities = Identities(cluster, _tokens(cluster, settings), lambda: leader.cache)
        reports = Reports(cluster, lambda: leader.cache)
        endpoint = ReportEndpoint(reports, identities, RateLimit(), metrics).application()
        unserved = metrics.unserved_connections
        senders = Listener("progress", endpoint, OF_REPORTS, unserved, certificates.context)
        probes = Listener("metrics", _probes(metrics, election, leader), OF_PROBES, unserved)
        with listening_on(settings.progress_port) as progress, listening_on(settings.metrics_port) as shown:
            served = senders.run(progress), probes.run(shown), reports.run()
            await run_beside(_take_turns(election, leader, reports), certificates.keep(), *served)


async def _take_turns(election: Election, leader: Leader, reports: Reports) -> None:
    """Lead when it is this replica's turn, until SIGTERM."""
    await election.win()
    try:
        await run_beside(leader.run(reports), election.keep())
    finally:
        await election.release()


def _cancel_at_sigterm() -> None:
    """Until kopf runs, which stops at the signal by itself."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)


def _certificates(cluster: Cluster, settings: Settings) -> CertificateFiles | CertificateStore:
    folder = settings.certificate_folder
    return CertificateFiles(folder) if folder else CertificateStore(cluster, settings)


def _tokens(cluster: Cluster, settings: Settings) -> Tokens:
    by_signature = settings.token_verification == "Signature"  # noqa: S105
    return SignedTokens(cluster) if by_signature else ReviewedTokens(cluster)


def _probes(metrics: Metrics, election: Election, leader: Leader) -> web.Application:
    scrapes = Scrapes(metrics.exposition)

    async def show(_: web.Request) -> web.Response:
        metrics.leader.set(election.leading)
        leader.show()
        return web.Response(body=await scrapes.text(), content_type="text/plain", charset="utf-8")

    async def health(_: web.Request) -> web.Response:
        trouble = leader.trouble()
        return web.Response(status=503 if trouble else 200, text=trouble or "ok")

    application = web.Application()
    application.add_routes([web.get("/metrics", show), web.get("/healthz", health)])
    return application


def _configure_logging(settings: Settings) -> None:
    log_format = kopf.LogFormat.JSON if settings.log_format == "json" else kopf.LogFormat.FULL
    kopf.configure(
        debug=settings.log_level == "debug", quiet=settings.log_level == "warning", log_format=log_format
    )
    if settings.log_level != "debug":
        # It says of each event that its handler has returned.
        logging.getLogger("kopf.objects").setLevel(logging.WARNING)


def _root(error: BaseException) -> BaseException:
    return _root(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error


if __name__ == "__main__":
    sys.exit(main())
