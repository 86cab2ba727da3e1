"""The functions that Kubernetes adds to CEL for addresses, networks and URLs."""

from __future__ import annotations

import ipaddress
import re
import urllib.parse
from collections.abc import Callable, Iterator
from typing import Any

from fakekube.schema import causes, formats
from fakekube.schema.cel_signatures import Row
from fakekube.schema.cel_values import CelError, NoOverload, Url

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Interface | ipaddress.IPv6Interface

# --- Addresses -----------------------------------------------------------------------------------


def _parse_ip(text: str) -> Address:
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        raise CelError(
            f"IP Address {causes.quote(text)} parse error during conversion from string: "
            f"ParseAddr({causes.quote(text)}): unable to parse IP"
        ) from None
    if "%" in text:
        raise CelError(f"IP address {causes.quote(text)} with zone value is not allowed")
    if found.version == 6 and found.ipv4_mapped and "." in text:
        raise CelError(f"IPv4-mapped IPv6 address {causes.quote(text)} is not allowed")
    return found


def _parse_cidr(text: str) -> Network:
    address, slash, length = text.partition("/")
    if slash and length.isascii() and length.isdigit() and (length == "0" or length[0] != "0"):
        try:
            _parse_ip(address)
            return ipaddress.ip_interface(text)
        except (ValueError, CelError):
            pass
    quoted = causes.quote(text)
    raise CelError(
        "network address parse error during conversion from string: "
        f"netip.ParsePrefix({quoted}): no '/'"
        if not slash
        else f"network address parse error during conversion from string: {quoted}"
    )


def succeeds(call: Callable[[str], Any]) -> Callable[[str], bool]:
    """Return what tells whether a text can be read."""

    def check(text: str) -> bool:
        try:
            call(text)
        except CelError:
            return False
        return True

    return check


def _or_none(read: Callable[[str], Any], text: str) -> Any:
    # Of a text that is no address, the real server says that it knows no such function.
    try:
        return read(text)
    except CelError:
        raise NoOverload from None


def _inside(outer: Network, inner: Address | Network) -> bool:
    network = inner.network if isinstance(inner, Network) else ipaddress.ip_network(inner)
    return network.version == outer.version and network.subnet_of(outer.network)  # type: ignore[arg-type]


def _is_global(address: Address) -> bool:
    broadcast = ipaddress.IPv4Address("255.255.255.255")
    local = address.is_unspecified or address.is_loopback or address.is_link_local
    return not local and not address.is_multicast and address != broadcast


def _is_local_multicast(address: Address) -> bool:
    if address.version == 4:
        return address in ipaddress.ip_network("224.0.0.0/24")
    return address.packed[0] == 0xFF and address.packed[1] & 0x0F == 2


def _masked(network: Network) -> Network:
    return ipaddress.ip_interface(str(network.network))


def _addresses() -> Iterator[Row]:
    yield "ip(string) ip", _parse_ip
    yield "isIP(string) bool", succeeds(_parse_ip)
    yield "ip.isCanonical(string) bool", lambda text: str(_parse_ip(text)) == text
    yield "ip->family() int", lambda a: a.version
    yield "ip->isUnspecified() bool", lambda a: a.is_unspecified
    yield "ip->isLoopback() bool", lambda a: a.is_loopback
    yield "ip->isLinkLocalMulticast() bool", _is_local_multicast
    yield "ip->isLinkLocalUnicast() bool", lambda a: a.is_link_local
    yield "ip->isGlobalUnicast() bool", _is_global
    yield "string(ip) string", str
    yield "cidr(string) cidr", _parse_cidr
    yield "isCIDR(string) bool", succeeds(_parse_cidr)
    yield "cidr->containsIP(string) bool", lambda a, b: _inside(a, _or_none(_parse_ip, b))
    yield "cidr->containsIP(ip) bool", _inside
    yield "cidr->containsCIDR(string) bool", lambda a, b: _inside(a, _or_none(_parse_cidr, b))
    yield "cidr->containsCIDR(cidr) bool", _inside
    yield "cidr->ip() ip", lambda a: a.ip
    yield "cidr->prefixLength() int", lambda a: a.network.prefixlen
    yield "cidr->masked() cidr", _masked
    yield "string(cidr) string", str


# --- URLs ----------------------------------------------------------------------------------------


def _parse_url(text: str) -> Url:
    if not formats.is_uri(text):
        raise CelError(
            "URL parse error during conversion from string: "
            f"parse {causes.quote(text)}: invalid URI for request"
        )
    parts = urllib.parse.urlsplit(text)
    return Url(parts.scheme, parts.netloc.rpartition("@")[2], parts.path, parts.query)


def _hostname(url: Url) -> str:
    return (
        urllib.parse.urlsplit(f"//{url.host}").netloc.rpartition(":")[0].strip("[]")
        if _port(url)
        else url.host.strip("[]").removesuffix(":")
    )


def _port(url: Url) -> str:
    found = re.search(r":(\d+)\Z", url.host)
    return found[1] if found else ""


def _query(url: Url) -> dict[str, list[str]]:
    return urllib.parse.parse_qs(url.query, keep_blank_values=True)


def _urls() -> Iterator[Row]:
    yield "url(string) url", _parse_url
    yield "isURL(string) bool", succeeds(_parse_url)
    yield "url->getScheme() string", lambda a: a.scheme
    yield "url->getHost() string", lambda a: a.host
    yield "url->getHostname() string", _hostname
    yield "url->getPort() string", _port
    yield "url->getEscapedPath() string", lambda a: a.path
    yield "url->getQuery() map<string,list<string>>", _query


ROWS: list[Row] = [*_addresses(), *_urls()]
