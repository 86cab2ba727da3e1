"""The services of OUTSCALE that a Net access point can lead to.

Their real address ranges are not published: each has one of the range for documentation, RFC 5737.

https://docs.outscale.com/en/userguide/About-Net-Access-Points.html
"""

from __future__ import annotations

import hashlib

from fakecloud.kinds import Data

NAMES = ("api", "directlink", "eim", "fcu", "icu", "kms", "lbu", "oos", "osu")


def services(region: str) -> list[Data]:
    """Return the services of a region, as the API shows them."""
    found = []
    for number, short in enumerate(NAMES, 1):
        name = f"com.outscale.{region}.{short}"
        found.append(
            {
                "IpRanges": [f"192.0.2.{number}/32"],
                "ServiceId": f"pl-{hashlib.sha256(name.encode()).hexdigest()[:8]}",
                "ServiceName": name,
            }
        )
    return found
