"""A fleet of clusters: fakekube, fakecloud and the manager in processes of their own, in fast time.

This process is the user and Cluster API's core: it makes objects, waits, and deletes them.
"""

from __future__ import annotations

import collections
import contextlib
import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from typing import Any, Self

import kube

from provider.api import crd
from provider.kube import kinds

Data = dict[str, Any]
HERE = pathlib.Path(__file__).resolve().parent
RATE = 10.0
"""How many seconds pass in one, for the cloud and for the manager.

An answer that takes a tenth of a second here is as slow as one of a whole second: were time much
faster, the limit of the account would not be what a fleet waits for.
"""
START_S, POLL_S, NAMESPACE = 60.0, 0.5, "fleet"
CLUSTER_LABEL = "cluster.x-k8s.io/cluster-name"


class Fleet:
    """All processes: ``with`` starts and ends them."""

    def __enter__(self) -> Self:
        """Start everything."""
        self._running = contextlib.ExitStack()
        folder = pathlib.Path(self._running.enter_context(tempfile.TemporaryDirectory()))
        kubeconfig = folder / "kubeconfig"
        flags = ("--kubeconfig", str(kubeconfig), "--rate", str(RATE))
        self.kube = self._running.enter_context(kube.Process(*flags))
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self._start("-m", "fakecloud", "--port", str(self.port), "--rate", str(RATE))
        self._wait_for_cloud()
        self._prepare()
        endpoint = f"http://127.0.0.1:{self.port}/api/v1"
        self.manager = self._start(
            str(HERE / "fleet_manager.py"), str(kubeconfig), endpoint, str(RATE)
        )
        return self

    def __exit__(self, *problem: object) -> None:
        """End everything."""
        self._running.close()

    def _start(self, *command: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen([sys.executable, *command])

        def end() -> None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()

        self._running.callback(end)
        return process

    def _wait_for_cloud(self) -> None:
        edge = time.perf_counter() + START_S
        while time.perf_counter() < edge:
            try:
                self.cloud("GET", "/_fakecloud/health")
            except ConnectionRefusedError:
                threading.Event().wait(0.05)
            else:
                return
        raise SystemExit("fakecloud does not answer.")

    def _prepare(self) -> None:
        self.cloud("POST", "/_fakecloud/quota", {"quota": dict.fromkeys(_known(self), 1_000_000)})
        self.cloud("POST", "/api/v1/CreateKeypair", {"KeypairName": "ops"})
        self.image = self.cloud("POST", "/api/v1/ReadImages", {})["Images"][0]["ImageId"]
        for each in definitions():
            self.must("POST", kube.DEFINITIONS, each)
        self.must("POST", "/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})

    # --- Requests --------------------------------------------------------------------------------

    def cloud(self, method: str, path: str, body: Any = None) -> Any:
        """Return the answer of the cloud."""
        return _ask(self.port, method, path, body)

    def must(self, method: str, path: str, body: Any = None) -> Any:
        """Return the answer of the Kubernetes API."""
        return _ask(int(self.kube.url.rpartition(":")[2]), method, path, body)

    def list(self, kind: kinds.Kind) -> list[Data]:
        """Return all objects of a kind."""
        items: list[Data] = self.must("GET", kind.path(NAMESPACE))["items"]
        return items

    # --- What the user does ----------------------------------------------------------------------

    def create(self, clusters: int, machines: int) -> None:
        """Make clusters with so many machines each."""
        for number in range(clusters):
            name = f"fleet-{number}"
            reference = {"apiGroup": kinds.INFRASTRUCTURE, "kind": "OscCluster", "name": name}
            owner = self._make(kinds.CLUSTER, name, {"infrastructureRef": reference})
            spec = {"network": {"loadBalancer": {"name": name}}}
            self._make(kinds.OSC_CLUSTER, name, spec, _owned(name, owner))
            secret = {"metadata": {"name": name, "labels": {CLUSTER_LABEL: name}}}
            secret["stringData"] = {"value": "#cloud-config\n"}
            self.must("POST", f"/api/v1/namespaces/{NAMESPACE}/secrets", secret)
            for machine in range(machines):
                self._machine(name, f"{name}-{machine}", leads=machine == 0)

    def _machine(self, cluster: str, name: str, *, leads: bool) -> None:
        reference = {"apiGroup": kinds.INFRASTRUCTURE, "kind": "OscMachine", "name": name}
        spec = {
            "clusterName": cluster,
            "bootstrap": {"dataSecretName": cluster},
            "infrastructureRef": reference,
        }
        labels = {CLUSTER_LABEL: cluster}
        owner = self._make(kinds.MACHINE, name, spec, {"labels": labels})
        role = "controlplane" if leads else "worker"
        vm = {"keypairName": "ops", "image": {"id": self.image}, "role": role}
        self._make(kinds.OSC_MACHINE, name, {"vm": vm}, _owned(cluster, owner))

    def _make(self, kind: kinds.Kind, name: str, spec: Data, metadata: Data | None = None) -> Data:
        body = {
            "apiVersion": kind.api_version,
            "kind": kind.name,
            "metadata": {"name": name, **(metadata or {})},
            "spec": spec,
        }
        made: Data = self.must("POST", kind.path(NAMESPACE), body)
        return made

    def provisioned(self, within_s: float) -> float:
        """Wait until everything is provisioned; return how many seconds of fast time it took."""
        begun = time.perf_counter()
        while time.perf_counter() - begun < within_s:
            left = [
                each
                for kind in (kinds.OSC_CLUSTER, kinds.OSC_MACHINE)
                for each in self.list(kind)
                if not each.get("status", {}).get("initialization", {}).get("provisioned")
            ]
            if not left:
                return (time.perf_counter() - begun) * RATE
            threading.Event().wait(POLL_S)
        raise SystemExit(f"{len(left)} objects are not provisioned after {within_s} s: {left[0]}")

    def delete(self, within_s: float) -> float:
        """Delete everything and wait until it is gone; return seconds of fast time."""
        begun = time.perf_counter()
        for kind in (kinds.OSC_MACHINE, kinds.OSC_CLUSTER):
            for each in self.list(kind):
                self.must("DELETE", kind.path(NAMESPACE, each["metadata"]["name"]))
        while time.perf_counter() - begun < within_s:
            left = [
                each for kind in (kinds.OSC_MACHINE, kinds.OSC_CLUSTER) for each in self.list(kind)
            ]
            if not left:
                return (time.perf_counter() - begun) * RATE
            threading.Event().wait(POLL_S)
        raise SystemExit(f"{len(left)} objects are left after {within_s} s: {left[0]}")

    # --- What is measured ------------------------------------------------------------------------

    @property
    def cpu_s(self) -> float:
        """The processor time of the manager so far, in seconds."""
        text = pathlib.Path(f"/proc/{self.manager.pid}/stat").read_text(encoding="utf-8")
        fields = text.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def memory_mib(self) -> float:
        """The resident memory of the manager."""
        text = pathlib.Path(f"/proc/{self.manager.pid}/status").read_text(encoding="utf-8")
        line = next(each for each in text.splitlines() if each.startswith("VmRSS:"))
        return int(line.split()[1]) / 1024

    def calls(self) -> list[Data]:
        """Return the calls since the last time that somebody asked, and forget them."""
        found = self.cloud("GET", "/_fakecloud/journal?limit=20000")
        self.cloud("DELETE", "/_fakecloud/journal")
        entries: list[Data] = found if isinstance(found, list) else found["entries"]
        return entries


def busiest(calls: list[Data], window_s: float = 60.0) -> float:
    """Return the calls per second of the busiest minute."""
    most, window = 0, collections.deque[float]()
    for each in calls:
        window.append(each["at"])
        while window[0] < each["at"] - window_s:
            window.popleft()
        most = max(most, len(window))
    return most / window_s


def definitions() -> Iterator[Data]:
    """Return definitions of our kinds as they are, and of Cluster API's as far as we read them."""
    for each in crd.definitions("webhooks", "caposc-system"):
        each["spec"].pop("conversion", None)
        yield each
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    schema = {"type": "object", "properties": {"spec": anything, "status": anything}}
    for kind in (kinds.CLUSTER, kinds.MACHINE):
        version = {"name": "v1beta2", "served": True, "storage": True}
        version |= {"schema": {"openAPIV3Schema": schema}, "subresources": {"status": {}}}
        yield {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": f"{kind.plural}.{kind.group}"},
            "spec": {
                "group": kind.group,
                "scope": "Namespaced",
                "names": {
                    "plural": kind.plural,
                    "singular": kind.name.lower(),
                    "kind": kind.name,
                    "listKind": f"{kind.name}List",
                },
                "versions": [version],
            },
        }


def _owned(cluster: str, owner: Data) -> Data:
    reference = {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
    }
    return {"labels": {CLUSTER_LABEL: cluster}, "ownerReferences": [reference]}


def _known(fleet: Fleet) -> list[str]:
    rows = fleet.cloud("POST", "/api/v1/ReadQuotas", {})["QuotaTypes"]
    return sorted({quota["Name"] for row in rows for quota in row["Quotas"]})


def _ask(port: int, method: str, path: str, body: Any) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        headers = {"Content-Type": "application/json"}
        edge = time.perf_counter() + START_S
        while True:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            text = answer.read()
            if answer.status < 300:
                return json.loads(text or b"null")
            # A kind is served a moment after its definition is made.
            if answer.status != 404 or "/apis/" not in path or time.perf_counter() > edge:
                raise SystemExit(f"{method} {path} answered {answer.status}: {text.decode()}")
            threading.Event().wait(0.05)
    finally:
        connection.close()
