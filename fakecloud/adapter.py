"""A transport adapter for ``requests``: unmodified clients of a session talk to a cloud."""

from __future__ import annotations

import http.client
import io
import urllib.parse
from typing import Any

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from urllib3.response import HTTPResponse

from fakecloud import control, door
from fakecloud.cloud import FakeCloud


class FakeCloudAdapter(BaseAdapter):
    """Answer the requests of a session from a cloud.

    Mount it on what should be simulated::

        session.mount("https://api.eu-west-2.outscale.com", FakeCloudAdapter(cloud))
    """

    def __init__(self, cloud: FakeCloud, mode: str = "none") -> None:
        super().__init__()
        self.door = door.Door(cloud, mode)
        self.control = control.Control(cloud)

    def send(  # type: ignore[override]
        self, request: requests.PreparedRequest, **_options: Any
    ) -> requests.Response:
        """Answer one prepared request; raise ``requests.ConnectionError`` for a lost answer."""
        answer = respond(self.door, self.control, request)
        if answer.delay_s:
            self.door.cloud.clock.sleep(answer.delay_s)
        if answer.lost:
            raise requests.ConnectionError(
                "The connection was closed before the answer came.", request=request
            )
        response = requests.Response()
        response.status_code = answer.status
        response.reason = http.client.responses.get(answer.status, "")
        response.headers = CaseInsensitiveDict(answer.headers)
        response.headers["Content-Length"] = str(len(answer.body))
        body = b"" if request.method == "HEAD" else answer.body
        response.encoding = "utf-8"
        response.raw = HTTPResponse(io.BytesIO(body), status=answer.status, preload_content=False)
        response.url = request.url or ""
        response.request = request
        return response

    def close(self) -> None:
        """Release nothing: a cloud in memory holds no connection."""


def respond(
    front: door.Door, rear: control.Control, request: requests.PreparedRequest
) -> door.Response:
    """Answer a prepared request of the ``requests`` package."""
    url = urllib.parse.urlsplit(request.url or "")
    body = request.body or b""
    headers = {name.lower(): _text(value) for name, value in request.headers.items()}
    headers.setdefault("host", url.netloc)
    path = url.path + (f"?{url.query}" if url.query else "")
    plain = door.Request(
        request.method or "POST",
        path or "/",
        headers,
        body.encode() if isinstance(body, str) else bytes(body),
        "127.0.0.1",
    )
    return rear.answer(plain) if path.startswith(control.ROOT) else front.answer(plain)


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value
