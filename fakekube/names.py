"""What Kubernetes calls a name: DNS labels and subdomains, qualified names, label values."""

from __future__ import annotations

import re

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = f"{_LABEL}(\\.{_LABEL})*"
_NAME = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_VALUE = f"({_NAME})?"

_is_label = re.compile(_LABEL).fullmatch
_is_subdomain = re.compile(_SUBDOMAIN).fullmatch
_is_name = re.compile(_NAME).fullmatch
_is_value = re.compile(_VALUE).fullmatch

SUBDOMAIN_TEXT = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "
    f"for validation is '{_SUBDOMAIN}')"
)
LABEL_TEXT = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "
    "must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used "
    f"for validation is '{_LABEL}')"
)
NAME_TEXT = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end "
    "with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
    f"validation is '{_NAME}')"
)
VALUE_TEXT = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  "
    f"or '12345', regex used for validation is '{_VALUE}')"
)

_PREFIX_TEXT = (
    "a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start "
    "and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex "
    f"used for validation is '{_NAME}') with an optional DNS subdomain prefix and '/' "
    "(e.g. 'example.com/MyName')"
)


def _long(most: int) -> str:
    return f"must be no more than {most} characters"


def subdomain(text: str) -> list[str]:
    """Return what keeps a text from being a DNS subdomain."""
    found = [_long(253)] if len(text) > 253 else []
    return found if _is_subdomain(text) else [*found, SUBDOMAIN_TEXT]


def label(text: str) -> list[str]:
    """Return what keeps a text from being a DNS label."""
    found = [_long(63)] if len(text) > 63 else []
    return found if _is_label(text) else [*found, LABEL_TEXT]


def label_value(text: str) -> list[str]:
    """Return what keeps a text from being the value of a label."""
    found = [_long(63)] if len(text) > 63 else []
    return found if _is_value(text) else [*found, VALUE_TEXT]


def qualified(text: str) -> list[str]:
    """Return what keeps a text from being the key of a label, with or without a prefix."""
    found: list[str] = []
    prefix, slash, name = text.rpartition("/")
    if "/" in prefix:
        return [_PREFIX_TEXT]
    if slash and not prefix:
        found.append("prefix part must be non-empty")
    elif slash:
        found += [f"prefix part {each}" for each in subdomain(prefix)]
    if not name:
        found.append("name part must be non-empty")
    elif len(name) > 63:
        found.append(f"name part {_long(63)}")
    return found if _is_name(name) else [*found, NAME_TEXT]


def path_segment(text: str) -> list[str]:
    """Return what keeps a text from being a segment of a path, which is all RBAC asks."""
    if text in (".", ".."):
        return [f"may not be '{text}'"]
    return [f"may not contain '{each}'" for each in "/%" if each in text]
