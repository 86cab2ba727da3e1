"""Pods and pod templates: their defaults, and what admission fills in when nobody else does."""

from __future__ import annotations

from typing import Any, Final

from fakekube import status
from fakekube.kinds.checks import at

Json = Any
Object = dict[str, Any]

FILE_MODE: Final = 420
TOKEN_SECONDS: Final = 3600
GRACE_SECONDS: Final = 30
EVICTION_SECONDS: Final = 300
PROBES: Final = ("livenessProbe", "readinessProbe", "startupProbe")
CONTAINERS: Final = ("initContainers", "containers", "ephemeralContainers")
SYSTEM_PRIORITIES: Final = {
    "system-cluster-critical": 2_000_000_000,
    "system-node-critical": 2_000_001_000,
}
UNREADY: Final = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")


def default_spec(spec: Object) -> None:
    """Fill in the defaults of the spec of a pod, wherever it stands."""
    spec.setdefault("containers", None)
    # The older name of the field is kept equal to the newer one.
    account = spec.get("serviceAccountName") or spec.get("serviceAccount")
    if account:
        spec["serviceAccountName"] = spec["serviceAccount"] = account
    _fill(spec, "dnsPolicy", "ClusterFirst")
    _fill(spec, "restartPolicy", "Always")
    _fill(spec, "schedulerName", "default-scheduler")
    spec.setdefault("terminationGracePeriodSeconds", GRACE_SECONDS)
    spec.setdefault("securityContext", {})
    for kind in CONTAINERS:
        for container in spec.get(kind) or ():
            _default_container(container, on_host=bool(spec.get("hostNetwork")))
            if kind == "containers":
                # Only init containers have a policy of their own, until a feature is on.
                container.pop("restartPolicy", None)
                container.pop("restartPolicyRules", None)
    for volume in spec.get("volumes") or ():
        _default_volume(volume)


def _fill(obj: Object, key: str, value: Json) -> None:
    # An empty text means the same as none.
    if not obj.get(key):
        obj[key] = value


def _default_container(container: Object, *, on_host: bool) -> None:
    _fill(container, "terminationMessagePath", "/dev/termination-log")
    _fill(container, "terminationMessagePolicy", "File")
    _fill(container, "imagePullPolicy", _pull_policy(container.get("image", "")))
    for port in container.get("ports") or ():
        _fill(port, "protocol", "TCP")
        if on_host and not port.get("hostPort") and port.get("containerPort"):
            port["hostPort"] = port["containerPort"]
    for variable in container.get("env") or ():
        _default_reference(at(variable, "valueFrom", "fieldRef"))
        divided = at(variable, "valueFrom", "resourceFieldRef")
        if divided is not None:
            divided.setdefault("divisor", "0")
    for name in PROBES:
        probe = container.get(name)
        if probe is not None:
            _default_handler(probe)
            _fill(probe, "timeoutSeconds", 1)
            _fill(probe, "periodSeconds", 10)
            _fill(probe, "successThreshold", 1)
            _fill(probe, "failureThreshold", 3)
    for name in ("postStart", "preStop"):
        handler = at(container, "lifecycle", name)
        if handler is not None:
            _default_handler(handler)


def _default_handler(handler: Object) -> None:
    http = handler.get("httpGet")
    if http is not None:
        _fill(http, "path", "/")
        _fill(http, "scheme", "HTTP")
    if handler.get("grpc") is not None:
        handler["grpc"].setdefault("service", "")


def _pull_policy(image: str) -> str:
    if "@" in image:
        return "IfNotPresent"
    tag = image.rsplit("/", 1)[-1].partition(":")[2]
    return "Always" if tag in {"", "latest"} else "IfNotPresent"


def _default_reference(reference: Object | None) -> None:
    if reference is not None:
        _fill(reference, "apiVersion", "v1")


