"""What every replica serves: webhooks over TLS, health, and metrics."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import pathlib
import ssl
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import aiohttp.web

from provider.kube import client as kube
from provider.kube import errors, kinds

Json = Any
Review = Callable[[Json], Json]
"""Answers an AdmissionReview or a ConversionReview."""
Handler = Callable[[aiohttp.web.Request], Awaitable[aiohttp.web.StreamResponse]]

BODY_MOST = 256 * 2**20
"""The largest review: the server sends all objects of a list in one."""
CERTIFICATE, KEY = "tls.crt", "tls.key"
LOOK_S = 5.0
"""How often the files of the certificate are looked at."""
_NONSENSE = (ValueError, LookupError, TypeError, AttributeError, RecursionError)
"""What reading a body raises that is no review."""
TEXT = "text/plain; version=0.0.4; charset=utf-8"

_log = logging.getLogger(__name__)


def split(address: str) -> tuple[str | None, int] | None:
    """Return host and port of ``:8080`` or ``127.0.0.1:8080``; ``0`` or nothing means: not."""
    if address in {"", "0"}:
        return None
    host, separator, port = address.rpartition(":")
    if not separator or not port.isdigit():
        raise ValueError(
            f"The address is {address!r}, but must look like ':8080' or '127.0.0.1:8080'. "
            "Correct it, or write '0' to switch it off."
        )
    return host.strip("[]") or None, int(port)


class NotServed(ValueError):
    """Tell which address cannot be served, why, and what to do."""


class Certificate:
    """The certificate of a server in a folder, followed when it is renewed."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._paths = (folder / CERTIFICATE, folder / KEY)
        self._loaded: list[tuple[int, int, int]] | None = None

    @property
    def is_loaded(self) -> bool:
        """Tell whether there is a certificate."""
        return self._loaded is not None

    def refresh(self) -> None:
        """Load the files if they have changed; a pair that does not fit is left for later."""
        try:
            stats = [path.stat() for path in self._paths]
            marks = [(each.st_ino, each.st_size, each.st_mtime_ns) for each in stats]
            if marks == self._loaded:
                return
            # A pair that does not fit would spoil the context that is in use.
            ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(*self._paths)
            self.context.load_cert_chain(*self._paths)
        except (OSError, ssl.SSLError) as problem:
            level = logging.WARNING if self.is_loaded else logging.DEBUG
            _log.log(level, "The certificate in %s: %s.", self._paths[0].parent, problem)
            return
        self._loaded = marks
        _log.info("The certificate in %s is loaded.", self._paths[0].parent)


class Site:
    """One address that is served; ``port`` is the one that was found when 0 was asked for."""

    def __init__(self, routes: Mapping[str, Handler], host: str | None, port: int) -> None:
        application = aiohttp.web.Application(client_max_size=BODY_MOST)
        for path, handler in routes.items():
            application.router.add_route("*", path, handler)
        self._runner = aiohttp.web.AppRunner(application, access_log=None, shutdown_timeout=2.0)
        self._host = host
        self.port = port

    async def start(self, secure: ssl.SSLContext | None = None) -> None:
        """Listen; raises NotServed."""
        await self._runner.setup()
        site = aiohttp.web.TCPSite(self._runner, self._host, self.port, ssl_context=secure)
        try:
            await site.start()
        except OSError as problem:
            why = os.strerror(problem.errno) if problem.errno else str(problem)
            raise NotServed(
                f"{self._host or ''}:{self.port} cannot be served: {why}. End what listens there, "
                "or choose another address."
            ) from problem
        # Each family has a port of its own when any will do; the one of IPv4 is told.
        self.port = min(self._runner.addresses, key=len)[1]

    async def stop(self) -> None:
        """Answer what was asked, and stop to listen."""
        await self._runner.cleanup()


class Secure:
    """A site over TLS that starts when its certificate is there, and follows its renewal.

    ``told`` hears the port when it is served.
    """

    def __init__(self, site: Site, certificate: Certificate, told: Callable[[int], None]) -> None:
        self.is_ready = False
        self._site = site
        self._certificate = certificate
        self._told = told

    async def run(self) -> None:
        """Serve until cancelled."""
        try:
            while True:
                self._certificate.refresh()
                if self._certificate.is_loaded and not self.is_ready:
                    await self._site.start(self._certificate.context)
                    self.is_ready = True
                    self._told(self._site.port)
                await asyncio.sleep(LOOK_S if self.is_ready else LOOK_S / 10)
        finally:
            await self._site.stop()


def reviewing(review: Review) -> Handler:
    """Serve a review; it runs in a thread, because a list of objects takes its time."""

    async def handle(request: aiohttp.web.Request) -> aiohttp.web.Response:
        body = await request.read()
        try:
            answer = await asyncio.to_thread(_answered, review, body)
        except _NONSENSE as problem:
            _log.warning("A review cannot be answered (%s).", type(problem).__name__)
            raise aiohttp.web.HTTPBadRequest(text="This is not a review.") from problem
        return aiohttp.web.Response(body=answer, content_type="application/json")

    return handle


def _answered(review: Review, body: bytes) -> bytes:
    return json.dumps(review(json.loads(body))).encode()


def saying(is_so: Callable[[], bool]) -> Handler:
    """Serve a health check."""

    async def handle(_: aiohttp.web.Request) -> aiohttp.web.Response:
        return aiohttp.web.Response(text="ok") if is_so() else aiohttp.web.Response(status=503)

    return handle


def measuring(text: Callable[[], bytes]) -> Handler:
    """Serve metrics."""

    async def handle(_: aiohttp.web.Request) -> aiohttp.web.Response:
        return aiohttp.web.Response(body=text(), headers={"Content-Type": TEXT})

    return handle


def guarded(handler: Handler, client: kube.Client) -> Handler:
    """Serve only those whom Kubernetes knows by their token and allows to read the path."""

    async def handle(request: aiohttp.web.Request) -> aiohttp.web.StreamResponse:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not token:
            raise aiohttp.web.HTTPUnauthorized
        try:
            is_allowed = await _is_allowed(client, token, request.path)
        except errors.KubeError as problem:
            _log.warning("Nobody can be let in. %s", problem)
            raise aiohttp.web.HTTPServiceUnavailable from problem
        if not is_allowed:
            raise aiohttp.web.HTTPForbidden
        return await handler(request)

    return handle


async def _is_allowed(client: kube.Client, token: str, path: str) -> bool:
    known = await client.create(kinds.TOKEN_REVIEW, "", {"spec": {"token": token}})
    status = known.get("status") or {}
    if not status.get("authenticated"):
        return False
    user = status.get("user") or {}
    asked = {
        "user": user.get("username", ""),
        "uid": user.get("uid", ""),
        "groups": user.get("groups") or [],
        "nonResourceAttributes": {"path": path, "verb": "get"},
    }
    review = await client.create(kinds.ACCESS_REVIEW, "", {"spec": asked})
    return bool((review.get("status") or {}).get("allowed"))
