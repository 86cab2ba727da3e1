"""The work that is measured: the same on both sides, in the words of each side's own API.

A piece of work is a stream of calls, (operation, parameters), made by :class:`Outscale` and
:class:`Amazon`. Whoever measures decides how a call travels: in process, through a client library,
or as bytes that the load generator replays.
"""

from __future__ import annotations

import dataclasses
import itertools
import random
from collections.abc import Callable, Iterator
from typing import Any

Data = dict[str, Any]
Call = Callable[[str, Data], Data]
Calls = Iterator[tuple[str, Data]]
RANGE = "10.0.0.0/16"
SMALL_RANGES = [f"10.0.{third}.{fourth}/28" for third in range(256) for fourth in range(0, 256, 16)]
NETS = 256
"""Subnets are made in so many nets in turn, so that no net has more of them than a real one."""
BATCH = 100
"""So many VMs are made at once when a stock of them is needed."""


def room() -> dict[str, int]:
    """Return quotas of fakecloud that the work does not run into."""
    from fakecloud.rules import quotas

    return dict.fromkeys(quotas.QUOTAS, 10**9)


@dataclasses.dataclass(frozen=True)
class Work:
    """One piece of work, and what the issue asks of fakecloud for it.

    stock: how many VMs there are before it begins. shown: how many of them a read must show.
    distinct: so many different calls are made in turn; 0 when each can be made only once.
    direct_us: in process, it takes at most so long. rates: clients -> served per second, at least.
    """

    key: str
    title: str
    stock: int = 0
    shown: int | None = None
    distinct: int = 1
    direct_us: float | None = None
    rates: tuple[tuple[int, float], ...] = ()


SIMPLE = ((1, 4000.0), (16, 6000.0))
WORKS = [
    Work("empty", "empty read of VMs", shown=0, direct_us=100.0, rates=SIMPLE),
    Work("net", "create a net", direct_us=100.0),
    Work("subnet", "create a subnet", distinct=0, direct_us=100.0),
    Work("vm", "create a VM", rates=((1, 1500.0), (16, 1500.0))),
    Work("hundred", "read 100 VMs", stock=100, shown=100, rates=((1, 800.0), (16, 800.0))),
    Work("one", "read one of 1,000 VMs", 1000, 1, distinct=1000, direct_us=100.0, rates=SIMPLE),
]


class Side:
    """The work in the words of one API; ``call(operation, parameters)`` answers with data."""

    def __init__(self, call: Call) -> None:
        self.call = call
        self.forget()

    def forget(self) -> None:
        """Know nothing of the cloud any more: it was reset."""
        self.ids: list[str] = []
        self._place: Data = {}

    def begin(self, work: Work, reset: Callable[[], None]) -> Calls:
        """Prepare the cloud, check that a read shows what it should, and give the calls."""
        if not 0 < len(self.ids) <= work.stock:
            reset()
            self.forget()
        while len(self.ids) < work.stock:
            self.ids += self.make(min(BATCH, work.stock - len(self.ids)))
        calls: Calls = getattr(self, work.key)()
        if work.shown is not None:
            shown = self.count(self.call(*next(calls)))
            if shown != work.shown:
                raise AssertionError(f"'{work.title}' shows {shown} VMs, not {work.shown}.")
        return calls

    def vm_place(self) -> Data:
        """Return the parameters of a VM, in a subnet that has room for many."""
        self._place = self._place or self.find_place()
        return self._place

    def shuffled(self) -> list[str]:
        """Return the identifiers of all VMs in an order that has nothing to do with their age."""
        return random.Random(0).sample(self.ids, len(self.ids))

    # What each side says in its own words.

    def find_place(self) -> Data:
        """Make a subnet and choose an image and a type; return them as parameters of a VM."""
        raise NotImplementedError

    def make(self, vms: int) -> list[str]:
        """Create VMs with one call and return their identifiers."""
        raise NotImplementedError

    def count(self, answer: Data) -> int:
        """Return how many VMs an answer shows."""
        raise NotImplementedError


class Outscale(Side):
    """The work as calls of the OUTSCALE API."""

    def find_place(self) -> Data:
        images = self.call("ReadImages", {"Filters": {"ImageNames": ["*ubuntu*"]}})["Images"]
        net = self.call("CreateNet", {"IpRange": RANGE})["Net"]
        subnet = self.call("CreateSubnet", {"NetId": net["NetId"], "IpRange": RANGE})["Subnet"]
        return {
            "ImageId": images[0]["ImageId"],
            "SubnetId": subnet["SubnetId"],
            "VmType": "tinav5.c1r1p2",
        }

    def make(self, vms: int) -> list[str]:
        wanted = {**self.vm_place(), "MinVmsCount": vms, "MaxVmsCount": vms}
        return [vm["VmId"] for vm in self.call("CreateVms", wanted)["Vms"]]

    def count(self, answer: Data) -> int:
        return len(answer["Vms"])

    def empty(self) -> Calls:
        return itertools.repeat(("ReadVms", {}))

    def net(self) -> Calls:
        return itertools.repeat(("CreateNet", {"IpRange": RANGE}))

    def subnet(self) -> Calls:
        nets = [self.call("CreateNet", {"IpRange": RANGE})["Net"]["NetId"] for _ in range(NETS)]
        for ip_range, net in itertools.product(SMALL_RANGES, nets):
            yield "CreateSubnet", {"NetId": net, "IpRange": ip_range}

    def vm(self) -> Calls:
        return itertools.repeat(("CreateVms", self.vm_place()))

    hundred = empty

    def one(self) -> Calls:
        return itertools.cycle([("ReadVms", {"Filters": {"VmIds": [i]}}) for i in self.shuffled()])


class Amazon(Side):
    """The work as calls of EC2."""

    def find_place(self) -> Data:
        images = self.call("DescribeImages", {"Owners": ["amazon"]})["Images"]
        vpc = self.call("CreateVpc", {"CidrBlock": RANGE})["Vpc"]
        subnet = self.call("CreateSubnet", {"VpcId": vpc["VpcId"], "CidrBlock": RANGE})["Subnet"]
        return {
            "ImageId": images[0]["ImageId"],
            "SubnetId": subnet["SubnetId"],
            "InstanceType": "t3.micro",
            "MinCount": 1,
            "MaxCount": 1,
        }

    def make(self, vms: int) -> list[str]:
        wanted = {**self.vm_place(), "MinCount": vms, "MaxCount": vms}
        return [vm["InstanceId"] for vm in self.call("RunInstances", wanted)["Instances"]]

    def count(self, answer: Data) -> int:
        return sum(len(each["Instances"]) for each in answer["Reservations"])

    def empty(self) -> Calls:
        return itertools.repeat(("DescribeInstances", {}))

    def net(self) -> Calls:
        return itertools.repeat(("CreateVpc", {"CidrBlock": RANGE}))

    def subnet(self) -> Calls:
        nets = [self.call("CreateVpc", {"CidrBlock": RANGE})["Vpc"]["VpcId"] for _ in range(NETS)]
        for ip_range, net in itertools.product(SMALL_RANGES, nets):
            yield "CreateSubnet", {"VpcId": net, "CidrBlock": ip_range}

    def vm(self) -> Calls:
        return itertools.repeat(("RunInstances", self.vm_place()))

    hundred = empty

    def one(self) -> Calls:
        return itertools.cycle(
            [("DescribeInstances", {"InstanceIds": [i]}) for i in self.shuffled()]
        )
