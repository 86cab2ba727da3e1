"""The closed world of the document's examples: an object for every identifier that they name.

The objects are made by calls, as a user would; then the saved state gets the identifiers, names
and addresses of the examples, by replacing texts. There are three worlds, because the examples
contradict each other (one deletes an empty Net, another reads a VM in it):

- ``empty``: the Nets are empty, and nothing is linked with anything.
- ``apart``: subnets, security groups, NICs and VMs are there; gateways and volumes are not linked.
- ``joined``: everything is linked with everything.
"""

import base64
import datetime as dt
import functools
import re

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from fakecloud import FakeCloud

ACCOUNT = "123456789012"
OTHER = "987654321098"
LEVELS = ("empty", "apart", "joined")
LONG_S = 600
EVERYBODY = '{"Statement": [ {"Effect": "Allow", "Action": ["*"], "Resource": ["*"]} ]}'
TAGS = [{"Key": "key1", "Value": "value1"}, {"Key": "env", "Value": "prod"}]
POLICY_ORN = "orn:ows:idauth::012345678910:policy/example/example-user-policy"
CERTIFICATE_ORN = "orn:ows:idauth::012345678910:server-certificate/Certificate"
# What a load does to the saved text besides the identifiers.
TEXTS = {"orn:ows:idauth::123456789012:": "orn:ows:idauth::012345678910:"}


@functools.cache
def _key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@functools.cache
def pem():
    """Return a certificate as PEM text."""
    key = _key()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "example")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
        .not_valid_after(dt.datetime(2060, 1, 1, tzinfo=dt.UTC))
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def private_key():
    """Return the key of the certificate as PEM text."""
    return (
        _key()
        .private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
        .decode()
    )


def public_key():
    """Return an SSH key as CreateKeypair takes it: encoded once more in Base64."""
    text = (
        _key()
        .public_key()
        .public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    )
    return base64.b64encode(text).decode()


