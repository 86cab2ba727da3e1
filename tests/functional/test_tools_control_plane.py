"""A real control plane starts, works, and leaves nothing behind."""

import json
import os
import pathlib
import socket
import subprocess
import sys
import time
from urllib import parse

import pytest

from tools import components, control_plane, service

ROOT = pathlib.Path(__file__).resolve().parents[2]
WITHIN_S = 60.0

pytestmark = [
    pytest.mark.tools("etcd", "kube-apiserver", "kube-controller-manager", "kubectl"),
    pytest.mark.skipif(sys.platform != "linux", reason="This looks into /proc."),
]


@pytest.fixture(name="kubectl")
def _kubectl(request, tmp_path):
    from tools import pytest_plugin

    path = pytest_plugin.require(request.config, "kubectl")["kubectl"]

    def kubectl(kubeconfig, *arguments):
        return subprocess.run(
            [path, f"--kubeconfig={kubeconfig}", f"--cache-dir={tmp_path}", *arguments],
            capture_output=True,
            check=False,
            text=True,
            timeout=WITHIN_S,
        )

    return kubectl


def running_in(folder):
    found = set()
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if process.joinpath("cwd").readlink() == folder:
                found.add(int(process.name))
        except OSError:
            continue
    return found


def test_it_is_ready(control_plane, kubectl):
    assert kubectl(control_plane.kubeconfig, "get", "--raw", "/readyz").stdout == "ok"


def test_it_tells_its_true_version(control_plane, kubectl):
    said = json.loads(kubectl(control_plane.kubeconfig, "version", "--output=json").stdout)
    assert said["serverVersion"]["gitVersion"] == components.KUBERNETES.version
    assert said["clientVersion"]["gitVersion"] == components.KUBERNETES.version


def test_a_deleted_namespace_is_gone(control_plane, kubectl):
    for verb in ("create", "delete"):
        done = kubectl(control_plane.kubeconfig, verb, "namespace", "short-lived")
        assert done.returncode == 0, done.stderr
    done = kubectl(control_plane.kubeconfig, "get", "namespace", "short-lived")
    assert 'namespaces "short-lived" not found' in done.stderr


def test_what_is_owned_goes_with_its_owner(control_plane, kubectl):
    def kube(*arguments):
        done = kubectl(control_plane.kubeconfig, *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    kube("create", "configmap", "owner")
    kube("create", "configmap", "owned")
    uid = kube("get", "configmap", "owner", "--output=jsonpath={.metadata.uid}")
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": uid}
    patch = json.dumps({"metadata": {"ownerReferences": [owner]}})
    kube("patch", "configmap", "owned", "--type=merge", f"--patch={patch}")
    kube("delete", "configmap", "owner")
    kube("wait", "--for=delete", "configmap/owned", f"--timeout={WITHIN_S:.0f}s")


def test_a_user_without_rights_is_refused(control_plane, kubectl):
    jane = control_plane.kubeconfig_for("jane", ["developers"])
    done = kubectl(jane, "get", "namespaces")
    assert 'User "jane" cannot list resource "namespaces"' in done.stderr


def test_a_group_gives_its_rights(control_plane, kubectl):
    joe = control_plane.kubeconfig_for("joe", ["system:masters"])
    assert kubectl(joe, "auth", "can-i", "delete", "nodes").stdout == "yes\n"


def test_two_know_nothing_of_each_other(control_plane, kubectl, tmp_path):
    with type(control_plane)(tmp_path / "second") as second:
        assert kubectl(second.kubeconfig, "create", "namespace", "only-here").returncode == 0
        done = kubectl(control_plane.kubeconfig, "get", "namespace", "only-here")
        assert "not found" in done.stderr


def test_a_stopped_one_leaves_logs_only(tmp_path):
    folder = tmp_path / "plane"
    with control_plane.ControlPlane(folder) as plane:
        assert running_in(folder)
        address = parse.urlsplit(plane.url)
    assert not running_in(folder)
    assert {path.name for path in plane.logs.iterdir()} == {"etcd.log", "kube-apiserver.log"}
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((address.hostname, address.port))


def test_a_folder_serves_once(tmp_path):
    (tmp_path / "pki").mkdir()
    with pytest.raises(ValueError, match=r"has been used already\. Give each"):
        control_plane.ControlPlane(tmp_path).start()


def test_one_that_cannot_start_leaves_nothing_running(tmp_path):
    plane = control_plane.ControlPlane(tmp_path, apiserver_flags=["--no-such-flag"])
    with pytest.raises(service.NotReady, match="unknown flag: --no-such-flag"):
        plane.start()
    assert not running_in(tmp_path)


CRASH = """
import os, pathlib, signal, sys
from tools.control_plane import ControlPlane
ControlPlane(pathlib.Path(sys.argv[1]), controller_manager=True).start()
print("started", flush=True)
signal.pause()
"""


def test_it_ends_with_a_parent_that_crashes(tmp_path):
    folder = tmp_path / "plane"
    command = [sys.executable, "-c", CRASH, folder]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as parent:
        assert parent.stdout.readline() == b"started\n"
        # Three processes, and the keeper of each.
        assert len(running_in(folder)) == 6
        parent.kill()
    deadline = time.monotonic() + WITHIN_S
    while running_in(folder):
        assert time.monotonic() < deadline, "Something outlives its parent."
        os.sched_yield()
