"""What may change of a pod that exists."""

from __future__ import annotations

from typing import Any, Final

from fakekube.kinds.checks import Checks

Json = Any
Object = dict[str, Any]

CHANGEABLE: Final = (
    "pod updates may not change fields other than `spec.containers[*].image`,"
    "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only "
    "additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set "
    "to 1 if it was previously negative)"
)


def check_change(found: Checks, new: Object, old: Object) -> None:
    """Check what may change of the spec of a pod."""
    for kind in ("containers", "initContainers"):
        if len(new.get(kind) or ()) != len(old.get(kind) or ()):
            found.forbid(f"spec.{kind}", "pod updates may not add or remove containers")
            return
    tolerations = [_still(each) for each in new.get("tolerations") or ()]
    if any(_still(each) not in tolerations for each in old.get("tolerations") or ()):
        text = "existing toleration can not be modified except its tolerationSeconds"
        found.forbid("spec.tolerations", text)
    if _fixed(new) != _fixed(old):
        # The real server adds the difference, as its internal structs print it.
        found.forbid("spec", CHANGEABLE)


def _still(toleration: Object) -> Object:
    return {key: value for key, value in toleration.items() if key != "tolerationSeconds"}


def _fixed(spec: Object) -> Object:
    found = {
        key: value
        for key, value in spec.items()
        if key not in {"activeDeadlineSeconds", "tolerations", "ephemeralContainers"}
    }
    if found.get("schedulingGates") is not None:
        # Gates may go, and with them the node selector may be set.
        del found["schedulingGates"]
    for kind in ("containers", "initContainers"):
        found[kind] = [
            {key: value for key, value in each.items() if key != "image"}
            for each in spec.get(kind) or ()
        ]
    return found
