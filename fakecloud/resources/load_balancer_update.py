"""Changing a load balancer: UpdateLoadBalancer in all its forms, one attribute per call.

https://docs.outscale.com/en/userguide/About-Load-Balancers.html
"""

from __future__ import annotations

from collections.abc import Callable

from fakecloud import errors
from fakecloud.call import Call, action
from fakecloud.kinds import Data
from fakecloud.rows import Row
from fakecloud.rules import load_balancing, parameters


@action
def UpdateLoadBalancer(
    call: Call,
    LoadBalancerName: str,
    AccessLog: Data | None = None,
    HealthCheck: Data | None = None,
    LoadBalancerPort: int | None = None,
    PolicyNames: list[str] | None = None,
    PublicIp: str | None = None,
    SecuredCookies: bool | None = None,
    SecurityGroups: list[str] | None = None,
    ServerCertificateId: str | None = None,
) -> Data:
    """Change one attribute of a load balancer.

    Health checks and secured cookies may be set while it still starts, as the clients of
    OUTSCALE do right after creating one. Other changes are refused (6031) until it is active.
    """
    given = {
        "AccessLog": AccessLog,
        "HealthCheck": HealthCheck,
        "PolicyNames": PolicyNames,
        "PublicIp": PublicIp,
        "SecuredCookies": SecuredCookies,
        "SecurityGroups": SecurityGroups,
        "ServerCertificateId": ServerCertificateId,
    }
    asked = [name for name, value in given.items() if value is not None]
    _check_one(asked, LoadBalancerPort)
    parameters.ids("SecurityGroup", SecurityGroups or [])
    balancer = load_balancing.find(call, LoadBalancerName)
    name = asked[0]
    if name in _WHILE_STARTING:
        _WHILE_STARTING[name](call, balancer, given[name])
    else:
        load_balancing.needs_active(balancer)
        if LoadBalancerPort is not None:
            listener = load_balancing.listener_at(balancer, LoadBalancerPort)
            _ON_LISTENER[name](call, balancer, listener, given[name])
        else:
            _WHEN_ACTIVE[name](call, balancer, given[name])
    is_rewired = name in ("PublicIp", "SecurityGroups")
    load_balancing.changed(call, balancer, "reconfiguring" if is_rewired else "reloading")
    return {"LoadBalancer": balancer}


def _check_one(asked: list[str], port: int | None) -> None:
    on_listener = [name for name in asked if name in _ON_LISTENER]
    if not asked and port is None:
        names = [*_WHILE_STARTING, *_WHEN_ACTIVE, *_ON_LISTENER]
        raise errors.refusal(7000, parameters=", ".join(sorted(names)), least="1")
    if (port is not None) != bool(on_listener):
        raise errors.refusal(
            3002, "LoadBalancerPort goes with PolicyNames or ServerCertificateId. Give both."
        )
    if len(asked) > 1:
        raise errors.refusal(
            3002, f"One call changes one attribute, but this has {', '.join(asked)}. Use several."
        )


# Each form: the attribute of the request, and what it does.


def _health_check(call: Call, balancer: Row, wanted: Data) -> None:
    call.edit(balancer)["HealthCheck"] = load_balancing.health_check(wanted)


def _secured_cookies(call: Call, balancer: Row, wanted: bool) -> None:
    call.edit(balancer)["SecuredCookies"] = wanted


def _access_log(call: Call, balancer: Row, wanted: Data) -> None:
    call.edit(balancer)["AccessLog"] = load_balancing.access_log(wanted)


def _security_groups(call: Call, balancer: Row, wanted: list[str]) -> None:
    net_id = balancer.get("NetId")
    if net_id is None:
        raise errors.refusal(
            3002, "SecurityGroups is for a load balancer in a Net. This one is not in a Net."
        )
    call.edit(balancer)["_SecurityGroupIds"] = load_balancing.groups_of(call, net_id, wanted)


def _public_ip(call: Call, balancer: Row, wanted: str) -> None:
    if balancer["LoadBalancerType"] == "internal":
        raise errors.refusal(3002, "PublicIp is for a load balancer that faces the internet.")
    if wanted and wanted == balancer.get("PublicIp"):
        return
    if not wanted and "_AutomaticIp" in balancer.data:
        return
    name = balancer["LoadBalancerName"]
    former = balancer.get("PublicIp")
    fresh = load_balancing.public_ip(call, name, wanted)
    load_balancing.release_public_ip(call, name, former)
    data = call.edit(balancer)
    data.pop("PublicIp", None)
    data.pop("_AutomaticIp", None)
    data.update(fresh)


_SEVERAL = {"app": 9034, "load_balancer": 9035}


def _policy_names(call: Call, balancer: Row, listener: Data, wanted: list[str]) -> None:
    known = load_balancing.policies(balancer.data)
    for policy in wanted:
        if known.get(policy, "other") == "other":
            raise errors.refusal(5056, name=balancer["LoadBalancerName"], policy=policy)
    protocol = listener["LoadBalancerProtocol"]
    if wanted and protocol not in load_balancing.WEB:
        raise errors.refusal(
            9056, f"The listener speaks {protocol}, but policies work with HTTP and HTTPS only."
        )
    types = [known[policy] for policy in dict.fromkeys(wanted)]
    if len(types) > 1:
        code = 9036 if len(set(types)) > 1 else _SEVERAL[types[0]]
        raise errors.refusal(
            code, f"A listener has one policy, but PolicyNames has {', '.join(wanted)}. Use one."
        )
    call.edit(balancer)
    listener.pop("PolicyNames", None)
    if wanted:
        listener["PolicyNames"] = list(dict.fromkeys(wanted))


def _certificate(call: Call, balancer: Row, listener: Data, wanted: str) -> None:
    certificate = load_balancing.certificate(call, wanted)
    protocol = listener["LoadBalancerProtocol"]
    if protocol not in load_balancing.SECURE:
        raise errors.refusal(
            4102, f"The listener speaks {protocol}, but certificates are for HTTPS and SSL."
        )
    call.edit(balancer)
    listener["ServerCertificateId"] = certificate["Orn"]


_WHILE_STARTING: dict[str, Callable[..., None]] = {
    "HealthCheck": _health_check,
    "SecuredCookies": _secured_cookies,
}
_WHEN_ACTIVE: dict[str, Callable[..., None]] = {
    "AccessLog": _access_log,
    "PublicIp": _public_ip,
    "SecurityGroups": _security_groups,
}
_ON_LISTENER: dict[str, Callable[..., None]] = {
    "PolicyNames": _policy_names,
    "ServerCertificateId": _certificate,
}
