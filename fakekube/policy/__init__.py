"""The roles and bindings that a server starts with, and roles that are made of others.

``table.json`` holds what the real server makes; ``python -m fakekube.policy.generate`` writes it
anew. A rule is spelled ``VERBS GROUPS RESOURCES`` with an optional fourth word of names, or
``VERBS PATHS``; the parts of a word stand between commas, and ``core`` is the core group.
"""

from __future__ import annotations

import functools
import pathlib
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from fakekube import clock, selectors, store
from fakekube.rbac import BINDINGS, CLUSTER_BINDINGS, CLUSTER_ROLES, GROUP, ROLES

Json = Any
Object = dict[str, Any]

API_VERSION = f"{GROUP}/v1"
AGGREGATE = "rbac.authorization.k8s.io/aggregate-to-"
LABELS = {"kubernetes.io/bootstrapping": "rbac-defaults"}
ANNOTATIONS = {"rbac.authorization.kubernetes.io/autoupdate": "true"}
KINDS = {
    CLUSTER_ROLES: "ClusterRole",
    CLUSTER_BINDINGS: "ClusterRoleBinding",
    ROLES: "Role",
    BINDINGS: "RoleBinding",
}


@functools.cache
def _table() -> Json:
    path = pathlib.Path(__file__).parent / "table.json"
    return msgspec.json.decode(path.read_bytes())


def rule(spelled: str) -> Json:
    """Return the rule that is spelled like this."""
    verbs, *words = (word.split(",") for word in spelled.split(" "))
    if len(words) == 1:
        return {"verbs": verbs, "nonResourceURLs": words[0]}
    groups = ["" if group == "core" else group for group in words[0]]
    found = {"verbs": verbs, "apiGroups": groups, "resources": words[1]}
    return found | ({"resourceNames": words[2]} if len(words) > 2 else {})


def spelled(raw: Json) -> str:
    """Return how a rule is spelled."""
    words = [raw["verbs"]]
    if raw.get("nonResourceURLs"):
        words.append(raw["nonResourceURLs"])
    else:
        words.append([group or "core" for group in raw["apiGroups"]])
        words.append(raw["resources"])
        words += [raw["resourceNames"]] if raw.get("resourceNames") else []
    return " ".join(",".join(word) for word in words)


def objects() -> Iterator[tuple[str, Object]]:
    """Give the first roles and bindings with their tables, without uid and date."""
    table = _table()
    for name, row in table["clusterroles"].items():
        labels = {f"{AGGREGATE}{each}": "true" for each in row.get("to", ())}
        found = _object(CLUSTER_ROLES, name, labels)
        found["rules"] = [rule(each) for each in row.get("rules", ())] or None
        if "from" in row:
            wanted = {"matchLabels": {f"{AGGREGATE}{row['from']}": "true"}}
            found["aggregationRule"] = {"clusterRoleSelectors": [wanted]}
        yield CLUSTER_ROLES, found
    for place, row in table["roles"].items():
        found = _object(ROLES, place)
        found["rules"] = [rule(each) for each in row]
        yield ROLES, found
    for kind in ("clusterrolebindings", "rolebindings"):
        for place, (role, *subjects) in table[kind].items():
            found = _object(CLUSTER_BINDINGS if kind == "clusterrolebindings" else BINDINGS, place)
            # The binding of the nodes has no subject: whoever wants it adds one.
            if subjects:
                found["subjects"] = [_subject(each) for each in subjects]
            role_kind, _, name = role.partition(" ")
            found["roleRef"] = {"apiGroup": GROUP, "kind": role_kind, "name": name}
            yield (CLUSTER_BINDINGS if kind == "clusterrolebindings" else BINDINGS), found


def _object(table: str, place: str, labels: Json = None) -> Object:
    namespace, _, name = place.rpartition("/")
    meta: Object = {"name": name}
    if namespace:
        meta["namespace"] = namespace
    meta |= {"labels": LABELS | (labels or {}), "annotations": dict(ANNOTATIONS)}
    return {"kind": KINDS[table], "apiVersion": API_VERSION, "metadata": meta}


def _subject(text: str) -> Json:
    kind, _, name = text.partition(" ")
    if kind == "ServiceAccount":
        namespace, _, account = name.partition("/")
        return {"kind": kind, "name": account, "namespace": namespace}
    return {"kind": kind, "apiGroup": GROUP, "name": name}


def _gather(role: Object, roles: Iterable[Object]) -> bool:
    """Give a role the rules of those it is made of, and tell whether that changes it."""
    found: list[Json] = []
    name = role["metadata"]["name"]
    for wanted in _selectors(role):
        selector = selectors.from_object(wanted)
        for other in roles:
            meta = other["metadata"]
            if meta["name"] != name and selector.matches(meta.get("labels")):
                found += [each for each in other.get("rules") or () if each not in found]
    is_changed: bool = found != (role.get("rules") or [])
    role["rules"] = found
    return is_changed


class Policy:
    """The roles and bindings of the server itself; it belongs to a store."""

    def __init__(self, to: store.Store) -> None:
        self._store = to
        self._is_busy = False
        to.listeners.append(self._notice)

    def install(self, time: clock.Clock, chance: clock.Chance) -> None:
        """Make the first roles and bindings in a store that has none."""
        stamp = time.stamp()
        first = list(objects())
        roles = [obj for table, obj in first if table == CLUSTER_ROLES]
        whole = [obj for obj in roles if _selectors(obj)]
        for _ in whole:
            # From the last name to the first, one turn is enough: view, edit, admin.
            changed = [_gather(obj, roles) for obj in reversed(whole)]
            if not any(changed):
                break
        self._is_busy = True
        for table, obj in first:
            obj["metadata"] |= {"uid": chance.uid(), "creationTimestamp": stamp}
            self._store.create(table, obj)
        self._is_busy = False

    def _notice(self, table: str, _: store.Event) -> None:
        if table != CLUSTER_ROLES or self._is_busy:
            return
        self._is_busy = True
        try:
            self._settle()
        finally:
            self._is_busy = False

    def _settle(self) -> None:
        """Keep the rules of roles that are made of others, as a controller does in a cluster.

        Aggregated roles are parts of others too, so it goes on until nothing changes.
        """
        table = self._store.table(CLUSTER_ROLES)
        whole = [record.name for record in table.list() if _selectors(record.obj)]
        for _ in whole:
            is_changed = False
            for name in whole:
                record = self._store.get(CLUSTER_ROLES, "", name)
                assert record is not None, "Nothing goes away meanwhile."
                role = record.copy()
                if _gather(role, [each.obj for each in table.list()]):
                    self._store.update(CLUSTER_ROLES, role, record)
                    is_changed = True
            if not is_changed:
                return


def _selectors(role: Object) -> list[Json]:
    return (role.get("aggregationRule") or {}).get("clusterRoleSelectors") or []
