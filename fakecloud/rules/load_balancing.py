"""What a load balancer accepts, how it is found, and what a change does to its state."""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from fakecloud import errors
from fakecloud.call import Call, prune
from fakecloud.kinds import Data
from fakecloud.rows import Row
from fakecloud.rules import addresses, groups

Json = Any

PROTOCOLS = ("HTTP", "HTTPS", "TCP", "SSL")
WEB = ("HTTP", "HTTPS")
SECURE = ("HTTPS", "SSL")
LAST_PORT = 65535

NAME_LENGTH = 32
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?")

SETTLED = ("active", "reloading", "reconfiguring")
"""The states in which a load balancer has started."""

_RANGES = {
    "CheckInterval": (5, 600),
    "HealthyThreshold": (2, 10),
    "Port": (1, LAST_PORT),
    "Timeout": (2, 60),
    "UnhealthyThreshold": (2, 10),
}

# Finding.


def key(call: Call, name: str) -> str:
    """Return the row identifier of a load balancer: names are unique in one account only."""
    return f"{call.account}/{name}"


def find(call: Call, name: str) -> Row:
    """Return the caller's load balancer of a name; raise 5030 when it is absent or deleted."""
    row = call.store.row("LoadBalancer", key(call, name))
    if row is None or not row.is_live:
        raise errors.refusal(5030, param="LoadBalancerName", id=name)
    return row


def listener_at(balancer: Row, port: int) -> Data:
    """Return the listener on a port; raise 5028 when there is none."""
    for listener in balancer["Listeners"]:
        if listener["LoadBalancerPort"] == port:
            found: Data = listener
            return found
    raise errors.refusal(5028, name=balancer["LoadBalancerName"], port=port)


def certificate(call: Call, orn: str) -> Row:
    """Return the caller's server certificate of an ORN; raise 5070 when there is none."""
    for row in call.find("ServerCertificate", "Orn", orn):
        return row
    raise errors.refusal(
        5070,
        f"No server certificate has the ORN '{orn}'. ReadServerCertificates lists yours.",
    )


# Changing.


def needs_active(balancer: Row) -> None:
    """Refuse a change (6031) while the load balancer is still busy with an earlier one."""
    if balancer.state != "active":
        raise errors.refusal(6031, name=balancer["LoadBalancerName"], state=balancer.state)


def changed(call: Call, balancer: Row, state: str = "reloading") -> None:
    """Let a started load balancer take up a change; one that starts takes it up on its way."""
    if balancer.state in SETTLED:
        call.become(balancer, state)


# Names.


def check_name(name: str) -> None:
    """Refuse a name that is too long (4106) or has other characters than allowed (4036)."""
    if not 1 <= len(name) <= NAME_LENGTH:
        raise errors.refusal(
            4106, parameter="LoadBalancerName", length=len(name), expected=NAME_LENGTH
        )
    if not _NAME.fullmatch(name):
        raise errors.refusal(4036, name=name)


# Listeners.


def listener(call: Call, wanted: Data) -> Data:
    """Return a new listener as it is kept, after checking what the request says.

    Raise 4037 for the port of the load balancer, 4095 for the backend's port and for protocols,
    4054 for protocols of two layers, and 3002 or 5070 for the certificate.
    """
    port, backend_port = wanted["LoadBalancerPort"], wanted["BackendPort"]
    protocol = wanted["LoadBalancerProtocol"]
    backend = wanted.get("BackendProtocol") or protocol
    if not 1 <= port <= LAST_PORT:
        raise errors.refusal(4037, port=port)
    if not 1 <= backend_port <= LAST_PORT:
        raise errors.refusal(
            4095, f"BackendPort is {backend_port}, but must be between 1 and {LAST_PORT}."
        )
    check_protocol("LoadBalancerProtocol", protocol)
    check_protocol("BackendProtocol", backend)
    if (protocol in WEB) != (backend in WEB):
        raise errors.refusal(
            4054,
            f"LoadBalancerProtocol is '{protocol}' and BackendProtocol is '{backend}'. Use HTTP "
            "or HTTPS for both, or TCP or SSL for both.",
        )
    orn = wanted.get("ServerCertificateId") or None
    if orn is not None:
        orn = certificate(call, orn)["Orn"]
    elif protocol in SECURE:
        raise errors.refusal(
            3002, f"LoadBalancerProtocol is '{protocol}', which requires ServerCertificateId."
        )
    return prune(
        BackendPort=backend_port,
        BackendProtocol=backend,
        LoadBalancerPort=port,
        LoadBalancerProtocol=protocol,
        ServerCertificateId=orn,
    )


def check_protocol(parameter: str, protocol: str) -> None:
    """Refuse a protocol that load balancers do not speak (4095)."""
    if protocol not in PROTOCOLS:
        raise errors.refusal(
            4095, f"{parameter} is '{protocol}', but must be one of {', '.join(PROTOCOLS)}."
        )


def add_listeners(call: Call, data: Data, fresh: list[Data]) -> None:
    """Add listeners to the data of a load balancer.

    Raise 9012 for a port that is in use, and 10013 for more listeners than the quota allows.
    """
    call.within("lb_listeners_limit", len(data["Listeners"]) + len(fresh))
    taken = {each["LoadBalancerPort"] for each in data["Listeners"]}
    for each in fresh:
        port = each["LoadBalancerPort"]
        if port in taken:
            raise errors.refusal(
                9012, f"The load balancer has a listener on port {port} already. Delete it first."
            )
        taken.add(port)
        data["Listeners"].append(each)
        data["_ListenerIds"][str(port)] = 100_000 + int(call.world.token(8), 16) % 900_000


# Health checks.


