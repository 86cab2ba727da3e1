"""What the tests of load balancers share: places to put one, and short ways to make one."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from fakecloud.cloud import FakeCloud
from fakecloud.errors import ApiError

WEB = {"BackendPort": 8080, "LoadBalancerPort": 80, "LoadBalancerProtocol": "HTTP"}
TCP = {"BackendPort": 6443, "LoadBalancerPort": 6443, "LoadBalancerProtocol": "TCP"}
UNTIL_ACTIVE_S = 30


@dataclass
class Place:
    """A cloud with a Net that has a subnet and an internet service."""

    cloud: FakeCloud
    net: str
    subnet: str
    gateway: str

    def create(self, name="lb", *listeners, **request):
        """Create a load balancer, in the subnet unless the request says otherwise."""
        if "SubregionNames" not in request:
            request.setdefault("Subnets", [self.subnet])
        answer = self.cloud.call(
            "CreateLoadBalancer",
            LoadBalancerName=name,
            Listeners=list(listeners) or [TCP],
            **request,
        )
        return answer["LoadBalancer"]

    def active(self, name="lb", *listeners, **request):
        """Create a load balancer and wait until it is active."""
        self.create(name, *listeners, **request)
        self.cloud.clock.advance(UNTIL_ACTIVE_S)
        return self.read(name)

    def read(self, name="lb"):
        """Return a load balancer, or None."""
        filters = {"LoadBalancerNames": [name]}
        found = self.cloud.call("ReadLoadBalancers", Filters=filters)["LoadBalancers"]
        return found[0] if found else None

    def update(self, name="lb", **request):
        """Update a load balancer."""
        return self.cloud.call("UpdateLoadBalancer", LoadBalancerName=name, **request)

    def vm(self, **request):
        """Create a VM, in the subnet unless the request says otherwise."""
        image = self.cloud.call("ReadImages")["Images"][0]["ImageId"]
        request.setdefault("SubnetId", self.subnet)
        request = {name: value for name, value in request.items() if value is not None}
        return self.cloud.call("CreateVms", ImageId=image, **request)["Vms"][0]["VmId"]

    def running_vm(self, **request):
        """Create a VM and wait until it runs."""
        vm_id = self.vm(**request)
        self.cloud.clock.advance(300)
        return vm_id


def build():
    """Make a cloud with a place for load balancers."""
    cloud = FakeCloud()
    net = cloud.call("CreateNet", IpRange="10.0.0.0/16")["Net"]["NetId"]
    subnet = cloud.call("CreateSubnet", NetId=net, IpRange="10.0.0.0/24")["Subnet"]["SubnetId"]
    gateway = cloud.call("CreateInternetService")["InternetService"]["InternetServiceId"]
    cloud.call("LinkInternetService", InternetServiceId=gateway, NetId=net)
    return Place(cloud, net, subnet, gateway)


def refusal(cloud, action, **request):
    """Return the code and status with which a call is refused."""
    with pytest.raises(ApiError) as caught:
        cloud.call(action, **request)
    return int(caught.value.code), caught.value.status
