"""Read from the source of this package what it says to users when something is wrong.

What a program fills in is an ellipsis here, unless the module itself says it.
"""

from __future__ import annotations

import ast
import dataclasses
import itertools
import pathlib
import re
from collections.abc import Iterator, Mapping, Sequence

SOURCE = pathlib.Path(__file__).resolve().parent.parent
GAP = "…"

SINKS: Mapping[str, tuple[int | None, tuple[int, ...]]] = {
    "Problem": (0, (1,)),
    "Refusal": (None, (0,)),
    "CredentialsError": (None, (0,)),
    "NoRoom": (None, (0,)),
    "Unconvertible": (None, (0,)),
    "Unreadable": (None, (0,)),
    "ReleaseError": (None, (0,)),
    "AccessError": (None, (0,)),
    "Finding": (0, (1, 2)),
}
"""By the name of what is made: which argument says where, and which ones say what."""
FINDING = ("what", "told", "remedy")
"""The arguments of a Finding; without a remedy, all is well."""
REFUSAL = "refusal"
"""The property of a resource that says why nothing can be made of it."""
_SENTENCE = re.compile(r"(?<=[.?!]) (?=[A-Z\"…])")

Function = ast.FunctionDef | ast.AsyncFunctionDef
Texts = Mapping[str, Sequence[str]]
"""What names stand for: one text, or several."""


@dataclasses.dataclass(frozen=True, order=True)
class Message:
    """One thing that is told when something is wrong."""

    module: str
    """The module that says it, such as ``rules/validation``."""
    line: int
    where: str
    """The end of the path of a field, or what ``caposc doctor`` looked at."""
    wrong: str
    """What is wrong: the first sentence."""
    remedy: str
    """What to do: all other sentences."""


def read() -> list[Message]:
    """Return all messages of the source, in the order of modules and lines, each once."""
    found = {
        (each.module, each.where, each.wrong, each.remedy): each
        for path in sorted(SOURCE.rglob("*.py"))
        for each in of_source(
            path.relative_to(SOURCE).with_suffix("").as_posix(), path.read_text(encoding="utf-8")
        )
    }
    return sorted(found.values())


def of_source(module: str, text: str) -> Iterator[Message]:
    """Give the messages of one module."""
    tree = ast.parse(text)
    constants = _assigned(tree.body, {})
    for function in ast.walk(tree):
        if not isinstance(function, Function):
            continue
        parameters = {each.arg for each in function.args.args}
        assigned = _assigned(list(ast.walk(function)), constants)
        assigned = {name: texts for name, texts in assigned.items() if name not in parameters}
        for given in _given(function, tree, constants):
            names = {**constants, **given, **assigned}
            for node in ast.walk(function):
                yield from _messages(module, node, names, function.name)


def _messages(module: str, node: ast.AST, names: Texts, function: str) -> Iterator[Message]:
    where, parts = None, list[ast.expr]()
    if isinstance(node, ast.Call):
        where, parts = _sink(node)
    elif isinstance(node, ast.Return) and function == REFUSAL and node.value:
        parts = [node.value]
    places = [""] if where is None else _texts(where, names)
    for chosen in itertools.product(*(_texts(each, names) for each in parts)) if parts else ():
        told = re.sub(f"{GAP}+", GAP, " ".join(each for each in chosen if each))
        wrong, *remedy = _SENTENCE.split(told, maxsplit=1)
        is_alone = not remedy and wrong.endswith(GAP)
        if is_alone or not chosen[0].strip(f"{GAP}."):
            continue  # It passes on what somebody else says.
        place = re.sub(rf"^{GAP}\.?", "", places[0])
        line: int = getattr(node, "lineno", 0)
        yield Message(module, line, place, wrong, "".join(remedy).rstrip(".") + "." * bool(remedy))


def _sink(call: ast.Call) -> tuple[ast.expr | None, list[ast.expr]]:
    """Return which arguments of a call say where and what; nothing when it tells nothing."""
    func, given = call.func, call.args
    name = func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")
    if name == "Step" and len(given) > 2 and ast.unparse(given[0]) == "Verb.REFUSE":
        return None, [given[2]]
    if name not in SINKS or (name == "Finding" and len(given) < len(FINDING)):
        return None, []
    where, parts = SINKS[name]
    return None if where is None else given[where], [given[each] for each in parts]


def _texts(node: ast.expr, names: Texts) -> list[str]:
    """Return the texts that an expression can be."""
    match node:
        case ast.Constant(value=str() | int() as value):
            return [str(value)]
        case ast.JoinedStr(values=values):
            parts = [_texts(each, names) for each in values]
            return ["".join(each) for each in itertools.product(*parts)]
        case ast.FormattedValue(value=value):
            return _texts(value, names)
        case ast.Name(id=name) if name in names:
            return list(names[name])
        case ast.IfExp(body=body, orelse=orelse):
            return [*_texts(body, names), *_texts(orelse, names)]
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            pairs = itertools.product(_texts(left, names), _texts(right, names))
            return ["".join(each) for each in pairs]
    return [GAP]


def _assigned(nodes: Sequence[ast.AST], names: Texts) -> dict[str, list[str]]:
    """Return what names stand for that are given a text once, and nothing else."""
    found: dict[str, list[list[str]]] = {}
    for node in nodes:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                found.setdefault(name, []).append(_texts(value, names))
            case ast.Assign(targets=[ast.Tuple(elts=several)], value=ast.Tuple(elts=values)):
                for each, value in zip(several, values, strict=True):
                    found.setdefault(ast.unparse(each), []).append(_texts(value, names))
    return {name: texts[0] for name, texts in found.items() if len(texts) == 1}


def _given(function: Function, tree: ast.Module, constants: Texts) -> list[dict[str, list[str]]]:
    """Return what each call in the module gives to the parameters of a function of its own."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == function.name:
            pairs = zip(function.args.args, node.args, strict=False)
            found.append({parameter.arg: _texts(each, constants) for parameter, each in pairs})
    return found if found and function.name.startswith("_") else [{}]
