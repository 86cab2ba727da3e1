"""Logs: one line for each thing that happened, as text or JSON, without secrets."""

from __future__ import annotations

import contextvars
import json
import logging
import re
import sys
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import IO, Any, Literal

Format = Literal["text", "json"]

DEBUG_FROM = 4
"""The verbosity from which on the details are told; the Go provider's ``-v`` is meant."""
KOPF_FROM = 6
"""The verbosity from which on kopf tells what it does."""
HIDDEN = "[hidden]"
SECRET_LEAST = 6
"""What is shorter than this is no secret, and would blank out half of the log."""

_PATTERNS = (
    re.compile(
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)", re.DOTALL
    ),
    re.compile(r"(?i)(?<=\bbearer )[\w.~+/=-]+"),
    re.compile(r"(?i)(?<=\bbasic )[\w+/=]{8,}"),
    re.compile(r"(?i)(?<=\bsignature=)[0-9a-f]{16,}"),
    re.compile(
        r"""(?ix)
        (?P<name>["']?(?:secret_?key|password|token|user_?data|client-key-data|key-data)["']?
        \s*[:=]\s*)
        (?:"[^"]*"|'[^']*'|[^\s,;}\]]+)
        """
    ),
)


_WHERE: contextvars.ContextVar[Mapping[str, str]] = contextvars.ContextVar("where")


def about(**facts: str) -> None:
    """Let every line of this task, and of threads with its context, say what it is about."""
    _WHERE.set(facts)


class Redactor:
    """Takes secrets out of texts: those that it was told, and what looks like one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: frozenset[str] = frozenset()

    def learn(self, secret: str) -> None:
        """Hear a secret that no log may show."""
        if len(secret) >= SECRET_LEAST and secret not in self._known:
            with self._lock:
                self._known |= {secret}

    def clean(self, text: str) -> str:
        """Return a text without secrets."""
        for secret in self._known:
            text = text.replace(secret, HIDDEN)
        for pattern in _PATTERNS:
            text = pattern.sub(_hide, text)
        return text


def _hide(found: re.Match[str]) -> str:
    return f"{found.groupdict().get('name') or ''}{HIDDEN}"


class _Formatter(logging.Formatter):
    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def _facts(self, record: logging.LogRecord) -> dict[str, Any]:
        facts = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self._redactor.clean(record.getMessage()),
            **{name: self._redactor.clean(value) for name, value in _WHERE.get({}).items()},
        }
        if record.exc_info:
            facts["trace"] = self._redactor.clean(self.formatException(record.exc_info))
        return facts


class Text(_Formatter):
    """A line for people: time, level, what happened, and where."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        facts = self._facts(record)
        head = " ".join(str(facts.pop(each)) for each in ("time", "level"))
        message, trace = facts.pop("message"), facts.pop("trace", None)
        rest = " ".join(f"{key}={value}" for key, value in facts.items())
        return f"{head} {message} {rest}" + (f"\n{trace}" if trace else "")


class Json(_Formatter):
    """A line for machines."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        return json.dumps(self._facts(record), ensure_ascii=False)


def install(
    redactor: Redactor, verbosity: int, format_: Format, stream: IO[str] | None = None
) -> None:
    """Send all logs of the process to standard error, or to a stream."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(Json(redactor) if format_ == "json" else Text(redactor))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.DEBUG if verbosity >= DEBUG_FROM else logging.INFO)
    chatty = logging.DEBUG if verbosity >= KOPF_FROM else logging.WARNING
    for name in ("kopf", "asyncio", "aiohttp", "urllib3"):
        logging.getLogger(name).setLevel(chatty)
    # It warns that it does not see signals, which the manager takes itself.
    logging.getLogger("kopf._core.reactor.running").setLevel(logging.ERROR)
