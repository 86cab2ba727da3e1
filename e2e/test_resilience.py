"""Spec 5: what upstream's resilience checks ask of every provider.

https://github.com/kubernetes-sigs/cluster-api/tree/main/test/framework: ownerreference_helpers.go,
finalizers_helpers.go, resourceversion_helpers.go
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from e2e.cluster import Cluster, identity
from e2e.conftest import Spec
from e2e.kube import Object
from e2e.waits import differences, need


def test_what_others_take_away_from_objects_comes_back(spec: Spec) -> None:
    """Take owner references and finalizers away, and see that nothing is written without need."""
    cluster = spec.cluster
    with spec.step("A cluster with the VM of its first control plane machine"):
        cluster.apply(cluster.manifest())
        spec.eventually(cluster.is_provisioned, within="cluster-provisioned")
        spec.eventually(cluster.has_control_plane_vm, within="machine-provisioned")
    with spec.step("Owner references come back"):
        _restored(spec, "ownerReferences", _owners, within="owners-restored")
    with spec.step("Finalizers come back"):
        _restored(spec, "finalizers", _finalizers, within="finalizers-restored")
    with spec.step("resourceVersions become stable"):
        seen = _versions(spec)
        spec.eventually(lambda: _is_same(spec, seen), within="versions-become-stable")
    with spec.step("resourceVersions stay stable"):
        spec.throughout(lambda: _is_same(spec, seen), for_="versions-stay-stable")


def _restored(spec: Spec, field: str, read: Callable[[Object], str], *, within: str) -> None:
    """Take a field away from all objects while the cluster is paused; wait until it is back."""
    cluster = spec.cluster
    before = {identity(each): read(each) for each in cluster.objects()}
    cluster.pause(paused=True)
    for each in cluster.objects():
        if each["metadata"].get(field):
            _take(cluster, each, field)
    cluster.pause(paused=False)

    def is_back() -> None:
        now = {identity(each): read(each) for each in cluster.objects()}
        changed = list(differences(before, now))
        need(not changed, saw="; ".join(changed))

    spec.eventually(is_back, within=within)


def _take(cluster: Cluster, of: Object, field: str) -> None:
    group_version, plural = of["apiVersion"], f"{of['kind'].lower()}s"
    patch: dict[str, Any] = {"metadata": {field: None}}
    cluster.kube.patch(group_version, plural, of["metadata"]["name"], patch)


def _owners(of: Object) -> str:
    rows = of["metadata"].get("ownerReferences") or ()
    said = [
        f"{row['apiVersion']} {row['kind']}/{row['name']} {row['uid']}"
        f" controller={row.get('controller', False)} block={row.get('blockOwnerDeletion', False)}"
        for row in rows
    ]
    return ", ".join(sorted(said)) or "none"


def _finalizers(of: Object) -> str:
    return ", ".join(sorted(of["metadata"].get("finalizers") or ())) or "none"


def _versions(spec: Spec) -> dict[str, str]:
    rows = spec.cluster.objects()
    return {identity(each): each["metadata"]["resourceVersion"] for each in rows}


def _is_same(spec: Spec, seen: dict[str, str]) -> None:
    """Find nothing written since the last look, which is kept in ``seen``."""
    now = _versions(spec)
    changed = list(differences(seen, now))
    seen.clear()
    seen.update(now)
    need(not changed, saw="; ".join(changed))
