"""Saving a cloud and bringing it back: stable JSON with everything that the cloud knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from fakecloud import faults

if TYPE_CHECKING:
    from fakecloud.cloud import FakeCloud

Json = Any
VERSION = 1


def dump(cloud: FakeCloud) -> dict[str, Json]:
    """Return everything that a cloud knows as JSON-ready data."""
    return {
        "version": VERSION,
        "seed": cloud.seed,
        "region": cloud.region,
        "account": cloud.account,
        "now": cloud.clock.now(),
        "counter": cloud.counter,
        "requests": cloud.requests,
        "accounts": {name: list(pair) for name, pair in sorted(cloud.accounts.items())},
        "quota": cloud.quota,
        "capacity": cloud.capacity,
        "faults": cloud.faults.dump(),
        "welcomed": sorted(list(pair) for pair in cloud.welcomed),
        "regions": {name: store.dump() for name, store in sorted(cloud.regions.items())},
    }


def load(cloud: FakeCloud, saved: bytes) -> None:
    """Replace everything in a cloud; raise ``ValueError``, and change nothing, for bad input."""
    try:
        data = msgspec.json.decode(saved)
        if data["version"] != VERSION:
            raise ValueError(
                f"The state has version {data['version']}, but this fakecloud reads {VERSION}. "
                "Save it anew with the fakecloud that wrote it."
            )
        known = faults.Faults(data["seed"])
        known.load(data["faults"])
        regions = {name: cloud.new_store(rows) for name, rows in data["regions"].items()}
        facts = {name: data[name] for name in ("seed", "region", "account", "counter", "requests")}
        accounts = {name: (pair[0], pair[1]) for name, pair in data["accounts"].items()}
        quota, capacity, now = dict(data["quota"]), dict(data["capacity"]), float(data["now"])
        welcomed = {(pair[0], pair[1]) for pair in data["welcomed"]}
    except (msgspec.DecodeError, LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"This is not a saved state of fakecloud: {error!r}.") from None
    cloud.forget()
    for name, value in facts.items():
        setattr(cloud, name, value)
    cloud.clock.jump(now)
    cloud.accounts, cloud.quota, cloud.capacity = accounts, quota, capacity
    cloud.faults, cloud.welcomed, cloud.regions = known, welcomed, regions
    if any(fault.effect == "stale" for fault in known):
        cloud.remember()