def health_check(wanted: Data) -> Data:
    """Return a health check as it is kept; raise 4095 for its values and 4212 for its path."""
    for name, (least, most) in _RANGES.items():
        if not least <= wanted[name] <= most:
            raise errors.refusal(
                4095, f"{name} is {wanted[name]}, but must be between {least} and {most}."
            )
    protocol = wanted["Protocol"]
    check_protocol("Protocol", protocol)
    path = wanted.get("Path")
    if protocol not in WEB:
        if path is not None:
            raise errors.refusal(
                4212, f"Path is '{path}', but a check by {protocol} has none. Leave it out."
            )
    elif path and not path.startswith("/"):
        raise errors.refusal(4095, f"Path is '{path}', but must start with a slash.")
    else:
        path = path or "/"
    check = prune(Path=path, Protocol=protocol, **{name: wanted[name] for name in _RANGES})
    return dict(sorted(check.items()))


# Access logs.

INTERVALS = (5, 60)


def access_log(wanted: Data) -> Data:
    """Return access logs as they are kept; raise 4047 for the interval and 3002 for no bucket.

    The object storage is not simulated: every bucket counts as reachable.
    """
    interval = wanted.get("PublicationInterval", INTERVALS[1])
    if interval not in INTERVALS:
        raise errors.refusal(
            4047, f"PublicationInterval is {interval}, but must be 5 or 60 minutes."
        )
    is_enabled = wanted.get("IsEnabled", False)
    if is_enabled and not wanted.get("OsuBucketName"):
        raise errors.refusal(3002, "IsEnabled is true, which requires OsuBucketName.")
    return prune(
        IsEnabled=is_enabled,
        OsuBucketName=wanted.get("OsuBucketName"),
        OsuBucketPrefix=wanted.get("OsuBucketPrefix"),
        PublicationInterval=interval,
    )


# Policies.


def policies(data: Data) -> dict[str, str]:
    """Return what kind each policy is: name -> ``app``, ``load_balancer`` or ``other``."""
    found = {each["PolicyName"]: "app" for each in data["ApplicationStickyCookiePolicies"]}
    for each in data["LoadBalancerStickyCookiePolicies"]:
        found[each["PolicyName"]] = "load_balancer"
    found.update(dict.fromkeys(data["_OtherPolicies"], "other"))
    return found


def enabled_policies(data: Data, listener: Data) -> list[str]:
    """Return the names of the policies that work on a listener or on its backend port."""
    own = listener.get("PolicyNames", [])
    return [*own, *data["_BackendPolicies"].get(str(listener["BackendPort"]), [])]


# What a load balancer uses.


def groups_of(call: Call, net_id: str, ids: list[str] | None) -> list[str]:
    """Return the security groups of a load balancer in a Net: the given, or the default one.

    Raise 5020 for a group that is not in the Net.
    """
    for id_ in ids or ():
        if call.own("SecurityGroup", id_).get("NetId") != net_id:
            raise errors.refusal(5020)
    return list(dict.fromkeys(ids or groups.choose(call, net_id)))


def public_ip(call: Call, name: str, wanted: str | None) -> Data:
    """Take the caller's public IP for a load balancer, or one of OUTSCALE's own.

    Raise 4047 for what is no address, 5025 for one that the caller does not have, and 9031 for
    one that something else uses.
    """
    if not wanted:
        holder = _automatic(call, name)
        salt = f"{holder}/{call.world.token(8)}"
        return {"_AutomaticIp": addresses.take_public(call.store, holder, call.account, salt)}
    if not is_address(wanted):
        raise errors.refusal(4047, f"PublicIp is '{wanted}', which is no IPv4 address.")
    for row in call.find("PublicIp", "PublicIp", wanted):
        if "LinkPublicIpId" in row.data:
            raise errors.refusal(9031, f"The public IP '{wanted}' is in use. Unlink it first.")
        # Clients take the free public IPs of a pool for those without a link.
        link_id = f"eipassoc-{call.world.token(8)}"
        call.edit(row).update(LinkPublicIpId=link_id, _LoadBalancerName=name)
        return {"PublicIp": wanted}
    raise errors.refusal(5025, f"You have no public IP '{wanted}'. ReadPublicIps lists yours.")


def release_public_ip(call: Call, name: str, address: str | None) -> None:
    """Give back a public IP that the caller lent to a load balancer, or the one of OUTSCALE."""
    if address is None:
        addresses.release(call.store, _automatic(call, name))
        return
    for row in call.find("PublicIp", "PublicIp", address):
        if row.get("_LoadBalancerName") == name:
            data = call.edit(row)
            del data["LinkPublicIpId"], data["_LoadBalancerName"]


def _automatic(call: Call, name: str) -> str:
    return f"{key(call, name)}/internet"


def is_address(text: str) -> bool:
    """Tell whether a text is an IPv4 address."""
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return True


# Tags.

TAG_LENGTH = 255


def tags(wanted: list[Data]) -> list[Data]:
    """Return tags with each key once, the last value winning.

    Raise 4108 for an empty key and 4106 for a key or value that is too long.
    """
    found: dict[str, str] = {}
    for tag in wanted:
        check_tag_key(tag["Key"])
        if len(tag["Value"]) > TAG_LENGTH:
            raise errors.refusal(
                4106, parameter="Value", length=len(tag["Value"]), expected=f"0-{TAG_LENGTH}"
            )
        found[tag["Key"]] = tag["Value"]
    return [{"Key": name, "Value": value} for name, value in found.items()]


def check_tag_key(name: str) -> None:
    """Refuse an empty tag key (4108) and one that is too long (4106)."""
    if not name:
        raise errors.refusal(4108, "The key of a tag is empty. Give it a name.")
    if len(name) > TAG_LENGTH:
        raise errors.refusal(4106, parameter="Key", length=len(name), expected=f"1-{TAG_LENGTH}")
