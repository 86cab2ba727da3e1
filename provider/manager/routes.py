"""From an event to the objects that need a look because of it; pure.

A change wakes its own object always, and others only when it touches what they depend on: an error
message in the status of an OscCluster does not wake a thousand machines.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterable
from typing import Any

from provider.kube import kinds
from provider.manager import contract
from provider.manager.cache import Cache, Key, Object, cluster_of, key_of, version_of

WATCH_FILTER = "cluster.x-k8s.io/watch-filter"
PRIMARIES = (kinds.OSC_CLUSTER, kinds.OSC_MACHINE, kinds.OSC_MACHINE_TEMPLATE)
"""The kinds that are reconciled."""


def concerned(
    kind: kinds.Kind, old: Object | None, new: Object | None, cache: Cache, *, is_echo: bool
) -> set[Key]:
    """Return what an event concerns; ``old`` is None for a new object, ``new`` for a deleted one.

    ``is_echo`` says that we wrote this version ourselves, so that the object needs no look.
    """
    shown = new or old
    assert shown is not None, "An event shows an object."
    keys: set[Key] = set()
    is_news = old is None or new is None or version_of(old) != version_of(new)
    if kind in PRIMARIES and is_news and not is_echo:
        keys.add(key_of(kind, shown))
    gist, others = _ROUTES.get(kind.name, (_nothing, _nobody))
    if old is None or new is None or gist(old) != gist(new):
        keys.update(others(shown, cache))
    return keys


def is_wanted(obj: Object, watch_filter: str) -> bool:
    """Tell whether an object is for this manager, as ``--watch-filter`` says."""
    labels = obj["metadata"].get("labels") or {}
    return not watch_filter or labels.get(WATCH_FILTER) == watch_filter


def credentials_for(key: Key, cache: Cache) -> Hashable:
    """Return what names the credentials of the cluster that an object is, or is of.

    Two objects for which this differs may be of two accounts.
    """
    if key.kind == kinds.OSC_MACHINE.name:
        machine = cache.osc_machines.get(key.namespace, key.name)
        cluster = cluster_of(machine) if machine else ""
        known = next(iter(cache.osc_clusters.of_cluster(key.namespace, cluster)), None)
    else:
        known = cache.osc_clusters.get(key.namespace, key.name)
    named = _credentials(known or {})
    place = key.namespace if named.get("fromSecret") else ""
    return place, json.dumps(named, sort_keys=True)


# --- What others depend on -----------------------------------------------------------------------


def _intent(obj: Object) -> Any:
    """Return what people and other controllers say of an object: all but status and versions."""
    metadata = obj["metadata"]
    said = ("labels", "annotations", "finalizers", "ownerReferences", "deletionTimestamp", "uid")
    return [obj.get("spec"), [metadata.get(each) for each in said]]


def _cluster(obj: Object) -> Any:
    status = obj.get("status") or {}
    return [_intent(obj), status.get("initialization"), status.get("infrastructureReady")]


def _osc_cluster(obj: Object) -> Any:
    status = obj.get("status") or {}
    kept = ("initialization", "resources", "failureDomains")
    return [_intent(obj), [status.get(each) for each in kept]]


def _nothing(_: Object) -> Any:
    return None


# --- Who they are --------------------------------------------------------------------------------


def _nobody(_: Object, __: Cache) -> Iterable[Key]:
    return ()


def _keys(kind: kinds.Kind, objects: Iterable[Object]) -> list[Key]:
    return [key_of(kind, each) for each in objects]


def _machines(namespace: str, cluster: str, cache: Cache) -> list[Key]:
    return _keys(kinds.OSC_MACHINE, cache.osc_machines.of_cluster(namespace, cluster))


def _of_cluster(obj: Object, cache: Cache) -> Iterable[Key]:
    namespace, name = obj["metadata"].get("namespace", ""), obj["metadata"]["name"]
    if infrastructure := contract.infrastructure(obj, kinds.OSC_CLUSTER):
        yield Key(kinds.OSC_CLUSTER.name, namespace, infrastructure)
    yield from _machines(namespace, name, cache)


def _of_machine(obj: Object, _: Cache) -> Iterable[Key]:
    if infrastructure := contract.infrastructure(obj, kinds.OSC_MACHINE):
        yield Key(kinds.OSC_MACHINE.name, obj["metadata"].get("namespace", ""), infrastructure)


def _of_osc_cluster(obj: Object, cache: Cache) -> Iterable[Key]:
    return _machines(obj["metadata"].get("namespace", ""), cluster_of(obj), cache)


def _of_osc_machine(obj: Object, cache: Cache) -> Iterable[Key]:
    """Return the OscCluster if it goes: then it waits until it has no machines."""
    namespace = obj["metadata"].get("namespace", "")
    for each in cache.osc_clusters.of_cluster(namespace, cluster_of(obj)):
        if "deletionTimestamp" in each["metadata"]:
            yield key_of(kinds.OSC_CLUSTER, each)


def _of_identity(obj: Object, cache: Cache) -> Iterable[Key]:
    for each in cache.osc_clusters:
        if _credentials(each).get("identityRef", {}).get("name") == obj["metadata"]["name"]:
            yield from _with_machines(each, cache)


def _of_namespace(obj: Object, cache: Cache) -> Iterable[Key]:
    """Return who uses an identity, which may allow the namespace by its labels."""
    for each in cache.osc_clusters:
        is_here = each["metadata"].get("namespace", "") == obj["metadata"]["name"]
        if is_here and _credentials(each).get("identityRef"):
            yield from _with_machines(each, cache)


def _of_secret(obj: Object, cache: Cache) -> Iterable[Key]:
    namespace, name = obj["metadata"].get("namespace", ""), obj["metadata"]["name"]
    for machine in cache.machines.of_cluster(namespace, cluster_of(obj)):
        bootstrap = (machine.get("spec") or {}).get("bootstrap") or {}
        if bootstrap.get("dataSecretName") == name:
            yield from _of_machine(machine, cache)
    for each in cache.osc_clusters:
        is_near = each["metadata"].get("namespace", "") == namespace
        if is_near and _credentials(each).get("fromSecret") == name:
            yield from _with_machines(each, cache)
    for identity in cache.osc_cluster_identities:
        reference = (identity.get("spec") or {}).get("secretRef") or {}
        if (reference.get("namespace"), reference.get("name")) == (namespace, name):
            yield from _of_identity(identity, cache)


def _credentials(osc_cluster: Object) -> Any:
    return (osc_cluster.get("spec") or {}).get("credentials") or {}


def _with_machines(osc_cluster: Object, cache: Cache) -> Iterable[Key]:
    yield key_of(kinds.OSC_CLUSTER, osc_cluster)
    yield from _of_osc_cluster(osc_cluster, cache)


_ROUTES: dict[str, tuple[Callable[[Object], Any], Callable[[Object, Cache], Iterable[Key]]]] = {
    kinds.CLUSTER.name: (_cluster, _of_cluster),
    kinds.MACHINE.name: (_intent, _of_machine),
    kinds.OSC_CLUSTER.name: (_osc_cluster, _of_osc_cluster),
    kinds.OSC_MACHINE.name: (_nothing, _of_osc_machine),
    kinds.OSC_CLUSTER_IDENTITY.name: (_intent, _of_identity),
    kinds.NAMESPACE.name: (_nothing, _of_namespace),
    kinds.SECRET.name: (_nothing, _of_secret),
}
"""For each kind: what of it others depend on, and who these are."""
