"""What the checks of many kinds have in common; each gathers causes in the real server's words."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from fakekube import names, status
from fakekube.status import Cause

Json = Any
Object = dict[str, Any]

IMMUTABLE: Final = "field is immutable"
DNS_1035: Final = "[a-z]([-a-z0-9]*[a-z0-9])?"
DNS_1035_TEXT: Final = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an "
    "alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', "
    f"regex used for validation is '{DNS_1035}')"
)
CONFIG_KEY: Final = re.compile(r"[-._a-zA-Z0-9]+")
CONFIG_KEY_TEXT: Final = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. "
    "'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
)
PERCENT_TEXT: Final = (
    "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or "
    "'93%', regex used for validation is '[0-9]+%')"
)
NOT_NEGATIVE: Final = "must be greater than or equal to 0"
PORT_TEXT: Final = "must be between 1 and 65535, inclusive"
IP_TEXT: Final = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
OPERATORS: Final = ("In", "NotIn", "Exists", "DoesNotExist")
MAX_PORT: Final = 65535


def dns_1035(text: str) -> list[str]:
    """Return what keeps a text from being a DNS label that starts with a letter."""
    long = ["must be no more than 63 characters"] if len(text) > 63 else []
    return long if re.fullmatch(DNS_1035, text) else [*long, DNS_1035_TEXT]


def config_key(text: str) -> list[str]:
    """Return what keeps a text from being a key of a ConfigMap or Secret."""
    found = ["must be no more than 253 characters"] if len(text) > 253 else []
    if not CONFIG_KEY.fullmatch(text):
        found.append(CONFIG_KEY_TEXT)
    elif text in {".", ".."}:
        found.append(f"must not be '{text}'")
    elif text.startswith(".."):
        found.append("must not start with '..'")
    return found


def port_name(text: str) -> list[str]:
    """Return what keeps a text from being the name of a port, as IANA has it."""
    found = ["must be no more than 15 characters long"] if len(text) > 15 else []
    if not re.fullmatch(r"[-a-z0-9]+", text):
        found.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not re.search(r"[a-z]", text):
        found.append("must contain at least one letter (a-z)")
    if "--" in text:
        found.append("must not contain consecutive hyphens")
    if text.startswith("-") or text.endswith("-"):
        found.append("must not begin or end with a hyphen")
    return found


class Checks:
    """The causes found so far."""

    def __init__(self) -> None:
        self.found: list[Cause] = []

    def require(self, path: str, value: Json, text: str = "") -> bool:
        """Say that a field is missing or empty, and tell whether it is there."""
        if value in (None, "", [], {}):
            self.found.append(status.field_required(path, text))
            return False
        return True

    def invalid(self, path: str, value: Json, text: str) -> None:
        """Say that a value does not fit."""
        self.found.append(status.field_invalid(path, value, text))

    def forbid(self, path: str, text: str) -> None:
        """Say that something may not be there."""
        self.found.append(status.field_forbidden(path, text))

    def one_of(self, path: str, value: Json, known: Collection[str]) -> None:
        """Say that a value is none of those that are known; nothing at all is fine."""
        if value not in (None, "") and value not in known:
            self.unsupported(path, value, known)

    def unsupported(self, path: str, value: Json, known: Collection[str]) -> None:
        """Say which values there are."""
        self.found.append(status.field_not_supported(path, value, known))

    def duplicate(self, path: str, value: Json) -> None:
        """Say that something is there twice."""
        text = f"Duplicate value: {status.quoted(value)}"
        self.found.append(Cause(path, "FieldValueDuplicate", text))

    def not_found(self, path: str, value: Json) -> None:
        """Say that something refers to what is not there."""
        text = f"Not found: {status.quoted(value)}"
        self.found.append(Cause(path, "FieldValueNotFound", text))

    def not_negative(self, path: str, value: Json) -> None:
        """Say that a number is negative."""
        if isinstance(value, int) and value < 0:
            self.invalid(path, value, NOT_NEGATIVE)

    def within(self, path: str, value: Json, least: int, most: int) -> None:
        """Say that a number is out of its range."""
        if isinstance(value, int) and not least <= value <= most:
            self.invalid(path, value, f"must be between {least} and {most}, inclusive")

    def port(self, path: str, value: Json) -> None:
        """Say that a port is none."""
        self.within(path, value, 1, MAX_PORT)

    def port_or_name(self, path: str, value: Json) -> None:
        """Say that something is neither a port nor the name of one."""
        if isinstance(value, str):
            self.named(path, value, port_name)
        else:
            self.port(path, value)

    def named(self, path: str, value: str, check: Callable[[str], list[str]]) -> None:
        """Say that a text is not the kind of name that it must be."""
        for text in check(value):
            self.invalid(path, value, text)

    def ip(self, path: str, value: Json) -> None:
        """Say that a text is no IP address."""
        try:
            ipaddress.ip_address(value)
        except ValueError:
            self.invalid(path, value, IP_TEXT)

    def labels(self, path: str, labels: Mapping[str, str] | None) -> None:
        """Say what is wrong with labels."""
        for key, value in sorted((labels or {}).items()):
            self.named(path, key, names.qualified)
            self.named(path, value, names.label_value)

    def selector(self, path: str, selector: Object | None) -> None:
        """Say what is wrong with a label selector."""
        selector = selector or {}
        self.labels(f"{path}.matchLabels", selector.get("matchLabels"))
        for number, term in enumerate(selector.get("matchExpressions") or ()):
            where = f"{path}.matchExpressions[{number}]"
            operator = term.get("operator", "")
            if operator not in OPERATORS:
                self.invalid(f"{where}.operator", operator, "not a valid selector operator")
            elif operator in {"In", "NotIn"}:
                text = "must be specified when `operator` is 'In' or 'NotIn'"
                self.require(f"{where}.values", term.get("values"), text)
            elif term.get("values"):
                text = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
                self.forbid(f"{where}.values", text)
            self.named(f"{where}.key", term.get("key", ""), names.qualified)

    def count_or_percent(self, path: str, value: Json) -> None:
        """Say that something is neither a count nor a percentage."""
        if isinstance(value, str):
            if not re.fullmatch(r"[0-9]+%", value):
                self.invalid(path, value, PERCENT_TEXT)
        else:
            self.not_negative(path, value)

    def immutable(self, path: str, new: Json, old: Json) -> None:
        """Say that a field has changed that may not."""
        if new != old:
            self.invalid(path, new, IMMUTABLE)


def at(obj: Json, *path: str) -> Json:
    """Return the value at a path, or None."""
    for key in path:
        obj = obj.get(key) if isinstance(obj, dict) else None
    return obj


def selects(selector: Object | None, labels: Mapping[str, str] | None) -> bool:
    """Say whether a label selector selects labels; none selects nothing."""
    if selector is None:
        return False
    labels = labels or {}
    wanted = selector.get("matchLabels") or {}
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    for term in selector.get("matchExpressions") or ():
        key, values = term.get("key", ""), term.get("values") or ()
        holds = {
            "In": key in labels and labels[key] in values,
            "NotIn": labels.get(key) not in values,
            "Exists": key in labels,
            "DoesNotExist": key not in labels,
        }
        if not holds.get(term.get("operator", ""), False):
            return False
    return True
