"""Reading CEL: text to a tree, macros included.

The language is that of the specification, with optional fields (`a.?b`, `a[?0]`) and macros of two
variables; messages cannot be made, because Kubernetes has none to offer.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, field
from typing import Any


class SyntaxProblem(ValueError):
    """The text is not CEL, or does not fit its types; knows where."""

    def __init__(self, message: str, source: str, at: int) -> None:
        """Write the problem as the real server does: with the line, and a mark below it."""
        before = source[:at]
        line = before.count("\n")
        column = at - (before.rfind("\n") + 1)
        shown = source.split("\n")[line] if source else ""
        text = f"ERROR: <input>:{line + 1}:{column + 1}: {message}\n | {shown}\n | {'.' * column}^"
        super().__init__(text)


@dataclass(slots=True)
class Node:
    """A part of an expression; what `value` and `parts` hold depends on the kind."""

    kind: str
    at: int
    value: Any = None
    parts: list[Any] = field(default_factory=list)
    optional: bool = False


RESERVED = frozenset(
    {"as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop"}
    | {"package", "namespace", "return", "var", "void", "while"}
)
_TOKEN = re.compile(
    r"""
      (?P<space>(?:\s|//[^\n]*)+)
    | (?P<text>(?P<prefix>[rRbB]{0,2})(?:'''|\"\"\"|'|\"))
    | (?P<float>(?:\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\.\d+(?:[eE][+-]?\d+)?))
    | (?P<int>(?:0x[0-9a-fA-F]+|\d+)[uU]?)
    | (?P<name>[_a-zA-Z][_a-zA-Z0-9]*)
    | (?P<quoted>`[_a-zA-Z0-9./ -]+`)
    | (?P<mark>&&|\|\||==|!=|<=|>=|\[\?|\.\?|[-+*/%!<>?:.,()\[\]{}])
    """,
    re.VERBOSE,
)
_SIMPLE = {
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    "\\": "\\",
    "'": "'",
    '"': '"',
    "`": "`",
    "?": "?",
}
_LEVELS: list[tuple[str, ...]] = [
    ("||",),
    ("&&",),
    ("==", "!=", "<", "<=", ">", ">=", "in"),
    ("+", "-"),
    ("*", "/", "%"),
]
DEPTH_MAX = 100


@dataclass(slots=True)
class _Token:
    kind: str
    value: Any
    at: int


@functools.lru_cache(maxsize=512)
def parse(source: str) -> Node:
    """Read an expression; the same text gives the same tree, which nobody changes."""
    parser = _Parser(source)
    node = parser.ternary()
    parser.expect("end")
    return node


class _Parser:
    """A reader that looks one token ahead."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.tokens = _tokens(source)
        self.place = 0
        self.depth = 0

    @property
    def token(self) -> _Token:
        return self.tokens[self.place]

    def problem(self, message: str, at: int | None = None) -> SyntaxProblem:
        return SyntaxProblem(message, self.source, self.token.at if at is None else at)

    def next(self) -> _Token:
        token = self.token
        self.place += 1
        return token

    def is_mark(self, *marks: str) -> bool:
        return self.token.kind == "mark" and self.token.value in marks

    def expect(self, what: str) -> _Token:
        if self.token.kind != what and not self.is_mark(what):
            shown = "<EOF>" if self.token.kind == "end" else str(self.token.value)
            wanted = "<EOF>" if what == "end" else what
            raise self.problem(f"Syntax error: mismatched input '{shown}' expecting '{wanted}'")
        return self.next()

    def ternary(self) -> Node:
        self.depth += 1
        if self.depth > DEPTH_MAX:
            raise self.problem("expression recursion limit exceeded: 100")
        node = self.binary(0)
        if self.is_mark("?"):
            at = self.next().at
            yes = self.binary(0)
            self.expect(":")
            node = Node("if", at, None, [node, yes, self.ternary()])
        self.depth -= 1
        return node

    def binary(self, level: int) -> Node:
        if level == len(_LEVELS):
            return self.unary()
        node = self.binary(level + 1)
        while self.is_mark(*_LEVELS[level]) or (
            "in" in _LEVELS[level] and self.token.kind == "name" and self.token.value == "in"
        ):
            token = self.next()
            name = {"&&": "and", "||": "or"}.get(token.value)
            right = self.binary(level + 1)
            if name:
                node = Node(name, token.at, None, [node, right])
            else:
                function = "@in" if token.value == "in" else f"_{token.value}_"
                node = Node("call", token.at, function, [None, node, right])
        return node

    def unary(self) -> Node:
        if not self.is_mark("!", "-"):
            return self.member()
        token = self.next()
        if token.value == "-" and self.token.kind in {"int", "float"}:
            # The smallest integer has no positive twin.
            number = self.token
            self.tokens[self.place] = _Token(number.kind, "-" + number.value, number.at)
            return self.member()
        self.depth += 1
        if self.depth > DEPTH_MAX:
            raise self.problem("expression recursion limit exceeded: 100")
        node = Node("call", token.at, "!_" if token.value == "!" else "-_", [None, self.unary()])
        self.depth -= 1
        return node

    def member(self) -> Node:
        node = self.primary()
        while True:
            if self.is_mark(".", ".?"):
                optional = self.next().value == ".?"
                node = self._selection(node, optional=optional)
            elif self.is_mark("[", "[?"):
                token = self.next()
                index = self.ternary()
                self.expect("]")
                node = Node("index", token.at, None, [node, index], token.value == "[?")
            else:
                return node

    def _selection(self, operand: Node, *, optional: bool) -> Node:
        token = self.next()
        if token.kind not in {"name", "quoted"}:
            raise self.problem(f"Syntax error: no viable alternative at input '.{token.value}'")
        if self.is_mark("(") and token.kind == "name" and not optional:
            at = self.token.at
            self.next()
            arguments = self._list(")")
            return macro(self, token.value, at, operand, arguments)
        return Node("select", token.at - 1, token.value, [operand], optional)

    def primary(self) -> Node:
        token = self.next()
        if token.kind == "text":
            return Node("literal", token.at, token.value)
        if token.kind in {"int", "float"}:
            return self._number(token)
        if token.kind == "name":
            return self._name(token)
        if token.kind == "mark" and token.value == ".":
            return self._name(self.expect("name"))
        if token.kind == "mark" and token.value == "(":
            node = self.ternary()
            self.expect(")")
            return node
        if token.kind == "mark" and token.value in {"[", "[?"}:
            self.place -= token.value == "[?"
            if token.value == "[?":
                self.tokens[self.place] = _Token("mark", "?", token.at + 1)
            return Node("list", token.at, None, self._list("]"))
        if token.kind == "mark" and token.value == "{":
            return Node("map", token.at, None, self._entries())
        shown = "<EOF>" if token.kind == "end" else token.value
        raise self.problem(
            f"Syntax error: mismatched input '{shown}' expecting an expression", token.at
        )

    def _number(self, token: _Token) -> Node:
        text = token.value
        if token.kind == "float":
            return Node("literal", token.at, float(text))
        unsigned = text[-1] in "uU"
        digits = text.rstrip("uU")
        number = int(digits, 16 if "x" in digits else 10)
        if unsigned:
            if not 0 <= number < 2**64:
                raise self.problem("invalid uint literal", token.at)
            return Node("uint", token.at, number)
        if not -(2**63) <= number < 2**63:
            raise self.problem("invalid int literal", token.at)
        return Node("literal", token.at, number)

    def _name(self, token: _Token) -> Node:
        constants = {"true": True, "false": False, "null": None}
        if token.value in constants:
            return Node("literal", token.at, constants[token.value])
        if token.value in RESERVED or token.value == "in":
            raise self.problem(f"reserved identifier: {token.value}", token.at)
        if self.is_mark("("):
            at = self.token.at
            self.next()
            return macro(self, token.value, at, None, self._list(")"))
        if self.is_mark("{"):
            raise self.problem(
                f"undeclared reference to '{token.value}' (in container '')", token.at
            )
        return Node("name", token.at, token.value)

    def _list(self, end: str) -> list[Node]:
        found = []
        while not self.is_mark(end):
            optional = end == "]" and self.is_mark("?")
            if optional:
                self.next()
            entry = self.ternary()
            found.append(Node("some", entry.at, None, [entry]) if optional else entry)
            if not self.is_mark(","):
                break
            self.next()
            if end == ")" and self.is_mark(end):
                raise self.problem("Syntax error: mismatched input ')' expecting an expression")
        self.expect(end)
        return found

    def _entries(self) -> list[tuple[Node, Node, bool]]:
        found = []
        while not self.is_mark("}"):
            optional = self.is_mark("?")
            if optional:
                self.next()
            key = self.ternary()
            self.expect(":")
            found.append((key, self.ternary(), optional))
            if not self.is_mark(","):
                break
            self.next()
        self.expect("}")
        return found


# --- Macros --------------------------------------------------------------------------------------

# The number of arguments with one variable, and with two.
_FOLDS = {
    "all": ({2}, {3}),
    "exists": ({2}, {3}),
    "exists_one": ({2}, {3}),
    "existsOne": (set(), {3}),
    "filter": ({2}, set()),
    "map": ({2, 3}, set()),
    "transformList": (set(), {3, 4}),
    "transformMap": (set(), {3, 4}),
    "transformMapEntry": (set(), {3, 4}),
}


def macro(parser: _Parser, name: str, at: int, target: Node | None, arguments: list[Node]) -> Node:
    """Make a call, or what a macro of that name stands for."""
    if target is None:
        if name == "has" and len(arguments) == 1:
            if arguments[0].kind != "select" or arguments[0].optional:
                raise parser.problem("invalid argument to has() macro", arguments[0].at)
            return Node("has", at, arguments[0].value, arguments[0].parts)
        return Node("call", at, name, [None, *arguments])
    count = len(arguments)
    if name in {"optMap", "optFlatMap"} and count == 2:
        variable = _variable(parser, arguments[0])
        return Node("optional", at, (name, variable), [target, arguments[1]])
    one, two = _FOLDS.get(name, (set(), set()))
    # `map` with three arguments has one variable; `all` with three has two.
    if count in two:
        variables = [_variable(parser, each) for each in arguments[:2]]
        if variables[0] == variables[1]:
            text = f"duplicate variable name: {variables[0]}"
            raise parser.problem(text, arguments[1].at)
        name = "exists_one" if name == "existsOne" else name
        return Node("fold", at, (name, variables), [target, *arguments[2:]])
    if count in one:
        variables = [_variable(parser, arguments[0])]
        return Node("fold", at, (name, variables), [target, *arguments[1:]])
    return Node("call", at, name, [target, *arguments])


def _variable(parser: _Parser, node: Node) -> str:
    if node.kind != "name":
        raise parser.problem("argument must be a simple name", node.at)
    return str(node.value)


# --- Tokens --------------------------------------------------------------------------------------


def _tokens(source: str) -> list[_Token]:
    found = []
    at = 0
    while at < len(source):
        match = _TOKEN.match(source, at)
        if not match:
            shown = source[at]
            raise SyntaxProblem(f"Syntax error: token recognition error at: '{shown}'", source, at)
        kind = match.lastgroup or ""
        kind = "text" if kind == "prefix" else kind
        if kind == "text":
            value, end = _text(source, at, match)
            found.append(_Token("text", value, at))
            at = end
            continue
        value = match[0]
        if kind == "quoted":
            value = value[1:-1]
        if kind != "space":
            found.append(_Token(kind, value, at))
        at = match.end()
    found.append(_Token("end", "", len(source)))
    return found


def _text(source: str, at: int, match: re.Match[str]) -> tuple[str | bytes, int]:
    prefix = match["prefix"].lower()
    mark = match["text"][len(prefix) :]
    raw = "r" in prefix
    place = match.end()
    content = []
    while not source.startswith(mark, place):
        if place >= len(source) or (source[place] == "\n" and len(mark) == 1):
            raise SyntaxProblem("Syntax error: unterminated string", source, at)
        if source[place] == "\\" and not raw:
            letter, place = _escape(source, place, binary="b" in prefix)
            content.append(letter)
        else:
            letter = source[place]
            content.append(letter if "b" not in prefix else letter.encode().decode("latin-1"))
            place += 1
    text = "".join(content)
    value = text.encode("latin-1") if "b" in prefix else text
    return value, place + len(mark)


def _escape(source: str, at: int, *, binary: bool) -> tuple[str, int]:
    letter = source[at + 1 : at + 2]
    if letter in _SIMPLE and letter:
        return _SIMPLE[letter], at + 2
    length = {"x": 2, "X": 2, "u": 4, "U": 8}.get(letter)
    if length and not (binary and letter in "uU"):
        digits, base = source[at + 2 : at + 2 + length], 16
        end = at + 2 + length
    else:
        digits, base = source[at + 1 : at + 4], 8
        end = at + 4
    try:
        # What is too short ends with the quotation mark, which is no digit.
        return chr(int(digits, base)), end
    except (ValueError, OverflowError):
        raise SyntaxProblem("Syntax error: invalid escape sequence", source, at) from None
