"""Writing answers: rows as their kind shows them, and everything checked against the document."""

from __future__ import annotations

from typing import Any

import msgspec

from fakecloud import document
from fakecloud.kinds import Data
from fakecloud.rows import Row
from fakecloud.store import Store

Json = Any
_encode = msgspec.json.Encoder(order="sorted").encode


class Writer:
    """Write the results of handlers as JSON text.

    An answer that the document does not allow is a mistake of ours: an AssertionError.
    """

    def __init__(self, book: document.Document) -> None:
        self._book = book

    def write(self, store: Store, action: str, result: Data, request_id: str) -> bytes:
        """Write the answer of an action, its keys in order; those without value are left out."""
        spec = self._book.actions[action]
        parts = {"ResponseContext": b'"ResponseContext":{"RequestId":"%s"}' % request_id.encode()}
        for key, value in result.items():
            if value is None:
                continue
            if key not in spec.answers:
                raise AssertionError(f"{action} answered with {key}, which the document lacks.")
            text = self._value(store, spec.response, key, value)
            parts[key] = b'"%s":%s' % (key.encode(), text)
        return b"{" + b",".join([parts[key] for key in sorted(parts)]) + b"}"

    def _value(self, store: Store, schema: str, key: str, value: Json) -> bytes:
        if isinstance(value, Row):
            return store.wire(value, self.check)
        if isinstance(value, list):
            if not value:
                return b"[]"
            if isinstance(value[0], Row):
                return b"[" + b",".join([store.wire(row, self.check) for row in value]) + b"]"
        self.check(schema, {key: value})
        return _encode(value)

    def check(self, schema: str, value: Data) -> None:
        """Refuse to answer what the document does not allow."""
        try:
            msgspec.convert(value, self._book.shape(schema))
        except msgspec.ValidationError:
            # Only a part of an answer is checked at a time: what is missing stands elsewhere.
            wrong = [
                problem
                for problem in self._book.problems(schema, value)
                if problem.kind != "missing" or len(problem.path) > 1
            ]
            if wrong:
                raise AssertionError(f"The answer is no {schema}: {wrong}") from None
