"""Namespaces, ConfigMaps, Secrets, Events, Nodes, Leases, quotas: what a cluster is set up with."""

from __future__ import annotations

import base64
import ipaddress
import json
from typing import Any, Final

from fakekube import names, store
from fakekube.kinds.checks import IMMUTABLE, NOT_NEGATIVE, Checks, at, config_key
from fakekube.kinds.pod_checks import EFFECTS, amount
from fakekube.status import Cause

Json = Any
Object = dict[str, Any]

SEALED: Final = "field is immutable when `immutable` is set"
SECRET_BYTES: Final = 1024 * 1024
NAME_LABEL: Final = "kubernetes.io/metadata.name"
NOT_READY: Final = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}
NEEDED_KEYS: Final = {
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
}
ACCOUNT_TOKEN: Final = "kubernetes.io/service-account-token"  # noqa: S105 - a type, no secret
ACCOUNT_NAME: Final = "kubernetes.io/service-account.name"


# --- Namespaces ----------------------------------------------------------------------------------


def namespace_name(text: str) -> list[str]:
    """Return what keeps a text from being the name of a namespace."""
    if "." in text:
        return ["must not contain dots"]
    return names.label(text)


def default_namespace(obj: Object) -> None:
    """Label a namespace with its name."""
    name = obj["metadata"].get("name")
    if name:
        labels = obj["metadata"].get("labels") or {}
        obj["metadata"]["labels"] = {**labels, NAME_LABEL: name}


def prepare_namespace(obj: Object) -> None:
    """Give a new namespace its finalizer and its phase."""
    spec = obj.setdefault("spec", {})
    finalizers = spec.get("finalizers") or []
    spec["finalizers"] = finalizers if "kubernetes" in finalizers else [*finalizers, "kubernetes"]
    obj["status"] = {"phase": "Active"}


def prepare_namespace_update(new: Object, old: Object) -> None:
    """Keep the finalizers, which have a subresource of their own."""
    new["spec"] = store.clone(old.get("spec") or {})


def check_namespace(new: Object, old: Object | None) -> list[Cause]:
    """Check a namespace: its phase follows its deletion."""
    found = Checks()
    phase = at(new, "status", "phase")
    if old is not None and phase != at(old, "status", "phase"):
        is_deleted = bool(new["metadata"].get("deletionTimestamp"))
        if is_deleted and phase != "Terminating":
            text = "may only be 'Terminating' if `deletionTimestamp` is not empty"
            found.invalid("status.Phase", phase, text)
        elif not is_deleted and phase != "Active":
            text = "may only be 'Active' if `deletionTimestamp` is empty"
            found.invalid("status.Phase", phase, text)
    return found.found


# --- ConfigMaps and Secrets ----------------------------------------------------------------------


def check_config_map(new: Object, old: Object | None) -> list[Cause]:
    """Check a ConfigMap."""
    found = Checks()
    data, binary = new.get("data") or {}, new.get("binaryData") or {}
    size = 0
    for key, value in sorted(data.items()):
        found.named(f"data[{key}]", key, config_key)
        if key in binary:
            found.invalid(f"data[{key}]", key, "duplicate of key present in binaryData")
        size += len(value.encode())
    for key, value in sorted(binary.items()):
        found.named(f"binaryData[{key}]", key, config_key)
        size += len(value) * 3 // 4
    _check_size(found, "", size)
    _check_sealed(found, new, old, ("data", "binaryData"))
    return found.found


def _check_size(found: Checks, path: str, size: int) -> None:
    if size > SECRET_BYTES:
        text = f"Too long: may not be more than {SECRET_BYTES} bytes"
        found.found.append(Cause(path, "FieldValueTooLong", text))


def _check_sealed(found: Checks, new: Object, old: Object | None, keys: tuple[str, ...]) -> None:
    if old is None or not old.get("immutable"):
        return
    if not new.get("immutable"):
        found.forbid("immutable", SEALED)
    for key in keys:
        if (new.get(key) or {}) != (old.get(key) or {}):
            found.forbid(key, SEALED)


def default_secret(obj: Object) -> None:
    """Take the plain texts of a Secret over into its data."""
    if not obj.get("type"):
        obj["type"] = "Opaque"
    plain = obj.pop("stringData", None)
    if plain:
        data = obj.setdefault("data", {})
        for key, value in plain.items():
            data[key] = base64.b64encode(value.encode()).decode()


