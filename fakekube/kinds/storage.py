"""PersistentVolumes, claims, storage classes, attachments and what CSI drivers register."""

from __future__ import annotations

from typing import Any, Final

from fakekube import names
from fakekube.kinds.checks import IMMUTABLE, Checks, at
from fakekube.kinds.pod_checks import amount
from fakekube.status import Cause

Json = Any
Object = dict[str, Any]

ACCESS_MODES: Final = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
RECLAIM_POLICIES: Final = ("Delete", "Recycle", "Retain")
VOLUME_MODES: Final = ("Block", "Filesystem")
PLAIN_FIELDS: Final = {
    *("accessModes", "capacity", "claimRef", "mountOptions", "nodeAffinity"),
    *("persistentVolumeReclaimPolicy", "storageClassName", "volumeAttributesClassName"),
    "volumeMode",
}
"""The fields of a PersistentVolume that are not its source."""
CLAIM_TEXT: Final = (
    "spec is immutable after creation except resources.requests and volumeAttributesClassName for "
    "bound claims"
)


def default_volume(obj: Object) -> None:
    """Fill in the defaults of a PersistentVolume."""
    spec = obj.setdefault("spec", {})
    if not spec.get("persistentVolumeReclaimPolicy"):
        spec["persistentVolumeReclaimPolicy"] = "Retain"
    spec.setdefault("volumeMode", "Filesystem")
    if spec.get("hostPath") is not None:
        spec["hostPath"].setdefault("type", "")


def prepare_volume(obj: Object) -> None:
    """Give a new PersistentVolume its phase, and protect it from deletion while it is used."""
    obj["status"] = {"phase": "Pending"}
    if obj["metadata"].get("creationTimestamp"):
        obj["status"]["lastPhaseTransitionTime"] = obj["metadata"]["creationTimestamp"]
    _protect(obj, "kubernetes.io/pv-protection")


def prepare_volume_status(new: Object, old: Object) -> None:
    """Keep the time of the last change of phase, when nobody says another one."""
    key = "lastPhaseTransitionTime"
    if at(old, "status", key) and not at(new, "status", key):
        new.setdefault("status", {})[key] = old["status"][key]


def prepare_claim(obj: Object) -> None:
    """Give a new claim its phase, and protect it from deletion while it is used."""
    obj["status"] = {"phase": "Pending"}
    _protect(obj, "kubernetes.io/pvc-protection")


def _protect(obj: Object, finalizer: str) -> None:
    finalizers = obj["metadata"].setdefault("finalizers", [])
    if finalizer not in finalizers:
        finalizers.append(finalizer)


def _check_access_modes(found: Checks, spec: Object, text: str = "") -> None:
    if found.require("spec.accessModes", spec.get("accessModes"), text):
        for mode in spec["accessModes"]:
            if mode not in ACCESS_MODES:
                found.unsupported("spec.accessModes", mode, ACCESS_MODES)


def check_volume(new: Object, old: Object | None) -> list[Cause]:
    """Check a PersistentVolume."""
    found, spec = Checks(), new["spec"]
    _check_access_modes(found, spec)
    capacity = spec.get("capacity") or {}
    found.require("spec.capacity", capacity)
    if "storage" not in capacity or len(capacity) > 1:
        found.unsupported("spec.capacity", capacity, ["storage"])
    for name, value in capacity.items():
        if amount(str(value)) <= 0:
            found.invalid(f"spec.capacity[{name}]", str(value), "must be greater than zero")
    policy = spec.get("persistentVolumeReclaimPolicy")
    found.one_of("spec.persistentVolumeReclaimPolicy", policy, RECLAIM_POLICIES)
    sources = [key for key in sorted(spec) if key not in PLAIN_FIELDS]
    # Its checks go through the sources in an order in which this one is the first of these two.
    sources.sort(key=lambda key: key != "hostPath")
    for extra in sources[1:]:
        found.forbid(f"spec.{extra}", "may not specify more than 1 volume type")
    if not sources:
        found.require("spec", None, "must specify a volume type")
    elif sources[0] == "csi":
        _check_csi(found, spec["csi"])
    elif sources[0] == "hostPath":
        found.require("spec.hostPath.path", spec["hostPath"].get("path"))
    name = spec.get("storageClassName", "")
    if name:
        found.named("spec.storageClassName", name, names.subdomain)
    found.one_of("spec.volumeMode", spec.get("volumeMode"), VOLUME_MODES)
    if old is not None:
        _check_volume_change(found, spec, old.get("spec") or {})
    return found.found


