"""Samples of the built-in kinds on both servers, and changes that are wrong."""

import json
import pathlib

import yaml

from fakekube import kinds
from tests.contract.kube.client import eventually

OBJECTS = pathlib.Path(__file__).parent / "objects"
MISSING = "DEL"


def samples():
    return list(yaml.safe_load_all((OBJECTS / "samples.yaml").read_text()))


def by_kind():
    found = {}
    for sample in samples():
        found.setdefault(sample["kind"], sample)
    return found


def states():
    return yaml.safe_load((OBJECTS / "states.yaml").read_text())


def read(name):
    return [json.dumps(case) for case in json.loads((OBJECTS / name).read_text())]


def collection(sample):
    """Return the path where an object is created."""
    group, _, version = sample["apiVersion"].rpartition("/")
    row = next(
        row
        for a_group, a_version, rows in kinds.rows()
        for row in rows
        if (a_group, a_version, row[2]) == (group, version, sample["kind"])
    )
    root = f"/apis/{group}/{version}" if group else f"/api/{version}"
    place = "/namespaces/default" if row[3].startswith("N") else ""
    return f"{root}{place}/{row[0]}"


def path(sample):
    return f"{collection(sample)}/{sample['metadata']['name']}"


def changed(obj, changes):
    """Return a copy with other values at dotted paths."""
    found = json.loads(json.dumps(obj))
    for place, value in changes:
        *parents, last = [int(key) if key.isdigit() else key for key in place.split(".")]
        inner = found
        for key in parents:
            inner = inner[key] if isinstance(key, int) else inner.setdefault(key, {})
        if value == MISSING:
            del inner[last]
        else:
            inner[last] = value
    return found


def install(clients):
    """Create all samples on all servers, with what a controller would say about them."""
    for client in clients:
        for sample in samples():
            client.must("POST", collection(sample), sample)
        for state in states():
            api_version, kind, name = state["of"]
            where = path({"apiVersion": api_version, "kind": kind, "metadata": {"name": name}})
            live = client.must("GET", where)
            client.must("PUT", f"{where}/status", {**live, "status": state["status"]})


def remove(clients):
    """Delete all samples, and wait until the last one is gone."""
    for client in clients:
        for sample in reversed(samples()):
            where = path(sample)
            if sample["kind"] != "Namespace":
                client.ask("PATCH", where, {"metadata": {"finalizers": None}})
            client.ask("DELETE", where, gracePeriodSeconds=0, propagationPolicy="Background")
    for client in clients:
        for sample in samples():
            where = path(sample)
            eventually(lambda at=where, by=client: not by.has(at), within_s=90)
