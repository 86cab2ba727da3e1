"""The cells of all other kinds."""

from __future__ import annotations

from typing import Any, Final

from fakekube.kinds import config
from fakekube.kinds.checks import at
from fakekube.tables.ages import UNKNOWN, age, human
from fakekube.tables.workloads import NONE, UNSET, age_of, name_of, part

Json = Any
Object = dict[str, Any]

MODES: Final = {
    "ReadWriteOnce": "RWO",
    "ReadOnlyMany": "ROX",
    "ReadWriteMany": "RWX",
    "ReadWriteOncePod": "RWOP",
}
ROLE: Final = "node-role.kubernetes.io/"
OLD_ROLE: Final = "kubernetes.io/role"
DEFAULT_CLASSES: Final = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)


def namespace(obj: Object, now: float) -> list[Json]:
    """Return the cells of a namespace."""
    return [name_of(obj), part(obj, "status").get("phase", ""), age_of(obj, now)]


def config_map(obj: Object, now: float) -> list[Json]:
    """Return the cells of a ConfigMap."""
    return [name_of(obj), len(part(obj, "data")) + len(part(obj, "binaryData")), age_of(obj, now)]


def secret(obj: Object, now: float) -> list[Json]:
    """Return the cells of a Secret."""
    return [name_of(obj), obj.get("type", ""), len(part(obj, "data")), age_of(obj, now)]


def service_account(obj: Object, now: float) -> list[Json]:
    """Return the cells of a ServiceAccount."""
    return [name_of(obj), len(obj.get("secrets") or ()), age_of(obj, now)]


def event(obj: Object, now: float) -> list[Json]:
    """Return the cells of an Event, of either group."""
    if obj["apiVersion"] != "v1":
        obj = config.convert_event(obj, obj["apiVersion"], "v1")
    series = obj.get("series") or {}
    moment = obj.get("eventTime")
    first = obj.get("firstTimestamp") or moment
    last = series.get("lastObservedTime") or obj.get("lastTimestamp") or first
    about = part(obj, "involvedObject")
    kind, name = about.get("kind", ""), about.get("name", "")
    return [
        age(last, now),
        obj.get("type", ""),
        obj.get("reason", ""),
        f"{kind.lower()}/{name}" if name else kind.lower(),
        about.get("fieldPath", ""),
        _source(obj),
        obj.get("message", "").strip(),
        age(first, now),
        series.get("count") or obj.get("count") or 1,
        name_of(obj),
    ]


def _source(obj: Object) -> str:
    source = part(obj, "source")
    component = source.get("component") or obj.get("reportingComponent", "")
    host = source.get("host") or obj.get("reportingInstance", "")
    return ", ".join(each for each in (component, host) if each)


def node(obj: Object, now: float) -> list[Json]:
    """Return the cells of a node."""
    state = part(obj, "status")
    words = [
        "Ready" if each.get("status") == "True" else "NotReady"
        for each in state.get("conditions") or ()
        if each.get("type") == "Ready"
    ] or ["Unknown"]
    if part(obj, "spec").get("unschedulable"):
        words.append("SchedulingDisabled")
    info = part(state, "nodeInfo")
    return [
        name_of(obj),
        ",".join(words),
        ",".join(_roles(obj["metadata"].get("labels") or {})) or NONE,
        age_of(obj, now),
        info.get("kubeletVersion", ""),
        _address(state, "InternalIP"),
        _address(state, "ExternalIP"),
        *(info.get(key) or UNKNOWN for key in NODE_INFO),
    ]


NODE_INFO: Final = ("osImage", "kernelVersion", "containerRuntimeVersion")


def _roles(labels: dict[str, str]) -> list[str]:
    found = {key.removeprefix(ROLE) for key in labels if key.startswith(ROLE)} - {""}
    if labels.get(OLD_ROLE):
        found.add(labels[OLD_ROLE])
    return sorted(found)


def _address(state: Object, kind: str) -> str:
    for each in state.get("addresses") or ():
        if each.get("type") == kind:
            return str(each.get("address", ""))
    return NONE


def _modes(modes: Json) -> str:
    return ",".join(short for name, short in MODES.items() if name in (modes or ()))


def _ending(obj: Object) -> str:
    if obj["metadata"].get("deletionTimestamp"):
        return "Terminating"
    return str(part(obj, "status").get("phase", ""))


def volume(obj: Object, now: float) -> list[Json]:
    """Return the cells of a PersistentVolume."""
    spec = part(obj, "spec")
    claim = spec.get("claimRef")
    return [
        name_of(obj),
        at(spec, "capacity", "storage") or "",
        _modes(spec.get("accessModes")),
        spec.get("persistentVolumeReclaimPolicy", ""),
        _ending(obj),
        f"{claim.get('namespace', '')}/{claim.get('name', '')}" if claim else "",
        spec.get("storageClassName", ""),
        spec.get("volumeAttributesClassName") or UNSET,
        part(obj, "status").get("reason", ""),
        age_of(obj, now),
        spec.get("volumeMode") or UNSET,
    ]


