"""CEL: from a tree to a type and a Python function.

Types are checked on the way, as the real server does; where a type is `dyn`, the check waits until
there is a value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fakekube.schema import cel_calls, cel_folds, cel_types
from fakekube.schema.cel_syntax import Node, SyntaxProblem
from fakekube.schema.cel_types import (
    BOOL,
    BYTES,
    DOUBLE,
    DYN,
    INT,
    NULL,
    STRING,
    UINT,
    Bound,
    Code,
    Compiled,
    Scope,
    Type,
    Values,
    converter,
    fits,
    joined,
)
from fakekube.schema.cel_values import (
    NONE,
    CelError,
    NoOverload,
    Optional,
    TypeValue,
    UInt,
)

TYPE_NAMES = {
    "bool": BOOL,
    "int": INT,
    "uint": UINT,
    "double": DOUBLE,
    "string": STRING,
    "bytes": BYTES,
    "null_type": NULL,
    "list": cel_types.list_of(DYN),
    "map": cel_types.map_of(DYN, DYN),
    "type": cel_types.type_of(DYN),
    "optional_type": cel_types.optional_of(DYN),
    "google.protobuf.Duration": cel_types.DURATION,
    "google.protobuf.Timestamp": cel_types.TIMESTAMP,
}


class Compiler:
    """Compiles one expression; `used` names the variables that it reads."""

    def __init__(self, source: str, variables: Mapping[str, Type]) -> None:
        """Take the text, which problems show, and the variables it may use."""
        self.source = source
        self.scope: dict[str, tuple[str, Type]] = {
            name: (name, known) for name, known in variables.items()
        }
        self.used: set[str] = set()
        self.slots = 0

    def problem(self, message: str, node: Node) -> SyntaxProblem:
        """Make a problem at a part of the expression."""
        return SyntaxProblem(message, self.source, node.at)

    def compile(self, node: Node, scope: Scope) -> Compiled:
        """Compile a part of the expression."""
        return getattr(self, f"_{node.kind}")(node, scope)  # type: ignore[no-any-return]

    def wanted(self, node: Node, scope: Scope, kind: Type) -> Code:
        """Compile a part that must have a type."""
        part = self.compile(node, scope)
        if not fits(kind, part.type, {}):
            raise self.problem(f"expected type '{kind}' but found '{part.type}'", node)
        return part.code

    def _literal(self, node: Node, _scope: Scope) -> Compiled:
        value = node.value
        kinds = {bool: BOOL, int: INT, float: DOUBLE, str: STRING, bytes: BYTES}
        return Compiled(kinds.get(value.__class__, NULL), lambda _: value)

    def _uint(self, node: Node, _scope: Scope) -> Compiled:
        value = UInt(node.value)
        return Compiled(UINT, lambda _: value)

    def _name(self, node: Node, scope: Scope) -> Compiled:
        name = node.value
        if name in scope:
            slot, known = scope[name]
            self.used.add(slot)
            return Compiled(known, lambda values: values[slot])
        if name in TYPE_NAMES:
            value = TypeValue(name)
            return Compiled(cel_types.type_of(TYPE_NAMES[name]), lambda _: value)
        raise self.problem(f"undeclared reference to '{name}' (in container '')", node)

    # --- Fields and indices ---

    def dotted(self, node: Node, scope: Scope) -> str | None:
        """Return the name that selections spell out, if no variable is meant."""
        if node.kind == "name":
            return None if node.value in scope else str(node.value)
        if node.kind != "select" or node.optional:
            return None
        head = self.dotted(node.parts[0], scope)
        return f"{head}.{node.value}" if head else None

    def _select(self, node: Node, scope: Scope) -> Compiled:
        dotted = self.dotted(node, scope)
        if dotted in TYPE_NAMES:
            return self._name(Node("name", node.at, dotted), scope)
        operand = self.compile(node.parts[0], scope)
        inner = operand.type
        if inner.kind == "optional" or node.optional:
            return self._select_optional(node, operand)
        name, known = self.field(node, inner)
        read = reader(name, known)
        code = operand.code
        return Compiled(known, lambda values: read(code(values)))

    def field(self, node: Node, operand: Type) -> tuple[str, Type]:
        """Return the real name and the type of a field."""
        name = str(node.value)
        if operand.kind == "object":
            found = (operand.fields or {}).get(name)
            if found is None:
                raise self.problem(f"undefined field '{name}'", node)
            return found
        if operand.kind == "map":
            return name, operand.of[1]
        if operand.kind == "dyn":
            return name, DYN
        raise self.problem(f"type '{operand}' does not support field selection", node)

    def _select_optional(self, node: Node, operand: Compiled) -> Compiled:
        inner = operand.type.of[0] if operand.type.kind == "optional" else operand.type
        name, known = self.field(node, inner)
        read, code = reader(name, known), operand.code

        def select(values: Values) -> Optional:
            value = code(values)
            if isinstance(value, Optional):
                value = value.value if value.has else {}
            if not isinstance(value, dict) or name not in value:
                return NONE
            return Optional(has=True, value=read(value))

        known = known if known.kind == "optional" else cel_types.optional_of(known)
        return Compiled(known, select)

    def _has(self, node: Node, scope: Scope) -> Compiled:
        operand = self.compile(node.parts[0], scope)
        inner = operand.type.of[0] if operand.type.kind == "optional" else operand.type
        name, _ = self.field(node, inner)
        code = operand.code

        def has(values: Values) -> bool:
            value = code(values)
            if isinstance(value, Optional):
                value = value.value if value.has else {}
            if not isinstance(value, dict):
                cel_types.refuse(value, _AN_OBJECT)
            return name in value

        return Compiled(BOOL, has)

    def _index(self, node: Node, scope: Scope) -> Compiled:
        operand = self.compile(node.parts[0], scope)
        index = self.compile(node.parts[1], scope)
        inner, deep = operand.type, operand.type.kind == "optional"
        inner = inner.of[0] if deep else inner
        known = self._indexed(node, inner, index.type)
        find, code, place = cel_folds.finder(), operand.code, index.code
        if not deep and not node.optional:
            return Compiled(known, lambda values: find(code(values), place(values)))

        def maybe(values: Values) -> Optional:
            value = code(values)
            if isinstance(value, Optional):
                if not value.has:
                    return NONE
                value = value.value
            try:
                return Optional(has=True, value=find(value, place(values)))
            except cel_folds.Missing:
                return NONE

        return Compiled(cel_types.optional_of(known), maybe)

    def _indexed(self, node: Node, operand: Type, index: Type) -> Type:
        name = "_[?_]" if node.optional else "_[_]"
        bound: Bound = {}
        if operand.kind == "dyn":
            return DYN
        if operand.kind == "list" and fits(INT, index, bound):
            return operand.of[0]
        if operand.kind == "map" and fits(operand.of[0], index, bound):
            return operand.of[1]
        text = f"found no matching overload for '{name}' applied to '({operand}, {index})'"
        raise self.problem(text, node)

    # --- Logic ---

    def _if(self, node: Node, scope: Scope) -> Compiled:
        asked = self.compile(node.parts[0], scope)
        yes, no = (self.compile(part, scope) for part in node.parts[1:])
        known = joined(yes.type, no.type)
        if known is None or not fits(BOOL, asked.type, {}):
            shown = f"({asked.type}, {yes.type}, {no.type})"
            raise self.problem(f"found no matching overload for '_?_:_' applied to '{shown}'", node)
        condition, then, other = asked.code, yes.code, no.code

        def choose(values: Values) -> Any:
            chosen = condition(values)
            if chosen is True:
                return then(values)
            if chosen is False:
                return other(values)
            raise NoOverload

        return Compiled(known, choose)

    def _and(self, node: Node, scope: Scope) -> Compiled:
        return Compiled(BOOL, self._logic(node, scope, decided=False))

    def _or(self, node: Node, scope: Scope) -> Compiled:
        return Compiled(BOOL, self._logic(node, scope, decided=True))

    def _logic(self, node: Node, scope: Scope, *, decided: bool) -> Code:
        left, right = (self.wanted(part, scope, BOOL) for part in node.parts)
        answer: bool = decided

        def either(values: Values) -> bool:
            # A side that decides wins over a side that fails.
            try:
                first = left(values)
                if isinstance(first, bool) and first is answer:
                    return first
                problem: CelError | None = None if isinstance(first, bool) else NoOverload()
            except CelError as error:
                problem = error
            try:
                second = right(values)
            except CelError as error:
                raise problem or error from None
            if isinstance(second, bool) and second is answer:
                return second
            if problem:
                raise problem
            if not isinstance(second, bool):
                raise NoOverload
            return second

        return either

    # --- Literals with parts ---

    def _list(self, node: Node, scope: Scope) -> Compiled:
        return self.entries(node, scope, mixed=False)

    def entries(self, node: Node, scope: Scope, *, mixed: bool = True) -> Compiled:
        """Compile a list; what is formatted may be of mixed types."""
        codes: list[tuple[Code, bool]] = []
        known: Type | None = None
        for part in node.parts:
            maybe = part.kind == "some"
            entry = self.compile(part.parts[0] if maybe else part, scope)
            inner = entry.type
            if maybe:
                inner = inner.of[0] if inner.kind == "optional" else DYN
            known = DYN if mixed else self._alike(part, known, inner)
            codes.append((entry.code, maybe))

        def build(values: Values) -> list[Any]:
            made = []
            for code, maybe in codes:
                value = code(values)
                if not maybe:
                    made.append(value)
                elif value.has:
                    made.append(value.value)
            return made

        return Compiled(cel_types.list_of(known or DYN), build)

    def _alike(self, node: Node, known: Type | None, found: Type) -> Type:
        if known is None:
            return found
        both = joined(known, found)
        if both is None:
            raise self.problem(f"expected type '{known}' but found '{found}'", node)
        return both

    def _map(self, node: Node, scope: Scope) -> Compiled:
        codes = []
        keys: Type | None = None
        known: Type | None = None
        for name, part, maybe in node.parts:
            key, entry = self.compile(name, scope), self.compile(part, scope)
            inner = entry.type
            if maybe:
                inner = inner.of[0] if inner.kind == "optional" else DYN
            keys, known = self._alike(name, keys, key.type), self._alike(part, known, inner)
            codes.append((key.code, entry.code, maybe))

        def build(values: Values) -> dict[Any, Any]:
            made: dict[Any, Any] = {}
            for key, code, maybe in codes:
                name, value = key(values), code(values)
                if maybe and not value.has:
                    continue
                if name in made:
                    raise CelError(f"insert failed: key {name} already exists")
                made[name] = value.value if maybe else value
            return made

        return Compiled(cel_types.map_of(keys or DYN, known or DYN), build)

    def _call(self, node: Node, scope: Scope) -> Compiled:
        return cel_calls.compile_call(self, node, scope)

    def _optional(self, node: Node, scope: Scope) -> Compiled:
        (name, variable), (target, body) = node.value, node.parts
        operand = self.compile(target, scope)
        if operand.type.kind not in {"optional", "dyn"}:
            text = f"found no matching overload for 'hasValue' applied to '{operand.type}.()'"
            raise self.problem(text, target)
        inner = operand.type.of[0] if operand.type.of else DYN
        slot = self.slot(variable)
        made = self.compile(body, {**scope, variable: (slot, inner)})
        code, change, flat = operand.code, made.code, name == "optFlatMap"

        def mapped(values: Values) -> Any:
            value = code(values)
            if not value.has:
                return NONE
            values[slot] = value.value
            result = change(values)
            return result if flat else Optional(has=True, value=result)

        return Compiled(made.type if flat else cel_types.optional_of(made.type), mapped)

    def slot(self, name: str) -> str:
        """Return a place for a variable that no other part of the expression uses."""
        self.slots += 1
        return f"{name}#{self.slots}"

    def _fold(self, node: Node, scope: Scope) -> Compiled:
        return cel_folds.compile_fold(self, node, scope)

    def _some(self, node: Node, _scope: Scope) -> Compiled:
        raise self.problem("unsupported syntax '?'", node)


_AN_OBJECT = Type("object")


def reader(name: str, known: Type) -> Callable[[Any], Any]:
    """Return what reads a field and, if its JSON is not its value, converts it."""
    change, kind = converter(known), cel_types.CLASSES.get(known.kind)

    def read(value: Any) -> Any:
        try:
            found = value[name]
        except KeyError:
            raise cel_folds.Missing(f"no such key: {name}") from None
        except TypeError:
            cel_types.refuse(value, _AN_OBJECT)
            raise NoOverload from None
        if kind and found.__class__ is not kind:
            cel_types.refuse(found, known)
        return found if change is None else change(found)

    return read
