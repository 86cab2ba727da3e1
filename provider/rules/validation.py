"""What is wrong with a spec as such: all of it at once, before anything is asked of the cloud.

Paths are those of v1beta2. Values have the types of the schema, but nothing else is assumed:
objects of v1beta1 come here too, and their schema is as lenient as that of the Go provider.
"""

from __future__ import annotations

from collections.abc import Iterator

from provider.api import v1beta2
from provider.problem import Problem
from provider.rules import validation_cluster, validation_machine

Spec = v1beta2.OscClusterSpec | v1beta2.OscMachineSpec | v1beta2.OscClusterIdentitySpec


def problems(spec: Spec, path: str = "spec") -> list[Problem]:
    """Return everything that is wrong with a spec, which stands at ``path``."""
    return list(_problems(spec, path))


def _problems(spec: Spec, path: str) -> Iterator[Problem]:
    match spec:
        case v1beta2.OscClusterSpec():
            yield from validation_cluster.problems(spec, path)
        case v1beta2.OscMachineSpec():
            yield from validation_machine.problems(spec, path)
        case v1beta2.OscClusterIdentitySpec():
            yield from _identity(spec, path)


def warnings(spec: Spec, path: str = "spec") -> list[Problem]:
    """Return what is allowed, but may not be what was meant."""
    match spec:
        case v1beta2.OscClusterSpec():
            return list(validation_cluster.warnings(spec, path))
        case v1beta2.OscMachineSpec():
            return list(validation_machine.warnings(spec, path))
    return []


def _identity(spec: v1beta2.OscClusterIdentitySpec, path: str) -> Iterator[Problem]:
    for name, value in (
        ("name", spec.secret_ref.name),
        ("namespace", spec.secret_ref.namespace),
    ):
        if not value:
            yield Problem(f"{path}.secretRef.{name}", "It is empty. Say where the Secret is.")
    allowed = spec.allowed_namespaces
    for index, each in enumerate(
        allowed.selector.match_expressions if allowed and allowed.selector else []
    ):
        where = f"{path}.allowedNamespaces.selector.matchExpressions[{index}].values"
        needs_values = each.operator in ("In", "NotIn")
        if needs_values and not each.values:
            yield Problem(
                where, f"{each.operator} compares with values, but there are none. Add some."
            )
        if each.values and not needs_values:
            yield Problem(where, f"{each.operator} takes no values. Remove them.")
