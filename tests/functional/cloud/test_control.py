"""The control API and the doors refuse nonsense in a sentence, and work on afterwards."""

import pytest
import requests

from fakecloud import FakeCloud, ServerThread


@pytest.fixture(name="cloud")
def _cloud():
    return FakeCloud()


@pytest.fixture(name="server")
def _server(cloud):
    with ServerThread(cloud, mode="verify") as server:
        yield server


def ask(server, verb, path, **body):
    return requests.request(verb, f"{server.url}/_fakecloud/{path}", timeout=10, **body)


NONSENSE = [
    ("clock", {"seconds": 1e308}, "past the year 9000"),
    ("clock", {"seconds": "x"}, "Expected `float"),
    ("clock", {"rate": -1}, "Use 0 or more"),
    ("clock", {"hours": 1}, "unknown field `hours`"),
    ("clock", {}, "to step"),
    ("clock", [1], "is a JSON object"),
    ("faults", {}, "one of refuse"),
    ("faults", {"effect": "refuse", "code": "x"}, "Expected `int`"),
    ("faults", {"effect": "delay", "action": 5}, "No action is called"),
    ("faults", {"effect": "refuse", "verb": "x"}, "has no verb"),
    ("quota", {"quota": 5}, "Expected `object`"),
    ("quota", {"quota": {"vpc_limit": "x"}}, "Expected `int`"),
    ("quota", {"quota": {"vpc_limit": 1, "x": 1}}, "There is no quota 'x'"),
    ("capacity", {"subregion": "mars", "without": []}, "There is no subregion"),
    ("capacity", {"subregion": "eu-west-2a", "without": "*"}, "Expected `array`"),
    ("accounts", {"account": 5}, "Expected `str`"),
    ("accounts", {"account": "me"}, "Use 12 digits"),
    ("metadata", {}, "missing required field `vm`"),
    ("metadata", {"vm": "i-12345678"}, "There is no VM"),
    ("metadata", {"vm": "i-12345678", "port": 99999}, "<= 65535"),
]


@pytest.mark.parametrize(("path", "body", "said"), NONSENSE)
def test_nonsense_is_refused_and_changes_nothing(server, cloud, path, body, said):
    before = cloud.save()
    answer = ask(server, "POST", path, json=body)
    assert (answer.status_code, said in answer.json()["error"]) == (400, True), answer.text
    assert cloud.save() == before
    assert ask(server, "GET", "health").json()["status"] == "ok"


def test_a_taken_port_of_a_metadata_listener_is_told(server, cloud):
    image = cloud.call("ReadImages")["Images"][0]["ImageId"]
    vm = cloud.call("CreateVms", ImageId=image)["Vms"][0]["VmId"]
    answer = ask(server, "POST", "metadata", json={"vm": vm, "port": server.port})
    assert (answer.status_code, "No listener" in answer.json()["error"]) == (400, True)


def test_health_counts_rows_without_dumping_them(server, cloud, monkeypatch):
    cloud.call("CreateNet", IpRange="10.0.0.0/16")
    monkeypatch.setattr("fakecloud.state.dump", None)
    assert ask(server, "GET", "health").json()["rows"]["Net"] == 1


def test_a_reset_ends_lock_outs(server):
    key = "FAKECLOUDACCESSKEY01"
    wrong = (
        f"OSC4-HMAC-SHA256 Credential={key}/20260101/x/y/osc4_request, "
        f"SignedHeaders=host, Signature={'0' * 64}"
    )

    def code():
        headers = {"Authorization": wrong, "X-Osc-Date": "20260101T000000Z"}
        url = f"{server.endpoint}/ReadNets"
        return requests.post(url, headers=headers, timeout=10).json()["Errors"][0]["Code"]

    assert [code() for _ in range(5)] == ["1", "1", "1", "1", "13"]
    ask(server, "POST", "reset")
    assert code() == "1"


def test_a_form_without_an_action_is_no_internal_error(cloud):
    with ServerThread(cloud) as server:
        answer = requests.post(server.url, data={"XAction": "x"}, timeout=10)
    assert (answer.status_code, "InvalidAction" in answer.text) == (400, True)


def test_refusals_at_the_door_have_request_ids_of_their_own(server):
    answers = [requests.post(f"{server.endpoint}/ReadNets", timeout=10).json() for _ in range(3)]
    assert len({answer["ResponseContext"]["RequestId"] for answer in answers}) == 3


def test_the_date_of_a_signature_may_be_any_nonsense(server):
    headers = {
        "Authorization": "AWS4-HMAC-SHA256 Credential=FAKECLOUDACCESSKEY01/x/y/z/aws4_request, "
        f"SignedHeaders=host;date, Signature={'0' * 64}",
        "Date": "Mon, 01 Jan 0001 00:00:00 +2359",
    }
    answer = requests.post(f"{server.endpoint}/ReadNets", headers=headers, timeout=10)
    assert answer.json()["Errors"][0]["Code"] == "1"
