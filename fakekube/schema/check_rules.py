"""Whether the rules of a schema are CEL that can be evaluated."""

from __future__ import annotations

import json
from typing import Any

from fakekube.schema import causes, cel, cel_types
from fakekube.schema.cel_types import BOOL, STRING, Type
from fakekube.status import Cause

Schema = dict[str, Any]


def check_rules(schema: Schema, path: str, uncorrelated: str, *, is_root: bool) -> list[Cause]:
    """Compile the rules of one schema, and return what does not work."""
    path = f"{path}.x-kubernetes-validations"
    known = cel_types.of_schema(schema, resource=is_root)
    if known is None:
        detail = "failed to convert to declType for CEL validation rules"
        return [causes.internal(path, detail)]
    found: list[Cause] = []
    for index, rule in enumerate(schema["x-kubernetes-validations"]):
        found += _check(rule, known, f"{path}[{index}]", uncorrelated)
    return found


def _check(rule: Schema, known: Type, path: str, uncorrelated: str) -> list[Cause]:
    old = cel_types.optional_of(known) if rule.get("optionalOldSelf") else known
    variables = {"self": known, "oldSelf": old}
    found: list[Cause] = []
    try:
        program = cel.compile_expression(rule["rule"], variables, wanted=BOOL)
        uses_old = "oldSelf" in program.used
    except cel.SyntaxProblem as error:
        found.append(_invalid(f"{path}.rule", rule, f"compilation failed: {error}"))
        uses_old = False
    except cel.WrongType:
        found.append(_invalid(f"{path}.rule", rule, "cel expression must evaluate to a bool"))
        uses_old = False
    if not found and rule.get("messageExpression"):
        field = f"{path}.messageExpression"
        try:
            cel.compile_expression(rule["messageExpression"], variables, wanted=STRING)
        except cel.SyntaxProblem as error:
            detail = f"messageExpression compilation failed: {error}"
            found.append(_invalid(field, rule, detail))
        except cel.WrongType:
            detail = "messageExpression must evaluate to a string"
            found.append(_invalid(field, rule, detail))
    if uses_old and uncorrelated:
        detail = (
            f"oldSelf cannot be used on the uncorrelatable portion of the schema "
            f"within {uncorrelated}"
        )
        found.append(causes.invalid(f"{path}.rule", rule["rule"], detail))
    if not uses_old and rule.get("optionalOldSelf") is not None:
        detail = "may not be set if oldSelf is not used in rule"
        found.append(causes.invalid(f"{path}.optionalOldSelf", rule["optionalOldSelf"], detail))
    return found


def _invalid(field: str, rule: Schema, detail: str) -> Cause:
    shown = {
        "Rule": rule.get("rule", ""),
        "Message": rule.get("message", ""),
        "MessageExpression": rule.get("messageExpression", ""),
        "Reason": rule.get("reason"),
        "FieldPath": rule.get("fieldPath", ""),
        "OptionalOldSelf": rule.get("optionalOldSelf"),
    }
    text = json.dumps(shown, separators=(",", ":"), ensure_ascii=False)
    text = text.replace("&", r"\u0026").replace("<", r"\u003c").replace(">", r"\u003e")
    return Cause(field, causes.INVALID, f"Invalid value: {text}: {detail}")
