"""A real control plane on loopback: etcd, kube-apiserver and, if asked for, the controllers.

    with ControlPlane(folder, controller_manager=True) as plane:
        subprocess.run([kubectl, "--kubeconfig", plane.kubeconfig, "get", "namespaces"])

Role-based access control is on. Everything is in ``folder``: certificates, data and logs. All ends
with the ``with`` block, and also when this process crashes.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import pathlib
import shutil
import socket
import ssl
from collections.abc import Sequence
from typing import Any, Self
from urllib import parse

from cryptography.hazmat.primitives import serialization

from tools import cache, certificates, service

HOST = "127.0.0.1"
ADMIN = "admin"
ADMIN_GROUP = "system:masters"
SERVICE_CIDR = "10.96.0.0/16"
# The first address of the range is that of the Service "kubernetes".
SERVER_NAMES = (HOST, "localhost", "kubernetes.default.svc", "10.96.0.1")
# Without these two, a deleted namespace stays forever, and so does what an owner leaves behind.
CONTROLLERS = ("namespace-controller", "garbage-collector-controller")
# Usually 2 to 3 s; the rest is for a machine that is busy with a build.
READY_WITHIN_S = 120.0
ANSWER_WITHIN_S = 5.0


class ControlPlane:
    """One Kubernetes API server with a store of its own; several may run at once."""

    def __init__(
        self,
        folder: pathlib.Path,
        *,
        controller_manager: bool = False,
        controllers: Sequence[str] = CONTROLLERS,
        apiserver_flags: Sequence[str] = (),
        ready_within_s: float = READY_WITHIN_S,
    ) -> None:
        """Prepare the control plane; it starts with ``start`` or ``with``."""
        self._folder = folder.absolute()
        self._has_controllers = controller_manager
        self._controllers = controllers
        self._apiserver_flags = apiserver_flags
        self._ready_within_s = ready_within_s
        self._services: list[service.Service] = []
        self._ports: list[socket.socket] = []
        self._authority: certificates.Authority
        self._trust: ssl.SSLContext
        self.url = ""
        """Where the API is served."""
        self.logs = self._folder / "logs"
        """The folder with one log for each process."""
        self.kubeconfig = self._folder / "admin.kubeconfig"
        """The kubeconfig of an administrator; it needs no other file."""
        self.ca = self._pki / "ca.crt"
        self.client_certificate = self._pki / f"{ADMIN}.crt"
        self.client_key = self._pki / f"{ADMIN}.key"

    def start(self) -> Self:
        """Start all processes, and return when the API is ready."""
        names = ["etcd", "kube-apiserver"]
        names += ["kube-controller-manager"] if self._has_controllers else []
        paths = cache.require(*names)
        if self._pki.exists():
            raise ValueError(f"{self._folder} has been used already. Give each start a new folder.")
        self._pki.mkdir(parents=True)
        self.logs.mkdir()
        # The sockets of etcd are in it, and ask nobody who they are.
        self._folder.chmod(0o700)
        try:
            port = self._reserved_port()
            self.url = f"https://{HOST}:{port}"
            self._mint()
            self._start_etcd(paths["etcd"])
            self._start_apiserver(paths["kube-apiserver"], port)
            if self._has_controllers:
                self._start_controllers(paths["kube-controller-manager"], self._reserved_port())
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Stop all processes, the last one first; logs and certificates stay."""
        while self._services:
            self._services.pop().stop()
        while self._ports:
            self._ports.pop().close()
        # It is large, and nobody reads it.
        shutil.rmtree(self._data, ignore_errors=True)

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()

    def kubeconfig_for(self, user: str, groups: Sequence[str] = ()) -> pathlib.Path:
        """Write a kubeconfig with which one is this user, in these groups; return its path."""
        name = parse.quote(user, safe="")
        pair = self._authority.client(name, user, groups)
        path = self._folder / f"{name}.kubeconfig"
        path.touch(mode=0o600)
        content = kubeconfig(self.url, user, self.ca, pair.certificate, pair.key)
        path.write_text(json.dumps(content, indent=2), encoding="utf-8")
        return path

    @property
    def _data(self) -> pathlib.Path:
        return self._folder / "etcd"

    @property
    def _pki(self) -> pathlib.Path:
        return self._folder / "pki"

    def _mint(self) -> None:
        self._authority = certificates.Authority(self._pki, "ca")
        self._authority.server("server", SERVER_NAMES)
        key = certificates.new_key()
        certificates.write_key(self._pki / "service-account.key", key)
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        (self._pki / "service-account.pub").write_bytes(public)
        assert self.kubeconfig_for(ADMIN, [ADMIN_GROUP]) == self.kubeconfig, "It is the same user."
        self._trust = ssl.create_default_context(cafile=self.ca)
        self._trust.load_cert_chain(self.client_certificate, self.client_key)

    def _reserved_port(self) -> int:
        # The socket stays bound, but never listens: nobody else gets the port, and the server joins
        # it with --permit-port-sharing.
        reserved = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._ports.append(reserved)
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        reserved.bind((HOST, 0))
        return int(reserved.getsockname()[1])

    def _start_etcd(self, path: pathlib.Path) -> None:
        self._run("etcd", [path, *etcd_flags()])
        endpoint = self._folder / "client:0"
        self._services[-1].wait_until(endpoint.is_socket, self._ready_within_s)

    def _start_apiserver(self, path: pathlib.Path, port: int) -> None:
        self._run("kube-apiserver", [path, *apiserver_flags(port), *self._apiserver_flags])
        self._services[-1].wait_until(lambda: self._is_ok(port, "/readyz"), self._ready_within_s)

    def _start_controllers(self, path: pathlib.Path, port: int) -> None:
        flags = controller_manager_flags(port, self.kubeconfig, self._controllers)
        self._run("kube-controller-manager", [path, *flags])
        self._services[-1].wait_until(lambda: self._is_ok(port, "/healthz"), self._ready_within_s)

    def _run(self, name: str, command: Sequence[str | os.PathLike[str]]) -> None:
        self._services.append(
            service.Service(
                name,
                command,
                folder=self._folder,
                log=self.logs / f"{name}.log",
                # Nothing of the user's own configuration decides how it runs.
                environment={"HOME": str(self._folder), "PATH": os.environ.get("PATH", "")},
            )
        )

    def _is_ok(self, port: int, path: str) -> bool:
        connection = http.client.HTTPSConnection(
            HOST, port, timeout=ANSWER_WITHIN_S, context=self._trust
        )
        try:
            connection.request("GET", path)
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def etcd_flags() -> list[str]:
    """Return the flags of etcd: on sockets in its own folder, quick, and careless about a crash."""
    # etcd wants "host:port" even of a socket; what results is the relative path of a file.
    client, peer = "unix://client:0", "unix://peer:0"
    return [
        "--name=default",
        "--data-dir=etcd",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
        # A member that is alone waits for one election, so that is short.
        "--heartbeat-interval=10",
        "--election-timeout=100",
        "--unsafe-no-fsync",
        "--log-level=warn",
    ]


