"""What the server serves: legacy and aggregated discovery, version, health, and the list of paths.

Documents are made from the catalog when they are first asked for, and kept until it changes.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from typing import Any, Final

from fakekube import crd, kinds, status, store
from fakekube.call import Request, Response
from fakekube.catalog import Catalog
from fakekube.resource import Resource

Json = Any

VERSION: Final = {
    "major": "1",
    "minor": "34",
    "emulationMajor": "1",
    "emulationMinor": "34",
    "minCompatibilityMajor": "1",
    "minCompatibilityMinor": "33",
    "gitVersion": "v1.34.4",
    "gitCommit": "fakekube",
    "gitTreeState": "clean",
    "buildDate": "1970-01-01T00:00:00Z",
    "goVersion": "none",
    "compiler": "none",
    "platform": "linux/amd64",
}
PLAIN: Final = "text/plain; charset=utf-8"
CHECKS: Final[Mapping[str, tuple[str, ...]]] = {
    "healthz": ("ping", "log", "etcd"),
    "livez": ("ping", "log", "etcd"),
    "readyz": ("ping", "log", "etcd", "etcd-readiness", "informer-sync", "shutdown"),
}
CUSTOM_VERBS: Final = (
    *("delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"),
)
"""The verbs of a custom resource, in the order in which the real server lists them."""
PART_VERBS: Final = ("get", "patch", "update")
SCALE: Final = ("autoscaling", "v1", "Scale")
WANTED: Final = re.compile(
    r"application/json;(?=[^,]*g=apidiscovery\.k8s\.io)(?=[^,]*as=APIGroupDiscoveryList)"
    r"[^,]*?v=(v2)(?![a-z0-9])"
)
"""What asks for aggregated discovery; its beta is no longer served by this version."""
LAST: Final = 1000
STORED: Final = dict.fromkeys(("customresourcedefinitions", "volumeattributesclasses"), "v1beta1")
"""Where the real server stores another version than those that are served here."""


class Discovery:
    """Answers requests about the server itself."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._revision = -1
        self._bodies: dict[tuple[str, str], tuple[bytes, str]] = {}

    def answer(self, request: Request) -> Response | None:
        """Answer a GET; None says that there is no such path."""
        path, _, query = request.target.partition("?")
        path = path.rstrip("/") or "/"
        headers = {key: value.replace("\0", ",") for key, value in request.headers.items()}
        first = path.strip("/").partition("/")[0]
        if first in CHECKS:
            return _health(path.strip("/"), query)
        if path in {"/api", "/apis"}:
            wanted = _aggregated(headers.get("accept", ""))
            if wanted:
                return self._aggregated(path, wanted, headers.get("if-none-match", ""))
        document = self._document(path, headers.get("host", ""))
        if document is None:
            return None
        return Response(200, [store.encode(document), b"\n"])

    def _document(self, path: str, host: str) -> Json:
        if path == "/":
            return {"paths": self.paths()}
        if path == "/version":
            return VERSION
        if path == "/api":
            address = {"clientCIDR": "0.0.0.0/0", "serverAddress": host}
            return {
                "kind": "APIVersions",
                "versions": ["v1"],
                "serverAddressByClientCIDRs": [address],
            }
        if path == "/apis":
            groups = [_group(name, list(rows)) for name, rows in self.groups().items() if name]
            return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}
        root, *rest = path.strip("/").split("/")
        if root == "api" and len(rest) == 1:
            return self._resources("", rest[0])
        if root == "apis" and len(rest) == 1 and rest[0] in self.groups():
            versions = list(self.groups()[rest[0]])
            return {"kind": "APIGroup", "apiVersion": "v1", **_group(rest[0], versions)}
        if root == "apis" and len(rest) == 2:
            return self._resources(*rest)
        return None

    def groups(self) -> dict[str, dict[str, list[Resource]]]:
        """Return the resources by group and version, the preferred ones first."""
        order = {name: number for number, name in reversed([*enumerate(_preferred())])}
        found: dict[str, dict[str, list[Resource]]] = {}
        for resource in self._catalog:
            found.setdefault(resource.group, {}).setdefault(resource.version, []).append(resource)
        names = sorted(found, key=lambda name: (order.get(name, LAST), name))
        return {
            name: dict(sorted(found[name].items(), key=lambda item: crd.version_order(item[0])))
            for name in names
        }

    def _resources(self, group: str, version: str) -> Json:
        found = self.groups().get(group, {}).get(version)
        if found is None:
            if not group:
                raise status.unknown_resource()
            if group in self.groups():
                raise status.unknown_resource()
            return None
        rows: list[Json] = []
        for resource in sorted(found, key=lambda each: each.plural):
            rows += _legacy(resource)
        head = {"kind": "APIResourceList"} | ({"apiVersion": "v1"} if group else {})
        return {
            **head,
            "groupVersion": f"{group}/{version}" if group else version,
            "resources": rows,
        }

    def _aggregated(self, path: str, wanted: str, known: str) -> Response:
        if self._revision != self._catalog.revision:
            self._bodies.clear()
            self._revision = self._catalog.revision
        found = self._bodies.get((path, wanted))
        if found is None:
            body = store.encode(self._list(path, wanted)) + b"\n"
            tag = f'"{hashlib.sha512(body).hexdigest().upper()}"'
            found = self._bodies[path, wanted] = (body, tag)
        body, tag = found
        headers = [("ETag", tag), ("Vary", "Accept"), ("Cache-Control", "public")]
        kind = f"application/json;g=apidiscovery.k8s.io;v={wanted};as=APIGroupDiscoveryList"
        if known == tag:
            return Response(304, [], kind, headers)
        return Response(200, [body], kind, headers)

    def _list(self, path: str, wanted: str) -> Json:
        items = []
        for name, versions in self.groups().items():
            if (path == "/api") == bool(name):
                continue
            rows = [
                {
                    "version": version,
                    "resources": [
                        _modern(each) for each in sorted(found, key=lambda each: each.plural)
                    ],
                    "freshness": "Current",
                }
                for version, found in versions.items()
            ]
            items.append({"metadata": {"name": name} if name else {}, "versions": rows})
        return {
            "kind": "APIGroupDiscoveryList",
            "apiVersion": f"apidiscovery.k8s.io/{wanted}",
            "metadata": {},
            "items": items,
        }

    def paths(self) -> list[str]:
        """Return what may be asked for beside objects."""
        found = ["/api", "/api/v1", "/apis", "/apis/", "/openapi/v2", "/openapi/v3", "/version"]
        for group, versions in self.groups().items():
            if group:
                found += [f"/apis/{group}", *(f"/apis/{group}/{version}" for version in versions)]
        for root, checks in CHECKS.items():
            found += [f"/{root}", *(f"/{root}/{check}" for check in checks)]
        return sorted(found)


