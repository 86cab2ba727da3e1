"""A second, much simpler idea of what a cloud is: which objects there are, and who uses whom.

It shares no code with fakecloud. It says of each change whether it is ``fine``, names something
that is not there (``absent``), or is forbidden by what is there (``conflict``).
"""

import dataclasses

ADDRESSES_PER_SUBNET = 251
"""Of a /24: the first four and the last one are reserved."""

NETS_MAX = 5
MOSTLY = 9
"""Of the numbers from 0 to 11, how many choose something that is there."""
KINDS = (
    "Net", "Subnet", "InternetService", "RouteTable", "RouteTableLink", "NatService", "PublicIp",
    "SecurityGroup", "Nic", "Vm", "Volume", "LoadBalancer",
)  # fmt: skip
UNKNOWN = {
    "Net": "vpc-ffffffff",
    "Subnet": "subnet-ffffffff",
    "InternetService": "igw-ffffffff",
    "RouteTable": "rtb-ffffffff",
    "RouteTableLink": "rtbassoc-ffffffff",
    "NatService": "nat-ffffffff",
    "PublicIp": "eipalloc-ffffffff",
    "SecurityGroup": "sg-ffffffff",
    "Nic": "eni-ffffffff",
    "Vm": "i-ffffffff",
    "Volume": "vol-ffffffff",
    "LoadBalancer": "unknown",
}


@dataclasses.dataclass
class Thing:
    """An object: its kind, its identifier, and the identifiers of what it uses by role."""

    kind: str
    id: str
    uses: dict[str, str] = dataclasses.field(default_factory=dict)
    facts: dict[str, object] = dataclasses.field(default_factory=dict)


class Model:
    """The objects that are there now, by kind and identifier."""

    def __init__(self):
        self.things = {kind: {} for kind in KINDS}
        self.gone = {kind: [UNKNOWN[kind]] for kind in KINDS}

    # Changing.

    def add(self, kind, id_, facts=None, **uses):
        """Add an object that uses others by role."""
        assert id_ not in self.things[kind], f"{id_} was minted twice"
        assert id_ not in self.gone[kind], f"{id_} came back"
        self.things[kind][id_] = Thing(kind, id_, uses, facts or {})

    def remove(self, kind, id_):
        """Take an object away."""
        del self.things[kind][id_]
        self.gone[kind].append(id_)

    # Looking.

    def choose(self, kind, number):
        """Return an identifier: of an object that is there, was there, or never was."""
        live = list(self.things[kind])
        if live and number < MOSTLY:
            return live[number % len(live)]
        return self.gone[kind][-1 - number % min(2, len(self.gone[kind]))]

    def live(self, kind, number):
        """Return an object that is there, or None."""
        things = list(self.things[kind].values())
        return things[number % len(things)] if things else None

    def get(self, kind, id_):
        """Return an object, or None."""
        return self.things[kind].get(id_)

    def users(self, id_, *kinds):
        """Return the objects that use one."""
        return [
            thing
            for kind in kinds or KINDS
            for thing in self.things[kind].values()
            if id_ in thing.uses.values()
        ]

    def net_of(self, subnet):
        """Return the Net of a subnet."""
        return self.things["Subnet"][subnet].uses["net"]

    def gateway_of(self, net):
        """Return the internet service that is linked to a Net, or None."""
        found = self.users(net, "InternetService")
        return found[0].id if found else None

    def is_public(self, subnet):
        """Tell whether a subnet's own route table leads to an internet service that is linked."""
        for link in self.users(subnet, "RouteTableLink"):
            table = self.things["RouteTable"][link.uses["table"]]
            gateway = table.facts.get("default")
            return gateway is not None and gateway == self.gateway_of(self.net_of(subnet))
        return False

    def has_public_addresses(self, net):
        """Tell whether a Net has a NIC with a public IP, or a NAT service."""
        subnets = [thing.id for thing in self.users(net, "Subnet")]
        nats = [nat for subnet in subnets for nat in self.users(subnet, "NatService")]
        nics = {nic.id for subnet in subnets for nic in self.users(subnet, "Nic")}
        linked = [ip for ip in self.things["PublicIp"].values() if ip.uses.get("nic") in nics]
        return bool(nats or linked)

    def free_addresses(self, subnet):
        """Return how many addresses of a subnet nobody has."""
        taken = self.users(subnet, "Nic", "NatService", "LoadBalancer")
        return ADDRESSES_PER_SUBNET - len(taken)

    # Saying what will happen.

    def verdict(self, *needed, conflict=False):
        """Return the outcomes that are right: needed are pairs of kind and identifier.

        When both are true, the API may say either.
        """
        if any(self.get(kind, id_) is None for kind, id_ in needed):
            return {"absent"}
        return {"conflict"} if conflict else {"fine"}
