"""Random specs of clusters, and random changes of them: all valid, every feature among them."""

import copy

from tests.simulate import ground as grounds

_PLACES = ("eu-west-2a", "eu-west-2b", "eu-west-2c")
_RANGES = ["198.51.100.0/24", "192.0.2.0/24", "203.0.113.7/32", "198.18.0.0/15"]
_SERVICES = ["api", "directlink", "eim", "kms", "lbu", "oos"]


def maybe(chance, share):
    return chance.random() < share


def spec(chance, ground, number):
    """Return the spec of one cluster."""
    network = {}
    if maybe(chance, 0.12):
        network |= ground.usable_net(number)
    else:
        _places(chance, network)
    _internet(chance, network)
    _groups(chance, network)
    found = {"network": network}
    _balancer(chance, found, ground, number)
    for change in (_access, _people, _bastion, *_PEERED[: 1 - number]):
        if maybe(chance, 0.35):
            change(chance, found, ground)
    return found


def changed(chance, before, ground, number):
    """Return a spec in which one thing is different that can be changed while a cluster lives."""
    after = copy.deepcopy(before)
    choices = [_access, _people, _bastion, _listening, *_PEERED[: 1 - number]]
    network = after["network"]
    if "subnets" not in network and "subregions" in network:
        choices.append(_other_places)
    if "securityGroups" in network:
        choices.append(_other_rules)
    elif "useExisting" not in network:
        choices.append(_more_rules)
    chance.choice(choices)(chance, after, ground)
    return after


# --- Where things are ----------------------------------------------------------------------------


def _places(chance, network):
    style = chance.choice(["automatic", "automatic", "small", "named", "by role"])
    if style == "automatic":
        first = chance.choice(range(len(_PLACES)))
        places = [*_PLACES[first:], *_PLACES[:first]]
        network["subregions"] = places[: chance.choice([1, 1, 2, 3])]
        if maybe(chance, 0.3):
            network["net"] = {"name": "ours", "ipRange": f"10.{chance.randint(1, 9)}.0.0/16"}
    elif style == "small":
        network["net"] = {"ipRange": "192.168.7.0/24"}
    else:
        _own_subnets(chance, network, by_role=style == "by role")


def _own_subnets(chance, network, *, by_role):
    public = {"name": "public", "ipRange": "10.0.1.0/24", "roles": ["loadbalancer", "nat"]}
    public["roles"].append("bastion")
    if maybe(chance, 0.5):
        private = [{"name": "both", "roles": ["controlplane", "worker"]}]
    else:
        private = [{"name": "masters", "roles": ["controlplane"]}]
        private += [{"name": "workers", "roles": ["worker", "service.internal"]}]
    for row, each in enumerate(private):
        each["ipRange"] = f"10.0.{row + 2}.0/24"
        each["subregion"] = chance.choice(_PLACES[:2])
    public["subregion"] = _PLACES[0]
    network["subnets"] = [public, *private]
    if not by_role:
        return
    network["natServices"] = [{"name": "way-out", "subnetName": "public"}]
    routes = [{"targetType": "nat", "targetName": "way-out"}]
    tables = [{"subnets": ["public"], "routes": [{"targetType": "gateway"}]}]
    tables += [{"role": role, "routes": routes} for role in ("worker", "controlplane")]
    network["routeTables"] = tables


def _internet(chance, network):
    own = {"useExisting", "routeTables"} & network.keys()
    if not own and maybe(chance, 0.15):
        network["disable"] = ["internet"]
    elif "useExisting" not in network and maybe(chance, 0.25):
        network["natPublicIpPool"] = grounds.POOL


def _other_places(chance, found, _ground):
    """Add a subregion at the end, or take the last one away."""
    there = found["network"]["subregions"]
    if len(there) < len(_PLACES) and (len(there) == 1 or maybe(chance, 0.5)):
        # The same one as any time before: a subnet that is there has its subregion.
        there.append(_PLACES[(_PLACES.index(there[-1]) + 1) % len(_PLACES)])
    else:
        there.pop()


# --- What may pass -------------------------------------------------------------------------------


def _rules(chance):
    ports = chance.choice([22, 443, 6443, 30000])
    return {
        "flow": chance.choice(["Inbound", "Outbound"]),
        "ipProtocol": chance.choice(["tcp", "udp"]),
        "ipRanges": chance.sample(_RANGES, chance.randint(1, 3)),
        "fromPort": ports,
        "toPort": ports + chance.choice([0, 0, 10]),
    }


def _groups(chance, network):
    if not maybe(chance, 0.25):
        return
    groups = [
        {"name": "lb", "roles": ["loadbalancer"]},
        {"name": "nodes", "roles": ["controlplane", "worker"], "tag": "OscK8sMainSG"},
        {"name": "jump", "roles": ["bastion"]},
    ]
    for each in groups:
        each["rules"] = [_rules(chance) for _ in range(chance.randint(1, 3))]
        each["authoritative"] = True
    network["securityGroups"] = groups


