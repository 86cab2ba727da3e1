"""A structural schema, compiled: default, prune, validate.

Each of the three is compiled when it is first needed, so that a version that nobody uses costs
nothing.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from fakekube.schema import causes, embedded, lists, shape, values
from fakekube.schema.correlation import NOTHING
from fakekube.status import Cause

if TYPE_CHECKING:
    from fakekube.schema.rules import Rules

Schema = dict[str, Any]

_BLOCKING = frozenset(
    {
        causes.NOT_SUPPORTED,
        causes.REQUIRED,
        causes.TOO_LONG,
        causes.TOO_MANY,
        causes.TYPE_INVALID,
    }
)
UNCHECKED = (
    "some validation rules were not checked because the object was invalid; "
    "correct the existing errors to complete validation"
)


class Structural:
    """The schema of one version of a resource; it is never changed after it was given."""

    def __init__(self, schema: Schema, *, embedded: bool = False) -> None:
        """Keep the schema; `embedded` says that it is that of a resource inside of another."""
        self.schema = schema
        self._embedded = embedded

    def default(self, obj: dict[str, Any]) -> None:
        """Put defaults in, and take nulls away that may not be there; changes the object."""
        shape.drop_nulls(obj, self.schema)
        if self._defaults:
            self._defaults(obj)

    def prune(self, obj: dict[str, Any]) -> list[str]:
        """Take unknown fields out, and return their paths in order; changes the object."""
        unknown: list[str] = []
        self._prune(obj, "", unknown)
        if self._coerce:
            self._coerce(obj, "", unknown)
        return sorted(unknown)

    def validate(
        self,
        obj: dict[str, Any],
        old: dict[str, Any] | None = None,
        *,
        subresource: str = "",
        others: list[Cause] | None = None,
    ) -> list[Cause]:
        """Return everything that is wrong with an object, except for its own metadata.

        With an old object, mistakes in what did not change are forgiven. Of a subresource, only its
        own part is checked against the schema. `others` are causes that were found before: when a
        field has a wrong shape, no rule is evaluated, and a last cause says so.
        """
        found = self._check_values(obj, old, subresource)
        if self._embedded_check:
            self._embedded_check(obj, "", found)
        if self._lists:
            found += self._check_lists(obj, old)
        if self._rules:
            if any(cause.reason in _BLOCKING for cause in [*found, *(others or ())]):
                found.append(causes.invalid("<nil>", None, UNCHECKED))
            else:
                found += self._rules.validate(obj, old)
        return causes.without_repeats(found)

    def _check_values(
        self, obj: dict[str, Any], old: dict[str, Any] | None, subresource: str
    ) -> list[Cause]:
        found: list[Cause] = []
        if not subresource:
            self._values(obj, (), found, NOTHING if old is None else old)
            return found
        member = (self.schema.get("properties") or {}).get(subresource)
        if member is None or subresource not in obj:
            return found
        before = (old or {}).get(subresource, NOTHING)
        path = ((), subresource)
        self._member(subresource)(obj[subresource], path, found, before)
        return found

    def _check_lists(self, obj: dict[str, Any], old: dict[str, Any] | None) -> list[Cause]:
        assert self._lists, "Somebody has asked."
        found: list[Cause] = []
        if old is not None:
            self._lists(old, "", found)
            if found:
                # The old object was wrong already, so anything goes.
                return []
        self._lists(obj, "", found)
        return found

    @functools.cached_property
    def _values(self) -> values.Check:
        return values.compile_check(self.schema)

    def _member(self, name: str) -> values.Check:
        if name not in self._members:
            self._members[name] = values.compile_check(self.schema["properties"][name])
        return self._members[name]

    @functools.cached_property
    def _members(self) -> dict[str, values.Check]:
        return {}

    @functools.cached_property
    def _defaults(self) -> shape.Change | None:
        return shape.compile_defaults(self.schema)

    @functools.cached_property
    def _prune(self) -> shape.Prune:
        return shape.compile_prune(self.schema, resource=True)

    @functools.cached_property
    def _coerce(self) -> shape.Prune | None:
        return shape.compile_coerce(self.schema, resource=True)

    @functools.cached_property
    def _embedded_check(self) -> embedded.Walk | None:
        return embedded.compile_embedded(self.schema)

    @functools.cached_property
    def _lists(self) -> lists.Walk | None:
        return lists.compile_lists(self.schema)

    @functools.cached_property
    def _rules(self) -> Rules | None:
        if not values.has_rules(self.schema):
            return None
        # CEL is large, and most schemas do without.
        from fakekube.schema import rules

        return rules.compile_rules(self.schema, resource=True)
