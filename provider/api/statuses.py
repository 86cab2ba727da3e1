"""How the two contracts of Cluster API say the same of a status.

https://cluster-api.sigs.k8s.io/developer/providers/contracts/overview
"""

from __future__ import annotations

from typing import Any

Json = Any

NO_REASON = "NoReasonReported"
"""What Cluster API itself writes where v1beta1 had no reason."""
NEVER = "1970-01-01T00:00:00Z"
NEGATIVE = frozenset({"Paused", "Deleting"})
"""Conditions whose False is good news; v1beta1 knows no such conditions."""

TERMINAL = frozenset({"VmTerminated"})
"""Reasons of Ready that nothing ends. What may end, such as a quarantine, is none of them: Cluster
API keeps a failure for ever."""

_OLD_RESOURCES = {"publicIps": "publicIp", "fGPU": "flexibleGpu", "volumes": "volume"}
_NEW_RESOURCES = {new: old for old, new in _OLD_RESOURCES.items()}


def conditions_into(items: list[dict[str, Json]]) -> list[dict[str, Json]]:
    """Turn conditions of v1beta1 into those of v1beta2, which have every field."""
    return [
        {
            "type": item.get("type", ""),
            "status": item.get("status", "Unknown"),
            "lastTransitionTime": item.get("lastTransitionTime") or NEVER,
            "reason": item.get("reason") or NO_REASON,
            "message": item.get("message", ""),
        }
        for item in items
    ]


def conditions_back(items: list[dict[str, Json]]) -> list[dict[str, Json]]:
    """Turn conditions of v1beta2 into those of v1beta1, which say more only when False."""
    return [_condition_back(item) for item in items if item.get("type") not in NEGATIVE]


def _condition_back(item: dict[str, Json]) -> dict[str, Json]:
    names = ["type", "status", "lastTransitionTime"]
    if item.get("status") != "True":
        names += ["reason", "message"]
    old = {name: item[name] for name in names if item.get(name)}
    if item.get("status") == "False":
        old["severity"] = "Warning"
    return old


def failure_reason(items: list[dict[str, Json]]) -> str | None:
    """Return the reason for which a machine has failed for good, as v1beta1 says it."""
    return _failed(items).get("reason")


def failure_message(items: list[dict[str, Json]]) -> str | None:
    """Return that in sentences."""
    return _failed(items).get("message")


def _failed(items: list[dict[str, Json]]) -> dict[str, Json]:
    found = (each for each in items if each.get("type") == "Ready")
    return next((each for each in found if each.get("reason") in TERMINAL), {})


def domains_into(domains: dict[str, dict[str, Json]]) -> list[dict[str, Json]]:
    """Turn a map of failure domains into a list, in the order of their names."""
    return [{"name": name, **(domains[name] or {})} for name in sorted(domains)]


def domains_back(domains: list[dict[str, Json]]) -> dict[str, dict[str, Json]]:
    """Turn a list of failure domains into a map."""
    return {
        domain.get("name", ""): {key: value for key, value in domain.items() if key != "name"}
        for domain in domains
    }


def resources_into(resources: dict[str, Json]) -> dict[str, Json]:
    """Name the kinds of resources as v1beta2 does."""
    return {_OLD_RESOURCES.get(kind, kind): ids for kind, ids in resources.items()}


def resources_back(resources: dict[str, Json]) -> dict[str, Json]:
    """Name the kinds of resources as v1beta1 does."""
    return {_NEW_RESOURCES.get(kind, kind): ids for kind, ids in resources.items()}