def claim(obj: Object, now: float) -> list[Json]:
    """Return the cells of a PersistentVolumeClaim."""
    spec, state = part(obj, "spec"), part(obj, "status")
    capacity = modes = ""
    if spec.get("volumeName"):
        capacity, modes = at(state, "capacity", "storage") or "", _modes(state.get("accessModes"))
    return [
        name_of(obj),
        _ending(obj),
        spec.get("volumeName", ""),
        capacity,
        modes,
        spec.get("storageClassName") or "",
        spec.get("volumeAttributesClassName") or UNSET,
        age_of(obj, now),
        spec.get("volumeMode") or UNSET,
    ]


def quota(obj: Object, now: float) -> list[Json]:
    """Return the cells of a ResourceQuota."""
    state = part(obj, "status")
    used = part(state, "used")
    found: dict[bool, list[str]] = {True: [], False: []}
    for name, hard in sorted(part(state, "hard").items()):
        text = f"{name}: {used.get(name, '0')}/{hard}"
        found[name.startswith("limits.")].append(text)
    return [name_of(obj), ", ".join(found[False]), ", ".join(found[True]), age_of(obj, now)]


def binding(obj: Object, now: float) -> list[Json]:
    """Return the cells of a RoleBinding or ClusterRoleBinding."""
    reference = part(obj, "roleRef")
    who: dict[str, list[str]] = {"User": [], "Group": [], "ServiceAccount": []}
    for each in obj.get("subjects") or ():
        name = each.get("name", "")
        if each.get("kind") == "ServiceAccount":
            name = f"{each.get('namespace', '')}/{name}"
        who.setdefault(each.get("kind", ""), []).append(name)
    return [
        name_of(obj),
        f"{reference.get('kind', '')}/{reference.get('name', '')}",
        age_of(obj, now),
        *(", ".join(who[kind]) for kind in ("User", "Group", "ServiceAccount")),
    ]


def budget(obj: Object, now: float) -> list[Json]:
    """Return the cells of a PodDisruptionBudget."""
    spec = part(obj, "spec")
    return [
        name_of(obj),
        *(str(spec.get(key, "N/A")) for key in ("minAvailable", "maxUnavailable")),
        part(obj, "status").get("disruptionsAllowed", 0),
        age_of(obj, now),
    ]


def priority(obj: Object, now: float) -> list[Json]:
    """Return the cells of a PriorityClass."""
    return [
        name_of(obj),
        obj.get("value", 0),
        bool(obj.get("globalDefault")),
        age_of(obj, now),
        obj.get("preemptionPolicy", ""),
    ]


def storage_class(obj: Object, now: float) -> list[Json]:
    """Return the cells of a StorageClass."""
    annotations = obj["metadata"].get("annotations") or {}
    is_default = any(annotations.get(key) == "true" for key in DEFAULT_CLASSES)
    return [
        name_of(obj) + (" (default)" if is_default else ""),
        obj.get("provisioner", ""),
        obj.get("reclaimPolicy", "Delete"),
        obj.get("volumeBindingMode", "Immediate"),
        bool(obj.get("allowVolumeExpansion")),
        age_of(obj, now),
    ]


def attachment(obj: Object, now: float) -> list[Json]:
    """Return the cells of a VolumeAttachment."""
    spec = part(obj, "spec")
    return [
        name_of(obj),
        spec.get("attacher", ""),
        at(spec, "source", "persistentVolumeName") or "",
        spec.get("nodeName", ""),
        bool(part(obj, "status").get("attached")),
        age_of(obj, now),
    ]


def driver(obj: Object, now: float) -> list[Json]:
    """Return the cells of a CSIDriver."""
    spec = part(obj, "spec")
    audiences = ",".join(each.get("audience", "") for each in spec.get("tokenRequests") or ())
    return [
        name_of(obj),
        spec.get("attachRequired", True),
        spec.get("podInfoOnMount", False),
        spec.get("storageCapacity", False),
        audiences or UNSET,
        spec.get("requiresRepublish", False),
        ",".join(spec.get("volumeLifecycleModes") or ()),
        age_of(obj, now),
    ]


def signing(obj: Object, now: float) -> list[Json]:
    """Return the cells of a CertificateSigningRequest."""
    spec, state = part(obj, "spec"), part(obj, "status")
    kinds = {each.get("type") for each in state.get("conditions") or ()}
    words = [kind for kind in ("Approved", "Denied", "Failed") if kind in kinds] or ["Pending"]
    if state.get("certificate"):
        words.append("Issued")
    seconds = spec.get("expirationSeconds")
    return [
        name_of(obj),
        age_of(obj, now),
        spec.get("signerName") or NONE,
        spec.get("username", ""),
        NONE if seconds is None else human(seconds),
        ",".join(words),
    ]


