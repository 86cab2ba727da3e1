"""Fields that nobody comes to own by a request, because the server takes them away from it.

A write to the main resource cannot change the status, and a write to the status cannot change the
spec. The strategies of some kinds say more, and are followed to the letter.
"""

from __future__ import annotations

from typing import Final

from fakekube.patch import fields

STATUS: Final[fields.Set] = {"f:status": {}}
SPEC: Final[fields.Set] = {"f:spec": {}}
METADATA: Final[fields.Set] = {"f:metadata": {}}
LABELS: Final[fields.Set] = {"f:metadata": {"f:labels": {}}}
OF_POD: Final[fields.Set] = {"f:metadata": {"f:deletionTimestamp": {}, "f:ownerReferences": {}}}

# What the strategy of a kind takes away from a write to its status, beside the spec.
KEPT_FROM_STATUS: Final = {
    "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy": METADATA,
    "apiextensions.k8s.io/v1/CustomResourceDefinition": METADATA,
    "apiregistration.k8s.io/v1/APIService": METADATA,
    "apps/v1/Deployment": LABELS,
    "flowcontrol.apiserver.k8s.io/v1/FlowSchema": METADATA,
    "flowcontrol.apiserver.k8s.io/v1/PriorityLevelConfiguration": METADATA,
    "storage.k8s.io/v1/VolumeAttachment": METADATA,
    "v1/Pod": OF_POD,
    "certificates.k8s.io/v1/CertificateSigningRequest": {"f:status": {"f:conditions": {}}},
}
KEPT_FROM_MAIN: Final[dict[str, fields.Set]] = {
    "certificates.k8s.io/v1/CertificateSigningRequest": {**SPEC, **STATUS},
    # Its strategy names a group that does not exist.
    "networking.k8s.io/v1/ServiceCIDR": {},
}
CERTIFICATE: Final[fields.Set] = {"f:status": {"f:certificate": {}}}
CONTAINERS: Final[fields.Set] = {"*": {"f:resources": {}, "f:resizePolicy": {}}}
# What a subresource may change at all.
ONLY: Final[dict[str, fields.Set]] = {
    "v1/Pod/ephemeralcontainers": {"f:spec": {"f:ephemeralContainers": {}}},
    "v1/Pod/resize": {
        "f:spec": {"f:containers": CONTAINERS, "f:initContainers": CONTAINERS},
    },
}


def kept(names: fields.Set, kind: str, subresource: str, *, has_status: bool) -> fields.Set:
    """Return what is left of a set when a kind, with its version, is written."""
    if not names:
        return names
    only = ONLY.get(f"{kind}/{subresource}")
    if only is not None:
        return fields.only(names, only)
    if subresource not in {"status", "approval"}:
        gone = KEPT_FROM_MAIN.get(kind, STATUS if has_status else {})
        return fields.without(names, gone) if gone else names
    more = KEPT_FROM_STATUS.get(kind) if subresource == "status" else CERTIFICATE
    found = fields.without(names, SPEC)
    return fields.without(found, more) if more else found
