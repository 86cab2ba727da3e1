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
        self._is_alone = True
        """Whether nobody else has written it since it was read for a decision."""

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
            # When watches have a break, only the last write is shown: that of others wakes too.
            self._echoes.end(key, written if self._is_alone else None)

    async def _refresh(self, part: str, patch: Object, problem: errors.Conflict) -> None:
        """Read the object again; raise the conflict if what was decided may no longer be right."""
        key, old = key_of(self._kind, self.body), self.body
        self._is_alone = False
        self.body = await self._client.get(self._kind, key.namespace, key.name)
        is_done = merge.applied(self.body.get(part), patch) == self.body.get(part)
        replaced = [name for name in patch if name not in _MERGED]
        facts, before = (_facts(each, part, replaced) for each in (self.body, old))
        if is_done and part == "status":
            # It is our own write, whose answer was lost.
            facts = before
        if facts != before:
            raise problem


_MERGED = ("annotations", "labels")
"""Parts of the metadata that are merged key by key, so that those of others do no harm."""


def _facts(body: Object, part: str, replaced: list[str]) -> list[Any]:
    """Return what a write takes for granted: the same object, its status, what is replaced."""
    metadata, content = body["metadata"], body.get(part) or {}
    status = body.get("status") or {}
    known = [metadata["uid"], "deletionTimestamp" in metadata, status]
    return [*known, *(content.get(name) for name in replaced)]
