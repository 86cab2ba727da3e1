"""``caposc manager`` as a process: flags, signals, logs and how it ends."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest
from click import testing

from provider import cli
from provider.kube import kinds
from provider.manager import election
from tests.contract.kube.client import eventually

WITHIN_S = 30.0


class Process:
    """The command in a process of its own, with its log in a file."""

    def __init__(self, stage, folder, *flags, **environment):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self._log = folder / "log"
        given = [
            f"--kubeconfig={stage.client.kubeconfig}",
            f"--namespace={stage.namespace}",
            f"--leader-elect-namespace={stage.namespace}",
            f"--health-probe-bind-address=127.0.0.1:{self._port}",
            "--metrics-bind-address=0",
            "--webhook-port=0",
            "--logging-format=json",
            "-v5",
        ]
        with self._log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "provider", "manager", *given, *flags],
                stderr=log,
                env={**os.environ, "HOME": str(folder), **environment},
            )

    def __enter__(self):
        eventually(self.is_alive, WITHIN_S)
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(WITHIN_S)

    def is_alive(self):
        assert self.process.poll() is None, self._log.read_text()
        try:
            url = f"http://127.0.0.1:{self._port}/healthz"
            with urllib.request.urlopen(url, timeout=5) as answer:
                return answer.read() == b"ok"
        except OSError:
            return False

    @property
    def lines(self):
        """Return the log, of which every line is JSON."""
        return [json.loads(line) for line in self._log.read_text().splitlines()]

    def end(self, number):
        self.process.send_signal(number)
        return self.process.wait(WITHIN_S)


def holder(stage):
    return (stage.get(kinds.LEASE, election.LEASE) or {}).get("spec", {}).get("holderIdentity")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_well_and_frees_the_lease(stage, tmp_path, number):
    with Process(stage, tmp_path) as running:
        eventually(lambda: holder(stage), WITHIN_S)
        assert running.end(number) == 0
    assert holder(stage) == ""
    assert running.lines[-1]["message"] != ""


def test_a_lost_lease_ends_it_at_once_and_badly(stage, tmp_path):
    flags = ("--leader-elect-retry-period=200ms",)
    with Process(stage, tmp_path, *flags) as running:
        eventually(lambda: holder(stage), WITHIN_S)
        stage.patch(kinds.LEASE, election.LEASE, spec={"holderIdentity": "somebody"})
        assert running.process.wait(WITHIN_S) == 1
    assert "The lease is lost" in running.lines[-1]["message"]


def test_missing_credentials_are_told_in_the_status(stage, tmp_path):
    with Process(stage, tmp_path, CAPOSC_LEADER_ELECT="false"):
        stage.cluster()

        def message():
            rows = stage.status(kinds.OSC_CLUSTER, "demo").get("conditions") or []
            return " ".join(each["message"] for each in rows)

        eventually(lambda: "OSC_ACCESS_KEY is not set" in message(), WITHIN_S)


def test_no_way_to_kubernetes_is_a_sentence(tmp_path):
    answer = testing.CliRunner().invoke(
        cli.main, ["manager"], env={"HOME": str(tmp_path), "KUBECONFIG": ""}
    )
    assert answer.exit_code == 1
    assert "Name a file with --kubeconfig" in answer.output


def test_commands_are_listed_without_being_imported():
    code = (
        "import sys; from click import testing; from provider import cli\n"
        "answer = testing.CliRunner().invoke(cli.main, ['--help'])\n"
        "assert 'manager' in answer.output, answer.output\n"
        "assert not {'kopf', 'aiohttp', 'pydantic'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=WITHIN_S)


@pytest.mark.parametrize("name", sorted(cli.COMMANDS))
def test_every_command_has_help(name):
    answer = testing.CliRunner().invoke(cli.main, [name, "--help"])
    assert answer.exit_code == 0, answer.output
