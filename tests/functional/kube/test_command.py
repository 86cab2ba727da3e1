"""The command `fakekube`, and the pytest plugin in a project of its own."""

import contextlib
import json
import os
import pathlib
import socket
import subprocess
import sys

import pytest
from click.testing import CliRunner

from fakekube import cli
from tests.contract.kube.client import Client, config_map

ROOT = pathlib.Path(__file__).resolve().parents[3]
MAPS = "/api/v1/namespaces/default/configmaps"
TESTS = """
import json
import urllib.request

import pytest


def ask(server, path):
    with urllib.request.urlopen(server.url + path) as answer:
        return json.load(answer)


def test_the_server(fakekube, fakekube_server):
    assert fakekube.clock.is_frozen
    assert ask(fakekube_server, "/api/v1/pods")["items"] == []


@pytest.mark.fakekube(use_rbac=True, seed=7)
def test_its_options(fakekube_server):
    with pytest.raises(urllib.error.HTTPError) as caught:
        ask(fakekube_server, "/api/v1/pods")
    assert caught.value.code == 403
    caught.value.close()


def test_its_control(fakekube_server):
    fakekube_server.control("clock", {"seconds": 60})
    assert fakekube_server.control("clock", method="GET")["now"] == "2026-01-01T00:01:00Z"
"""


def test_the_fixtures_work_in_another_project(tmp_path):
    (tmp_path / "test_project.py").write_text(TESTS)
    command = [sys.executable, "-W", "error", "-m", "pytest", "-q", "--strict-markers"]
    if "fakekube.pytest_plugin" not in sys.modules:
        command += ["-p", "fakekube.pytest_plugin"]  # The package is not installed here.
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "3 passed" in done.stdout, done.stdout + done.stderr


@contextlib.contextmanager
def started(*flags):
    command = [sys.executable, "-m", "fakekube", "--port", "0", *map(str, flags)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        yield Client("fakekube", process.stderr.readline().split()[-1], None)
        process.terminate()
        assert process.wait(10) == 0


def test_a_state_outlives_the_command(tmp_path):
    state = tmp_path / "state.json"
    with started("--state", state, "--rate", 0) as client:
        made = client.must("POST", MAPS, config_map("one"))
        client.must("POST", "/_fakekube/clock", {"seconds": 60})
    with started("--state", state, "--rate", 0) as client:
        assert client.must("GET", f"{MAPS}/one")["metadata"]["uid"] == made["metadata"]["uid"]
        second = client.must("POST", MAPS, config_map("two"))["metadata"]
        assert second["creationTimestamp"] == "2026-01-01T00:01:00Z"


def test_the_kubeconfig_is_for_its_owner_only(tmp_path):
    path = tmp_path / "kubeconfig"
    with started("--tls", "--kubeconfig", path) as client:
        assert client.url.startswith("https://")
        assert path.stat().st_mode & 0o777 == 0o600
        assert json.loads(path.read_text())["clusters"][0]["cluster"]["server"] == client.url


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        (["--service", "web"], "--service web is not of the form NAMESPACE/NAME=HOST:PORT."),
        (["--rate", "-1"], "The rate of a clock is -1.0"),
        (["--state", "{folder}/state"], "state holds no state. A state is {"),
        (["--state", "{folder}/text"], "text holds no state. Expecting value"),
        (["--kubeconfig", "{folder}/none/kubeconfig"], "No such file or directory"),
        (["--port", "{taken}"], "cannot be listened on: Address already in use. Choose another"),
    ],
)
def test_what_cannot_be_started_says_why(tmp_path, flags, text):
    (tmp_path / "state").write_text("{}")
    (tmp_path / "text").write_text("state")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        known = {"folder": tmp_path, "taken": taken.getsockname()[1]}
        done = CliRunner().invoke(
            cli.main, ["--port", "0", *(each.format(**known) for each in flags)]
        )
    assert (done.exit_code, done.output.count("\n")) == (1, 1), done.output
    assert text in " ".join(done.output.split())
