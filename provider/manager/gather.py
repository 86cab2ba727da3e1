"""All that a reconcile may know of Kubernetes, put together: what decides is read anew.

Read anew are the object itself and its Cluster, because a pause that was missed would cost a
cluster. The rest comes from the cache, and from the server when the cache lacks it.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from provider.kube import client as kube
from provider.kube import errors, kinds
from provider.manager import contract
from provider.manager.cache import CLUSTER_LABEL, Cache, Store, cluster_of, uid_of
from provider.rules import names

Object = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Seen:
    """The object of a reconcile, and what belongs to it; None where there is no such thing."""

    primary: Object
    cluster: Object | None = None
    osc_cluster: Object | None = None
    """The OscCluster of the cluster; of an OscCluster, itself."""
    machine: Object | None = None
    bootstrap: Object | None = None
    """The Secret with the bootstrap data, while an OscMachine has no ``spec.providerID``."""
    osc_machines: tuple[Object, ...] = ()
    """The OscMachines of the cluster, without the object itself."""
    elder: Object | None = None
    """That of which the object is a copy: what is in the cloud is that one's."""


class Gatherer:
    """Puts together what belongs to an object."""

    def __init__(self, client: kube.Client, cache: Cache) -> None:
        self._client = client
        self._cache = cache

    async def of(self, kind: kinds.Kind, body: Object) -> Seen:
        """Return what belongs to an object that was read a moment ago."""
        if kind == kinds.OSC_CLUSTER:
            return await self._of_cluster(body)
        if kind == kinds.OSC_MACHINE:
            return await self._of_machine(body)
        return Seen(body)

    async def _of_cluster(self, body: Object) -> Seen:
        namespace = body["metadata"]["namespace"]
        name = _owner(body, kinds.CLUSTER)
        cluster = await self._fresh(kinds.CLUSTER, self._cache.clusters, namespace, name)
        name = name or cluster_of(body)
        machines = self._cache.osc_machines.of_cluster(namespace, name)
        if "deletionTimestamp" in body["metadata"] and name:
            # What is missing here would be deleted under the feet of its machines.
            label = f"{CLUSTER_LABEL}={name}"
            machines = tuple(await self._client.list(kinds.OSC_MACHINE, namespace, label))
        return Seen(
            body,
            cluster,
            osc_cluster=body,
            osc_machines=machines,
            elder=await self._elder(kinds.OSC_CLUSTER, body),
        )

    async def _of_machine(self, body: Object) -> Seen:
        metadata = body["metadata"]
        namespace, owner = metadata["namespace"], _owner(body, kinds.MACHINE)
        machine = self._cache.machines.get(namespace, owner) if owner else None
        if machine is None:
            machine = await self._fresh(kinds.MACHINE, self._cache.machines, namespace, owner)
        name = cluster_of(body) or ((machine or {}).get("spec") or {}).get("clusterName", "")
        cluster = await self._fresh(kinds.CLUSTER, self._cache.clusters, namespace, name)
        machine = contract.modern(machine)
        siblings = self._cache.osc_machines.of_cluster(namespace, name)
        return Seen(
            body,
            cluster,
            osc_cluster=await self._infrastructure(namespace, name, cluster),
            machine=machine,
            bootstrap=await self._bootstrap(body, machine),
            osc_machines=tuple(
                each for each in siblings if each["metadata"]["name"] != metadata["name"]
            ),
            elder=await self._elder(kinds.OSC_MACHINE, body),
        )

    async def _elder(self, kind: kinds.Kind, body: Object) -> Object | None:
        """Return that of which an object is a copy, if it is there.

        For one that is only believed to be, all in the cloud would be left behind.
        """
        store = self._cache.of(kind.name)
        assert store is not None, f"Every {kind.name} is kept."
        for each in store.elders(body, same_name=kind == kinds.OSC_MACHINE):
            metadata = each["metadata"]
            found = await self._read(kind, metadata.get("namespace", ""), metadata["name"])
            if found and found["metadata"]["uid"] == metadata["uid"] and uid_of(found):
                return found
        return None

    async def _infrastructure(
        self, namespace: str, name: str, cluster: Object | None
    ) -> Object | None:
        """Return the OscCluster that a Cluster names, or that is labelled with one that is gone."""
        if cluster is None:
            return next(iter(self._cache.osc_clusters.of_cluster(namespace, name)), None)
        if not (name := contract.infrastructure(cluster, kinds.OSC_CLUSTER)):
            return None
        known = self._cache.osc_clusters.get(namespace, name)
        return known or await self._read(kinds.OSC_CLUSTER, namespace, name)

    async def _bootstrap(self, body: Object, machine: Object | None) -> Object | None:
        bootstrap = ((machine or {}).get("spec") or {}).get("bootstrap") or {}
        name = bootstrap.get("dataSecretName")
        is_needed = "deletionTimestamp" not in body["metadata"]
        if not name or not is_needed or (body.get("spec") or {}).get("providerID"):
            return None
        return await self._read(kinds.SECRET, body["metadata"]["namespace"], name)

    async def _fresh(
        self, kind: kinds.Kind, store: Store, namespace: str, name: str
    ) -> Object | None:
        """Read an object of the core, in the version that is served; None when there is none.

        Raises UnknownKind when no version is: the object may be there, and say that all is paused.
        """
        if not name:
            return None
        known = store.get(namespace, name)
        first = [str(known["apiVersion"]).rpartition("/")[2]] if known else []
        unknown: errors.UnknownKind | None = None
        for version in dict.fromkeys([*first, *contract.VERSIONS]):
            try:
                return contract.modern(await self._read(kind.at(version), namespace, name))
            except errors.UnknownKind as problem:
                unknown = problem
        assert unknown is not None, "There is a version to try."
        raise unknown

    async def _read(self, kind: kinds.Kind, namespace: str, name: str) -> Object | None:
        try:
            return await self._client.get(kind, namespace, name)
        except errors.NotFound:
            return None


def _owner(body: Object, kind: kinds.Kind) -> str:
    """Return the name of the owner of a kind, or nothing."""
    return next((str(each["name"]) for each in names.owners(body["metadata"], kind.name)), "")