def _check_csi(found: Checks, csi: Object) -> None:
    found.require("spec.csi.driver", csi.get("driver"))
    found.named("spec.csi.driver", csi.get("driver", ""), names.subdomain)
    found.require("spec.csi.volumeHandle", csi.get("volumeHandle"))


def _check_volume_change(found: Checks, spec: Object, was: Object) -> None:
    source, before = (
        {key: value for key, value in each.items() if key not in PLAIN_FIELDS}
        for each in (spec, was)
    )
    if source != before:
        # The real server adds the difference, as its internal structs print it.
        text = "spec.persistentvolumesource is immutable after creation"
        found.forbid("spec.persistentvolumesource", text)
    found.immutable("volumeMode", spec.get("volumeMode"), was.get("volumeMode"))


def default_claim(obj: Object) -> None:
    """Fill in the defaults of a PersistentVolumeClaim."""
    obj.setdefault("spec", {}).setdefault("volumeMode", "Filesystem")
    if not at(obj, "status", "phase"):
        obj.setdefault("status", {})["phase"] = "Pending"


def check_claim(new: Object, old: Object | None) -> list[Cause]:
    """Check a PersistentVolumeClaim."""
    found, spec = Checks(), new["spec"]
    _check_access_modes(found, spec, "at least 1 access mode is required")
    size = at(spec, "resources", "requests", "storage")
    if size is None:
        found.require("spec.resources[storage]", None)
    elif amount(str(size)) <= 0:
        found.invalid("spec.resources[storage]", str(size), "must be greater than zero")
    if spec.get("storageClassName"):
        found.named("spec.storageClassName", spec["storageClassName"], names.subdomain)
    found.one_of("spec.volumeMode", spec.get("volumeMode"), VOLUME_MODES)
    if old is not None:
        _check_claim_change(found, spec, old)
    return found.found


def _check_claim_change(found: Checks, spec: Object, old: Object) -> None:
    was = old.get("spec") or {}
    free = {"volumeAttributesClassName"}
    if not was.get("volumeName"):
        free.add("volumeName")
    if not was.get("storageClassName"):
        free.add("storageClassName")
    if at(old, "status", "phase") == "Bound":
        free.add("resources")
    now, then = ({k: v for k, v in each.items() if k not in free} for each in (spec, was))
    if now != then:
        # The real server adds the difference, as its internal structs print it.
        found.forbid("spec", CLAIM_TEXT)
    elif "resources" in free:
        size, before = (at(each, "resources", "requests", "storage") for each in (spec, was))
        if amount(str(size)) < amount(str(before)):
            text = "field can not be less than status.capacity"
            found.forbid("spec.resources.requests.storage", text)


# --- storage.k8s.io ------------------------------------------------------------------------------


def default_class(obj: Object) -> None:
    """Fill in the defaults of a StorageClass."""
    obj.setdefault("reclaimPolicy", "Delete")
    obj.setdefault("volumeBindingMode", "Immediate")


