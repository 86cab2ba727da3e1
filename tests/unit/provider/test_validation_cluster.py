"""Every rule about clusters, as a row: what is written, and what is said about it."""

import pytest

from provider.api import v1beta2
from provider.rules import validation


def cluster(network=None, **spec):
    """Return what is wrong with the spec of a cluster, as pairs of path and message."""
    model = v1beta2.OscClusterSpec.model_validate({"network": network or {}, **spec})
    return [(each.path, each.message) for each in validation.problems(model)]


def group(rule):
    """Return a network with one security group that has one rule."""
    whole = {"flow": "Inbound", "ipProtocol": "tcp", "ipRanges": ["0.0.0.0/0"], **rule}
    return {"securityGroups": [{"name": "g", "roles": ["worker"], "rules": [whole]}]}


BASTION = {"enable": True, "image": {"id": "ami-1"}, "keypairName": "k"}
EXISTING = {
    "useExisting": {"net": True, "securityGroups": True},
    "net": {"resourceId": "vpc-1", "ipRange": "10.0.0.0/16"},
    "subnets": [
        {"resourceId": "subnet-1", "roles": ["controlplane"], "ipRange": "10.0.4.0/24"},
        {"resourceId": "subnet-2", "roles": ["loadbalancer"]},
    ],
    "securityGroups": [{"resourceId": "sg-1", "roles": ["worker"]}],
}

GOOD_NETWORKS = {
    "nothing": {},
    "regions of every shape": {"subregions": ["cloudgouv-eu-west-1c", "cloudgouv-eu-west-1d"]},
    "a subregion with any letter": {"subregions": ["eu-west-2f"]},
    "IP-in-IP": group({"ipProtocol": "4"}),
    "everything, with ports as the Go provider asks for": group(
        {"ipProtocol": "-1", "fromPort": 1, "toPort": 65535}
    ),
    "every type of ICMP": group({"ipProtocol": "icmp"}),
    "one type of ICMP": group({"ipProtocol": "icmp", "fromPort": 8}),
    "one port": group({"fromPort": 22}),
    "port 0": group({"fromPort": 0, "toPort": 65535}),
    "nothing may go out": {"allowToIPRanges": [""]},
    "everything exists": EXISTING,
    "a Net of its own size": {
        "net": {"ipRange": "10.0.0.0/24"},
        "subnets": [{"ipRange": "10.0.0.0/25"}, {"ipRange": "10.0.0.128/25"}],
    },
    "a name of 32 characters": {"loadBalancer": {"name": "a" * 32}},
    "a health check by HTTPS": {
        "loadBalancer": {"healthCheck": {"protocol": "HTTPS", "path": "/readyz"}}
    },
    "konnectivity": {
        "loadBalancer": {"additionalListeners": [{"port": 8132, "backendPort": 8132}]}
    },
    "rules for nodes, in any order": {
        "additionalSecurityRules": [{"roles": ["worker", "controlplane"]}]
    },
    "a load balancer in a listed subnet": {
        "subnets": [{"name": "s", "ipRange": "10.0.1.0/24"}],
        "loadBalancer": {"subnetName": "s"},
    },
    "a bastion": {"bastion": BASTION},
    "a bastion that is switched off": {"bastion": {"enable": False, "vmType": "odd"}},
    "a bastion that exists": {"bastion": {"enable": True, "resourceId": "i-1"}},
}

