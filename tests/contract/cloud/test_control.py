"""The control API over HTTP: time, faults, quotas, journal, state."""

import json

import pytest
import requests

from fakecloud import FakeCloud, ServerThread

ROOT = "/_fakecloud"


@pytest.fixture
def server():
    with ServerThread(FakeCloud()) as running:
        yield running


@pytest.fixture
def control(server):
    session = requests.Session()
    session.trust_env = False

    def ask(method, path, body=None):
        response = session.request(method, f"{server.url}{ROOT}/{path}", json=body)
        return response.status_code, response.json()

    with session:
        yield ask


def test_health_tells_what_is_there(server, control):
    server.cloud.call("CreateNet", IpRange="10.0.0.0/16")
    status, health = control("GET", "health")
    assert status == 200
    assert (health["status"], health["region"]) == ("ok", "eu-west-2")
    assert health["rows"]["Net"] == 1


def test_the_clock_is_stepped(control):
    before = control("GET", "clock")[1]["seconds"]
    assert control("POST", "clock", {"seconds": 3})[1]["seconds"] == before + 3
    assert control("POST", "clock", {"rate": 60})[1]["rate"] == 60
    assert control("POST", "clock", {"rate": 0})[1]["rate"] == 0
    assert control("POST", "clock", {"seconds": -1})[0] == 400
    assert control("POST", "clock", {"hours": 1})[0] == 400
    assert control("POST", "clock", {})[0] == 400


def test_faults_are_set_listed_and_lifted(server, control):
    status, fault = control("POST", "faults", {"effect": "refuse", "action": "ReadNets", "code": 6})
    assert status == 200
    response = requests.post(f"{server.endpoint}/ReadNets", timeout=30)
    assert (response.status_code, response.json()["Errors"][0]["Code"]) == (503, "6")
    assert [each["id"] for each in control("GET", "faults")[1]] == [fault["id"]]
    assert control("DELETE", f"faults/{fault['id']}")[0] == 200
    assert control("GET", "faults")[1] == []
    assert control("POST", "faults", {"effect": "explode"})[0] == 400
    assert control("POST", "faults", {"effect": "refuse", "colour": "red"})[0] == 400


def test_the_journal_is_read_and_cleared(server, control):
    server.cloud.call("CreateNet", IpRange="10.0.0.0/16")
    server.cloud.call("ReadNets")
    assert [each["action"] for each in control("GET", "journal")[1]] == ["CreateNet", "ReadNets"]
    assert len(control("GET", "journal?action=ReadNets")[1]) == 1
    control("DELETE", "journal")
    assert control("GET", "journal")[1] == []


def test_the_state_is_saved_and_loaded(server, control):
    net = server.cloud.call("CreateNet", IpRange="10.0.0.0/16")["Net"]
    state = control("GET", "state")[1]
    control("POST", "reset")
    assert server.cloud.call("ReadNets")["Nets"] == []
    assert control("PUT", "state", state)[0] == 200
    assert server.cloud.call("ReadNets")["Nets"] == [net]
    assert control("PUT", "state", {"version": 99})[0] == 400
    assert server.cloud.call("ReadNets")["Nets"] == [net]


def test_quotas_capacity_and_accounts_are_set(server, control):
    control("POST", "quota", {"quota": {"vpc_limit": 1}})
    server.cloud.call("CreateNet", IpRange="10.0.0.0/16")
    response = requests.post(
        f"{server.endpoint}/CreateNet", data=json.dumps({"IpRange": "10.1.0.0/16"}), timeout=30
    )
    assert response.json()["Errors"][0]["Code"] == "10022"
    assert control("POST", "capacity", {"subregion": "eu-west-2a", "without": ["*"]})[0] == 200
    added = control("POST", "accounts", {"account": "111122223333"})[1]
    assert added["account"] == "111122223333"
    assert len(added["access_key"]) == 20
    assert {each["account"] for each in control("GET", "accounts")[1]} >= {"111122223333"}


def test_an_unknown_path_says_what_there_is(control):
    status, answer = control("GET", "nothing")
    assert status == 404
    assert "/_fakecloud/health" in answer["error"]
