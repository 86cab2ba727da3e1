"""The functions and operators of CEL, with those that Kubernetes adds.

Those are the ones that kube-apiserver 1.34 offers to a new rule, which must also run on 1.33.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from fakekube.schema import cel_kubernetes, cel_standard, cel_strings
from fakekube.schema.cel_signatures import Row, Signature
from fakekube.schema.cel_types import Type
from fakekube.schema.cel_values import NoOverload, type_name


@dataclass(slots=True)
class Overload:
    """One meaning of a function: what it takes, what it gives, and what computes it."""

    member: bool
    takes: tuple[Type, ...]
    gives: Type
    call: Callable[..., Any]

    def accepts(self, values: Iterable[Any]) -> bool:
        """Tell whether values are of the types that this overload takes."""
        return all(_is_of(value, kind) for value, kind in zip(values, self.takes, strict=True))


def _is_of(value: Any, kind: Type) -> bool:
    if kind.kind == "dyn" or kind.kind.startswith("<"):
        return True
    try:
        name = type_name(value)
    except NoOverload:
        return False
    return name == {"optional": "optional_type"}.get(kind.kind, kind.kind)


_ROWS: dict[str, list[Row]] = {}
for _row in (*cel_standard.ROWS, *cel_strings.ROWS, *cel_kubernetes.ROWS):
    _ROWS.setdefault(_row[0].partition("(")[0].rpartition("->")[2], []).append(_row)


@functools.cache
def overloads(name: str) -> list[Overload]:
    """Return the meanings of a function, which are read when it is first used; none if unknown."""
    found = []
    for text, call in _ROWS.get(name, ()):
        _, member, takes, gives = Signature.read(text)
        found.append(Overload(member, takes, gives, call))
    return found


def is_known(name: str) -> bool:
    """Tell whether there is a function of this name."""
    return name in _ROWS
