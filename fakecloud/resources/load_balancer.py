"""Load balancers: CreateLoadBalancer, DeleteLoadBalancer, ReadLoadBalancers.

https://docs.outscale.com/en/userguide/About-Load-Balancers.html
"""

from __future__ import annotations

from fakecloud import errors
from fakecloud.call import Call, action
from fakecloud.kinds import Data, Then, kind
from fakecloud.rows import Row, public
from fakecloud.rules import addresses, load_balancing, parameters, routing
from fakecloud.store import Store

TYPES = ("internet-facing", "internal")
OUTSCALE_GROUP = {
    "SecurityGroupAccountId": "outscale-elb",
    "SecurityGroupName": "outscale-elb-sg",
}
"""Where the traffic of a load balancer in the public cloud comes from."""


def _view(store: Store, row: Row) -> Data:
    data = row.data
    shown = public(data)
    state = data["State"]
    if data["_SecurityGroupIds"]:
        shown["SecurityGroups"] = data["_SecurityGroupIds"]
    shown["SourceSecurityGroup"] = _source(store, row)
    shown["BackendVmIds"] = [id_ for id_ in data["BackendVmIds"] if _lives(store, id_)]
    listeners = sorted(data["Listeners"], key=lambda each: int(each["LoadBalancerPort"]))
    shown["Listeners"] = [_shown_listener(data, each) for each in listeners]
    if "_PrivateIp" in data and state != "provisioning":
        shown["PrivateIp"] = data["_PrivateIp"]
    if "_AutomaticIp" in data and state not in ("provisioning", "starting"):
        shown["PublicIp"] = data["_AutomaticIp"]
    return dict(sorted(shown.items()))


def _source(store: Store, row: Row) -> Data:
    for id_ in row["_SecurityGroupIds"]:
        group = store.row("SecurityGroup", id_)
        if group is not None:
            return {
                "SecurityGroupAccountId": row.account,
                "SecurityGroupName": group["SecurityGroupName"],
            }
    return OUTSCALE_GROUP


def _lives(store: Store, vm_id: str) -> bool:
    vm = store.row("Vm", vm_id)
    return vm is not None and vm.is_live


def _shown_listener(data: Data, listener: Data) -> Data:
    names = load_balancing.enabled_policies(data, listener)
    shown = {**listener, "PolicyNames": names} if names else listener
    return dict(sorted(shown.items()))


# PrivateIp is shown once the machine exists, and a public IP of OUTSCALE's own once it has
# started. The name stays taken while a deleted one can be read.
kind(
    "LoadBalancer",
    refs={"_SecurityGroupIds": "SecurityGroup", "Subnets": "Subnet", "NetId": "Net"},
    index=("LoadBalancerName", "BackendVmIds"),
    lifecycle={
        "provisioning": Then(10, "starting"),
        "starting": Then(20, "active"),
        "reloading": Then(5, "active"),
        "reconfiguring": Then(5, "active"),
        "deleted": Then(60, None),
    },
    tombstones=frozenset({"deleted"}),
    absent=5030,
    parameter="LoadBalancerName",
    view=_view,
    read="ReadLoadBalancers",
    answer="LoadBalancers",
    quota="lb_limit",
)


@action
def CreateLoadBalancer(
    call: Call,
    LoadBalancerName: str,
    Listeners: list[Data],
    LoadBalancerType: str = TYPES[0],
    PublicIp: str | None = None,
    SecurityGroups: list[str] | None = None,
    Subnets: list[str] | None = None,
    SubregionNames: list[str] | None = None,
    Tags: list[Data] | None = None,
) -> Data:
    """Create a load balancer in one subnet of a Net, or in a subregion of the public cloud."""
    _check_place(Listeners, SecurityGroups, Subnets, SubregionNames)
    _check_type(LoadBalancerType, PublicIp, Subnets)
    load_balancing.check_name(LoadBalancerName)
    listeners = [load_balancing.listener(call, wanted) for wanted in Listeners]
    tags = load_balancing.tags(Tags or [])
    if Subnets:
        place = _in_net(call, Subnets[0], SecurityGroups)
    else:
        assert SubregionNames is not None
        place = _in_public_cloud(call, SubregionNames[0])
    id_ = load_balancing.key(call, LoadBalancerName)
    if call.store.row("LoadBalancer", id_) is not None:
        raise errors.refusal(9013, name=LoadBalancerName)
    is_internal = LoadBalancerType == "internal"
    if Subnets and not is_internal:
        _check_internet(call, place["NetId"])
    data = {
        **_defaults(listeners[0]),
        **place,
        "DnsName": _dns_name(call, LoadBalancerName, is_internal=is_internal),
        "LoadBalancerName": LoadBalancerName,
        "LoadBalancerType": LoadBalancerType,
        "Tags": tags,
        "_CreatedOn": call.today,
    }
    load_balancing.add_listeners(call, data, listeners)
    if Subnets:
        data["_PrivateIp"] = addresses.take(call, call.get("Subnet", Subnets[0]), id_)
    if not is_internal:
        data.update(load_balancing.public_ip(call, LoadBalancerName, PublicIp))
    balancer = call.create("LoadBalancer", data, state="provisioning", id_=id_)
    return {"LoadBalancer": balancer}


