"""The account in which a life takes place: what is in it before, and who else lives there."""

import contextlib

from fakecloud import FakeCloud
from tests.functional.provider import driver
from tests.simulate import neighbour

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
        self.neighbour = neighbour.Neighbour(self.fake)
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
