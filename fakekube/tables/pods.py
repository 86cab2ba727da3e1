"""The cells of pods: the aggregate state of their containers, in one word."""

from __future__ import annotations

from typing import Any, Final

from fakekube.kinds.checks import at
from fakekube.tables.ages import age, human, parse

Json = Any
Object = dict[str, Any]

NONE: Final = "<none>"
DONE: Final = {
    "Succeeded": ("Succeeded", "The pod has completed successfully."),
    "Failed": ("Failed", "The pod failed."),
}


def conditions(obj: Object) -> list[Json]:
    """Return the conditions of the row of a pod that has ended."""
    done = DONE.get(at(obj, "status", "phase") or "")
    if done is None:
        return []
    return [{"type": "Completed", "status": "True", "reason": done[0], "message": done[1]}]


class _Summary:
    """What the containers of a pod add up to."""

    def __init__(self, reason: str, total: int) -> None:
        self.reason = reason
        self.total = total
        self.ready = 0
        self.restarts = 0
        self.sidecar_restarts = 0
        self.last_restart: float | None = None
        self.last_sidecar: float | None = None
        self.is_initializing = False
        self.is_running = False


def row(obj: Object, now: float) -> list[Json]:
    """Return the cells of a pod."""
    spec, state, meta = obj.get("spec") or {}, obj.get("status") or {}, obj["metadata"]
    sidecars = [
        each for each in spec.get("initContainers") or () if each.get("restartPolicy") == "Always"
    ]
    phase = state.get("phase", "")
    found = _Summary(
        state.get("reason") or phase, len(spec.get("containers") or ()) + len(sidecars)
    )
    for condition in state.get("conditions") or ():
        if condition.get("type") == "PodScheduled" and condition.get("reason") == "SchedulingGated":
            found.reason = "SchedulingGated"
    _initialize(found, spec, state, {each.get("name") for each in sidecars})
    if not found.is_initializing or _holds(state, "Initialized"):
        _run(found, state)
    if meta.get("deletionTimestamp"):
        if state.get("reason") == "NodeLost":
            found.reason = "Unknown"
        elif phase not in DONE:
            found.reason = "Terminating"
    restarts = str(found.restarts)
    if found.restarts and found.last_restart is not None:
        restarts = f"{found.restarts} ({human(now - found.last_restart)} ago)"
    addresses = state.get("podIPs") or ()
    address = addresses[0].get("ip", "") if addresses else state.get("podIP", "")
    return [
        meta.get("name", ""),
        f"{found.ready}/{found.total}",
        found.reason,
        restarts,
        age(meta.get("creationTimestamp"), now),
        address or NONE,
        spec.get("nodeName") or NONE,
        state.get("nominatedNodeName") or NONE,
        _gates(spec, state),
    ]


def _holds(state: Object, kind: str) -> bool:
    return any(
        each.get("type") == kind and each.get("status") == "True"
        for each in state.get("conditions") or ()
    )


def _gates(spec: Object, state: Object) -> str:
    gates = spec.get("readinessGates") or ()
    if not gates:
        return NONE
    return f"{sum(_holds(state, each.get('conditionType', '')) for each in gates)}/{len(gates)}"


def _finished(container: Object) -> float | None:
    stamp = at(container, "lastState", "terminated", "finishedAt")
    return parse(stamp) if stamp else None


def _later(one: float | None, other: float | None) -> float | None:
    return max((each for each in (one, other) if each is not None), default=None)


def _initialize(found: _Summary, spec: Object, state: Object, sidecars: set[Any]) -> None:
    total = len(spec.get("initContainers") or ())
    for number, container in enumerate(state.get("initContainerStatuses") or ()):
        found.restarts += container.get("restartCount", 0)
        found.last_restart = _later(found.last_restart, _finished(container))
        is_sidecar = container.get("name") in sidecars
        if is_sidecar:
            found.sidecar_restarts += container.get("restartCount", 0)
            found.last_sidecar = _later(found.last_sidecar, _finished(container))
        terminated = at(container, "state", "terminated")
        waiting = at(container, "state", "waiting", "reason")
        if terminated is not None and not terminated.get("exitCode"):
            continue
        if is_sidecar and container.get("started"):
            found.ready += bool(container.get("ready"))
            continue
        if terminated is not None:
            found.reason = f"Init:{_ending(terminated)}"
        elif waiting and waiting != "PodInitializing":
            found.reason = f"Init:{waiting}"
        else:
            found.reason = f"Init:{number}/{total}"
        found.is_initializing = True
        break


def _ending(terminated: Object) -> str:
    if terminated.get("reason"):
        return str(terminated["reason"])
    if terminated.get("signal"):
        return f"Signal:{terminated['signal']}"
    return f"ExitCode:{terminated.get('exitCode', 0)}"


def _run(found: _Summary, state: Object) -> None:
    found.restarts, found.last_restart = found.sidecar_restarts, found.last_sidecar
    for container in reversed(state.get("containerStatuses") or ()):
        found.restarts += container.get("restartCount", 0)
        found.last_restart = _later(found.last_restart, _finished(container))
        waiting = at(container, "state", "waiting", "reason")
        terminated = at(container, "state", "terminated")
        if waiting:
            found.reason = waiting
        elif terminated is not None:
            found.reason = _ending(terminated)
        elif container.get("ready") and at(container, "state", "running") is not None:
            found.is_running = True
            found.ready += 1
    if found.reason == "Completed" and found.is_running:
        found.reason = "Running" if _holds(state, "Ready") else "NotReady"


ROWS: Final = {("", "pods"): row}