NETWORKS = {
    "subregion of two letters": (
        {"subregions": ["eu-west-2ab"]},
        "subregions[0]",
        '"eu-west-2ab" is no subregion. Write one such as "eu-west-2a".',
    ),
    "region instead of a subregion": ({"subregions": ["eu-west-2"]}, "subregions[0]", "no subreg"),
    "subregion with something before it": (
        {"subregions": ["x eu-west-2a"]},
        "subregions[0]",
        "is no subregion",
    ),
    "subregions of two regions": (
        {"subregions": ["eu-west-2a", "us-east-2a"]},
        "subregions[1]",
        '"us-east-2a" is in another region than "eu-west-2a". Use subregions of eu-west-2 only.',
    ),
    "subregion twice": (
        {"subregions": ["eu-west-2a", "eu-west-2a"]},
        "subregions[1]",
        "stands in spec.network.subregions[0] already",
    ),
    "feature": ({"disable": ["lb"]}, "disable[0]", '"lb" is not known.'),
    "Net that is no range": ({"net": {"ipRange": "10.0"}}, "net.ipRange", "is no IPv4 range"),
    "Net with bits after its prefix": (
        {"net": {"ipRange": "10.0.0.1/16"}},
        "net.ipRange",
        "10.0.0.1/16 has bits after its /16. Write 10.0.0.0/16.",
    ),
    "Net that is too large": ({"net": {"ipRange": "10.0.0.0/8"}}, "net.ipRange", "no size"),
    "Net without room for its subnets": (
        {"net": {"ipRange": "10.0.0.0/28"}},
        "net.ipRange",
        "10.0.0.0/28",
    ),
    "id of a Net": (
        {"net": {"resourceId": "net-1", "ipRange": "10.0.0.0/16"}},
        "net.resourceId",
        "is no id of a Net. Write one such as vpc-1234abcd.",
    ),
    "existing Net without an id": (
        {**EXISTING, "net": {"ipRange": "10.0.0.0/16"}},
        "net.resourceId",
        "useExisting.net is true, but no id is given.",
    ),
    "existing Net without a range": (
        {**EXISTING, "net": {"resourceId": "vpc-1"}},
        "net.ipRange",
        "none is given. Set it to that of vpc-1",
    ),
    "existing Net without subnets": ({**EXISTING, "subnets": []}, "subnets", "List those to use"),
    "existing subnet without an id": (
        {**EXISTING, "subnets": [{"roles": ["nat"]}]},
        "subnets[0].resourceId",
        "no id is given",
    ),
    "existing subnet without roles": (
        {**EXISTING, "subnets": [{"resourceId": "subnet-1"}]},
        "subnets[0].roles",
        "Say what the subnet is for.",
    ),
    "existing subnet of workers without a range": (
        {**EXISTING, "subnets": [{"resourceId": "subnet-1", "roles": ["worker"]}]},
        "subnets[0].ipRange",
        "The subnet has no IP range.",
    ),
    "NAT services in an existing Net": (
        {**EXISTING, "natServices": [{"name": "n"}]},
        "natServices",
        "managed elsewhere",
    ),
    "subnet without a range": ({"subnets": [{}]}, "subnets[0].ipRange", "has no IP range"),
    "subnet outside the Net": (
        {"subnets": [{"ipRange": "10.1.0.0/24"}]},
        "subnets[0].ipRange",
        "10.1.0.0/24 is not inside the Net, 10.0.0.0/16.",
    ),
    "subnet larger than the Net": (
        {"subnets": [{"ipRange": "10.0.0.0/15"}]},
        "subnets[0].ipRange",
        "is not inside the Net",
    ),
    "subnets that overlap": (
        {"subnets": [{"ipRange": "10.0.0.0/23"}, {"ipRange": "10.0.1.0/24"}]},
        "subnets[1].ipRange",
        "overlaps 10.0.0.0/23",
    ),
    "subnet that is too small": (
        {"subnets": [{"ipRange": "10.0.0.0/30"}]},
        "subnets[0].ipRange",
        "too small",
    ),
    "subnets of one name": (
        {
            "subnets": [
                {"name": "s", "ipRange": "10.0.1.0/24"},
                {"name": "s", "ipRange": "10.0.2.0/24"},
            ]
        },
        "subnets[1].name",
        '"s" stands in spec.network.subnets[0] already.',
    ),
    "role that is misspelled": (
        {"subnets": [{"ipRange": "10.0.1.0/24", "roles": ["control-plane"]}]},
        "subnets[0].roles[0]",
        '"control-plane" is not known. Did you mean "controlplane"?',
    ),
    "role twice": (
        {"subnets": [{"ipRange": "10.0.1.0/24", "roles": ["nat", "nat"]}]},
        "subnets[0].roles[1]",
        "already",
    ),
    "id of a subnet": (
        {"subnets": [{"ipRange": "10.0.1.0/24", "resourceId": "vpc-1"}]},
        "subnets[0].resourceId",
        "is no id of a subnet",
    ),
    "subregion of a subnet": (
        {"subnets": [{"ipRange": "10.0.1.0/24", "subregion": "a"}]},
        "subnets[0].subregion",
        "is no subregion",
    ),
    "subnet of a NAT service": (
        {
            "subnets": [{"name": "s", "ipRange": "10.0.1.0/24"}],
            "natServices": [{"subnetName": "t"}],
        },
        "natServices[0].subnetName",
        '"t" is the name of none; there is "s". Use one of these, or remove the field.',
    ),
    "subregion of a NAT service": (
        {"natServices": [{"subregion": "a"}]},
        "natServices[0].subregion",
        "is no subregion",
    ),
    "NAT services of one name": (
        {"natServices": [{"name": "n"}, {"name": "n"}]},
        "natServices[1].name",
        "already",
    ),
    "route table of no subnet": ({"routeTables": [{}]}, "routeTables[0]", "applies to no subnet"),
    "subnet of a route table": (
        {
            "subnets": [{"name": "s", "ipRange": "10.0.1.0/24"}],
            "routeTables": [{"subnets": ["t"]}],
        },
        "routeTables[0].subnets[0]",
        "is the name of none",
    ),
    "role of a route table": (
        {"routeTables": [{"role": "workers"}]},
        "routeTables[0].role",
        'Did you mean "worker"?',
    ),
    "subregion of a route table": (
        {"routeTables": [{"role": "worker", "subregion": "a"}]},
        "routeTables[0].subregion",
        "is no subregion",
    ),
    "two routes to one place": (
        {
            "routeTables": [
                {"role": "worker", "routes": [{"targetType": "gateway"}, {"targetType": "nat"}]}
            ]
        },
        "routeTables[0].routes[1].destination",
        '"0.0.0.0/0" stands in spec.network.routeTables[0].routes[0] already',
    ),
    "target of a route": (
        {"routeTables": [{"role": "worker", "routes": [{"targetType": "nat-service"}]}]},
        "routeTables[0].routes[0].targetType",
        "is not known",
    ),
    "destination of a route": (
        {
            "routeTables": [
                {"role": "worker", "routes": [{"targetType": "nat", "destination": "all"}]}
            ]
        },
        "routeTables[0].routes[0].destination",
        "is no IPv4 range",
    ),
    "NAT service of a route": (
        {
            "natServices": [{"name": "n"}],
            "routeTables": [
                {"role": "worker", "routes": [{"targetType": "nat", "targetName": "m"}]}
            ],
        },
        "routeTables[0].routes[0].targetName",
        "is the name of none",
    ),
    "route to an internet that is disabled": (
        {
            "disable": ["internet"],
            "loadBalancer": {"type": "internal"},
            "routeTables": [{"role": "worker", "routes": [{"targetType": "gateway"}]}],
        },
        "routeTables[0].routes[0]",
        "leads to a gateway",
    ),
    "existing security groups that are not listed": (
        {"useExisting": {"securityGroups": True}},
        "securityGroups",
        "no security groups are listed",
    ),
    "existing security group without an id": (
        {**EXISTING, "securityGroups": [{"roles": ["worker"]}]},
        "securityGroups[0].resourceId",
        "no id is given",
    ),
    "existing security group without roles": (
        {**EXISTING, "securityGroups": [{"resourceId": "sg-1"}]},
        "securityGroups[0].roles",
        "no roles are given",
    ),
    "rules of an existing security group": (
        {
            **EXISTING,
            "securityGroups": [
                {
                    "resourceId": "sg-1",
                    **group({})["securityGroups"][0],
                    "rules": [{"flow": "Inbound", "ipProtocol": "-1", "ipRanges": ["0.0.0.0/0"]}],
                }
            ],
        },
        "securityGroups[0].rules",
        "rules are not changed here",
    ),
    "security group that nothing refers to": (
        {"securityGroups": [{}]},
        "securityGroups[0]",
        "without name and roles",
    ),
    "role of a security group": (
        {"securityGroups": [{"name": "g", "roles": ["Worker"]}]},
        "securityGroups[0].roles[0]",
        'Did you mean "worker"?',
    ),
    "security groups of one name": (
        {"securityGroups": [{"name": "g"}, {"name": "g"}]},
        "securityGroups[1].name",
        "already",
    ),
    "security group that is named like an id": (
        {"securityGroups": [{"name": "sg-1"}]},
        "securityGroups[0].name",
        "starts with sg-",
    ),
    "id of a security group": (
        {"securityGroups": [{"resourceId": "g", "name": "g"}]},
        "securityGroups[0].resourceId",
        "is no id of a security group",
    ),
    "long description": (
        {"securityGroups": [{"name": "g", "description": "d" * 256}]},
        "securityGroups[0].description",
        "It has 256 characters.",
    ),
    "flow": (
        group({"flow": "inbound", "fromPort": 1}),
        "securityGroups[0].rules[0].flow",
        'Did you mean "Inbound"?',
    ),
    "protocol": (
        group({"ipProtocol": "all"}),
        "securityGroups[0].rules[0].ipProtocol",
        '"all" is no protocol.',
    ),
    "protocol number that is too large": (
        group({"ipProtocol": "256"}),
        "securityGroups[0].rules[0].ipProtocol",
        "is no protocol",
    ),
    "rule without ports": (
        group({}),
        "securityGroups[0].rules[0].fromPort",
        "A rule for tcp needs ports.",
    ),
    "port that is too large": (
        group({"fromPort": 1, "toPort": 65536}),
        "securityGroups[0].rules[0].toPort",
        "65536 is not between 0 and 65535",
    ),
    "ports in reverse": (
        group({"fromPort": 2, "toPort": 1}),
        "securityGroups[0].rules[0].toPort",
        "toPort is 1, but fromPort is 2.",
    ),
    "ICMP with ports": (
        group({"ipProtocol": "icmp", "fromPort": 1, "toPort": 65535}),
        "securityGroups[0].rules[0].fromPort",
        "fromPort is a type and toPort a code",
    ),
    "rule for nobody": (
        group({"fromPort": 1, "ipRanges": []}),
        "securityGroups[0].rules[0].ipRanges",
        "No IP range is given.",
    ),
    "range of a rule": (
        group({"fromPort": 1, "ipRanges": ["10.0.0.0/8", "x"]}),
        "securityGroups[0].rules[0].ipRanges[1]",
        "is no IPv4 range",
    ),
    "additional rules for no automatic group": (
        {"additionalSecurityRules": [{"roles": ["nat"]}]},
        "additionalSecurityRules[0].roles",
        'exactly the roles "nat". Use those of one of them: loadbalancer; worker; controlplane;',
    ),
    "additional rule": (
        {
            "additionalSecurityRules": [
                {
                    "roles": ["worker"],
                    "rules": [{"flow": "Inbound", "ipProtocol": "tcp", "ipRanges": ["0.0.0.0/0"]}],
                }
            ]
        },
        "additionalSecurityRules[0].rules[0].fromPort",
        "needs ports",
    ),
    "clients": ({"allowFromIPRanges": ["1.2.3.4"]}, "allowFromIPRanges[0]", "is no IPv4 range"),
    "targets": ({"allowToIPRanges": ["0.0.0.0/0", "x"]}, "allowToIPRanges[1]", "is no IPv4 range"),
    "load balancer that is disabled": (
        {"disable": ["loadbalancer"], "loadBalancer": {"name": "lb"}},
        "loadBalancer",
        'the load balancer "lb" is described',
    ),
    "name with a space": ({"loadBalancer": {"name": "a b"}}, "loadBalancer.name", "no name of"),
    "name with a dash at its end": ({"loadBalancer": {"name": "a-"}}, "loadBalancer.name", "dash"),
    "name of 33 characters": ({"loadBalancer": {"name": "a" * 33}}, "loadBalancer.name", "32"),
    "existing load balancer without a name": (
        {"useExisting": {"loadBalancer": True}},
        "loadBalancer.name",
        "useExisting.loadBalancer is true, but no name is given.",
    ),
    "type": ({"loadBalancer": {"type": "public"}}, "loadBalancer.type", "is not known"),
    "subnet of the load balancer": (
        {
            "subnets": [{"name": "s", "ipRange": "10.0.1.0/24"}],
            "loadBalancer": {"subnetName": "t"},
        },
        "loadBalancer.subnetName",
        "is the name of none",
    ),
    "security group of the load balancer": (
        {"securityGroups": [{"name": "g"}], "loadBalancer": {"securityGroupName": "h"}},
        "loadBalancer.securityGroupName",
        '"h" is the name of none; there is "g".',
    ),
    "id of a public IP": (
        {"loadBalancer": {"publicIpId": "1.2.3.4"}},
        "loadBalancer.publicIpId",
        "is no id of a public IP",
    ),
    "public IP from two places": (
        {"loadBalancer": {"publicIpId": "eipalloc-1", "publicIpPool": "p"}},
        "loadBalancer.publicIpPool",
        "Keep one of the two.",
    ),
    "public IP of an internal load balancer": (
        {"loadBalancer": {"type": "internal", "publicIpPool": "p"}},
        "loadBalancer.type",
        "is internal, but has a public IP",
    ),
    "port of a listener": (
        {"loadBalancer": {"listener": {"port": 0}}},
        "loadBalancer.listener.port",
        "0 is not between 1 and 65535",
    ),
    "protocol of a listener": (
        {"loadBalancer": {"listener": {"protocol": "UDP"}}},
        "loadBalancer.listener.protocol",
        "is not known",
    ),
    "listener that needs a certificate": (
        {"loadBalancer": {"listener": {"protocol": "SSL"}}},
        "loadBalancer.listener.protocol",
        "SSL needs a certificate",
    ),
    "two listeners on one port": (
        {"loadBalancer": {"additionalListeners": [{"port": 6443}]}},
        "loadBalancer.additionalListeners[0].port",
        "Another listener has port 6443 already.",
    ),
    "interval": (
        {"loadBalancer": {"healthCheck": {"checkInterval": 4}}},
        "loadBalancer.healthCheck.checkInterval",
        "4 is not between 5 and 600",
    ),
    "healthy threshold": (
        {"loadBalancer": {"healthCheck": {"healthyThreshold": 1}}},
        "loadBalancer.healthCheck.healthyThreshold",
        "1 is not between 2 and 10",
    ),
    "unhealthy threshold": (
        {"loadBalancer": {"healthCheck": {"unhealthyThreshold": 11}}},
        "loadBalancer.healthCheck.unhealthyThreshold",
        "11 is not between 2 and 10",
    ),
    "time to wait": (
        {"loadBalancer": {"healthCheck": {"timeout": 61}}},
        "loadBalancer.healthCheck.timeout",
        "61 is not between 2 and 60",
    ),
    "path of a check by TCP": (
        {"loadBalancer": {"healthCheck": {"path": "/readyz"}}},
        "loadBalancer.healthCheck.path",
        "protocol is TCP. Set protocol to HTTPS, or remove the path.",
    ),
    "path without a slash": (
        {"loadBalancer": {"healthCheck": {"protocol": "HTTP", "path": "readyz"}}},
        "loadBalancer.healthCheck.path",
        "does not begin with a slash",
    ),
    "Net of the management cluster": (
        {"netPeering": {"enable": True, "managementNetId": "x"}},
        "netPeering.managementNetId",
        "is no id of a Net",
    ),
    "bastion without an image": (
        {"bastion": {**BASTION, "image": {}}},
        "bastion.image",
        "No image is given.",
    ),
    "bastion without a keypair": (
        {"bastion": {**BASTION, "keypairName": ""}},
        "bastion.keypairName",
        "No keypair is given.",
    ),
    "type of the bastion": (
        {"bastion": {**BASTION, "vmType": "large"}},
        "bastion.vmType",
        "is no type of VM",
    ),
    "address of the bastion": (
        {"bastion": {**BASTION, "privateIps": ["10.0.0"]}},
        "bastion.privateIps[0]",
        "is no IPv4 address",
    ),
    "security group of the bastion": (
        {"securityGroups": [{"name": "g"}], "bastion": {**BASTION, "securityGroupNames": ["h"]}},
        "bastion.securityGroupNames[0]",
        "is the name of none",
    ),
    "bastion without the internet": (
        {"bastion": BASTION, "disable": ["internet"], "loadBalancer": {"type": "internal"}},
        "bastion",
        "so nobody can reach it",
    ),
    "public load balancer without the internet": (
        {"disable": ["internet"]},
        "loadBalancer.type",
        "so nobody could reach it",
    ),
}


@pytest.mark.parametrize("network", GOOD_NETWORKS.values(), ids=GOOD_NETWORKS)
def test_a_good_network_has_no_problem(network):
    assert cluster(network) == []


@pytest.mark.parametrize(("network", "path", "message"), NETWORKS.values(), ids=NETWORKS)
def test_a_problem_of_a_network_is_the_only_one_and_says_where_it_stands(network, path, message):
    [(found, text)] = cluster(network)
    assert found == f"spec.network.{path}"
    assert message in text