def check_secret(new: Object, old: Object | None) -> list[Cause]:
    """Check a Secret."""
    found = Checks()
    data = new.get("data") or {}
    for key in sorted(data):
        found.named(f"data[{key}]", key, config_key)
    _check_size(found, "data", sum(len(value) * 3 // 4 for value in data.values()))
    kind = new.get("type", "")
    if kind == "kubernetes.io/basic-auth" and not {"username", "password"} & set(data):
        for key in ("username", "password"):
            found.require(f"data[{key}]", None)
    for key in NEEDED_KEYS.get(kind, ()):
        if key not in data:
            found.require(f"data[{key}]", None)
        elif key.startswith(".docker"):
            _check_json(found, f"data[{key}]", data[key])
    if kind == ACCOUNT_TOKEN:
        name = (new["metadata"].get("annotations") or {}).get(ACCOUNT_NAME)
        found.require(f"metadata.annotations[{ACCOUNT_NAME}]", name)
    if old is not None:
        found.immutable("type", kind, old.get("type"))
        _check_sealed(found, new, old, ("data",))
    return found.found


def _check_json(found: Checks, path: str, value: str) -> None:
    try:
        json.loads(base64.b64decode(value))
    except ValueError as error:
        # Go says where it stopped; the common mistake is that the text ends too early.
        text = "unexpected end of JSON input" if "Expecting" in str(error) else str(error)
        found.invalid(path, "<secret contents redacted>", text)


# --- Events --------------------------------------------------------------------------------------

TO_EVENTS: Final = {
    "involvedObject": "regarding",
    "message": "note",
    "reportingComponent": "reportingController",
    "source": "deprecatedSource",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "lastTimestamp": "deprecatedLastTimestamp",
    "count": "deprecatedCount",
}
TO_CORE: Final = {new: old for old, new in TO_EVENTS.items()}


def convert_event(obj: Object, _: str, target: str) -> Object:
    """Return an Event in the other of its two groups."""
    table = TO_EVENTS if target == "events.k8s.io/v1" else TO_CORE
    found = {table.get(key, key): value for key, value in obj.items()}
    found["apiVersion"] = target
    if target == "v1":
        for key in ("reportingComponent", "reportingInstance"):
            found.setdefault(key, "")
        for key in ("involvedObject", "source"):
            found.setdefault(key, {})
        found.setdefault("firstTimestamp", None)
        found.setdefault("lastTimestamp", None)
    else:
        found = {key: value for key, value in found.items() if key == "metadata" or value != ""}
        found.setdefault("deprecatedSource", {})
        for key in ("deprecatedFirstTimestamp", "deprecatedLastTimestamp", "eventTime"):
            found.setdefault(key, None)
    return found


def check_event(new: Object, _: Object | None) -> list[Cause]:
    """Check an Event of the core group."""
    found = Checks()
    about = new.get("involvedObject") or {}
    _check_event_namespace(found, new, about, "involvedObject.namespace")
    return found.found


def _check_event_namespace(found: Checks, new: Object, about: Object, path: str) -> None:
    own = new["metadata"].get("namespace", "")
    named = about.get("namespace", "")
    if named and named != own:
        found.invalid(path, named, "does not match event.namespace")
    elif not named and own not in {"default", "kube-system"}:
        found.invalid(path, "", "does not match event.namespace")


def check_new_event(new: Object, old: Object | None) -> list[Cause]:
    """Check an Event of the group events.k8s.io, which asks for more."""
    found = Checks()
    about = new.get("regarding") or {}
    _check_event_namespace(found, new, about, "involvedObject.namespace")
    if old is not None:
        return found.found
    found.require("eventTime", new.get("eventTime"))
    for key in ("reportingController", "reportingInstance", "action", "reason"):
        found.require(key, new.get(key))
    if new.get("reportingController"):
        found.named("reportingController", new["reportingController"], names.qualified)
    if new.get("type", "") not in {"Normal", "Warning"}:
        found.invalid("type", new.get("type", ""), "has invalid value: ")
    return found.found


# --- Nodes ---------------------------------------------------------------------------------------


def default_node(obj: Object) -> None:
    """Keep the two spellings of the pod network equal, and capacity allocatable."""
    spec = obj.setdefault("spec", {})
    if spec.get("podCIDR") and not spec.get("podCIDRs"):
        spec["podCIDRs"] = [spec["podCIDR"]]
    elif spec.get("podCIDRs") and not spec.get("podCIDR"):
        spec["podCIDR"] = spec["podCIDRs"][0]
    state = obj.get("status") or {}
    if state.get("capacity") and not state.get("allocatable"):
        state["allocatable"] = dict(state["capacity"])


def prepare_node(obj: Object) -> None:
    """Keep pods away from a node until it is said to be ready."""
    spec = obj["spec"]
    taints = spec.get("taints") or []
    if not any(at(each, "key") == NOT_READY["key"] for each in taints):
        spec["taints"] = [*taints, dict(NOT_READY)]


def check_node(new: Object, old: Object | None) -> list[Cause]:
    """Check a node."""
    found, spec = Checks(), new["spec"]
    seen: set[tuple[str, str]] = set()
    for number, taint in enumerate(spec.get("taints") or ()):
        path = f"metadata.taints[{number}]"
        key, effect = taint.get("key", ""), taint.get("effect", "")
        found.named(f"{path}.key", key, names.qualified)
        if taint.get("value"):
            found.named(f"{path}.value", taint["value"], names.label_value)
        if not effect:
            found.require(f"{path}.effect", None)
        else:
            found.one_of(f"{path}.effect", effect, EFFECTS)
        if (key, effect) in seen:
            struct = {"Key": key, "Value": taint.get("value", ""), "Effect": effect}
            shown = json.dumps({**struct, "TimeAdded": None}, separators=(",", ":"))
            text = f"Duplicate value: {shown}: taints must be unique by key and effect pair"
            found.found.append(Cause(path, "FieldValueDuplicate", text))
        seen.add((key, effect))
    for number, network in enumerate(spec.get("podCIDRs") or ()):
        try:
            ipaddress.ip_network(network)
        except ValueError:
            text = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
            found.invalid(f"spec.podCIDRs[{number}]", network, text)
    if old is not None:
        was = old.get("spec") or {}
        if was.get("podCIDRs") and spec.get("podCIDRs") != was["podCIDRs"]:
            text = 'node updates may not change podCIDR except from "" to valid'
            found.forbid("spec.podCIDRs", text)
        if was.get("providerID") and spec.get("providerID") != was["providerID"]:
            text = 'node updates may not change providerID except from "" to valid'
            found.forbid("spec.providerID", text)
    return found.found


# --- Leases, limits, quotas ----------------------------------------------------------------------


def check_lease(new: Object, _: Object | None) -> list[Cause]:
    """Check a Lease."""
    found, spec = Checks(), new.get("spec") or {}
    duration = spec.get("leaseDurationSeconds")
    if duration is not None and duration <= 0:
        found.invalid("spec.leaseDurationSeconds", duration, "must be greater than 0")
    found.not_negative("spec.leaseTransitions", spec.get("leaseTransitions"))
    return found.found


def check_limit_range(new: Object, _: Object | None) -> list[Cause]:
    """Check a LimitRange."""
    found = Checks()
    for number, limit in enumerate(at(new, "spec", "limits") or ()):
        path, kind = f"spec.limits[{number}].type", limit.get("type", "")
        before = len(found.found)
        found.named(path, kind, names.qualified)
        known = {"Pod", "Container", "PersistentVolumeClaim"}
        if len(found.found) == before and "/" not in kind and kind not in known:
            found.invalid(path, kind, "must be a standard limit type or fully qualified")
    return found.found


def default_quota(obj: Object) -> None:
    """Give a ResourceQuota a status."""
    obj.setdefault("status", {})


def check_quota(new: Object, _: Object | None) -> list[Cause]:
    """Check a ResourceQuota."""
    found = Checks()
    for name, value in sorted((at(new, "spec", "hard") or {}).items()):
        path = f"spec.hard[{name}]"
        before = len(found.found)
        found.named(path, name, names.qualified)
        if len(found.found) > before:
            found.invalid(path, name, "must be a standard resource for quota")
        if amount(str(value)) < 0:
            found.invalid(path, str(value), NOT_NEGATIVE)
    return found.found


def check_revision(new: Object, old: Object | None) -> list[Cause]:
    """Check a ControllerRevision."""
    found = Checks()
    if not new.get("data"):
        found.require("data", None, "data is mandatory")
    found.not_negative("revision", new.get("revision"))
    if old is not None and new.get("data") != old.get("data"):
        found.invalid("data", new.get("data"), IMMUTABLE)
    return found.found
