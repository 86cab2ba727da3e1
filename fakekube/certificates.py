"""Certificates of a server and its clients, signed by an authority that lives as long as it."""

from __future__ import annotations

import base64
import ipaddress
import pathlib
import ssl
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

FROM = datetime(2020, 1, 1, tzinfo=UTC)
UNTIL = datetime(2100, 1, 1, tzinfo=UTC)
"""Wide enough for every clock, so that none has to be read."""

Pair = tuple[bytes, bytes]
"""Certificate and key, in PEM."""


class Authority:
    """Signs certificates."""

    def __init__(self) -> None:
        self._key, self._name = _new_key(), _subject("fakekube-ca", ())
        self._certificate = self._sign(self._name, self._key.public_key(), is_authority=True)

    def _sign(
        self, subject: Any, public: Any, *, names: Sequence[str] = (), is_authority: bool = False
    ) -> Any:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes

        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(FROM)
            .not_valid_after(UNTIL)
            .add_extension(x509.BasicConstraints(is_authority, None), critical=True)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                critical=False,
            )
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        )
        if names:
            alternatives = x509.SubjectAlternativeName([_alternative(name) for name in names])
            builder = builder.add_extension(alternatives, critical=False)
        return builder.sign(self._key, hashes.SHA256())

    def client(self, user: str, groups: Sequence[str] = ()) -> Pair:
        """Return the certificate of a user in groups."""
        key = _new_key()
        certificate = self._sign(_subject(user, groups), key.public_key())
        return _pem(certificate), _key_pem(key)

    def server(self, names: Sequence[str]) -> Pair:
        """Return the certificate of a server at these addresses."""
        key = _new_key()
        certificate = self._sign(_subject("fakekube", ()), key.public_key(), names=names)
        return _pem(certificate), _key_pem(key)

    def pem(self) -> bytes:
        """Return the certificate of the authority."""
        return _pem(self._certificate)

    def encoded(self) -> str:
        """Return the certificate of the authority as it stands in a kubeconfig."""
        return text(self.pem())

    def server_context(self, names: Sequence[str]) -> ssl.SSLContext:
        """Return the TLS context of a server, which asks clients for a certificate."""
        certificate, key = self.server(names)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "pair.pem")
            path.touch(mode=0o600)
            path.write_bytes(certificate + key)
            context.load_cert_chain(path)
        context.load_verify_locations(cadata=self.pem().decode())
        context.verify_mode = ssl.CERT_OPTIONAL
        return context


def text(pem: bytes) -> str:
    """Return PEM as it stands in a kubeconfig."""
    return base64.b64encode(pem).decode()


def _new_key() -> Any:
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.generate_private_key(ec.SECP256R1())


def _subject(name: str, groups: Sequence[str]) -> Any:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    return x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _alternative(name: str) -> Any:
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(certificate: Any) -> bytes:
    from cryptography.hazmat.primitives import serialization

    found: bytes = certificate.public_bytes(serialization.Encoding.PEM)
    return found


def _key_pem(key: Any) -> bytes:
    from cryptography.hazmat.primitives import serialization

    found: bytes = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return found
