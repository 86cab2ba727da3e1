"""The cells of what makes pods, and of what leads to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from fakekube.kinds.checks import at
from fakekube.tables.ages import age, human, parse

Json = Any
Object = dict[str, Any]

NONE: Final = "<none>"
UNSET: Final = "<unset>"
SHOWN: Final = 3
"""How many items of a list are shown before the rest is counted."""


def name_of(obj: Object) -> str:
    """Return the name."""
    return str(obj["metadata"].get("name", ""))


def age_of(obj: Object, now: float) -> str:
    """Return the age."""
    return age(obj["metadata"].get("creationTimestamp"), now)


def part(obj: Object, key: str) -> Object:
    """Return a part of an object, which may be missing."""
    return obj.get(key) or {}


def selector(found: Object | None) -> str:
    """Return a label selector as text."""
    if found is None:
        return NONE
    terms = [f"{key}={value}" for key, value in sorted((found.get("matchLabels") or {}).items())]
    for each in found.get("matchExpressions") or ():
        key, values = each.get("key", ""), ",".join(sorted(each.get("values") or ()))
        words = {
            "In": f"{key} in ({values})",
            "NotIn": f"{key} notin ({values})",
            "Exists": key,
            "DoesNotExist": f"!{key}",
        }
        terms.append(words.get(each.get("operator", ""), key))
    return ",".join(terms) or NONE


def labels(found: Object | None) -> str:
    """Return labels as text."""
    return ",".join(f"{key}={value}" for key, value in sorted((found or {}).items())) or NONE


def _containers(template: Object | None) -> list[str]:
    found = at(template, "spec", "containers") or ()
    return [
        ",".join(each.get("name", "") for each in found),
        ",".join(each.get("image", "") for each in found),
    ]


def deployment(obj: Object, now: float) -> list[Json]:
    """Return the cells of a Deployment."""
    spec, state = part(obj, "spec"), part(obj, "status")
    return [
        name_of(obj),
        f"{state.get('readyReplicas', 0)}/{spec.get('replicas', 0)}",
        state.get("updatedReplicas", 0),
        state.get("availableReplicas", 0),
        age_of(obj, now),
        *_containers(spec.get("template")),
        selector(spec.get("selector")),
    ]


def replica_set(obj: Object, now: float) -> list[Json]:
    """Return the cells of a ReplicaSet."""
    spec, state = part(obj, "spec"), part(obj, "status")
    return [
        name_of(obj),
        spec.get("replicas", 0),
        state.get("replicas", 0),
        state.get("readyReplicas", 0),
        age_of(obj, now),
        *_containers(spec.get("template")),
        selector(spec.get("selector")),
    ]


DAEMON_COUNTS: Final = (
    *("desiredNumberScheduled", "currentNumberScheduled", "numberReady"),
    *("updatedNumberScheduled", "numberAvailable"),
)


def daemon_set(obj: Object, now: float) -> list[Json]:
    """Return the cells of a DaemonSet."""
    spec, state = part(obj, "spec"), part(obj, "status")
    return [
        name_of(obj),
        *(state.get(key, 0) for key in DAEMON_COUNTS),
        labels(at(spec, "template", "spec", "nodeSelector")),
        age_of(obj, now),
        *_containers(spec.get("template")),
        selector(spec.get("selector")),
    ]


def stateful_set(obj: Object, now: float) -> list[Json]:
    """Return the cells of a StatefulSet."""
    spec, state = part(obj, "spec"), part(obj, "status")
    return [
        name_of(obj),
        f"{state.get('readyReplicas', 0)}/{spec.get('replicas', 0)}",
        age_of(obj, now),
        *_containers(spec.get("template")),
    ]


JOB_STATES: Final = (
    ("Complete", "Complete"),
    ("Failed", "Failed"),
    ("Suspended", "Suspended"),
    ("FailureTarget", "FailureTarget"),
    ("SuccessCriteriaMet", "SuccessCriteriaMet"),
)


def job(obj: Object, now: float) -> list[Json]:
    """Return the cells of a Job."""
    spec, state = part(obj, "spec"), part(obj, "status")
    done = state.get("succeeded", 0)
    wanted = spec.get("completions")
    if wanted is not None:
        completions = f"{done}/{wanted}"
    elif spec.get("parallelism", 0) > 1:
        completions = f"{done}/1 of {spec['parallelism']}"
    else:
        completions = f"{done}/1"
    start, end = (parse(state.get(key) or "") for key in ("startTime", "completionTime"))
    duration = "" if start is None else human((now if end is None else end) - start)
    return [
        name_of(obj),
        _job_state(obj, state),
        completions,
        duration,
        age_of(obj, now),
        *_containers(spec.get("template")),
        selector(spec.get("selector")),
    ]


def _job_state(obj: Object, state: Object) -> str:
    held = {
        each.get("type") for each in state.get("conditions") or () if each.get("status") == "True"
    }
    for kind, word in JOB_STATES[:2]:
        if kind in held:
            return word
    if obj["metadata"].get("deletionTimestamp"):
        return "Terminating"
    return next((word for kind, word in JOB_STATES[2:] if kind in held), "Running")


def cron_job(obj: Object, now: float) -> list[Json]:
    """Return the cells of a CronJob."""
    spec, state = part(obj, "spec"), part(obj, "status")
    last = state.get("lastScheduleTime")
    template = at(spec, "jobTemplate", "spec", "template")
    return [
        name_of(obj),
        spec.get("schedule", ""),
        spec.get("timeZone") or NONE,
        str(bool(spec.get("suspend"))),
        len(state.get("active") or ()),
        age(last, now) if last else NONE,
        age_of(obj, now),
        *_containers(template),
        selector(at(spec, "jobTemplate", "spec", "selector")),
    ]


def autoscaler(obj: Object, now: float) -> list[Json]:
    """Return the cells of a HorizontalPodAutoscaler, of either version."""
    spec, state = part(obj, "spec"), part(obj, "status")
    target = part(spec, "scaleTargetRef")
    metrics = spec.get("metrics")
    share = spec.get("targetCPUUtilizationPercentage")
    if metrics is None and share is not None:
        goal = {"target": {"averageUtilization": share}}
        metrics = [{"type": "Resource", "resource": {"name": "cpu", **goal}}]
    return [
        name_of(obj),
        f"{target.get('kind', '')}/{target.get('name', '')}",
        ", ".join(_metric(each, state) for each in metrics or ()) or NONE,
        str(spec["minReplicas"]) if spec.get("minReplicas") is not None else UNSET,
        spec.get("maxReplicas", 0),
        state.get("currentReplicas", 0),
        age_of(obj, now),
    ]


def _metric(metric: Object, state: Object) -> str:
    if metric.get("type") != "Resource":
        return f"<unknown>/{metric.get('type', '')}"
    name = at(metric, "resource", "name") or ""
    goal = at(metric, "resource", "target") or {}
    current: Json = None
    for each in state.get("currentMetrics") or ():
        if at(each, "resource", "name") == name:
            current = at(each, "resource", "current")
    if current is None and name == "cpu" and "currentCPUUtilizationPercentage" in state:
        current = {"averageUtilization": state["currentCPUUtilizationPercentage"]}
    if goal.get("averageUtilization") is not None:
        share = (current or {}).get("averageUtilization")
        shown = "<unknown>" if share is None else f"{share}%"
        return f"{name}: {shown}/{goal['averageUtilization']}%"
    amount = (current or {}).get("averageValue", "<unknown>")
    return f"{name}: {amount}/{goal.get('averageValue', '<auto>')}"


# --- Networks ------------------------------------------------------------------------------------


def _balanced(obj: Object) -> list[str]:
    found = at(obj, "status", "loadBalancer", "ingress") or ()
    return [each.get("ip") or each.get("hostname", "") for each in found]


def service(obj: Object, now: float) -> list[Json]:
    """Return the cells of a Service."""
    spec = part(obj, "spec")
    kind = spec.get("type", "")
    own = list(spec.get("externalIPs") or ())
    external = ",".join(own) or NONE
    if kind == "LoadBalancer":
        found = list(dict.fromkeys(each for each in _balanced(obj) if each))
        external = ",".join([*found, *own]) or "<pending>"
    elif kind == "ExternalName":
        external = spec.get("externalName", "")
    ports = []
    for port in spec.get("ports") or ():
        node = f":{port['nodePort']}" if port.get("nodePort") else ""
        ports.append(f"{port.get('port')}{node}/{port.get('protocol', '')}")
    return [
        name_of(obj),
        kind,
        spec.get("clusterIP") or NONE,
        external,
        ",".join(ports) or NONE,
        age_of(obj, now),
        labels(spec.get("selector")),
    ]


def ingress(obj: Object, now: float) -> list[Json]:
    """Return the cells of an Ingress."""
    spec = part(obj, "spec")
    hosts = [each["host"] for each in spec.get("rules") or () if each.get("host")]
    shown = ",".join(hosts[:SHOWN]) or "*"
    if len(hosts) > SHOWN:
        shown += f" + {len(hosts) - SHOWN} more..."
    name = spec.get("ingressClassName")
    return [
        name_of(obj),
        NONE if name is None else name,
        shown,
        ",".join(_balanced(obj)),
        "80, 443" if spec.get("tls") else "80",
        age_of(obj, now),
    ]


def endpoints(obj: Object, now: float) -> list[Json]:
    """Return the cells of Endpoints."""
    found: list[str] = []
    for subset in obj.get("subsets") or ():
        addresses = [each.get("ip", "") for each in subset.get("addresses") or ()]
        ports = subset.get("ports") or ()
        if ports:
            found += [f"{ip}:{port.get('port')}" for port in ports for ip in addresses]
        else:
            found += addresses
    return [name_of(obj), _some(found, " + {} more...", NONE), age_of(obj, now)]


def _some(found: Sequence[str], more: str, empty: str) -> str:
    shown = ",".join(found[:SHOWN]) or empty
    return shown + (more.format(len(found) - SHOWN) if len(found) > SHOWN else "")


def endpoint_slice(obj: Object, now: float) -> list[Json]:
    """Return the cells of an EndpointSlice."""
    ports = [str(each.get("port") or each.get("name") or "*") for each in obj.get("ports") or ()]
    found = [ip for each in obj.get("endpoints") or () for ip in each.get("addresses") or ()]
    more = " + {} more..."
    return [
        name_of(obj),
        obj.get("addressType", ""),
        _some(ports, more, UNSET),
        _some(found, more, UNSET),
        age_of(obj, now),
    ]


def network_policy(obj: Object, now: float) -> list[Json]:
    """Return the cells of a NetworkPolicy."""
    return [name_of(obj), selector(at(obj, "spec", "podSelector") or {}), age_of(obj, now)]


def ingress_class(obj: Object, now: float) -> list[Json]:
    """Return the cells of an IngressClass."""
    spec = part(obj, "spec")
    parameters = spec.get("parameters")
    shown = NONE
    if parameters:
        group = parameters.get("apiGroup")
        kind = f"{parameters.get('kind', '')}{f'.{group}' if group else ''}"
        shown = f"{kind}/{parameters.get('name', '')}"
    return [name_of(obj), spec.get("controller", ""), shown, age_of(obj, now)]


ROWS: Final = {
    ("apps", "deployments"): deployment,
    ("apps", "replicasets"): replica_set,
    ("apps", "daemonsets"): daemon_set,
    ("apps", "statefulsets"): stateful_set,
    ("batch", "jobs"): job,
    ("batch", "cronjobs"): cron_job,
    ("autoscaling", "horizontalpodautoscalers"): autoscaler,
    ("", "services"): service,
    ("", "endpoints"): endpoints,
    ("discovery.k8s.io", "endpointslices"): endpoint_slice,
    ("networking.k8s.io", "ingresses"): ingress,
    ("networking.k8s.io", "ingressclasses"): ingress_class,
    ("networking.k8s.io", "networkpolicies"): network_policy,
}
