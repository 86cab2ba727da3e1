"""Specs that people gave to the Go provider v1.5, in v1beta1, and what is in the cloud before."""

from fakecloud import FakeCloud
from tests.functional.provider import driver, go_clusters, worlds

HERE, THERE, YONDER = "eu-west-2a", "eu-west-2b", "eu-west-2c"
NAMED = {"loadBalancer": {"loadbalancername": "demo-k8s"}}
CLIENTS = ["192.0.2.0/24", "198.51.100.7/32"]


def _plain(**more):
    return lambda _fake: {"subregionName": HERE, **NAMED, **more}


def _rule(ip_range, first, last=None, flow="Inbound", protocol="tcp"):
    ports = {"fromPortRange": first, "toPortRange": last or first}
    return {"flow": flow, "ipProtocol": protocol, "ipRange": ip_range, **ports}


def _bastion(**more):
    def spec(fake):
        worlds.keypair(fake)
        image = driver.Direct(fake).read("ReadImages")[0]["ImageId"]
        bastion = {"enable": True, "imageId": image, "keypairName": "ops", **more}
        return {"subregionName": HERE, **NAMED, "bastion": bastion}

    return spec


def _pool(fake):
    cloud = driver.Direct(fake)
    tags = [{"Key": "OscK8sIPPool", "Value": "nat"}]
    ids = [cloud.call("CreatePublicIp")["PublicIp"]["PublicIpId"] for _ in range(3)]
    cloud.call("CreateTags", ResourceIds=ids, Tags=tags)
    network = {"subregions": [HERE, THERE], "allowFromIPRanges": CLIENTS}
    return {**network, **NAMED, "natPublicIpPool": "nat"}


def _peering(fake):
    far = driver.Direct(fake, worlds.FAR)
    net = far.call("CreateNet", IpRange="172.16.0.0/16")["Net"]["NetId"]
    far.call("CreateRouteTable", NetId=net)
    peering = {"enable": True, "managementNetId": net, "managementAccountId": worlds.FAR}
    return {"subregionName": HERE, **NAMED, "netPeering": peering}


def _used_net(fake):
    example = next(each for each in worlds.EXAMPLES if each.name == "a Net that exists")
    network = example.spec(fake)["network"]
    for each in network["subnets"]:
        each |= {"ipSubnetRange": each.pop("ipRange"), "subregionName": HERE}
    return {**network, "subregionName": HERE, **NAMED}


def _used_groups(fake):
    network = _used_net(fake)
    groups = []
    for name, roles in (("api", ["loadbalancer"]), ("all", ["controlplane", "worker"])):
        made = driver.Direct(fake).call(
            "CreateSecurityGroup",
            NetId=network["net"]["resourceId"],
            SecurityGroupName=name,
            Description="ours",
        )["SecurityGroup"]["SecurityGroupId"]
        groups.append({"name": name, "resourceId": made, "roles": roles})
    uses = {"net": True, "securityGroups": True}
    return {**network, "useExisting": uses, "securityGroups": groups}


def _own_names(_fake):
    public = ["loadbalancer", "nat", "bastion"]
    rows = (("pub", 1, public), ("cp", 2, ["controlplane"]), ("w", 3, ["worker", "service"]))
    return {
        "subregionName": HERE,
        **NAMED,
        "net": {"name": "my-net", "ipRange": "10.20.0.0/16"},
        "subnets": [
            {"name": name, "ipSubnetRange": f"10.20.{third}.0/24", "roles": roles}
            for name, third, roles in rows
        ],
        "internetService": {"name": "gate"},
        "natService": {"name": "way-out", "subnetname": "pub"},
    }


def _own_groups(_fake):
    lb = [_rule("203.0.113.0/24", 6443), _rule("10.0.4.0/24", 6443, flow="Outbound")]
    every = [_rule("10.0.0.0/16", 1, 65535, protocol="-1")]
    return {
        "subregionName": HERE,
        **NAMED,
        "allowFromIPRanges": CLIENTS,
        "securityGroups": [
            {
                "name": "lb",
                "description": "the API",
                "roles": ["loadbalancer"],
                "authoritative": True,
                "securityGroupRules": lb,
            },
            {
                "roles": ["controlplane", "worker"],
                "description": "all nodes",
                "tag": "OscK8sMainSG",
                "securityGroupRules": every,
            },
        ],
    }


def _manual(_fake):
    """Return a spec as version 0.4 wanted it: everything named, no roles, dead fields."""
    begin = "cluster-api"
    subnets = (("kcp", 4), ("kw", 3), ("public", 2))
    groups = (
        ("kw", [_rule("10.0.3.0/24", 10250)], {}),
        ("kcp", [_rule("10.0.0.0/16", 6443)], {}),
        ("lb", [_rule("0.0.0.0/0", 6443)], {"roles": ["loadbalancer"]}),
        ("node", [_rule("10.0.0.0/16", 179)], {"tag": "OscK8sMainSG"}),
    )
    return {
        "subregionName": HERE,
        "clusterName": begin,
        "extraSecurityGroupRule": True,
        "net": {"name": f"{begin}-net", "clusterName": begin, "ipRange": "10.0.0.0/16"},
        "loadBalancer": {"loadbalancername": "demo-k8s", "subnetname": f"{begin}-subnet-public"},
        "controlPlaneSubnets": [f"{begin}-subnet-kcp"],
        "subnets": [
            {"name": f"{begin}-subnet-{name}", "ipSubnetRange": f"10.0.{third}.0/24"}
            for name, third in subnets
        ],
        "natService": {
            "name": f"{begin}-natservice",
            "publicipname": f"{begin}-publicip-nat",
            "subnetname": f"{begin}-subnet-public",
        },
        "internetService": {"name": f"{begin}-internetservice", "clusterName": begin},
        "publicIps": [{"name": f"{begin}-publicip-nat"}],
        "securityGroups": [
            {
                "name": f"{begin}-securitygroup-{name}",
                "description": "old",
                "securityGroupRules": [{"name": f"rule-{name}", **rule} for rule in rules],
                **more,
            }
            for name, rules, more in groups
        ],
    }


