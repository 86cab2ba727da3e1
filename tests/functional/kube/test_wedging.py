"""Nothing that a client does keeps others from being served."""

import concurrent.futures
import contextlib
import json
import socket
import threading
import time

import pytest

from fakekube import ServerThread
from tests.contract.kube.client import (
    APPLY,
    JSON_PATCH,
    MERGE,
    STRATEGIC,
    Client,
    config_map,
    eventually,
)

MAPS = "/api/v1/namespaces/default/configmaps"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
THINGS = "/apis/wedging.example.com/v1/namespaces/default/things"
WITHIN_S = 10.0
"""For everything hostile there is, on a machine that has something else to do as well."""
YAML, JSON = "application/yaml", "application/json"


def deep(levels, inner="1"):
    return '{"a":' * levels + inner + "}" * levels


def aliases(opener):
    lines = ["metadata: {name: bomb}", "a0: &a0 {x: 1, y: 2}"]
    lines += [f"a{n + 1}: &a{n + 1} {opener.format(f'*a{n}')}" for n in range(40)]
    return "\n".join(lines)


def numbered(count):
    return [{"name": str(number)} for number in range(count)]


def thing(name, **spec):
    head = {"apiVersion": "wedging.example.com/v1", "kind": "Thing"}
    return json.dumps(head | {"metadata": {"name": name}, "spec": spec})


