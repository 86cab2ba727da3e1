"""The load generator for Kubernetes servers: a process of its own, over kept TLS connections.

What to do comes on standard input as JSON (:class:`Order`); what was measured leaves on standard
output as JSON. Unlike load.py it speaks TLS and reads chunked answers, as a real kube-apiserver
insists on both; it is the same for either server, so what it costs is too.
"""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import json
import pathlib
import ssl
import statistics
import subprocess
import sys
import time

END_OF_CHUNKS = b"\r\n0\r\n\r\n"
NAME = "NAME0000000"
"""What a request has in the place of a number; it is as long as every number, so sizes stay."""

CLIENT = "CLIENT"
"""What a path has in the place of the client's number, so that no two write the same object."""


@dataclasses.dataclass
class Order:
    """What to do.

    count: so many requests and no more; 0 repeats for ``round_s`` seconds in each round.
    watch: a path to watch, in which case the figure is how long after a write its event comes.
    first: the number in the first request, so that what is created has a new name.
    """

    port: int
    ca: str
    pair: tuple[str, str]
    method: str
    path: str
    body: str = ""
    media: str = "application/json"
    clients: int = 1
    count: int = 0
    round_s: float = 1.0
    rounds: int = 3
    watch: str = ""
    first: int = 0
    server: tuple[int, ...] = ()


@dataclasses.dataclass
class Round:
    """What one round measured; waits in milliseconds, processor time per answer."""

    rate: float
    p50_ms: float
    p99_ms: float
    server_cpu_us: float
    client_busy: float
    answers: int


def run(order: Order) -> list[Round]:
    """Run a generator process and return what it measured."""
    done = subprocess.run(
        [sys.executable, "-I", str(pathlib.Path(__file__).resolve())],
        input=json.dumps(dataclasses.asdict(order)).encode(),
        capture_output=True,
        check=False,
    )
    if done.returncode != 0:
        raise SystemExit(done.stderr.decode())
    return [Round(**each) for each in json.loads(done.stdout)]


