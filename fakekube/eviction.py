"""Eviction: a deletion of a Pod that its disruption budgets allow."""

from __future__ import annotations

from typing import Any

from fakekube import options, selectors, status
from fakekube.call import Call
from fakekube.lifecycle import Deleter
from fakekube.registry import Registry
from fakekube.store import Record

Json = Any
Object = dict[str, Any]

BUDGETS = "poddisruptionbudgets.policy"
CAUSE = "DisruptionBudget"
TEXT = "Cannot evict pod as it would violate the pod's disruption budget."
WAIT_S = 10
DISRUPTED_MOST = 2000


async def evict(registry: Registry, deleter: Deleter, call: Call, obj: Object) -> Object:
    """Evict the Pod of a call, or refuse with 429 when a budget does not allow it."""
    name = (obj.get("metadata") or {}).get("name", call.info.name)
    if name != call.info.name:
        raise status.bad_request("name in URL does not match name in Eviction object")
    wanted = options.delete_options(call.query, obj.get("deleteOptions") or {})
    query_dry = options.write_options(call.query, "CreateOptions").is_dry
    pod = registry.find(call)
    if not _is_free(pod.obj):
        budget = _budget(registry, pod)
        if budget is not None:
            _spend(registry, budget, pod, is_dry=wanted.is_dry or query_dry)
    if query_dry and not wanted.is_dry:
        wanted = options.delete_options({}, {**wanted.raw, "dryRun": ["All"]})
    await deleter.delete(call, wanted)
    return {**status.success(), "code": 201}


def _is_free(pod: Object) -> bool:
    given = pod.get("status") or {}
    if given.get("phase") in {"Succeeded", "Failed", "Pending"}:
        return True
    return bool(pod["metadata"].get("deletionTimestamp"))


def _is_ready(pod: Object) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def _budget(registry: Registry, pod: Record) -> Record | None:
    found = []
    for record in registry.store.table(BUDGETS).list(pod.namespace):
        selector = (record.obj.get("spec") or {}).get("selector")
        if selector is not None and selectors.from_object(selector).matches(pod.labels):
            found.append(record)
    if len(found) > 1:
        text = "This pod has more than one PodDisruptionBudget, which the eviction subresource"
        raise status.internal_error(f"{text} does not support.")
    return found[0] if found else None


def _spend(registry: Registry, budget: Record, pod: Record, *, is_dry: bool) -> None:
    """Take one disruption off a budget."""
    obj = budget.copy()
    given = obj.get("status") or {}
    healthy, desired = given.get("currentHealthy", 0), given.get("desiredHealthy", 0)
    if not _is_ready(pod.obj):
        policy = (obj.get("spec") or {}).get("unhealthyPodEvictionPolicy", "IfHealthyBudget")
        if policy == "AlwaysAllow" or (healthy >= desired > 0):
            return
    _check_budget(obj, given)
    if is_dry:
        return
    allowed = given["disruptionsAllowed"]
    given["disruptionsAllowed"] = allowed - 1
    given.setdefault("disruptedPods", {})[pod.name] = registry.clock.stamp()
    if allowed == 1:
        now = registry.clock.stamp()
        for each in given.get("conditions") or ():
            if each["type"] == "DisruptionAllowed" and each["status"] != "False":
                each.update(status="False", reason="InsufficientPods", lastTransitionTime=now)
    obj["status"] = given
    registry.store.update(BUDGETS, obj, budget)


def _check_budget(obj: Object, given: Json) -> None:
    name = obj["metadata"]["name"]
    if given.get("observedGeneration", 0) < obj["metadata"].get("generation", 0):
        raise _refusal(
            f"The disruption budget {name} is still being processed by the server.", WAIT_S
        )
    allowed = given.get("disruptionsAllowed", 0)
    if allowed < 0:
        text = "pdb disruptions allowed is negative"
        raise status.forbidden("poddisruptionbudgets", name, text, "policy")
    if len(given.get("disruptedPods") or {}) > DISRUPTED_MOST:
        text = "DisruptedPods map too big - too many evictions not confirmed by PDB controller"
        raise status.forbidden("poddisruptionbudgets", name, text, "policy")
    if allowed == 0:
        desired, healthy = given.get("desiredHealthy", 0), given.get("currentHealthy", 0)
        raise _refusal(
            f"The disruption budget {name} needs {desired} healthy pods "
            f"and has {healthy} currently",
            0,
        )


def _refusal(text: str, retry_after_s: int) -> status.ApiError:
    details: Json = {"causes": [{"reason": CAUSE, "message": text}]}
    return status.ApiError(429, "TooManyRequests", TEXT, details, retry_after_s=retry_after_s)
