"""RBAC, disruption budgets, priorities, signing requests: what rules over others."""

from __future__ import annotations

import base64
import re
from typing import Any, Final

from fakekube import names
from fakekube.kinds.checks import PERCENT_TEXT, Checks, at
from fakekube.status import Cause

Json = Any
Object = dict[str, Any]

RBAC: Final = "rbac.authorization.k8s.io"
SUBJECTS: Final = ("ServiceAccount", "User", "Group")
USAGES: Final = (
    *("any", "cert sign", "client auth", "code signing", "content commitment", "crl sign"),
    *("data encipherment", "decipher only", "digital signature", "email protection"),
    *("encipher only", "ipsec end system", "ipsec tunnel", "ipsec user", "key agreement"),
    *("key encipherment", "microsoft sgc", "netscape sgc", "ocsp signing", "s/mime"),
    *("server auth", "signing", "timestamping"),
)
MAX_PRIORITY: Final = 1_000_000_000
SYSTEM_CLASSES: Final = ("system-cluster-critical", "system-node-critical")


# --- RBAC ----------------------------------------------------------------------------------------


def check_role(new: Object, _: Object | None) -> list[Cause]:
    """Check a Role or ClusterRole."""
    found = Checks()
    is_namespaced = new["kind"] == "Role"
    for number, rule in enumerate(new.get("rules") or ()):
        path = f"rules[{number}]"
        text = "verbs must contain at least one value"
        found.require(f"{path}.verbs", rule.get("verbs"), text)
        urls = rule.get("nonResourceURLs")
        if urls:
            where = f"{path}.nonResourceURLs"
            if is_namespaced:
                text = "namespaced rules cannot apply to non-resource URLs"
                found.invalid(where, urls, text)
            if rule.get("apiGroups") or rule.get("resources") or rule.get("resourceNames"):
                text = "rules cannot apply to both regular resources and non-resource URLs"
                found.invalid(where, urls, text)
            continue
        text = "resource rules must supply at least one api group"
        found.require(f"{path}.apiGroups", rule.get("apiGroups"), text)
        text = "resource rules must supply at least one resource"
        found.require(f"{path}.resources", rule.get("resources"), text)
    for number, selector in enumerate(at(new, "aggregationRule", "clusterRoleSelectors") or ()):
        found.selector(f"aggregationRule.clusterRoleSelectors[{number}]", selector)
    return found.found


def default_role(obj: Object) -> None:
    """Write rules even if there are none."""
    obj.setdefault("rules", None)


def default_binding(obj: Object) -> None:
    """Fill in the defaults of a RoleBinding or ClusterRoleBinding."""
    reference = obj.setdefault("roleRef", {})
    for key in ("kind", "name"):
        reference.setdefault(key, "")
    if not reference.get("apiGroup"):
        reference["apiGroup"] = RBAC
    for subject in obj.get("subjects") or ():
        if not subject.get("apiGroup") and subject.get("kind") in {"User", "Group"}:
            subject["apiGroup"] = RBAC


def check_binding(new: Object, old: Object | None) -> list[Cause]:
    """Check a RoleBinding or ClusterRoleBinding."""
    found = Checks()
    is_namespaced = new["kind"] == "RoleBinding"
    reference = new.get("roleRef") or {}
    group, kind = reference.get("apiGroup", ""), reference.get("kind", "")
    if group != RBAC:
        found.unsupported("roleRef.apiGroup", group, [RBAC])
    kinds = ["Role", "ClusterRole"] if is_namespaced else ["ClusterRole"]
    if kind not in kinds:
        found.unsupported("roleRef.kind", kind, kinds)
    if found.require("roleRef.name", reference.get("name")):
        found.named("roleRef.name", reference["name"], names.path_segment)
    for number, subject in enumerate(new.get("subjects") or ()):
        _check_subject(found, f"subjects[{number}]", subject, is_namespaced=is_namespaced)
    if old is not None and reference != (old.get("roleRef") or {}):
        struct = {"APIGroup": group, "Kind": kind, "Name": reference.get("name", "")}
        found.invalid("roleRef", struct, "cannot change roleRef")
    return found.found


def _check_subject(found: Checks, path: str, subject: Object, *, is_namespaced: bool) -> None:
    kind, group = subject.get("kind", ""), subject.get("apiGroup", "")
    name = subject.get("name", "")
    found.require(f"{path}.name", name)
    if kind == "ServiceAccount":
        if name:
            found.named(f"{path}.name", name, names.subdomain)
        if group:
            found.unsupported(f"{path}.apiGroup", group, [""])
        if not is_namespaced:
            found.require(f"{path}.namespace", subject.get("namespace"))
    elif kind in {"User", "Group"}:
        if group != RBAC:
            found.unsupported(f"{path}.apiGroup", group, [RBAC])
    else:
        found.unsupported(f"{path}.kind", kind, SUBJECTS)


