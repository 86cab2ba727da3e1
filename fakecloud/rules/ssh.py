"""SSH keys: reading public keys in every accepted format, and making new ones.

https://docs.outscale.com/en/userguide/About-Keypairs.html
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass

from fakecloud import errors

KINDS = (
    "ssh-rsa",
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
)
RSA_BITS = 2048


@dataclass(frozen=True)
class PublicKey:
    """A public key: its kind, and its content as in the second field of an OpenSSH line."""

    kind: str
    content: str

    @property
    def line(self) -> str:
        """Return the key as a line of ``authorized_keys``, without a comment."""
        return f"{self.kind} {self.content}"

    @property
    def fingerprint(self) -> str:
        """Return the MD5 fingerprint in pairs of digits (RFC 4716, section 4)."""
        digest = hashlib.md5(base64.b64decode(self.content), usedforsecurity=False).hexdigest()
        return ":".join(digest[at : at + 2] for at in range(0, len(digest), 2))


def generate() -> tuple[str, PublicKey]:
    """Return a new RSA private key as PEM text, and its public key.

    This is the one answer that differs from run to run: the library draws keys from the system's
    chance and takes no seed. The private key is in the answer only, never in the saved state.
    """
    # Loading the library takes longer than starting a cloud, and few runs make keys.
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    line = key.public_key().public_bytes(
        serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    )
    name, content = line.decode().split()[:2]
    return private.decode().rstrip("\n"), PublicKey(name, content)


def read(text: str) -> PublicKey:
    """Read a public key: OpenSSH, RFC 4716, PEM or PKCS8, in Base64 or as it is.

    Raise 4032 for anything else and for an RSA key of less than 2048 bits.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    try:
        plain = _plain(text)
        if plain.startswith(b"-----BEGIN"):
            key = serialization.load_pem_public_key(plain)
        else:
            key = serialization.load_ssh_public_key(_one_line(plain))
        if isinstance(key, rsa.RSAPublicKey) and key.key_size < RSA_BITS:
            raise errors.refusal(4032)
        line = key.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    except (ValueError, UnsupportedAlgorithm):
        raise errors.refusal(4032) from None
    name, content = line.decode().split()[:2]
    if name not in KINDS:
        raise errors.refusal(4032)
    return PublicKey(name, content)


def _plain(text: str) -> bytes:
    """Undo the Base64 that the API asks for; a key that comes without it is taken as well."""
    if text.startswith(("---", *KINDS)):
        return text.strip().encode()
    try:
        return base64.b64decode("".join(text.split()), validate=True).strip()
    except binascii.Error:
        raise errors.refusal(4032) from None


def _one_line(plain: bytes) -> bytes:
    """Turn the RFC 4716 format into an OpenSSH line; leave such a line as it is."""
    if not plain.startswith(b"---- BEGIN SSH2 PUBLIC KEY ----"):
        return plain
    # A header that ends with a backslash goes on in the next line.
    lines = plain.replace(b"\\\r\n", b"").replace(b"\\\n", b"").splitlines()[1:-1]
    content = b"".join(line.strip() for line in lines if b":" not in line)
    blob = base64.b64decode(content)
    size = int.from_bytes(blob[:4], "big")
    return blob[4 : 4 + size] + b" " + content
