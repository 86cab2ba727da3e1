"""Device names of volumes: which the API takes, and which are free.

https://docs.outscale.com/en/userguide/About-Volumes.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from provider.problem import Problem

ROOT = "/dev/sda1"
"""The device of the root volume."""

_FURTHER = re.compile(r"/dev/(?:sd|xvd)([b-z][a-z]?)")


def problems(devices: Iterable[tuple[str, str]]) -> list[Problem]:
    """Return what is wrong with the devices of further volumes, given as pairs of path and name.

    `/dev/sdb` and `/dev/xvdb` are one device.
    """
    found = []
    taken: dict[str, str] = {}
    for path, device in devices:
        match = _FURTHER.fullmatch(device)
        if device == ROOT:
            found.append(Problem(path, f"{ROOT} is the root volume. Use /dev/xvdb or a later one."))
        elif match is None:
            found.append(
                Problem(
                    path,
                    f"'{device}' is no device of a volume. Use /dev/xvdb to /dev/xvdzz, or "
                    "/dev/sdb to /dev/sdzz.",
                )
            )
        elif match[1] in taken:
            found.append(
                Problem(path, f"{device} is taken by {taken[match[1]]} already. Use another one.")
            )
        else:
            taken[match[1]] = device
    return found
