"""Where the provider itself runs, as the metadata service of its VM tells.

https://docs.outscale.com/en/userguide/Accessing-the-Metadata-and-User-Data-of-a-VM.html
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import requests

BASE = "http://169.254.169.254/latest/meta-data/"
ANSWER_S = 2.0
"""How long the service may take: outside of a VM, nobody answers."""


@dataclasses.dataclass(frozen=True)
class Place:
    """The Net and the account of the VM that the provider runs on."""

    net_id: str
    account_id: str


Get = Callable[[str], str]
"""Returns the text of an address; raises ``requests.RequestException``."""


def _get(url: str) -> str:
    with requests.Session() as session:
        # The service is beside the VM: a proxy would ask the one beside itself.
        session.trust_env = False
        answer = session.get(url, timeout=ANSWER_S, allow_redirects=False)
    answer.raise_for_status()
    return answer.text.strip()


def here(get: Get = _get) -> Place | None:
    """Return where the provider runs, or None when that is no VM of OUTSCALE."""
    try:
        interface = f"{BASE}network/interfaces/macs/{get(f'{BASE}mac')}/"
        place = Place(net_id=get(f"{interface}vpc-id"), account_id=get(f"{interface}owner-id"))
    except requests.RequestException:
        return None
    # Elsewhere than at OUTSCALE, something else may answer at this address.
    return place if place.net_id.startswith("vpc-") and place.account_id.isdecimal() else None
