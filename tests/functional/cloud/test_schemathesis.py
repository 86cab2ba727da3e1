"""Requests that Schemathesis makes from the document, valid and not, for every action.

Whatever is asked, the answer is one that the document knows: never a 5xx but the refusal (501) of
what is not simulated, never half an answer, and the server goes on.
"""

import contextlib
import http.client
import json

import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase

from fakecloud import FakeCloud, ServerThread
from tests.functional.cloud import shapes, tour, world

VALID, INVALID = schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE
# How many requests of each sort are made for each action. Making them is what takes the time.
SIZES = {VALID: 3, INVALID: 2}
STATUSES = {200, 400, 401, 403, 404, 409, 424, 501}
NOTHING = schemathesis.core.NOT_SET
# Values of the world, by the name of the field that takes them.
KNOWN = {
    "AccessKeyId": "ABCDEFGHIJ0123456789",
    "CaIds": "ca-fedcba0987654321fedcba0987654321",
    "DeviceName": "/dev/sdc",
    "GatewayId": "igw-12345678",
    "ImageId": "ami-12345678",
    "InternetServiceId": "igw-12345678",
    "IpRange": "10.0.0.0/24",
    "KeypairName": "keypair-example",
    "LoadBalancerName": "example-lbu",
    "LoadBalancerNames": "example-lbu",
    "NetId": "vpc-12345678",
    "NicId": "eni-12345678",
    "PolicyOrn": world.POLICY_ORN,
    "PublicIp": "192.0.2.0",
    "PublicIpId": "eipalloc-12345678",
    "ResourceIds": "i-12345678",
    "RouteTableId": "rtb-12345678",
    "SecurityGroupId": "sg-12345678",
    "SecurityGroupIds": "sg-12345678",
    "SnapshotId": "snap-12345678",
    "SubnetId": "subnet-12345678",
    "SubregionName": "eu-west-2a",
    "UserGroupName": "example-usergroup",
    "UserName": "example-user",
    "VirtualGatewayId": "vgw-12345678",
    "VmId": "i-12345678",
    "VmIds": "i-12345678",
    "VmType": "tinav5.c1r1p2",
    "VolumeId": "vol-12345678",
    "VpnConnectionId": "vpn-12345678",
}


@pytest.fixture(scope="module")
def operations():
    made = schemathesis.openapi.from_dict(shapes.BOOK.raw)
    found = [each.ok() for each in made.get_all_operations()]
    return {each.path.lstrip("/"): each for each in found}


@pytest.fixture(scope="module")
def server():
    with ServerThread(FakeCloud()) as running:
        yield running


@pytest.fixture
def connection(server):
    server.cloud.load(world.saved("joined").encode())
    made = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    with contextlib.closing(made):
        yield made


def written(body):
    """Return the body of a request as bytes."""
    if body is NOTHING:
        return b""
    return body if isinstance(body, bytes) else json.dumps(body).encode()


def informed(body, key=""):
    """Return a body in which fields name what exists: what names nothing is refused at once."""
    if isinstance(body, dict):
        return {name: informed(item, name) for name, item in body.items()}
    if isinstance(body, list):
        return [informed(item, key) for item in body]
    return KNOWN.get(key, body) if isinstance(body, str) else body


def send(connection, action, body):
    """Make a request; return the status and the JSON of the answer."""
    headers = {"Content-Type": "application/json"}
    connection.request("POST", f"/api/v1/{action}", written(body), headers)
    response = connection.getresponse()
    return response.status, json.loads(response.read())


def check(action, body, status, answer):
    """Check that an answer is one that the document knows."""
    assert status in STATUSES, f"{action} {body}: {answer}"
    if status == 200:
        assert shapes.problems(shapes.BOOK.actions[action].response, answer) == []
        assert not is_unfit(action, body), f"{body} does not fit {action}, and was not refused"
        return
    assert shapes.problems("ErrorResponse", answer) == []
    assert set(answer) == {"Errors", "ResponseContext"}
    assert [set(error) for error in answer["Errors"]] == [{"Code", "Details", "Type"}]
    if status == 501:
        assert answer["Errors"][0]["Details"].startswith("fakecloud does not simulate ")


def is_unfit(action, body):
    """Tell whether a body breaks the structure of the document."""
    if body is NOTHING:
        body = {}
    if isinstance(body, bytes):
        return body not in (b"", b"{}")
    schema = shapes.validator(shapes.BOOK.actions[action].request)
    # Only structure is looked at here; and a tag may do without its value (vendor's tests).
    return any(
        error.schema_path[-1] in ("type", "required", "additionalProperties", "enum")
        and "Tags" not in map(str, error.instance_path)
        for error in schema.iter_errors(body)
    )


@pytest.mark.parametrize("action", sorted(shapes.BOOK.actions))
def test_any_request_gets_an_answer_that_the_document_knows(action, operations, connection):
    for mode, size in SIZES.items():

        @hypothesis.settings(
            max_examples=size,
            derandomize=True,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @hypothesis.given(case=operations[action].as_strategy(generation_mode=mode))
        def ask(case):
            for body in (case.body, informed(case.body)):
                check(action, body, *send(connection, action, body))

        ask()
    assert send(connection, "ReadRegions", {})[0] == 200
    assert_healthy(connection)


def assert_healthy(connection):
    connection.request("GET", "/_fakecloud/health")
    response = connection.getresponse()
    assert response.status == 200
    assert json.loads(response.read())["status"] == "ok"


def test_after_all_of_it_everything_can_still_be_read(server, connection):
    answers = tour.everything(server.cloud)
    assert [action for action, answer in answers.items() if "refused" in answer] == []
    assert_healthy(connection)
