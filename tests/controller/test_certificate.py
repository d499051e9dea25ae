"""Certificates: kept while good, renewed in time, from the authority that running Jobs trust."""

from datetime import UTC, datetime, timedelta

from trainingrun_operator.certificate import Certificates, renewed

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
