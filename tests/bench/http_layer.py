"""Why fakecloud stands on httptools, uvloop and msgspec: measured beside what else there is.

    python tests/bench/http_layer.py [--quick]

Three tables: HTTP layers that answer 200 bytes and do nothing else; JSON codecs on a request and an
answer of the API; validators on the schemas of a request and of a VM, with the document's own
examples. What is not installed is left out, and said so. The choice that was made from this is
`docs/decisions/0002-http-codec-validator.md`.
"""

from __future__ import annotations

import argparse
import importlib.util
import itertools
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import crosscheck
import echo
import load
import served
import table
import validators

from fakecloud import document

Json = Any
VMS = 100
NEEDS = {
    "httptools": "httptools",
    "uvloop": "uvloop",
    "aiohttp": "aiohttp",
    "uvicorn": "uvicorn",
    "granian": "granian",
}


def main() -> None:
    """Print the three tables."""
    parser = argparse.ArgumentParser(description="Compare HTTP layers, codecs and validators.")
    parser.add_argument("--quick", action="store_true", help="shorter rounds, less exact")
    quick = parser.parse_args().quick
    facts = table.machine()
    print(f"{facts['cpus']} CPUs, Python {facts['python']}, load average {facts['load'][0]}\n")
    show(["HTTP layer, 200 bytes", "/s, 1 client", "/s, 16 clients", "CPU us"], layers(quick=quick))
    book = document.load()
    show(["JSON codec, us", "decode request", "encode answer", "decode answer"], codecs(book))
    show(
        ["validator", "import ms", "compile ms", *validators.TITLES, "refuses"],
        validators.rows(book, best),
    )


def show(head: list[str], rows: Iterator[list[str]]) -> None:
    """Print a table; a row of one cell is a sentence."""
    found = [head, *rows]
    full = [row for row in found if len(row) > 1]
    widths = [max(len(row[i]) for row in full) for i in range(len(head))]
    for row in full:
        first, *rest = [text.ljust(width) for text, width in zip(row, widths, strict=True)]
        print("  ".join([first, *(text.strip().rjust(len(text)) for text in rest)]))
    for row in found:
        if len(row) == 1:
            print(row[0])
    print(flush=True)


def missing(name: str) -> str:
    """Return the package that a layer needs and that is not installed, or nothing."""
    for word in name.split("-"):
        package = NEEDS.get(word, "")
        if package and importlib.util.find_spec(package) is None:
            return package
    return ""


def layers(*, quick: bool) -> Iterator[list[str]]:
    """Measure the servers of `echo.py` with the load generator."""
    order = load.Order(0, 0, warm_s=0.2, round_s=0.3 if quick else 1.0, rounds=2 if quick else 3)
    for name in [*echo.LAYERS, "threads"]:
        if package := missing(name):
            yield [f"{name} is left out: {package} is not installed."]
            continue
        figures = []
        with crosscheck.Echo(200, name) as server:
            order.port, order.server = server.port, server.pid
            for order.clients in served.CLIENTS:
                rounds = load.replay(order, [crosscheck.request(server.port)])
                figures.append(max(rounds, key=lambda each: each.rate))
        cpu = table.short(min(each.server_cpu_us for each in figures))
        yield [name, *(table.short(each.rate) for each in figures), cpu]


def codecs(book: document.Document) -> Iterator[list[str]]:
    """Measure codecs on the largest example of CreateVms and on an answer with 100 VMs."""
    requests = book.examples("CreateVms")[0].values()
    request = max(requests, key=lambda each: len(json.dumps(each)))
    answer = {"Vms": list(itertools.islice(itertools.cycle(validators.vms(book)), VMS))}
    for name, (decode, encode) in known_codecs():
        if encode is None or decode is None:
            yield [f"{name} is left out: it is not installed."]
            continue
        short, long = encode(request), encode(answer)
        took = [best(decode, short), best(encode, answer), best(decode, long)]
        yield [name, *map(table.short, took)]


Codec = tuple[Callable[[Any], Json] | None, Callable[[Json], Any] | None]


def known_codecs() -> Iterator[tuple[str, Codec]]:
    """Give every codec as a pair of functions; nothing for one that is not installed."""
    yield "json", (json.loads, lambda value: json.dumps(value).encode())
    if importlib.util.find_spec("orjson"):
        import orjson

        yield "orjson", (orjson.loads, orjson.dumps)
    else:
        yield "orjson", (None, None)
    import msgspec

    yield "msgspec", (msgspec.json.Decoder().decode, msgspec.json.Encoder().encode)


def best(work: Callable[[Any], object], on: Json, seconds: float = 0.05, rounds: int = 7) -> float:
    """Return the microseconds of processor time that a function takes on a value, at best."""
    burst = 1
    while (took := timed(work, on, burst)) < seconds:
        burst = max(2 * burst, int(1.2 * burst * seconds / max(took, 1e-6)))
    return 1e6 * min(timed(work, on, burst) for _ in range(rounds)) / burst


def timed(work: Callable[[Any], object], on: Json, times: int) -> float:
    """Return the seconds of processor time for so many calls; other processes do not count."""
    started = time.thread_time()
    for _ in range(times):
        work(on)
    return time.thread_time() - started


if __name__ == "__main__":
    main()