def _default_volume(volume: Object) -> None:
    if len(volume) == 1 and "name" in volume:
        volume["emptyDir"] = {}
    for kind in ("secret", "configMap", "downwardAPI", "projected"):
        if volume.get(kind) is not None:
            volume[kind].setdefault("defaultMode", FILE_MODE)
    if volume.get("hostPath") is not None:
        volume["hostPath"].setdefault("type", "")
    for item in at(volume, "downwardAPI", "items") or ():
        _default_reference(item.get("fieldRef"))
    for source in at(volume, "projected", "sources") or ():
        if source.get("serviceAccountToken") is not None:
            source["serviceAccountToken"].setdefault("expirationSeconds", TOKEN_SECONDS)
        for item in at(source, "downwardAPI", "items") or ():
            _default_reference(item.get("fieldRef"))
    claim = at(volume, "ephemeral", "volumeClaimTemplate", "spec")
    if claim is not None:
        _fill(claim, "volumeMode", "Filesystem")


def default_template(template: Object) -> None:
    """Fill in the defaults of a pod template."""
    template.setdefault("metadata", {})
    default_spec(template.setdefault("spec", {}))


def default_pod(obj: Object) -> None:
    """Fill in the defaults of a pod."""
    spec = obj.setdefault("spec", {})
    default_spec(spec)
    spec.setdefault("enableServiceLinks", True)
    for kind in CONTAINERS[:2]:
        for container in spec.get(kind) or ():
            resources = container.setdefault("resources", {})
            for name, amount in (resources.get("limits") or {}).items():
                resources.setdefault("requests", {}).setdefault(name, amount)
    state = obj.setdefault("status", {})
    # The first of the addresses has a field of its own, and either one tells the other.
    addresses = [each.get("ip", "") for each in state.get("podIPs") or ()]
    if state.get("podIP") and addresses[:1] != [state["podIP"]]:
        state["podIPs"] = [{"ip": state["podIP"]}]
    elif addresses and not state.get("podIP"):
        state["podIP"] = addresses[0]


def prepare_create(obj: Object) -> None:
    """Fill in what the admission of the real server does: priority and tolerations."""
    spec = obj["spec"]
    obj["status"] = {"phase": "Pending", "qosClass": quality(spec)}
    if spec.get("terminationGracePeriodSeconds", 0) < 0:
        spec["terminationGracePeriodSeconds"] = 1
    priority = SYSTEM_PRIORITIES.get(spec.get("priorityClassName", ""), 0)
    if spec.setdefault("priority", priority) != priority:
        text = (
            f"the integer value of priority ({spec['priority']}) must not be provided in pod spec; "
            f"priority admission controller computed {priority} from the given PriorityClass name"
        )
        raise status.forbidden("pods", obj["metadata"].get("name", ""), text)
    spec.setdefault("preemptionPolicy", "PreemptLowerPriority")
    for key in UNREADY:
        tolerations = spec.get("tolerations") or []
        if not any(_tolerates(each, key) for each in tolerations):
            spec["tolerations"] = [
                *tolerations,
                {
                    "key": key,
                    "operator": "Exists",
                    "effect": "NoExecute",
                    "tolerationSeconds": EVICTION_SECONDS,
                },
            ]


def prepare_status(new: Object, old: Object) -> None:
    """Keep the class of quality of service, which follows from the spec."""
    if at(old, "status", "qosClass"):
        new.setdefault("status", {})["qosClass"] = old["status"]["qosClass"]


def _tolerates(toleration: Object, key: str) -> bool:
    same_key = toleration.get("key", "") in {key, ""}
    return same_key and toleration.get("effect", "") in {"NoExecute", ""}


def quality(spec: Object) -> str:
    """Return the class of quality of service."""
    requests: Object = {}
    limits: Object = {}
    is_guaranteed = True
    for container in [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]:
        resources = container.get("resources") or {}
        own = {key: value for key, value in (resources.get("limits") or {}).items() if key in QOS}
        asked = {k: value for k, value in (resources.get("requests") or {}).items() if k in QOS}
        requests |= asked
        limits |= own
        is_guaranteed &= set(own) == QOS and asked == own
    if not requests and not limits:
        return "BestEffort"
    return "Guaranteed" if is_guaranteed else "Burstable"


QOS: Final = {"cpu", "memory"}


def grace_s(obj: Object, wanted: int | None) -> int:
    """Return how long the deletion of a pod takes: no time when nobody runs it."""
    spec = obj.get("spec") or {}
    found = wanted if wanted is not None else spec.get("terminationGracePeriodSeconds", 0) or 0
    phase = at(obj, "status", "phase")
    if not spec.get("nodeName") or phase in {"Failed", "Succeeded"}:
        return 0
    return max(int(found), 0) if found >= 0 else 1
