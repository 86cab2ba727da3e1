"""The account and the region that a cluster is in, so that other credentials are noticed.

In another account nothing of a cluster is found. It must not be made again there, nor be told to be
gone, while all of it goes on in the first one. The same goes for another label.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provider.engine import world
from provider.engine.resource import Refusal
from provider.osc import cloud as clouds
from provider.osc import credentials
from provider.resources.net import Net
from provider.resources.security_group import SecurityGroup
from provider.resources.subnet import Subnet
from provider.rules import names


def note(metadata: Mapping[str, Any], seen: world.World) -> dict[str, Any]:
    """Return a patch of the metadata that keeps where a cluster was seen; once kept, it stays."""
    if _kept(metadata):
        return {}
    found = seen.of(SecurityGroup.KIND)
    groups = (each.account for each in found if isinstance(each, SecurityGroup))
    places = (each.subregion for each in seen.of(Subnet.KIND) if isinstance(each, Subnet))
    account, subregion = next(filter(None, groups), ""), next(filter(None, places), "")
    if not account or not subregion:
        return {}
    return {"annotations": {names.ACCOUNT_ANNOTATION: f"{names.region(subregion)}/{account}"}}


def check(osc_cluster: Mapping[str, Any] | None, cloud: clouds.Cloud) -> None:
    """Raise ``CredentialsError`` where a cluster, of which nothing is found, never was.

    Any security group of the account tells which one it is; every account has some.
    """
    kept = _kept((osc_cluster or {}).get("metadata") or {})
    if not kept:
        return
    rows = cloud.call("ReadSecurityGroups", ResultsPerPage=1)["SecurityGroups"]
    account = rows[0]["AccountId"] if rows else kept.rpartition("/")[2]
    here = f"{cloud.region}/{account}"
    if here != kept:
        raise credentials.CredentialsError(
            f"The credentials are for {here} (region/account), where nothing of this cluster is, "
            f"but it was made in {kept}. Put back credentials for that account and region. If "
            "nothing of it is there any more, remove the annotation "
            f"{names.ACCOUNT_ANNOTATION} from the OscCluster."
        )


def check_label(osc_cluster: Mapping[str, Any], seen: world.World) -> None:
    """Raise ``Refusal`` for a cluster whose Net is there under another label than it has now."""
    status = osc_cluster.get("status") or {}
    for id_ in ((status.get("resources") or {}).get(Net.KIND) or {}).values():
        if tag := seen.claimed.get(id_):
            labels = osc_cluster["metadata"].get("labels") or {}
            raise Refusal(
                f"The label {names.CLUSTER_UID_LABEL} is {labels.get(names.CLUSTER_UID_LABEL)}, "
                f"but the Net {id_}, which status.resources names, has the tag {tag}. Put the "
                "label back. If nothing of that is of this cluster, remove status.resources."
            )


def _kept(metadata: Mapping[str, Any]) -> str:
    return str((metadata.get("annotations") or {}).get(names.ACCOUNT_ANNOTATION, ""))
