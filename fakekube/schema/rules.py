"""The rules of a schema that are written in CEL (`x-kubernetes-validations`).

A schema is compiled into a tree that has only the parts with rules. On an update, a rule that
compares with `oldSelf` runs where an old value belongs to the new one; a failure of any other rule
is forgiven where nothing changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fakekube.schema import causes, cel, cel_types, field_paths
from fakekube.schema.cel_types import BOOL, STRING, Type
from fakekube.schema.cel_values import NONE, Budget, CelError, NoOverload, Optional, OutOfBudget
from fakekube.schema.correlation import NOTHING, correlated, key_of, unchanged
from fakekube.status import Cause

Schema = dict[str, Any]

MESSAGE_BYTES_MAX = 5 * 1024


class Rule:
    """One rule, with what it says when it is broken."""

    def __init__(self, rule: Schema, known: Type, schema: Schema) -> None:
        """Compile a rule for values of a type; `SyntaxProblem` says what is wrong."""
        self.optional_old = bool(rule.get("optionalOldSelf"))
        old = cel_types.optional_of(known) if self.optional_old else known
        variables = {"self": known, "oldSelf": old}
        self._change = cel_types.converter(known)
        # What has parts is looked at when the parts are read.
        is_simple = known.kind in {"string", "int"}
        self._known, self._simple = known, cel_types.CLASSES[known.kind] if is_simple else None
        self._test = cel.compile_expression(rule["rule"], variables, wanted=BOOL)
        self.uses_old = "oldSelf" in self._test.used
        self._message: cel.Program | None = None
        if rule.get("messageExpression"):
            self._message = cel.compile_expression(
                rule["messageExpression"], variables, wanted=STRING
            )
        self._kind = schema.get("type", "")
        self._text = (rule.get("message") or "").strip()
        self._shown = self._text or rule["rule"].strip()
        self._reason = rule.get("reason")
        self._place = field_paths.normal(schema, rule["fieldPath"]) if rule.get("fieldPath") else ""

    def check(self, value: Any, old: Any, path: str, budget: Budget) -> tuple[Cause | None, bool]:
        """Return what is wrong, if anything is, and whether the rule could be evaluated."""
        field = path or "<nil>"
        try:
            values = self._values(value, old)
            if self._test.evaluate(values, budget) is True:
                return None, True
        except OutOfBudget as error:
            detail = (
                f"'{error}': no further validation rules will be run due to call cost exceeds "
                f"limit for rule: {self._shown}"
            )
            return causes.invalid(field, self._kind, detail), False
        except NoOverload as error:
            detail = (
                f"'{error}': call arguments did not match a supported operator, function or "
                f"macro signature for rule: {self._shown}"
            )
            return causes.invalid(field, self._kind, detail), False
        except CelError as error:
            detail = f"{error} evaluating rule: {self._shown}"
            return causes.invalid(field, self._kind, detail), False
        if self._place:
            field = f"{path}{self._place}" if path else self._place.removeprefix(".")
        return self._cause(field, self._said(values, budget)), True

    def _values(self, value: Any, old: Any) -> dict[str, Any]:
        change = self._change
        if self._simple and value.__class__ is not self._simple:
            cel_types.refuse(value, self._known)
        value = value if change is None else change(value)
        if not self.uses_old:
            # The message may still ask for it.
            return {"self": value}
        if old is not NOTHING and change is not None:
            old = change(old)
        if self.optional_old:
            old = NONE if old is NOTHING else Optional(has=True, value=old)
        return {"self": value, "oldSelf": old}

    def _said(self, values: dict[str, Any], budget: Budget) -> str:
        default = self._text or f"failed rule: {self._shown}"
        if not self._message:
            return default
        try:
            text = self._message.evaluate(values, budget)
        except (CelError, KeyError):
            return default
        text = text.strip() if isinstance(text, str) else ""
        too_long = len(text.encode()) > MESSAGE_BYTES_MAX
        return default if not text or "\n" in text or too_long else text

    def _cause(self, field: str, text: str) -> Cause:
        if self._reason == causes.FORBIDDEN:
            return causes.forbidden(field, text)
        if self._reason == causes.REQUIRED:
            return causes.required(field, text)
        if self._reason == causes.DUPLICATE:
            return causes.duplicate(field, self._kind)
        return causes.invalid(field, self._kind, text)


class Rules:
    """The rules at and below one schema."""

    def __init__(self, schema: Schema, *, resource: bool = False) -> None:
        """Compile what is there; a type is made only for what has a rule of its own."""
        self.schema = schema
        own = schema.get("x-kubernetes-validations") or ()
        known = cel_types.of_schema(schema, resource=resource) if own else None
        self.rules: Sequence[Rule] = [Rule(rule, known, schema) for rule in own] if known else []
        rest, items = schema.get("additionalProperties"), schema.get("items")
        self.rest = compile_rules(rest) if isinstance(rest, dict) else None
        self.items = compile_rules(items) if items else None
        self.members: dict[str, Rules] = {
            name: made
            for name, member in (schema.get("properties") or {}).items()
            if (made := compile_rules(member)) is not None
        }

    def validate(self, obj: Any, old: Any = None, *, path: str = "") -> list[Cause]:
        """Return all rules that a value breaks, with fields below a path."""
        found: list[Cause] = []
        before = NOTHING if old is None else old
        self.check(obj, before, path, found, _Forgiving(self.schema, obj, before), Budget())
        return found

    def check(
        self,
        value: Any,
        old: Any,
        path: str,
        found: list[Cause],
        forgiving: _Forgiving,
        budget: Budget,
    ) -> None:
        """Add the rules that a value, and what is in it, breaks."""
        if value is None:
            return
        for rule in self.rules:
            if budget.left < 0:
                return
            if rule.uses_old and old is NOTHING and not rule.optional_old:
                continue
            cause, evaluated = rule.check(value, old, path, budget)
            if cause and (not evaluated or rule.uses_old or not forgiving.forgives()):
                found.append(cause)
        if value.__class__ is dict:
            self._check_members(value, old, path, found, forgiving, budget)
        elif value.__class__ is list and self.items:
            self._check_items(value, old, path, found, forgiving, budget)

    def _check_members(
        self,
        value: dict[str, Any],
        old: Any,
        path: str,
        found: list[Cause],
        forgiving: _Forgiving,
        budget: Budget,
    ) -> None:
        before = old if isinstance(old, dict) else {}
        rest = self.rest
        if rest:
            for name, member in value.items():
                below = forgiving.below(rest.schema, member, before.get(name, NOTHING))
                was = _present(before.get(name))
                rest.check(member, was, f"{path}[{name}]", found, below, budget)
        for name, rules in self.members.items():
            if name in value:
                member = value[name]
                below = forgiving.below(rules.schema, member, before.get(name, NOTHING))
                place = f"{path}.{name}" if path else name
                rules.check(member, _present(before.get(name)), place, found, below, budget)

    def _check_items(
        self,
        value: list[Any],
        old: Any,
        path: str,
        found: list[Cause],
        forgiving: _Forgiving,
        budget: Budget,
    ) -> None:
        assert self.items, "The caller has looked."
        keys = self.schema.get("x-kubernetes-list-map-keys") or ()
        entries = correlated(self.schema, old) if old is not NOTHING else {}
        for index, entry in enumerate(value):
            before = entries.get(key_of(entry, keys), NOTHING) if entries else NOTHING
            below = forgiving.below(self.items.schema, entry, before)
            self.items.check(entry, before, f"{path}[{index}]", found, below, budget)


def _present(old: Any) -> Any:
    # An old null is no value to compare with.
    return NOTHING if old is None else old


class _Forgiving:
    """Whether a value is as it was, or stands in something that is; looked up when needed."""

    def __init__(self, schema: Schema, value: Any, old: Any, nearest: Any = None) -> None:
        self._schema, self._value, self._old = schema, value, old
        self._nearest = nearest
        self._answer: bool | None = None

    def below(self, schema: Schema, value: Any, old: Any) -> _Forgiving:
        nearest = self if self._old is not NOTHING else self._nearest
        return _Forgiving(schema, value, old, nearest)

    def forgives(self) -> bool:
        if self._old is NOTHING:
            return bool(self._nearest and self._nearest.forgives())
        if self._answer is None:
            self._answer = unchanged(self._schema, self._value, self._old)
        return self._answer


def compile_rules(schema: Schema, *, resource: bool = False) -> Rules | None:
    """Compile the rules at and below a schema, or return None if there are none."""
    made = Rules(schema, resource=resource)
    return made if made.rules or made.rest or made.items or made.members else None
