"""What goes wrong on purpose, as a client over HTTP meets it."""

import http.client
import time

import pytest

from tests.contract.kube.client import config_map

MAPS = "/api/v1/namespaces/default/configmaps"


@pytest.mark.parametrize(
    ("fault", "code", "reason"),
    [
        ({"effect": "refuse", "code": 500}, 500, "InternalError"),
        ({"effect": "refuse", "code": 503}, 503, "ServiceUnavailable"),
        ({"effect": "refuse", "code": 504}, 504, "Timeout"),
        ({"effect": "conflict"}, 409, "Conflict"),
        ({"effect": "throttle"}, 429, "TooManyRequests"),
        ({"effect": "expire"}, 410, "Expired"),
    ],
)
def test_a_fault_is_a_refusal_like_a_real_one(fakekube_server, client, fault, code, reason):
    fakekube_server.control("faults", {**fault, "verb": "list", "resource": "configmaps"})
    problem = client.refused("GET", MAPS)
    assert (problem["code"], problem["reason"]) == (code, reason)
    assert client.has("/api/v1/namespaces/default/secrets")


def test_a_storm_of_conflicts_ends_after_its_time(fakekube_server, client):
    client.must("POST", MAPS, config_map("one"))
    storm = {"effect": "conflict", "verb": "patch", "name": "one", "times": 3}
    fakekube_server.control("faults", storm)
    change = {"data": {"a": "c"}}
    codes = [client.ask("PATCH", f"{MAPS}/one", change).code for _ in range(5)]
    assert codes == [409, 409, 409, 200, 200]
    assert fakekube_server.control("faults", method="GET")[0]["hits"] == 3


def test_whoever_is_throttled_is_told_for_how_long(fakekube_server, client):
    fakekube_server.control("faults", {"effect": "throttle", "retry_after_s": 7})
    answer = client.ask("GET", MAPS)
    assert dict(answer.headers)["Retry-After"] == "7"
    assert answer.body["details"]["retryAfterSeconds"] == 7


def test_an_answer_can_be_late(fakekube_server, client):
    fakekube_server.control("faults", {"effect": "delay", "seconds": 0.2, "verb": "get"})
    started = time.monotonic()
    client.must("GET", "/api/v1/namespaces/default")
    assert time.monotonic() - started >= 0.2


def test_others_are_served_while_an_answer_is_late(fakekube_server, client):
    fakekube_server.control("faults", {"effect": "delay", "seconds": 30, "name": "slow"})
    waiting = client.connect()
    waiting.request("GET", f"{MAPS}/slow")
    client.must("POST", MAPS, config_map("quick"))
    waiting.close()


@pytest.mark.parametrize(("effect", "is_done"), [("drop", False), ("lose", True)])
def test_a_connection_breaks_before_or_after_the_work(fakekube_server, client, effect, is_done):
    fakekube_server.control("faults", {"effect": effect, "verb": "create", "times": 1})
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        client.ask("POST", MAPS, config_map("one"))
    assert client.has(f"{MAPS}/one") is is_done


def test_a_watch_can_be_dropped(fakekube_server, client):
    client.must("POST", MAPS, config_map("one"))
    with client.watch(MAPS) as events:
        assert next(events)["type"] == "ADDED"
        assert fakekube_server.control("drop-watches", {"resource": "configmaps"})["dropped"] == 1
        with pytest.raises((http.client.IncompleteRead, ConnectionResetError, StopIteration)):
            next(events)


def test_a_watch_can_expire(fakekube_server, client):
    first = client.must("POST", MAPS, config_map("one"))["metadata"]["resourceVersion"]
    client.must("POST", MAPS, config_map("two"))
    with client.watch(MAPS, resourceVersion=first) as events:
        assert next(events)["object"]["metadata"]["name"] == "two"
        fakekube_server.control("compact")
        fakekube_server.control("drop-watches", {"expired": True})
        assert next(events)["object"]["code"] == 410
    with client.watch(MAPS, resourceVersion=first) as events:
        found = next(events)
    assert (found["type"], found["object"]["reason"]) == ("ERROR", "Expired")
    assert client.events(MAPS, 2) == [("ADDED", "one"), ("ADDED", "two")]


def test_faults_are_lifted_one_by_one(fakekube_server, client):
    one = fakekube_server.control("faults", {"effect": "refuse", "verb": "get"})["id"]
    fakekube_server.control("faults", {"effect": "refuse", "verb": "list"})
    fakekube_server.control("faults", {"id": one}, method="DELETE")
    assert client.has("/api/v1/namespaces/default")
    assert not client.has(MAPS)


@pytest.mark.parametrize("fault", [{"effect": "burn"}, {"effect": "drop", "probability": 2}, {}])
def test_a_fault_that_is_none_is_refused(fakekube_server, fault):
    with pytest.raises(ValueError, match=r"effect|probability"):
        fakekube_server.control("faults", fault)
