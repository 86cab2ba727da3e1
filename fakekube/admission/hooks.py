"""Webhook configurations, read once: which requests each webhook is to be asked about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fakekube import selectors
from fakekube.admission import conditions
from fakekube.resource import Resource

Json = Any
Object = dict[str, Any]

GROUP = "admissionregistration.k8s.io"
MUTATING, VALIDATING = (
    f"mutatingwebhookconfigurations.{GROUP}",
    (f"validatingwebhookconfigurations.{GROUP}"),
)
EXEMPT = {
    "mutatingwebhookconfigurations",
    "validatingwebhookconfigurations",
    "validatingadmissionpolicies",
    "validatingadmissionpolicybindings",
    "mutatingadmissionpolicies",
    "mutatingadmissionpolicybindings",
}
"""Nobody can lock everybody out of these."""


@dataclass(frozen=True)
class Rule:
    """Requests that a webhook is asked about."""

    operations: frozenset[str]
    groups: frozenset[str]
    versions: frozenset[str]
    resources: tuple[tuple[str, str], ...]
    """Resource and subresource; a star matches all."""
    scope: str

    def matches(self, operation: str, resource: Resource, subresource: str) -> bool:
        """Tell whether the rule covers a request."""
        if self.scope != "*" and (self.scope == "Namespaced") is not resource.namespaced:
            return False
        return (
            _has(self.operations, operation)
            and _has(self.groups, resource.group)
            and _has(self.versions, resource.version)
            and any(
                kind in {"*", resource.plural} and part in {"*", subresource}
                for kind, part in self.resources
            )
        )


def _has(wanted: frozenset[str], value: str) -> bool:
    return "*" in wanted or value in wanted


@dataclass(frozen=True, eq=False)
class Hook:
    """One webhook of a configuration."""

    name: str
    client: Json
    rules: tuple[Rule, ...]
    is_equivalent: bool
    """Asked about other versions of its resources too."""
    namespaces: selectors.LabelSelector
    objects: selectors.LabelSelector
    conditions: tuple[conditions.Condition, ...]
    ignores_failure: bool
    timeout_s: int
    side_effects: str
    versions: tuple[str, ...]
    is_reinvoked: bool

    def match(
        self, operation: str, resource: Resource, subresource: str, others: list[Resource]
    ) -> Resource | None:
        """Return the resource in whose version the webhook is asked, or None if it is not."""
        for rule in self.rules:
            if rule.matches(operation, resource, subresource):
                return resource
        if self.is_equivalent:
            for rule in self.rules:
                for other in others:
                    if rule.matches(operation, other, subresource):
                        return other
        return None


def parse(raw: Json) -> Hook:
    """Read a webhook of a configuration."""
    return Hook(
        raw["name"],
        raw["clientConfig"],
        tuple(_rule(each) for each in raw.get("rules") or ()),
        raw.get("matchPolicy", "Equivalent") == "Equivalent",
        selectors.from_object(raw.get("namespaceSelector")),
        selectors.from_object(raw.get("objectSelector")),
        tuple(
            conditions.Condition(each["name"], each["expression"])
            for each in raw.get("matchConditions") or ()
        ),
        raw.get("failurePolicy", "Fail") == "Ignore",
        raw.get("timeoutSeconds", 10),
        raw.get("sideEffects", ""),
        tuple(raw.get("admissionReviewVersions") or ()),
        raw.get("reinvocationPolicy", "Never") == "IfNeeded",
    )


def _rule(raw: Json) -> Rule:
    pairs = (each.partition("/") for each in raw.get("resources") or ())
    return Rule(
        frozenset(raw.get("operations") or ()),
        frozenset(raw.get("apiGroups") or ()),
        frozenset(raw.get("apiVersions") or ()),
        tuple((resource, part) for resource, _, part in pairs),
        raw.get("scope", "*"),
    )
