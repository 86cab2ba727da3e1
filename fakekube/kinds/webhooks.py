"""Webhook configurations and admission policies."""

from __future__ import annotations

from typing import Any, Final
from urllib import parse

from fakekube import names
from fakekube.kinds.checks import Checks, at
from fakekube.status import Cause

Json = Any
Object = dict[str, Any]

REVIEWS: Final = ("v1", "v1beta1")
OPERATIONS: Final = ("*", "CONNECT", "CREATE", "DELETE", "UPDATE")
SEGMENTS: Final = 3
MAX_TIMEOUT_S: Final = 30


def default_webhooks(obj: Object) -> None:
    """Fill in the defaults of a webhook configuration."""
    for hook in obj.get("webhooks") or ():
        hook.setdefault("failurePolicy", "Fail")
        hook.setdefault("matchPolicy", "Equivalent")
        hook.setdefault("namespaceSelector", {})
        hook.setdefault("objectSelector", {})
        hook.setdefault("timeoutSeconds", 10)
        if obj["kind"].startswith("Mutating"):
            hook.setdefault("reinvocationPolicy", "Never")
        service = at(hook, "clientConfig", "service")
        if service is not None:
            service.setdefault("port", 443)
        _default_rules(hook.get("rules"))


def _default_rules(rules: Json) -> None:
    for rule in rules or ():
        rule.setdefault("scope", "*")


def check_webhooks(new: Object, _: Object | None) -> list[Cause]:
    """Check a webhook configuration."""
    found = Checks()
    seen: set[str] = set()
    for number, hook in enumerate(new.get("webhooks") or ()):
        path = f"webhooks[{number}]"
        _check_webhook(found, path, hook)
        name = hook.get("name", "")
        if name in seen:
            found.duplicate(f"{path}.name", name)
        seen.add(name)
    return found.found


def _check_webhook(found: Checks, path: str, hook: Object) -> None:
    name = hook.get("name", "")
    if found.require(f"{path}.name", name):
        before = len(found.found)
        found.named(f"{path}.name", name, names.subdomain)
        if len(found.found) == before and name.count(".") < SEGMENTS - 1:
            text = "should be a domain with at least three segments separated by dots"
            found.invalid(f"{path}.name", name, text)
    _check_reviews(found, f"{path}.admissionReviewVersions", hook.get("admissionReviewVersions"))
    for index, rule in enumerate(hook.get("rules") or ()):
        check_rule(found, f"{path}.rules[{index}]", rule)
    found.one_of(f"{path}.failurePolicy", hook.get("failurePolicy"), ("Fail", "Ignore"))
    found.one_of(f"{path}.matchPolicy", hook.get("matchPolicy"), ("Equivalent", "Exact"))
    if hook.get("sideEffects") is None:
        found.require(f"{path}.sideEffects", None, "must specify one of None, NoneOnDryRun")
    else:
        found.one_of(f"{path}.sideEffects", hook["sideEffects"], ("None", "NoneOnDryRun"))
    timeout = hook.get("timeoutSeconds")
    if timeout is not None and not 1 <= timeout <= MAX_TIMEOUT_S:
        text = f"the timeout value must be between 1 and {MAX_TIMEOUT_S} seconds"
        found.invalid(f"{path}.timeoutSeconds", timeout, text)
    policy = hook.get("reinvocationPolicy")
    found.one_of(f"{path}.reinvocationPolicy", policy, ("IfNeeded", "Never"))
    for key in ("namespaceSelector", "objectSelector"):
        found.selector(f"{path}.{key}", hook.get(key))
    check_client(found, f"{path}.clientConfig", hook.get("clientConfig") or {})
    for index, condition in enumerate(hook.get("matchConditions") or ()):
        where = f"{path}.matchConditions[{index}]"
        found.require(f"{where}.expression", condition.get("expression"))
        if found.require(f"{where}.name", condition.get("name")):
            found.named(f"{where}.name", condition["name"], names.qualified)


def _check_reviews(found: Checks, path: str, versions: Json) -> None:
    known = ", ".join(REVIEWS)
    if not versions:
        found.require(path, None, f"must specify one of {known}")
    elif not set(versions) & set(REVIEWS):
        found.invalid(path, versions, f"must include at least one of {known}")


