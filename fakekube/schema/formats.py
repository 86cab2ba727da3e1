"""The formats of strings that a schema may ask for, as lenient as the real server is."""

from __future__ import annotations

import datetime as dt
import ipaddress
import re
import urllib.parse
from collections.abc import Callable

from fakekube.schema import patterns

_UUID = r"(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?%s[0-9a-f]{3}-?%s[0-9a-f]{3}-?[0-9a-f]{12}\Z"
_HEX = "[0-9a-f]"
_TIME = re.compile(r"^([0-9]{2}):([0-9]{2}):([0-9]{2})(.[0-9]+)?(z|([+-][0-9]{2}:[0-9]{2}))\Z")
_DATE = re.compile(r"^\d{4}-\d{2}-\d{2}\Z", re.ASCII)
# Symbols count as letters; only RE2 knows them.
_SIGN = r"a-zA-Z0-9\p{S}\p{L}"
_HOSTNAME = (
    rf"^([{_SIGN}](-?[{_SIGN}]{{0,62}})?"
    rf"|([{_SIGN}]([{_SIGN}-]{{0,61}}[{_SIGN}])?\.)+[a-zA-Z\p{{L}}]{{2,63}})$"
)
_GO_DURATION = re.compile(r"^[-+]?(0|(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+)\Z")
_LOOSE_DURATION = re.compile(r"(\d+)\s*([A-Za-zµ]+)", re.ASCII)
_UNITS_NS = {
    "ns": (1, ("ns",), "nano"),
    "us": (10**3, ("us", "µs"), "micro"),
    "ms": (10**6, ("ms",), "milli"),
    "s": (10**9, ("s",), "sec"),
    "m": (60 * 10**9, ("m",), "min"),
    "h": (3600 * 10**9, ("h", "hr"), "hour"),
    "d": (86400 * 10**9, ("d",), "day"),
    "w": (7 * 86400 * 10**9, ("w", "wk"), "week"),
}


def is_date(text: str) -> bool:
    """Tell whether a text is a day, such as 2024-02-29."""
    if not _DATE.match(text):
        return False
    year, month, day = map(int, text.split("-"))
    try:
        # A leap year every four years holds for year 0 too, which Python's dates do not know.
        dt.date(year or 2000, month, day)
    except ValueError:
        return False
    return True


def is_date_time(text: str) -> bool:
    """Tell whether a text is a moment; the hour, minute and second are compared as text."""
    parts = text.lower().split("t")
    if len(parts) < 2 or not is_date(parts[0]):
        return False
    found = _TIME.match(parts[1])
    return bool(found) and found[1] <= "23" and found[2] <= "59" and found[3] <= "59"  # type: ignore[index]


def parse_duration(text: str) -> int | None:
    """Return the nanoseconds of a duration in Go's syntax or in words, or None."""
    exact = go_duration(text)
    if exact is not None:
        return exact
    total, known = 0, False
    for count, unit in _LOOSE_DURATION.findall(text):
        lowered = unit.lower()
        for factor, names, prefix in _UNITS_NS.values():
            if lowered in names or lowered.startswith(prefix):
                total, known = total + int(count) * factor, True
    return total if known else None


def go_duration(text: str) -> int | None:
    """Return the nanoseconds of a duration in Go's syntax, such as 1h30m, or None."""
    if not _GO_DURATION.match(text):
        return None
    total = 0
    for count, unit in re.findall(r"([0-9.]+)(ns|us|µs|μs|ms|s|m|h)", text):
        factor = _UNITS_NS[unit.replace("µs", "us").replace("μs", "us")][0]
        whole, _, part = count.partition(".")
        total += int(whole or 0) * factor
        if part:
            total += int(part) * factor // 10 ** len(part)
    if total >= 2**63:
        return None
    return -total if text.startswith("-") else total


def is_ip4(text: str) -> bool:
    """Tell whether a text is an address that is written with dots."""
    return "." in text and _is_address(text)


def is_ip6(text: str) -> bool:
    """Tell whether a text is an address that is written with colons."""
    return ":" in text and _is_address(text)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(_without_zeroes(text))
    except ValueError:
        return False
    return "%" not in text


def is_cidr(text: str) -> bool:
    """Tell whether a text is a network with its length, host bits or not."""
    address, slash, length = text.partition("/")
    if not slash or not length.isascii() or not length.isdigit() or len(length) > 3:
        return False
    if "%" in address:
        return False
    try:
        parsed = ipaddress.ip_address(_without_zeroes(address))
    except ValueError:
        return False
    return int(length) <= parsed.max_prefixlen


def _without_zeroes(text: str) -> str:
    head, colon, tail = text.rpartition(":")
    if "." not in tail:
        return text
    parts = [part.lstrip("0") or "0" if part.isdigit() else part for part in tail.split(".")]
    return head + colon + ".".join(parts)


