"""A Kubernetes API, spoken to over HTTP as any user does."""

from __future__ import annotations

import dataclasses
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from e2e.waits import need

Object = dict[str, Any]

CORE = "cluster.x-k8s.io/v1beta2"
INFRASTRUCTURE = "infrastructure.cluster.x-k8s.io/v1beta2"
MERGE = "application/merge-patch+json"
TIMEOUT_S = 10.0
NOT_FOUND = 404
LATER = Retry(
    5, connect=0, read=0, status_forcelist={429}, allowed_methods=None, raise_on_status=False
)
"""A server that begins to serve a kind asks to come again in a second."""


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind of objects in namespaces, as the server serves it."""

    api_version: str
    plural: str
    kind: str


SECRET = Kind("v1", "secrets", "Secret")


class Kube:
    """One API server and the right to do anything there."""

    def __init__(self, url: str, token: str = "", namespace: str = "default") -> None:
        """Open a session; without a token the server at ``url`` has to know who we are."""
        self._url = url
        self._token = token
        self.namespace = namespace
        self._kinds: list[Kind] = []
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.mount("http://", HTTPAdapter(max_retries=LATER))
        if token:
            self._session.headers["Authorization"] = f"Bearer {token}"

    def within(self, namespace: str) -> Kube:
        """Return the same for another namespace."""
        made = Kube(self._url, self._token, namespace)
        made._kinds = self._kinds
        return made

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> requests.Response:
        """Make one request."""
        return self._session.request(
            method, f"{self._url}{path}", json=body, headers=headers, timeout=TIMEOUT_S
        )

    def must(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Make a request that has to succeed; raise ``SystemExit`` with the server's words."""
        return self.require(self.ask(method, path, body, **headers))

    @staticmethod
    def require(answer: requests.Response) -> Any:
        """Return what was answered; raise ``SystemExit`` with the server's words otherwise."""
        if not answer.ok:
            asked = answer.request
            raise SystemExit(f"{asked.method} {asked.url}: {answer.status_code} {answer.text}")
        return answer.json()

    def path(self, api_version: str, plural: str, name: str = "", part: str = "") -> str:
        """Return where objects of a kind, or one of them, are found."""
        root = f"/api/{api_version}" if "/" not in api_version else f"/apis/{api_version}"
        parts = [root, "namespaces", self.namespace, plural, name, part]
        return "/".join(each for each in parts if each)

    def create(self, plural: str, body: Object) -> Object:
        """Create an object."""
        made: Object = self.must("POST", self.path(body["apiVersion"], plural), body)
        return made

    def get(self, api_version: str, plural: str, name: str) -> Object | None:
        """Return an object, or None when there is none; raise Unmet when nobody can tell."""
        path = self.path(api_version, plural, name)
        answer = self.ask("GET", path)
        if answer.status_code == NOT_FOUND:
            return None
        need(answer.ok, saw=f"GET {path}: {answer.status_code} {answer.text}")
        found: Object = answer.json()
        return found

    def items(self, api_version: str, plural: str) -> list[Object]:
        """Return all objects of a kind."""
        found: list[Object] = self.must("GET", self.path(api_version, plural))["items"]
        return found

    def of_cluster_api(self) -> list[Kind]:
        """Return the kinds of Cluster API and of its providers, as ``kubectl get cluster-api``."""
        if not self._kinds:
            groups = self.must("GET", "/apis")["groups"]
            ours = [each for each in groups if each["name"].endswith("cluster.x-k8s.io")]
            versions = [each["preferredVersion"]["groupVersion"] for each in ours]
            self._kinds[:] = [
                Kind(version, row["name"], row["kind"])
                for version in versions
                for row in self.must("GET", f"/apis/{version}")["resources"]
                if row["namespaced"] and "cluster-api" in row.get("categories", ())
            ]
        return list(self._kinds)

    def forget(self) -> None:
        """Look again for what Cluster API serves: it is another one now."""
        self._kinds.clear()

    def of_kind(self, kind: Kind) -> list[Object]:
        """Return all objects of a kind, each of which says what it is."""
        rows = self.items(kind.api_version, kind.plural)
        return [{"apiVersion": kind.api_version, "kind": kind.kind, **row} for row in rows]

    def patch(
        self, api_version: str, plural: str, name: str, body: Object, part: str = ""
    ) -> Object:
        """Merge a patch into an object, or into one part of it."""
        path = self.path(api_version, plural, name, part)
        made: Object = self.must("PATCH", path, body, **{"Content-Type": MERGE})
        return made

    def delete(self, api_version: str, plural: str, name: str) -> None:
        """Ask for the deletion of an object."""
        self.must("DELETE", self.path(api_version, plural, name))
