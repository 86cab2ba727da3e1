"""Calls in CEL: which meaning of a function is meant, and what computes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fakekube.schema import cel_folds, cel_functions, cel_types, formats, patterns
from fakekube.schema.cel_functions import Overload
from fakekube.schema.cel_syntax import Node, SyntaxProblem
from fakekube.schema.cel_types import (
    DYN,
    Bound,
    Code,
    Compiled,
    Scope,
    Type,
    Values,
    filled,
    fits,
)
from fakekube.schema.cel_values import (
    NoOverload,
    TypeValue,
    contains,
    parse_timestamp,
    type_name,
)

if TYPE_CHECKING:
    from fakekube.schema.cel_compile import Compiler


def compile_call(compiler: Compiler, node: Node, scope: Scope) -> Compiled:
    """Compile a call of a function, of a method or of an operator."""
    name, target, parts = node.value, node.parts[0], node.parts[1:]
    if target is not None:
        spelled = compiler.dotted(target, scope)
        if spelled and cel_functions.is_known(f"{spelled}.{name}"):
            name, target = f"{spelled}.{name}", None
    if not cel_functions.is_known(name):
        raise _unknown(compiler, node, name, target, scope)
    if name in {"type", "dyn"} and target is None and len(parts) == 1:
        return _typed(name, compiler.compile(parts[0], scope))
    _check_literal(compiler, name, parts)
    mixed = name == "format" and len(parts) == 1 and parts[0].kind == "list"
    arguments = [
        compiler.entries(part, scope) if mixed else compiler.compile(part, scope) for part in parts
    ]
    if target is not None:
        arguments.insert(0, compiler.compile(target, scope))
    return _apply(compiler, node, name, arguments, member=target is not None)


def _unknown(
    compiler: Compiler, node: Node, name: str, target: Node | None, scope: Scope
) -> SyntaxProblem:
    problem = compiler.problem(f"undeclared reference to '{name}' (in container '')", node)
    try:
        if target is not None:
            compiler.compile(target, scope)
    except SyntaxProblem as earlier:
        problem.args = (f"{earlier}\n{problem}",)
    return problem


def _check_literal(compiler: Compiler, name: str, parts: list[Node]) -> None:
    """Refuse constants that could never be read as what they must be."""
    constant = parts[-1] if parts else None
    check = _LITERALS.get(name)
    if not check or constant is None or not isinstance(constant.value, str):
        return
    if constant.kind == "literal" and not check(constant.value):
        raise compiler.problem(f"invalid {name} argument", constant)


def _typed(name: str, argument: Compiled) -> Compiled:
    code, known = argument.code, argument.type
    if name == "dyn":
        return Compiled(DYN, code)
    return Compiled(cel_types.type_of(known), lambda values: TypeValue(type_name(code(values))))


def _apply(
    compiler: Compiler, node: Node, name: str, arguments: list[Compiled], *, member: bool
) -> Compiled:
    found: list[tuple[Overload, Type]] = []
    for overload in cel_functions.overloads(name):
        bound: Bound = {}
        if overload.member is member and len(overload.takes) == len(arguments):
            pairs = zip(overload.takes, arguments, strict=True)
            if all(fits(wanted, each.type, bound) for wanted, each in pairs):
                found.append((overload, filled(overload.gives, bound)))
    if not found:
        raise compiler.problem(_no_overload(name, arguments, member=member), node)
    special = _special(name, arguments)
    results = {str(gives) for _, gives in found}
    known = found[0][1] if len(results) == 1 else DYN
    codes = [each.code for each in arguments]
    if special:
        return Compiled(known, _direct(special, codes))
    loose = any(each.type.kind == "dyn" or _holds_dyn(each.type) for each in arguments)
    if len(found) == 1 and not loose:
        return Compiled(known, _direct(found[0][0].call, codes))
    return Compiled(known, _late([overload for overload, _ in found], codes))


def _is_pattern(text: str) -> bool:
    try:
        patterns.compiled(text)
    except patterns.InvalidPattern:
        return False
    return True


_LITERALS: dict[str, Callable[[str], bool]] = {
    "matches": _is_pattern,
    "duration": lambda text: formats.go_duration(text) is not None,
    "timestamp": lambda text: parse_timestamp(text) is not None,
}


def _no_overload(name: str, arguments: list[Compiled], *, member: bool) -> str:
    types = [str(each.type) for each in arguments]
    shown = f"{types[0]}.({', '.join(types[1:])})" if member else f"({', '.join(types)})"
    return f"found no matching overload for '{name}' applied to '{shown}'"


def _holds_dyn(known: Type) -> bool:
    return known.kind == "dyn" or any(map(_holds_dyn, known.of))


def _direct(call: Callable[..., Any], codes: list[Code]) -> Code:
    if len(codes) == 1:
        (only,) = codes
        return lambda values: call(only(values))
    if len(codes) == 2:
        left, right = codes
        return lambda values: call(left(values), right(values))
    return lambda values: call(*[code(values) for code in codes])


def _late(overloads: list[Overload], codes: list[Code]) -> Code:
    """Choose the overload when the values are there."""

    def call(values: Values) -> Any:
        arguments = [code(values) for code in codes]
        for overload in overloads:
            if overload.accepts(arguments):
                return overload.call(*arguments)
        raise NoOverload

    return call


# --- Equality that knows about types -------------------------------------------------------------


def _special(name: str, arguments: list[Compiled]) -> Callable[..., Any] | None:
    if name not in {"_==_", "_!=_", "_+_", "@in"}:
        return None
    left, right = (each.type for each in arguments)
    if name == "@in":
        return contains if right.kind == "dyn" else None
    known = left if _is_unordered(left) else right
    if not _is_unordered(known):
        return None
    if name == "_+_":
        return cel_folds.adder(known) if known.keys is not None else None
    same = cel_folds.comparer(known)
    return same if name == "_==_" else lambda one, two: not same(one, two)


def _is_unordered(known: Type) -> bool:
    if known.keys is not None:
        return True
    members = [member for _, member in (known.fields or {}).values()]
    return any(map(_is_unordered, [*known.of, *members]))