def is_mac(text: str) -> bool:
    """Tell whether a text is a hardware address of 6, 8 or 20 octets."""
    for pattern in (r"[0-9a-f]{2}(?:([:-])[0-9a-f]{2})(?:\1[0-9a-f]{2})*\Z",):
        if re.match(pattern, text, re.IGNORECASE):
            return len(re.split("[:-]", text)) in {6, 8, 20}
    return bool(re.match(r"[0-9a-f]{4}(\.[0-9a-f]{4})+\Z", text, re.IGNORECASE)) and len(
        text.split(".")
    ) in {3, 4, 10}


def is_hostname(text: str) -> bool:
    """Tell whether a text is the name of a host."""
    if len(text.encode()) > 255 or not patterns.matcher(_HOSTNAME)(text):
        return False
    return all(len(part.encode()) <= 63 for part in text.split("."))


def is_uri(text: str) -> bool:
    """Tell whether a text is an absolute URI or an absolute path."""
    if not text or any(ord(letter) < 0x20 or ord(letter) == 0x7F for letter in text):
        return False
    scheme = re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", text)
    if scheme and not text.startswith("/", scheme.end()):
        # Nobody looks into what is no path.
        return True
    if re.search(r"%(?![0-9A-Fa-f]{2})", text.partition("#")[0].partition("?")[0]):
        return False
    try:
        parts = urllib.parse.urlsplit(text)
        _ = parts.port
    except ValueError:
        return False
    if text.startswith("/"):
        return True
    return bool(scheme) and " " not in parts.netloc


def is_email(text: str) -> bool:
    """Tell whether a text is a mail address, with or without a name."""
    found = re.match(r"^(?:[^<>]*<([^<>\s]+)>|([^<>\s]+))\Z", text)
    if not found:
        return False
    local, at, domain = (found[1] or found[2]).rpartition("@")
    dots = local.startswith(".") or local.endswith(".") or ".." in local
    return bool(at and local and domain) and not dots and "@" not in local.strip('"')


def is_base64(text: str) -> bool:
    """Tell whether a text is base64 with its padding; an empty one is not."""
    return bool(re.match(r"^[A-Za-z0-9+/]+={0,2}\Z", text)) and len(text) % 4 == 0


def _digits(text: str) -> str:
    return re.sub(r"[\s-]+", "", text)


def is_isbn10(text: str) -> bool:
    """Tell whether a text is a book number of ten places."""
    number = _digits(text)
    if not re.match(r"^[0-9]{9}[0-9X]\Z", number):
        return False
    values = [10 if digit == "X" else int(digit) for digit in number]
    return sum((place + 1) * value for place, value in enumerate(values)) % 11 == 0


def is_isbn13(text: str) -> bool:
    """Tell whether a text is a book number of thirteen places."""
    number = _digits(text)
    if not re.match(r"^[0-9]{13}\Z", number):
        return False
    return sum(int(digit) * (1, 3)[place % 2] for place, digit in enumerate(number)) % 10 == 0


def is_credit_card(text: str) -> bool:
    """Tell whether a text is the number of a card, by its issuer and its check digit."""
    number = re.sub(r"[^0-9]+", "", text)
    issuers = (
        r"^(?:4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14}|6(?:011|5[0-9][0-9])[0-9]{12}"
        r"|3[47][0-9]{13}|3(?:0[0-5]|[68][0-9])[0-9]{11}|(?:2131|1800|35\d{3})\d{11})\Z"
    )
    if not re.match(issuers, number):
        return False
    total = 0
    for place, digit in enumerate(reversed(number)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _pattern(pattern: str) -> Callable[[str], bool]:
    found = re.compile(pattern, re.ASCII).match
    return lambda text: found(text) is not None


_BYTE = r"(0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])"

FORMATS: dict[str, Callable[[str], bool]] = {
    "bsonobjectid": _pattern(r"^[0-9a-fA-F]{24}\Z"),
    "uri": is_uri,
    "email": is_email,
    "hostname": is_hostname,
    "ipv4": is_ip4,
    "ipv6": is_ip6,
    "cidr": is_cidr,
    "mac": is_mac,
    "uuid": _pattern(_UUID % (_HEX, _HEX)),
    "uuid3": _pattern(_UUID % ("3", _HEX)),
    "uuid4": _pattern(_UUID % ("4", "[89ab]")),
    "uuid5": _pattern(_UUID % ("5", "[89ab]")),
    "isbn": lambda text: is_isbn10(text) or is_isbn13(text),
    "isbn10": is_isbn10,
    "isbn13": is_isbn13,
    "creditcard": is_credit_card,
    "ssn": _pattern(r"^\d{3}[- ]?\d{2}[- ]?\d{4}\Z"),
    "hexcolor": _pattern(r"^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})\Z"),
    "rgbcolor": _pattern(rf"^rgb\(\s*{_BYTE}\s*,\s*{_BYTE}\s*,\s*{_BYTE}\s*\)\Z"),
    "byte": is_base64,
    "password": lambda _: True,
    "date": is_date,
    "duration": lambda text: parse_duration(text) is not None,
    "datetime": is_date_time,
}
"""By name without dashes. Other formats, such as int32, are ignored by the real server too."""


def known(name: str) -> Callable[[str], bool] | None:
    """Return the check of a format, or None if the real server ignores it."""
    return FORMATS.get(name.replace("-", ""))
