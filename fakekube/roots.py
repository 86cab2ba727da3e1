"""What is no object: health, version, discovery, OpenAPI; and what exists at first."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fakekube import discovery, kinds, paths, status, store
from fakekube.call import Call, Request, Response

if TYPE_CHECKING:
    from fakekube.server import Kube

Json = Any
Object = dict[str, Any]
FIRST_NAMESPACES = ("kube-system", "kube-public", "kube-node-lease", "default")
OPENID = ("/.well-known/openid-configuration", "/openid/v1/jwks")
JWKS = "application/jwk-set+json"


class Roots:
    """Answers requests for paths that are no resources."""

    def __init__(self, kube: Kube) -> None:
        self.kube = kube
        self.reviews: dict[tuple[str, str], Callable[[Call, Object], Object]] = {}
        """What is asked by creating an object that is never stored."""
        self.discovery = discovery.Discovery(kube.catalog)
        self._documents: Any = None

    def answer(self, request: Request, info: paths.RequestInfo) -> Response | None:
        """Answer, or return None for a path that does not exist."""
        if request.method not in {"GET", "HEAD"}:
            raise status.method_not_allowed()
        if info.path in OPENID:
            return self._openid(request, info.path)
        found = self._openapi(request) if info.path.startswith("/openapi/") else None
        return found or self.discovery.answer(request)

    def _openid(self, request: Request, path: str) -> Response:
        """Answer with what others need to verify the tokens of service accounts."""
        accepted = request.headers.get("accept", "*/*")
        if path == OPENID[1] and not {JWKS, "*/*"} & set(accepted.replace(" ", "").split(",")):
            raise status.not_acceptable([JWKS])
        issuer = self.kube.issuer
        if path == OPENID[1]:
            return Response(200, [store.encode(issuer.jwks())], JWKS)
        found = issuer.discovery(request.headers.get("host", ""))
        return Response(200, [store.encode(found)])

    def _openapi(self, request: Request) -> Response | None:
        if self._documents is None and importlib.util.find_spec("fakekube.openapi"):
            module = importlib.import_module("fakekube.openapi")
            self._documents = module.OpenApi(self.kube.catalog)
        return self._documents.answer(request) if self._documents is not None else None

    def table(self, call: Call, shown: list[Object], meta: Json) -> Object:
        """Return objects as a table."""
        module = importlib.import_module("fakekube.tables")
        include = call.query.get("includeObject", "Metadata")
        found: Object = module.table(
            call.resource, shown, meta, include=include, now=self.kube.clock.now()
        )
        return found


def install(kube: Kube) -> None:
    """Serve the built-in kinds, and make the objects that are there from the start."""
    for resource in kinds.resources():
        kube.catalog.add(resource)
    first_objects(kube)


def first_objects(kube: Kube) -> None:
    """Make the objects that the real server makes when it starts."""
    for name in FIRST_NAMESPACES:
        obj: Object = {
            "kind": "Namespace",
            "apiVersion": "v1",
            "metadata": {
                "name": name,
                "uid": kube.chance.uid(),
                "creationTimestamp": kube.clock.stamp(),
                "labels": {"kubernetes.io/metadata.name": name},
            },
            "spec": {"finalizers": ["kubernetes"]},
            "status": {"phase": "Active"},
        }
        kube.store.create("namespaces", obj)
    kube.policy.install(kube.clock, kube.chance)