def _other_rules(chance, found, _ground):
    group = chance.choice(found["network"]["securityGroups"])
    if len(group["rules"]) > 1:
        group["rules"].pop(0)
    else:
        group["rules"].append(_rules(chance))


def _more_rules(chance, found, _ground):
    roles = chance.choice([["worker"], ["controlplane"], ["loadbalancer"]])
    more = [{"roles": roles, "rules": [_rules(chance)]}]
    found["network"]["additionalSecurityRules"] = more if maybe(chance, 0.7) else []


def _people(chance, found, _ground):
    name = chance.choice(["allowFromIPRanges", "allowToIPRanges"])
    found["network"][name] = chance.sample(_RANGES, chance.randint(0, 2))


# --- What is switched on and off -----------------------------------------------------------------


def _access(chance, found, _ground):
    if "useExisting" not in found["network"]:
        found["network"]["netAccessPoints"] = chance.sample(_SERVICES, chance.randint(0, 3))


def _bastion(chance, found, ground):
    network = found["network"]
    if "useExisting" in network or "internet" in network.get("disable", ()):
        return
    if network.pop("bastion", None) is not None:
        return
    by_name = {"name": ground.image_name, "accountId": ground.image_account}
    bastion = {"enable": True, "keypairName": "ops"}
    bastion["image"] = chance.choice([{"id": ground.image}, by_name])
    if "natPublicIpPool" in network:
        bastion["publicIpPool"] = grounds.POOL
    network["bastion"] = bastion


def _peering(chance, found, ground):
    network = found["network"]
    if "useExisting" in network:
        return
    if network.pop("netPeering", None) is None:
        peering = {"enable": True, "managementNetId": ground.peer}
        peering["managementAccountId"] = grounds.FAR
        if maybe(chance, 0.3):
            peering["managementSubnetId"] = ground.peer_subnet
        network["netPeering"] = peering


# --- Where the Kubernetes API is -----------------------------------------------------------------


def _balancer(chance, found, ground, number):
    network = found["network"]
    closed = "internet" in network.get("disable", ())
    if maybe(chance, 0.1):
        network["disable"] = [*network.get("disable", ()), "loadbalancer"]
        found["controlPlaneEndpoint"] = {"host": "api.example.com", "port": 6443}
        return
    balancer = network["loadBalancer"] = {}
    if closed or maybe(chance, 0.15):
        balancer["type"] = "internal"
    elif maybe(chance, 0.2):
        balancer["publicIpId"] = ground.own_addresses[number]
    elif maybe(chance, 0.15):
        balancer["publicIpPool"] = grounds.POOL
    if maybe(chance, 0.2):
        balancer["name"] = f"api-of-{grounds.NAMES[number]}"
    if maybe(chance, 0.2):
        _listening(chance, found, ground)


def _listening(chance, found, _ground):
    balancer = found["network"].get("loadBalancer")
    if balancer is None:
        return
    if maybe(chance, 0.5):
        more = {"port": 8132, "backendPort": 8132}
        balancer["additionalListeners"] = [more] if "additionalListeners" not in balancer else []
    else:
        balancer["healthCheck"] = {"checkInterval": chance.choice([5, 10, 30])}


# The other side of a peering has one route to a range, so only one of two alike can have one.
_PEERED = [_peering]


# --- Machines ------------------------------------------------------------------------------------


def machine(chance, ground, cluster):
    """Return role and spec of a machine; where it is put does not depend on what was before."""
    network = cluster["network"]
    vm = {"image": {"id": ground.image}, "subregions": network.get("subregions", [])[:1]}
    found = {"vm": vm}
    if maybe(chance, 0.3):
        vm["rootDisk"] = chance.choice([{"size": 20, "type": "gp2"}, {"size": 10, "iops": 300}])
    if maybe(chance, 0.3):
        found["volumes"] = [{"name": "data", "device": "/dev/sdb", "size": 20}]
    if maybe(chance, 0.15):
        vm["vmType"] = "tinav5.c4r8p1"
        vm["flexibleGpu"] = {"model": "nvidia-p100"}
    if "internet" not in network.get("disable", ()) and maybe(chance, 0.4):
        vm |= chance.choice([{"publicIp": True}, {"publicIp": True, "publicIpPool": grounds.POOL}])
    if maybe(chance, 0.2):
        vm["tags"] = {"team": "a"}
    if maybe(chance, 0.2):
        vm["sourceDestCheck"] = False
    if maybe(chance, 0.2):
        vm["placement"] = {"repulseServer": "apart"}
    return chance.random() < 0.4, found