def _check_place(
    listeners: list[Data],
    groups: list[str] | None,
    subnets: list[str] | None,
    subregions: list[str] | None,
) -> None:
    parameters.required(Listeners=listeners)
    parameters.some(Subnets=subnets, SubregionNames=subregions)
    for name, places in (("Subnets", subnets), ("SubregionNames", subregions)):
        if places and len(places) > 1:
            raise errors.refusal(
                8010, f"{name} has {len(places)} items, but a load balancer is in one. Use one."
            )
    parameters.at_most_one(Subnets=subnets, SubregionNames=subregions)
    if groups and not subnets:
        raise errors.refusal(
            3002, "SecurityGroups is for a load balancer in a Net. Leave it out, or use Subnets."
        )
    parameters.ids("SecurityGroup", groups or [])
    parameters.ids("Subnet", subnets or [])


def _check_type(type_: str, public_ip: str | None, subnets: list[str] | None) -> None:
    if type_ not in TYPES:
        raise errors.refusal(
            4060, f"LoadBalancerType is '{type_}', but must be one of {', '.join(TYPES)}."
        )
    if type_ == "internal" and public_ip:
        raise errors.refusal(
            3002, f"PublicIp is '{public_ip}', but an internal load balancer has none."
        )
    if type_ == "internal" and not subnets:
        raise errors.refusal(
            3002, "LoadBalancerType is 'internal', which requires Subnets: it is for Nets only."
        )


def _in_net(call: Call, subnet_id: str, groups: list[str] | None) -> Data:
    subnet = call.get("Subnet", subnet_id)
    return {
        "NetId": subnet["NetId"],
        "Subnets": [subnet.id],
        "SubregionNames": [subnet["SubregionName"]],
        "_SecurityGroupIds": load_balancing.groups_of(call, subnet["NetId"], groups),
    }


def _in_public_cloud(call: Call, subregion: str) -> Data:
    if not call.store.row("Subregion", subregion):
        raise errors.refusal(
            4095, f"SubregionNames has '{subregion}', which {call.region} does not have."
        )
    return {"Subnets": [], "SubregionNames": [subregion], "_SecurityGroupIds": []}


def _check_internet(call: Call, net_id: str) -> None:
    if not routing.has_internet(call.store, net_id):
        raise errors.refusal(
            1003,
            f"The Net {net_id} has no internet service, which an internet-facing load balancer "
            "requires. Link one, or use LoadBalancerType 'internal'.",
        )


def _defaults(listener: Data) -> Data:
    return {
        "AccessLog": {"IsEnabled": False, "PublicationInterval": 60},
        "ApplicationStickyCookiePolicies": [],
        "BackendIps": [],
        "BackendVmIds": [],
        "HealthCheck": {
            "CheckInterval": 30,
            "HealthyThreshold": 10,
            "Port": listener["BackendPort"],
            "Protocol": "TCP",
            "Timeout": 5,
            "UnhealthyThreshold": 2,
        },
        "Listeners": [],
        "LoadBalancerStickyCookiePolicies": [],
        "SecuredCookies": False,
        "_BackendPolicies": {},
        "_Draining": {"Enabled": False, "Timeout": 300},
        "_IdleTimeout": 60,
        "_ListenerIds": {},
        "_OtherPolicies": [],
        "_RegisteredOn": {},
    }


def _dns_name(call: Call, name: str, *, is_internal: bool) -> str:
    number = 100_000_000 + int(call.world.token(12), 16) % 900_000_000
    prefix = "internal-" if is_internal else ""
    return f"{prefix}{name}-{number}.{call.region}.lbu.outscale.com"


@action
def DeleteLoadBalancer(call: Call, LoadBalancerName: str) -> Data:
    """Delete a load balancer; repeating it is accepted for as long as the deleted one is shown."""
    id_ = load_balancing.key(call, LoadBalancerName)
    balancer = call.store.row("LoadBalancer", id_)
    if balancer is None:
        raise errors.refusal(5030, param="LoadBalancerName", id=LoadBalancerName)
    if balancer.is_live:
        for rule in call.find("ListenerRule", "_LoadBalancerName", LoadBalancerName):
            call.delete(rule)
        load_balancing.release_public_ip(call, LoadBalancerName, balancer.get("PublicIp"))
        addresses.release(call.store, id_)
        data = call.edit(balancer)
        data.update(BackendIps=[], BackendVmIds=[], _RegisteredOn={})
        call.delete(balancer, state="deleted")
    return {"LoadBalancer": balancer}
