"""`python -m trainingrun_operator`: watches, reconciles, takes progress, shows metrics, until SIGTERM."""

import asyncio
import gc
import logging
import os
import sys
from collections.abc import Coroutine

import kopf
from aiohttp import web

from trainingrun_api import __version__

from . import handlers
from .cache import Cache
from .certificate_files import CertificateFiles
from .certificate_store import CertificateStore
from .cluster import Cluster, connected
from .endpoint import ReportEndpoint
from .errors import OperatorError
from .feed import Feed
from .health import Watchdog
from .identity import Identities
from .kueue import GROUP, queued_jobs_in
from .listener import Bounds, Listener, listening_on
from .metrics import Metrics
from .model_names import ModelNames
from .rate_limit import RateLimit
from .reconcile import Reconciler
from .references import Resolver
from .scrapes import Scrapes
from .settings import Settings
from .start import Start
from .tokens import ReviewedTokens, SignedTokens, Tokens
from .work_queue import WorkQueue
from .workloads import Workloads

# With TLS 75 MiB at most. A report takes milliseconds, so that thousands of pods have room.
OF_REPORTS = Bounds(connections=256, of_one_address=16, seconds=20)
OF_PROBES = Bounds(connections=64, of_one_address=8, seconds=20)


def main() -> int:
    """Run the operator; 0 after SIGTERM, 1 when it can't start or continue."""
    try:
        settings = Settings.from_environment(os.environ)
        _configure_logging(settings)
        asyncio.run(_serve(settings))
    except (OperatorError, ExceptionGroup) as error:
        sys.stderr.write(f"trainingrun-operator: {_root(error)}\n")
        return 1
    return 0


async def _serve(settings: Settings) -> None:
    metrics = Metrics(__version__)
    async with connected(metrics.count_request) as cluster:
        version = await cluster.version_of(GROUP)
        cache = Cache(queued_jobs_in(version) if version else None)
        resolver = Resolver(cache, settings)
        certificates = _certificates(cluster, settings)
        await certificates.load()
        workloads = Workloads(cluster, cache, settings, certificates.ca_certificate)
        start = Start(ModelNames(cluster, cache, resolver), resolver, workloads, settings)
        queue = WorkQueue(Reconciler(cluster, cache, metrics, start, workloads).reconcile)
        feed = Feed(cluster, cache, resolver, queue, settings.watch_namespaces)
        watchdog = Watchdog(cluster, feed, queue, settings.watch_namespaces)
        await feed.fill()
        if cache.queued_kind is not None:
            handlers.watch_queues(cache.queued_kind)
        _collect_garbage_seldom()
        identities = Identities(cluster, _tokens(cluster, settings))
        endpoint = ReportEndpoint(cluster, identities, RateLimit(), metrics).application()
        unserved = metrics.unserved_connections
        reports = Listener("progress", endpoint, OF_REPORTS, unserved, certificates.context)
        probes = Listener("metrics", _probes(metrics, queue, watchdog), OF_PROBES, unserved)
        with listening_on(settings.progress_port) as progress, listening_on(settings.metrics_port) as shown:
            watch = _watch(settings, handlers.Memo(feed))
            served = reports.run(progress), probes.run(shown)
            await _until_stopped(watch, queue.run(), watchdog.run(), certificates.keep(), *served)


def _certificates(cluster: Cluster, settings: Settings) -> CertificateFiles | CertificateStore:
    folder = settings.certificate_folder
    return CertificateFiles(folder) if folder else CertificateStore(cluster, settings)


def _tokens(cluster: Cluster, settings: Settings) -> Tokens:
    by_signature = settings.token_verification == "Signature"  # noqa: S105
    return SignedTokens(cluster) if by_signature else ReviewedTokens(cluster)


async def _watch(settings: Settings, memo: handlers.Memo) -> None:
    namespaces = settings.watch_namespaces
    await kopf.operator(
        settings=handlers.watch_settings(),
        memo=memo,
        standalone=True,
        clusterwide=not namespaces,
        namespaces=namespaces,
    )


async def _until_stopped(watch: Coroutine[None, None, None], *others: Coroutine[None, None, None]) -> None:
    """Run all until the watch ends, which it does at SIGTERM; an error in one ends all."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(other) for other in others]
        await watch
        for task in tasks:
            task.cancel()


def _collect_garbage_seldom() -> None:
    """Not after every 700 objects, as a page of a list alone has tens of thousands, nor what stays for good.

    A third of the processor time of 1,000 runs applied at once was garbage collection.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000)


def _probes(metrics: Metrics, queue: WorkQueue, watchdog: Watchdog) -> web.Application:
    scrapes = Scrapes(metrics.exposition)

    async def show(_: web.Request) -> web.Response:
        metrics.show_work(queue.depth, queue.longest_wait(), watchdog.verified)
        return web.Response(body=await scrapes.text(), content_type="text/plain", charset="utf-8")

    async def health(_: web.Request) -> web.Response:
        trouble = watchdog.trouble()
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
