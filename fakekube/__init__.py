"""A Kubernetes API server in memory that kopf and kubectl cannot tell from a small real one.

The names below are loaded when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fakekube.clock import Clock
    from fakekube.faults import Fault
    from fakekube.server import Kube
    from fakekube.serving import Server, ServerThread
    from fakekube.status import ApiError

_HOMES = {
    "ApiError": "status",
    "Clock": "clock",
    "Fault": "faults",
    "Kube": "server",
    "Server": "serving",
    "ServerThread": "serving",
}

__all__ = ["ApiError", "Clock", "Fault", "Kube", "Server", "ServerThread"]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"fakekube has no {name}. It has {', '.join(__all__)}.")
    return getattr(importlib.import_module(f"fakekube.{home}"), name)
