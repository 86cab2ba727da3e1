"""User data: what a new VM reads at its first start, with the tags that OUTSCALE reads before it.

The OUTSCALE section stands first, in plain text. It is filtered: the VM itself does not see it,
so what follows may be anything, such as Ignition, which is JSON and takes no comment. User data
holds secrets of the cluster: it goes to CreateVms and nowhere else, and no message here quotes it.

https://docs.outscale.com/en/userguide/Configuring-a-VM-with-User-Data-and-OUTSCALE-Tags.html
"""

from __future__ import annotations

import base64
import gzip
from collections.abc import Mapping

from provider.problem import Problem

CLOUD_CONFIG = "cloud-config"
"""The format of bootstrap data that says nothing else; cloud-init reads it compressed as well."""
IGNITION = "ignition"

LIMIT_BYTES = 500 * 1024
"""How large user data may be, in Base64."""

_BEGIN = "-----BEGIN OUTSCALE SECTION-----"
_END = "-----END OUTSCALE SECTION-----"
_TAG = "tags."


class TooLarge(ValueError):
    """User data is larger than the API takes; the message tells sizes, never contents."""


def tag_name(key: str) -> str:
    """Return the name of a tag, which may be spelled as in a section already."""
    return key.removeprefix(_TAG)


def section(tags: Mapping[str, str]) -> str:
    """Return the OUTSCALE section that sets tags, in the order of their keys; empty for no tags.

    A key may be spelled as in a section already, with ``tags.`` before it.
    """
    if not tags:
        return ""
    named = {tag_name(key): value for key, value in tags.items()}
    lines = [f"{_TAG}{key}={value}" for key, value in sorted(named.items())]
    return "\n".join([_BEGIN, "filter_private_section=true", *lines, _END, ""])


def compose(bootstrap: bytes, tags: Mapping[str, str], form: str = CLOUD_CONFIG) -> str:
    """Return the UserData of CreateVms, in Base64: the same for the same tags, in any order.

    ``form`` is what the bootstrap Secret says under ``format``. What cloud-init reads is compressed
    when it is too large. Raise `TooLarge` when that is not enough.
    """
    head = section(tags).encode()
    plain = base64.b64encode(head + bootstrap)
    if len(plain) <= LIMIT_BYTES:
        return plain.decode()
    if form not in ("", CLOUD_CONFIG):
        raise TooLarge(
            f"The user data has {len(plain)} bytes in Base64, but {LIMIT_BYTES} are the most, and "
            f"{form} cannot be compressed. Let the machine fetch a part of it, or put it into the "
            "image."
        )
    # Without a time, so that the same data stays the same.
    packed = base64.b64encode(head + gzip.compress(bootstrap, mtime=0))
    if len(packed) > LIMIT_BYTES:
        raise TooLarge(
            f"The user data has {len(plain)} bytes in Base64, and {len(packed)} when it is "
            f"compressed, but {LIMIT_BYTES} are the most. Let the machine fetch a part of it, or "
            "put it into the image."
        )
    return packed.decode()


def tag_problems(path: str, tags: Mapping[str, str]) -> list[Problem]:
    """Return what is wrong with tags that have to stand in a section, one in each line."""
    problems = []
    for key, value in tags.items():
        if not tag_name(key):
            problems.append(Problem(path, "A tag has no name. Give it one, or leave it out."))
        elif "=" in key or not _is_one_line(f"{key}={value}"):
            problems.append(
                Problem(
                    f"{path}[{key}]",
                    "The name of a tag has no '=', and neither name nor value has a line break. "
                    "Leave these characters out.",
                )
            )
    return problems


def _is_one_line(text: str) -> bool:
    return text.splitlines() == [text]
