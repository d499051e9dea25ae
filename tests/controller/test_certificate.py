"""Certificates: kept while good, renewed in time, from the authority that running Jobs trust."""

import base64
import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from trainingrun_operator.certificate import Certificates, renewed
from trainingrun_operator.certificate_files import CertificateFiles
from trainingrun_operator.errors import ConfigurationError

NOW = datetime(2026, 11, 1, tzinfo=UTC)
NAME = "operator.training-system.svc"


def test_good_certificates_are_kept() -> None:
    held = renewed(None, NAME, NOW)
    assert renewed(held, NAME, NOW + timedelta(days=30)) is held


def test_server_certificate_is_renewed_by_the_same_authority() -> None:
    held = renewed(None, NAME, NOW)
    later = renewed(held, NAME, NOW + timedelta(days=70))
    assert later.authority == held.authority
    assert later.server != held.server
    certificate, _ = later.server.parsed()
    certificate.verify_directly_issued_by(held.authority.parsed()[0])


def test_another_name_needs_another_certificate() -> None:
    held = renewed(None, NAME, NOW)
    assert renewed(held, "other.training-system.svc", NOW).server.is_for("other.training-system.svc")


def test_secret_holds_all_of_it() -> None:
    held = renewed(None, NAME, NOW)
    assert Certificates.of_secret(held.secret_data()) == held


@pytest.mark.parametrize("name", ["ca.crt", "ca.key", "tls.crt", "tls.key"])
def test_secret_into_which_others_have_written_is_not_ours(name: str) -> None:
    held, other = (renewed(None, NAME, NOW).secret_data() for _ in range(2))
    for written in (other[name], base64.b64encode(b"not PEM").decode()):
        with pytest.raises(ValueError, match=r"key|PEM"):
            Certificates.of_secret(held | {name: written})


async def test_files_of_others_are_served_and_followed(tmp_path: Path) -> None:
    first, second = (renewed(None, NAME, datetime.now(UTC)) for _ in range(2))
    files = CertificateFiles(tmp_path)
    with pytest.raises(ConfigurationError, match=r"ca\.crt"):
        await files.load()
    write(tmp_path, first)
    await files.load()
    assert files.ca_certificate() == first.authority.certificate
    assert served(files) == first.server.parsed()[0].serial_number
    (tmp_path / "tls.key").write_text(second.server.key)
    with pytest.raises(ConfigurationError, match="can't be used"):
        await files.load()
    assert served(files) == first.server.parsed()[0].serial_number
    write(tmp_path, second)
    await files.load()
    assert served(files) == second.server.parsed()[0].serial_number


async def test_an_authority_that_is_none_is_told(tmp_path: Path) -> None:
    write(tmp_path, renewed(None, NAME, datetime.now(UTC)))
    (tmp_path / "ca.crt").write_text("")
    with pytest.raises(ConfigurationError, match="can't be used"):
        await CertificateFiles(tmp_path).load()


def write(folder: Path, certificates: Certificates) -> None:
    """As cert-manager's Secrets are mounted."""
    (folder / "ca.crt").write_text(certificates.authority.certificate)
    (folder / "tls.crt").write_text(certificates.server.certificate)
    (folder / "tls.key").write_text(certificates.server.key)


def served(files: CertificateFiles) -> int:
    """Serial number of the certificate that a client sees who trusts the authority."""
    ours, theirs = socket.socketpair()
    wrap = files.context.wrap_socket
    server = threading.Thread(target=lambda: wrap(theirs, server_side=True).close())
    server.start()
    trust = ssl.create_default_context(cadata=files.ca_certificate())
    with trust.wrap_socket(ours, server_hostname=NAME) as client:
        certificate = client.getpeercert()
    server.join()
    assert certificate is not None
    return int(str(certificate["serialNumber"]), 16)
