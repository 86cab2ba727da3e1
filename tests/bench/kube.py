"""`run.py --kube`: fakekube and a real kube-apiserver with etcd do the same work, side by side.

Both are processes of their own that ask for a client certificate over TLS and look into RBAC, so
that they do the same work. etcd is told not to wait for the disk. The aims are those of the issue.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import pathlib
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Self

import costs
import kube_load
import table
from kube_load import CLIENT, NAME, Order, Round
from table import Figure, Row

from tools import cache
from tools.control_plane import ControlPlane

Data = dict[str, Any]
CLIENTS = (1, 16)
START_S = 60.0
QUIET = 0.7
"""As in run.py, which imports this module."""
FASTER = 3.0
READY_MS, MEMORY_MIB, WATCH_MS = 20.0, 60.0, 5.0
HELD, LISTED, FEW, MANY = 2_000, 1_000, 100, 10_000
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
MERGE = "application/merge-patch+json"
NAMESPACES = ("held", "listed", "grown", "watched", "made")


def maps(namespace: str, name: str = "") -> str:
    """Return the path of the ConfigMaps of a namespace, or of one of them."""
    return f"/api/v1/namespaces/{namespace}/configmaps{'/' if name else ''}{name}"


def config_map(name: str) -> Data:
    """Return an object of half a kilobyte."""
    return {"metadata": {"name": name, "labels": {"app": "bench"}}, "data": {"text": "x" * 400}}


def definition() -> Data:
    """Return a definition with a status."""
    text = {"type": "object", "properties": {"text": {"type": "string"}}}
    schema = {"type": "object", "properties": {"spec": text, "status": text}}
    version = {"name": "v1", "served": True, "storage": True, "subresources": {"status": {}}}
    names = {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.bench.example.com"},
        "spec": {
            "group": "bench.example.com",
            "scope": "Namespaced",
            "names": names,
            "versions": [version | {"schema": {"openAPIV3Schema": schema}}],
        },
    }


WIDGETS = "/apis/bench.example.com/v1/namespaces/made/widgets"


def widget(client: int) -> Data:
    """Return the object whose status a client patches."""
    head = {"apiVersion": "bench.example.com/v1", "kind": "Widget"}
    return head | {"metadata": {"name": f"w{client}"}}


class Side:
    """A server that was started, and how to reach it."""

    def __init__(
        self, port: int, ca: pathlib.Path, pair: tuple[pathlib.Path, pathlib.Path]
    ) -> None:
        self.port = port
        self.pids: tuple[int, ...] = ()
        self._ca, self._pair = str(ca), (str(pair[0]), str(pair[1]))
        self._numbers = 0

    def order(self, method: str, path: str, body: Any = None, **more: Any) -> list[Round]:
        """Have the generator do something, and return what it measured."""
        text = "" if body is None else json.dumps(body)
        return kube_load.run(
            Order(self.port, self._ca, self._pair, method, path, text, server=self.pids, **more)
        )

    def must(self, method: str, path: str, body: Any = None) -> Any:
        """Return the answer to one request; wait while the server does not serve the path yet."""
        trust = ssl.create_default_context(cafile=self._ca)
        trust.load_cert_chain(*self._pair)
        edge = time.perf_counter() + START_S
        while True:
            connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=trust)
            headers = {"Content-Type": "application/json"}
            connection.request(method, path, json.dumps(body), headers)
            answer = connection.getresponse()
            text = answer.read()
            connection.close()
            if answer.status < 300:
                return json.loads(text)
            if answer.status != 404 or time.perf_counter() > edge:
                raise SystemExit(f"{method} {path} answered {answer.status}: {text.decode()}")
            threading.Event().wait(0.05)

    def prepare(self) -> None:
        """Make the namespaces, the kind, and the objects that single requests are about."""
        for name in NAMESPACES:
            self.must("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
        self.must("POST", DEFINITIONS, definition())
        for client in range(max(CLIENTS)):
            self.must("POST", WIDGETS, widget(client))
        self.must("POST", maps("watched"), config_map("one"))
        self.must("POST", maps("made"), config_map("one"))

    def fill(self, namespace: str, count: int) -> None:
        """Create ConfigMaps; names go on from those of the last time."""
        body = config_map(f"m{NAME}")
        self.order("POST", maps(namespace), body, count=count, clients=4, first=self._numbers)
        self._numbers += count

    def create(self, clients: int, **pace: Any) -> list[Round]:
        """Measure creation, each of a new name."""
        body = config_map(f"m{NAME}")
        found = self.order("POST", maps("made"), body, clients=clients, first=self._numbers, **pace)
        self._numbers += 1_000_000
        return found

    def patch_status(self, clients: int, **pace: Any) -> list[Round]:
        """Measure patches of a status, each to a new value."""
        body = {"status": {"text": NAME}}
        first, self._numbers = self._numbers, self._numbers + 1_000_000
        path = f"{WIDGETS}/w{CLIENT}/status"
        return self.order("PATCH", path, body, media=MERGE, clients=clients, first=first, **pace)

    def watch(self, count: int) -> Round:
        """Measure how long after a write begins its event arrives."""
        path, body = maps("watched", "one"), {"data": {"text": NAME}}
        first, self._numbers = self._numbers, self._numbers + count
        where = f"{maps('watched')}?watch=true"
        found = self.order("PATCH", path, body, media=MERGE, watch=where, count=count, first=first)
        return found[0]

    def write(self, **pace: Any) -> list[Round]:
        """Measure patches of one object among all of its kind."""
        path, body = maps("grown", f"m{self.kept:0{len(NAME)}}"), {"data": {"text": NAME}}
        first, self._numbers = self._numbers, self._numbers + 1_000_000
        return self.order("PATCH", path, body, media=MERGE, first=first, **pace)

    kept = 0

    def grow(self, total: int, present: int) -> None:
        """Fill the namespace that grows."""
        self.kept = self._numbers
        self.fill("grown", total - present)

    @property
    def memory_mib(self) -> float:
        """Return the resident memory of all processes of this side."""
        kilobytes = 0
        for pid in self.pids:
            lines = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
            kilobytes += next(int(each.split()[1]) for each in lines if each.startswith("VmRSS:"))
        return kilobytes / 1024


class Process:
    """A fakekube process: ``with`` starts it, which takes ``start_s``, and ends it."""

    def __init__(self, *flags: str) -> None:
        self._flags = flags
        self.url = ""
        self.start_s = 0.0

    def __enter__(self) -> Self:
        """Start it, and wait until it says that it serves."""
        started = time.perf_counter()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "fakekube", "--port", "0", *self._flags],
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stderr is not None, "It is a pipe."
        line = self.process.stderr.readline()
        self.start_s = time.perf_counter() - started
        if " serves " not in line:
            raise SystemExit(f"fakekube does not start: {line}{self.process.stderr.read()}")
        self.url = line.split()[-1]
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait()
        assert self.process.stderr is not None, "It is a pipe."
        self.process.stderr.close()


def _decoded(entry: str, path: pathlib.Path) -> pathlib.Path:
    path.write_bytes(base64.b64decode(entry))
    return path


@contextlib.contextmanager
def fakekube(folder: pathlib.Path) -> Iterator[Side]:
    """Start fakekube as a process with TLS and RBAC."""
    folder.mkdir()
    path = folder / "kubeconfig"
    with Process("--tls", "--kubeconfig", str(path)) as server:
        content = json.loads(path.read_text(encoding="utf-8"))
        cluster, user = content["clusters"][0]["cluster"], content["users"][0]["user"]
        ca = _decoded(cluster["certificate-authority-data"], folder / "ca.crt")
        certificate = _decoded(user["client-certificate-data"], folder / "client.crt")
        key = _decoded(user["client-key-data"], folder / "client.key")
        side = Side(int(server.url.rpartition(":")[2]), ca, (certificate, key))
        side.pids = (server.process.pid,)
        yield side


def _processes_in(folder: pathlib.Path) -> tuple[int, ...]:
    found = []
    for each in pathlib.Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if each.name.isdigit() and (each / "cwd").readlink() == folder:
                name = (each / "exe").readlink().name
                if name in {"etcd", "kube-apiserver"}:
                    found.append(int(each.name))
    return tuple(found)


@contextlib.contextmanager
def real(folder: pathlib.Path) -> Iterator[tuple[Side, float]]:
    """Start etcd and kube-apiserver; the value has the seconds this took."""
    started = time.perf_counter()
    with ControlPlane(folder) as plane:
        seconds = time.perf_counter() - started
        pair = (plane.client_certificate, plane.client_key)
        side = Side(int(plane.url.rpartition(":")[2]), plane.ca, pair)
        side.pids = _processes_in(folder)
        yield side, seconds


def figure(rounds: list[Round]) -> Figure:
    """Return the figure of what the generator measured."""
    best = max(rounds, key=lambda each: each.rate)
    return Figure(
        [each.rate for each in rounds],
        "/s",
        best.server_cpu_us,
        best.p99_ms,
        limited=max(each.client_busy for each in rounds) > table.BUSY,
    )


IN_PROCESS = """
import sys, time
from fakekube.serving import ServerThread
from fakekube.server import Kube
import http.client
found = []
for _ in range(int(sys.argv[1])):
    started = time.perf_counter()
    with ServerThread(Kube()) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port)
        connection.request("GET", "/readyz")
        assert connection.getresponse().status == 200
        found.append(1000 * (time.perf_counter() - started))
        connection.close()
