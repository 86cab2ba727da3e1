"""Clouds with something in them already, and the specs that are tried on them."""

import dataclasses
from collections.abc import Callable

from fakecloud import FakeCloud
from tests.functional.provider import driver

FAR = "999999999999"


@dataclasses.dataclass(frozen=True)
class Example:
    """A spec, and what has to be in the cloud before it is tried."""

    spec: Callable[[FakeCloud], dict]
    name: str

    def start(self):
        """Return a driver on a new cloud, with a neighbour in it."""
        fake = FakeCloud(seed=1)
        far = None
        if "peering" in self.name:
            fake.add_account(FAR)
            far = driver.Direct(fake, FAR)
        neighbour(fake)
        spec = self.spec(fake)
        return driver.ClusterDriver(spec, fake, far=far)


def neighbour(fake):
    """Put in what is somebody else's: tagged for another cluster, and with no tag at all."""
    cloud = driver.Direct(fake)
    for tags in (["OscK8sClusterID/another=owned"], []):
        net = cloud.call("CreateNet", IpRange="10.0.0.0/16")["Net"]["NetId"]
        subnet = cloud.call("CreateSubnet", NetId=net, IpRange="10.0.2.0/24")["Subnet"]["SubnetId"]
        group = cloud.call(
            "CreateSecurityGroup", NetId=net, SecurityGroupName="demo-node", Description="theirs"
        )["SecurityGroup"]["SecurityGroupId"]
        table = cloud.call("CreateRouteTable", NetId=net)["RouteTable"]["RouteTableId"]
        address = cloud.call("CreatePublicIp")["PublicIp"]["PublicIpId"]
        gate = cloud.call("CreateInternetService")["InternetService"]["InternetServiceId"]
        for tag in tags:
            key, value = tag.split("=")
            ids = [net, subnet, group, table, address, gate]
            cloud.call("CreateTags", ResourceIds=ids, Tags=[{"Key": key, "Value": value}])


def _default(_fake):
    return {}


def _subregions(_fake):
    return {"network": {"subregions": ["eu-west-2a", "eu-west-2b", "eu-west-2c"]}}


def _bastion(fake):
    keypair(fake)
    image = driver.Direct(fake).read("ReadImages")[0]["ImageId"]
    bastion = {"enable": True, "image": {"id": image}, "keypairName": "ops"}
    return {"network": {"bastion": bastion, "allowFromIPRanges": ["192.0.2.0/24"]}}


def keypair(fake):
    """Make the key pair that VMs are made with."""
    driver.Direct(fake).call("CreateKeypair", KeypairName="ops")


def _offline(_fake):
    network = {"disable": ["internet"], "loadBalancer": {"type": "internal"}}
    return {"network": {**network, "netAccessPoints": ["api", "lbu"]}}


def _hosted(_fake):
    endpoint = {"host": "api.example.com", "port": 6443}
    return {"controlPlaneEndpoint": endpoint, "network": {"disable": ["loadbalancer"]}}


def _pool(fake):
    cloud = driver.Direct(fake)
    made = [cloud.call("CreatePublicIp")["PublicIp"]["PublicIpId"] for _ in range(4)]
    for pool, ids in (("nat", made[:2]), ("jump", made[2:3])):
        tags = [{"Key": "OscK8sIPPool", "Value": pool}]
        cloud.call("CreateTags", ResourceIds=ids, Tags=tags)
    network = _bastion(fake)["network"]
    bastion = {**network["bastion"], "publicIpPool": "jump"}
    balancer = {"publicIpId": made[3]}
    return {"network": {"natPublicIpPool": "nat", "bastion": bastion, "loadBalancer": balancer}}


def _small(_fake):
    return {"network": {"net": {"ipRange": "192.168.7.0/24"}}}


def _peering(fake):
    far = driver.Direct(fake, FAR)
    net = far.call("CreateNet", IpRange="172.16.0.0/16")["Net"]["NetId"]
    far.call("CreateRouteTable", NetId=net)
    peering = {"enable": True, "managementNetId": net, "managementAccountId": FAR}
    return {"network": {"netPeering": peering}}


def _groups(_fake):
    rules = [
        {"flow": "Inbound", "ipProtocol": "tcp", "ipRanges": ["0.0.0.0/0"], "fromPort": 6443},
        {"flow": "Inbound", "ipProtocol": "4", "ipRanges": ["10.0.0.0/16"]},
    ]
    groups = [
        {"name": "lb", "roles": ["loadbalancer"], "rules": rules[:1], "authoritative": True},
        {"name": "nodes", "roles": ["controlplane", "worker"], "rules": rules},
    ]
    return {"network": {"securityGroups": groups}}


def _routes(_fake):
    subnets = [
        {"name": "public", "ipRange": "10.0.1.0/24", "roles": ["loadbalancer", "nat"]},
        {"name": "private", "ipRange": "10.0.2.0/24", "roles": ["controlplane", "worker"]},
    ]
    tables = [
        {"subnets": ["public"], "routes": [{"targetType": "gateway"}]},
        {"role": "worker", "routes": [{"targetType": "nat", "targetName": "way-out"}]},
    ]
    nats = [{"name": "way-out", "subnetName": "public"}]
    return {"network": {"subnets": subnets, "routeTables": tables, "natServices": nats}}


def _reused(fake):
    cloud = driver.Direct(fake)
    net = cloud.call("CreateNet", IpRange="10.9.0.0/16")["Net"]["NetId"]
    gate = cloud.call("CreateInternetService")["InternetService"]["InternetServiceId"]
    cloud.call("LinkInternetService", InternetServiceId=gate, NetId=net)
    subnets = []
    for number, roles in enumerate((["loadbalancer"], ["controlplane"], ["worker"])):
        ip_range = f"10.9.{number}.0/24"
        subnet = cloud.call("CreateSubnet", NetId=net, IpRange=ip_range)["Subnet"]["SubnetId"]
        subnets.append({"resourceId": subnet, "ipRange": ip_range, "roles": roles})
    table = cloud.call("CreateRouteTable", NetId=net)["RouteTable"]["RouteTableId"]
    aim = {"DestinationIpRange": "0.0.0.0/0", "GatewayId": gate}
    cloud.call("CreateRoute", RouteTableId=table, **aim)
    cloud.call("LinkRouteTable", RouteTableId=table, SubnetId=subnets[0]["resourceId"])
    cloud.call(
        "CreateSecurityGroup", NetId=net, SecurityGroupName="demo-node", Description="theirs"
    )
    return {
        "network": {
            "useExisting": {"net": True},
            "net": {"resourceId": net, "ipRange": "10.9.0.0/16"},
            "subnets": subnets,
        }
    }


EXAMPLES = [
    Example(_default, "default"),
    Example(_subregions, "three subregions"),
    Example(_bastion, "bastion"),
    Example(_offline, "no internet, access points"),
    Example(_hosted, "no load balancer"),
    Example(_pool, "addresses that exist"),
    Example(_small, "small Net"),
    Example(_peering, "peering"),
    Example(_groups, "groups of one's own"),
    Example(_routes, "routes of one's own"),
    Example(_reused, "a Net that exists"),
]
