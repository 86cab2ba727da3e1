"""Whole servers: their state, their time, and many of them in one process."""

import contextlib
import json

import pytest

from fakekube import Clock, Kube, ServerThread
from tests.contract.kube.client import Client, config_map
from tests.contract.kube.test_custom import DEFINITIONS, definition

MAPS = "/api/v1/namespaces/default/configmaps"
GROUP = "worlds.example.com"
WIDGETS = f"/apis/{GROUP}/v1/namespaces/default/widgets"


def live(client):
    """Do a bit of everything."""
    client.must("POST", DEFINITIONS, definition(GROUP))
    head = {"apiVersion": f"{GROUP}/v1", "kind": "Widget"}
    client.must("POST", WIDGETS, head | {"metadata": {"generateName": "w-"}, "spec": {}})
    owner = client.must("POST", MAPS, config_map("owner"))["metadata"]
    row = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner["uid"]}
    client.must("POST", MAPS, config_map("dependent", ownerReferences=[row]))


def uids(client):
    found = [*client.must("GET", WIDGETS)["items"], *client.must("GET", MAPS)["items"]]
    return [(each["metadata"]["name"], each["metadata"]["uid"]) for each in found]


@pytest.mark.fakekube(seed=7)
def test_the_same_seed_makes_the_same_world(fakekube_server, client):
    live(client)
    mine = fakekube_server.control("state", method="GET")
    with ServerThread(Kube(time=Clock(rate=0), seed=7)) as other:
        live(Client("fakekube", other.url, None))
        assert other.control("state", method="GET") == mine


def test_a_world_goes_on_in_another_process(fakekube_server, client):
    live(client)
    text = json.dumps(fakekube_server.control("state", method="GET"))
    with ServerThread(Kube()) as other:
        there = Client("fakekube", other.url, None)
        other.control("state", json.loads(text), method="PUT")
        assert uids(there) == uids(client)
        version = int(there.must("GET", MAPS)["metadata"]["resourceVersion"])
        made = there.must("POST", MAPS, config_map("new"))["metadata"]
        assert int(made["resourceVersion"]) > version
        # Owners are known as well.
        there.must("DELETE", f"{MAPS}/owner")
        other.settle()
        assert not there.has(f"{MAPS}/dependent")


def test_a_watch_sees_a_world_come_and_go(fakekube_server, client):
    client.must("POST", MAPS, config_map("before"))
    state = fakekube_server.control("state", method="GET")
    client.must("POST", MAPS, config_map("after"))
    with client.watch(MAPS, resourceVersion=0) as events:
        found = [next(events) for _ in range(2)]
        fakekube_server.control("state", state, method="PUT")
        found += [next(events) for _ in range(3)]
    told = [(each["type"], each["object"]["metadata"]["name"]) for each in found]
    assert sorted(told[:2]) == [("ADDED", "after"), ("ADDED", "before")]
    assert sorted(told[2:4]) == [("DELETED", "after"), ("DELETED", "before")]
    assert told[4] == ("ADDED", "before")


def test_a_state_that_is_none_is_refused(fakekube_server, client):
    client.must("POST", MAPS, config_map("kept"))
    for state in ({}, {"resourceVersion": 1}, {"resourceVersion": "x", "objects": {}}):
        with pytest.raises(ValueError, match="A state is"):
            fakekube_server.control("state", state, method="PUT")
        assert client.has(f"{MAPS}/kept")


def test_time_stands_still_until_it_is_moved(fakekube_server, client):
    first = client.must("POST", MAPS, config_map("one"))["metadata"]["creationTimestamp"]
    assert first == "2026-01-01T00:00:00Z"
    fakekube_server.control("clock", {"seconds": 3600})
    second = client.must("POST", MAPS, config_map("two"))["metadata"]["creationTimestamp"]
    assert second == "2026-01-01T01:00:00Z"


def test_time_can_be_set_going(fakekube_server):
    fakekube_server.control("clock", {"rate": 1000})
    first = fakekube_server.control("clock", method="GET")["seconds"]
    while fakekube_server.control("clock", method="GET")["seconds"] == first:
        pass


def test_what_has_lived_its_time_is_gone_when_time_moves(fakekube_server, client):
    event = {"metadata": {"name": "e"}, "involvedObject": {"namespace": "default"}}
    path = "/api/v1/namespaces/default/events"
    client.must("POST", path, event)
    with client.watch(path) as events:
        assert next(events)["type"] == "ADDED"
        fakekube_server.control("clock", {"seconds": 3601})
        assert next(events)["type"] == "DELETED"


def test_many_servers_share_nothing():
    with contextlib.ExitStack() as running:
        servers = [running.enter_context(ServerThread(Kube())) for _ in range(8)]
        clients = [Client("fakekube", server.url, None) for server in servers]
        for number, each in enumerate(clients):
            each.must("POST", DEFINITIONS, definition(f"g{number}.example.com"))
            each.must("POST", MAPS, config_map(f"only-{number}"))
        for number, each in enumerate(clients):
            names = [obj["metadata"]["name"] for obj in each.must("GET", MAPS)["items"]]
            assert [name for name in names if name.startswith("only")] == [f"only-{number}"]
            groups = each.ask("GET", "/apis").text
            assert groups.count(".example.com/v1beta1") == 1


def test_a_server_starts_where_another_has_stopped():
    with ServerThread(Kube()) as first:
        port = first.port
    with ServerThread(Kube(), port=port) as second:
        assert second.port == port
        assert Client("fakekube", second.url, None).has("/readyz")
