"""The language of the query-XML gateways: parameters of a form in, XML out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

from fakecloud.kinds import Data

Form = Mapping[str, str]
NAMESPACE = "http://elasticloadbalancing.amazonaws.com/doc/2012-06-01/"
_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TRUTH = {"true": True, "false": False}


class Refusal(Exception):
    """Carry one refusal of the gateway: its code, text and HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code} ({status}): {message}")
        self.code = code
        self.message = message
        self.status = status


# Writing.


def document(root: str, body: Data) -> bytes:
    """Write data as XML: lists become ``member`` elements, and what is ``None`` is left out."""
    parts = [f'<{root} xmlns="{NAMESPACE}">']
    _write(parts, body)
    parts.append(f"</{root}>")
    return "".join(parts).encode()


def _write(parts: list[str], value: Any) -> None:
    if isinstance(value, dict):
        for name, item in value.items():
            if item is not None:
                parts.append(f"<{name}>")
                _write(parts, item)
                parts.append(f"</{name}>")
    elif isinstance(value, list):
        for item in value:
            parts.append("<member>")
            _write(parts, item)
            parts.append("</member>")
    elif isinstance(value, bool):
        parts.append("true" if value else "false")
    else:
        # XML has no way to write some characters, which a request may hold nonetheless.
        parts.append(escape(_UNWRITABLE.sub("?", str(value))))


# Reading the form.


def required(form: Form, *names: str) -> list[str]:
    """Return parameters that must be there."""
    for name in names:
        if not form.get(name):
            raise Refusal("ValidationError", f"The request must contain the parameter {name}")
    return [form[name] for name in names]


def members(form: Form, name: str) -> list[str]:
    """Return the items of a list, which come as ``Name.member.1`` and so on, in their order."""
    found = {}
    for key, value in form.items():
        matched = re.fullmatch(rf"{re.escape(name)}\.member\.([0-9]{{1,6}})", key)
        if matched:
            found[int(matched[1])] = value
    return [found[number] for number in sorted(found)]


def number(form: Form, name: str, least: int) -> int | None:
    """Return a whole number that may be absent."""
    text = form.get(name)
    if not text:
        return None
    if not re.fullmatch(r"-?[0-9]{1,12}", text):
        raise Refusal("ValidationError", "Request is not valid.")
    if int(text) < least:
        field = name.rsplit(".", 1)[-1]
        raise Refusal(
            "ValidationError",
            f"1 validation error detected: Value '{text}' at '{field[0].lower()}{field[1:]}' "
            "failed to satisfy constraint: Member must have value greater than or equal to "
            f"{least}",
        )
    return int(text)


def truth(form: Form, name: str) -> bool | None:
    """Return a boolean that may be absent."""
    text = form.get(name)
    if not text:
        return None
    if text.lower() not in _TRUTH:
        raise Refusal("ValidationError", "Request is not valid.")
    return _TRUTH[text.lower()]
