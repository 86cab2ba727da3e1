"""What was last seen of the objects that reconciles look at; a cache, and never the truth.

Before anything is written, the object itself and its Cluster are read anew (``gather``). The cache
serves what may be a moment old: the machines of a cluster, and who is concerned by an event.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeVar

from provider.kube import kinds
from provider.rules import names

Object = dict[str, Any]
K = TypeVar("K")

CLUSTER_LABEL = names.CLUSTER_NAME_LABEL


class Key(NamedTuple):
    """An object to look at."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"


def key_of(kind: kinds.Kind, obj: Object) -> Key:
    """Return the key of an object."""
    metadata = obj["metadata"]
    return Key(kind.name, metadata.get("namespace", ""), metadata["name"])


def version_of(obj: Object) -> str:
    """Return the resourceVersion, of which only equality means something."""
    return str(obj["metadata"].get("resourceVersion", ""))


def uid_of(obj: Object) -> str:
    """Return the uid of a Cluster under which an object has things in the cloud, or nothing."""
    return str((obj["metadata"].get("labels") or {}).get(names.CLUSTER_UID_LABEL, ""))


def cluster_of(obj: Object) -> str:
    """Return the name of the Cluster that an object is labelled with."""
    return str((obj["metadata"].get("labels") or {}).get(CLUSTER_LABEL, ""))


class Store:
    """The objects of one kind, found by name, by the cluster that their label names, by its uid."""

    def __init__(self) -> None:
        self._objects: dict[tuple[str, str], Object] = {}
        self._members: dict[tuple[str, str], dict[tuple[str, str], None]] = {}
        self._claims: dict[str, dict[tuple[str, str], None]] = {}

    def put(self, obj: Object) -> None:
        """Remember an object, without the notes on who wrote which field: these are large."""
        metadata = {k: v for k, v in obj["metadata"].items() if k != "managedFields"}
        place = (metadata.get("namespace", ""), metadata["name"])
        self.drop(*place)
        self._objects[place] = {**obj, "metadata": metadata}
        if name := cluster_of(obj):
            self._members.setdefault((place[0], name), {})[place] = None
        if uid := uid_of(obj):
            self._claims.setdefault(uid, {})[place] = None

    def drop(self, namespace: str, name: str) -> None:
        """Forget an object, if it is known."""
        place = (namespace, name)
        if (old := self._objects.pop(place, None)) is None:
            return
        _leave(self._members, (namespace, cluster_of(old)), place)
        _leave(self._claims, uid_of(old), place)

    def get(self, namespace: str, name: str) -> Object | None:
        """Return an object as it was last seen."""
        return self._objects.get((namespace, name))

    def of_cluster(self, namespace: str, cluster: str) -> tuple[Object, ...]:
        """Return the objects that are labelled with a cluster, in the order of their names."""
        return tuple(
            self._objects[place] for place in sorted(self._members.get((namespace, cluster), {}))
        )

    def elders(self, obj: Object, *, same_name: bool) -> list[Object]:
        """Return those of which an object is a copy, if it is one, the first one first.

        Both are labelled with the uid of one Cluster, and each would take what is in the cloud
        under it for its own. With ``same_name``, it is under that uid and a name.
        """
        name = obj["metadata"]["name"]
        claims = self._claims.get(uid_of(obj), {})
        rivals = [self._objects[each] for each in claims if not same_name or each[1] == name]
        return sorted((each for each in rivals if _age(each) < _age(obj)), key=_age)

    def __iter__(self) -> Iterator[Object]:
        return iter(list(self._objects.values()))


def _leave(groups: dict[K, dict[tuple[str, str], None]], of: K, place: tuple[str, str]) -> None:
    members = groups.get(of, {})
    members.pop(place, None)
    if not members:
        groups.pop(of, None)


def _age(obj: Object) -> tuple[str, str, str]:
    """Return what says who was there first: the time, and for one second the place."""
    metadata = obj["metadata"]
    born = str(metadata.get("creationTimestamp", ""))
    return born, str(metadata.get("namespace", "")), str(metadata["name"])


@dataclasses.dataclass(frozen=True)
class Cache:
    """One store for each kind that is kept; Secrets are not, because they are secret and large."""

    osc_clusters: Store = dataclasses.field(default_factory=Store)
    osc_machines: Store = dataclasses.field(default_factory=Store)
    osc_machine_templates: Store = dataclasses.field(default_factory=Store)
    osc_cluster_identities: Store = dataclasses.field(default_factory=Store)
    clusters: Store = dataclasses.field(default_factory=Store)
    machines: Store = dataclasses.field(default_factory=Store)

    def of(self, kind: str) -> Store | None:
        """Return the store of a kind, or None for a kind that is not kept."""
        return {
            kinds.OSC_CLUSTER.name: self.osc_clusters,
            kinds.OSC_MACHINE.name: self.osc_machines,
            kinds.OSC_MACHINE_TEMPLATE.name: self.osc_machine_templates,
            kinds.OSC_CLUSTER_IDENTITY.name: self.osc_cluster_identities,
            kinds.CLUSTER.name: self.clusters,
            kinds.MACHINE.name: self.machines,
        }.get(kind)


class Echoes:
    """Tells the echo of our own writes from what others wrote.

    A watch shows every write, our own ones too. To look at an object because we wrote its status
    would never end while an error message differs each time, so that echoes wake nobody. An event
    that comes during a write is kept until the write is answered: only then is it known whose it
    is.
    """

    MOST = 64
    """So many of our writes to one object are remembered; the watch is never that far behind."""

    def __init__(self, release: Callable[[kinds.Kind, str | None, Object], None]) -> None:
        self._release = release
        self._own: dict[Key, dict[str, None]] = {}
        self._held: dict[Key, list[tuple[kinds.Kind, str | None, Object]]] = {}

    def begin(self, key: Key) -> None:
        """Hear that a write to an object is under way; there is one at a time."""
        assert key not in self._held, "One worker looks at an object at a time."
        self._held[key] = []

    def end(self, key: Key, written: Object | None) -> None:
        """Hear what the write made of the object, or None when nothing is known of it."""
        if written is not None:
            own = self._own.setdefault(key, {})
            own[version_of(written)] = None
            while len(own) > self.MOST:
                del own[next(iter(own))]
        for event in self._held.pop(key):
            self._release(*event)

    def holds(self, kind: kinds.Kind, type_: str | None, obj: Object) -> bool:
        """Keep an event back while a write to its object is under way."""
        held = self._held.get(key_of(kind, obj))
        if held is None:
            return False
        held.append((kind, type_, obj))
        return True

    def is_own(self, key: Key, version: str) -> bool:
        """Tell whether we wrote this version."""
        return version in self._own.get(key, {})

    def forget(self, key: Key) -> None:
        """Forget an object that is gone."""
        self._own.pop(key, None)