def _preferred() -> list[str]:
    # The built-in groups, as often as they have versions, in the order of the real server.
    return [group for group, _, _ in kinds.rows()]


def _aggregated(accept: str) -> str:
    # The first clause that asks for it decides, unless plain JSON comes before it.
    for clause in accept.split(","):
        clean = clause.replace(" ", "")
        match = WANTED.match(clean)
        if match:
            return match[1]
        if clean.partition(";")[0] in {"application/json", "*/*"}:
            return ""
    return ""


def _group(name: str, versions: list[str]) -> Json:
    rows = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
    return {"name": name, "versions": rows, "preferredVersion": rows[0]}


def _parts(resource: Resource) -> dict[str, kinds.Subresource]:
    row = kinds.find_row(resource.group, resource.version, resource.plural)
    if row is not None and not resource.is_custom:
        found = kinds.subresources(row)
        return {name: found[name] for name in sorted(found) if name in resource.subresources}
    own = (resource.group, resource.version, resource.kind)
    return {
        name: kinds.Subresource(*(SCALE if name == "scale" else own), PART_VERBS)
        for name in ("status", "scale")
        if name in resource.subresources
    }


def version_hash(resource: Resource) -> str:
    """Return what tells apart the versions in which objects are stored."""
    group = resource.stored_as[0] if resource.stored_as[1] else resource.group
    version = STORED.get(resource.plural) or resource.storage_version or resource.version
    text = f"{group}/{version}/{resource.kind}"
    return base64.b64encode(hashlib.sha256(text.encode()).digest()[:8]).decode()


def _verbs(resource: Resource) -> list[str]:
    return list(CUSTOM_VERBS if resource.is_custom else resource.verbs)


def _named(resource: Resource) -> Json:
    found: Json = {}
    if resource.short_names:
        found["shortNames"] = list(resource.short_names)
    if resource.categories:
        found["categories"] = list(resource.categories)
    return found


def _legacy(resource: Resource) -> list[Json]:
    row = {
        "name": resource.plural,
        "singularName": resource.singular_name,
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": _verbs(resource),
        **_named(resource),
    }
    if "list" in resource.verbs:
        row["storageVersionHash"] = version_hash(resource)
    rows = [row]
    for name, part in _parts(resource).items():
        other: Json = {}
        if (part.group, part.version) != (resource.group, resource.version):
            other = {"group": part.group, "version": part.version}
        rows.append(
            {
                "name": f"{resource.plural}/{name}",
                "singularName": "",
                "namespaced": resource.namespaced,
                **other,
                "kind": part.kind,
                "verbs": list(part.verbs),
            }
        )
    return rows


def _kind(resource: Resource, group: str, version: str, kind: str) -> Json:
    # The real server leaves out the group and version of its own kinds where they are the same.
    if not resource.is_custom and (group, version) == (resource.group, resource.version):
        group = version = ""
    return {"group": group, "version": version, "kind": kind}


def _modern(resource: Resource) -> Json:
    parts = [
        {
            "subresource": name,
            "responseKind": _kind(resource, part.group, part.version, part.kind),
            "verbs": list(part.verbs),
        }
        for name, part in _parts(resource).items()
    ]
    return {
        "resource": resource.plural,
        "responseKind": _kind(resource, resource.group, resource.version, resource.kind),
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.singular_name,
        "verbs": _verbs(resource),
        **_named(resource),
        **({"subresources": parts} if parts else {}),
    }


def _health(path: str, query: str) -> Response | None:
    root, _, check = path.partition("/")
    checks = CHECKS[root]
    if check:
        return Response(200, [b"ok"], PLAIN) if check in checks else None
    options = [part.partition("=") for part in query.split("&")]
    if not any(key == "verbose" for key, _, _ in options):
        return Response(200, [b"ok"], PLAIN)
    excluded = {value for key, _, value in options if key == "exclude"}
    lines = [f"[+]{each} excluded: ok" if each in excluded else f"[+]{each} ok" for each in checks]
    unknown = sorted(excluded - set(checks))
    if unknown:
        shown = ", ".join(f'"{each}"' for each in unknown)
        lines.append(f"warn: some health checks cannot be excluded: no matches for {shown}")
    return Response(200, ["\n".join([*lines, f"{root} check passed\n"]).encode()], PLAIN)
