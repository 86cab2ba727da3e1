"""The security groups that the Go provider v1.5 makes: those of a spec, or the automatic ones.

Each is a name, a description, its roles, its rules, whether other rules go, and whether it is the
one that the CCM writes into. A rule is a flow, a protocol, two ports and its ranges.
"""

ANY = "0.0.0.0/0"
EVERYTHING = ("-1", -1, -1)
PUBLIC = ("loadbalancer", "bastion", "nat")
INTO, OUT = "Inbound", "Outbound"


def automatic(network, cluster, net_range, subnets):
    """Return the groups of a cluster whose spec has none."""
    net = [net_range]
    rules = _rules(network, net, subnets)
    if network.get("bastion", {}).get("enable"):
        jump = [each["ipSubnetRange"] for each in subnets if "bastion" in each["roles"]]
        rules["node"].append((INTO, "tcp", 22, 22, jump))
    else:
        del rules["bastion"]
    roles = {"lb": ["loadbalancer"], "node": ["controlplane", "worker"]}
    for kind, each in rules.items():
        has = roles.get(kind, [kind])
        for more in network.get("additionalSecurityRules", ()):
            if more["roles"] == has:
                each += [_rule(one) for one in more["rules"]]
        title = {"lb": "LB"}.get(kind, kind.title())
        description = f"{title} securityGroup for {cluster}"
        yield f"{cluster}-{kind}", description, has, each, True, kind == "node"


def _rules(network, net, subnets):
    private = [each for each in subnets if not {*each["roles"]} & {*PUBLIC}]
    nodes = [each["ipSubnetRange"] for each in private]
    planes = [each["ipSubnetRange"] for each in private if "controlplane" in each["roles"]]
    clients = network.get("allowFromIPRanges") or [ANY]
    outside = network.get("allowToIPRanges") or [ANY]
    outside = [] if outside == [""] else outside
    return {
        "lb": [(INTO, "tcp", 6443, 6443, clients), (OUT, "tcp", 6443, 6443, planes)],
        "worker": [
            (INTO, "tcp", 443, 443, planes),
            (INTO, "tcp", 1024, 65535, planes),
            (INTO, "tcp", 10250, 10250, nodes),
        ],
        "controlplane": [
            (INTO, "tcp", 6443, 6443, net),
            (INTO, "tcp", 2378, 2380, planes),
            (INTO, "tcp", 10250, 10252, planes),
        ],
        "node": [
            *((INTO, "tcp", port, port, net) for port in (179, 4240, 4244)),
            *((INTO, "udp", port, port, net) for port in (4789, 5473, 8285, 8472, 51871)),
            (INTO, "udp", 51820, 51821, net),
            (INTO, "4", -1, -1, net),
            (INTO, "icmp", 8, 8, net),
            (INTO, "tcp", 30000, 32767, net),
            (OUT, *EVERYTHING, net),
            (OUT, *EVERYTHING, outside),
        ],
        "bastion": [
            (INTO, "tcp", 22, 22, clients),
            (OUT, "tcp", 22, 22, net),
            (OUT, *EVERYTHING, outside),
        ],
    }


def manual(network, cluster):
    """Return the groups of a spec that lists them."""
    clients = network.get("allowFromIPRanges", [])
    for each in network["securityGroups"]:
        roles = each.get("roles", [])
        rules = [_rule(one) for one in each.get("securityGroupRules", ())]
        if clients and "loadbalancer" in roles:
            rules.append((INTO, "tcp", 6443, 6443, clients))
        name = each.get("name") or "-".join([cluster, *roles])
        is_main = each.get("tag") == "OscK8sMainSG"
        description = each.get("description", "a group")
        yield name, description, roles, rules, each.get("authoritative", False), is_main


def _rule(spec):
    ranges = spec.get("ipRanges") or [spec["ipRange"]]
    protocol = spec["ipProtocol"]
    ports = spec.get("fromPortRange", 0), spec.get("toPortRange", 0)
    return spec["flow"], protocol, *((-1, -1) if protocol == "-1" else ports), ranges