RULES = [
    "self.l.all(a, self.l.all(b, self.l.all(c, self.l.all(d, true))))",
    "size(self.l.map(a, self.l.map(b, self.l.map(c, a)))) > 0",
    "self.t.matches('^(a+)+$')",
]
NAMED = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}
DEFINITION = {
    "metadata": {"name": "things.wedging.example.com"},
    "spec": {
        "group": "wedging.example.com",
        "scope": "Namespaced",
        "names": {"plural": "things", "kind": "Thing"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": {
                                "type": "object",
                                "x-kubernetes-preserve-unknown-fields": True,
                                "properties": {
                                    "l": {"type": "array", "items": {"type": "integer"}},
                                    "t": {"type": "string", "pattern": "^(a|aa)+$"},
                                    "o": {
                                        "type": "array",
                                        "items": NAMED,
                                        "x-kubernetes-list-type": "map",
                                        "x-kubernetes-list-map-keys": ["name"],
                                    },
                                },
                                "x-kubernetes-validations": [
                                    {"rule": f"!has(self.l) || !has(self.t) || {rule}"}
                                    for rule in RULES
                                ],
                            }
                        },
                    }
                },
            }
        ],
    },
}
OWNERS = [
    {"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": str(number)}
    for number in range(15_000)
]
HOSTILE = {
    "JSON without end": ("POST", MAPS, "[" * 1_000_000, JSON),
    "deep JSON": ("POST", MAPS, deep(100_000), JSON),
    "deep YAML": ("POST", MAPS, "a: " + "[" * 20_000, YAML),
    "many aliases in lists": ("POST", MAPS, aliases("[{0}, {0}]"), YAML),
    "many aliases in merges": ("POST", MAPS, aliases("{{<<: [{0}, {0}]}}"), YAML),
    "an alias of itself": ("POST", MAPS, "a: &a [*a]", YAML),
    "a deep merge": ("PATCH", f"{MAPS}/one", deep(50_000), MERGE),
    "a deep strategic merge": ("PATCH", f"{MAPS}/one", deep(900), STRATEGIC),
    "a deep apply": ("PATCH", f"{MAPS}/one?fieldManager=a", deep(5_000), APPLY),
    "copies of copies": (
        *("PATCH", f"{MAPS}/one"),
        json.dumps([{"op": "copy", "from": "/data", "path": f"/data/{n}"} for n in range(60)]),
        JSON_PATCH,
    ),
    "many owners": ("POST", MAPS, json.dumps(config_map("o", ownerReferences=OWNERS)), JSON),
    "a long number": ("POST", MAPS, '{"data": {"a": ' + "9" * 1_000_000 + "}}", JSON),
    "broken protobuf": (
        *("POST", MAPS, "k8s\0" + "\x7f" * 100_000),
        "application/vnd.kubernetes.protobuf",
    ),
    "a costly rule": ("POST", THINGS, thing("a", l=[1] * 5_000, t="a" * 50_000 + "b"), JSON),
    "many keys": ("POST", THINGS, thing("b", o=numbered(30_000)), JSON),
    "many keys to apply": (
        *("PATCH", f"{THINGS}/c?fieldManager=a", thing("c", o=numbered(10_000)), APPLY),
    ),
    "many mistakes": ("POST", THINGS, thing("d", l=["x"] * 100_000), JSON),
    "an open parenthesis": ("GET", f"{MAPS}?labelSelector=" + "(" * 20_000, None, JSON),
    "a broken page": ("GET", f"{MAPS}?limit=1&continue=" + "A" * 30_000, None, JSON),
    "a long version": ("GET", f"{MAPS}?resourceVersion=" + "9" * 5_000, None, JSON),
    "a long path": ("GET", "/apis" + "/a" * 20_000, None, JSON),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_request_is_answered_in_time(client, name):
    method, path, body, media = HOSTILE[name]
    client.must("POST", CRDS, DEFINITION)
    client.must("POST", MAPS, config_map("one"))
    started = time.monotonic()
    answer = client.ask(method, path, body, media=media)
    assert time.monotonic() - started < WITHIN_S
    # Refused with a Status, or taken; an internal error is a mistake of ours.
    assert answer.code < 500 or "etcdserver: request is too large" in answer.text, answer
    assert client.must("GET", f"{MAPS}/one")["data"] == {"a": "b"} or method == "PATCH"


@contextlib.contextmanager
def lines(server, count):
    with contextlib.ExitStack() as opened:
        address = (server.host, server.port)
        yield [opened.enter_context(socket.create_connection(address)) for _ in range(count)]


@pytest.mark.parametrize(
    "beginning",
    [
        b"",
        b"GET /api",
        b"GET /api HTTP/1.1\r\nAccept: ",
        b"POST /api/v1/namespaces HTTP/1.1\r\nContent-Length: 1000\r\n\r\n{",
        b"POST /api/v1/namespaces HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{",
    ],
)
def test_requests_that_never_end_hold_nobody_up(fakekube_server, client, beginning):
    with lines(fakekube_server, 100) as opened:
        for each in opened:
            each.sendall(beginning)
        started = time.monotonic()
        for number in range(50):
            client.must("POST", MAPS, config_map(f"m{number}"))
        assert time.monotonic() - started < WITHIN_S


def test_a_client_that_does_not_read_its_answers_holds_nobody_up(fakekube_server, client):
    for number in range(20):
        client.must("POST", MAPS, config_map(f"m{number}", {"a": "x" * 500_000}))
    with lines(fakekube_server, 5) as opened:
        for each in opened:
            # Ten megabytes of answer to each of these.
            each.sendall(b"GET %b HTTP/1.1\r\nHost: a\r\n\r\n" % MAPS.encode() * 20)
        started = time.monotonic()
        for _ in range(20):
            client.must("GET", f"{MAPS}/m1")
        assert time.monotonic() - started < WITHIN_S


def test_watchers_that_vanish_leave_nothing(fakekube_server, client):
    kube = fakekube_server.kube
    with lines(fakekube_server, 200) as opened:
        for each in opened:
            each.sendall(b"GET %b?watch=1 HTTP/1.1\r\nHost: a\r\n\r\n" % MAPS.encode())
        eventually(lambda: len(kube.watches.open_streams) == 200)
        client.must("POST", MAPS, config_map("one"))
    eventually(lambda: not kube.watches.open_streams)
    assert kube.store.table("configmaps").watchers == {}
    client.must("POST", MAPS, config_map("two"))


def test_many_clients_write_at_the_same_time(client):
    client.must("POST", MAPS, config_map("counter", {"count": "0"}))

    def count(_):
        while True:
            obj = client.must("GET", f"{MAPS}/counter")
            obj["data"]["count"] = str(int(obj["data"]["count"]) + 1)
            code = client.ask("PUT", f"{MAPS}/counter", obj).code
            if code == 200:
                return
            assert code == 409

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(count, range(80)))
    assert client.must("GET", f"{MAPS}/counter")["data"] == {"count": "80"}


def test_a_server_stops_under_load():
    is_over = threading.Event()

    def ask(client):
        with contextlib.suppress(OSError):
            while not is_over.is_set():
                client.ask("GET", MAPS)

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        with ServerThread() as server, lines(server, 20) as opened:
            for each in opened:
                each.sendall(b"GET %b?watch=1 HTTP/1.1\r\nHost: a\r\n\r\n" % MAPS.encode())
            for _ in range(4):
                pool.submit(ask, Client("fakekube", server.url, None))
            eventually(lambda: server.kube.watches.open_streams)
            started = time.monotonic()
        is_over.set()
        assert time.monotonic() - started < WITHIN_S
