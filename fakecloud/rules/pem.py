"""Certificates and keys in PEM: whether they are well-formed and belong together."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography import x509

RSA_HEADER = "-----BEGIN RSA PRIVATE KEY-----"


def check_pair(body: str, private_key: str, chain: str | None) -> float:
    """Return when a certificate expires, in seconds since the epoch.

    Raise ``ValueError`` when it is no certificate, when the private key is not its own or not in
    PKCS1 form, or when the chain does not go from its issuer upwards.
    """
    from cryptography.hazmat.primitives import serialization

    certificate = _certificates("Body", body)[0]
    if not private_key.lstrip().startswith(RSA_HEADER):
        raise ValueError(f"PrivateKey is no RSA key in PKCS1 form. It must start '{RSA_HEADER}'.")
    try:
        key = serialization.load_pem_private_key(private_key.encode(), password=None)
    except (ValueError, TypeError):
        raise ValueError("PrivateKey is no RSA key without a password in PEM.") from None
    form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    if key.public_key().public_bytes(*form) != certificate.public_key().public_bytes(*form):
        raise ValueError("PrivateKey is not the key of the certificate in Body.")
    below = certificate
    for issuer in _certificates("Chain", chain) if chain else ():
        if below.issuer != issuer.subject:
            raise ValueError(
                f"Chain is out of order: '{below.issuer.rfc4514_string()}' comes next, but it has "
                f"'{issuer.subject.rfc4514_string()}'."
            )
        below = issuer
    return certificate.not_valid_after_utc.timestamp()


def _certificates(parameter: str, text: str) -> list[x509.Certificate]:
    from cryptography import x509

    try:
        return x509.load_pem_x509_certificates(text.encode())
    except ValueError:
        raise ValueError(f"{parameter} is no X509 certificate in PEM.") from None
