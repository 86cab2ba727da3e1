"""An OUTSCALE cloud in memory that unmodified clients cannot tell from the real one.

The names below are loaded when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fakecloud.adapter import FakeCloudAdapter
    from fakecloud.clock import Clock
    from fakecloud.cloud import FakeCloud
    from fakecloud.errors import ApiError, NotSimulated
    from fakecloud.faults import ConnectionLost, Fault
    from fakecloud.mock import mock_outscale
    from fakecloud.sdk import gateway
    from fakecloud.server import ServerThread

_HOMES = {
    "ApiError": "errors",
    "Clock": "clock",
    "ConnectionLost": "faults",
    "FakeCloud": "cloud",
    "FakeCloudAdapter": "adapter",
    "Fault": "faults",
    "NotSimulated": "errors",
    "ServerThread": "server",
    "gateway": "sdk",
    "mock_outscale": "mock",
}

__all__ = [
    "ApiError",
    "Clock",
    "ConnectionLost",
    "FakeCloud",
    "FakeCloudAdapter",
    "Fault",
    "NotSimulated",
    "ServerThread",
    "gateway",
    "mock_outscale",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"fakecloud has no {name}. It has {', '.join(__all__)}.")
    return getattr(importlib.import_module(f"fakecloud.{home}"), name)
