"""The server without a network: time, faults, state, watches that do not read."""

import json

import pytest

from fakekube import watch
from tests.unit.fakekube.world import World, watched

MAPS = "/api/v1/namespaces/default/configmaps"
MERGE = "application/merge-patch+json"


def config_map(name, **metadata):
    return {"metadata": {"name": name, **metadata}, "data": {"a": "b"}}


@pytest.fixture
def world():
    return World()


def test_two_servers_share_nothing_and_repeat_each_other():
    one, other = World(), World()
    first = one.must("POST", MAPS, config_map("a"))
    assert not other.has(f"{MAPS}/a")
    assert other.must("POST", MAPS, config_map("a")) == first


def test_events_live_for_an_hour(world):
    path = "/api/v1/namespaces/default/events"
    about = {"kind": "Pod", "namespace": "default", "name": "x"}
    world.must("POST", path, {"metadata": {"name": "e"}, "involvedObject": about})
    sink = watched(world, f"{path}?watch=1")
    world.kube.clock.advance(3599)
    assert world.has(f"{path}/e")
    world.kube.clock.advance(2)
    assert not world.has(f"{path}/e")
    assert sink.types == ["ADDED", "DELETED"]


def test_the_collector_is_done_before_the_answer_when_time_is_frozen(world):
    owner = world.must("POST", MAPS, config_map("owner"))["metadata"]
    row = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner["uid"]}
    for number in range(5):
        world.must("POST", MAPS, config_map(f"d{number}", ownerReferences=[row]))
    world.must("DELETE", f"{MAPS}/owner")
    assert world.must("GET", MAPS)["items"] == []


def test_a_slow_watcher_is_dropped(world, monkeypatch):
    monkeypatch.setattr(watch, "BACKLOG_BYTES", 2000)
    slow = watched(world, f"{MAPS}?watch=1", is_reading=False)
    quick = watched(world, f"{MAPS}?watch=1")
    for number in range(20):
        world.must("POST", MAPS, config_map(f"a{number}"))
    assert slow.is_over
    assert len(slow.types) < 15
    assert len(quick.types) == 20
    assert list(world.kube.watches.open_streams) == [quick.stream]


def test_a_vanished_watcher_costs_nothing(world):
    sink = watched(world, f"{MAPS}?watch=1")
    sink.stream.close()
    assert world.kube.store.table("configmaps").watchers == {}
    assert not world.kube.watches.open_streams


def test_an_old_watch_gets_an_error_after_compaction(world):
    world.must("POST", MAPS, config_map("a"))
    world.must("POST", MAPS, config_map("b"))
    world.must("POST", "/_fakekube/compact")
    sink = watched(world, f"{MAPS}?watch=1&resourceVersion=2")
    event = sink.events[0]
    assert (event["type"], event["object"]["code"]) == ("ERROR", 410)
    assert event["object"]["reason"] == "Expired"
    assert sink.is_over


def test_a_page_after_compaction_can_go_on_inconsistently(world):
    for name in "abc":
        world.must("POST", MAPS, config_map(name))
    first = world.must("GET", f"{MAPS}?limit=1")
    world.must("DELETE", f"{MAPS}/c")
    world.must("POST", "/_fakekube/compact")
    answer = world.ask("GET", f"{MAPS}?limit=1&continue={first['metadata']['continue']}")
    problem = json.loads(b"".join(answer.parts))
    assert (problem["code"], problem["reason"]) == (410, "Expired")
    again = world.must("GET", f"{MAPS}?limit=9&continue={problem['metadata']['continue']}")
    assert [each["metadata"]["name"] for each in again["items"]] == ["b"]


def test_bookmarks_come_when_they_are_wanted(world):
    sink = watched(world, f"{MAPS}?watch=1&allowWatchBookmarks=true")
    other = watched(world, f"{MAPS}?watch=1")
    world.must("POST", "/_fakekube/bookmarks")
    assert sink.types == ["BOOKMARK"]
    version = sink.events[0]["object"]["metadata"]["resourceVersion"]
    assert version == str(world.kube.store.rv)
    assert other.types == []


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"effect": "refuse", "code": 503}, 503),
        ({"effect": "refuse", "code": 500}, 500),
        ({"effect": "refuse", "code": 504}, 504),
        ({"effect": "conflict"}, 409),
        ({"effect": "throttle", "retry_after_s": 3}, 429),
        ({"effect": "expire"}, 410),
    ],
)
def test_faults_refuse(world, fault, code):
    world.must("POST", "/_fakekube/faults", {**fault, "verb": "create", "times": 1})
    answer = world.ask("POST", MAPS, config_map("a"))
    assert answer.status == code
    assert (("Retry-After", "3") in answer.headers) is (code == 429)
    assert not world.has(f"{MAPS}/a")
    world.must("POST", MAPS, config_map("a"))


