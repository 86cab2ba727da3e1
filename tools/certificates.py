"""Keys and certificates of a throw-away cluster. No clock is read: all are valid until 2100."""

from __future__ import annotations

import datetime as dt
import ipaddress
import pathlib
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import oid

BEGIN = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
END = dt.datetime(2100, 1, 1, tzinfo=dt.UTC)


class Pair:
    """A key and its certificate, in files NAME.key and NAME.crt."""

    def __init__(
        self,
        folder: pathlib.Path,
        name: str,
        key: ec.EllipticCurvePrivateKey,
        certificate: x509.Certificate,
    ) -> None:
        """Write both files."""
        self.key = write_key(folder / f"{name}.key", key)
        self.certificate = folder / f"{name}.crt"
        self.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


class Authority:
    """A certificate authority; its own certificate is in NAME.crt."""

    def __init__(self, folder: pathlib.Path, name: str) -> None:
        """Make its key and certificate."""
        self._folder = folder
        self._key = new_key()
        self._subject = x509.Name([x509.NameAttribute(oid.NameOID.COMMON_NAME, name)])
        constraints = x509.BasicConstraints(ca=True, path_length=0)
        usage = _usage(key_cert_sign=True, digital_signature=True)
        builder = _builder(self._subject, self._subject, self._key)
        builder = builder.add_extension(constraints, critical=True)
        builder = builder.add_extension(usage, critical=True)
        pair = Pair(folder, name, self._key, builder.sign(self._key, hashes.SHA256()))
        self.certificate = pair.certificate

    def server(self, name: str, hosts: Sequence[str]) -> Pair:
        """Issue a certificate for a server that is reached under these names and addresses."""
        alternatives = x509.SubjectAlternativeName([_host(host) for host in hosts])
        subject = [x509.NameAttribute(oid.NameOID.COMMON_NAME, name)]
        purpose = oid.ExtendedKeyUsageOID.SERVER_AUTH
        return self._issue(name, subject, purpose, [alternatives])

    def client(self, file_name: str, user: str, groups: Sequence[str]) -> Pair:
        """Issue a certificate with which Kubernetes knows a user, and the groups of the user."""
        subject = [x509.NameAttribute(oid.NameOID.ORGANIZATION_NAME, group) for group in groups]
        subject.append(x509.NameAttribute(oid.NameOID.COMMON_NAME, user))
        return self._issue(file_name, subject, oid.ExtendedKeyUsageOID.CLIENT_AUTH, [])

    def _issue(
        self,
        name: str,
        subject: Sequence[x509.NameAttribute[str]],
        purpose: x509.ObjectIdentifier,
        extensions: Sequence[x509.ExtensionType],
    ) -> Pair:
        key = new_key()
        builder = _builder(x509.Name(subject), self._subject, key)
        constraints = x509.BasicConstraints(ca=False, path_length=None)
        builder = builder.add_extension(constraints, critical=True)
        builder = builder.add_extension(_usage(digital_signature=True), critical=True)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        for extension in (issuer, x509.ExtendedKeyUsage([purpose]), *extensions):
            builder = builder.add_extension(extension, critical=False)
        return Pair(self._folder, name, key, builder.sign(self._key, hashes.SHA256()))


def new_key() -> ec.EllipticCurvePrivateKey:
    """Make a key; of this kind, because it takes no time."""
    return ec.generate_private_key(ec.SECP256R1())


def write_key(path: pathlib.Path, key: ec.EllipticCurvePrivateKey) -> pathlib.Path:
    """Write a private key that only its owner can read."""
    path.touch(mode=0o600)
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder(
        issuer_name=issuer,
        subject_name=subject,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=BEGIN,
        not_valid_after=END,
    )
    # Python 3.13 and newer refuse a certificate without it.
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return builder.add_extension(identifier, critical=False)


def _usage(*, digital_signature: bool = False, key_cert_sign: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=key_cert_sign,
        encipher_only=False,
        decipher_only=False,
    )


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
