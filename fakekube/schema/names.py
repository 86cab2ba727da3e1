"""The rules for names, with the texts of the real server."""

from __future__ import annotations

import re

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_LABEL_1035 = "[a-z]([-a-z0-9]*[a-z0-9])?"
_QUALIFIED = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"


def _fits(pattern: str, text: str) -> bool:
    return re.fullmatch(pattern, text) is not None


def _too_long(most: int) -> str:
    return f"must be no more than {most} bytes"


def _explained(what: str, pattern: str, *examples: str) -> str:
    shown = " or ".join(f"'{example}'" for example in examples)
    return f"{what} (e.g. {shown}, regex used for validation is '{pattern}')"


def dns1035_label(text: str) -> list[str]:
    """Return what is wrong with a label that starts with a letter."""
    found = [_too_long(63)] if len(text) > 63 else []
    if not _fits(_LABEL_1035, text):
        what = (
            "a DNS-1035 label must consist of lower case alphanumeric characters or '-', "
            "start with an alphabetic character, and end with an alphanumeric character"
        )
        found.append(_explained(what, _LABEL_1035, "my-name", "abc-123").replace("' or '", "',  or '"))
    return found


def dns1123_subdomain(text: str) -> list[str]:
    """Return what is wrong with a name that is made of labels and dots."""
    found = [_too_long(253)] if len(text) > 253 else []
    if not _fits(_SUBDOMAIN, text):
        what = (
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, "
            "'-' or '.', and must start and end with an alphanumeric character"
        )
        found.append(_explained(what, _SUBDOMAIN, "example.com"))
    return found


def dns1123_label(text: str) -> list[str]:
    """Return what is wrong with a single label."""
    found = [_too_long(63)] if len(text) > 63 else []
    if not _fits(_LABEL, text):
        what = (
            "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or "
            "'-', and must start and end with an alphanumeric character"
        )
        found.append(_explained(what, _LABEL, "my-name", "123-abc").replace("' or '", "',  or '"))
    return found


def qualified_name(text: str) -> list[str]:
    """Return what is wrong with the key of a label or an annotation."""
    prefix, slash, name = text.rpartition("/")
    if prefix.count("/") or (slash and "/" in prefix):
        return [
            "a qualified name "
            + _explained(_QUALIFIED_WHAT, _QUALIFIED, "MyName", "my.name", "123-abc").replace(
                "' or '", "',  or '"
            )
            + " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
        ]
    found = []
    if slash and not prefix:
        found.append("prefix part must be non-empty")
    elif slash:
        found += [f"prefix part {text}" for text in dns1123_subdomain(prefix)]
    if not name:
        found.append("name part must be non-empty")
    elif len(name) > 63:
        found.append(f"name part {_too_long(63)}")
    if not _fits(_QUALIFIED, name):
        shown = _explained(_QUALIFIED_WHAT, _QUALIFIED, "MyName", "my.name", "123-abc")
        found.append("name part " + shown.replace("' or '", "',  or '"))
    return found


_QUALIFIED_WHAT = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    "alphanumeric character"
)


def label_value(text: str) -> list[str]:
    """Return what is wrong with the value of a label."""
    found = [_too_long(63)] if len(text) > 63 else []
    if text and not _fits(_QUALIFIED, text):
        what = (
            "a valid label must be an empty string or consist of alphanumeric characters, '-', "
            "'_' or '.', and must start and end with an alphanumeric character"
        )
        pattern = f"(({_QUALIFIED})?"
        pattern = "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?"
        shown = _explained(what, pattern, "MyValue", "my_value", "12345")
        found.append(shown.replace("' or '", "',  or '"))
    return found


def path_segment(text: str) -> list[str]:
    """Return what is wrong with a name that must fit between two slashes."""
    if text in {".", ".."}:
        return [f"may not be '{text}'"]
    return [f"may not contain '{letter}'" for letter in "/%" if letter in text]
