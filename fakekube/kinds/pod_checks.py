"""What is wrong with the spec of a pod, in the words and the order of the real server."""

from __future__ import annotations

import functools
import re
from decimal import Decimal
from typing import Any, Final

from fakekube import names
from fakekube.builtin import normal
from fakekube.kinds.checks import NOT_NEGATIVE, Checks, at, port_name

Json = Any
Object = dict[str, Any]

PROTOCOLS: Final = ("SCTP", "TCP", "UDP")
PULL_POLICIES: Final = ("Always", "IfNotPresent", "Never")
RESTART_POLICIES: Final = ("Always", "OnFailure", "Never")
DNS_POLICIES: Final = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
MESSAGE_POLICIES: Final = ("File", "FallbackToLogsOnError")
EFFECTS: Final = ("NoSchedule", "PreferNoSchedule", "NoExecute")
HOST_PATHS: Final = (
    *("", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate"),
    *("File", "FileOrCreate", "Socket"),
)
FIELDS: Final = {
    *("metadata.name", "metadata.namespace", "metadata.uid", "metadata.labels"),
    *("metadata.annotations", "spec.nodeName", "spec.serviceAccountName"),
    *("status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"),
}
RESOURCES: Final = {"cpu", "memory", "ephemeral-storage"}
MAX_INT: Final = 2**31 - 1
HANDLER: Final = "must specify a handler type"


def check_spec(found: Checks, path: str, spec: Object) -> None:
    """Check the spec of a pod or of a pod template."""
    volumes = _check_volumes(found, f"{path}.volumes", spec.get("volumes") or ())
    containers = spec.get("containers")
    seen: set[str] = set()
    found.require(f"{path}.containers", containers)
    for kind in ("containers", "initContainers"):
        for number, container in enumerate(spec.get(kind) or ()):
            where = f"{path}.{kind}[{number}]"
            _check_container(found, where, container, volumes)
            _check_unique(found, f"{where}.name", container.get("name", ""), seen)
        if kind == "containers":
            _check_host_ports(found, f"{path}.containers", containers or (), spec)
    found.one_of(f"{path}.restartPolicy", spec.get("restartPolicy"), RESTART_POLICIES)
    found.one_of(f"{path}.dnsPolicy", spec.get("dnsPolicy"), DNS_POLICIES)
    found.labels(f"{path}.nodeSelector", spec.get("nodeSelector"))
    _check_spreading(found, path, spec)
    _check_affinity(found, f"{path}.affinity", spec.get("affinity") or {})
    if spec.get("dnsPolicy") == "None" and not at(spec, "dnsConfig", "nameservers"):
        found.require(
            f"{path}.dnsConfig", None, "must provide `dnsConfig` when `dnsPolicy` is None"
        )
    for key in ("serviceAccountName", "nodeName"):
        if spec.get(key):
            found.named(f"{path}.{key}", spec[key], names.subdomain)
    found.within(f"{path}.activeDeadlineSeconds", spec.get("activeDeadlineSeconds"), 1, MAX_INT)
    for key in ("hostname", "subdomain"):
        if spec.get(key):
            found.named(f"{path}.{key}", spec[key], names.label)
    check_tolerations(found, f"{path}.tolerations", spec.get("tolerations") or ())
    for number, alias in enumerate(spec.get("hostAliases") or ()):
        found.ip(f"{path}.hostAliases[{number}].ip", alias.get("ip", ""))


def _check_unique(found: Checks, path: str, name: str, seen: set[str]) -> None:
    if name in seen:
        found.duplicate(path, name)
    elif name:
        seen.add(name)


# --- Volumes -------------------------------------------------------------------------------------


def _check_volumes(found: Checks, path: str, volumes: Json) -> set[str]:
    known: set[str] = set()
    for number, volume in enumerate(volumes):
        where = f"{path}[{number}]"
        before = len(found.found)
        _check_sources(found, where, volume)
        name = volume.get("name", "")
        if found.require(f"{where}.name", name):
            found.named(f"{where}.name", name, names.label)
        if name in known:
            found.duplicate(f"{where}.name", name)
        # What is wrong in itself is nothing that a container could mount.
        if len(found.found) == before:
            known.add(name)
    return known


NEEDED: Final = {
    "secret": "secretName",
    "configMap": "name",
    "persistentVolumeClaim": "claimName",
    "hostPath": "path",
    "csi": "driver",
}


def _check_sources(found: Checks, path: str, volume: Object) -> None:
    order = ("emptyDir", "hostPath")
    kinds = [key for key in order if volume.get(key) is not None]
    kinds += [
        key for key, value in volume.items() if key not in {"name", *order} and value is not None
    ]
    for kind in kinds[1:]:
        found.forbid(f"{path}.{kind}", "may not specify more than 1 volume type")
    if not kinds:
        found.require(path, None, "must specify a volume type")
        return
    kind, source = kinds[0], volume[kinds[0]]
    key = NEEDED.get(kind)
    if key is not None:
        found.require(f"{path}.{kind}.{key}", source.get(key))
    _check_source_itself(found, f"{path}.{kind}", kind, source)


def _check_source_itself(found: Checks, path: str, kind: str, source: Object) -> None:
    if kind == "hostPath":
        if ".." in source.get("path", "").split("/"):
            found.invalid(f"{path}.path", source["path"], "must not contain '..'")
        if source.get("type", "") not in HOST_PATHS:
            found.unsupported(f"{path}.type", source["type"], HOST_PATHS)
    elif kind == "csi":
        found.named(f"{path}.driver", source.get("driver", ""), names.subdomain)
    elif kind == "projected":
        for number, each in enumerate(source.get("sources") or ()):
            token = each.get("serviceAccountToken")
            if token is not None:
                where = f"{path}.sources[{number}].serviceAccountToken"
                found.require(f"{where}.path", token.get("path"))


# --- Containers ----------------------------------------------------------------------------------


def _check_container(found: Checks, path: str, container: Object, volumes: set[str]) -> None:
    name = container.get("name", "")
    if found.require(f"{path}.name", name):
        found.named(f"{path}.name", name, names.label)
    image = container.get("image", "")
    if found.require(f"{path}.image", image) and image != image.strip():
        found.invalid(f"{path}.image", image, "must not have leading or trailing whitespace")
    for key in ("postStart", "preStop"):
        handler = at(container, "lifecycle", key)
        if handler is not None:
            _check_handler(found, f"{path}.lifecycle.{key}", handler)
    for key in ("livenessProbe", "readinessProbe", "startupProbe"):
        if container.get(key) is not None:
            _check_probe(found, f"{path}.{key}", container[key], is_ready=key == "readinessProbe")
    policy = container.get("terminationMessagePolicy")
    found.one_of(f"{path}.terminationMessagePolicy", policy, MESSAGE_POLICIES)
    _check_ports(found, f"{path}.ports", container.get("ports") or ())
    _check_environment(found, f"{path}.env", container.get("env") or ())
    _check_mounts(found, f"{path}.volumeMounts", container.get("volumeMounts") or (), volumes)
    found.one_of(f"{path}.imagePullPolicy", container.get("imagePullPolicy"), PULL_POLICIES)
    _check_resources(found, f"{path}.resources", container.get("resources") or {})
    user = at(container, "securityContext", "runAsUser")
    found.within(f"{path}.securityContext.runAsUser", user, 0, MAX_INT)


def _check_ports(found: Checks, path: str, ports: Json) -> None:
    seen: set[str] = set()
    for number, port in enumerate(ports):
        where = f"{path}[{number}]"
        name = port.get("name", "")
        if name:
            problems = port_name(name)
            for text in problems[:1]:
                found.invalid(f"{where}.name", name, text)
            if not problems:
                _check_unique(found, f"{where}.name", name, seen)
        if not port.get("containerPort"):
            found.require(f"{where}.containerPort", None)
        else:
            found.port(f"{where}.containerPort", port["containerPort"])
        if port.get("hostPort"):
            found.port(f"{where}.hostPort", port["hostPort"])
        found.one_of(f"{where}.protocol", port.get("protocol"), PROTOCOLS)


def _check_host_ports(found: Checks, path: str, containers: Json, spec: Object) -> None:
    seen: set[str] = set()
    for number, container in enumerate(containers):
        for index, port in enumerate(container.get("ports") or ()):
            host = port.get("hostPort")
            if not host:
                continue
            where = f"{path}[{number}].ports[{index}].hostPort"
            key = f"{port.get('protocol', '')}/{port.get('hostIP', '')}/{host}"
            _check_unique(found, where, key, seen)
            if spec.get("hostNetwork") and host != port.get("containerPort"):
                text = "must match `containerPort` when `hostNetwork` is true"
                found.invalid(where, host, text)


SOURCES: Final = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef")


def _check_environment(found: Checks, path: str, variables: Json) -> None:
    for number, variable in enumerate(variables):
        where = f"{path}[{number}]"
        name = variable.get("name", "")
        if found.require(f"{where}.name", name) and not re.fullmatch(r"[ -<>-~]+", name):
            text = (
                "a valid environment variable name must consist only of printable ASCII "
                "characters other than '='"
            )
            found.invalid(f"{where}.name", name, text)
        source = variable.get("valueFrom")
        if source is not None:
            _check_source(
                found, f"{where}.valueFrom", source, has_value=bool(variable.get("value"))
            )


def _check_source(found: Checks, path: str, source: Object, *, has_value: bool) -> None:
    kinds = [kind for kind in SOURCES if source.get(kind) is not None]
    for kind in kinds:
        reference = source[kind]
        if kind == "fieldRef":
            field = reference.get("fieldPath", "")
            is_known = field in FIELDS or re.fullmatch(r"metadata\.\w+\['.+'\]", field)
            if found.require(f"{path}.fieldRef.fieldPath", field) and not is_known:
                text = f"error converting fieldPath: field label not supported: {field}"
                found.invalid(f"{path}.fieldRef.fieldPath", field, text)
        elif kind in {"configMapKeyRef", "secretKeyRef"}:
            found.require(f"{path}.{kind}.name", reference.get("name"))
            found.require(f"{path}.{kind}.key", reference.get("key"))
    if has_value and kinds:
        found.invalid(path, "", "may not be specified when `value` is not empty")
    elif not kinds:
        text = (
            "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or "
            "`secretKeyRef`"
        )
        found.invalid(path, "", text)
    elif len(kinds) > 1:
        found.invalid(path, "", "may not have more than one field specified at a time")


def _check_mounts(found: Checks, path: str, mounts: Json, volumes: set[str]) -> None:
    seen: set[str] = set()
    for number, mount in enumerate(mounts):
        where = f"{path}[{number}]"
        if found.require(f"{where}.name", mount.get("name")) and mount["name"] not in volumes:
            found.not_found(f"{where}.name", mount["name"])
        place = mount.get("mountPath", "")
        found.require(f"{where}.mountPath", place)
        if place in seen:
            found.invalid(f"{where}.mountPath", place, "must be unique")
        seen.add(place)


# --- Resources -----------------------------------------------------------------------------------


@functools.lru_cache(maxsize=1024)
def amount(text: str) -> Decimal:
    """Return the number that a quantity stands for; what is none is zero."""
    match = normal.QUANTITY.fullmatch(text)
    if match is None:
        return Decimal(0)
    digits, suffix, exponent = match.groups()
    if exponent is not None:
        return Decimal(digits).scaleb(int(exponent))
    return Decimal(digits) * (normal.BINARY.get(suffix) or normal.DECIMAL[suffix or ""])


def _check_resources(found: Checks, path: str, resources: Object) -> None:
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    for kind, amounts in (("limits", limits), ("requests", requests)):
        for name, value in amounts.items():
            where = f"{path}.{kind}[{name}]"
            _check_resource_name(found, where, name)
            if amount(str(value)) < 0:
                found.invalid(where, str(value), NOT_NEGATIVE)
    for name, value in requests.items():
        limit = limits.get(name)
        if limit is None and not _is_native(name):
            text = "Limit must be set for non overcommitable resources"
            found.require(f"{path}.limits", None, text)
        elif limit is not None and amount(str(value)) > amount(str(limit)):
            text = f"must be less than or equal to {name} limit of {limit}"
            found.invalid(f"{path}.requests", str(value), text)


def _is_native(name: str) -> bool:
    return "/" not in name or "kubernetes.io/" in name


def _check_resource_name(found: Checks, path: str, name: str) -> None:
    found.named(path, name, names.qualified)
    if "/" not in name and name not in RESOURCES and not name.startswith("hugepages-"):
        found.invalid(path, name, "must be a standard resource type or fully qualified")
        found.invalid(path, name, "must be a standard resource for containers")


# --- Probes --------------------------------------------------------------------------------------


def _check_handler(found: Checks, path: str, handler: Object) -> None:
    kinds = [key for key in ("exec", "httpGet", "tcpSocket", "grpc", "sleep") if key in handler]
    if not kinds:
        found.require(path, None, HANDLER)
    for kind in kinds[1:]:
        found.forbid(f"{path}.{kind}", "may not specify more than 1 handler type")
    for kind in kinds[:1]:
        if kind == "exec":
            found.require(f"{path}.exec.command", handler["exec"].get("command"))
        elif kind in {"httpGet", "tcpSocket", "grpc"}:
            found.port_or_name(f"{path}.{kind}.port", handler[kind].get("port", 0))


def _check_probe(found: Checks, path: str, probe: Object, *, is_ready: bool) -> None:
    _check_handler(found, path, probe)
    for key in ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold"):
        found.not_negative(f"{path}.{key}", probe.get(key))
    found.not_negative(f"{path}.failureThreshold", probe.get("failureThreshold"))
    if not is_ready and probe.get("successThreshold", 1) != 1:
        found.invalid(f"{path}.successThreshold", probe["successThreshold"], "must be 1")


# --- Scheduling ----------------------------------------------------------------------------------


def check_tolerations(found: Checks, path: str, tolerations: Json) -> None:
    """Check the tolerations of a pod."""
    for number, each in enumerate(tolerations):
        where = f"{path}[{number}]"
        key, operator = each.get("key", ""), each.get("operator", "")
        if key:
            found.named(f"{where}.key", key, names.qualified)
        elif operator != "Exists":
            text = (
                "operator must be Exists when `key` is empty, which means "
                '"match all values and all keys"'
            )
            found.invalid(f"{where}.operator", operator, text)
        effect = each.get("effect", "")
        if each.get("tolerationSeconds") is not None and effect != "NoExecute":
            text = "effect must be 'NoExecute' when `tolerationSeconds` is set"
            found.invalid(f"{where}.effect", effect, text)
        value = each.get("value", "")
        if operator == "Exists" and value:
            text = "value must be empty when `operator` is 'Exists'"
            found.invalid(f"{where}.operator", value, text)
        found.one_of(f"{where}.operator", operator, ("Equal", "Exists"))
        found.one_of(f"{where}.effect", effect, EFFECTS)


def _check_spreading(found: Checks, path: str, spec: Object) -> None:
    for number, each in enumerate(spec.get("topologySpreadConstraints") or ()):
        where = f"{path}.topologySpreadConstraints[{number}]"
        if each.get("maxSkew", 0) <= 0:
            found.invalid(f"{where}.maxSkew", each.get("maxSkew", 0), "must be greater than zero")
        found.require(f"{where}.topologyKey", each.get("topologyKey"), "can not be empty")
        policies = ("DoNotSchedule", "ScheduleAnyway")
        if each.get("whenUnsatisfiable", "") not in policies:
            found.unsupported(
                f"{where}.whenUnsatisfiable", each.get("whenUnsatisfiable", ""), policies
            )


def _check_affinity(found: Checks, path: str, affinity: Object) -> None:
    required = "requiredDuringSchedulingIgnoredDuringExecution"
    terms = at(affinity, "nodeAffinity", required)
    if terms is not None:
        where = f"{path}.nodeAffinity.{required}.nodeSelectorTerms"
        text = "must have at least one node selector term"
        found.require(where, terms.get("nodeSelectorTerms"), text)
    for kind in ("podAffinity", "podAntiAffinity"):
        for number, term in enumerate(at(affinity, kind, required) or ()):
            where = f"{path}.{kind}.{required}[{number}]"
            key = term.get("topologyKey", "")
            found.require(f"{where}.topologyKey", key, "can not be empty")
            found.named(f"{where}.topologyKey", key, names.qualified)
            found.selector(f"{where}.labelSelector", term.get("labelSelector"))
