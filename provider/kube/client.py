"""A small client of the Kubernetes API: objects are plain dicts, refusals are typed exceptions.

Retry rules: a request is repeated when the server asks for it (429), when it has a problem of its
own (5xx) or gives no answer, and only when a repeat is safe: reads, deletes, updates, merge and
apply patches. A create is repeated only after 429. After 401 we say once more who we are.
"""

from __future__ import annotations

import asyncio
import json
import random
import ssl
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any, Literal, Self

import aiohttp

from provider.kube import auth, errors, kinds

Object = dict[str, Any]
How = Literal["merge", "json", "apply"]

TIMEOUT_S = 30.0
ATTEMPTS_MAX = 4
PAUSE_S = 0.2
"""The first pause before a repeat; each further one is three times as long, less some chance."""
PAUSE_MAX_S = 10.0
PAGE = 500
MANAGER = "caposc"
"""The name under which the server notes who owns which field."""

_MEDIA = {
    "merge": "application/merge-patch+json",
    "json": "application/json-patch+json",
    "apply": "application/apply-patch+yaml",
}


class Client:
    """Ask the Kubernetes API; made in the event loop that uses it, and closed there.

    ``source`` says who we are, ``chance`` spreads the repeats of many clients.
    """

    def __init__(
        self, source: auth.Source, chance: random.Random, *, timeout_s: float = TIMEOUT_S
    ) -> None:
        self._source = source
        self._chance = chance
        self._timeout_s = timeout_s
        self._access: auth.Access | None = None
        self._identity: tuple[str, str, str] | None = None
        self._session: aiohttp.ClientSession | None = None
        self._lock = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()
        self._session = self._access = None

    async def get(self, kind: kinds.Kind, namespace: str, name: str) -> Object:
        """Read one object; raises NotFound."""
        return await self._ask("GET", kind.path(namespace, name))

    async def pages(
        self, kind: kinds.Kind, namespace: str = "", labels: str = ""
    ) -> AsyncIterator[list[Object]]:
        """Read a collection page by page; raises Gone when the last page comes too late."""
        query = {"limit": str(PAGE), **({"labelSelector": labels} if labels else {})}
        while True:
            page = await self._ask("GET", kind.path(namespace), query=query)
            yield [_whole(kind, item) for item in page.get("items") or []]
            if not (token := page.get("metadata", {}).get("continue")):
                return
            query["continue"] = token

    async def list(self, kind: kinds.Kind, namespace: str = "", labels: str = "") -> list[Object]:
        """Read a whole collection."""
        return [item async for page in self.pages(kind, namespace, labels) for item in page]

    async def create(self, kind: kinds.Kind, namespace: str, body: Object) -> Object:
        """Create an object; raises Exists."""
        whole = {"apiVersion": kind.api_version, "kind": kind.name, **body}
        return await self._ask("POST", kind.path(namespace), whole)

    async def patch(
        self,
        kind: kinds.Kind,
        namespace: str,
        name: str,
        body: Any,
        *,
        how: How = "merge",
        subresource: str = "",
    ) -> Object:
        """Change an object; raises Conflict when the body names another resourceVersion."""
        query = {"fieldManager": MANAGER, **({"force": "true"} if how == "apply" else {})}
        path = kind.path(namespace, name, subresource)
        return await self._ask("PATCH", path, body, media=_MEDIA[how], query=query)

    async def patch_status(
        self, kind: kinds.Kind, namespace: str, name: str, body: Object
    ) -> Object:
        """Change the status of an object by a merge patch."""
        return await self.patch(kind, namespace, name, body, subresource="status")

    async def delete(self, kind: kinds.Kind, namespace: str, name: str, *, uid: str = "") -> Object:
        """Delete an object; with ``uid`` only the one that has it. Raises NotFound."""
        body = {"preconditions": {"uid": uid}} if uid else None
        return await self._ask("DELETE", kind.path(namespace, name), body)

    async def _ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        media: str = "application/json",
        query: dict[str, str] | None = None,
    ) -> Object:
        is_repeatable = method != "POST" and media != _MEDIA["json"]
        pause_s = PAUSE_S
        for attempt in range(1, ATTEMPTS_MAX + 1):
            try:
                return await self._try(method, path, body, media, query)
            except errors.Denied as problem:
                if problem.code != 401 or attempt > 1:
                    raise
                self._access = None
                continue
            except errors.KubeError as problem:
                is_worth_it = isinstance(problem, errors.Throttled) or (
                    is_repeatable and isinstance(problem, (errors.Broken, errors.Unreachable))
                )
                if attempt == ATTEMPTS_MAX or not is_worth_it:
                    raise
                least_s = problem.again_s if isinstance(problem, errors.StatusError) else 0.0
            await asyncio.sleep(
                min(max(least_s, pause_s * self._chance.uniform(0.5, 1)), PAUSE_MAX_S)
            )
            pause_s *= 3
        raise AssertionError("The last attempt returns or raises.")

    async def _try(
        self, method: str, path: str, body: Any, media: str, query: dict[str, str] | None
    ) -> Object:
        what = f"{method} {path}"
        session, access = await self._connected()
        try:
            async with session.request(
                method,
                f"{access.server}{path}",
                params=query,
                data=None if body is None else json.dumps(body),
                headers={"Content-Type": media, **access.headers()},
            ) as answer:
                raw = await answer.read()
                is_json = answer.content_type == "application/json"
                content = json.loads(raw) if is_json and raw else raw.decode(errors="replace")
                if answer.status >= 400:
                    problem = errors.from_status(what, answer.status, content)
                    problem.again_s = _seconds(answer.headers.get("Retry-After"))
                    raise problem
        except (aiohttp.ClientError, TimeoutError, ValueError, RecursionError) as problem:
            if isinstance(problem, aiohttp.ClientSSLError):
                self._access = None  # The server may have a new authority.
            raise errors.Unreachable(
                f"{what}: no answer from {access.server} ({type(problem).__name__}: {problem}). "
                "Look whether the API server is up and can be reached from here."
            ) from problem
        if not isinstance(content, dict):
            raise errors.Unreachable(f"{what}: the answer of {access.server} is not JSON.")
        return content

    async def _connected(self) -> tuple[aiohttp.ClientSession, auth.Access]:
        async with self._lock:
            if self._access is None:
                try:
                    found = await asyncio.to_thread(self._source.access)
                    identity = (found.authority, found.certificate, found.key)
                    if self._session is None or identity != self._identity:
                        # A new token alone leaves the connections, and what is asked, alone.
                        secure = found.tls()
                        await self.close()
                        self._session, self._identity = self._opened(secure), identity
                except auth.AccessError as problem:
                    raise errors.Unreachable(str(problem)) from problem
                self._access = found
            assert self._session is not None, "Who we are is known as long as there is a session."
            return self._session, self._access

    def _opened(self, secure: ssl.SSLContext) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=secure),
            timeout=aiohttp.ClientTimeout(total=self._timeout_s, sock_connect=10),
            headers={"Accept": "application/json", "User-Agent": MANAGER},
        )


def _whole(kind: kinds.Kind, item: Object) -> Object:
    """Give an item of a list the two fields that only objects on their own carry."""
    return {"apiVersion": kind.api_version, "kind": kind.name, **item}


def _seconds(header: str | None) -> float:
    return float(header) if header and header.isdigit() else 0.0