# --- Disruption budgets --------------------------------------------------------------------------


def check_budget(new: Object, old: Object | None) -> list[Cause]:
    """Check a PodDisruptionBudget."""
    found, spec = Checks(), new.get("spec") or {}
    least, most = spec.get("minAvailable"), spec.get("maxUnavailable")
    if least is not None and most is not None:
        struct = {
            "MinAvailable": least,
            "Selector": spec.get("selector"),
            "MaxUnavailable": most,
            "UnhealthyPodEvictionPolicy": spec.get("unhealthyPodEvictionPolicy"),
        }
        found.invalid("spec", struct, "minAvailable and maxUnavailable cannot be both set")
    for key, value in (("minAvailable", least), ("maxUnavailable", most)):
        _check_share(found, f"spec.{key}", value)
    found.selector("spec.selector", spec.get("selector"))
    key = "unhealthyPodEvictionPolicy"
    found.one_of(f"spec.{key}", spec.get(key), ("AlwaysAllow", "IfHealthyBudget"))
    if old is not None:
        for key in ("disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"):
            found.not_negative(f"status.{key}", at(new, "status", key))
    return found.found


def _check_share(found: Checks, path: str, value: Json) -> None:
    if isinstance(value, str):
        if not re.fullmatch(r"[0-9]+%", value):
            found.invalid(path, value, PERCENT_TEXT)
        elif int(value[:-1]) > 100:
            found.invalid(path, value, "must not be greater than 100%")
    else:
        found.not_negative(path, value)


# --- Priorities, runtimes, signing requests ------------------------------------------------------


def default_priority(obj: Object) -> None:
    """Fill in the defaults of a PriorityClass."""
    obj.setdefault("value", 0)
    obj.setdefault("preemptionPolicy", "PreemptLowerPriority")


def check_priority(new: Object, old: Object | None) -> list[Cause]:
    """Check a PriorityClass."""
    found = Checks()
    name, value = new["metadata"].get("name", ""), new.get("value", 0)
    if name.startswith("system-"):
        if name not in SYSTEM_CLASSES:
            text = (
                "priority class names with 'system-' prefix are reserved for system use only. "
                f"error: {name} is not a known system priority class"
            )
            found.forbid("metadata.name", text)
    elif value > MAX_PRIORITY:
        text = f"maximum allowed value of a user defined priority is {MAX_PRIORITY}"
        found.forbid("value", text)
    policies = ("PreemptLowerPriority", "Never")
    found.one_of("preemptionPolicy", new.get("preemptionPolicy"), policies)
    if old is not None:
        if value != old.get("value", 0):
            found.forbid("value", "may not be changed in an update.")
        key = "preemptionPolicy"
        found.immutable(key, new.get(key), old.get(key))
    return found.found


def check_runtime(new: Object, old: Object | None) -> list[Cause]:
    """Check a RuntimeClass."""
    found = Checks()
    found.named("handler", new.get("handler", ""), names.label)
    if old is not None:
        found.immutable("handler", new.get("handler"), old.get("handler"))
    return found.found


def keep_signing_spec(new: Object, old: Object) -> None:
    """Keep the spec of a CertificateSigningRequest, which nobody may change."""
    new["spec"] = old["spec"]


def check_signing(new: Object, _: Object | None) -> list[Cause]:
    """Check a CertificateSigningRequest."""
    found, spec = Checks(), new.get("spec") or {}
    request = spec.get("request", "")
    try:
        text = base64.b64decode(request).decode()
    except ValueError:
        text = ""
    if "-----BEGIN CERTIFICATE REQUEST-----" not in text:
        found.invalid("spec.request", request, "PEM block type must be CERTIFICATE REQUEST")
    usages = spec.get("usages") or ()
    found.require("spec.usages", usages or None)
    for number, usage in enumerate(usages):
        found.one_of(f"spec.usages[{number}]", usage, USAGES)
    name = spec.get("signerName", "")
    if found.require("spec.signerName", name):
        domain, _, rest = name.partition("/")
        if "." not in domain or not rest:
            text = "must be a fully qualified domain and path of the form 'example.com/signer-name'"
            found.invalid("spec.signerName", name, text)
    for number, condition in enumerate(at(new, "status", "conditions") or ()):
        path = f"status.conditions[{number}]"
        found.require(f"{path}.type", condition.get("type"))
        found.require(f"{path}.status", condition.get("status"))
    return found.found
