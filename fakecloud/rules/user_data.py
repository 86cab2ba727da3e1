"""User data of VMs: how it is written, and the OUTSCALE section that it may hold.

https://docs.outscale.com/en/userguide/Configuring-a-VM-with-User-Data-and-OUTSCALE-Tags.html
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field

from fakecloud import errors

LIMIT_BYTES = 500 * 1024
BEGIN = b"-----BEGIN OUTSCALE SECTION-----"
END = b"-----END OUTSCALE SECTION-----"
TAG = "tags."


@dataclass(frozen=True)
class Section:
    """What the OUTSCALE section of user data asks for."""

    tags: dict[str, str] = field(default_factory=dict)
    private_only: bool = False
    filter_private_section: bool = False


NO_SECTION = Section()


def decode(text: str) -> bytes:
    """Return the bytes of user data; raise 4047 for no Base64 and 4106 for more than 500 KiB."""
    try:
        raw = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise errors.refusal(4047, "The UserData is not in the Base64 format.") from None
    if len(raw) > LIMIT_BYTES:
        raise errors.refusal(
            4106, parameter="UserData", length=len(raw), expected=f"0-{LIMIT_BYTES}"
        )
    return raw


def section(text: str) -> Section:
    """Read the OUTSCALE section of user data. Raise 4047 and 4106 as :func:`decode` does."""
    if not text:
        return NO_SECTION
    raw = decode(text)
    start = raw.find(BEGIN)
    if start < 0:
        return NO_SECTION
    end = raw.find(END, start)
    inner = raw[start + len(BEGIN) : end if end >= 0 else len(raw)]
    tags = {}
    flags = {}
    for line in inner.decode("utf-8", "replace").splitlines():
        name, sign, value = line.strip().partition("=")
        if sign and name.startswith(TAG):
            tags[name.removeprefix(TAG)] = value
        elif sign:
            flags[name] = value.strip().lower() == "true"
    return Section(
        tags, flags.get("private_only", False), flags.get("filter_private_section", False)
    )


def public_part(text: str) -> bytes:
    """Return user data as the metadata service shows it: without a section that is private."""
    raw = decode(text)
    if not section(text).filter_private_section:
        return raw
    start = raw.find(BEGIN)
    end = raw.find(END, start)
    if end < 0:
        return raw[:start]
    return raw[:start] + raw[end + len(END) :].lstrip(b"\r\n")
