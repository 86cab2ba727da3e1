"""Turn an object of one version into one of another, and lose nothing on any way.

The API server calls ``review``. What the wanted version cannot say goes into an annotation, as
controller-runtime's conversions do it, and comes back on the way back.
"""

from __future__ import annotations

import json
from typing import Any

from provider.api import keeping, mapping, v1beta1, v1beta2

Json = Any

ANNOTATION = f"{v1beta2.GROUP}/conversion-data"

SUBNET_ROLES_OF_BALANCER = ["loadbalancer", "bastion", "nat"]


class Unconvertible(Exception):
    """There is no such kind or version."""


def convert(obj: dict[str, Json], desired_api_version: str) -> dict[str, Json]:
    """Return an object in the wanted version; raise ``Unconvertible``."""
    source, kind = str(obj.get("apiVersion")), str(obj.get("kind"))
    if source == desired_api_version:
        return obj
    if kind not in mapping.KINDS or {source, desired_api_version} != {
        v1beta1.API_VERSION,
        v1beta2.API_VERSION,
    }:
        raise Unconvertible(
            f"{kind} cannot be converted from {source} to "
            f"{desired_api_version}. Use {v1beta2.API_VERSION}."
        )
    said: dict[str, Json] = {name: obj[name] for name in ("spec", "status") if name in obj}
    metadata = dict(obj.get("metadata") or {})
    annotations = dict(metadata.get("annotations") or {})
    out = _restored(_turned(said, kind, desired_api_version), annotations, desired_api_version)
    through = _turned(out, kind, source)
    if through != said:
        left, right = keeping.difference(said, through)
        annotations[ANNOTATION] = json.dumps(
            {"version": source, "kept": left, "through": right},
            separators=(",", ":"),
            sort_keys=True,
        )
    if annotations:
        metadata["annotations"] = annotations
    elif ANNOTATION in (metadata.get("annotations") or {}):
        del metadata["annotations"]
    return {"apiVersion": desired_api_version, "kind": kind, "metadata": metadata, **out}


def _turned(said: dict[str, Json], kind: str, api_version: str) -> dict[str, Json]:
    """Turn spec and status into another version, as far as that version can say it."""
    rows = mapping.KINDS[kind]
    if api_version == v1beta1.API_VERSION:
        return mapping.backward(said, rows)
    out = mapping.forward(said, rows)
    path = ("spec", "template", "spec") if kind == "OscClusterTemplate" else ("spec",)
    network = mapping.dig(said, (*path, "network"))
    if kind.startswith("OscCluster") and isinstance(network, dict):
        _name_roles(mapping.dig(out, (*path, "network")), network)
    return out


def _name_roles(network: dict[str, Json], old: dict[str, Json]) -> None:
    """Say roles where the Go provider guesses them from names."""
    balancer = mapping.dig(old, ("loadBalancer", "subnetname"))
    control_planes = old.get("controlPlaneSubnets") or []
    for subnet in _objects(network.get("subnets")):
        name = subnet.get("name", "")
        if subnet.get("roles"):
            continue
        if name in control_planes or "kcp" in name:
            subnet["roles"] = ["controlplane"]
        elif balancer and name == balancer:
            subnet["roles"] = [*SUBNET_ROLES_OF_BALANCER]
        else:
            subnet["roles"] = ["worker"]
    for group in _objects(network.get("securityGroups")):
        name = group.get("name", "")
        if group.get("roles"):
            continue
        if "kcp" in name:
            group["roles"] = ["controlplane"]
        elif "kw" in name:
            group["roles"] = ["worker"]
        elif "node" in name:
            group["roles"] = ["controlplane", "worker"]


def _objects(items: Json) -> list[dict[str, Json]]:
    return [item for item in items or [] if isinstance(item, dict)]


def _restored(
    out: dict[str, Json], annotations: dict[str, str], api_version: str
) -> dict[str, Json]:
    """Add what was kept for this version, and take the annotation away.

    A moved object has no status, and what was kept of an old one is not true of it.
    """
    try:
        data = json.loads(annotations.pop(ANNOTATION, "{}"))
        if data.get("version") != api_version:
            return out
        kept, through = data["kept"], data["through"]
    except (ValueError, KeyError, AttributeError):
        return out  # Somebody edited it: what it said is gone, what the object says is not.
    if "status" not in out:
        kept = {name: value for name, value in kept.items() if name != "status"}
    restored: dict[str, Json] = keeping.restore(out, kept, through)
    return restored


def review(request: dict[str, Json]) -> dict[str, Json]:
    """Answer a ConversionReview: all of its objects, or why not."""
    asked = request.get("request") or {}
    result: dict[str, Json] = {"status": "Success"}
    converted: list[dict[str, Json]] = []
    for obj in asked.get("objects") or []:
        try:
            converted.append(convert(obj, asked.get("desiredAPIVersion", "")))
        except Unconvertible as error:
            result = {"status": "Failure", "message": str(error)}
        except (TypeError, AttributeError) as error:
            name = mapping.dig(obj, ("metadata", "name"))
            message = f"{obj.get('kind')} {name} has a field of another type than its schema says."
            result = {"status": "Failure", "message": f"{message} ({error})"}
    return {
        "apiVersion": request.get("apiVersion", "apiextensions.k8s.io/v1"),
        "kind": "ConversionReview",
        "response": {
            "uid": asked.get("uid", ""),
            "convertedObjects": converted if result["status"] == "Success" else [],
            "result": result,
        },
    }
