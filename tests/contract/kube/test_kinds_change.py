"""Changes of the built-in kinds, side by side: what may change of an object, and what may not."""

import itertools
import json

import pytest

from tests.contract.kube import built_in, sides
from tests.contract.kube.client import eventually
from tests.contract.kube.test_kinds import DRY, FIRST, identity

pytestmark = pytest.mark.tools(*sides.TOOLS)
both = sides.both


@pytest.fixture(scope="module")
def installed(both):
    built_in.install(both)
    yield both
    built_in.remove(both)


@pytest.mark.parametrize("case", built_in.read("updates.json"))
def test_the_servers_refuse_the_same_changes(installed, case):
    kind, part, changes = json.loads(case)
    where = built_in.path(FIRST[kind])
    found = []
    for client in installed:
        live = client.must("GET", where)
        found.append(client.ask("PUT", where + part, built_in.changed(live, changes), **DRY))
    ours, theirs = found
    assert ours.code == theirs.code, (ours, theirs)
    if ours.code == 200:
        assert not sides.differences(identity(ours.body), identity(theirs.body))
    else:
        assert not sides.differences(sides.normal(ours.body), sides.normal(theirs.body))


@pytest.mark.parametrize(
    ("kind", "change", "text"),
    [
        ("Pod", ["spec.nodeName", "x"], "spec: Forbidden: pod updates may not change fields"),
        ("PersistentVolume", ["spec.hostPath.path", "/x"], "is immutable after creation"),
        ("PersistentVolumeClaim", ["spec.accessModes", ["ReadWriteMany"]], "spec is immutable"),
        ("Job", ["spec.template.spec.containers.0.image", "x"], "spec.template: Invalid value"),
    ],
)
def test_only_the_real_server_shows_how_a_fixed_part_has_changed(installed, kind, change, text):
    where = built_in.path(FIRST[kind])
    found = []
    for client in installed:
        live = client.must("GET", where)
        found.append(client.refused("PUT", where, built_in.changed(live, [change]), **DRY))
    ours, theirs = found
    assert text in ours["message"]
    assert text in theirs["message"]
    assert len(ours["message"]) < len(theirs["message"])


def test_only_the_real_server_tells_when_the_phase_of_a_volume_changed(both):
    spec = {
        "capacity": {"storage": "1Gi"},
        "accessModes": ["ReadWriteOnce"],
        "hostPath": {"path": "/x"},
    }
    volumes = "/api/v1/persistentvolumes"
    for client in both:
        made = client.must("POST", volumes, {"metadata": {"name": "phased"}, "spec": spec})
        first = made["metadata"]["creationTimestamp"]
        phases = itertools.cycle(["Available", "Failed"])

        def is_later(client=client, phases=phases, first=first):
            change = {"status": {"phase": next(phases)}}
            found = client.must("PATCH", f"{volumes}/phased/status", change)
            return found["status"]["lastPhaseTransitionTime"] > first

        if client.is_real:
            eventually(is_later)
        else:
            assert not any(is_later() for _ in range(4))
        client.must("DELETE", f"{volumes}/phased")
