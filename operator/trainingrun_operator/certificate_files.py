"""Certificates that others make, such as cert-manager, and that are mounted as files."""

import asyncio
import logging
import ssl
from pathlib import Path

from .errors import ConfigurationError

logger = logging.getLogger(__name__)

# Files of a Secret change about a minute after it.
CHECK_SECONDS = 60.0


class CertificateFiles:
    """The certificates of the progress endpoint in a folder of a Secret; enter `load` first."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._loaded: tuple[str, ...] = ()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2

    def ca_certificate(self) -> str:
        """PEM of the authority, for trainer pods."""
        authority, *_ = self._loaded
        return authority

    async def load(self) -> None:
        """Serve with what the files hold from the next connection on. Raises ConfigurationError."""
        names = ("ca.crt", "tls.crt", "tls.key")
        try:
            found = tuple((self._folder / name).read_text() for name in names)
            if found != self._loaded:
                self._serve(found[0])
        except (OSError, ValueError) as error:  # an SSLError is an OSError
            text = f"the certificate in {self._folder} can't be used: {error}"
            raise ConfigurationError([text]) from error
        self._loaded = found

    def _serve(self, authority: str) -> None:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=authority)
        # Tried in another one first: a pair that doesn't match leaves the one before as it is.
        for context in (ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), self.context):
            context.load_cert_chain(self._folder / "tls.crt", self._folder / "tls.key")

    async def keep(self) -> None:
        """Follow the files, until cancelled."""
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            try:
                await self.load()
            except ConfigurationError as error:
                logger.warning("%s; the one before is still served", error)
