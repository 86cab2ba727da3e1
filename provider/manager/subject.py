"""The object of one reconcile: every write to it, each only where something changes.

Every write names the version that it is based on. When somebody else was faster, it is repeated
only if what it replaces is still what it was; otherwise the reconcile ends with Conflict, and the
next one decides anew.
"""

from __future__ import annotations

from typing import Any

from provider.kube import client as kube
from provider.kube import errors, kinds, merge
from provider.manager.cache import Echoes, key_of
from provider.outcome import Outcome

Object = dict[str, Any]

BLOCK_MOVE = "clusterctl.cluster.x-k8s.io/block-move"
"""While this annotation is there, ``clusterctl move`` waits."""
ATTEMPTS_MAX = 5


class Subject:
    """An object as it is on the server, as far as we know; ``body`` follows every write."""

    def __init__(self, client: kube.Client, echoes: Echoes, kind: kinds.Kind, body: Object) -> None:
        self.body = body
        self._client = client
        self._echoes = echoes
        self._kind = kind

    async def apply(self, outcome: Outcome) -> None:
        """Write what a reconcile came to: metadata, then spec, then status."""
        await self._write("metadata", outcome.metadata)
        if self._is_gone:
            return
        await self._write("spec", outcome.spec)
        if outcome.status is not None:
            await self._write_status(outcome.status)
        if BLOCK_MOVE in self._annotations and not (self.body.get("status") or {}).get("intents"):
            await self._write("metadata", {"annotations": {BLOCK_MOVE: None}})

    async def record(self, status: Object) -> None:
        """Keep a status with open intents, and the object where it is, before anything is done."""
        if status.get("intents") and BLOCK_MOVE not in self._annotations:
            await self._write("metadata", {"annotations": {BLOCK_MOVE: "true"}})
        await self._write_status(status)

    @property
    def _annotations(self) -> Object:
        return self.body["metadata"].get("annotations") or {}

    @property
    def _is_gone(self) -> bool:
        """Tell whether the server has deleted the object after the last write."""
        metadata = self.body["metadata"]
        return "deletionTimestamp" in metadata and not metadata.get("finalizers")

    async def _write_status(self, status: Object) -> None:
        patch = merge.needed(self.body.get("status") or {}, status)
        await self._write("status", patch)

    async def _write(self, part: str, patch: Object) -> None:
        for _ in range(ATTEMPTS_MAX):
            before = self.body.get(part) or {}
            if merge.applied(before, patch) == before:
                return
            try:
                await self._patch(part, patch)
                return
            except errors.Conflict as problem:
                await self._refresh(part, patch, problem)
        raise errors.Conflict(
            f"{self._kind.name} {self.body['metadata']['name']}",
            409,
            "Conflict",
            f"others wrote {ATTEMPTS_MAX} times while we wanted to. It is tried again later.",
        )

    async def _patch(self, part: str, patch: Object) -> None:
        metadata = self.body["metadata"]
        version = {"resourceVersion": metadata["resourceVersion"]}
        whole = (
            {"metadata": {**patch, **version}}
            if part == "metadata"
            else {"metadata": version, part: patch}
        )
        key, written = key_of(self._kind, self.body), None
        self._echoes.begin(key)
        try:
            written = await self._client.patch(
                self._kind,
                key.namespace,
                key.name,
                whole,
                subresource="status" if part == "status" else "",
            )
            self.body = written
        finally:
            self._echoes.end(key, written)

    async def _refresh(self, part: str, patch: Object, problem: errors.Conflict) -> None:
        """Read the object again; raise the conflict if somebody changed what we replace."""
        key, old = key_of(self._kind, self.body), self.body
        self.body = await self._client.get(self._kind, key.namespace, key.name)
        is_same = self.body["metadata"]["uid"] == old["metadata"]["uid"]
        replaced = {name: (old.get(part) or {}).get(name) for name in patch}
        now = {name: (self.body.get(part) or {}).get(name) for name in patch}
        is_done = merge.applied(now, patch) == now
        # Annotations and labels are merged key by key, so that those of others do no harm.
        replaced, now = (
            {k: v for k, v in each.items() if k not in _MERGED} for each in (replaced, now)
        )
        if not is_same or not (is_done or replaced == now):
            raise problem


_MERGED = ("annotations", "labels")
