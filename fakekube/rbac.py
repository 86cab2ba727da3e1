"""What a user may do: roles and bindings, as they stand in the store.

The rules of a user are gathered once, and answers are kept, until a role or binding changes. A
request that was allowed once costs the look-up of a key.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from fakekube import store
from fakekube.authn import MASTERS, SERVICE_ACCOUNT, User
from fakekube.paths import RequestInfo
from fakekube.status import ApiError, forbidden

Json = Any
Object = dict[str, Any]

GROUP = "rbac.authorization.k8s.io"
ROLES, CLUSTER_ROLES = f"roles.{GROUP}", f"clusterroles.{GROUP}"
BINDINGS, CLUSTER_BINDINGS = f"rolebindings.{GROUP}", f"clusterrolebindings.{GROUP}"
TABLES = {ROLES, CLUSTER_ROLES, BINDINGS, CLUSTER_BINDINGS}
REMEMBERED = 32_768


class Decision(NamedTuple):
    """Whether something is allowed, and what the server says about it."""

    is_allowed: bool
    reason: str


ALLOWED = Decision(is_allowed=True, reason="")


@dataclass(frozen=True, slots=True)
class Rule:
    """A policy rule, ready to be asked."""

    verbs: frozenset[str]
    groups: frozenset[str]
    resources: frozenset[str]
    names: frozenset[str]
    urls: tuple[str, ...]
    raw: Json

    def covers_url(self, verb: str, path: str) -> bool:
        """Tell whether a path that is no resource may be asked for."""
        if verb not in self.verbs and "*" not in self.verbs:
            return False
        return any(url_covers(url, path) for url in self.urls)

    def covers(self, info: RequestInfo) -> bool:
        """Tell whether a request for a resource is allowed, if it were not for the names."""
        if info.verb not in self.verbs and "*" not in self.verbs:
            return False
        if info.group not in self.groups and "*" not in self.groups:
            return False
        resources = self.resources
        if "*" in resources:
            return True
        if not info.subresource:
            return info.resource in resources
        whole = f"{info.resource}/{info.subresource}"
        return whole in resources or f"*/{info.subresource}" in resources


def url_covers(owned: str, path: str) -> bool:
    """Tell whether a path of a rule, which may end with a star, is that path."""
    return owned in {"*", path} or (owned.endswith("*") and path.startswith(owned.rstrip("*")))


def _set(rule: Json, key: str) -> frozenset[str]:
    return frozenset(rule.get(key) or ())


def compiled(rule: Json) -> Rule:
    """Return a rule that can be asked."""
    return Rule(
        _set(rule, "verbs"),
        _set(rule, "apiGroups"),
        _set(rule, "resources"),
        _set(rule, "resourceNames"),
        tuple(rule.get("nonResourceURLs") or ()),
        rule,
    )


class Grants(NamedTuple):
    """What a user may do in a namespace: rules with their source, and the roles not found."""

    rules: list[tuple[Rule, str]]
    problems: list[str]
    has_names: bool


class Authorizer:
    """Tell what a user may do."""

    def __init__(self, objects: store.Store, *, is_on: bool = True) -> None:
        self._store = objects
        self.is_on = is_on
        self._rules: dict[tuple[str, str, str], list[Rule] | None] = {}
        self._grants: dict[Any, Grants] = {}
        self._decisions: dict[Any, Decision] = {}
        objects.listeners.append(self._notice)

    def _notice(self, table: str, _: store.Event) -> None:
        if table in TABLES:
            self._rules.clear()
            self._grants.clear()
            self._decisions.clear()

    def authorize(self, user: User, info: RequestInfo) -> Decision:
        """Tell whether a user may do what a request asks for."""
        if not self.is_on or MASTERS in user.groups:
            return ALLOWED
        if not info.is_resource:
            key: Any = (user.key, info.verb, info.path)
            return self._decisions.get(key) or self._keep(key, self._decide_path(user, info))
        key = (
            user.key, info.verb, info.resource, info.group, info.namespace, info.subresource,
        )  # fmt: skip
        found = self._decisions.get(key)
        if found is None:
            found = self._keep(key, self._decide(user, info, has_name=False))
        if found.is_allowed or not info.name:
            return found
        if not self.grants(user, info.namespace).has_names:
            return found
        return self._decide(user, info, has_name=True)

    def _keep(self, key: Any, decision: Decision) -> Decision:
        if len(self._decisions) >= REMEMBERED:
            self._decisions.clear()
        self._decisions[key] = decision
        return decision

    def _decide(self, user: User, info: RequestInfo, *, has_name: bool) -> Decision:
        found = self.grants(user, info.namespace)
        for rule, source in found.rules:
            if (not rule.names or (has_name and info.name in rule.names)) and rule.covers(info):
                return Decision(True, f"RBAC: allowed by {source}")  # noqa: FBT003 - a field
        return _denied(found)

    def _decide_path(self, user: User, info: RequestInfo) -> Decision:
        found = self.grants(user, "")
        path = info.path.partition("?")[0]
        for rule, source in found.rules:
            if rule.covers_url(info.verb, path):
                return Decision(True, f"RBAC: allowed by {source}")  # noqa: FBT003 - a field
        return _denied(found)

    def grants(self, user: User, namespace: str) -> Grants:
        """Return all rules for a user: of the cluster, and of a namespace if there is one."""
        key = (user.key, namespace)
        found = self._grants.get(key)
        if found is None:
            if len(self._grants) >= REMEMBERED:
                self._grants.clear()
            found = self._gather(user, namespace)
            if namespace:
                whole = self.grants(user, "")
                found = Grants(
                    whole.rules + found.rules,
                    whole.problems + found.problems,
                    whole.has_names or found.has_names,
                )
            self._grants[key] = found
        return found

    def _gather(self, user: User, place: str) -> Grants:
        rules: list[tuple[Rule, str]] = []
        problems: list[str] = []
        for kind, name, source in self._bound(user, place):
            role = self.role_rules(kind, name, place)
            if role is None:
                problems.append(f'{kind.lower()}.{GROUP} "{name}" not found')
            else:
                rules += [(rule, source) for rule in role]
        return Grants(rules, problems, any(rule.names for rule, _ in rules))

    def _bound(self, user: User, place: str) -> Iterator[tuple[str, str, str]]:
        kind, table = (
            ("RoleBinding", BINDINGS) if place else ("ClusterRoleBinding", CLUSTER_BINDINGS)
        )
        for binding in self._store.objects(table, place):
            for subject in binding.get("subjects") or ():
                if not is_subject(user, subject, place):
                    continue
                role, meta = binding["roleRef"], binding["metadata"]
                own = meta["name"] + (f"/{place}" if place else "")
                source = (
                    f'{kind} "{own}" of {role["kind"]} "{role["name"]}" to '
                    f"{_describe(subject, place)}"
                )
                yield role["kind"], role["name"], source
                break

    def role_rules(self, kind: str, name: str, namespace: str) -> list[Rule] | None:
        """Return the rules of a role; None when it is not there."""
        place = namespace if kind == "Role" else ""
        key = (kind, place, name)
        if key not in self._rules:
            table = ROLES if kind == "Role" else CLUSTER_ROLES
            record = self._store.get(table, place, name)
            rules = None
            if record is not None:
                rules = [compiled(rule) for rule in record.obj.get("rules") or ()]
            self._rules[key] = rules
        return self._rules[key]

    def refuse(self, user: User, info: RequestInfo, reason: str = "") -> ApiError:
        """Return the refusal of a request."""
        text = refusal_text(user, info)
        text = f"{text}: {reason}" if reason else text
        if not info.is_resource:
            found = forbidden("", "", text)
            found.details = {}
            return found
        return forbidden(info.resource, info.name, text, info.group)


def _denied(found: Grants) -> Decision:
    if not found.problems:
        return Decision(is_allowed=False, reason="")
    return Decision(is_allowed=False, reason=f"RBAC: {aggregate(found.problems)}")


def aggregate(problems: list[str]) -> str:
    """Return several problems as one text."""
    found = list(dict.fromkeys(problems))
    return found[0] if len(found) == 1 else f"[{', '.join(found)}]"


def refusal_text(user: User, info: RequestInfo) -> str:
    """Say what a user cannot do."""
    if not info.is_resource:
        path = info.path.partition("?")[0]
        found = f'User "{user.name}" cannot {info.verb} path "{path}"'
    else:
        what = f"{info.resource}/{info.subresource}" if info.subresource else info.resource
        where = f'in the namespace "{info.namespace}"' if info.namespace else "at the cluster scope"
        found = (
            f'User "{user.name}" cannot {info.verb} resource "{what}" in API group '
            f'"{info.group}" {where}'
        )
    # A message that looks like a page is not to be shown as one.
    return found.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def is_subject(user: User, subject: Json, namespace: str) -> bool:
    """Tell whether a subject of a binding is this user."""
    kind, name = subject.get("kind"), subject.get("name")
    if kind == "User":
        return bool(user.name == name)
    if kind == "Group":
        return name in user.groups
    place = subject.get("namespace") or namespace
    return bool(place) and user.name == f"{SERVICE_ACCOUNT}{place}:{name}"


def _describe(subject: Json, namespace: str) -> str:
    if subject["kind"] == "ServiceAccount":
        place = subject.get("namespace") or namespace
        return f'ServiceAccount "{subject["name"]}/{place}"'
    return f'{subject["kind"]} "{subject["name"]}"'
