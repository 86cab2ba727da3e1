"""Both sides in the process of their caller, through each door.

    python inside.py DOOR ROUND_S ROUNDS

DOOR is one of the functions named in DOORS. Prints JSON: work -> microseconds per call, one figure
for each round. It is a process of its own so that what one side patches does not touch the other.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import works

Data = dict[str, Any]
Door = tuple[works.Side, Callable[[], None]]
WARM_S = 0.1
BURST = 64
BUDGET_ROUNDS = 3.0
"""A slow call gets fewer rounds: none begins after so many times the planned time."""


def amazon_client(endpoint: str | None = None) -> Any:
    """Return a client of EC2 with mock credentials."""
    import boto3

    return boto3.client(
        "ec2",
        region_name="eu-west-2",
        endpoint_url=endpoint,
        aws_access_key_id="mock",
        aws_secret_access_key="mock",
    )


@contextlib.contextmanager
def direct() -> Iterator[Door]:
    """Call a FakeCloud itself."""
    from fakecloud import FakeCloud

    cloud = FakeCloud(quota=works.room())
    yield works.Outscale(lambda action, request: cloud.call(action, **request)), cloud.reset


@contextlib.contextmanager
def adapter() -> Iterator[Door]:
    """Call with osc-sdk-python through the transport adapter, signatures verified."""
    from fakecloud import FakeCloud, gateway

    cloud = FakeCloud(quota=works.room())
    client = gateway(cloud, mode="verify")
    yield works.Outscale(by_method(client)), cloud.reset


@contextlib.contextmanager
def mock() -> Iterator[Door]:
    """Call with an unmodified osc-sdk-python under mock_outscale, signatures verified."""
    from osc_sdk_python import Gateway

    from fakecloud import mock_outscale

    with mock_outscale(mode="verify", rate=0, quota=works.room()) as cloud:
        yield works.Outscale(by_method(Gateway(max_retries=0))), cloud.reset


@contextlib.contextmanager
def moto() -> Iterator[Door]:
    """Call with boto3 under mock_aws."""
    from botocore import xform_name
    from moto import mock_aws

    patch = mock_aws()
    with patch:
        client = amazon_client()
        yield works.Amazon(by_method(client, xform_name)), patch.reset


def by_method(client: Any, named: Callable[[str], str] = str) -> works.Call:
    """Return a function that calls the method of a client that is named like an operation."""
    method = functools.cache(lambda operation: getattr(client, named(operation)))
    return lambda operation, parameters: method(operation)(**parameters)


DOORS = {"direct": direct, "adapter": adapter, "mock": mock, "moto": moto}


def play(call: works.Call, calls: works.Calls, seconds: float) -> float:
    """Make calls for some seconds, at least one, and return microseconds per call."""
    made = 0
    started = now = time.perf_counter()
    edge = started + seconds
    # The clock is looked at seldom where calls are short, so that it does not count.
    burst = 1
    while now < edge:
        for operation, parameters in itertools.islice(calls, burst):
            call(operation, parameters)
        made += burst
        now = time.perf_counter()
        burst = BURST if (now - started) / made < 0.001 else 1
    return 1e6 * (now - started) / made


def measure(door: str, round_s: float, rounds: int) -> dict[str, list[float]]:
    """Measure all work through one door."""
    found: dict[str, list[float]] = {}
    with DOORS[door]() as (side, reset):
        for work in works.WORKS:
            calls = side.begin(work, reset)
            play(side.call, calls, WARM_S)
            edge = time.perf_counter() + BUDGET_ROUNDS * rounds * round_s
            figures = found[work.key] = []
            while len(figures) < rounds and (not figures or time.perf_counter() < edge):
                figures.append(play(side.call, calls, round_s))
    return found


if __name__ == "__main__":
    os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")
    json.dump(measure(sys.argv[1], float(sys.argv[2]), int(sys.argv[3])), sys.stdout)
