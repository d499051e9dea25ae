"""Keeps the certificates in a Secret and in the server, renewed in time."""

import asyncio
import datetime
import logging
import ssl

from .certificate import Certificates, renewed
from .cluster import Cluster
from .errors import ApiError
from .kinds import SECRETS
from .resources import Manifest
from .settings import Settings

logger = logging.getLogger(__name__)

CHECK_SECONDS = 6 * 3600.0


class CertificateStore:
    """Holds the certificates of the progress endpoint; enter `load` first."""

    def __init__(self, cluster: Cluster, settings: Settings) -> None:
        self._cluster = cluster
        self._settings = settings
        self._certificates: Certificates | None = None
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2

    def ca_certificate(self) -> str:
        """PEM of the authority, for trainer pods."""
        if self._certificates is None:
            raise RuntimeError("load() comes first")
        return self._certificates.authority.certificate

    async def load(self) -> None:
        """Read the certificates; make or renew them where need be."""
        try:
            held = await self._current()
        except ApiError as error:
            if error.status != 409:
                raise
            # Another operator was faster: what it has written is as good.
            held = await self._current()
        if held != self._certificates:
            held.load_into(self.context)
            self._certificates = held

    async def keep(self) -> None:
        """Renew in time, until cancelled."""
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            try:
                await self.load()
            except ApiError as error:
                logger.warning("can't check the certificates: %s", error)

    async def _current(self) -> Certificates:
        name, namespace = self._settings.certificate_secret_name, self._settings.pod_namespace
        secret = await self._cluster.get(SECRETS, (namespace, name))
        held = _read(secret)
        wanted = renewed(held, self._settings.server_name, datetime.datetime.now(datetime.UTC))
        if secret is None:
            metadata = {"name": name, "namespace": namespace}
            body = {"type": "kubernetes.io/tls", "metadata": metadata, "data": wanted.secret_data()}
            await self._cluster.create(SECRETS, body)
        elif wanted != held:
            await self._cluster.replace(SECRETS, secret | {"data": wanted.secret_data()})
        return wanted


def _read(secret: Manifest | None) -> Certificates | None:
    try:
        return Certificates.of_secret(secret["data"]) if secret else None
    except (KeyError, TypeError, ValueError):
        logger.warning("the certificate Secret is invalid; replacing its content")
        return None
