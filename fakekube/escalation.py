"""Nobody grants what he does not have: the check of roles and bindings when they are written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fakekube import paths, rbac, status
from fakekube.authn import MASTERS, User
from fakekube.call import Call
from fakekube.rbac import GROUP, Authorizer, Rule

Json = Any
Object = dict[str, Any]

FULL = (
    {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]},
    {"verbs": ["*"], "nonResourceURLs": ["*"]},
)
"""The rules of an administrator."""
_COLLECTED = {"ownerReferences", "finalizers", "resourceVersion", "managedFields"}


def check(authorizer: Authorizer, call: Call, new: Object, old: Object | None) -> None:
    """Refuse a role or binding that would give somebody more than the user has."""
    user: User | None = call.user
    if not authorizer.is_on or user is None or MASTERS in user.groups:
        return
    if old is not None and _is_only_collected(new, old):
        return
    plural = call.resource.plural
    if plural in {"roles", "clusterroles"}:
        _check_role(authorizer, call, new, old)
    elif plural in {"rolebindings", "clusterrolebindings"}:
        _check_binding(authorizer, call, new)


def _is_only_collected(new: Object, old: Object) -> bool:
    """Tell whether only what garbage collection changes is changed."""
    mine, was = ({**obj, "metadata": _without(obj["metadata"])} for obj in (new, old))
    return mine == was


def _without(metadata: Json) -> Json:
    return {key: value for key, value in metadata.items() if key not in _COLLECTED}


def _check_role(authorizer: Authorizer, call: Call, new: Object, old: Object | None) -> None:
    user, resource, info = call.user, call.resource, call.info
    wish = _wish("escalate", resource.plural, info.name, info.namespace)
    if authorizer.authorize(user, wish).is_allowed:
        return
    name = new["metadata"].get("name", "")
    _confirm(authorizer, call, name, [rbac.compiled(rule) for rule in new.get("rules") or ()])
    if any(
        (obj.get("aggregationRule") or {}).get("clusterRoleSelectors") for obj in (new, old or {})
    ):
        held = _held(authorizer, user, info.namespace)
        if _missing(held, [rbac.compiled(rule) for rule in FULL]):
            text = "must have cluster-admin privileges to use the aggregationRule"
            raise status.forbidden(resource.plural, name, text, GROUP)


def _check_binding(authorizer: Authorizer, call: Call, new: Object) -> None:
    reference = new.get("roleRef") or {}
    kind, name = reference.get("kind", ""), reference.get("name", "")
    plural = {"Role": "roles", "ClusterRole": "clusterroles"}.get(kind)
    namespace = call.info.namespace
    if plural:
        wish = _wish("bind", plural, name, namespace)
        if authorizer.authorize(call.user, wish).is_allowed:
            return
    rules = authorizer.role_rules(kind, name, namespace) if plural else None
    if rules is None:
        raise status.not_found(call.resource.plural, name, GROUP)
    _confirm(authorizer, call, new["metadata"].get("name", ""), rules)


def _wish(verb: str, plural: str, name: str, namespace: str) -> paths.RequestInfo:
    return paths.RequestInfo(
        "",
        "",
        verb,
        is_resource=True,
        group=GROUP,
        version="*",
        namespace=namespace,
        resource=plural,
        name=name,
    )


def _held(authorizer: Authorizer, user: User, namespace: str) -> list[Rule]:
    return [rule for rule, _ in authorizer.grants(user, namespace).rules]


def _confirm(authorizer: Authorizer, call: Call, name: str, rules: list[Rule]) -> None:
    user = call.user
    found = authorizer.grants(user, call.info.namespace)
    missing = _missing([rule for rule, _ in found.rules], rules)
    if not missing:
        return
    shown = "\n".join(sorted({_shown(rule) for rule in _compacted(missing)}))
    groups = " ".join(f'"{group}"' for group in user.groups)
    text = (
        f'user "{user.name}" (groups=[{groups}]) is attempting to grant RBAC permissions not '
        f"currently held:\n{shown}"
    )
    if found.problems:
        text += f"; resolution errors: [{rbac.aggregate(found.problems)}]"
    raise status.forbidden(call.resource.plural, name, text, GROUP)


def _missing(held: list[Rule], wanted: list[Rule]) -> list[Json]:
    """Return the smallest parts of rules that none of the held ones covers."""
    return [
        part
        for rule in wanted
        for part in _parts(rule.raw)
        if not any(_covers(h, part) for h in held)
    ]


def _parts(rule: Json) -> Iterator[Json]:
    for group in rule.get("apiGroups") or ():
        for resource in rule.get("resources") or ():
            for verb in rule.get("verbs") or ():
                found = {"apiGroups": [group], "resources": [resource], "verbs": [verb]}
                names = rule.get("resourceNames")
                if not names:
                    yield found
                for name in names or ():
                    yield {**found, "resourceNames": [name]}
    for url in rule.get("nonResourceURLs") or ():
        for verb in rule.get("verbs") or ():
            yield {"nonResourceURLs": [url], "verbs": [verb]}


def _covers(held: Rule, part: Json) -> bool:
    """Tell whether a rule covers a part, which has one verb and one of everything else."""
    if "*" not in held.verbs and part["verbs"][0] not in held.verbs:
        return False
    if "nonResourceURLs" in part:
        path = part["nonResourceURLs"][0]
        return any(rbac.url_covers(url, path) for url in held.urls)
    if "*" not in held.groups and part["apiGroups"][0] not in held.groups:
        return False
    resource = part["resources"][0]
    _, slash, subresource = resource.partition("/")
    resources = held.resources
    if not (
        "*" in resources or resource in resources or (slash and f"*/{subresource}" in resources)
    ):
        return False
    wanted = part.get("resourceNames")
    return not held.names or bool(wanted and wanted[0] in held.names)


def _compacted(parts: list[Json]) -> list[Json]:
    """Return the parts with the verbs of one resource together."""
    found: dict[Any, Json] = {}
    others = []
    for part in parts:
        if "nonResourceURLs" in part:
            others.append(part)
            continue
        key = (part["apiGroups"][0], part["resources"][0], *part.get("resourceNames", ()))
        if key in found:
            found[key]["verbs"] = found[key]["verbs"] + part["verbs"]
        else:
            found[key] = dict(part)
    return [*others, *found.values()]


def _shown(rule: Json) -> str:
    keys = {
        "apiGroups": "APIGroups",
        "resources": "Resources",
        "nonResourceURLs": "NonResourceURLs",
        "resourceNames": "ResourceNames",
        "verbs": "Verbs",
    }
    parts = []
    for key, name in keys.items():
        if rule.get(key):
            values = " ".join(f'"{value}"' for value in rule[key])
            parts.append(f"{name}:[{values}]")
    return "{" + ", ".join(parts) + "}"
