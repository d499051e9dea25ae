"""The cluster's certificate authority, and the certificates and kubeconfigs it gives out."""

import base64
import datetime
import ipaddress
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

# Clocks of shared machines are set back at times.
SKEW = datetime.timedelta(hours=1)
LIFETIME = datetime.timedelta(days=365)


@dataclass(frozen=True)
class KeyFiles:
    """A certificate and its private key, as PEM files."""

    certificate: Path
    key: Path

    @classmethod
    def at(cls, folder: Path, name: str) -> Self:
        """Where the pair `name` lies in `folder`."""
        return cls(folder / f"{name}.crt", folder / f"{name}.key")

    def write(self, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
        """Write both as PEM."""
        self.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        write_key(self.key, key)


class Authority:
    """A new certificate authority that signs into `folder`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.pair = KeyFiles.at(folder, "ca")
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("localcluster-ca")
        builder = _builder(self._name, self._name, self._key)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        self.pair.write(builder.sign(self._key, hashes.SHA256()), self._key)

    def server(self, name: str, hosts: tuple[str, ...]) -> KeyFiles:
        """A certificate for a server that is reached as `hosts`, DNS names or addresses."""
        alternatives = x509.SubjectAlternativeName([_alternative(host) for host in hosts])
        return self._issue(name, _name(name), ExtendedKeyUsageOID.SERVER_AUTH, alternatives)

    def client(self, name: str, user: str, group: str | None = None) -> KeyFiles:
        """A certificate that Kubernetes reads as `user` in `group`."""
        return self._issue(name, _name(user, group), ExtendedKeyUsageOID.CLIENT_AUTH)

    def kubeconfig(self, path: Path, server: str, client: KeyFiles) -> Path:
        """Write a kubeconfig that needs no other file."""
        content = _kubeconfig(server, self.pair.certificate, client)
        path.touch(mode=0o600)
        path.write_text(json.dumps(content, indent=1))
        return path

    def _issue(
        self,
        name: str,
        subject: x509.Name,
        usage: x509.ObjectIdentifier,
        alternatives: x509.SubjectAlternativeName | None = None,
    ) -> KeyFiles:
        pair, key = KeyFiles.at(self.folder, name), ec.generate_private_key(ec.SECP256R1())
        builder = _builder(subject, self._name, key)
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        if alternatives is not None:
            builder = builder.add_extension(alternatives, critical=False)
        pair.write(builder.sign(self._key, hashes.SHA256()), key)
        return pair


def signing_pair(folder: Path, name: str) -> KeyFiles:
    """A key pair to sign service account tokens with; the public half in place of a certificate."""
    pair, key = (
        KeyFiles(folder / f"{name}.pub", folder / f"{name}.key"),
        ec.generate_private_key(ec.SECP256R1()),
    )
    public = serialization.PublicFormat.SubjectPublicKeyInfo
    pair.certificate.write_bytes(key.public_key().public_bytes(serialization.Encoding.PEM, public))
    write_key(pair.key, key)
    return pair


def write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    """Write `key` so that only its owner can read it."""
    path.touch(mode=0o600)
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SKEW)
        .not_valid_after(now + LIFETIME)
    )


def _name(user: str, group: str | None = None) -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, user)]
    if group is not None:
        attributes.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, group))
    return x509.Name(attributes)


def _alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _kubeconfig(server: str, authority: Path, client: KeyFiles) -> dict[str, object]:
    user = {"client-certificate-data": _inline(client.certificate), "client-key-data": _inline(client.key)}
    cluster = {"server": server, "certificate-authority-data": _inline(authority)}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "localcluster",
        "clusters": [{"name": "localcluster", "cluster": cluster}],
        "users": [{"name": "localcluster", "user": user}],
        "contexts": [
            {"name": "localcluster", "context": {"cluster": "localcluster", "user": "localcluster"}}
        ],
    }


def _inline(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode()
