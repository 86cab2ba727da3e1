"""Match conditions: CEL expressions that spare a webhook requests it does not care about."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fakekube.schema import cel

Json = Any


@dataclass(frozen=True)
class Condition:
    """A named expression."""

    name: str
    expression: str

    @functools.cached_property
    def program(self) -> cel.Program | str:
        """Return the compiled expression, or what is wrong with it."""
        from fakekube.schema import cel

        try:
            return cel.compile_condition(self.expression)
        except (cel.SyntaxProblem, cel.WrongType) as problem:
            return f"compilation failed: {problem}"


class Undecided(Exception):
    """Conditions could not be evaluated."""


def hold(conditions: tuple[Condition, ...], values: Mapping[str, Json]) -> bool:
    """Tell whether all conditions hold; one that does not outweighs errors of others."""
    from fakekube.schema import cel

    problems = []
    for condition in conditions:
        program = condition.program
        if isinstance(program, str):
            problems.append(f"expression '{condition.expression}' resulted in error: {program}")
            continue
        try:
            if program.evaluate(values) is False:
                return False
        except cel.CelError as error:
            problems.append(f"expression '{condition.expression}' resulted in error: {error}")
    if problems:
        found = list(dict.fromkeys(problems))
        raise Undecided(found[0] if len(found) == 1 else f"[{', '.join(found)}]")
    return True