print(found)
"""


def _start_rows(count: int, real_s: float) -> Iterator[Row]:
    title = "START: to the first answer"
    theirs = Figure([1000 * real_s], "ms")
    text = subprocess.check_output([sys.executable, "-c", IN_PROCESS, str(count)], text=True)
    found = json.loads(text)
    # The first one in a process still compiles and caches what all later ones share. A command
    # has no aim: Python alone takes longer to load asyncio than a server may to be ready.
    yield Row(title, "in a test process, first", None, Figure(found[:1], "ms"), theirs, READY_MS)
    yield Row(title, "in a test process, later", None, Figure(found[1:], "ms"), theirs, READY_MS)
    starts = []
    for _ in range(count):
        with Process() as server:
            starts.append(1000 * server.start_s)
    yield Row(title, "as a command", None, Figure(starts, "ms"), theirs)


def _rate_rows(ours: Side, theirs: Side, pace: Data, tell: Callable[[str], None]) -> Iterator[Row]:
    works: dict[str, Callable[[Side, int], list[Round]]] = {
        "get": lambda side, n: side.order("GET", maps("made", "one"), clients=n, **pace),
        "list 1,000": lambda side, n: side.order("GET", maps("listed"), clients=n, **pace),
        "create": lambda side, n: side.create(n, **pace),
        "status patch": lambda side, n: side.patch_status(n, **pace),
    }
    for title, work in works.items():
        for clients in CLIENTS:
            tell(f"kube: {title}, {clients} at a time")
            figures = [figure(work(side, clients)) for side in (ours, theirs)]
            aim = FASTER * figures[1].median
            yield Row("REQUESTS: over TLS, with RBAC", title, clients, *figures, aim)


def _growth_rows(
    ours: Side, theirs: Side, pace: Data, tell: Callable[[str], None]
) -> Iterator[Row]:
    title = f"GROWTH: processor time of the server for a patch; aim: {costs.GROWTH_MAX} x of few"
    found: dict[int, list[Figure]] = {}
    present = 0
    for total in (FEW, MANY):
        tell(f"kube: a write among {total:,} objects")
        for side in (ours, theirs):
            side.grow(total, present)
            rounds = side.write(**pace)
            cost = Figure([each.server_cpu_us for each in rounds], "us")
            found.setdefault(total, []).append(cost)
        present = total
    yield Row(title, f"among {FEW:,} objects", None, *found[FEW])
    aim = costs.GROWTH_MAX * found[FEW][0].median
    yield Row(title, f"among {MANY:,} objects", None, *found[MANY], aim)


def rows(tell: Callable[[str], None], *, quick: bool) -> Iterator[Row]:
    """Measure both servers in one run."""
    pace = {"round_s": 0.5, "rounds": 2} if quick else {"round_s": 1.5, "rounds": 3}
    with contextlib.ExitStack() as running:
        folder = pathlib.Path(running.enter_context(tempfile.TemporaryDirectory()))
        tell("kube: start of the servers")
        theirs, real_s = running.enter_context(real(folder / "real"))
        ours = running.enter_context(fakekube(folder / "fake"))
        yield from _start_rows(3 if quick else 7, real_s)
        tell(f"kube: {HELD:,} objects")
        memory, waits = [], []
        for side in (ours, theirs):
            side.prepare()
            side.fill("held", HELD)
            memory.append(Figure([side.memory_mib], "MiB"))
        yield Row("MEMORY", f"with {HELD:,} objects", None, *memory, MEMORY_MIB)
        for side in (ours, theirs):
            side.fill("listed", LISTED)
            assert len(side.must("GET", maps("listed"))["items"]) == LISTED, "Both do the same."
        yield from _growth_rows(ours, theirs, pace, tell)
        tell("kube: watch")
        for side in (ours, theirs):
            each = side.watch(50 if quick else 300)
            waits.append((Figure([each.p50_ms], "ms"), Figure([each.p99_ms], "ms")))
        title = "WATCH: from sending a write to its event"
        yield Row(title, "median", None, waits[0][0], waits[1][0], WATCH_MS)
        yield Row(title, "99th of 100", None, waits[0][1], waits[1][1], WATCH_MS)
        yield from _rate_rows(ours, theirs, pace, tell)


def report(found: list[Row], facts: Data, sides: tuple[str, str]) -> None:
    """Print the table, under the names of both sides."""
    headed = [*table.COLUMNS]
    headed[2], headed[4] = sides
    with _columns(headed):
        print("\n".join(table.lines(found)))
    loads = " ".join(map(str, facts["load"]))
    print(
        f"\n{facts['cpus']} CPUs ({facts['cpu']}), Python {facts['python']}, load before {loads}."
    )
    if facts["load"][0] > QUIET:
        print("Other work was going on here: what is measured is slower than it could be.")
    if any(each and each.limited for row in found for each in (row.ours, row.theirs)):
        print(f"* The clients were more than {table.BUSY:.0%} busy: the server may be faster.")
    missed = [row for row in found if row.verdict == "NO"]
    print(f"{sum(row.aim is not None for row in found)} aims, {len(missed)} not reached.")


@contextlib.contextmanager
def _columns(headed: list[str]) -> Iterator[None]:
    before, table.COLUMNS = table.COLUMNS, headed
    try:
        yield
    finally:
        table.COLUMNS = before


def compare(tell: Callable[[str], None], *, quick: bool, as_json: bool) -> Data | None:
    """Measure; print one table, or return the figures. Without the real server, say so."""
    try:
        cache.require("etcd", "kube-apiserver")
    except cache.Missing as missing:
        print(f"\nfakekube is compared with a real kube-apiserver. {missing}")
        return None
    facts = table.machine()
    found = list(rows(tell, quick=quick))
    if as_json:
        return {"machine": facts, "rows": [each.data() for each in found]}
    print("\nfakekube beside a real kube-apiserver, both over TLS and with RBAC\n")
    report(found, facts, ("fakekube", "kube-apiserver"))
    return None