def test_a_lost_answer_was_carried_out(world):
    world.must("POST", "/_fakekube/faults", {"effect": "lose", "resource": "config*"})
    assert world.ask("POST", MAPS, config_map("a")).is_lost
    world.must("DELETE", "/_fakekube/faults")
    assert world.has(f"{MAPS}/a")


def test_faults_strike_by_number_and_chance(world):
    world.kube.faults.add("refuse", verb="get", calls=(2,), code=500)
    world.must("POST", MAPS, config_map("a"))
    assert [world.has(f"{MAPS}/a") for _ in range(3)] == [True, False, True]
    world.kube.faults.clear()
    world.kube.faults.add("refuse", verb="get", probability=0.5, code=500)
    found = [world.has(f"{MAPS}/a") for _ in range(100)]
    assert 20 < sum(found) < 80


def test_watches_can_be_broken_off(world):
    sink = watched(world, f"{MAPS}?watch=1")
    expired = watched(world, "/api/v1/namespaces/default/secrets?watch=1")
    body = {"resource": "secrets", "expired": True}
    assert world.must("POST", "/_fakekube/drop-watches", body) == {"dropped": 1}
    assert (expired.types, expired.is_over, sink.is_broken) == (["ERROR"], True, False)
    world.must("POST", "/_fakekube/drop-watches", {})
    assert sink.is_broken


def test_the_state_goes_to_another_server(world):
    definition = {
        "metadata": {"name": "as.x.io"},
        "spec": {
            "group": "x.io",
            "scope": "Cluster",
            "names": {"plural": "as", "kind": "A"},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": {"type": "object"}},
                }
            ],
        },
    }
    world.must("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition)
    body = {"apiVersion": "x.io/v1", "kind": "A", "metadata": {"name": "one"}}
    made = world.must("POST", "/apis/x.io/v1/as", body)
    state = world.must("GET", "/_fakekube/state")
    other = World()
    other.must("PUT", "/_fakekube/state", state)
    found = other.must("GET", "/apis/x.io/v1/as/one")
    assert found["metadata"]["uid"] == made["metadata"]["uid"]
    other.must("POST", "/_fakekube/reset")
    assert other.ask("GET", "/apis/x.io/v1/as/one").status == 404
    assert other.has("/api/v1/namespaces/default")


def test_the_clock_is_controlled(world):
    world.must("POST", "/_fakekube/clock", {"seconds": 60})
    made = world.must("POST", MAPS, config_map("a"))
    assert made["metadata"]["creationTimestamp"] == "2026-01-01T00:01:00Z"
    assert world.ask("POST", "/_fakekube/clock", {"minutes": 1}).status == 400
    assert world.ask("POST", "/_fakekube/clock", {"seconds": -1}).status == 400


def test_an_unknown_control_says_which_there_are(world):
    answer = world.ask("GET", "/_fakekube/nothing")
    assert answer.status == 404
    assert b"POST /_fakekube/faults" in answer.parts[0]


def test_a_mistake_of_ours_is_an_internal_error(world, monkeypatch, capsys):
    monkeypatch.setattr(world.kube.objects, "answer", None)
    answer = world.ask("GET", MAPS)
    assert answer.status == 500
    assert b"Internal error occurred: TypeError" in answer.parts[0]
    assert "Traceback" in capsys.readouterr().err


def test_leases_are_taken_once(world):
    path = "/apis/coordination.k8s.io/v1/namespaces/default/leases"
    lease = world.must("POST", path, {"metadata": {"name": "l"}, "spec": {"holderIdentity": "a"}})
    lease["spec"]["holderIdentity"] = "b"
    world.must("PUT", f"{path}/l", lease)
    lease["spec"]["holderIdentity"] = "c"
    assert world.ask("PUT", f"{path}/l", lease).status == 409
