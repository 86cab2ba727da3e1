"""What the laws are checked on: a world rich in objects and states, and everything read from it."""

import functools

from fakecloud import ApiError, FakeCloud, document
from tests.functional.cloud import world

BOOK = document.load()
OF_A_USER = {"UserName": "example-user"}
OF_A_GROUP = {"UserGroupName": "example-usergroup", "UserGroupPath": "/example/"}
OF_A_POLICY = {"PolicyOrn": world.POLICY_ORN}
# What a Read that has no list of everything is asked for.
QUESTIONS = {
    "ReadAdminPassword": {"VmId": "i-12345678"},
    "ReadCO2EmissionAccount": {"FromMonth": "2026-01-01", "ToMonth": "2026-02-01"},
    "ReadConsoleOutput": {"VmId": "i-12345678"},
    "ReadConsumptionAccount": {"FromDate": "2026-01-01", "ToDate": "2026-02-01"},
    "ReadEntitiesLinkedToPolicy": OF_A_POLICY,
    "ReadLinkedPolicies": OF_A_USER,
    "ReadLoadBalancerTags": {"LoadBalancerNames": ["example-lbu"]},
    "ReadManagedPoliciesLinkedToUserGroup": {"UserGroupName": "example-usergroup"},
    "ReadPolicy": OF_A_POLICY,
    "ReadPolicyVersion": {**OF_A_POLICY, "VersionId": "v1"},
    "ReadPolicyVersions": OF_A_POLICY,
    "ReadUnitPrice": {
        "Operation": "CreateVolume",
        "Service": "TinaOS-FCU",
        "Type": "BSU:VolumeIOPS:io1",
    },
    "ReadUserGroup": {"UserGroupName": "example-usergroup", "Path": "/example/"},
    "ReadUserGroupPolicies": OF_A_GROUP,
    "ReadUserGroupPolicy": {**OF_A_GROUP, "PolicyName": "example-policy"},
    "ReadUserGroupsPerUser": {**OF_A_USER, "UserPath": "/example/"},
    "ReadUserPolicies": OF_A_USER,
    "ReadUserPolicy": {**OF_A_USER, "PolicyName": "example-policy"},
    "ReadVmsHealth": {"LoadBalancerName": "example-lbu"},
    "ReadVmsState": {"AllVms": True},
}
READS = [action for action, spec in BOOK.actions.items() if action.startswith("Read")]


def read(cloud, action, **request):
    """Return the answer of a Read, without what differs from call to call."""
    answer = cloud.call(action, **QUESTIONS.get(action, {}), **request)
    del answer["ResponseContext"]
    return answer


def everything(cloud):
    """Return the answer of every Read by action, but for the logs, which tell of the reading."""
    return {action: _answer(cloud, action) for action in READS if action != "ReadApiLogs"}


def _answer(cloud, action):
    try:
        return read(cloud, action)
    except ApiError as refusal:  # Not every world has the object of every question.
        return {"refused": refusal.code, "details": refusal.details}


@functools.cache
def _saved():
    cloud = world.load("joined")
    enrich(cloud)
    return cloud.save()


def rich():
    """Return a cloud that has something of everything, in as many states as there are."""
    cloud = FakeCloud()
    cloud.load(_saved())
    return cloud


def enrich(cloud):
    """Add what the world of the examples has not."""
    call = cloud.call
    for kind in ("Nets", "Subnets", "Volumes"):
        found = call(f"Read{kind}")[kind]
        ids = [item[f"{kind[:-1]}Id"] for item in found]
        call("CreateTags", ResourceIds=ids, Tags=[{"Key": "Name", "Value": kind}])
    _tag_the_rest(cloud)
    _give_filters_values(cloud)
    image = "ami-12345678"
    made = call("CreateVms", ImageId=image, MinVmsCount=3, MaxVmsCount=3, ClientToken="three")
    vms = [vm["VmId"] for vm in made["Vms"]]
    cloud.clock.advance(world.LONG_S)
    call("CreateVolume", VolumeType="standard", Size=4, SubregionName="eu-west-2a",
         ClientToken="volume")  # fmt: skip
    call("CreateSnapshot", VolumeId="vol-12345678", Description="a snapshot",
         ClientToken="snapshot")  # fmt: skip
    call("CreateNic", SubnetId="subnet-12345678", Description="a NIC")
    call("StopVms", VmIds=vms[1:2], ForceStop=True)
    call("DeleteVms", VmIds=vms[2:])
    cloud.clock.advance(world.LONG_S)


def _give_filters_values(cloud):
    """Make an object for each filter that nothing else has a value for."""
    call = cloud.call
    authority = "ca-fedcba0987654321fedcba0987654321"
    call("CreateApiAccessRule", IpRanges=["10.0.0.0/8"], CaIds=[authority], Cns=["example"])
    call("CreateDhcpOptions", LogServers=["10.0.0.9"])
    member = {"AccountId": world.ACCOUNT, "SecurityGroupId": "sg-12345678"}
    rules = [{"IpProtocol": "tcp", "FromPortRange": 1, "ToPortRange": 2,
              "SecurityGroupsMembers": [member]}]  # fmt: skip
    call("CreateSecurityGroupRule", Flow="Outbound", SecurityGroupId="sg-87654321", Rules=rules)
    shared = {"Additions": {"AccountIds": [world.OTHER]}}
    call("UpdateImage", ImageId="ami-12345678", PermissionsToLaunch=shared)
    call("UpdateSnapshot", SnapshotId="snap-12345678", PermissionsToCreateVolume=shared)
    for destination, target in (
        ("192.168.1.0/24", {"NatServiceId": "nat-12345678"}),
        ("192.168.2.0/24", {"NetPeeringId": "pcx-12345678"}),
        ("192.168.3.0/24", {"VmId": "i-87654321"}),
    ):
        call("CreateRoute", RouteTableId="rtb-12345678", DestinationIpRange=destination, **target)
    made = call("CreatePublicIp")["PublicIp"]["PublicIpId"]
    subnet = call("CreateSubnet", NetId="vpc-12345678", IpRange="10.0.64.0/24")["Subnet"][
        "SubnetId"
    ]
    call("LinkRouteTable", RouteTableId="rtb-12345678", SubnetId=subnet)
    call("CreateNatService", SubnetId=subnet, PublicIpId=made, ClientToken="nat")
    call(
        "UpdateVmGroup",
        VmGroupId="vmgroup-12345678901234567890123456789012",
        Description="a VM group",
    )
    call(
        "CreateVmTemplate",
        CpuCores=1,
        CpuGeneration="v5",
        ImageId="ami-12345678",
        KeypairName="keypair-example",
        Ram=1,
        Tags=[{"Key": "Name", "Value": "template"}],
        VmTemplateName="another",
        Description="a template",
    )
    call("CreateVpnConnectionRoute", VpnConnectionId="vpn-12345678",
         DestinationIpRange="192.168.9.0/24")  # fmt: skip


def _tag_the_rest(cloud):
    ids = [
        "ami-12345678", "cgw-12345678", "dopt-12345678", "eipalloc-12345678", "eni-12345678",
        "fgpu-12345678", "i-12345678", "igw-12345678", "image-export-12345678",
        "key-abcdef1234567890abcdef1234567890", "nat-12345678", "pcx-12345678", "rtb-12345678",
        "sg-12345678", "snap-12345678", "snap-export-12345678", "vgw-12345678", "vpce-12345678",
        "vpn-12345678",
    ]  # fmt: skip
    for id_ in ids:
        cloud.call("CreateTags", ResourceIds=[id_], Tags=[{"Key": "Name", "Value": "example"}])