class Connection(asyncio.Protocol):
    """One kept connection with at most one request under way."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport
        self._data = bytearray()
        self._size = -1
        self.waiting: asyncio.Future[None] | None = None
        self.lines: asyncio.Queue[float] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport), "It is a stream."
        self._transport = transport

    def send(self, request: bytes) -> asyncio.Future[None]:
        """Send a request, and return what is done when the answer is complete."""
        self._data.clear()
        self._size = -1
        self.waiting = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self.waiting

    def data_received(self, data: bytes) -> None:
        """Read on, until the answer is complete."""
        if self.lines is not None:
            # Each event of a watch is one chunk that ends with a line feed.
            for _ in range(data.count(b'{"type":"')):
                self.lines.put_nowait(time.perf_counter())
            return
        self._data += data
        if self._size < 0:
            self._read_head()
        if self.waiting is None or self._size < 0:
            return
        is_chunked = self._size == 0
        if self._data.endswith(END_OF_CHUNKS) if is_chunked else len(self._data) >= self._size:
            self.waiting.set_result(None)
            self.waiting = None

    def _read_head(self) -> None:
        end = self._data.find(b"\r\n\r\n")
        if end < 0 or self.waiting is None:
            return
        if self._data[9:10] != b"2":
            self.waiting.set_exception(RuntimeError(self._data[:1000].decode()))
            self.waiting = None
            return
        head = bytes(self._data[:end]).lower()
        at = head.find(b"\r\ncontent-length:")
        self._size = 0 if at < 0 else end + 4 + int(head[at + 17 :].split(b"\r\n", 1)[0])

    def connection_lost(self, problem: Exception | None) -> None:
        """Tell whoever waits."""
        if self.waiting is not None:
            self.waiting.set_exception(problem or ConnectionResetError("The server closed."))


class Generator:
    """Keeps a number of connections busy with one request each."""

    def __init__(self, order: Order) -> None:
        self.order = order
        lines = [
            f"{order.method} {order.path} HTTP/1.1",
            f"Host: 127.0.0.1:{order.port}",
            "Accept: application/json",
            "User-Agent: bench",
            f"Content-Type: {order.media}",
            f"Content-Length: {len(order.body)}",
        ]
        self._template = "\r\n".join([*lines, "", order.body])
        self._numbers = itertools.count(order.first)
        self._trust = ssl.create_default_context(cafile=order.ca)
        self._trust.load_cert_chain(*order.pair)

    def _request(self, client: int = 0) -> bytes:
        text = self._template.replace(NAME, f"{next(self._numbers):0{len(NAME)}}")
        return text.replace(CLIENT, str(client)).encode()

    async def connect(self) -> Connection:
        """Return a new connection."""
        loop = asyncio.get_running_loop()
        found = await loop.create_connection(
            Connection, "127.0.0.1", self.order.port, ssl=self._trust
        )
        return found[1]

    async def run(self) -> list[Round]:
        """Do what the order says."""
        if self.order.watch:
            return [await self._watched()]
        connections = [await self.connect() for _ in range(self.order.clients)]
        if self.order.count:
            return [await self._round(connections)]
        await self._play_all(connections, time.perf_counter() + 0.2)
        return [await self._round(connections) for _ in range(self.order.rounds)]

    async def _round(self, connections: list[Connection]) -> Round:
        server, client = self._server_s(), time.process_time()
        started = time.perf_counter()
        waits = sorted(await self._play_all(connections, started + self.order.round_s))
        seconds = time.perf_counter() - started
        return Round(
            rate=len(waits) / seconds,
            p50_ms=1000 * statistics.median(waits),
            p99_ms=1000 * waits[len(waits) * 99 // 100],
            server_cpu_us=1e6 * (self._server_s() - server) / len(waits),
            client_busy=(time.process_time() - client) / seconds,
            answers=len(waits),
        )

    async def _play_all(self, connections: list[Connection], edge: float) -> list[float]:
        plays = [self._play(each, number, edge) for number, each in enumerate(connections)]
        return list(itertools.chain.from_iterable(await asyncio.gather(*plays)))

    async def _play(self, connection: Connection, number: int, edge: float) -> list[float]:
        waits = []
        left = self.order.count // self.order.clients
        while left > 0 if self.order.count else time.perf_counter() < edge:
            left -= 1
            started = time.perf_counter()
            await connection.send(self._request(number))
            waits.append(time.perf_counter() - started)
        return waits

    async def _watched(self) -> Round:
        watcher, writer = await self.connect(), await self.connect()
        watcher.lines = asyncio.Queue()
        lines = [f"GET {self.order.watch} HTTP/1.1", "Host: 127.0.0.1", "Accept: application/json"]
        watcher.send("\r\n".join([*lines, "", ""]).encode())
        await asyncio.sleep(0.5)  # What there is already comes first.
        while not watcher.lines.empty():
            watcher.lines.get_nowait()
        waits = []
        for _ in range(self.order.count):
            started = time.perf_counter()
            answer = writer.send(self._request())
            seen = await asyncio.wait_for(watcher.lines.get(), 10)
            waits.append(1000 * (seen - started))
            await answer
            await asyncio.sleep(0.005)
        waits.sort()
        return Round(0, statistics.median(waits), waits[len(waits) * 99 // 100], 0, 0, len(waits))

    def _server_s(self) -> float:
        # Linux: the number of a process's processor clock is made from its id.
        return sum(time.clock_gettime((~pid << 3) | 2) for pid in self.order.server)


def main() -> None:
    """Carry out the order on standard input."""
    order = Order(**json.load(sys.stdin))
    rounds = asyncio.run(Generator(order).run())
    json.dump([dataclasses.asdict(each) for each in rounds], sys.stdout)


if __name__ == "__main__":
    main()