def apiserver_flags(port: int) -> list[str]:
    """Return the flags of kube-apiserver, which runs in the folder of the control plane."""
    return [
        "--etcd-servers=unix://client:0",
        f"--bind-address={HOST}",
        f"--advertise-address={HOST}",
        f"--secure-port={port}",
        "--permit-port-sharing",
        "--tls-cert-file=pki/server.crt",
        "--tls-private-key-file=pki/server.key",
        "--client-ca-file=pki/ca.crt",
        "--authorization-mode=RBAC",
        "--service-account-issuer=https://kubernetes.default.svc",
        "--service-account-key-file=pki/service-account.pub",
        "--service-account-signing-key-file=pki/service-account.key",
        f"--service-cluster-ip-range={SERVICE_CIDR}",
        # Nobody makes the service accounts that this one asks of every Pod.
        "--disable-admission-plugins=ServiceAccount",
        "--allow-privileged",
        "--endpoint-reconciler-type=none",
        "--profiling=false",
    ]


def controller_manager_flags(
    port: int, kubeconfig_path: pathlib.Path, controllers: Sequence[str]
) -> list[str]:
    """Return the flags of kube-controller-manager: these controllers, alone and at once."""
    return [
        f"--kubeconfig={kubeconfig_path}",
        f"--controllers={','.join(controllers)}",
        "--leader-elect=false",
        f"--bind-address={HOST}",
        f"--secure-port={port}",
        "--permit-port-sharing",
        "--tls-cert-file=pki/server.crt",
        "--tls-private-key-file=pki/server.key",
        "--service-account-private-key-file=pki/service-account.key",
        "--root-ca-file=pki/ca.crt",
        "--profiling=false",
    ]


def kubeconfig(
    url: str, user: str, ca: pathlib.Path, certificate: pathlib.Path, key: pathlib.Path
) -> dict[str, Any]:
    """Return a kubeconfig that holds all it needs; as JSON it is YAML as well."""

    def data(path: pathlib.Path) -> str:
        return base64.b64encode(path.read_bytes()).decode()

    identity = {"client-certificate-data": data(certificate), "client-key-data": data(key)}
    cluster = {"server": url, "certificate-authority-data": data(ca)}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "caposc", "cluster": cluster}],
        "users": [{"name": user, "user": identity}],
        "contexts": [{"name": "caposc", "context": {"cluster": "caposc", "user": user}}],
        "current-context": "caposc",
    }
