"""Where each example of the document happens: in which world, and after which calls.

An example that is not listed happens in the world ``joined`` as it is.
"""

import dataclasses
from typing import Any

from fakecloud import clock
from fakecloud.cloud import Caller
from fakecloud.rules.identities import DEFAULT_PASSWORD, default_login
from tests.functional.cloud import world

LONG_S = 600
HOUR_S = 3600
KEY = "ABCDEFGHIJ0123456789"
TEXT_B64 = "aGVsbG8="


@dataclasses.dataclass(frozen=True)
class Scene:
    """Say in which world an example happens, after which ``steps``.

    steps: calls as pairs of action and request, numbers of seconds to wait, or functions of the
        cloud. renamed: objects of the world that get the identifier of another in this scene.
    refused: the code that refuses the example as it is written, because it has a placeholder
        (``"..."``) where a real value must stand; ``filled`` puts real values there.
    """

    level: str = "joined"
    steps: tuple[Any, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()
    refused: int | None = None
    why: str = ""
    filled: tuple[tuple[str, Any], ...] = ()


def stop(vm="i-12345678"):
    """Stop a VM."""
    return ("StopVms", {"VmIds": [vm]}), LONG_S


def unlink_volume():
    """Take the volume off its VM."""
    return ("UnlinkVolume", {"VolumeId": "vol-12345678"}), LONG_S


def unlink_nic():
    """Take the NIC off its VM."""
    return ("UnlinkNic", {"LinkNicId": "eni-attach-12345678"}), LONG_S


def link_nic():
    """Put the NIC into its VM."""
    request = {"NicId": "eni-12345678", "VmId": "i-12345678", "DeviceNumber": 1}
    return ("LinkNic", request), LONG_S


def delete_vms():
    """Delete the VMs, and wait until they are forgotten."""
    return ("DeleteVms", {"VmIds": ["i-12345678", "i-87654321"]}), 3 * HOUR_S


def open_net():
    """Lead the route table of the Net to the internet."""
    link = {"InternetServiceId": "igw-12345678", "NetId": "vpc-12345678"}
    return (("LinkInternetService", link), route("0.0.0.0/0"))


def route(destination):
    """Add a route to the internet service."""
    request = {
        "RouteTableId": "rtb-12345678",
        "DestinationIpRange": destination,
        "GatewayId": "igw-12345678",
    }
    return ("CreateRoute", request)


def link_table():
    """Link the route table with the subnet."""
    return (
        "LinkRouteTable",
        {"RouteTableId": "rtb-12345678", "SubnetId": "subnet-12345678"},
    )


def register():
    """Put both VMs behind the load balancer."""
    request = {
        "LoadBalancerName": "example-lbu",
        "BackendVmIds": ["i-12345678", "i-87654321"],
    }
    return ("LinkLoadBalancerBackendMachines", request), LONG_S


def by_address(cloud):
    """Put both VMs behind the load balancer, by their addresses."""
    cloud.call(
        "LinkLoadBalancerBackendMachines",
        LoadBalancerName="example-lbu",
        BackendIps=["192.0.2.0", "198.51.100.0"],
    )
    cloud.clock.advance(LONG_S)


def allow(*rules):
    """Add inbound rules to the security group."""
    request = {"Flow": "Inbound", "SecurityGroupId": "sg-12345678", "Rules": list(rules)}
    return ("CreateSecurityGroupRule", request)


def rule(port, **source):
    """Return a rule for TCP on one port."""
    return {"FromPortRange": port, "ToPortRange": port, "IpProtocol": "tcp", **source}


def log_a_call(cloud):
    """Make a call on the day and from the address of which the example asks the logs."""
    cloud.clock.jump(clock.parse("2017-05-10T12:34:56.789Z"))
    caller = Caller(
        world.ACCOUNT, cloud.region, source="192.0.2.0", access_key=KEY, agent="oAPI CLI v0.1"
    )
    cloud.perform("ReadRegions", {}, caller)


def another_version():
    """Make a second version the default of the policy."""
    request = {
        "PolicyOrn": world.POLICY_ORN,
        "Document": world.EVERYBODY,
        "SetAsDefault": True,
    }
    return ("CreatePolicyVersion", request)


def link_a_policy_of_outscale(cloud):
    """Link policies of Outscale's own, of which the example reads those that are linked."""
    for policy in cloud.call("ReadPolicies", Filters={"Scope": "OWS"})["Policies"][:3]:
        cloud.call("LinkPolicy", PolicyOrn=policy["Orn"], UserName="example-user")


def retire_user_key(cloud):
    """Delete the access key that lives longer than the example's limit."""
    named = {"AccessKeyId": "USERSKEYIJ0123456789", "UserName": "example-user"}
    cloud.call("UpdateAccessKey", State="INACTIVE", **named)
    cloud.call("DeleteAccessKey", **named)


def limit_keys(cloud):
    """Give the keys of the root user an end, without which no trusted session can be required."""
    for key in cloud.call("ReadAccessKeys")["AccessKeys"]:
        named = {"AccessKeyId": key["AccessKeyId"], "State": "ACTIVE"}
        cloud.call("UpdateAccessKey", ExpirationDate="2063-04-05", **named)


def in_june_2023(cloud):
    """Let everything be older than the month of which the example reads the consumption."""
    cloud.load(cloud.save().replace(b'"2026-01-0', b'"2023-06-0'))


RULES_BY_NAME = ("sg-abcdef01", "sg-12345678"), ("sg-12345678", "sg-abcdef03")
USERS_KEY = ("USERSKEYIJ0123456789", KEY), (KEY, "ROOTSKEYIJ0123456789")
PLACEHOLDER = "The example has '...' where a real value must stand."
ALONE = ("DeleteNic", {"NicId": "eni-12345678"})
PRIVATE_LB = ("private-lb-example", "example-lbu"), ("example-lbu", "other-lbu")
RULE_GONE = (("DeleteListenerRule", {"ListenerRuleName": "example-listener-rule"}), LONG_S)
UNLINKED_POLICY = (
    ("UnlinkPolicy", {"PolicyOrn": world.POLICY_ORN, "UserName": "example-user"}),
    (
        "UnlinkManagedPolicyFromUserGroup",
        {"PolicyOrn": world.POLICY_ORN, "UserGroupName": "example-usergroup"},
    ),
)
SECONDARY = ("10.0.0.6", "10.0.0.7")

# (action, example); an empty example stands for all examples of the action.
SCENES = {
    ("AcceptNetPeering", ""): Scene("apart"),
    ("AddUserToUserGroup", ""): Scene("empty"),
    ("CheckAuthentication", ""): Scene(
        refused=4120,
        why="The example's login is nobody's, and its password is the name of a variable.",
        filled=(("Login", default_login(world.ACCOUNT)), ("Password", DEFAULT_PASSWORD)),
    ),
    ("CreateCa", ""): Scene(refused=4124, why=PLACEHOLDER, filled=(("CaPem", world.pem),)),
    ("CreateDirectLinkInterface", ""): Scene("apart"),
    ("CreateKeypair", "ex2"): Scene(
        refused=4032, why=PLACEHOLDER, filled=(("PublicKey", world.public_key),)
    ),
    ("CreateListenerRule", ""): Scene(steps=RULE_GONE),
    ("CreateLoadBalancer", "ex1"): Scene("apart"),
    ("CreateLoadBalancer", "ex2"): Scene("apart", (*open_net(), link_table())),
    ("CreateNatService", ""): Scene("apart", (*open_net(), link_table())),
    ("CreateNetAccessPoint", ""): Scene("apart"),
    ("CreateNetPeering", "ex1"): Scene("empty"),
    ("CreateNetPeering", "ex2"): Scene(
        "empty", renamed=(("vpc-abcdef01", "vpc-87654321"), ("vpc-87654321", "vpc-abcdef02"))
    ),
    ("CreateNic", ""): Scene("apart"),
    ("CreatePolicy", ""): Scene(
        "empty", (("DeletePolicy", {"PolicyOrn": world.POLICY_ORN}),)
    ),
    ("CreateRoute", ""): Scene("apart", open_net()[:1]),
    ("CreateRouteTable", ""): Scene("apart"),
    ("CreateSecurityGroup", ""): Scene("empty"),
    ("CreateSecurityGroupRule", "ex1"): Scene("apart"),
    ("CreateSecurityGroupRule", "ex2"): Scene("apart", renamed=RULES_BY_NAME),
    ("CreateServerCertificate", ""): Scene(
        steps=(("DeleteServerCertificate", {"Name": "server-cert-example"}),),
        refused=3001,
        why=PLACEHOLDER,
        filled=(("Body", world.pem), ("Chain", None), ("PrivateKey", world.private_key)),
    ),
    ("CreateSubnet", ""): Scene("empty"),
    ("CreateUser", ""): Scene(
        "empty", (retire_user_key, ("DeleteUser", {"UserName": "example-user"}))
    ),
    ("CreateUserGroup", ""): Scene(
        "empty",
        (("DeleteUserGroup", {"UserGroupName": "example-usergroup", "Path": "/example/"}),),
    ),
    ("CreateVms", "ex1"): Scene("apart"),
    ("CreateVms", "ex2"): Scene(
        "apart", refused=4047, why=PLACEHOLDER, filled=(("UserData", TEXT_B64),)
    ),
    ("CreateVms", "ex3"): Scene(
        "apart", refused=4047, why=PLACEHOLDER, filled=(("UserData", TEXT_B64),)
    ),
    ("CreateVms", "ex4"): Scene(
        "apart", refused=4047, why=PLACEHOLDER, filled=(("UserData", TEXT_B64),)
    ),
    ("CreateVpnConnection", ""): Scene("apart"),
    ("DeleteAccessKey", "ex2"): Scene(
        steps=(("UpdateAccessKey", {"AccessKeyId": KEY, "State": "INACTIVE",
                                    "UserName": "example-user"}),),
        renamed=USERS_KEY,
    ),
    ("DeleteClientGateway", ""): Scene("apart"),
    ("DeleteDedicatedGroup", ""): Scene("empty"),
    ("DeleteDhcpOptions", ""): Scene("apart"),
    ("DeleteDirectLink", ""): Scene("apart"),
    ("DeleteFlexibleGpu", ""): Scene("apart"),
    ("DeleteInternetService", ""): Scene("apart"),
    ("DeleteLoadBalancer", ""): Scene(renamed=PRIVATE_LB),
    ("DeleteLoadBalancerPolicy", ""): Scene(renamed=PRIVATE_LB),
    ("DeleteNet", ""): Scene("empty"),
    ("DeleteNic", ""): Scene("apart"),
    ("DeletePolicy", ""): Scene("empty"),
    ("DeletePolicyVersion", ""): Scene(steps=(another_version(),)),
    ("DeletePublicIp", ""): Scene("apart"),
    ("DeleteRoute", ""): Scene("apart", (*open_net(), route("198.51.100.0/24"))),
    ("DeleteRouteTable", ""): Scene("apart"),
    ("DeleteSecurityGroup", ""): Scene("apart", (ALONE, *delete_vms())),
    ("DeleteSecurityGroupRule", "ex1"): Scene(
        "apart", (allow(rule(80, IpRanges=["10.0.0.0/16"])),)
    ),
    ("DeleteSecurityGroupRule", "ex2"): Scene(
        "apart",
        (
            allow(
                rule(22, SecurityGroupsMembers=[{"SecurityGroupName": "another-security-group"}]),
                rule(80, IpRanges=["10.0.0.0/16"]),
            ),
        ),
        renamed=RULES_BY_NAME,
    ),
    ("DeleteSnapshot", ""): Scene(
        "empty", (("DeleteImage", {"ImageId": "ami-12345678"}), LONG_S)
    ),
    ("DeleteSubnet", ""): Scene("apart", (ALONE, *delete_vms())),
    ("DeleteUser", ""): Scene("empty", (retire_user_key,)),
    ("DeleteUserGroup", ""): Scene("empty"),
    ("DeleteVirtualGateway", ""): Scene("apart"),
    ("DeleteVmTemplate", ""): Scene("empty"),
    ("DeleteVolume", ""): Scene("apart"),
    ("DeleteVpnConnectionRoute", ""): Scene(
        steps=(
            ("CreateVpnConnectionRoute",
             {"VpnConnectionId": "vpn-12345678", "DestinationIpRange": "10.0.0.0/16"}),
        ),
    ),
    ("DeregisterVmsInLoadBalancer", ""): Scene(steps=register()),
    ("LinkFlexibleGpu", ""): Scene("apart", stop()),
    ("LinkInternetService", ""): Scene("apart"),
    ("LinkManagedPolicyToUserGroup", ""): Scene("empty"),
    ("LinkNic", ""): Scene("apart"),
    ("LinkPolicy", ""): Scene("empty"),
    ("LinkPrivateIps", ""): Scene("apart"),
    ("LinkPublicIp", ""): Scene("apart", open_net()[:1]),
    ("LinkRouteTable", ""): Scene("apart"),
    ("LinkVirtualGateway", ""): Scene("apart"),
    ("LinkVolume", ""): Scene("apart"),
    ("ReadApiLogs", ""): Scene(steps=(log_a_call,)),
    ("ReadConsumptionAccount", ""): Scene(steps=(in_june_2023,)),
    ("ReadNics", "ex1"): Scene("apart", link_nic()),
    ("ReadNics", "ex2"): Scene("apart"),
    ("ReadPolicies", ""): Scene(steps=(link_a_policy_of_outscale,)),
    ("ReadPolicyVersions", ""): Scene(steps=(another_version(),)),
    ("ReadRouteTables", "ex1"): Scene("empty", renamed=(("rtb-abcdef01", "rtb-12345678"),)),
    ("ReadSecurityGroups", "ex1"): Scene("apart", (allow(rule(22, IpRanges=["192.0.2.0/32"])),)),
    ("ReadSecurityGroups", "ex2"): Scene("apart", (allow(rule(22, IpRanges=["192.0.2.0/32"])),)),
    ("ReadVms", ""): Scene("apart"),
    ("ReadVmsHealth", ""): Scene(steps=register()[:1]),
    ("RejectNetPeering", ""): Scene("apart"),
    ("StartVms", ""): Scene("apart", stop()),
    ("UnlinkInternetService", ""): Scene("apart", open_net()[:1]),
    ("UnlinkLoadBalancerBackendMachines", "ex1"): Scene(steps=register()),
    ("UnlinkLoadBalancerBackendMachines", "ex2"): Scene(steps=(by_address,)),
    ("UnlinkPrivateIps", ""): Scene(
        "apart",
        (("LinkPrivateIps", {"NicId": "eni-12345678", "PrivateIps": list(SECONDARY)}),),
    ),
    ("UpdateAccessKey", "ex3"): Scene(renamed=USERS_KEY),
    ("UpdateApiAccessPolicy", "ex1"): Scene(steps=(retire_user_key,)),
    ("UpdateApiAccessPolicy", "ex2"): Scene(
        steps=(
            ("CreateApiAccessRule", {"CaIds": ["ca-fedcba0987654321fedcba0987654321"]}),
            limit_keys,
        ),
    ),
    ("UpdateFlexibleGpu", ""): Scene("apart"),
    ("UpdateRoute", ""): Scene(
        "apart",
        (
            *open_net()[:1],
            route("198.51.100.0/24"),
            link_table(),
            ("LinkVirtualGateway", {"VirtualGatewayId": "vgw-12345678", "NetId": "vpc-12345678"}),
            LONG_S,
        ),
    ),
    ("UpdateRoutePropagation", ""): Scene(
        "empty",
        (
            ("LinkVirtualGateway", {"VirtualGatewayId": "vgw-12345678", "NetId": "vpc-12345678"}),
            LONG_S,
        ),
        renamed=(("rtb-abcdef01", "rtb-12345678"),),
    ),
    ("UpdateUser", ""): Scene("empty", (("DeleteUser", {"UserName": "test-user"}),)),
    ("UpdateVm", "ex1"): Scene("apart", stop()),
    ("UpdateVm", "ex2"): Scene(
        "apart", stop(), refused=4047, why=PLACEHOLDER, filled=(("UserData", TEXT_B64),)
    ),
    ("UpdateVmGroup", "ex2"): Scene(
        steps=(
            ("UpdateVmGroup",
             {"VmGroupId": "vmgroup-12345678901234567890123456789012", "Description": "A"}),
        ),
    ),
    ("UpdateVolume", ""): Scene("apart"),
}  # fmt: skip