class Builder:
    """Make calls in which the fixture's identifiers stand for those that the cloud minted."""

    def __init__(self, cloud):
        self.cloud = cloud
        self.minted = {}
        self.answers = []

    def __call__(self, action, /, account="", **request):
        answer = self.cloud.call(action, account=account, **self.translate(request))
        self.answers.append(answer)
        return answer

    def translate(self, value):
        """Replace the fixture's identifiers in a request."""
        if isinstance(value, dict):
            return {key: self.translate(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.translate(item) for item in value]
        return self.minted.get(value, value) if isinstance(value, str) else value

    def name(self, answer, path, fixture):
        """Remember that what stands at a dotted path of an answer is called ``fixture``."""
        for part in path.split("."):
            answer = answer[int(part)] if part.isdigit() else answer[part]
        self.minted[fixture] = answer

    def wait(self, seconds=LONG_S):
        """Let time pass."""
        self.cloud.clock.advance(seconds)

    def saved(self):
        """Return the saved state with the fixture's identifiers."""
        texts = {minted: fixture for fixture, minted in self.minted.items()} | TEXTS
        return replace(self.cloud.save().decode(), texts)


def replace(text, texts):
    """Replace whole words of a text, all at once."""
    either = "|".join(re.escape(old) for old in sorted(texts, key=len, reverse=True))
    # An identifier ends where no letter, digit or dash of it could follow.
    return re.sub(f"(?<![\\w-])(?:{either})(?![0-9a-fA-F])", lambda hit: texts[hit[0]], text)


@functools.cache
def saved(level):
    """Return the saved state of one of the worlds, built once per process."""
    make = Builder(FakeCloud())
    build(make, level)
    return make.saved()


def build(make, level):
    """Make the calls that build one of the worlds."""
    build_network(make)
    build_storage(make)
    build_gateways(make)
    build_identities(make)
    build_groups(make)
    if level != "empty":
        build_compute(make)
    if level == "joined":
        join_network(make)
        join_compute(make)
        join_balancers(make)
        join_gateways(make)
        join_identities(make)
    make.wait()
    build_tasks(make)


def load(level="joined", renamed=None):
    """Return a cloud with one of the worlds; ``renamed`` gives objects other identifiers."""
    cloud = FakeCloud()
    text = saved(level)
    if renamed:
        text = replace(text, renamed)
    cloud.load(text.encode())
    return cloud


def build_network(make):
    for range_, fixture in (("10.0.0.0/16", "vpc-12345678"), ("172.16.0.0/16", "vpc-87654321")):
        make.name(make("CreateNet", IpRange=range_), "Net.NetId", fixture)
    filters = {"NetIds": ["vpc-12345678"]}
    table = make("ReadRouteTables", Filters=filters)["RouteTables"][0]
    make.name(table, "RouteTableId", "rtb-abcdef01")
    make.name(table, "LinkRouteTables.0.LinkRouteTableId", "rtbassoc-abcdef01")
    for fixture, name in (
        ("sg-abcdef01", "public-group"),
        ("sg-abcdef02", "another-security-group"),
    ):
        made = make("CreateSecurityGroup", SecurityGroupName=name, Description=name)
        make.name(made, "SecurityGroup.SecurityGroupId", fixture)
    # The Net of another account, which examples of peerings name.
    other = make("CreateNet", account=OTHER, IpRange="172.16.0.0/16")
    make.name(other, "Net.NetId", "vpc-abcdef01")
    made = make(
        "CreateDhcpOptions",
        DomainName="example.com",
        DomainNameServers=["192.0.2.0", "198.51.100.0"],
        NtpServers=["203.0.113.0", "203.0.113.1"],
    )
    make.name(made, "DhcpOptionsSet.DhcpOptionsSetId", "dopt-12345678")
    made = make("CreateInternetService")
    make.name(made, "InternetService.InternetServiceId", "igw-12345678")
    for fixture, address in (
        ("eipalloc-12345678", "192.0.2.0"),
        ("eipalloc-87654321", "198.51.100.0"),
        ("eipalloc-abcdef01", "203.0.113.0"),
    ):
        made = make("CreatePublicIp")
        make.name(made, "PublicIp.PublicIpId", fixture)
        make.name(made, "PublicIp.PublicIp", address)
    make("CreateTags", ResourceIds=["igw-12345678"], Tags=TAGS)
    services = make("ReadNetAccessPointServices")["Services"]
    named = {service["ServiceName"]: service["ServiceId"] for service in services}
    make.minted["pl-12345678"] = named["com.outscale.eu-west-2.api"]
    make.minted["pl-87654321"] = named["com.outscale.eu-west-2.oos"]


def build_storage(make):
    made = make(
        "CreateVolume", VolumeType="gp2", Size=10, SubregionName="eu-west-2a",
    )  # fmt: skip
    make.name(made, "Volume.VolumeId", "vol-12345678")
    make.wait()
    make.name(
        make("CreateSnapshot", VolumeId="vol-12345678"), "Snapshot.SnapshotId", "snap-12345678"
    )
    make.wait()
    made = make(
        "CreateImage",
        ImageName="image-example",
        RootDeviceName="/dev/sda1",
        BlockDeviceMappings=[{"DeviceName": "/dev/sda1", "Bsu": {"SnapshotId": "snap-12345678"}}],
    )
    make.name(made, "Image.ImageId", "ami-12345678")
    make("CreateTags", ResourceIds=["snap-12345678"], Tags=TAGS)
    # A key of our own, because one that the cloud makes is another each time.
    made = make("CreateKeypair", KeypairName="keypair-example", PublicKey=public_key())
    make.name(made, "Keypair.KeypairId", "key-abcdef1234567890abcdef1234567890")
    other = make(
        "CreateVolume", VolumeType="gp2", Size=10, SubregionName="eu-west-2a"
    )  # fmt: skip
    make.wait()
    made = make("UpdateVolume", VolumeId=other["Volume"]["VolumeId"], VolumeType="io1", Iops=200)
    make.name(made, "Volume.TaskId", "vol-update-12345678")


def build_tasks(make):
    """Begin the exports: last of all, because one that is over cannot be cancelled."""
    export = {"DiskImageFormat": "qcow2", "OsuBucket": "BUCKET", "OsuPrefix": "PREFIX"}
    made = make("CreateImageExportTask", ImageId="ami-12345678", OsuExport=export)
    make.name(made, "ImageExportTask.TaskId", "image-export-12345678")
    made = make("CreateSnapshotExportTask", SnapshotId="snap-12345678", OsuExport=export)
    make.name(made, "SnapshotExportTask.TaskId", "snap-export-12345678")


def build_gateways(make):
    for fixture in ("vgw-12345678", "vgw-87654321"):
        made = make("CreateVirtualGateway", ConnectionType="ipsec.1")
        make.name(made, "VirtualGateway.VirtualGatewayId", fixture)
    made = make("CreateClientGateway", ConnectionType="ipsec.1", PublicIp="192.0.2.0", BgpAsn=65000)
    make.name(made, "ClientGateway.ClientGatewayId", "cgw-12345678")
    made = make(
        "CreateDirectLink", Location="PAR1", Bandwidth="1Gbps", DirectLinkName="To Outscale"
    )
    make.name(made, "DirectLink.DirectLinkId", "dxcon-12345678")
    make.wait(2 * 86400)


def build_identities(make):
    authority, key = pem(), private_key()
    made = make("CreateCa", CaPem=authority, Description="CA example")
    make.name(made, "Ca.CaId", "ca-fedcba0987654321fedcba0987654321")
    made = make("CreateApiAccessRule", IpRanges=["0.0.0.0/0"], Description="Allows all")
    make.name(made, "ApiAccessRule.ApiAccessRuleId", "aar-1234567890abcdef1234567890abcdef")
    for name, path in (
        ("server-cert-example", "/example/"),
        ("Certificate", "/"),
        ("AnotherCertificate", "/"),
    ):
        make("CreateServerCertificate", Name=name, Body=authority, PrivateKey=key, Path=path)
    for name in ("example-user", "test-user"):
        user = make("CreateUser", UserName=name, Path="/example/", UserEmail="user@example.com")
        if name == "example-user":
            make.name(user, "User.UserId", "ABCDEFGHIJKLMNOPQRSTUVWXYZ12345")
    for name in ("example-usergroup", "other-usergroup"):
        group = make("CreateUserGroup", UserGroupName=name, Path="/example/")
        if name == "example-usergroup":
            make.name(group, "UserGroup.UserGroupId", "ug-12345678")
    for name in ("example-user-policy", "another-policy"):
        make(
            "CreatePolicy",
            PolicyName=name,
            Path="/example/",
            Document=EVERYBODY,
            Description="Example of description",
        )
    make.name(
        make("CreateAccessKey", Tag="Group1"), "AccessKey.AccessKeyId", "ABCDEFGHIJ0123456789"
    )
    made = make(
        "CreateAccessKey", UserName="example-user", Tag="Group1", ExpirationDate="2063-04-05"
    )
    make.name(made, "AccessKey.AccessKeyId", "USERSKEYIJ0123456789")


def build_groups(make):
    made = make(
        "CreateDedicatedGroup", CpuGeneration=4, Name="dedicated-group", SubregionName="eu-west-2a"
    )
    make.name(made, "DedicatedGroup.DedicatedGroupId", "ded-12345678")
    made = make("CreateProductType", Vendor="vendor-name", Description="Example of description")
    make.name(made, "ProductType.ProductTypeId", "pty-12345678")
    made = make(
        "CreateVmTemplate",
        CpuCores=2,
        CpuGeneration="v4",
        CpuPerformance="high",
        ImageId="ami-12345678",
        Ram=2,
        VmTemplateName="vmtemplate-example",
    )
    make.name(made, "VmTemplate.VmTemplateId", "vmtemplate-98765432109876543210987654321012")
    made = make(
        "CreateFlexibleGpu",
        ModelName="nvidia-p100",
        Generation="v5",
        SubregionName="eu-west-2a",
        DeleteOnVmDeletion=True,
    )
    make.name(made, "FlexibleGpu.FlexibleGpuId", "fgpu-12345678")


def build_compute(make):
    make.name(
        make("CreateSubnet", NetId="vpc-12345678", IpRange="10.0.0.0/18"),
        "Subnet.SubnetId",
        "subnet-12345678",
    )
    for fixture, name in (
        ("sg-12345678", "security-group-example"),
        ("sg-87654321", "another-security-group"),
    ):
        made = make(
            "CreateSecurityGroup", NetId="vpc-12345678", SecurityGroupName=name, Description=name
        )
        make.name(made, "SecurityGroup.SecurityGroupId", fixture)
    for fixture in ("rtb-12345678", "rtb-87654321"):
        made = make("CreateRouteTable", NetId="vpc-12345678")
        make.name(made, "RouteTable.RouteTableId", fixture)
    made = make(
        "CreateNic",
        SubnetId="subnet-12345678",
        SecurityGroupIds=["sg-12345678"],
        PrivateIps=[{"IsPrimary": True, "PrivateIp": "10.0.0.30"}],
    )
    make.name(made, "Nic.NicId", "eni-12345678")
    for fixture, address in (("i-12345678", "10.0.0.20"), ("i-87654321", "10.0.0.21")):
        made = make(
            "CreateVms",
            ImageId="ami-12345678",
            VmType="tinav5.c1r1p1",
            KeypairName="keypair-example",
            SecurityGroupIds=["sg-12345678"],
            SubnetId="subnet-12345678",
            PrivateIps=[address],
        )
        make.name(made, "Vms.0.VmId", fixture)
    made = make("CreateNetPeering", SourceNetId="vpc-12345678", AccepterNetId="vpc-87654321")
    make.name(made, "NetPeering.NetPeeringId", "pcx-12345678")
    make.wait()
    make("CreateTags", ResourceIds=["i-12345678"], Tags=TAGS)


def join_network(make):
    make("LinkInternetService", InternetServiceId="igw-12345678", NetId="vpc-12345678")
    for destination in ("0.0.0.0/0", "198.51.100.0/24"):
        make(
            "CreateRoute",
            RouteTableId="rtb-12345678",
            DestinationIpRange=destination,
            GatewayId="igw-12345678",
        )
    made = make("LinkRouteTable", RouteTableId="rtb-12345678", SubnetId="subnet-12345678")
    make.name(made, "LinkRouteTableId", "rtbassoc-12345678")
    for address, vm in (("192.0.2.0", "i-12345678"), ("198.51.100.0", "i-87654321")):
        made = make("LinkPublicIp", PublicIp=address, VmId=vm)
        if vm == "i-12345678":
            make.name(made, "LinkPublicIpId", "eipassoc-12345678")
    made = make("CreateNatService", SubnetId="subnet-12345678", PublicIpId="eipalloc-abcdef01")
    make.name(made, "NatService.NatServiceId", "nat-12345678")
    make(
        "CreateSecurityGroupRule",
        Flow="Inbound",
        SecurityGroupId="sg-12345678",
        Rules=[
            {
                "FromPortRange": 80,
                "ToPortRange": 80,
                "IpProtocol": "tcp",
                "IpRanges": ["10.0.0.0/16"],
            },
            {
                "FromPortRange": 443,
                "ToPortRange": 443,
                "IpProtocol": "tcp",
                "IpRanges": ["192.0.2.0"],
            },
        ],
    )
    make("UpdateNet", NetId="vpc-12345678", DhcpOptionsSetId="dopt-12345678")
    made = make(
        "CreateNetAccessPoint",
        NetId="vpc-12345678",
        RouteTableIds=["rtb-12345678"],
        ServiceName="com.outscale.eu-west-2.oos",
    )
    make.name(made, "NetAccessPoint.NetAccessPointId", "vpce-12345678")
    make("AcceptNetPeering", NetPeeringId="pcx-12345678")


def join_compute(make):
    made = make("LinkNic", NicId="eni-12345678", VmId="i-12345678", DeviceNumber=1)
    make.name(made, "LinkNicId", "eni-attach-12345678")
    make("LinkVolume", VolumeId="vol-12345678", VmId="i-12345678", DeviceName="/dev/sdb")
    make("LinkFlexibleGpu", FlexibleGpuId="fgpu-12345678", VmId="i-12345678")
    make.wait()
    make("StopVms", VmIds=["i-12345678"])
    make.wait()
    make("StartVms", VmIds=["i-12345678"])
    make.wait()
    made = make(
        "CreateVmGroup",
        PositioningStrategy="attract",
        SecurityGroupIds=["sg-12345678"],
        SubnetId="subnet-12345678",
        Tags=TAGS,
        VmCount=2,
        VmGroupName="ClusterLog-PPD01",
        VmTemplateId="vmtemplate-98765432109876543210987654321012",
    )
    make.name(made, "VmGroup.VmGroupId", "vmgroup-12345678901234567890123456789012")
    make.wait()


def join_balancers(make):
    make(
        "CreateLoadBalancer",
        LoadBalancerName="example-lbu",
        LoadBalancerType="internal",
        Subnets=["subnet-12345678"],
        SecurityGroups=["sg-12345678"],
        Tags=TAGS,
        Listeners=[
            {
                "BackendPort": 80,
                "BackendProtocol": "HTTP",
                "LoadBalancerPort": 80,
                "LoadBalancerProtocol": "HTTP",
            }
        ],
    )
    make(
        "CreateLoadBalancer",
        LoadBalancerName="private-lb-example",
        Subnets=["subnet-12345678"],
        SecurityGroups=["sg-12345678"],
        Tags=TAGS,
        Listeners=[
            {
                "BackendPort": 80,
                "BackendProtocol": "HTTP",
                "LoadBalancerPort": 443,
                "LoadBalancerProtocol": "HTTPS",
                "ServerCertificateId": CERTIFICATE_ORN.replace("012345678910", ACCOUNT),
            }
        ],
    )
    make.wait()
    join_listener_rules(make)
    make.wait()


def join_listener_rules(make):
    make(
        "CreateLoadBalancerPolicy",
        LoadBalancerName="private-lb-example",
        PolicyName="example-browser-policy",
        PolicyType="load_balancer",
    )
    make(
        "CreateListenerRule",
        Listener={"LoadBalancerName": "example-lbu", "LoadBalancerPort": 80},
        ListenerRule={
            "Action": "forward",
            "HostNamePattern": "*.example.com",
            "ListenerRuleName": "example-listener-rule",
            "Priority": 10,
        },
        VmIds=["i-12345678"],
    )


def join_gateways(make):
    make("LinkVirtualGateway", VirtualGatewayId="vgw-12345678", NetId="vpc-12345678")
    make.wait()
    made = make(
        "CreateDirectLinkInterface",
        DirectLinkId="dxcon-12345678",
        DirectLinkInterface={
            "DirectLinkInterfaceName": "MyDirectLinkInterface",
            "Vlan": 101,
            "BgpAsn": 65000,
            "BgpKey": "tgyn26example",
            "OutscalePrivateIp": "172.16.0.4/30",
            "ClientPrivateIp": "172.16.0.5/30",
            "VirtualGatewayId": "vgw-12345678",
        },
    )
    make.name(made, "DirectLinkInterface.DirectLinkInterfaceId", "dxvif-12345678")
    made = make(
        "CreateVpnConnection",
        ClientGatewayId="cgw-12345678",
        VirtualGatewayId="vgw-12345678",
        ConnectionType="ipsec.1",
        StaticRoutesOnly=True,
    )
    make.name(made, "VpnConnection.VpnConnectionId", "vpn-12345678")


def join_identities(make):
    orn = POLICY_ORN.replace("012345678910", ACCOUNT)
    for group in ("example-usergroup", "other-usergroup"):
        make(
            "AddUserToUserGroup",
            UserGroupName=group,
            UserGroupPath="/example/",
            UserName="example-user",
            UserPath="/example/",
        )
    for policy in (orn, orn.replace("example-user-policy", "another-policy")):
        make("LinkPolicy", PolicyOrn=policy, UserName="example-user")
        make("LinkManagedPolicyToUserGroup", PolicyOrn=policy, UserGroupName="example-usergroup")
    for name in ("example-user-policy", "example-policy"):
        make("PutUserPolicy", PolicyName=name, UserName="example-user", PolicyDocument=EVERYBODY)
    for name in ("example-usergroup-policy", "example-policy"):
        make(
            "PutUserGroupPolicy",
            PolicyName=name,
            UserGroupName="example-usergroup",
            UserGroupPath="/example/",
            PolicyDocument=EVERYBODY,
        )
