"""Who we are to Kubernetes: the service account of a pod, or a kubeconfig with a user of any sort.

A :class:`Source` is asked again when the server no longer knows us, so that rotated tokens and
short-lived ones of an exec plugin are followed. kopf and our own client share one source.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import os
import pathlib
import ssl
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

import yaml

POD = pathlib.Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where a pod finds its token, the authority and its namespace."""
PLUGIN_WITHIN_S = 60.0
EXEC_VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")


class AccessError(Exception):
    """Tell why there is no way to the Kubernetes API, and what to do."""


@dataclasses.dataclass(frozen=True)
class Access:
    """Where the server is, and how to be let in; certificates and keys are PEM texts."""

    server: str
    authority: str = ""
    token: str = dataclasses.field(default="", repr=False)
    username: str = ""
    password: str = dataclasses.field(default="", repr=False)
    certificate: str = ""
    key: str = dataclasses.field(default="", repr=False)
    is_insecure: bool = False
    """Whether any certificate of the server will do."""
    namespace: str = ""
    """Where we live, or where the kubeconfig points to; empty when neither is said."""
    expires: datetime | None = None

    def headers(self) -> dict[str, str]:
        """Return the header that says who we are."""
        if self.token:
            return {"Authorization": f"Bearer {self.token}"}
        if self.username:
            pair = base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
            return {"Authorization": f"Basic {pair}"}
        return {}

    def tls(self) -> ssl.SSLContext:
        """Return what a connection needs; the key is in a file for a moment, for us only.

        Raises AccessError, also when only one of a pair is renewed so far.
        """
        try:
            return self._tls()
        except ssl.SSLError as problem:
            raise AccessError(
                f"The certificates with which {self.server} is called do not fit each other "
                f"({problem}). Renew the authority, the certificate and its key together."
            ) from None

    def _tls(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cadata=self.authority or None)
        if self.certificate:
            with tempfile.TemporaryDirectory() as folder:
                path = pathlib.Path(folder, "pair.pem")
                path.touch(mode=0o600)
                path.write_text(f"{self.certificate}\n{self.key}", encoding="ascii")
                context.load_cert_chain(path)
        if self.is_insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


class Source(Protocol):
    """What says who we are."""

    def access(self) -> Access:
        """Return it as it is now; may read files and run a plugin. Raises AccessError."""


class Pod:
    """The service account of the pod that we run in; its token is read anew every time."""

    def __init__(self, environment: Mapping[str, str], folder: pathlib.Path = POD) -> None:
        self._environment = environment
        self._folder = folder

    def access(self) -> Access:
        """Return it as it is now."""
        host = self._environment["KUBERNETES_SERVICE_HOST"]
        port = self._environment.get("KUBERNETES_SERVICE_PORT", "443")
        place = f"[{host}]" if ":" in host else host
        namespace = self._folder / "namespace"
        return Access(
            server=f"https://{place}:{port}",
            authority=_text(self._folder / "ca.crt"),
            token=_text(self._folder / "token").strip(),
            namespace=_text(namespace).strip() if namespace.exists() else "",
        )


