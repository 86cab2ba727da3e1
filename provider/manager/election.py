"""Leader election by a Lease: one replica works, the others stand by.

The rules are those of client-go: a lease that is held by another may be taken when it has not been
seen to change for its duration, by our own clock, so that the clocks of machines need not agree.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
import random
from typing import Any

from provider.clock import Clock
from provider.kube import client as kube
from provider.kube import errors, kinds

Object = dict[str, Any]

LEASE = "controller-leader-election-capo"
"""The name that the Go provider uses: during an upgrade only one of the two works."""

_log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Terms:
    """The times of an election, in seconds."""

    lease_s: float = 15.0
    """How long others wait for a leader that is silent."""
    renew_s: float = 10.0
    """How long a leader that cannot renew goes on."""
    retry_s: float = 2.0
    """How long everybody waits between two attempts."""

    def __post_init__(self) -> None:
        if not self.lease_s > self.renew_s > self.retry_s > 0:
            raise ValueError(
                f"The lease lasts {self.lease_s:g} s, its renewal {self.renew_s:g} s and an "
                f"attempt {self.retry_s:g} s, but each has to be longer than the next. Change "
                "--leader-elect-lease-duration, -renew-deadline or -retry-period."
            )


class Election:
    """One candidate; time is that of the event loop."""

    def __init__(
        self,
        client: kube.Client,
        place: str,
        identity: str,
        terms: Terms,
        clock: Clock,
        chance: random.Random,
    ) -> None:
        self._client = client
        self._place = place
        self._identity = identity
        self._terms = terms
        self._clock = clock
        self._chance = chance
        self._seen: Object = {}
        self._seen_s = 0.0
        self._renewed_s = 0.0

    async def win(self) -> None:
        """Return when we are the leader."""
        _log.info("Waiting for the lease %s/%s.", self._place, LEASE)
        while True:
            if await self._attempt():
                break
            await asyncio.sleep(self._terms.retry_s * self._chance.uniform(1.0, 1.2))
        _log.info("%s is the leader.", self._identity)

    async def keep(self) -> None:
        """Return when we no longer are the leader, or cannot be sure to be."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self._terms.retry_s)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(self._renewed_s + self._terms.renew_s):
                    await self._attempt()
            is_ours = self._seen.get("holderIdentity") == self._identity
            if not is_ours or loop.time() >= self._renewed_s + self._terms.renew_s:
                return

    async def release(self) -> None:
        """Let another one lead at once, if that is soon done; called after the work has ended."""
        try:
            async with asyncio.timeout(self._terms.retry_s):
                lease = await self._client.get(kinds.LEASE, self._place, LEASE)
                if lease["spec"].get("holderIdentity") == self._identity:
                    await self._write(lease, {"holderIdentity": "", "leaseDurationSeconds": 1})
        except (errors.KubeError, TimeoutError) as problem:
            _log.warning("The lease is not released, and will expire. %s", problem)

    async def _attempt(self) -> bool:
        """Take or renew the lease if we may, and tell whether we hold it now."""
        began_s = asyncio.get_running_loop().time()
        try:
            has_it = await self._take()
        except (errors.Conflict, errors.Exists):
            return False  # Another one was faster.
        except errors.KubeError as problem:
            _log.warning("The lease cannot be read or written. %s", problem)
            return False
        if has_it:
            # Counted from the start of the request: that is the earliest that others count from.
            self._renewed_s = began_s
        return has_it

    async def _take(self) -> bool:
        try:
            lease = await self._client.get(kinds.LEASE, self._place, LEASE)
        except errors.NotFound:
            spec = self._spec({}, is_new=True)
            body = {"metadata": {"name": LEASE}, "spec": spec}
            self._look_at(await self._client.create(kinds.LEASE, self._place, body))
            return True
        self._look_at(lease)
        holder = self._seen.get("holderIdentity")
        if holder and holder != self._identity and not self._is_stale():
            return False
        spec = self._spec(self._seen, is_new=holder != self._identity)
        self._look_at(await self._write(lease, spec))
        return True

    def _look_at(self, lease: Object) -> None:
        if lease["spec"] != self._seen:
            self._seen = lease["spec"]
            self._seen_s = asyncio.get_running_loop().time()

    def _is_stale(self) -> bool:
        age_s = asyncio.get_running_loop().time() - self._seen_s
        return age_s > float(self._seen.get("leaseDurationSeconds") or self._terms.lease_s)

    def _spec(self, old: Object, *, is_new: bool) -> Object:
        now = self._clock.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        spec: Object = {
            "holderIdentity": self._identity,
            "leaseDurationSeconds": max(1, round(self._terms.lease_s)),
            "renewTime": now,
        }
        if is_new:
            spec["acquireTime"] = now
            spec["leaseTransitions"] = int(old.get("leaseTransitions") or 0) + bool(old)
        return spec

    async def _write(self, lease: Object, spec: Object) -> Object:
        version = {"resourceVersion": lease["metadata"]["resourceVersion"]}
        body = {"metadata": version, "spec": spec}
        return await self._client.patch(kinds.LEASE, self._place, LEASE, body)
