"""Certificates of Kueue's webhooks, which it takes for its own: then it makes no others."""

import datetime
import ipaddress

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

AUTHORITY = "kueue-ca"
LIFETIME = datetime.timedelta(days=3650)
SKEW = datetime.timedelta(hours=1)


def certificates(host: str, address: str) -> dict[str, bytes]:
    """The keys of its Secret, for webhooks that are called by this address."""
    names = [x509.DNSName(host), x509.IPAddress(ipaddress.ip_address(address))]
    ca_key, key = (rsa.generate_private_key(65537, 2048) for _ in range(2))
    ca = _builder(AUTHORITY, ca_key, [x509.DNSName(AUTHORITY)])
    ca = ca.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    files = {
        "ca": (ca.sign(ca_key, hashes.SHA256()), ca_key),
        "tls": (_builder(host, key, names).sign(ca_key, hashes.SHA256()), key),
    }
    return {
        **{f"{name}.crt": pair[0].public_bytes(serialization.Encoding.PEM) for name, pair in files.items()},
        **{f"{name}.key": _pem(pair[1]) for name, pair in files.items()},
    }


def _builder(subject: str, key: rsa.RSAPrivateKey, names: list[x509.GeneralName]) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(AUTHORITY))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SKEW)
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
    )


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
