"""``mock_outscale`` and ``gateway``: nothing of a test may reach the real cloud."""

import json
import os
import unittest

import pytest
import requests
from osc_sdk_python import Gateway

from fakecloud import Clock, FakeCloud, gateway, mock_outscale

URL = "https://api.eu-west-2.outscale.com/api/v1/"
NOWHERE = "http://127.0.0.1:9/api/v1"


@pytest.fixture(name="profile")
def _profile(tmp_path, monkeypatch):
    """Let the user have a profile with credentials and an endpoint of its own."""
    path = tmp_path / "config.json"
    mine = {"access_key": "MINE", "secret_key": "MINE", "endpoints": {"api": NOWHERE}}
    path.write_text(json.dumps({"default": mine, "prod": mine}))
    monkeypatch.setattr("osc_sdk_python.credentials.STD_PATH", str(path))
    monkeypatch.setenv("OSC_LOGIN", "me@example.com")
    monkeypatch.setenv("OSC_PASSWORD", "mine")
    monkeypatch.setenv("OSC_ENDPOINT_API", NOWHERE)


@pytest.mark.usefixtures("profile")
@pytest.mark.parametrize("options", [{}, {"profile": "prod"}])
def test_credentials_and_endpoints_of_the_user_are_not_used(options):
    with mock_outscale(mode="verify") as cloud, Gateway(max_retries=0, **options) as client:
        client.ReadNets()
        assert [entry.access_key for entry in cloud.journal] == [cloud.accounts[cloud.account][0]]
    assert os.environ["OSC_LOGIN"] == "me@example.com"


@pytest.mark.usefixtures("profile")
def test_a_gateway_asks_neither_environment_nor_profile():
    cloud = FakeCloud()
    with gateway(cloud, mode="verify") as client:
        client.ReadNets()
    assert cloud.journal.actions() == ["ReadNets"]


@pytest.mark.parametrize("verb", ["DELETE", "GET", "HEAD", "PATCH", "PUT"])
def test_no_method_reaches_the_real_cloud(verb):
    with mock_outscale():
        assert requests.request(verb, URL + "ReadNets", timeout=5).status_code == 405


def test_a_delay_is_waited_for():
    waited = []
    cloud = FakeCloud(clock=Clock(rate=1.0, sleep=waited.append))
    cloud.fail("delay", seconds=3)
    with mock_outscale(cloud=cloud):
        requests.post(URL + "ReadNets", timeout=5)
    assert waited == [3]


@mock_outscale
class TestOfUnittest(unittest.TestCase):
    """The set-up, the test and the tear-down share one cloud, as with moto."""

    def setUp(self):
        self.client = Gateway(max_retries=0)
        self.client.CreateNet(IpRange="10.0.0.0/16")

    def tearDown(self):
        assert len(self.client.ReadNets()["Nets"]) == 1

    def test_it_has_its_own_cloud(self):
        assert len(self.client.ReadNets()["Nets"]) == 1

    def test_it_is_handed_the_cloud(self, cloud):
        assert cloud.journal.actions() == ["CreateNet"]


@mock_outscale(rate=0)
class TestOfPytest:
    """The same, as pytest spells it."""

    def setup_method(self):
        self.client = Gateway(max_retries=0)
        self.client.CreateNet(IpRange="10.0.0.0/16")

    def teardown_method(self, method):
        assert method.__name__.startswith("test_")
        assert len(self.client.ReadNets()["Nets"]) == 1

    def test_it_has_its_own_cloud(self):
        assert len(self.client.ReadNets()["Nets"]) == 1

    def test_it_is_handed_the_cloud(self, cloud):
        assert cloud.journal.actions() == ["CreateNet"]


@mock_outscale
class TestWithoutSetUp:
    """Each test starts from nothing."""

    def test_one(self, cloud):
        cloud.call("CreateNet", IpRange="10.0.0.0/16")
        assert len(cloud.call("ReadNets")["Nets"]) == 1

    test_two = test_one


@pytest.fixture(name="net")
@mock_outscale
def _net(cloud):
    with Gateway(max_retries=0) as client:
        client.CreateNet(IpRange="10.0.0.0/16")
        yield client
        assert cloud.journal.actions() == ["CreateNet", "ReadNets"]


def test_a_fixture_stays_mocked_until_its_end(net):
    assert len(net.ReadNets()["Nets"]) == 1


def test_the_inner_one_of_two_answers():
    with mock_outscale() as outer:
        outer.call("CreateNet", IpRange="10.0.0.0/16")
        with mock_outscale():
            assert requests.post(URL + "ReadNets", timeout=5).json()["Nets"] == []
        assert len(requests.post(URL + "ReadNets", timeout=5).json()["Nets"]) == 1


def test_a_coroutine_is_refused():
    async def test_net():
        """Never called."""

    with pytest.raises(TypeError, match="as a context manager inside"):
        mock_outscale(test_net)
