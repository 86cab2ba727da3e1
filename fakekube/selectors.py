"""Label and field selectors: text to a predicate, refused with the real server's texts."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from fakekube import names, status

Labels = Mapping[str, str]

_TOKEN = re.compile(r"\s*(==|!=|[=!<>(),]|[^\s=!<>(),]+)")
_OPERATORS = "in, notin, =, ==, !=, gt, lt"
_WORDS = {"in": "in", "notin": "notin", "=": "=", "==": "=", "!=": "!=", ">": "gt", "<": "lt"}
_SYMBOLS = {"==", "!=", "=", "!", "<", ">", "(", ")", ","}


@dataclass(frozen=True)
class Requirement:
    """One condition on one label."""

    key: str
    operator: str
    """``in``, ``notin``, ``exists``, ``absent``, ``gt`` or ``lt``."""
    values: frozenset[str] = frozenset()

    def matches(self, labels: Labels) -> bool:
        """Tell whether labels fulfil the condition."""
        value = labels.get(self.key)
        if self.operator == "in":
            return value is not None and value in self.values
        if self.operator == "notin":
            return value is None or value not in self.values
        if self.operator == "exists":
            return value is not None
        if self.operator == "absent":
            return value is None
        if value is None or not re.fullmatch(r"[+-]?\d+", value):
            return False
        bound = int(next(iter(self.values)))
        return int(value) > bound if self.operator == "gt" else int(value) < bound


class LabelSelector:
    """Requirements that all have to hold."""

    def __init__(self, requirements: tuple[Requirement, ...]) -> None:
        self.requirements = requirements

    def matches(self, labels: Labels | None) -> bool:
        """Tell whether all requirements hold."""
        found = labels or {}
        return all(each.matches(found) for each in self.requirements)


@functools.lru_cache(maxsize=512)
def parse_labels(text: str) -> LabelSelector | None:
    """Read a label selector; None selects everything."""
    tokens = [found[1] for found in _TOKEN.finditer(text)]
    if not tokens:
        return None
    parser = _Parser(tokens)
    return LabelSelector(tuple(parser.requirements()))


class _Parser:
    """Read requirements from tokens, in the way of the real parser, for the sake of its texts."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._at = 0

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _next(self) -> str:
        found = self._peek()
        self._at += 1
        return found

    def requirements(self) -> Iterator[Requirement]:
        """Give all requirements."""
        while True:
            first = self._peek()
            if first and first != "!" and first in _SYMBOLS:
                raise status.bad_request(
                    f"found '{first}', expected: !, identifier, or 'end of string'"
                )
            yield self._requirement()
            after = self._next()
            if not after:
                return
            if after != ",":
                raise status.bad_request(f"found '{after}', expected: ',' or 'end of string'")
            following = self._peek()
            if following and following != "!" and following in _SYMBOLS:
                raise status.bad_request(f"found '{following}', expected: identifier after ','")
            if not following:
                raise status.bad_request("found '', expected: identifier after ','")

    def _requirement(self) -> Requirement:
        negated = self._peek() == "!"
        if negated:
            self._next()
        key = self._next()
        if not key or key in _SYMBOLS:
            raise _unparsed(f"found '{key}', expected: identifier")
        if negated or self._peek() in ("", ","):
            return _checked(key, "absent" if negated else "exists", [])
        word = self._next()
        operator = _WORDS.get(word)
        if operator is None:
            raise _unparsed(f"found '{word}', expected: {_OPERATORS}")
        if operator in ("in", "notin"):
            return _checked(key, operator, self._values())
        value = self._value()
        wanted = {"=": "in", "!=": "notin"}.get(operator, operator)
        return _checked(key, wanted, [value])

    def _value(self) -> str:
        found = self._peek()
        if found in ("", ","):
            return ""
        if found in _SYMBOLS:
            raise _unparsed(f"found '{found}', expected: identifier")
        return self._next()

    def _values(self) -> list[str]:
        opening = self._next()
        if opening != "(":
            raise _unparsed(f"found '{opening}' expected: '('")
        values: list[str] = []
        for _ in range(len(self._tokens) + 1):
            word = self._next()
            if word == ")":
                return values or [""]
            if word == ",":
                values.append("") if not values or self._peek() in (",", ")") else None
            elif not word or word in _SYMBOLS:
                raise _unparsed(f"found '{word}', expected: ',', ')' or identifier")
            else:
                values.append(word)
        raise AssertionError("Every turn takes a token.")


def _unparsed(text: str) -> status.ApiError:
    return status.bad_request(f"unable to parse requirement: {text}")


def _checked(key: str, operator: str, values: list[str]) -> Requirement:
    for text in names.qualified(key):
        raise _unparsed(f'<nil>: Invalid value: "{key}": {text}')
    for number, value in enumerate(values):
        where = f'values[{number}][{key}]: Invalid value: "{value}"'
        if operator in ("gt", "lt"):
            if not re.fullmatch(r"[+-]?\d+", value):
                raise _unparsed(
                    f'values[{number}]: Invalid value: "{value}": '
                    "for 'Gt', 'Lt' operators, the value must be an integer"
                )
            continue
        for text in names.label_value(value):
            raise _unparsed(f"{where}: {text}")
    return Requirement(key, operator, frozenset(values))


def from_object(selector: Mapping[str, object] | None) -> LabelSelector:
    """Make a selector of a ``metav1.LabelSelector``; an empty one selects everything."""
    found: list[Requirement] = []
    given = selector or {}
    labels = given.get("matchLabels") or {}
    assert isinstance(labels, dict)
    found += [Requirement(key, "in", frozenset([value])) for key, value in labels.items()]
    operators = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "absent"}
    expressions = given.get("matchExpressions") or []
    assert isinstance(expressions, list)
    found += [
        Requirement(each["key"], operators[each["operator"]], frozenset(each.get("values") or []))
        for each in expressions
    ]
    return LabelSelector(tuple(found))


@dataclass(frozen=True)
class FieldTerm:
    """One condition on one field."""

    field: str
    value: str
    is_equal: bool


@functools.lru_cache(maxsize=512)
def parse_fields(text: str) -> tuple[FieldTerm, ...]:
    """Read a field selector; which fields there are is up to the resource."""
    found = []
    for term in re.split(r"(?<!\\),", text):
        if not term:
            continue
        match = re.match(r"((?:\\.|[^\\=!])*)(!=|==|=)(.*)", term, re.DOTALL)
        if match is None:
            raise status.bad_request(f"invalid selector: '{text}'; can't understand '{term}'")
        value = re.sub(r"\\(.)", r"\1", match[3])
        found.append(FieldTerm(match[1], value, match[2] != "!="))
    return tuple(found)


Read = Callable[[str], str]


def fields_match(terms: tuple[FieldTerm, ...], read: Read) -> bool:
    """Tell whether all terms hold; ``read`` gives the value of a field."""
    return all((read(term.field) == term.value) is term.is_equal for term in terms)
