"""The doors of fakecloud: one suite runs over every one of them."""

import contextlib
import dataclasses
import http.client
import json

import pytest
import requests

from fakecloud import ApiError, FakeCloud, FakeCloudAdapter, ServerThread, gateway, mock_outscale


class RefusedError(Exception):
    """A refusal, whatever door it came through."""

    def __init__(self, status, error, request_id):
        super().__init__(f"{error['Type']} {error['Code']} ({status}): {error['Details']}")
        self.status = status
        self.code = error["Code"]
        self.type = error["Type"]
        self.details = error["Details"]
        self.request_id = request_id


@dataclasses.dataclass
class Door:
    """One way into a cloud: ``call(action, **request)`` answers or raises ``RefusedError``."""

    name: str
    cloud: FakeCloud
    call: object
    is_http: bool = True


def sdk(client):
    """Call through osc-sdk-python, without its own checks, so that the cloud has to check."""

    def call(action, **request):
        try:
            return client.raw(action, **request)
        except requests.HTTPError as error:
            body = error.response.json()
            raise RefusedError(
                error.response.status_code,
                body["Errors"][0],
                body["ResponseContext"]["RequestId"],
            ) from None

    return call


@contextlib.contextmanager
def direct(cloud):
    def call(action, **request):
        try:
            return cloud.call(action, **request)
        except ApiError as error:
            raise RefusedError(error.status, error.body()[0], error.request_id) from None

    yield call


@contextlib.contextmanager
def adapter(cloud):
    with gateway(cloud, mode="verify") as client:
        yield sdk(client)


@contextlib.contextmanager
def bare_adapter(cloud):
    session = requests.Session()
    session.mount("https://api.", FakeCloudAdapter(cloud))

    def call(action, **request):
        url = f"https://api.{cloud.region}.outscale.com/api/v1/{action}"
        return read(session.post(url, json=request))

    with session:
        yield call


def read(response):
    body = response.json()
    if response.status_code != 200:
        raise RefusedError(
            response.status_code, body["Errors"][0], body["ResponseContext"]["RequestId"]
        )
    return body


@contextlib.contextmanager
def mock(cloud):
    from osc_sdk_python import Gateway

    with mock_outscale(cloud=cloud, mode="verify"), Gateway(max_retries=0) as client:
        yield sdk(client)


@contextlib.contextmanager
def server(cloud):
    keys = cloud.accounts[cloud.account]
    with (
        ServerThread(cloud, mode="verify") as running,
        gateway(
            endpoint=running.endpoint, access_key=keys[0], secret_key=keys[1], region=cloud.region
        ) as client,
    ):
        yield sdk(client)


@contextlib.contextmanager
def plain_http(cloud):
    with ServerThread(cloud) as running:
        connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=30)

        def call(action, **request):
            connection.request("POST", f"/api/v1/{action}", json.dumps(request))
            response = connection.getresponse()
            body = json.loads(response.read())
            if response.status != 200:
                raise RefusedError(
                    response.status, body["Errors"][0], body["ResponseContext"]["RequestId"]
                )
            return body

        with contextlib.closing(connection):
            yield call


DOORS = [direct, adapter, bare_adapter, mock, server, plain_http]


@pytest.fixture(params=DOORS, ids=[door.__name__ for door in DOORS])
def door(request):
    cloud = FakeCloud(seed=7)
    with request.param(cloud) as call:
        yield Door(request.param.__name__, cloud, call, request.param is not direct)
