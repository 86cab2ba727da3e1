"""A management cluster: where Cluster API, its kubeadm providers and ours are installed and run.

``Local`` needs no container and no kubelet: kube-apiserver, etcd and kube-controller-manager are
real, providers are installed by ``clusterctl init``, and what their Deployments would run runs as
processes: with the flags of the Deployment, and with no other right than its ServiceAccount's.
"""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import json
import os
import re
import socket
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, Self

import requests
import yaml

import tools
from e2e import certify, repository
from e2e.command import Clusterctl, Kubectl
from e2e.kube import Kube
from e2e.repository import Era, Provider
from tools.control_plane import CONTROLLERS, ControlPlane
from tools.service import Service

HERE = Path(__file__).parent
READY_WITHIN_S = 120.0
STOP_S = 10.0
LOOK_EVERY_S = 1.0
IMPATIENT = {
    "CAPOSC_LEADER_ELECT_LEASE_DURATION": "5s",
    "CAPOSC_LEADER_ELECT_RENEW_DEADLINE": "4s",
    "CAPOSC_LEADER_ELECT_RETRY_PERIOD": "500ms",
}
"""What is killed leaves its lease: so the next one waits for less, when it is killed as well."""
AGGREGATION = "clusterrole-aggregation-controller"
"""It gives Cluster API the rights that a provider's aggregated role says."""
KUBERNETES = ("etcd", "kube-apiserver", "kube-controller-manager", "kubectl")
NEEDED = (*KUBERNETES, *repository.NEWEST.tools())


@dataclasses.dataclass(frozen=True)
class Ports:
    """Where a manager listens."""

    webhook: int
    health: int


class Management(Protocol):
    """A management cluster with all providers, and what users have to work with it."""

    core: str
    """The version of Cluster API's own objects."""
    kubeconfig: Path
    kubectl: Kubectl
    clusterctl: Clusterctl
    kube: Kube

    @property
    def cannot_crash(self) -> str:
        """Return why ``crash`` cannot be done here; nothing when it can."""

    def crash(self) -> None:
        """End our manager as a lost machine does, wherever it is, and let another one start.

        Whoever asks for it while that goes on has got it.
        """

    def processes(self) -> Iterator[Path]:
        """Give the log of every process."""

    @property
    def ended(self) -> Sequence[str]:
        """Return what ended by itself, and its last words."""


@contextlib.contextmanager
def served(kubectl: Path, kubeconfig: Path, folder: Path) -> Iterator[Kube]:
    """Serve a Kubernetes API on loopback, without authentication; the log goes into ``folder``.

    kubectl knows every way to log in that a kubeconfig can name, so that we need to know none.
    """
    log = folder / "kubectl-proxy.log"
    command: list[str | Path] = [kubectl, "proxy", f"--kubeconfig={kubeconfig}", "--port=0"]
    proxy = Service("kubectl proxy", command, folder=folder, log=log)
    try:
        proxy.wait_until(lambda: ":" in log.read_text(), READY_WITHIN_S)
        found = re.search(r"[\d.]+:\d+", log.read_text())
        assert found, f"kubectl proxy says where it serves.{proxy}"
        yield Kube(f"http://{found[0]}")
    finally:
        proxy.stop()