def check_class(new: Object, old: Object | None) -> list[Cause]:
    """Check a StorageClass."""
    found = Checks()
    provisioner = new.get("provisioner", "")
    if found.require("provisioner", provisioner):
        found.named("provisioner", provisioner.lower(), names.qualified)
    found.one_of("reclaimPolicy", new.get("reclaimPolicy"), ("Delete", "Retain"))
    modes = ("Immediate", "WaitForFirstConsumer")
    found.one_of("volumeBindingMode", new.get("volumeBindingMode"), modes)
    if old is not None:
        for key in ("parameters", "provisioner", "reclaimPolicy"):
            if (new.get(key) or {}) != (old.get(key) or {}):
                found.forbid(key, f"updates to {key} are forbidden.")
        key = "volumeBindingMode"
        found.immutable(key, new.get(key), old.get(key))
    return found.found


def check_attachment(new: Object, old: Object | None) -> list[Cause]:
    """Check a VolumeAttachment."""
    found, spec = Checks(), new.get("spec") or {}
    for _ in range(2):
        # The real server says it twice.
        found.require("spec.attacher", spec.get("attacher"))
    found.named("spec.attacher", spec.get("attacher", ""), names.subdomain)
    source = spec.get("source") or {}
    if (source.get("persistentVolumeName") is None) == (source.get("inlineVolumeSpec") is None):
        text = "must specify exactly one of inlineVolumeSpec and persistentVolumeName"
        found.require("spec.source", None, text)
    found.named("spec.nodeName", spec.get("nodeName", ""), names.subdomain)
    if old is not None and spec != (old.get("spec") or {}):
        struct = {
            "Attacher": spec.get("attacher", ""),
            "Source": {
                "PersistentVolumeName": source.get("persistentVolumeName"),
                "InlineVolumeSpec": source.get("inlineVolumeSpec"),
            },
            "NodeName": spec.get("nodeName", ""),
        }
        found.invalid("spec", struct, IMMUTABLE)
    return found.found


def check_csi_node(new: Object, old: Object | None) -> list[Cause]:
    """Check a CSINode."""
    found = Checks()
    drivers = at(new, "spec", "drivers") or ()
    known = {each.get("name"): each for each in at(old, "spec", "drivers") or ()}
    for number, driver in enumerate(drivers):
        path = f"spec.drivers[{number}]"
        found.require(f"{path}.name", driver.get("name"))
        found.named(f"{path}.name", driver.get("name", ""), names.subdomain)
        found.require(f"{path}.nodeID", driver.get("nodeID"))
        was = known.get(driver.get("name"))
        if was is not None and was != driver:
            struct = {
                "Name": driver.get("name", ""),
                "NodeID": driver.get("nodeID", ""),
                "TopologyKeys": driver.get("topologyKeys"),
                "Allocatable": driver.get("allocatable"),
            }
            found.invalid("spec.drivers", struct, IMMUTABLE)
    return found.found


def default_driver(obj: Object) -> None:
    """Fill in the defaults of a CSIDriver."""
    spec = obj.setdefault("spec", {})
    spec.setdefault("attachRequired", True)
    if not spec.get("volumeLifecycleModes"):
        spec["volumeLifecycleModes"] = ["Persistent"]
    spec.setdefault("fsGroupPolicy", "ReadWriteOnceWithFSType")
    for key in ("podInfoOnMount", "storageCapacity", "requiresRepublish", "seLinuxMount"):
        spec.setdefault(key, False)


def check_driver(new: Object, old: Object | None) -> list[Cause]:
    """Check a CSIDriver."""
    found, spec = Checks(), new["spec"]
    policies = ("File", "None", "ReadWriteOnceWithFSType")
    found.one_of("spec.fsGroupPolicy", spec.get("fsGroupPolicy"), policies)
    for mode in spec.get("volumeLifecycleModes") or ():
        found.one_of("spec.volumeLifecycleModes", mode, ("Persistent", "Ephemeral"))
    if old is not None:
        was = old.get("spec") or {}
        key = "attachRequired"
        # The real server misspells this path.
        found.immutable("spec.attachedRequired", spec.get(key), was.get(key))
        key = "volumeLifecycleModes"
        found.immutable(f"spec.{key}", spec.get(key), was.get(key))
    return found.found
