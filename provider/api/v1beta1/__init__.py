"""Version v1beta1: every field of release 1.5 of the Go provider, under its exact name.

Only definitions, conversion and its tests look at it; the provider works with v1beta2.
"""

from __future__ import annotations

from provider.api.common import GROUP
from provider.api.v1beta1.cluster import OscCluster, OscClusterTemplate
from provider.api.v1beta1.machine import OscMachine, OscMachineTemplate

VERSION = "v1beta1"
API_VERSION = f"{GROUP}/{VERSION}"

__all__ = [
    "API_VERSION",
    "VERSION",
    "OscCluster",
    "OscClusterTemplate",
    "OscMachine",
    "OscMachineTemplate",
]
