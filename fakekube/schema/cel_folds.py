"""CEL over lists and maps: macros such as `all`, indices, and equality without order."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from fakekube.schema import cel_types
from fakekube.schema.cel_syntax import Node
from fakekube.schema.cel_types import BOOL, DYN, INT, Code, Compiled, Scope, Type, Values
from fakekube.schema.cel_values import (
    Budget,
    CelError,
    NoOverload,
    OutOfBudget,
    equal,
    is_number,
    same_set,
)

if TYPE_CHECKING:
    from fakekube.schema.cel_compile import Compiler

Equal = Callable[[Any, Any], bool]
Fold = Callable[[Iterable[Any], Callable[[Any], Any]], Any]


class Missing(CelError):
    """There is no such key or index."""


def finder() -> Callable[[Any, Any], Any]:
    """Return what finds the entry of a list or a map."""

    def find(value: Any, index: Any) -> Any:
        if value.__class__ is list:
            if not is_number(index) or index != int(index):
                raise NoOverload
            if not 0 <= index < len(value):
                raise Missing(f"index out of bounds: {int(index)}")
            return value[int(index)]
        if value.__class__ is not dict:
            raise NoOverload
        if index not in value or isinstance(index, bool) is not _has_bool_key(value, index):
            raise Missing(f"no such key: {index}")
        return value[index]

    return find


def _has_bool_key(value: dict[Any, Any], index: Any) -> bool:
    if index.__class__ is str:
        return False
    return any(isinstance(key, bool) and key == index for key in value)


# --- Macros --------------------------------------------------------------------------------------


def compile_fold(compiler: Compiler, node: Node, scope: Scope) -> Compiled:
    """Compile a macro that goes through a list or a map."""
    (name, variables), (target, *bodies) = node.value, node.parts
    operand = compiler.compile(target, scope)
    kinds = _variable_types(compiler, target, operand.type, len(variables))
    slots = [compiler.slot(each) for each in variables]
    inner = {**scope, **dict(zip(variables, zip(slots, kinds, strict=True), strict=True))}
    filtered = name not in {"all", "exists", "exists_one", "filter"} and len(bodies) == 2
    is_test = name in {"all", "exists", "exists_one", "filter"}
    test = compiler.wanted(bodies[0], inner, BOOL) if is_test or filtered else None
    made = None if is_test else compiler.compile(bodies[-1], inner)
    loop = _looper(operand.code, slots)
    if name in {"all", "exists"}:
        assert test, "It is a test."
        return Compiled(BOOL, _decide(loop, test, decided=name == "exists"))
    if name == "exists_one":
        assert test, "It is a test."
        return Compiled(BOOL, lambda values: sum(_is_true(test(values)) for _ in loop(values)) == 1)
    if name == "filter":
        assert test, "It is a test."
        known = cel_types.list_of(kinds[0])
        slot = slots[0]
        code = lambda values: [values[slot] for _ in loop(values) if _is_true(test(values))]  # noqa: E731
        return Compiled(known, code)
    assert made, "It makes something."
    return Compiled(*_build(name, loop, test, made, kinds, slots))


def _variable_types(compiler: Compiler, node: Node, operand: Type, count: int) -> list[Type]:
    if operand.kind == "dyn":
        return [DYN] * count
    if operand.kind == "list":
        return [operand.of[0]] if count == 1 else [INT, operand.of[0]]
    if operand.kind == "map":
        return list(operand.of[:count])
    text = (
        f"expression of type '{operand}' cannot be range of a comprehension "
        "(must be list, map, or dynamic)"
    )
    raise compiler.problem(text, node)


def _looper(code: Code, slots: list[str]) -> Callable[[Values], Iterable[None]]:
    """Return what puts one entry after the other into the variables."""
    first, last, both = slots[0], slots[-1], len(slots) == 2

    def loop(values: Values) -> Iterable[None]:
        entries = code(values)
        if entries.__class__ is list:
            values[Budget.KEY].spend(len(entries))
            for index, entry in enumerate(entries):
                if both:
                    values[first] = index
                values[last] = entry
                yield
        elif entries.__class__ is dict:
            values[Budget.KEY].spend(len(entries))
            for name, entry in entries.items():
                values[first] = name
                if both:
                    values[last] = entry
                yield
        else:
            raise NoOverload

    return loop


def _is_true(value: Any) -> bool:
    if value is True or value is False:
        return bool(value)
    raise NoOverload


def _decide(
    loop: Callable[[Values], Iterable[None]], test: Code, *, decided: bool
) -> Callable[[Values], bool]:
    def decide(values: Values) -> bool:
        problem: CelError | None = None
        for _ in loop(values):
            # An entry that decides wins over entries that fail.
            try:
                if _is_true(test(values)) is decided:
                    return decided
            except OutOfBudget:
                raise
            except CelError as error:
                problem = problem or error
        if problem:
            raise problem
        return not decided

    return decide


def _build(  # noqa: C901 - One closure for each macro.
    name: str,
    loop: Callable[[Values], Iterable[None]],
    test: Code | None,
    made: Compiled,
    kinds: list[Type],
    slots: list[str],
) -> tuple[Type, Code]:
    change = made.code

    def kept(values: Values) -> Iterable[None]:
        for _ in loop(values):
            if test is None or _is_true(test(values)):
                yield

    if name in {"map", "transformList"}:
        return cel_types.list_of(made.type), lambda values: [change(values) for _ in kept(values)]
    first = slots[0]

    def pairs(values: Values) -> dict[Any, Any]:
        result: dict[Any, Any] = {}
        for _ in kept(values):
            result[values[first]] = change(values)
        return result

    if name == "transformMap":
        known = cel_types.map_of(kinds[0], made.type)
        return known, pairs

    def entries(values: Values) -> dict[Any, Any]:
        result: dict[Any, Any] = {}
        for _ in kept(values):
            for key, value in change(values).items():
                if key in result:
                    raise CelError(f"insert failed: key {key} already exists")
                result[key] = value
        return result

    return made.type if made.type.kind == "map" else DYN, entries


# --- Lists whose order does not matter -----------------------------------------------------------


def comparer(known: Type) -> Equal:
    """Return what compares values of a type; sets and maps in lists have no order."""
    if known.kind == "list":
        return _list_comparer(known)
    if known.kind == "map":
        inner = comparer(known.of[1])
        return lambda left, right: (
            left.keys() == right.keys()
            and all(inner(value, right[name]) for name, value in left.items())
        )
    if known.kind != "object" or not known.fields:
        return equal
    members = {name: comparer(member) for name, member in known.fields.values()}

    def same(left: Any, right: Any) -> bool:
        if not isinstance(left, dict) or not isinstance(right, dict):
            return equal(left, right)
        seen = [left.keys() & members.keys(), right.keys() & members.keys()]
        return seen[0] == seen[1] and all(
            members[name](left[name], right[name]) for name in seen[0]
        )

    return same


def _list_comparer(known: Type) -> Equal:
    inner, keys = comparer(known.of[0]), known.keys
    if keys is None:
        return lambda left, right: len(left) == len(right) and all(map(inner, left, right))
    if not keys:
        return same_set

    def same(left: list[Any], right: list[Any]) -> bool:
        entries = {_key(entry, keys): entry for entry in right}
        return len(left) == len(right) and all(
            (key := _key(entry, keys)) in entries and inner(entry, entries[key]) for entry in left
        )

    return same


def adder(known: Type) -> Callable[[list[Any], list[Any]], list[Any]]:
    """Return what joins two lists; an entry that both have stays where it was."""
    keys = known.keys or ()

    def add(left: list[Any], right: list[Any]) -> list[Any]:
        if not keys:
            return left + [each for each in right if not any(equal(each, one) for one in left)]
        entries = {_key(entry, keys): entry for entry in left}
        entries.update({_key(entry, keys): entry for entry in right})
        return list(entries.values())

    return add


def _key(entry: Any, keys: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(entry.get(name) for name in keys)
