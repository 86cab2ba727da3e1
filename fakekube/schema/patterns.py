"""Regular expressions as the real server understands them: RE2, in linear time.

Python's own expressions differ in syntax and in the meaning of `$`, and a hostile pattern can keep
them busy for ever. Results are remembered, because a pattern sees the same few texts again.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import re2  # type: ignore[import-untyped]

REMEMBERED_TEXTS = 1024


class InvalidPattern(ValueError):
    """The pattern is no regular expression; the message is that of Go."""


@functools.lru_cache(maxsize=1024)
def compiled(pattern: str) -> Any:
    """Compile a pattern, with groups."""
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        raw = error.args[0] if error.args else b""
        text = raw.decode() if isinstance(raw, bytes) else str(raw)
        what, _, where = text.partition(": ")
        raise InvalidPattern(
            f"error parsing regexp: {_TEXTS.get(what, what)}: `{where or pattern}`"
        ) from None


# RE2 in C++ and in Go name the same mistakes differently.
_TEXTS = {
    "missing ]": "missing closing ]",
    "missing )": "missing closing )",
    "unexpected )": "unexpected )",
    "no argument for repetition operator": "missing argument to repetition operator",
    "bad repetition operator": "invalid nested repetition operator",
    "invalid repetition size": "invalid repeat count",
    "invalid perl operator": "invalid or unsupported Perl syntax",
}


@functools.lru_cache(maxsize=1024)
def matcher(pattern: str) -> Callable[[str], bool]:
    """Return a function that tells whether a pattern is found anywhere in a text."""
    search = compiled(pattern).search

    @functools.lru_cache(maxsize=REMEMBERED_TEXTS)
    def matches(text: str) -> bool:
        return search(text) is not None

    return matches
