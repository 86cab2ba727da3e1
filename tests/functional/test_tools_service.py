"""A service tells when it is ready, and never outlives the one who started it."""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import pytest

from tools import service

ROOT = pathlib.Path(__file__).resolve().parents[2]
SLEEP = shutil.which("sleep")
SHELL = shutil.which("sh")
WITHIN_S = 20.0

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="This looks into /proc.")


def running_in(folder):
    """Find the processes that work in a folder; one that has ended has none."""
    found = set()
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if process.joinpath("cwd").readlink() == folder:
                found.add(int(process.name))
        except OSError:
            continue
    return found


def wait_until(is_so):
    deadline = time.monotonic() + WITHIN_S
    while not is_so():
        assert time.monotonic() < deadline, "It took too long."
        os.sched_yield()


@pytest.fixture(name="start")
def _start(tmp_path):
    started = []

    def start(*command):
        log = tmp_path / "log"
        started.append(service.Service("it", command, folder=tmp_path, log=log))
        return started[-1]

    yield start
    for one in started:
        one.stop()


def test_a_service_runs_until_it_is_stopped(start, tmp_path):
    sleep = start(SLEEP, "60")
    wait_until(lambda: len(running_in(tmp_path)) == 2)
    assert sleep.is_running
    sleep.stop()
    assert not sleep.is_running
    assert not running_in(tmp_path)


def test_stopping_twice_is_stopping_once(start):
    sleep = start(SLEEP, "60")
    sleep.stop()
    sleep.stop()


def test_with_a_grace_it_is_asked_first(start):
    script = "trap 'echo bye; exit' TERM; echo ready; while :; do sleep 0.01; done"
    asked = start(SHELL, "-c", script)
    asked.wait_until(lambda: "ready" in asked.log.read_text(encoding="utf-8"), WITHIN_S)
    asked.stop(grace_s=WITHIN_S)
    assert "bye" in asked.log.read_text(encoding="utf-8")


def test_one_that_ends_early_is_reported_with_the_end_of_its_log(start):
    early = start(SHELL, "-c", "echo no such flag; exit 3")
    with pytest.raises(service.NotReady) as refusal:
        early.wait_until(lambda: False, WITHIN_S)
    assert str(refusal.value) == (
        f"it ended with status 3 before it was ready. The end of {early.log}:\nno such flag"
    )


def test_one_that_is_killed_is_reported_as_a_shell_would(start):
    killed = start(SHELL, "-c", "kill -9 $$")
    with pytest.raises(service.NotReady, match="status 137 before"):
        killed.wait_until(lambda: False, WITHIN_S)


def test_one_that_cannot_be_run_is_reported(start):
    with pytest.raises(service.NotReady, match="/nonexistent cannot be run: No such file"):
        start("/nonexistent").wait_until(lambda: False, WITHIN_S)


def test_one_that_is_late_is_reported(start):
    with pytest.raises(service.NotReady, match=r"it was not ready within 0.1 s\."):
        start(SLEEP, "60").wait_until(lambda: False, 0.1)


def test_one_whose_keeper_is_killed_ends_as_well(start, tmp_path):
    sleep = start(SLEEP, "60")
    wait_until(lambda: len(running_in(tmp_path)) == 2)
    os.kill(sleep._keeper.pid, signal.SIGKILL)
    wait_until(lambda: not running_in(tmp_path))


PARENT = """
import os, pathlib, signal, sys
from tools import service
folder = pathlib.Path(sys.argv[1])
command = [sys.argv[2], "-c", "echo up; exec sleep 60"]
it = service.Service("it", command, folder=folder, log=folder / "log")
it.wait_until(lambda: it.log.read_text() == "up\\n", 20)
{then}
"""


@pytest.mark.parametrize(
    "then",
    [
        "os.kill(os.getpid(), signal.SIGKILL)",
        "os._exit(1)",
        # A forked child holds the pipe, and lives on.
        "os.fork() or signal.alarm(30) or signal.pause()\nos.kill(os.getpid(), signal.SIGKILL)",
    ],
    ids=["killed", "gone", "forked"],
)
def test_a_service_ends_with_the_process_that_started_it(then, tmp_path):
    script = PARENT.format(then=then)
    parent = subprocess.Popen([sys.executable, "-c", script, tmp_path, SHELL], cwd=ROOT)
    parent.wait()
    assert (tmp_path / "log").read_text(encoding="utf-8") == "up\n"
    wait_until(lambda: not running_in(tmp_path))
