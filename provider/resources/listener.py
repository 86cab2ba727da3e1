"""What a load balancer listens to, and how it finds out which backends work."""

from __future__ import annotations

import dataclasses
from typing import Any


@dataclasses.dataclass(frozen=True, order=True)
class Listener:
    """A port that is listened to, and where its traffic goes."""

    port: int
    protocol: str
    backend_port: int
    backend_protocol: str

    @property
    def request(self) -> dict[str, Any]:
        """The listener as the API takes it."""
        return {
            "LoadBalancerPort": self.port,
            "LoadBalancerProtocol": self.protocol,
            "BackendPort": self.backend_port,
            "BackendProtocol": self.backend_protocol,
        }


@dataclasses.dataclass(frozen=True)
class HealthCheck:
    """How the load balancer finds out which backends work; times are in seconds."""

    protocol: str
    port: int
    check_interval: int
    timeout: int
    healthy_threshold: int
    unhealthy_threshold: int
    path: str = ""

    @property
    def request(self) -> dict[str, Any]:
        """The health check as the API takes it."""
        request = {
            "Protocol": self.protocol,
            "Port": self.port,
            "CheckInterval": self.check_interval,
            "Timeout": self.timeout,
            "HealthyThreshold": self.healthy_threshold,
            "UnhealthyThreshold": self.unhealthy_threshold,
        }
        return request | ({"Path": self.path} if self.path else {})
