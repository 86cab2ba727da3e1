"""The account in which a life takes place: what is in it before, and who else lives there."""

import contextlib
import itertools

from fakecloud import FakeCloud
from tests.functional.provider import driver

FAR = "999999999999"
POOL = "shared"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
"""A public key: making a new pair takes longer than a whole life."""
NAMES = ("demo", "second")
QUOTA = {"vpc_limit": 50, "igw_limit": 50, "ip_limit": 100, "sg_limit": 500, "vm_limit": 1000}
UIDS = ("5f1c0c5e-0000-4000-8000-000000000001", "5f1c0c5e-0000-4000-8000-000000000002")


class Ground:
    """A new cloud with keys, images, a pool of public IPs, and a Net to peer with or to use."""

    def __init__(self, seed):
        self.fake = FakeCloud(seed=seed, quota=QUOTA)
        self.fake.add_account(FAR)
        self.near = driver.Direct(self.fake)
        self.far = driver.Direct(self.fake, FAR)
        self.neighbour = Neighbour(self.near)
        self.served = []
        self.near.call("CreateKeypair", KeypairName="ops", PublicKey=KEY)
        image = self.near.read("ReadImages")[0]
        self.image, self.image_name = image["ImageId"], image["ImageName"]
        self.image_account = image["AccountId"]
        self.pool = [self._address() for _ in range(12)]
        self._tag(self.pool, "OscK8sIPPool", POOL)
        self.own_addresses = [self._address() for _ in NAMES]
        self._tag(self.own_addresses, "OscK8sNoDelete", "")
        self.peer = self.far.call("CreateNet", IpRange="172.16.0.0/16")["Net"]["NetId"]
        self.peer_subnet = self.far.call(
            "CreateSubnet", NetId=self.peer, IpRange="172.16.1.0/24", SubregionName="eu-west-2a"
        )["Subnet"]["SubnetId"]
        self.far.call("CreateRouteTable", NetId=self.peer)
        for tagged in (True, False):
            self.neighbour.move_in(is_tagged=tagged)

    @contextlib.contextmanager
    def in_peace(self):
        """Spare the calls of others: faults are for ours only."""
        faults = self.fake.faults
        stored, faults.all = faults.all, []
        try:
            yield
        finally:
            faults.all = stored

    def _address(self):
        return self.near.call("CreatePublicIp")["PublicIp"]["PublicIpId"]

    def _tag(self, ids, key, value):
        self.near.call("CreateTags", ResourceIds=ids, Tags=[{"Key": key, "Value": value}])

    def usable_net(self, number):
        """Make a Net with subnets, ways out and somebody's security group; return its spec."""
        call = self.near.call
        first = f"10.{100 + number}"
        net = call("CreateNet", IpRange=f"{first}.0.0/16")["Net"]["NetId"]
        gate = call("CreateInternetService")["InternetService"]["InternetServiceId"]
        call("LinkInternetService", InternetServiceId=gate, NetId=net)
        subnets = []
        for row, roles in enumerate((["loadbalancer"], ["controlplane"], ["worker"])):
            ip_range = f"{first}.{row}.0/24"
            made = call("CreateSubnet", NetId=net, IpRange=ip_range, SubregionName="eu-west-2a")
            subnet = made["Subnet"]["SubnetId"]
            subnets.append({"resourceId": subnet, "ipRange": ip_range, "roles": roles})
        table = call("CreateRouteTable", NetId=net)["RouteTable"]["RouteTableId"]
        aim = {"DestinationIpRange": "0.0.0.0/0", "GatewayId": gate}
        call("CreateRoute", RouteTableId=table, **aim)
        call("LinkRouteTable", RouteTableId=table, SubnetId=subnets[0]["resourceId"])
        group = {"SecurityGroupName": f"{NAMES[number]}-node", "Description": "theirs"}
        call("CreateSecurityGroup", NetId=net, **group)
        return {
            "useExisting": {"net": True},
            "net": {"resourceId": net, "ipRange": f"{first}.0.0/16"},
            "subnets": subnets,
        }


class Neighbour:
    """Somebody who makes what ours looks like, and tags it at once unless it stands there long."""

    def __init__(self, cloud):
        self._cloud = cloud
        self._numbers = itertools.count(1)
        self.ids = set()

    def move_in(self, *, is_tagged=True):
        """Make one of everything, in the ranges that ours has by default."""
        call = self._cloud.call
        number = next(self._numbers)
        net = call("CreateNet", IpRange="10.0.0.0/16")["Net"]["NetId"]
        subnet = call("CreateSubnet", NetId=net, IpRange="10.0.2.0/24")["Subnet"]["SubnetId"]
        about = {"SecurityGroupName": "demo-node", "Description": "theirs"}
        group = call("CreateSecurityGroup", NetId=net, **about)["SecurityGroup"]
        table = call("CreateRouteTable", NetId=net)["RouteTable"]["RouteTableId"]
        address = call("CreatePublicIp")["PublicIp"]["PublicIpId"]
        gate = call("CreateInternetService")["InternetService"]["InternetServiceId"]
        ids = [net, subnet, group["SecurityGroupId"], table, address, gate]
        self.ids.update(ids)
        if is_tagged:
            self._mark(ids, number)

    def _mark(self, ids, number):
        tag = {"Key": f"OscK8sClusterID/another-{number}", "Value": "owned"}
        self._cloud.call("CreateTags", ResourceIds=ids, Tags=[tag])

    def serve(self):
        """Make a VM with a NAT service beside it, as another cluster would."""
        call = self._cloud.call
        number = next(self._numbers)
        net = call("CreateNet", IpRange="10.0.0.0/16")["Net"]["NetId"]
        subnet = call("CreateSubnet", NetId=net, IpRange="10.0.2.0/24")["Subnet"]["SubnetId"]
        gate = call("CreateInternetService")["InternetService"]["InternetServiceId"]
        call("LinkInternetService", InternetServiceId=gate, NetId=net)
        table = call("CreateRouteTable", NetId=net)["RouteTable"]["RouteTableId"]
        aim = {"DestinationIpRange": "0.0.0.0/0", "GatewayId": gate}
        call("CreateRoute", RouteTableId=table, **aim)
        call("LinkRouteTable", RouteTableId=table, SubnetId=subnet)
        address = call("CreatePublicIp")["PublicIp"]["PublicIpId"]
        nat = call("CreateNatService", SubnetId=subnet, PublicIpId=address)["NatService"]
        ids = [net, subnet, gate, table, address, nat["NatServiceId"]]
        self.ids.update(ids)
        self._mark(ids, number)
