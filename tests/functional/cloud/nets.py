"""What the tests of NICs, VMs, public IPs and NAT services share: a Net, and short ways."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from fakecloud.cloud import FakeCloud
from fakecloud.errors import ApiError

UNTIL_RUNNING_S = 20
UNTIL_STOPPED_S = 10
UNTIL_TERMINATED_S = 15
OTHER = "210987654321"


@dataclass
class World:
    """A cloud with a Net, a subnet whose traffic reaches the internet, and an image."""

    cloud: FakeCloud
    net: str
    subnet: str
    image: str

    def call(self, action, **request):
        return self.cloud.call(action, **request)

    def wait(self, seconds):
        self.cloud.clock.advance(seconds)

    def launch(self, *, wait=UNTIL_RUNNING_S, **request):
        """Create one VM in the subnet, unless told where, and wait until it runs."""
        if not {"SubnetId", "Nics", "Public"} & set(request):
            request["SubnetId"] = self.subnet
        request.pop("Public", None)
        vm = self.call("CreateVms", **{"ImageId": self.image, **request})["Vms"][0]
        self.wait(wait)
        return vm["VmId"]

    def vm(self, vm_id):
        return self.call("ReadVms", Filters={"VmIds": [vm_id]})["Vms"][0]

    def nic(self, nic_id):
        return self.call("ReadNics", Filters={"NicIds": [nic_id]})["Nics"][0]

    def public_ip(self, id_):
        return self.call("ReadPublicIps", Filters={"PublicIpIds": [id_]})["PublicIps"][0]

    def new_nic(self, **request):
        return self.call("CreateNic", **{"SubnetId": self.subnet, **request})["Nic"]

    def new_ip(self):
        return self.call("CreatePublicIp")["PublicIp"]

    def new_subnet(self, ip_range, **request):
        made = self.call("CreateSubnet", NetId=self.net, IpRange=ip_range, **request)
        return made["Subnet"]["SubnetId"]

    def new_group(self, name="lab", **request):
        made = self.call(
            "CreateSecurityGroup", SecurityGroupName=name, Description="of a test", **request
        )
        return made["SecurityGroup"]["SecurityGroupId"]

    def free_ips(self, subnet=None):
        found = self.call("ReadSubnets", Filters={"SubnetIds": [subnet or self.subnet]})
        return found["Subnets"][0]["AvailableIpsCount"]

    def refused(self, code, action, **request):
        with pytest.raises(ApiError) as error:
            self.cloud.call(action, **request)
        assert error.value.code == str(code), error.value
        return error.value


def make(**options):
    """Return a world of its own; ``options`` go to the cloud."""
    cloud = FakeCloud(**options)
    net = cloud.call("CreateNet", IpRange="10.0.0.0/16")["Net"]["NetId"]
    subnet = cloud.call("CreateSubnet", NetId=net, IpRange="10.0.1.0/24")["Subnet"]["SubnetId"]
    image = cloud.call("ReadImages", Filters={"ImageNames": ["Ubuntu-24.04*"]})["Images"][0]
    service = cloud.call("CreateInternetService")["InternetService"]["InternetServiceId"]
    cloud.call("LinkInternetService", InternetServiceId=service, NetId=net)
    table = cloud.call("ReadRouteTables", Filters={"NetIds": [net]})["RouteTables"][0]
    cloud.call(
        "CreateRoute",
        RouteTableId=table["RouteTableId"],
        DestinationIpRange="0.0.0.0/0",
        GatewayId=service,
    )
    return World(cloud, net, subnet, image["ImageId"])
