"""CEL expressions: compile once, evaluate often.

program = compile_expression("self.size() < limit", {"self": STRING, "limit": INT})
program.evaluate({"self": "abc", "limit": 5})
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fakekube.schema import cel_compile, cel_syntax, cel_types
from fakekube.schema.cel_syntax import SyntaxProblem
from fakekube.schema.cel_types import BOOL, DYN, STRING, Type
from fakekube.schema.cel_values import Budget, CelError, NoOverload

REQUEST = cel_types.map_of(STRING, DYN)
ADMISSION_VARIABLES: Mapping[str, Type] = {
    "object": DYN,
    "oldObject": DYN,
    "request": DYN,
    "params": DYN,
    "namespaceObject": DYN,
    "variables": DYN,
}
"""What an expression of admission may use; there is no `authorizer`."""


class WrongType(ValueError):
    """An expression is right, but has a value of another type than is wanted."""


class Program:
    """A compiled expression."""

    def __init__(self, source: str, compiled: cel_types.Compiled, used: frozenset[str]) -> None:
        """Keep what was compiled."""
        self.source = source
        self.type = compiled.type
        self.used = used
        self._code = compiled.code

    def evaluate(self, values: Mapping[str, Any], budget: Budget | None = None) -> Any:
        """Return the value of the expression, or raise `CelError`."""
        try:
            return self._code({**values, Budget.KEY: budget or Budget()})
        except CelError:
            raise
        except (TypeError, AttributeError, ValueError, ArithmeticError, LookupError) as error:
            # A value is not what its schema says, which only `dyn` lets through.
            raise NoOverload from error
        except RecursionError as error:
            raise CelError("expression recursion limit exceeded") from error


def compile_expression(
    source: str, variables: Mapping[str, Type], *, wanted: Type | None = None
) -> Program:
    """Compile an expression; `SyntaxProblem` says where it is wrong, and why.

    With a wanted type, any other is a problem, `dyn` included.
    """
    compiler = cel_compile.Compiler(source, variables)
    try:
        compiled = compiler.compile(cel_syntax.parse(source), compiler.scope)
    except RecursionError:
        raise SyntaxProblem("expression recursion limit exceeded: 100", source, 0) from None
    if wanted and compiled.type.kind != wanted.kind:
        raise WrongType(f"must evaluate to a {wanted}")
    return Program(source, compiled, frozenset(compiler.used))


def compile_condition(source: str) -> Program:
    """Compile a match condition or the expression of an admission policy."""
    return compile_expression(source, ADMISSION_VARIABLES, wanted=BOOL)


__all__ = [
    "ADMISSION_VARIABLES",
    "CelError",
    "NoOverload",
    "Program",
    "SyntaxProblem",
    "WrongType",
    "compile_condition",
    "compile_expression",
]
