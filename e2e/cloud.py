"""A cloud to run on, seen from outside: what is there, what was called, and whether it leaks."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import requests

from tools.service import Service

READY_WITHIN_S = 30.0
STOP_S = 10.0
TIMEOUT_S = 30.0
RATE = 60
"""Virtual seconds per real second: what takes a cloud minutes takes seconds here."""
KEYS = {
    "OSC_ACCESS_KEY": "E2EACCESSKEY00000001",
    "OSC_SECRET_KEY": "e2e-secret-key",
    "OSC_REGION": "eu-west-2",
}
KINDS = {
    "FlexibleGpus": "FlexibleGpuId",
    "InternetServices": "InternetServiceId",
    "LoadBalancers": "LoadBalancerName",
    "NatServices": "NatServiceId",
    "NetAccessPoints": "NetAccessPointId",
    "NetPeerings": "NetPeeringId",
    "Nets": "NetId",
    "Nics": "NicId",
    "PublicIps": "PublicIpId",
    "RouteTables": "RouteTableId",
    "SecurityGroups": "SecurityGroupId",
    "Subnets": "SubnetId",
    "Vms": "VmId",
    "Volumes": "VolumeId",
}
"""All that a cluster may have in a cloud, and what identifies one."""
OVER = ("terminated", "deleted", "rejected")
"""States of what is shown for a while after its end."""

Row = dict[str, Any]


class Fake:
    """fakecloud as a process; it ends with the ``with`` block."""

    def __init__(self, folder: Path) -> None:
        """Prepare it; its log goes into ``folder``."""
        self._folder = folder
        self.log = folder / "fakecloud.log"
        self.url = ""

    def __enter__(self) -> Self:
        """Start it, and return when it serves."""
        self._folder.mkdir(parents=True)
        flags = ["--port=0", f"--rate={RATE}", "--auth=none"]
        command = [sys.executable, "-m", "fakecloud", *flags]
        self._service = Service("fakecloud", command, folder=self._folder, log=self.log)
        self._service.wait_until(lambda: bool(self._address()), READY_WITHIN_S)
        self.url = self._address().rstrip("/")
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        self._service.stop(STOP_S)

    @property
    def environment(self) -> Mapping[str, str]:
        """Return the variables by which a program reaches it."""
        return {**KEYS, "OSC_ENDPOINT_API": self.url}

    def call(self, action: str, **request: Any) -> Row:
        """Carry out an action as anybody with an account does."""
        answer = requests.post(f"{self.url}/{action}", json=request, timeout=TIMEOUT_S)
        answer.raise_for_status()
        found: Row = answer.json()
        return found

    def rows(self, kind: str) -> list[Row]:
        """Return what is there of a kind, without what is over."""
        rows: list[Row] = self.call(f"Read{kind}")[kind]
        return [row for row in rows if row.get("State") not in OVER]

    def inventory(self) -> set[str]:
        """Return all that is there, as ``Kind id``."""
        return {f"{kind} {row[key]}" for kind, key in KINDS.items() for row in self.rows(kind)}

    def writes(self) -> list[str]:
        """Return the calls that changed something, or tried to, in their order."""
        return [row["action"] for row in self.journal() if not row["action"].startswith("Read")]

    def journal(self) -> list[Row]:
        """Return all calls."""
        found: list[Row] = self._control("journal")
        return found

    def state(self) -> Row:
        """Return everything that the cloud knows."""
        found: Row = self._control("state")
        return found

    def artifacts(self) -> Iterator[tuple[str, Any]]:
        """Give the names and contents of what helps to understand a failure."""
        yield "cloud-journal.json", self.journal()
        yield "cloud-state.json", self.state()

    def _control(self, what: str) -> Any:
        root = self.url.removesuffix("/api/v1")
        answer = requests.get(f"{root}/_fakecloud/{what}", timeout=TIMEOUT_S)
        answer.raise_for_status()
        return answer.json()

    def _address(self) -> str:
        found = re.search(r"https?://[^\s,]+", self.log.read_text())
        return found[0].rstrip(".") if found else ""