def check_rule(found: Checks, path: str, rule: Object) -> None:
    """Check which requests a webhook is asked about."""
    for key in ("operations", "apiGroups", "apiVersions", "resources"):
        values: list[str] = rule.get(key) or []
        if found.require(f"{path}.{key}", values) and "*" in values and len(values) > 1:
            if key == "resources":
                text = "if '*' is present, must not specify other resources without subresources"
                plain = [each for each in values if "/" not in each]
                if len(plain) < 2:
                    continue
            else:
                text = "if '*' is present, must not specify other " + TITLES[key]
            found.invalid(f"{path}.{key}", values, text)
    for number, operation in enumerate(rule.get("operations") or ()):
        found.one_of(f"{path}.operations[{number}]", operation, OPERATIONS)
    found.one_of(f"{path}.scope", rule.get("scope"), ("*", "Cluster", "Namespaced"))


TITLES: Final = {
    "operations": "operations",
    "apiGroups": "API groups",
    "apiVersions": "API versions",
}


def check_client(found: Checks, path: str, client: Object) -> None:
    """Check where a webhook is reached."""
    url, service = client.get("url"), client.get("service")
    if (url is None) == (service is None):
        found.require(path, None, "exactly one of url or service is required")
    elif url is not None:
        _check_url(found, f"{path}.url", url)
    elif service is not None:
        if not service.get("name"):
            found.require(f"{path}.service.name", None)
        if not service.get("namespace"):
            # The real server names the wrong field.
            found.require(f"{path}.service.name", None)
        place = service.get("path")
        where = f"{path}.service.path"
        if place is not None and not place.startswith("/"):
            found.invalid(where, place, "must start with a '/'")
            found.invalid(where, place, "segment[0] may not be empty")
        found.port(f"{path}.service.port", service.get("port"))


def _check_url(found: Checks, path: str, url: str) -> None:
    form = "desired format: https://host[/path]"
    parts = parse.urlsplit(url)
    if parts.scheme != "https":
        text = f"'https' is the only allowed URL scheme; {form}"
        found.invalid(path, parts.scheme, text)
    if not parts.netloc:
        found.invalid(path, "", f"host must be specified; {form}")
    if parts.username is not None:
        found.invalid(path, parts.username, "user information is not permitted in the URL")
    if parts.fragment:
        found.invalid(path, parts.fragment, "fragments are not permitted in the URL")
    if parts.query:
        found.invalid(path, parts.query, "query parameters are not permitted in the URL")


def default_policy(obj: Object) -> None:
    """Fill in the defaults of a ValidatingAdmissionPolicy."""
    spec = obj.setdefault("spec", {})
    spec.setdefault("failurePolicy", "Fail")
    _default_match(spec.get("matchConstraints"))


def default_policy_binding(obj: Object) -> None:
    """Fill in the defaults of a ValidatingAdmissionPolicyBinding."""
    _default_match(obj.setdefault("spec", {}).get("matchResources"))


def _default_match(match: Object | None) -> None:
    if match is not None:
        match.setdefault("matchPolicy", "Equivalent")
        match.setdefault("namespaceSelector", {})
        match.setdefault("objectSelector", {})
        _default_rules(match.get("resourceRules"))


def check_policy(new: Object, _: Object | None) -> list[Cause]:
    """Check a ValidatingAdmissionPolicy."""
    found, spec = Checks(), new["spec"]
    found.require("spec.matchConstraints", spec.get("matchConstraints"))
    if not spec.get("validations") and not spec.get("auditAnnotations"):
        text = "validations or auditAnnotations must contain at least one item"
        for key in ("validations", "auditAnnotations"):
            found.require(f"spec.{key}", None, text)
    found.one_of("spec.failurePolicy", spec.get("failurePolicy"), ("Fail", "Ignore"))
    return found.found


def check_policy_binding(new: Object, _: Object | None) -> list[Cause]:
    """Check a ValidatingAdmissionPolicyBinding."""
    found, spec = Checks(), new["spec"]
    found.require("spec.policyName", spec.get("policyName"))
    text = "at least one validation action is required"
    found.require("spec.validationActions", spec.get("validationActions"), text)
    return found.found