class Kubeconfig:
    """A context of a kubeconfig file: token, client certificate, password or exec plugin.

    Further files may have what the first one lacks; relative paths start at the file they are in.
    """

    def __init__(
        self, path: pathlib.Path, environment: Mapping[str, str], *more: pathlib.Path
    ) -> None:
        self._path = path
        self._more = more
        self._environment = environment

    def access(self) -> Access:
        """Return it as it is now."""
        try:
            return self._access()
        except (yaml.YAMLError, AttributeError, LookupError, TypeError, ValueError) as problem:
            # What is wrong may be beside a token, so that only the place is told.
            mark = getattr(problem, "problem_mark", None)
            place = [f"in line {mark.line + 1}"] if mark else []
            what = " ".join([type(problem).__name__, *place])
            raise AccessError(
                f"{self._title} is no kubeconfig ({what}). "
                "Put the file right, or name another one with --kubeconfig."
            ) from None

    @property
    def _title(self) -> str:
        return os.pathsep.join(str(each) for each in (self._path, *self._more))

    def _access(self) -> Access:
        files = [
            (yaml.safe_load(_text(each)) or {}, each.parent) for each in (self._path, *self._more)
        ]
        current = [content.get("current-context") for content, _ in files]
        context, _ = self._named(files, "context", next(filter(None, current), ""))
        cluster, beside = self._named(files, "cluster", context.get("cluster", ""))
        has_user = bool(context.get("user"))
        user, home = self._named(files, "user", context["user"]) if has_user else ({}, beside)
        found = Access(
            server=str(cluster["server"]).rstrip("/"),
            authority=_pem(cluster, beside, "certificate-authority"),
            is_insecure=bool(cluster.get("insecure-skip-tls-verify")),
            namespace=context.get("namespace", ""),
            **_user(user, home),
        )
        return self._from_plugin(found, user["exec"], home) if "exec" in user else found

    def _named(
        self, files: Sequence[tuple[Any, pathlib.Path]], what: str, name: str
    ) -> tuple[Any, pathlib.Path]:
        """Return an entry of the first file that has it, and the folder of that file."""
        known = {
            each["name"]: (each.get(what) or {}, folder)
            for content, folder in reversed(files)
            for each in content.get(f"{what}s") or []
        }
        if name not in known:
            raise AccessError(
                f"{self._title} has no {what} {name!r}, only {', '.join(known) or 'none'}. "
                "Put the file right, or name another one with --kubeconfig."
            )
        return known[name]

    def _from_plugin(self, found: Access, plugin: Any, home: pathlib.Path) -> Access:
        version = plugin.get("apiVersion", EXEC_VERSIONS[0])
        if version not in EXEC_VERSIONS:
            raise AccessError(
                f"{self._title} asks for the exec plugin protocol {version}, but only "
                f"{' and '.join(EXEC_VERSIONS)} are known. Use a newer plugin."
            )
        info = {"apiVersion": version, "kind": "ExecCredential", "spec": {"interactive": False}}
        extra = {each["name"]: each["value"] for each in plugin.get("env") or []}
        environment = {**self._environment, **extra, "KUBERNETES_EXEC_INFO": json.dumps(info)}
        command = [_beside(home, plugin["command"]), *(plugin.get("args") or [])]
        status = self._run(command, environment)
        expires = status.get("expirationTimestamp")
        return dataclasses.replace(
            found,
            token=status.get("token", ""),
            certificate=status.get("clientCertificateData", ""),
            key=status.get("clientKeyData", ""),
            expires=datetime.fromisoformat(expires) if expires else None,
        )

    def _run(self, command: list[str], environment: Mapping[str, str]) -> Any:
        try:
            done = subprocess.run(
                command,
                env=environment,
                capture_output=True,
                timeout=PLUGIN_WITHIN_S,
                check=True,
            )
            return json.loads(done.stdout)["status"]
        except (OSError, subprocess.SubprocessError, ValueError, KeyError) as problem:
            # What the plugin printed may hold a token, so that only the sort of problem is told.
            raise AccessError(
                f"The exec plugin {command[0]!r} of {self._title} gave no credentials "
                f"({type(problem).__name__}). Run it by hand to see why."
            ) from None


def _beside(home: pathlib.Path, program: str) -> str:
    """Return the path of a program; a relative one starts at the kubeconfig, as for kubectl."""
    is_path = os.sep in program and not pathlib.Path(program).is_absolute()
    return str(home / program) if is_path else program


def _pem(where: Any, folder: pathlib.Path, what: str) -> str:
    if data := where.get(f"{what}-data"):
        return base64.b64decode(data).decode("ascii")
    return _text(folder / where[what]) if where.get(what) else ""


def _user(user: Any, folder: pathlib.Path) -> dict[str, Any]:
    token = user.get("token", "")
    if not token and user.get("tokenFile"):
        token = _text(folder / user["tokenFile"]).strip()
    return {
        "token": token,
        "username": user.get("username", ""),
        "password": user.get("password", ""),
        "certificate": _pem(user, folder, "client-certificate"),
        "key": _pem(user, folder, "client-key"),
    }


def source(kubeconfig: str, environment: Mapping[str, str]) -> Source:
    """Find who we are: the file that is named, ``KUBECONFIG``, the pod, the home folder.

    ``KUBECONFIG`` may list several files, of which some may not exist.
    """
    if kubeconfig:
        return Kubeconfig(pathlib.Path(kubeconfig), environment)
    named = [pathlib.Path(each) for each in environment.get("KUBECONFIG", "").split(os.pathsep)]
    if named := [each for each in named if each != pathlib.Path()]:
        first, *more = [each for each in named if each.exists()] or named
        return Kubeconfig(first, environment, *more)
    if "KUBERNETES_SERVICE_HOST" in environment:
        return Pod(environment)
    path = pathlib.Path(environment.get("HOME", "."), ".kube", "config")
    if path.exists():
        return Kubeconfig(path, environment)
    raise AccessError(
        f"There is no way to the Kubernetes API: we are not in a pod, KUBECONFIG is not set, and "
        f"{path} does not exist. Name a file with --kubeconfig."
    )


def _text(path: pathlib.Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as problem:
        raise AccessError(
            f"{path} cannot be read ({problem.strerror}). Put it there, or name another kubeconfig."
        ) from problem
