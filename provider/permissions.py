"""What the provider may do in an OUTSCALE account: the exact EIM policy, and why each action is in.

A test reads the actions from the source of the provider, and compares.
https://docs.outscale.com/en/userguide/EIM-Policy-Elements.html
"""

from __future__ import annotations

import dataclasses
import json
import pathlib
from collections.abc import Mapping
from typing import Any

import click

PAGE = pathlib.Path(__file__).resolve().parent.parent / "docs" / "eim-policy.json"

GATEWAY, NET, SUBNET, TABLE = "igw-00000000", "vpc-00000000", "subnet-00000000", "rtb-00000000"
LINK, ADDRESS, GROUP, VM = "rtbassoc-00000000", "eipalloc-00000000", "sg-00000000", "i-00000000"
PEERING, POINT, GPU, NAT = "pcx-00000000", "vpce-00000000", "fgpu-00000000", "nat-00000000"
"""Things that do not exist: even if a trial were carried out, nothing would happen to them."""
BALANCER = "caposc-doctor"
_LISTENER = {"BackendPort": 6443, "LoadBalancerPort": 6443, "LoadBalancerProtocol": "TCP"}
_RULE = {"Flow": "Inbound", "SecurityGroupId": GROUP}
_ROUTE = {"RouteTableId": TABLE, "DestinationIpRange": "0.0.0.0/0"}


@dataclasses.dataclass(frozen=True)
class Permission:
    """One action."""

    action: str
    why: str
    """What the provider does with it."""
    trial: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """The smallest request that can be tried with DryRun."""


