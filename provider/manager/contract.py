"""Objects of Cluster API's core as its version v1beta2 shows them, whatever version is served.

Older cores (Cluster API up to 1.10) serve only v1beta1. What reconciles look at differs in few
fields: references name the version and the namespace, and the status has flags at its top.
"""

from __future__ import annotations

from typing import Any

from provider.kube import kinds

Object = dict[str, Any]

VERSIONS = ("v1beta2", "v1beta1")
"""The versions of the core that we can work with, the best first."""
_FLAGS = {
    "infrastructureReady": "infrastructureProvisioned",
    "bootstrapReady": "bootstrapDataSecretCreated",
    "controlPlaneReady": "controlPlaneInitialized",
}
"""Flags of v1beta1, and what v1beta2 calls them inside ``status.initialization``."""


def modern(obj: Object | None) -> Object | None:
    """Return a Cluster or Machine as v1beta2 shows it; one of v1beta2 is returned as it is."""
    if obj is None or not str(obj.get("apiVersion", "")).endswith("/v1beta1"):
        return obj
    spec, status = dict(obj.get("spec") or {}), dict(obj.get("status") or {})
    for name in ("infrastructureRef", "controlPlaneRef"):
        if name in spec:
            spec[name] = _reference(spec[name])
    if "configRef" in (spec.get("bootstrap") or {}):
        bootstrap = spec["bootstrap"]
        spec["bootstrap"] = {**bootstrap, "configRef": _reference(bootstrap["configRef"])}
    known = {new: status.pop(old) for old, new in _FLAGS.items() if old in status}
    if known:
        status["initialization"] = known
    version = obj["apiVersion"].replace("/v1beta1", "/v1beta2")
    return {**obj, "apiVersion": version, "spec": spec, "status": status}


def infrastructure(obj: Object, kind: kinds.Kind) -> str:
    """Return the name of the object of a kind that a Cluster or Machine refers to, or nothing.

    Older cores accept references without a name.
    """
    reference = (obj.get("spec") or {}).get("infrastructureRef") or {}
    return str(reference.get("name") or "") if reference.get("kind") == kind.name else ""


def _reference(old: Object) -> Object:
    group = str(old.get("apiVersion", "")).rpartition("/")[0]
    return {"apiGroup": group, "kind": old.get("kind", ""), "name": old.get("name", "")}