class Local:
    """A management cluster of processes on loopback; it ends with the ``with`` block."""

    def __init__(
        self,
        folder: Path,
        cloud: Mapping[str, str],
        variables: Mapping[str, str],
        era: Era = repository.NEWEST,
    ) -> None:
        """Prepare it; ``cloud`` is the environment by which our manager reaches the cloud."""
        self._paths = tools.require(*KUBERNETES, *era.tools())
        self._era = era
        self._folder = folder
        self._cloud = dict(cloud)
        self._variables = {"CLUSTER_TOPOLOGY": "true", **variables}
        self._plane = ControlPlane(
            folder / "plane", controller_manager=True, controllers=(*CONTROLLERS, AGGREGATION)
        )
        self._stack = contextlib.ExitStack()
        self._managers: dict[str, Service] = {}
        self._ports: dict[str, Ports] = {}
        self._authority: Path
        self.core = f"cluster.x-k8s.io/{era.contract}"
        """The version of Cluster API's own objects."""
        self.cannot_crash = ""
        self._crashing = threading.Lock()
        self._crashes = 0
        self._stopping = threading.Event()
        self.ended: list[str] = []
        """What ended by itself, and its last words."""
        self.logs = folder / "logs"
        self.kubeconfig = self._plane.kubeconfig
        self.kubectl = Kubectl(self._paths["kubectl"], self.kubeconfig)
        self.clusterctl: Clusterctl
        self.kube: Kube

    def __enter__(self) -> Self:
        """Start everything, and return when all managers are ready."""
        self.logs.mkdir(parents=True)
        with contextlib.ExitStack() as stack:
            stack.enter_context(self._plane)
            stack.callback(self._stop_managers)
            proxy = served(self._paths["kubectl"], self.kubeconfig, self.logs)
            self.kube = stack.enter_context(proxy)
            self._install()
            self._start_managers()
            keeper = threading.Thread(target=self._keep_running, name="kubelet", daemon=True)
            keeper.start()
            stack.callback(keeper.join)
            stack.callback(self._stopping.set)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop everything, the last one first."""
        self._stack.close()

    def processes(self) -> Iterator[Path]:
        """Give the log of every process."""
        yield from sorted(self._plane.logs.glob("*.log"))
        yield from sorted(self.logs.glob("*.log"))

    @staticmethod
    def free_ports() -> Ports:
        """Return where one more manager can listen."""
        return Ports(_free_port(), _free_port())

    def crash(self) -> None:
        """End our manager as a lost machine does, wherever it is, and start another one."""
        crashes = self._crashes
        with self._crashing:
            # Otherwise it has crashed since.
            if crashes == self._crashes:
                self._variables |= IMPATIENT
                self.kill(repository.OURS)
                self.start(repository.OURS)
                self.wait_ready(repository.OURS)
                self._crashes += 1

    def kill(self, provider: Provider) -> None:
        """End a manager as a lost machine does: at once, wherever it is."""
        self._managers.pop(provider.label).stop()

    def start(self, provider: Provider) -> None:
        """Start a manager that does not run."""
        ports = self._ports[provider.label]
        command, environment = self._command(provider, ports)
        log = self.logs / f"{provider.label}.log"
        self._managers[provider.label] = Service(
            provider.label, command, folder=self._folder, log=log, environment=environment
        )

    def wait_ready(self, provider: Provider) -> None:
        """Return when a manager is ready."""
        health = self._ports[provider.label].health

        def is_ready() -> bool:
            with contextlib.suppress(requests.ConnectionError):
                return requests.get(f"http://{certify.HOST}:{health}/readyz", timeout=5).ok
            return False

        self._managers[provider.label].wait_until(is_ready, READY_WITHIN_S)

    def offer(self, era: Era) -> list[str]:
        """Put the releases of an era beside those that are there, and take over its clusterctl.

        Return the words by which that upgrades to them.
        """
        self._paths = {**self._paths, **tools.require(*era.tools())}
        config = repository.write(self._folder / "repository", self._variables, era)
        path = self._paths[era.clusterctl]
        self.clusterctl = Clusterctl(path, config, self.kubeconfig, self._folder / "home")
        newer = self._others(era)
        return ["upgrade", "apply", *(f"{e.flag}={e.name}:{era.version(e)}" for e in newer)]

    @contextlib.contextmanager
    def upgrading(self, era: Era) -> Iterator[None]:
        """Upgrade to another era with its clusterctl; what is the same in both runs on.

        The new managers start when the ``with`` block ends: images have to be pulled first.
        """
        words, others = self.offer(era), self._others(era)
        with self._crashing:
            for each in others:
                # Nothing here scales a Deployment down, which is what clusterctl begins with.
                self._managers.pop(each.label).stop(STOP_S)
                certify.release(self.kube, each.label, each.namespace)
            self.clusterctl.run(*words)
            self._era, self.core = era, f"cluster.x-k8s.io/{era.contract}"
            yield
            self._run(others)
        self.kube.forget()

    def _others(self, era: Era) -> list[Provider]:
        """Return the providers that have another version in that era."""
        return [e for e in repository.PROVIDERS if era.version(e) != self._era.version(e)]

    def _install(self) -> None:
        (self._folder / "home").mkdir()
        self.offer(self._era)
        self.kubectl.run("apply", "-f", HERE / "cert_manager.yaml")
        chosen = [f"{each.flag}={each.name}" for each in repository.PROVIDERS]
        self.clusterctl.run("init", *chosen)

    def _start_managers(self) -> None:
        folder = self._folder / "webhooks"
        folder.mkdir()
        self._authority = certify.issue(folder)
        for each in repository.PROVIDERS:
            self._ports[each.label] = self.free_ports()
        self._run(repository.PROVIDERS)

    def _run(self, providers: Sequence[Provider]) -> None:
        """Start managers, and return when they are ready and asked by Kubernetes."""
        ports = {each.namespace: self._ports[each.label].webhook for each in providers}
        certify.redirect(self.kube, self._authority, ports)
        for each in providers:
            self.start(each)
        for each in providers:
            self.wait_ready(each)

    def _keep_running(self) -> None:
        """Start what ended by itself, as kubelet does."""
        while not self._stopping.wait(LOOK_EVERY_S):
            with self._crashing:
                for each in repository.PROVIDERS:
                    service = self._managers.get(each.label)
                    if service and not service.is_running and not self._stopping.is_set():
                        self.ended.append(f"{each.label} ended by itself.{service}")
                        self.start(each)

    def _stop_managers(self) -> None:
        for each in self._managers.values():
            each.stop(STOP_S)
        self._managers.clear()

    def _command(
        self, provider: Provider, ports: Ports
    ) -> tuple[list[str | Path], Mapping[str, str]]:
        """Return what the Deployment runs, made to fit a process on loopback."""
        path = f"/apis/apps/v1/namespaces/{provider.namespace}/deployments"
        (deployment,) = self.kube.must("GET", path)["items"]
        pod = deployment["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        kubeconfig = self._account(provider.namespace, pod["serviceAccountName"])
        # The last one of a flag counts.
        arguments = [
            *container["args"],
            f"--kubeconfig={kubeconfig}",
            "--diagnostics-address=0",
            f"--webhook-port={ports.webhook}",
            f"--webhook-cert-dir={self._folder / 'webhooks'}",
        ]
        inherited = {key: os.environ[key] for key in ("PATH", "LANG") if key in os.environ}
        environment = {
            **inherited,
            "HOME": str(self._folder / "home"),
            **self._given(container, provider.namespace),
        }
        if provider.tool:
            # Without a pod there is no namespace in which it would look for its lease.
            flags = ["--leader-elect=false", f"--health-addr={certify.HOST}:{ports.health}"]
            tool = self._paths[f"{provider.tool}{self._era.suffix}"]
            return [tool, *arguments, *flags], environment
        flags = [f"--health-probe-bind-address={certify.HOST}:{ports.health}"]
        flags += [f"--leader-elect-namespace={provider.namespace}"]
        command = [sys.executable, "-m", "provider", *arguments, *flags]
        chosen = {k: text for k, text in self._variables.items() if k.startswith("CAPOSC_")}
        # The provider that stands beside this suite, wherever another one may be installed.
        chosen["PYTHONPATH"] = str(HERE.parent)
        return command, {**environment, **chosen, **self._cloud}

    def _given(self, container: Mapping[str, Any], namespace: str) -> dict[str, str]:
        """Return the variables that a container gets from Secrets, where these exist."""
        found = {}
        for each in container.get("env") or ():
            reference = (each.get("valueFrom") or {}).get("secretKeyRef")
            if reference:
                secret = self.kube.within(namespace).get("v1", "secrets", reference["name"]) or {}
                if text := (secret.get("data") or {}).get(reference["key"]):
                    found[each["name"]] = base64.b64decode(text).decode()
        return found

    def _account(self, namespace: str, name: str) -> Path:
        """Write the kubeconfig of a ServiceAccount: its token, as a pod gets one."""
        path = self._folder / f"{name}.kubeconfig"
        token = self.kubectl.run("create", "token", name, "-n", namespace, "--duration=24h")
        content = yaml.safe_load(self.kubeconfig.read_text())
        content["users"][0]["user"] = {"token": token.strip()}
        path.touch(mode=0o600)
        path.write_text(json.dumps(content))
        return path


def _free_port() -> int:
    with socket.socket() as made:
        made.bind((certify.HOST, 0))
        return int(made.getsockname()[1])