def webhooks(obj: Object, now: float) -> list[Json]:
    """Return the cells of a webhook configuration."""
    return [name_of(obj), len(obj.get("webhooks") or ()), age_of(obj, now)]


def policy(obj: Object, now: float) -> list[Json]:
    """Return the cells of a ValidatingAdmissionPolicy."""
    spec = part(obj, "spec")
    kind = spec.get("paramKind")
    shown = f"{kind.get('apiVersion', '')}/{kind.get('kind', '')}" if kind else UNSET
    return [name_of(obj), len(spec.get("validations") or ()), shown, age_of(obj, now)]


def policy_binding(obj: Object, now: float) -> list[Json]:
    """Return the cells of a ValidatingAdmissionPolicyBinding."""
    spec = part(obj, "spec")
    reference = spec.get("paramRef")
    shown = UNSET
    if reference:
        namespace, name = reference.get("namespace"), reference.get("name", "")
        shown = f"{namespace}/{name}" if namespace else name or "*"
    return [name_of(obj), spec.get("policyName", ""), shown, age_of(obj, now)]


def revision(obj: Object, now: float) -> list[Json]:
    """Return the cells of a ControllerRevision."""
    shown = NONE
    for owner in obj["metadata"].get("ownerReferences") or ():
        if owner.get("controller"):
            group = owner.get("apiVersion", "").rpartition("/")[0]
            kind = owner.get("kind", "").lower()
            shown = f"{kind}{f'.{group}' if group else ''}/{owner.get('name', '')}"
    return [name_of(obj), shown, obj.get("revision", 0), age_of(obj, now)]


def address(obj: Object, now: float) -> list[Json]:
    """Return the cells of an IPAddress."""
    about = at(obj, "spec", "parentRef") or {}
    parts = (about.get("resource"), about.get("namespace"), about.get("name"))
    shown = "/".join(each for each in parts if each)
    if about.get("group"):
        shown = shown.replace(about["resource"], f"{about['resource']}.{about['group']}", 1)
    return [name_of(obj), shown, age_of(obj, now)]


def network(obj: Object, now: float) -> list[Json]:
    """Return the cells of a ServiceCIDR."""
    return [name_of(obj), ",".join(part(obj, "spec").get("cidrs") or ()), age_of(obj, now)]


def lease(obj: Object, now: float) -> list[Json]:
    """Return the cells of a Lease."""
    return [name_of(obj), part(obj, "spec").get("holderIdentity", ""), age_of(obj, now)]


def csi_node(obj: Object, now: float) -> list[Json]:
    """Return the cells of a CSINode."""
    return [name_of(obj), len(part(obj, "spec").get("drivers") or ()), age_of(obj, now)]


def runtime(obj: Object, now: float) -> list[Json]:
    """Return the cells of a RuntimeClass."""
    return [name_of(obj), obj.get("handler", ""), age_of(obj, now)]


def attributes(obj: Object, now: float) -> list[Json]:
    """Return the cells of a VolumeAttributesClass."""
    return [name_of(obj), obj.get("driverName", ""), age_of(obj, now)]


ROWS: Final = {
    ("", "configmaps"): config_map,
    ("", "events"): event,
    ("", "namespaces"): namespace,
    ("", "nodes"): node,
    ("", "persistentvolumeclaims"): claim,
    ("", "persistentvolumes"): volume,
    ("", "resourcequotas"): quota,
    ("", "secrets"): secret,
    ("", "serviceaccounts"): service_account,
    ("events.k8s.io", "events"): event,
    ("admissionregistration.k8s.io", "mutatingwebhookconfigurations"): webhooks,
    ("admissionregistration.k8s.io", "validatingadmissionpolicies"): policy,
    ("admissionregistration.k8s.io", "validatingadmissionpolicybindings"): policy_binding,
    ("admissionregistration.k8s.io", "validatingwebhookconfigurations"): webhooks,
    ("apps", "controllerrevisions"): revision,
    ("certificates.k8s.io", "certificatesigningrequests"): signing,
    ("coordination.k8s.io", "leases"): lease,
    ("networking.k8s.io", "ipaddresses"): address,
    ("networking.k8s.io", "servicecidrs"): network,
    ("node.k8s.io", "runtimeclasses"): runtime,
    ("policy", "poddisruptionbudgets"): budget,
    ("rbac.authorization.k8s.io", "clusterrolebindings"): binding,
    ("rbac.authorization.k8s.io", "rolebindings"): binding,
    ("scheduling.k8s.io", "priorityclasses"): priority,
    ("storage.k8s.io", "csidrivers"): driver,
    ("storage.k8s.io", "csinodes"): csi_node,
    ("storage.k8s.io", "storageclasses"): storage_class,
    ("storage.k8s.io", "volumeattachments"): attachment,
    ("storage.k8s.io", "volumeattributesclasses"): attributes,
}
