"""Every Read action at once: filters and pages, derived from the document.

A filter is a path into what the API shows: ``NetIds`` is the field ``NetId``, ``LinkNicVmIds`` is
``LinkNic.VmId``. What no rule derives is declared with its kind. A filter that is neither is
refused: a filter that is ignored deletes what it should have spared.
"""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import msgspec

from fakecloud import clock, document, errors
from fakecloud.call import Call, check_id
from fakecloud.kinds import KINDS, Data, Kind
from fakecloud.rows import Row, values
from fakecloud.store import Store

Json = Any
TOKEN_LIFE_S = 3600.0
"""How long a page token is accepted. The real lifetime is not documented."""


@dataclass(frozen=True)
class Since:
    """Declare a filter that keeps what stands at ``path`` from a date on."""

    path: str


@dataclass(frozen=True)
class Until:
    """Declare a filter that keeps what stands at ``path`` up to a date."""

    path: str


@dataclass(frozen=True)
class Deep:
    """Declare a filter on what the API does not show: ``look(store, row)`` finds it."""

    look: Callable[[Store, Row], Json]


@dataclass(frozen=True)
class Filter:
    """One filter: where it looks, and the kind whose identifiers it takes, if any.

    With ``deep``, it looks at the pair of store and row instead of at what the API shows.
    """

    path: str
    look: Callable[[Data], list[Json]]
    ids: Kind | None = None
    bound: Since | Until | None = None
    deep: bool = False

    def matcher(self, wanted: Json) -> Callable[[Data], bool]:
        """Return the test of a shown row against the values of a request."""
        look = self.look
        if self.bound is not None:
            return self._bounded(wanted)
        if isinstance(wanted, bool):
            return lambda view: wanted in look(view)
        exact = {value for value in wanted if not is_wild(value)}
        patterns = [pattern(value) for value in wanted if is_wild(value)]

        def matches(view: Data) -> bool:
            for found in look(view):
                if found in exact:
                    return True
                if patterns and any(each(str(found)) for each in patterns):
                    return True
            return False

        return matches

    def _bounded(self, wanted: str) -> Callable[[Data], bool]:
        edge = moment(wanted)
        look = self.look
        if isinstance(self.bound, Since):
            return lambda view: any(clock.parse(found) >= edge for found in look(view))
        return lambda view: any(clock.parse(found) <= edge for found in look(view))


def is_wild(value: Json) -> bool:
    """Tell whether a filter value holds a wildcard."""
    return isinstance(value, str) and ("*" in value or "?" in value)


def pattern(value: str) -> Callable[[str], Any]:
    """Compile a filter value: ``*`` is any text and ``?`` is any character."""
    parts = [{"*": ".*", "?": "."}.get(letter, re.escape(letter)) for letter in value]
    return re.compile("".join(parts), re.DOTALL).fullmatch


def moment(text: str) -> float:
    """Read the date of a filter; raise 4047 when it is none."""
    try:
        return clock.parse(text)
    except ValueError:
        raise errors.refusal(4047, f"The date '{text}' is not in the ISO 8601 format.") from None


# Deriving.


@functools.cache
def filters_of(read: str, kind_name: str, schema: str = "") -> dict[str, Filter | None]:
    """Return the filters of a Read action by name; ``None`` marks one that is not simulated."""
    book = document.load()
    part = book.properties(book.actions[read].request).get("Filters")
    if part is None:
        return {}
    kind = KINDS[kind_name]
    schema = schema or kind.schema
    names = book.resolve(part).get("properties", {})
    return {name: _filter(kind, schema, name) for name in names}


def _filter(kind: Kind, schema: str, name: str) -> Filter | None:
    declared = kind.filters.get(name)
    if isinstance(declared, Since | Until):
        path = declared.path
        return Filter(path, lambda view: values(view, path), bound=declared)
    if isinstance(declared, Deep):
        inspect = declared.look

        def look_deep(pair: Any) -> list[Json]:
            return _listed(inspect(*pair))

        return Filter("", look_deep, deep=True)
    if callable(declared):
        look = declared
        return Filter("", lambda view: _listed(look(view)))
    if declared is None and name in _TAGS:
        return Filter(*_TAGS[name])
    found = declared or derive(document.load(), schema, name)
    if found is None:
        return None
    ids = kind if kind.strict_ids and found == kind.id else None
    return Filter(found, lambda view: values(view, found), ids=ids)


def _listed(value: Json) -> list[Json]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def derive(book: document.Document, schema: str, name: str) -> str | None:
    """Return the path that a filter name stands for, or ``None`` when no rule finds one."""
    properties = book.properties(schema)
    for candidate in (name, *_singulars(name)):
        if candidate in properties:
            return candidate
    for key, part in sorted(properties.items(), key=lambda item: -len(item[0])):
        item = part.get("items", part)
        if "$ref" not in item:
            continue
        inner = item["$ref"].rsplit("/", 1)[1]
        for start in (key, *_singulars(key)):
            if name.startswith(start) and name != start:
                rest = derive(book, inner, name[len(start) :])
                if rest is not None:
                    return f"{key}.{rest}"
    return None


def _singulars(name: str) -> list[str]:
    found = []
    if name.endswith("ies"):
        found.append(name[:-3] + "y")
    if name.endswith("sses"):
        found.append(name[:-2])
    if name.endswith("s"):
        found.append(name[:-1])
    return found


def _tags(view: Data) -> list[str]:
    return [f"{tag['Key']}={tag['Value']}" for tag in view.get("Tags", ())]


