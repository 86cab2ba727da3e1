"""A server without a network, for the tests of this folder."""

import json

from fakekube.call import Request
from fakekube.clock import Clock
from fakekube.server import Kube


class World:
    """One server with a frozen clock; ``ask`` is a request that waits for nobody."""

    def __init__(self, **options):
        self.kube = Kube(**{"time": Clock(rate=0), "seed": 1, **options})

    def ask(self, method, path, body=None, media="application/json", **headers):
        if body is None:
            raw = b""
        else:
            raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        given = {"accept": "application/json", "content-type": media, **headers}
        running = self.kube.answer(Request(method, path, given, raw))
        try:
            running.send(None)
        except StopIteration as done:
            return done.value
        raise AssertionError("The request waits for somebody.")

    def must(self, method, path, body=None, **options):
        answer = self.ask(method, path, body, **options)
        found = json.loads(b"".join(answer.parts) or b"{}")
        assert answer.status < 300, found
        return found

    def has(self, path):
        return self.ask("GET", path).status == 200


class Sink:
    """A client that watches: it keeps what it gets, and reads when it is told to."""

    def __init__(self, *, is_reading=True):
        self.data = b""
        self.waiting = 0
        self.is_reading = is_reading
        self.is_over = False
        self.is_broken = False

    def write(self, data):
        self.data += data
        self.waiting += 0 if self.is_reading else len(data)
        return self.waiting

    def end(self):
        self.is_over = True

    def abort(self):
        self.is_broken = True

    @property
    def events(self):
        return [json.loads(line) for line in self.data.splitlines()]

    @property
    def types(self):
        return [event["type"] for event in self.events]


def watched(world, path, **options):
    """Start a watch, and return where its events go."""
    sink = Sink(**options)
    answer = world.ask("GET", path)
    assert answer.status == 200, answer.parts
    answer.stream.start(sink)
    sink.stream = answer.stream
    return sink
