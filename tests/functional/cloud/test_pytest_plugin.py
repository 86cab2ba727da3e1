"""The pytest plugin in a project of its own: its fixtures, and the mark for their options."""

import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
TESTS = """
import pytest
import requests
from osc_sdk_python import Gateway


def test_the_cloud(fakecloud):
    assert fakecloud.clock.rate == 0
    assert fakecloud.call("ReadNets")["Nets"] == []


def test_the_mock(outscale):
    with Gateway(max_retries=0) as client:
        client.CreateNet(IpRange="10.0.0.0/16")
    assert len(outscale.call("ReadNets")["Nets"]) == 1


def test_the_gateway(osc_gateway, fakecloud):
    osc_gateway.CreateNet(IpRange="10.0.0.0/16")
    assert fakecloud.journal.actions() == ["CreateNet"]


@pytest.mark.fakecloud(rate=60, seed=7, region="us-east-2")
def test_the_server(fakecloud_server, fakecloud):
    assert (fakecloud.clock.rate, fakecloud.seed) == (60, 7)
    answer = requests.post(fakecloud_server.endpoint + "/ReadSubregions", json={}).json()
    assert answer["Subregions"][0]["SubregionName"] == "us-east-2a"
"""


def test_its_fixtures_work_in_another_project(tmp_path):
    (tmp_path / "test_project.py").write_text(TESTS)
    command = [sys.executable, "-W", "error", "-m", "pytest", "-q", "--strict-markers"]
    if "fakecloud.pytest_plugin" not in sys.modules:
        command += ["-p", "fakecloud.pytest_plugin"]  # The package is not installed here.
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "4 passed" in done.stdout, done.stdout + done.stderr
