"""Spec 5: what upstream's resilience checks ask of every provider.

https://github.com/kubernetes-sigs/cluster-api/tree/main/test/framework: ownerreference_helpers.go,
finalizers_helpers.go, resourceversion_helpers.go
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from e2e.cluster import Cluster, identity
from e2e.kube import SECRET, Object
from e2e.spec import Spec
from e2e.waits import Unmet, differences, need

DEFAULT = {"OscCluster": {"Cluster"}, "OscMachine": {"Machine"}, "OscMachineTemplate": {"Cluster"}}
OF_CLASS = {
    **DEFAULT,
    # Those of the class, and those that are made from them for the cluster.
    "OscMachineTemplate": {"Cluster", "ClusterClass"},
    "OscClusterTemplate": {"ClusterClass"},
}
OWNERS = {"default": DEFAULT, "topology": OF_CLASS}
"""By flavour, our kinds, and what kind the one owner is that each has when all is well."""
OTHERS = {
    "Cluster",
    "KubeadmConfig",
    "KubeadmConfigTemplate",
    "KubeadmControlPlane",
    "Machine",
    "MachineDeployment",
    "MachineSet",
    "Secret",
}
"""Kinds of others of which there has to be something, or the spec looks at less than upstream."""
GUARDED = {"OscCluster", "OscMachine"}
"""Our kinds that have a finalizer."""


@pytest.mark.parametrize("flavor", OWNERS)
def test_what_others_take_away_from_objects_comes_back(spec: Spec, flavor: str) -> None:
    """Take owner references and finalizers away, and see that nothing is written without need."""
    cluster = spec.cluster
    with spec.step("A cluster with the VM of its first control plane machine"):
        cluster.apply(cluster.manifest(*([] if flavor == "default" else [f"--flavor={flavor}"])))
        spec.eventually(cluster.is_provisioned, within="cluster-provisioned")
        spec.eventually(cluster.has_control_plane_vm, within="machine-provisioned")
        spec.eventually(lambda: cluster.says("OscCluster", "Ready", "True"), within="noticed")
    with spec.step("All kinds are there, and ours have their owners and finalizers"):
        spec.eventually(lambda: _is_complete(spec, OWNERS[flavor]), within="noticed")
    with spec.step("Owner references come back"):
        _restored(spec, "ownerReferences", _owners, within="owners-restored")
    with spec.step("Finalizers come back"):
        _restored(spec, "finalizers", _finalizers, within="finalizers-restored")
    with spec.step("resourceVersions become stable"):
        spec.eventually(lambda: _is_calm(spec), within="versions-become-stable")
    with spec.step("resourceVersions stay stable"):
        seen = _versions(spec)
        spec.throughout(lambda: _is_same(spec, seen), for_="versions-stay-stable")


def _is_complete(spec: Spec, owners: Mapping[str, set[str]]) -> None:
    rows = spec.cluster.objects()
    missing = (OTHERS | owners.keys()) - {row["kind"] for row in rows}
    need(not missing, saw=f"there is no {', '.join(sorted(missing))}")
    for row in (row for row in rows if row["kind"] in owners):
        found = [each["kind"] for each in row["metadata"].get("ownerReferences") or ()]
        is_owned = len(found) == 1 and found[0] in owners[row["kind"]]
        need(is_owned, saw=f"{identity(row)} is owned by {found}")
        guarded = any("infrastructure" in each for each in row["metadata"].get("finalizers") or ())
        need(guarded is (row["kind"] in GUARDED), saw=f"{identity(row)} has {_finalizers(row)}")


def _restored(spec: Spec, field: str, read: Callable[[Object], str], *, within: str) -> None:
    """Take a field away from all objects while the cluster is paused; wait until it is back."""
    cluster = spec.cluster
    before = {identity(each): read(each) for each in cluster.objects()}
    cluster.pause(paused=True)
    for each in cluster.objects():
        if each["metadata"].get(field):
            _take(cluster, each, field)
    cluster.pause(paused=False)
    for each in cluster.objects("ClusterClass"):
        # Nothing wakes the controller of classes when something is changed in one of its templates.
        waking = {"metadata": {"annotations": {"e2e/woken-for": field}}}
        cluster.kube.patch(each["apiVersion"], "clusterclasses", each["metadata"]["name"], waking)

    def is_back() -> None:
        now = {identity(each): read(each) for each in cluster.objects()}
        changed = list(differences(before, now))
        need(not changed, saw="; ".join(changed))

    spec.eventually(is_back, within=within)


def _take(cluster: Cluster, of: Object, field: str) -> None:
    known = {each.kind: each for each in (*cluster.kube.of_cluster_api(), SECRET)}
    kind, patch = known[of["kind"]], {"metadata": {field: None}}
    cluster.kube.patch(kind.api_version, kind.plural, of["metadata"]["name"], patch)


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
    return {identity(each): _version(each["metadata"]) for each in rows}


def _version(metadata: Object) -> str:
    """Return the version of an object, and who wrote it last."""
    writes = metadata.get("managedFields") or ()
    last = max(writes, key=lambda each: str(each.get("time", "")), default=None)
    by = f", written by {last['manager']} {last.get('subresource', '')}".rstrip() if last else ""
    return f"{metadata['resourceVersion']}{by}"


def _is_calm(spec: Spec) -> None:
    """Find nothing written for a while."""
    seen = _versions(spec)
    try:
        spec.throughout(lambda: _is_same(spec, seen), for_="calm")
    except AssertionError as written:
        raise Unmet(str(written)) from None


def _is_same(spec: Spec, seen: dict[str, str]) -> None:
    """Find nothing written since ``seen``."""
    changed = list(differences(seen, _versions(spec)))
    need(not changed, saw="; ".join(changed))