_TAGS: dict[str, tuple[str, Callable[[Data], list[Json]]]] = {
    "Tags": ("Tag", _tags),
    "TagKeys": ("TagKey", lambda view: values(view, "Tags.Key")),
    "TagValues": ("TagValue", lambda view: values(view, "Tags.Value")),
}


# Reading.


def select(
    call: Call, kind: Kind, read: str, filters: Data | None, *, candidates: list[Row] | None = None
) -> list[Row]:
    """Return the rows that the caller sees and that pass every filter, oldest first.

    Raise 4104 for an identifier of another kind in a filter, and NotSimulated for a filter that
    the simulator does not know.
    """
    known = filters_of(read, kind.name)
    tests = []
    for name, wanted in (filters or {}).items():
        found = known[name]
        if found is None:
            raise errors.NotSimulated(f"the filter {name} of {read}")
        if found.ids is not None and isinstance(wanted, list):
            for id_ in wanted:
                if not is_wild(id_):
                    check_id(found.ids, id_)
        tests.append((found, wanted))
    if candidates is None:
        candidates = _candidates(call, kind, tests)
    store = call.store
    matchers = [(found.matcher(wanted), found.deep) for found, wanted in tests]
    return [
        row
        for row in candidates
        if call.sees(row)
        and all(
            matches((store, row) if deep else store.view(row))  # type: ignore[arg-type]
            for matches, deep in matchers
        )
    ]


def _candidates(call: Call, kind: Kind, tests: list[tuple[Filter, Json]]) -> list[Row]:
    """Return rows that may match, from the narrowest index that the filters allow."""
    table = call.store.table(kind.name)
    best: list[Row] | None = None
    for found, wanted in tests:
        if not isinstance(wanted, list) or any(is_wild(value) for value in wanted):
            continue
        if found.path == kind.id:
            rows = [table.rows[id_] for id_ in dict.fromkeys(wanted) if id_ in table.rows]
        elif found.path in kind.paths or found.path in ("Tag", "TagKey", "TagValue"):
            rows = [
                row
                for value in dict.fromkeys(wanted)
                for row in call.store.rows(kind.name, found.path, value)
            ]
        else:
            continue
        if best is None or len(rows) < len(best):
            best = rows
    if best is not None:
        unique = dict.fromkeys(best)
        return sorted(unique, key=lambda row: row.serial)
    if kind.visible is None:
        return call.store.rows(kind.name, "account", call.account)
    return call.store.rows(kind.name)


def read(call: Call, kind: Kind, action: str, answer: str, request: Data) -> Data:
    """Answer a Read action: the rows that pass the filters, a page at a time when asked."""
    rows = select(call, kind, action, request.get("Filters"))
    return page(call, action, answer, rows, request)


# Pages.


def page(
    call: Call,
    action: str,
    answer: str,
    rows: list[Any],
    request: Data,
    *,
    default: int | None = None,
) -> Data:
    """Cut a list of rows or values into the page that the request asks for.

    Raise 4116 for an expired page token, 4117 for one that is not ours, 7000 for a token without
    ResultsPerPage, and 4047 for a size outside 1..1000.
    """
    size = request.get("ResultsPerPage")
    token = request.get("NextPageToken")
    if size is not None and not 1 <= size <= 1000:
        raise errors.refusal(
            4047, f"ResultsPerPage is {size}, but it must be between 1 and 1000, both included."
        )
    spec = document.load().actions[action]
    if "HasMoreItems" in spec.answers:
        return _items(answer, rows, request, spec.answers)
    start = 0
    if token is not None:
        if size is None:
            raise errors.refusal(7000, parameters="ResultsPerPage", least="1")
        start = _open(call, action, request, token)
    if size is None:
        size = len(rows) if default is None else default
    shown: Data = {answer: rows[start : start + size]}
    if start + size < len(rows):
        shown["NextPageToken"] = _seal(call, action, request, start + size)
    return shown


def _items(answer: str, rows: list[Any], request: Data, answers: Iterable[str]) -> Data:
    first = request.get("FirstItem", 0)
    if first < 0:
        raise errors.refusal(4047, f"FirstItem is {first}, but the first one is 0.")
    size = request.get("ResultsPerPage", 100)
    shown: Data = {answer: rows[first : first + size], "HasMoreItems": first + size < len(rows)}
    if "MaxResultsLimit" in answers:
        shown["MaxResultsLimit"] = size
    if "MaxResultsTruncated" in answers:
        shown["MaxResultsTruncated"] = False
    return shown


def _sign(call: Call, action: str, request: Data, start: int, issued: int) -> str:
    question = msgspec.json.encode(request.get("Filters"), order="sorted")
    text = f"{call.account}/{call.region}/{action}/{start}/{issued}/".encode()
    return hashlib.sha256(text + question).hexdigest()[:16]


def _seal(call: Call, action: str, request: Data, start: int) -> str:
    issued = int(call.now)
    seal = _sign(call, action, request, start, issued)
    return base64.b64encode(f"{start}.{issued}.{seal}".encode()).decode()


def _open(call: Call, action: str, request: Data, token: str) -> int:
    try:
        parts = base64.b64decode(token, validate=True).decode().split(".")
        start, issued = int(parts[0]), int(parts[1])
        seal = parts[2]
    except (ValueError, IndexError, binascii.Error):
        raise errors.refusal(4117) from None
    if seal != _sign(call, action, request, start, issued):
        raise errors.refusal(4117)
    if call.now - issued > TOKEN_LIFE_S:
        raise errors.refusal(4116)
    return start