PERMISSIONS = (
    # The network.
    Permission("ReadNets", "finds the Net, and that of the management cluster"),
    Permission("CreateNet", "makes the Net", {"IpRange": "10.0.0.0/16"}),
    Permission("DeleteNet", "deletes the Net", {"NetId": NET}),
    Permission("ReadSubnets", "finds the subnets"),
    Permission("CreateSubnet", "makes a subnet", {"NetId": NET, "IpRange": "10.0.0.0/24"}),
    Permission("DeleteSubnet", "deletes a subnet", {"SubnetId": SUBNET}),
    Permission("ReadInternetServices", "finds the internet service"),
    Permission("CreateInternetService", "makes the internet service"),
    Permission(
        "LinkInternetService",
        "links the internet service to the Net",
        {"InternetServiceId": GATEWAY, "NetId": NET},
    ),
    Permission(
        "UnlinkInternetService",
        "unlinks the internet service before it is deleted",
        {"InternetServiceId": GATEWAY, "NetId": NET},
    ),
    Permission(
        "DeleteInternetService", "deletes the internet service", {"InternetServiceId": GATEWAY}
    ),
    Permission("ReadNatServices", "finds the NAT services"),
    Permission(
        "CreateNatService",
        "makes a NAT service",
        {"PublicIpId": ADDRESS, "SubnetId": SUBNET},
    ),
    Permission("DeleteNatService", "deletes a NAT service", {"NatServiceId": NAT}),
    Permission("ReadPublicIps", "finds public IPs, and pools of them"),
    Permission("CreatePublicIp", "allocates the public IP of a NAT service, bastion or machine"),
    Permission("LinkPublicIp", "gives a VM its public IP", {"PublicIpId": ADDRESS, "VmId": VM}),
    Permission("UnlinkPublicIp", "takes a public IP back", {"LinkPublicIpId": "eipassoc-00000000"}),
    Permission("DeletePublicIp", "releases a public IP", {"PublicIpId": ADDRESS}),
    Permission("ReadRouteTables", "finds the route tables"),
    Permission("CreateRouteTable", "makes a route table", {"NetId": NET}),
    Permission(
        "LinkRouteTable",
        "links a route table to a subnet",
        {"RouteTableId": TABLE, "SubnetId": SUBNET},
    ),
    Permission(
        "UpdateRouteTableLink",
        "gives a subnet another route table",
        {"LinkRouteTableId": LINK, "RouteTableId": TABLE},
    ),
    Permission("UnlinkRouteTable", "unlinks a route table", {"LinkRouteTableId": LINK}),
    Permission("DeleteRouteTable", "deletes a route table", {"RouteTableId": TABLE}),
    Permission("CreateRoute", "adds a route", {**_ROUTE, "GatewayId": GATEWAY}),
    Permission("UpdateRoute", "corrects a route", {**_ROUTE, "GatewayId": GATEWAY}),
    Permission("DeleteRoute", "removes a route", _ROUTE),
    Permission("ReadSecurityGroups", "finds the security groups"),
    Permission(
        "CreateSecurityGroup",
        "makes a security group",
        {"SecurityGroupName": "caposc-doctor", "Description": "never made"},
    ),
    Permission("DeleteSecurityGroup", "deletes a security group", {"SecurityGroupId": GROUP}),
    Permission("CreateSecurityGroupRule", "adds rules to a security group", _RULE),
    Permission("DeleteSecurityGroupRule", "removes rules from a security group", _RULE),
    Permission("ReadNetAccessPoints", "finds the Net access points"),
    Permission(
        "CreateNetAccessPoint",
        "makes a Net access point",
        {"NetId": NET, "ServiceName": "com.outscale.eu-west-2.api"},
    ),
    Permission(
        "UpdateNetAccessPoint",
        "gives a Net access point other route tables",
        {"NetAccessPointId": POINT},
    ),
    Permission("DeleteNetAccessPoint", "deletes a Net access point", {"NetAccessPointId": POINT}),
    Permission("ReadNics", "tells which NICs of others hold up a deletion"),
    Permission("ReadVirtualGateways", "tells which virtual gateways hold up a deletion"),
    Permission("ReadNetPeerings", "finds the peering with the management cluster"),
    Permission(
        "CreateNetPeering",
        "asks for the peering",
        {"AccepterNetId": NET, "SourceNetId": "vpc-00000001"},
    ),
    Permission("AcceptNetPeering", "accepts the peering", {"NetPeeringId": PEERING}),
    Permission("DeleteNetPeering", "ends the peering", {"NetPeeringId": PEERING}),
    # The load balancer.
    Permission("ReadLoadBalancers", "finds the load balancer"),
    Permission(
        "CreateLoadBalancer",
        "makes the load balancer",
        {"LoadBalancerName": BALANCER, "Listeners": [_LISTENER], "Subnets": [SUBNET]},
    ),
    Permission(
        "UpdateLoadBalancer",
        "sets the health check and the security groups of the load balancer",
        {"LoadBalancerName": BALANCER, "SecurityGroups": [GROUP]},
    ),
    Permission("DeleteLoadBalancer", "deletes the load balancer", {"LoadBalancerName": BALANCER}),
    Permission(
        "CreateLoadBalancerTags",
        "tags a load balancer that lost its tags",
        {
            "LoadBalancerNames": [BALANCER],
            "Tags": [{"Key": "caposc-doctor", "Value": ""}],
        },
    ),
    Permission(
        "CreateLoadBalancerListeners",
        "adds a listener",
        {"LoadBalancerName": BALANCER, "Listeners": [_LISTENER]},
    ),
    Permission(
        "DeleteLoadBalancerListeners",
        "removes a listener",
        {"LoadBalancerName": BALANCER, "LoadBalancerPorts": [6443]},
    ),
    Permission(
        "LinkLoadBalancerBackendMachines",
        "puts a control plane behind the load balancer",
        {"LoadBalancerName": BALANCER, "BackendVmIds": [VM]},
    ),
    Permission(
        "UnlinkLoadBalancerBackendMachines",
        "takes a control plane from the load balancer before it is deleted",
        {"LoadBalancerName": BALANCER, "BackendVmIds": [VM]},
    ),
    # Machines.
    Permission("ReadVms", "finds the VMs, and sees how they are"),
    Permission("CreateVms", "makes a VM", {"ImageId": "ami-00000000"}),
    Permission("StartVms", "starts a VM whose GPU had to be linked first", {"VmIds": [VM]}),
    Permission("UpdateVm", "sets the security groups of a VM", {"VmId": VM}),
    Permission("DeleteVms", "deletes a VM", {"VmIds": [VM]}),
    Permission(
        "CreateTags",
        "tags what belongs to a cluster",
        {
            "ResourceIds": [NET],
            "Tags": [{"Key": "caposc-doctor", "Value": ""}],
        },
    ),
    Permission(
        "DeleteTags",
        "takes away a role that a subnet or a security group has no more",
        {
            "ResourceIds": [NET],
            "Tags": [{"Key": "caposc-doctor", "Value": ""}],
        },
    ),
    Permission("ReadImages", "finds the image of a VM"),
    Permission("ReadKeypairs", "looks whether the keypair of a VM exists"),
    Permission("ReadSnapshots", "looks whether the snapshot of a volume exists"),
    Permission("ReadFlexibleGpus", "finds the GPU of a machine"),
    Permission(
        "CreateFlexibleGpu",
        "allocates a GPU",
        {"ModelName": "nvidia-p6", "SubregionName": "eu-west-2a"},
    ),
    Permission("LinkFlexibleGpu", "gives a VM its GPU", {"FlexibleGpuId": GPU, "VmId": VM}),
    Permission("DeleteFlexibleGpu", "releases a GPU", {"FlexibleGpuId": GPU}),
    # caposc doctor.
    Permission("ReadQuotas", "tells how much of each quota is left"),
    Permission("ReadSubregions", "tells which subregions there are"),
)


def policy() -> dict[str, Any]:
    """Return the EIM policy for the user whose access key the provider has."""
    actions = sorted(f"api:{each.action}" for each in PERMISSIONS)
    return {"Statement": [{"Effect": "Allow", "Action": actions, "Resource": ["*"]}]}


def text() -> str:
    """Return the policy as it stands in docs/eim-policy.json."""
    return json.dumps(policy(), indent=2) + "\n"


@click.command()
@click.option("--why", is_flag=True, help="Tell what each action is for, instead.")
def permissions(*, why: bool) -> None:
    """Print the EIM policy that the provider needs."""
    if not why:
        click.echo(text(), nl=False)
        return
    width = max(len(each.action) for each in PERMISSIONS)
    for each in PERMISSIONS:
        click.echo(f"{each.action:{width}}  {each.why}")


def main() -> None:
    """Write the policy into the documents."""
    PAGE.write_text(text(), encoding="utf-8")


if __name__ == "__main__":
    main()
