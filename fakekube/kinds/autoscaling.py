"""HorizontalPodAutoscalers of the first version, which knows one metric only."""

from __future__ import annotations

from typing import Any

from fakekube.kinds.checks import at

Json = Any
Object = dict[str, Any]


def default(obj: Object) -> None:
    """Fill in the defaults of the first version."""
    obj.setdefault("spec", {}).setdefault("minReplicas", 1)


def convert(obj: Object, source: str, target: str) -> Object:
    """Return an autoscaler in the other version; metrics that the first lacks are not kept."""
    if source == target:
        return obj
    spec = {**(obj.get("spec") or {})}
    if target.endswith("/v1"):
        for metric in spec.pop("metrics", None) or ():
            if at(metric, "resource", "name") == "cpu":
                share = at(metric, "resource", "target", "averageUtilization")
                spec["targetCPUUtilizationPercentage"] = share
        spec.pop("behavior", None)
        state = {"currentReplicas": 0, "desiredReplicas": 0, **(obj.get("status") or {})}
        for metric in state.pop("currentMetrics", None) or ():
            if at(metric, "resource", "name") == "cpu":
                share = at(metric, "resource", "current", "averageUtilization")
                state["currentCPUUtilizationPercentage"] = share
        state.pop("conditions", None)
        return {**obj, "apiVersion": target, "spec": spec, "status": state}
    share = spec.pop("targetCPUUtilizationPercentage", None) or 80
    goal = {"type": "Utilization", "averageUtilization": share}
    spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": goal}}]
    state = {"currentMetrics": None, **(obj.get("status") or {})}
    state.pop("currentCPUUtilizationPercentage", None)
    return {**obj, "apiVersion": target, "spec": spec, "status": state}
