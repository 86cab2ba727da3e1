"""A server on a port: in this loop, or in a thread of its own, with or without TLS."""

from __future__ import annotations

import asyncio
import json
import pathlib
import ssl
import threading
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self

from fakekube import certificates, control, store, wire
from fakekube.call import Request
from fakekube.server import Kube

Json = Any
STARTED_WITHIN_S = 30.0


class Server:
    """Serve a :class:`Kube` in the running event loop."""

    def __init__(self, kube: Kube) -> None:
        self.kube = kube
        self._hub = wire.Hub(kube.answer, kube.clock)
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, host: str, port: int, secure: ssl.SSLContext | None = None) -> int:
        """Listen, and return the port; 0 lets the system choose one."""
        loop = asyncio.get_running_loop()
        self.kube.later = self._later
        self.kube.watches.call_later = loop.call_later
        return await self._hub.listen(host, port, secure)

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """Stop listening, end all watches and close all connections."""
        self.kube.watches.stop()
        for task in tuple(self._tasks):
            task.cancel()
        await self._hub.stop()
        await self.kube.caller.close()


class ServerThread:
    """Serve from a thread of this process: ``with ServerThread() as server: server.url``."""

    def __init__(
        self,
        kube: Kube | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: bool = False,
        token: str = "",
    ) -> None:
        self.kube = kube or Kube()
        self.host = host
        self.port = port
        self.token = token
        self.authority = certificates.Authority() if tls else None
        self._server = Server(self.kube)
        self._loop = wire.new_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        secure = self.authority.server_context([self.host, "localhost"]) if self.authority else None
        self._thread.start()
        self.port = self.run(self._server.start(self.host, self.port, secure))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.run(self._server.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=STARTED_WITHIN_S)
        self._loop.close()

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run something in the loop of the server, and return what it returns."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(STARTED_WITHIN_S)

    def control(self, name: str, wanted: Json = None, *, method: str = "POST") -> Json:
        """Ask the control API, as in ``control("faults", {"effect": "conflict"})``.

        ``ValueError`` says what is wrong with the question.
        """
        body = b"" if wanted is None else store.encode(wanted)
        answer = self.run(self.kube.answer(Request(method, f"{control.ROOT}/{name}", {}, body)))
        found = store.decode(b"".join(answer.parts))
        if answer.status >= 400:
            raise ValueError(found["error"])
        return found

    def settle(self) -> None:
        """Wait until the collector has done all its work."""
        self.run(self.kube.settle())

    @property
    def url(self) -> str:
        """Return the address of the server."""
        return f"{'https' if self.authority else 'http'}://{self.host}:{self.port}"

    def kubeconfig(self) -> Json:
        """Return a kubeconfig for this server."""
        return kubeconfig(self.url, self.authority, self.token)

    def write_kubeconfig(self, path: pathlib.Path) -> pathlib.Path:
        """Write a kubeconfig for this server, and return its path."""
        path.write_text(json.dumps(self.kubeconfig(), indent=2), encoding="utf-8")
        return path


def kubeconfig(url: str, authority: certificates.Authority | None, token: str = "") -> Json:
    """Return a kubeconfig that holds all it needs; as JSON it is YAML as well."""
    cluster: Json = {"server": url}
    user: Json = {"token": token} if token else {}
    if authority is not None:
        cluster["certificate-authority-data"] = authority.encoded()
        if not token:
            pair = authority.client("fakekube-admin", ["system:masters"])
            user = {
                "client-certificate-data": certificates.text(pair[0]),
                "client-key-data": certificates.text(pair[1]),
            }
    name = "fakekube"
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": name, "user": user}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
    }