def _gone_names(fake):
    """Return a spec with names that nothing has any more, and roles that nothing is for."""
    network = _own_names(fake)
    network["subnets"][2]["roles"] = ["worker", "public"]
    network["subnets"] += [
        {
            "name": f"{role}-b",
            "ipSubnetRange": f"10.20.{third}.0/24",
            "roles": [role],
            "subregionName": THERE,
        }
        for third, role in ((11, "nat"), (13, "worker"))
    ]
    places = (("loadbalancer", HERE), ("nat", THERE))
    places += (("worker", HERE), ("controlplane", HERE), ("worker", THERE))
    del network["natService"]
    return {
        **network,
        "loadBalancer": {**NAMED["loadBalancer"], "subnetname": "old-public"},
        "natServices": [
            {"name": "a", "subnetname": "old-public", "subregionName": HERE},
            {"name": "b", "subnetname": "nat-b", "subregionName": THERE},
        ],
        "routeTables": [
            {
                "name": f"table-{index}",
                "role": role,
                "subregionName": subregion,
                "routes": [
                    {
                        "name": "out",
                        "destination": "0.0.0.0/0",
                        "targetType": "gateway" if index < 2 else "nat",
                        "targetName": "old",
                    }
                ],
            }
            for index, (role, subregion) in enumerate(places)
        ],
    }


def _some_net(fake):
    """Return a spec with the id of a Net, without a word that it exists already."""
    net = driver.Direct(fake).call("CreateNet", IpRange="10.0.0.0/16")["Net"]["NetId"]
    return {"subregionName": HERE, **NAMED, "net": {"resourceId": net, "ipRange": "10.0.0.0/16"}}


def _some_subnet(fake):
    """Return a spec with the id of a subnet of it, whose route table the Go provider makes."""
    network = _some_net(fake)
    net = network["net"]["resourceId"]
    made = driver.Direct(fake).call("CreateSubnet", NetId=net, IpRange="10.0.3.0/24")["Subnet"]
    subnets = [
        {"ipSubnetRange": "10.0.2.0/24", "roles": list(go_clusters.PUBLIC)},
        {"ipSubnetRange": "10.0.3.0/24", "roles": ["worker"], "resourceId": made["SubnetId"]},
        {"ipSubnetRange": "10.0.4.0/24", "roles": ["controlplane"]},
    ]
    return {**network, "subnets": subnets}


_WRONG = {"roles": ["loadbalancer", "worker"], "rules": [_rule("10.0.0.0/16", 9100)]}
_MORE = [{"roles": ["controlplane", "worker"], "rules": [_rule("10.0.0.0/16", 9100)]}]
_INSIDE = {"loadBalancer": {**NAMED["loadBalancer"], "loadbalancertype": "internal"}}

SHAPES = {
    "default": _plain(),
    "three subregions": lambda _fake: {"subregions": [HERE, THERE, YONDER], **NAMED},
    "secure": _plain(allowFromIPRanges=CLIENTS, allowToIPRanges=["203.0.113.0/24"]),
    "no way out": _plain(allowToIPRanges=[""]),
    "more rules": _plain(additionalSecurityRules=_MORE),
    "bastion": _bastion(),
    "named bastion": _bastion(name="jump-host-with-a-name-that-is-long"),
    "pool": _pool,
    "peering": _peering,
    "offline": _plain(disable=["internet"], netAccessPoints=["api", "lbu"], **_INSIDE),
    "used Net": _used_net,
    "used groups": _used_groups,
    "own names": _own_names,
    "own groups": _own_groups,
    "manual": _manual,
    "names that are gone": _gone_names,
    "rules of no group": _plain(additionalSecurityRules=[_WRONG]),
    "a Net by its id": _some_net,
    "a subnet by its id": _some_subnet,
}


def start(shape, **named):
    """Return a cluster of the Go provider that is about to be made, and what is there before."""
    fake, far = FakeCloud(seed=1), None
    if shape == "peering":
        fake.add_account(worlds.FAR)
        far = driver.Direct(fake, worlds.FAR)
    worlds.neighbour(fake)
    spec = {"network": SHAPES[shape](fake)}
    before = driver.inventory(fake)
    return go_clusters.GoCluster(fake, spec, far=far, **named), before


def age(go):
    """Give everything the tags that version 0.4 wrote, and that later ones left alone.

    The mark has the name of the cluster before the uid, and stood not at NAT services but at
    their subnets; names had the uid after them, and there were no roles.
    """
    mark = {f"OscK8sClusterID/cluster-api-{driver.UID}": "owned"}
    for kind, rows in driver.inventory(go.fake).items():
        for row in rows:
            tags = {each["Key"]: each["Value"] for each in row.get("Tags", ())}
            if f"OscK8sClusterID/{driver.UID}" not in tags:
                continue
            ids = [row[driver.READS[f"Read{kind}"]]]
            gone = [{"Key": key} for key in tags if key.startswith(("OscK8sC", "OscK8sR"))]
            go.call("DeleteTags", ResourceIds=ids, Tags=gone)
            new = {"Name": f"{tags.get('Name', 'group')}-{driver.UID}"}
            new |= {} if kind in ("NatServices", "PublicIps") else mark
            pairs = [{"Key": key, "Value": value} for key, value in new.items()]
            go.call("CreateTags", ResourceIds=ids, Tags=pairs)
    return go
