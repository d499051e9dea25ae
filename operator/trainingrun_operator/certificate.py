"""The progress endpoint's certificates: an authority of our own, kept in a Secret."""

import base64
import datetime
import ssl
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from .resources import Manifest

AUTHORITY_LIFETIME = datetime.timedelta(days=3650)
SERVER_LIFETIME = datetime.timedelta(days=90)
RENEW_BEFORE = datetime.timedelta(days=30)
CLOCK_SKEW = datetime.timedelta(hours=1)


@dataclass(frozen=True)
class KeyPair:
    """A certificate and its key, as PEM."""

    certificate: str
    key: str

    def parsed(self) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        """Both as objects. Raises TypeError or ValueError when they aren't ours, or not of one another."""
        certificate = x509.load_pem_x509_certificate(self.certificate.encode())
        key = serialization.load_pem_private_key(self.key.encode(), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise TypeError("the key is not an elliptic curve key")
        if key.public_key() != certificate.public_key():
            raise ValueError("the key is not that of the certificate")
        return certificate, key

    def expires_soon(self, now: datetime.datetime) -> bool:
        """True when it is time for another."""
        return self.parsed()[0].not_valid_after_utc < now + RENEW_BEFORE

    def is_for(self, server_name: str) -> bool:
        """Whether the certificate has this name."""
        names = self.parsed()[0].extensions.get_extension_for_class(x509.SubjectAlternativeName)
        return server_name in names.value.get_values_for_type(x509.DNSName)


@dataclass(frozen=True)
class Certificates:
    """The authority and the server certificate that it signed."""

    authority: KeyPair
    server: KeyPair

    @classmethod
    def of_secret(cls, data: Manifest) -> Self:
        """Read a Secret's data. Raises KeyError, TypeError or ValueError when it isn't ours."""
        text = {name: base64.b64decode(value).decode() for name, value in data.items()}
        held = cls(KeyPair(text["ca.crt"], text["ca.key"]), KeyPair(text["tls.crt"], text["tls.key"]))
        for pair in (held.authority, held.server):
            pair.parsed()
        return held

    def secret_data(self) -> dict[str, str]:
        """The data of a Secret of type kubernetes.io/tls."""
        text = {
            "ca.crt": self.authority.certificate,
            "ca.key": self.authority.key,
            "tls.crt": self.server.certificate,
            "tls.key": self.server.key,
        }
        return {name: base64.b64encode(value.encode()).decode() for name, value in text.items()}

    def load_into(self, context: ssl.SSLContext) -> None:
        """Serve with them from the next connection on."""
        with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
            file.write(self.server.certificate + self.server.key)
            file.flush()
            context.load_cert_chain(Path(file.name))


def renewed(held: Certificates | None, server_name: str, now: datetime.datetime) -> Certificates:
    """`held` where it is good for a while, else with what must be new: trainers trust the authority."""
    if held is None or held.authority.expires_soon(now):
        authority = _authority(now)
        return Certificates(authority, _server(authority, server_name, now))
    if held.server.expires_soon(now) or not held.server.is_for(server_name):
        return Certificates(held.authority, _server(held.authority, server_name, now))
    return held


def _authority(now: datetime.datetime) -> KeyPair:
    key, name = ec.generate_private_key(ec.SECP256R1()), _name("trainingrun-operator-ca")
    constraints = x509.BasicConstraints(ca=True, path_length=0)
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    builder = _builder(name, name, key, now, AUTHORITY_LIFETIME)
    builder = builder.add_extension(constraints, critical=True).add_extension(usage, critical=True)
    builder = builder.add_extension(
        x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
    )
    return _pair(builder.sign(key, hashes.SHA256()), key)


def _server(authority: KeyPair, server_name: str, now: datetime.datetime) -> KeyPair:
    issuer, issuer_key = authority.parsed()
    key = ec.generate_private_key(ec.SECP256R1())
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    alternatives = x509.SubjectAlternativeName([x509.DNSName(server_name)])
    builder = _builder(_name("progress"), issuer.subject, key, now, SERVER_LIFETIME)
    builder = builder.add_extension(alternatives, critical=False).add_extension(identifier, critical=False)
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    return _pair(builder.sign(issuer_key, hashes.SHA256()), key)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    now: datetime.datetime,
    lifetime: datetime.timedelta,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(now + lifetime)
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _pair(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> KeyPair:
    encoding = serialization.Encoding.PEM
    private = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return KeyPair(certificate.public_bytes(encoding).decode(), private.decode())
