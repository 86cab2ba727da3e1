"""The quotas of an account: their names, limits, and the refusal when one is used up.

Names, collections and descriptions are those that ReadQuotas shows. The limits of Nets, security
groups and load balancers are documented; the others depend on the contract of an account, and
here they are large enough for a cluster. ``FakeCloud(quota={"vm_limit": 2})`` sets others.

https://docs.outscale.com/en/userguide/About-Your-OUTSCALE-Account.html
"""

from __future__ import annotations

from dataclasses import dataclass

from fakecloud.call import QUOTA_CODES


@dataclass(frozen=True)
class Quota:
    """One row of ReadQuotas.

    ``kind`` is whose live rows are counted; empty when a handler counts something else.
    ``per`` is the kind that has the quota when it is not the account's as a whole, and ``path``
    the index by which the rows of one such thing are found. ``code`` is the error for one more
    than ``maximum``.
    """

    name: str
    collection: str
    maximum: int
    code: int
    short: str
    description: str
    kind: str = ""
    per: str = ""
    path: str = ""


_COMPUTE = [
    Quota("vm_limit", "Compute", 1000, 10010, "VM Limit",
          "Maximum number of VM this user can own", "Vm"),
    Quota("core_limit", "Compute", 10_000, 10029, "Core Limit",
          "Maximum number of total cores (virtual core)"),
    Quota("memory_limit", "Compute", 40_000, 10042, "Memory Limit",
          "Maximum number of total memory (GiB)"),
    Quota("ip_limit", "Compute", 100, 10011, "IP Limit",
          "Maximum IP addresses the user can allocate", "PublicIp"),
    Quota("gpu_limit", "Compute", 20, 10046, "GPU Limit",
          "Maximum number of GPU the user can allocate", "FlexibleGpu"),
]  # fmt: skip

_STORAGE = [
    Quota("volume_limit", "Storage", 5000, 10018, "Volume Limit",
          "Maximum number of BSU volumes", "Volume"),
    Quota("snapshot_limit", "Storage", 10_000, 10026, "Snapshot Limit",
          "Maximum number of snapshots", "Snapshot"),
]  # fmt: skip

_GROUPS = [
    Quota("sg_limit", "Security Groups", 500, 10038, "Security Groups Limit",
          "Maximum number of security groups"),
    Quota("sg_rule_limit", "Security Groups", 250, 10017, "Security Groups Rules Limit",
          "Maximum number of rules per security groups", per="SecurityGroup"),
    Quota("vpc_sg_limit", "Security Groups", 500, 10038, "VPC Security Groups Limit",
          "Maximum number of security groups per VPC", "SecurityGroup", "Net", "NetId"),
    Quota("vpc_sg_rule_limit", "Security Groups", 250, 10017, "VPC Security Groups Rules Limit",
          "Maximum number of rules per VPC security group", per="SecurityGroup"),
]  # fmt: skip

# The error for one subnet too many is not published: there is no such name among the codes. The
# nearest one, of Nets, is used.
_NETWORK = [
    Quota("vpc_limit", "VPC", 5, 10022, "VPC Limit", "Maximum number of VPC", "Net"),
    Quota("subnet_limit", "VPC", 200, 10022, "Subnet Limit",
          "Maximum number of subnets per VPC", "Subnet", "Net", "NetId"),
    Quota("igw_limit", "VPC", 5, 10023, "Internet Gateway Limit",
          "Maximum number of internet gateways", "InternetService"),
    Quota("rtb_limit", "VPC", 200, 10037, "Route Table Limit",
          "Maximum number of route tables per VPC", "RouteTable", "Net", "NetId"),
    Quota("rtb_rule_limit", "VPC", 200, 10040, "Route Limit",
          "Maximum number of route rules per route table", per="RouteTable"),
    Quota("networklink_request_limit", "VPC", 25, 10034, "Peering requests limit",
          "Maximum number of peering connection in pending acceptance"),
    Quota("networklink_limit", "VPC", 50, 10035, "Peering connection limit",
          "Maximum number of available peering connections per VPC", per="Net"),
    Quota("network_endpoint_limit", "VPC", 50, 10033, "VPC Endpoint Limit",
          "Maximum number of VPC endpoints", "NetAccessPoint"),
    Quota("nat_gateway_limit", "VPC", 20, 10032, "Nat Gateway Limit",
          "Maximum number of NAT gateways", "NatService"),
]  # fmt: skip

_PRIVATE = [
    Quota("vpg_limit", "VPN", 5, 10039, "VPN Gateway Limit",
          "Maximum number of VPN gateways", "VirtualGateway"),
    Quota("cgw_limit", "VPN", 50, 10027, "Customer Gateway Limit",
          "Maximum number of CGW gateways", "ClientGateway"),
    Quota("vpnc_limit", "VPN", 10, 10028, "VPN Connection Limit",
          "Maximum number of VPN connections per VPN gateway", "VpnConnection",
          "VirtualGateway", "VirtualGatewayId"),
    Quota("static_route_limit", "VPN", 50, 10040, "Static Route Limit",
          "Maximum number of static routes per VPN connection", per="VpnConnection"),
    Quota("dl_connection_limit", "Direct Link", 5, 10028, "Direct Link Connection Limit",
          "Maximum number of Direct Link connections", "DirectLink"),
    Quota("dl_interface_limit", "Direct Link", 50, 10031, "Direct Link Interface Limit",
          "Maximum number Direct Link interfaces per connections", "DirectLinkInterface",
          "DirectLink", "DirectLinkId"),
]  # fmt: skip

_BALANCING = [
    Quota("lb_limit", "LBU", 20, 10014, "Load Balancer Limit",
          "Maximum number of load balancers per region", "LoadBalancer"),
    Quota("lb_listeners_limit", "LBU", 50, 10013, "Load Balancer Listeners Limit",
          "Maximum number of listeners for load balancers", per="LoadBalancer"),
    Quota("lb_rules_limit", "LBU", 100, 10012, "Load Balancer Listener Rules Limit",
          "Maximum number of listener rules for an account", "ListenerRule"),
]  # fmt: skip

_ROWS = [*_COMPUTE, *_STORAGE, *_GROUPS, *_NETWORK, *_PRIVATE, *_BALANCING]

QUOTAS: dict[str, Quota] = {row.name: row for row in _ROWS}


def check(name: str) -> None:
    """Raise ``ValueError`` for the name of a quota that does not exist."""
    if name not in QUOTAS:
        raise ValueError(f"There is no quota '{name}'. There are {', '.join(sorted(QUOTAS))}.")


QUOTA_CODES.update({row.name: row.code for row in _ROWS})
