"""The load generator: a process of its own that replays ready requests over kept connections.

It does as little as a client can: it writes bytes that were made, and signed, before; it finds the
end of each answer by its Content-Length; it looks at the status. So what it measures is the server,
up to a ceiling that the benchmark measures too, against a server that does nothing.

What to do comes on standard input: one line of JSON (:class:`Order`), then the requests, one after
the other. What was measured leaves on standard output as JSON (a list of :class:`Round`).
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
import pathlib
import select
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator

CHUNK = 1 << 18
SILENCE_S = 60.0
"""How long no connection may receive anything before the run is given up, in seconds."""


@dataclasses.dataclass
class Order:
    """What to replay.

    server: process id, for its processor time; 0 when there is none to look at.
    repeats: whether the requests may be sent again and again; without it each is sent once.
    strict: whether an answer that is no success ends the run; without it, it is counted apart.
    budget_s: after so many seconds no further round begins.
    """

    port: int
    clients: int
    server: int = 0
    repeats: bool = True
    strict: bool = True
    warm_s: float = 0.3
    round_s: float = 1.0
    rounds: int = 3
    budget_s: float = 6.0


@dataclasses.dataclass
class Round:
    """What one round measured: answers, seconds, waiting times, and processor time per answer.

    failed: how many further answers were no success; they count nowhere else.
    """

    answers: int
    seconds: float
    p50_ms: float
    p99_ms: float
    server_cpu_us: float
    client_busy: float
    failed: int = 0

    @property
    def rate(self) -> float:
        """Return answers per second."""
        return self.answers / self.seconds


class RefusedError(Exception):
    """An answer whose status is not 200, or that cannot be understood."""


# In the benchmark's own process.


def replay(order: Order, requests: list[bytes]) -> list[Round]:
    """Run a generator process and return what it measured; raise its ``RefusedError``."""
    line = {"order": dataclasses.asdict(order), "sizes": [len(each) for each in requests]}
    run = subprocess.run(
        [sys.executable, "-I", str(pathlib.Path(__file__).resolve())],
        input=json.dumps(line).encode() + b"\n" + b"".join(requests),
        capture_output=True,
        check=False,
    )
    if run.returncode != 0:
        raise RefusedError(run.stderr.decode().strip())
    return [Round(**each) for each in json.loads(run.stdout)]


# In the generator's process.


class Connection:
    """One kept connection with at most one request under way."""

    def __init__(self, port: int, *, strict: bool = True) -> None:
        self._port = port
        self._strict = strict
        self.failed = False
        self._head = b""
        self._left = 0
        self._closes = False
        self.sent = 0.0
        self._connect()

    def _connect(self) -> None:
        self.socket = socket.create_connection(("127.0.0.1", self._port), timeout=SILENCE_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def renew(self) -> bool:
        """Connect anew when the server closed after its last answer, and tell whether it did."""
        if not self._closes:
            return False
        self.socket.close()
        self._connect()
        self._closes = False
        return True

    def send(self, request: bytes, now: float) -> None:
        """Send a request."""
        self.sent = now
        self.socket.sendall(request)

    def receive(self) -> bool:
        """Read what there is and tell whether the answer is complete."""
        data = self.socket.recv(CHUNK)
        if not data:
            raise RefusedError("The server closed the connection in the middle of an answer.")
        if self._left:
            self._left -= len(data)
            return self._left == 0
        data = self._head + data
        end = data.find(b"\r\n\r\n")
        if end < 0:
            self._head = data
            return False
        self._head = b""
        self._left = self._size(data, end) - (len(data) - end - 4)
        return self._left == 0

    def _size(self, data: bytes, end: int) -> int:
        self.failed = data[9:12] != b"200"
        if self.failed and self._strict:
            raise RefusedError(f"The server answered {data[:1000].decode(errors='replace')}")
        head = data[:end].lower()
        at = head.find(b"\r\ncontent-length:")
        if at < 0:
            raise RefusedError("An answer has no Content-Length, which this client needs.")
        self._closes = b"\r\nconnection: close" in head or head.startswith(b"http/1.0")
        return int(head[at + 17 :].split(b"\r\n", 1)[0])


class Generator:
    """Keep a number of connections busy with one request each."""

    def __init__(self, order: Order, requests: list[bytes]) -> None:
        self.order = order
        self._requests: Iterator[bytes] = iter(requests)
        if order.repeats:
            self._requests = itertools.cycle(requests)
        self._poll = select.epoll()
        self._connections = [
            Connection(order.port, strict=order.strict) for _ in range(order.clients)
        ]
        self._failed = 0

    def run(self) -> list[Round]:
        """Warm up, then measure round after round within the budget; at least one."""
        # One connection is enough to warm up, and where answers are slow it is over sooner.
        self.play(self.order.warm_s, self._connections[:1])
        rounds: list[Round] = []
        edge = time.perf_counter() + self.order.budget_s
        while len(rounds) < self.order.rounds and (not rounds or time.perf_counter() < edge):
            done = self.measure()
            if done is None:
                break
            rounds.append(done)
        if not rounds:
            raise RefusedError("The requests were used up before the first round.")
        return rounds

    def measure(self) -> Round | None:
        """Return what one round measured, or nothing when no request is left."""
        server, client, failed = self._server_s(), time.process_time(), self._failed
        started = time.perf_counter()
        waits = self.play(self.order.round_s, self._connections)
        seconds = time.perf_counter() - started
        if not waits:
            return None
        waits.sort()
        return Round(
            answers=len(waits),
            seconds=seconds,
            p50_ms=1000 * statistics.median(waits),
            p99_ms=1000 * waits[len(waits) * 99 // 100],
            server_cpu_us=1e6 * (self._server_s() - server) / len(waits),
            client_busy=(time.process_time() - client) / seconds,
            failed=self._failed - failed,
        )

    def play(self, seconds: float, connections: list[Connection]) -> list[float]:
        """Send for some seconds, await all answers, and return how long each took."""
        waits: list[float] = []
        busy: dict[int, Connection] = {}
        edge = time.perf_counter() + seconds
        for connection in connections:
            connection.renew()
            number = connection.socket.fileno()
            self._poll.register(number, select.EPOLLIN)
            busy[number] = connection
            self._send_next(busy, number, time.perf_counter())
        while busy:
            ready = self._poll.poll(SILENCE_S)
            if not ready:
                raise RefusedError(f"The server said nothing for {SILENCE_S:.0f} seconds.")
            for number, _ in ready:
                connection = busy[number]
                if connection.receive():
                    now = time.perf_counter()
                    if connection.failed:
                        self._failed += 1
                    else:
                        waits.append(now - connection.sent)
                    if now < edge:
                        self._send_next(busy, number, now)
                    else:
                        self._rest(busy, number)
        return waits

    def _send_next(self, busy: dict[int, Connection], number: int, now: float) -> None:
        connection = busy[number]
        request = next(self._requests, None)
        if request is None:
            self._rest(busy, number)
            return
        if connection.renew():
            # The old socket left the poll when it was closed, whatever number the new one has.
            del busy[number]
            number = connection.socket.fileno()
            self._poll.register(number, select.EPOLLIN)
            busy[number] = connection
        connection.send(request, now)

    def _rest(self, busy: dict[int, Connection], number: int) -> None:
        self._poll.unregister(number)
        del busy[number]

    def _server_s(self) -> float:
        # Linux: the number of a process's processor clock is made from its id.
        if not self.order.server:
            return 0.0
        return time.clock_gettime((~self.order.server << 3) | 2)


def main() -> None:
    """Carry out the order on standard input."""
    line = json.loads(sys.stdin.buffer.readline())
    requests = [sys.stdin.buffer.read(size) for size in line["sizes"]]
    with contextlib.suppress(KeyboardInterrupt):
        try:
            rounds = Generator(Order(**line["order"]), requests).run()
        except (RefusedError, OSError) as problem:
            raise SystemExit(f"{problem}") from None
        json.dump([dataclasses.asdict(each) for each in rounds], sys.stdout)


if __name__ == "__main__":
    main()
