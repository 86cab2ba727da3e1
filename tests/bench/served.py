"""Both sides as servers, in processes of their own, and the rows of the table that come from them.

fakecloud runs as its users run it, with `--auth verify`: its requests are signed by the code of
osc-sdk-python itself. moto's requests are written by botocore; moto does not verify signatures.
"""

from __future__ import annotations

import dataclasses
import http.client
import itertools
import json
import socket
import subprocess
import sys
import threading
import time
import urllib.parse
from typing import Any, Self

import inside
import load
import works

Data = dict[str, Any]
CLIENTS = (1, 16)
START_S = 60.0
STEP_S = 0.005


def message(path: str, host: str, headers: dict[str, str], body: bytes) -> bytes:
    """Write an HTTP request as bytes."""
    lines = [f"POST {path} HTTP/1.1", f"Host: {host}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Served:
    """A server of one side on loopback: ``with`` starts and ends it."""

    command: tuple[str, ...]
    pace: int
    """More calls a second than it can answer: so many are made ready."""
    strict: bool
    """Whether an answer that is no success ends the benchmark; without it, it is counted apart."""
    side: works.Side
    start_s = 0.0

    def __enter__(self) -> Self:
        """Start the server and wait for its first answer; ``start_s`` is how long that took."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        started = time.perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, "-m", *self.command, "--port", str(self.port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.pid = self._process.pid
        self.prepare()
        while not self._answers():
            if self._process.poll() is not None or time.perf_counter() - started > START_S:
                raise load.RefusedError(f"{' '.join(self.command)} does not answer.")
            threading.Event().wait(STEP_S)
        self.start_s = time.perf_counter() - started
        return self

    def __exit__(self, *_: object) -> None:
        """End the server."""
        self._process.terminate()
        self._process.wait()

    def _answers(self) -> bool:
        try:
            connection = load.Connection(self.port)
        except ConnectionRefusedError:
            return False
        connection.send(self.write(*next(self.side.empty())), 0.0)
        while not connection.receive():
            continue
        connection.socket.close()
        return True

    def post(self, path: str, headers: dict[str, str], body: bytes) -> bytes:
        """Send a request and return the body of the answer, whose status must be 200."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        if answer.status != 200:
            raise load.RefusedError(f"{path} answered {answer.status}: {text.decode()}")
        return text

    def prepare(self) -> None:
        """Make what writes the requests, while the server starts."""
        raise NotImplementedError

    def call(self, operation: str, parameters: Data) -> Data:
        """Carry out one call."""
        raise NotImplementedError

    def reset(self) -> None:
        """Empty the cloud."""
        raise NotImplementedError

    def write(self, operation: str, parameters: Data) -> bytes:
        """Write a call as the bytes of a request."""
        raise NotImplementedError


class Fakecloud(Served):
    """The fakecloud server with signatures and validation on."""

    command = ("fakecloud", "--auth", "verify")
    pace = 8000
    strict = True

    def prepare(self) -> None:
        from osc_sdk_python.authentication import Authentication
        from osc_sdk_python.credentials import Profile

        from fakecloud import cloud

        keys = {"access_key": cloud.DEFAULT_ACCESS_KEY, "secret_key": cloud.DEFAULT_SECRET_KEY}
        profile = Profile(region=cloud.DEFAULT_REGION, **keys)
        self._signer = Authentication(profile, "127.0.0.1")
        self.side = works.Outscale(self.call)

    def _parts(self, action: str, request: Data) -> tuple[str, dict[str, str], bytes]:
        path, body = f"/api/v1/{action}", json.dumps(request)
        signed = self._signer.forge_headers_signed(path, body)
        usual = {"Accept-Encoding": "gzip, deflate", "Accept": "*/*", "Connection": "keep-alive"}
        return path, {**usual, **signed}, body.encode()

    def call(self, operation: str, parameters: Data) -> Data:
        answer: Data = json.loads(self.post(*self._parts(operation, parameters)))
        return answer

    def reset(self) -> None:
        self.post("/_fakecloud/reset", {}, b"{}")
        self.post("/_fakecloud/quota", {}, json.dumps({"quota": works.room()}).encode())

    def write(self, operation: str, parameters: Data) -> bytes:
        path, headers, body = self._parts(operation, parameters)
        return message(path, f"127.0.0.1:{self.port}", headers, body)


class Moto(Served):
    """The server of moto."""

    command = ("moto.server",)
    pace = 600
    strict = False  # With 16 clients, moto answers one RunInstances in some thousands with 500.

    def prepare(self) -> None:
        import botocore.serialize

        self._client = inside.amazon_client(f"http://127.0.0.1:{self.port}")
        self._model = self._client.meta.service_model
        self._serializer = botocore.serialize.create_serializer("ec2")
        self.side = works.Amazon(self.call)

    def call(self, operation: str, parameters: Data) -> Data:
        answer: Data = self._client._make_api_call(operation, parameters)
        return answer

    def reset(self) -> None:
        self.post("/moto-api/reset", {}, b"")

    def write(self, operation: str, parameters: Data) -> bytes:
        model = self._model.operation_model(operation)
        form = self._serializer.serialize_to_request(parameters, model)["body"]
        headers = {
            "Accept-Encoding": "identity",
            "User-Agent": "Boto3/1 md/Botocore#1",
            "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
            "X-Amz-Date": "20260101T000000Z",
            "Authorization": "AWS4-HMAC-SHA256 Credential=mock/20260101/eu-west-2/ec2/aws4_request"
            f", SignedHeaders=content-type;host;x-amz-date, Signature={'0' * 64}",
        }
        body = urllib.parse.urlencode(form).encode()
        return message("/", f"127.0.0.1:{self.port}", headers, body)


def measure(server: Served, work: works.Work, clients: int, pace: load.Order) -> list[load.Round]:
    """Measure one piece of work at a number of clients; ``pace`` says for how long."""
    calls = server.side.begin(work, server.reset)
    seconds = pace.warm_s + pace.rounds * pace.round_s
    wanted = work.distinct or int(server.pace * seconds)
    requests = [server.write(*call) for call in itertools.islice(calls, wanted)]
    order = dataclasses.replace(
        pace,
        port=server.port,
        clients=clients,
        server=server.pid,
        repeats=work.distinct > 0,
        strict=server.strict,
    )
    return load.replay(order, requests)
