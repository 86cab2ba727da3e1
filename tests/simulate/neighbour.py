"""Somebody else in the same account, whose things look like ours and have to survive all of it.

He leaves things without a tag, lets go of what he had and takes it up again, puts his own into our
Net, and does so at the very moment at which one of our creates goes wrong. How he left each thing
is kept, so that the laws can tell whether it is still so.
"""

import contextlib
import itertools

from provider.osc import errors
from provider.resources import public_ip
from provider.rules import names
from tests.functional.provider import driver
from tests.simulate import broken

_MARK = "OscK8sClusterID/another-"
_LAW = "What is somebody else's is left alone"
_BY_ITSELF = {"AvailableIpsCount", "PrivateIp", "State"}
"""Fields that change by themselves."""
MAKES = {
    "CreatePublicIp": "PublicIp",
    "CreateInternetService": "InternetService",
    "CreateNet": "Net",
    "CreateFlexibleGpu": "FlexibleGpu",
}
"""Creates that anybody's could be taken for, and what they make."""


class Neighbour:
    """Whoever owns what is in the account beside ours."""

    def __init__(self, fake):
        """Move into an account in which nothing of ours is yet."""
        self._cloud = driver.Direct(fake)
        self._store = fake.store(fake.region)
        self._numbers = itertools.count(1)
        self._things = {}
        self._addresses = set()
        self._left = {}
        self._guests = []
        self._is_watched = False
        self._late = set()
        for is_tagged in (True, False):
            self._home("10.0.0.0/16", {}, is_tagged=is_tagged)
        self._remember()

    def act(self, chance, one, *, is_watched):
        """Do something; ``one`` is the cluster of ours that he has an eye on.

        While ``is_watched``, a create of ours was cut short and nobody knows yet whether it was
        carried out. What he makes then bears a tag, for otherwise nothing could tell it from ours.
        """
        act = chance.choice(_ACTS)
        return self._do(act.__name__, lambda: act(self, chance, one), is_watched=is_watched)

    def interfere(self, chance, action, *, can_leave):
        """Do something at the moment at which one of our creates goes wrong.

        With ``can_leave``, what he makes then may stay without a tag: ours can be told from it.
        """
        kind = MAKES.get(action)
        if kind is None:
            return "nothing"
        acts = [self._let_go, self._take_up, self._take_away, self._make_and_mark]
        act = chance.choice([*acts, self._make] if can_leave else acts)
        return self._do(act.__name__, lambda: act(chance, kind), is_watched=True)

    def leave(self):
        """Take away all that he has put in the way of ours."""
        for action, request in reversed(self._guests):
            self._quietly(action, **request)
        self._guests = []
        self._remember()

    def claim(self, ids):
        """Tag those of these ids that are his, because somebody asks."""
        own = [id_ for id_ in ids if id_ in self._things]
        if own:
            self._mark(own)
        self._remember()

    def _do(self, name, act, *, is_watched):
        broken.require(not self.changes(), _LAW, *self.changes())
        self._is_watched = is_watched
        if not is_watched:
            self._late = set()
        try:
            act()
        except errors.ApiError as error:
            return f"{name.strip('_')}: {error}"
        finally:
            self._remember()
        return name.strip("_")

    # --- What is left of it ----------------------------------------------------------------------

    @property
    def names(self):
        """The ids, addresses and names of all that is his."""
        return self._things.keys() | self._addresses

    def guard(self, action, request):
        """Refuse to watch while a call of ours changes what is his."""
        if not action.startswith("Read") and action != "CreateLoadBalancer":
            named = self.names & set(_texts(request))
            broken.require(not named, _LAW, action, request)

    def changes(self):
        """Return what is not as he left it: its id, and each field as it is and as it was."""
        found = []
        for row, left in self._left.items():
            there = self._store.view(row) if row.is_live else {}
            if there is not left:
                differences = _differences(there, left)
                found += [(row.id, *differences)] if differences else []
        return found

    def _remember(self):
        """Keep how he leaves all that is his."""
        self._store.settle()
        self._things = {name: row for name, row in self._things.items() if row.is_live}
        self._left = {row: self._store.view(row) for row in self._things.values()}
        self._addresses = {view["PublicIp"] for view in self._left.values() if "PublicIp" in view}

    # --- Making and marking ----------------------------------------------------------------------

    def _call(self, action, **request):
        return self._cloud.call(action, **request)

    def _new(self, kind, **request):
        """Make something, and keep its id."""
        row = self._call(f"Create{kind}", **request)[kind]
        id_ = row[f"{kind}Id"]
        self._things[id_] = self._store.row(kind, id_)
        if self._is_watched:
            self._late.add(id_)
        return id_

    def _tag(self, ids, tags):
        rows = [{"Key": key, "Value": value} for key, value in tags.items()]
        if rows:
            self._call("CreateTags", ResourceIds=list(ids), Tags=rows)

    def _mark(self, ids):
        self._tag(ids, {f"{_MARK}{next(self._numbers)}": "owned"})

    def _make(self, chance, kind):
        about = {
            "Net": {"IpRange": chance.choice(["10.0.0.0/16", "10.1.0.0/16", "192.168.7.0/24"])},
            "FlexibleGpu": {"ModelName": "nvidia-p100", "SubregionName": "eu-west-2a"},
        }
        return self._new(kind, **about.get(kind, {}))

    def _make_and_mark(self, chance, kind):
        self._mark([self._make(chance, kind)])

    def _home(self, ip_range, disguise, *, is_tagged, group="demo-node"):
        """Make one of everything that he needs, in the ranges that ours has."""
        net = self._new("Net", IpRange=ip_range)
        first = ip_range.partition("/")[0]
        subnet = self._new("Subnet", NetId=net, IpRange=f"{first}/28")
        about = {"SecurityGroupName": group, "Description": "theirs"}
        ids = [
            net,
            subnet,
            self._new("SecurityGroup", NetId=net, **about),
            self._new("RouteTable", NetId=net),
            self._new("PublicIp"),
            self._new("InternetService"),
        ]
        self._tag(ids, disguise)
        if is_tagged:
            self._mark(ids)
        return net, subnet

    def _rows_of(self, kind):
        return [view for row, view in self._left.items() if row.kind.name == kind]

    # --- What he does with his own ---------------------------------------------------------------

    def _let_go(self, _chance, kind):
        """Unlink and untag all of a kind, so that they look like what ours makes."""
        for row in self._rows_of(kind):
            if row[f"{kind}Id"] in self._late:
                continue
            if row.get("LinkPublicIpId"):
                self._call("UnlinkPublicIp", LinkPublicIpId=row["LinkPublicIpId"])
            if kind == "InternetService" and row.get("NetId"):
                about = {"InternetServiceId": row["InternetServiceId"], "NetId": row["NetId"]}
                self._quietly("UnlinkInternetService", **about)
            for link in row.get("LinkRouteTables", ()):
                if not link.get("Main"):
                    id_ = link["LinkRouteTableId"]
                    self._call("UnlinkRouteTable", LinkRouteTableId=id_)
            if row.get("Tags"):
                self._call("DeleteTags", ResourceIds=[row[f"{kind}Id"]], Tags=row["Tags"])

    def _take_up(self, _chance, kind):
        """Tag and link again what he had let go of."""
        free = [row for row in self._rows_of(kind) if not row.get("Tags")]
        if free:
            self._mark([row[f"{kind}Id"] for row in free])
        for row in free:
            if kind == "InternetService" and not row.get("NetId"):
                net = self._new("Net", IpRange="10.0.0.0/16")
                if self._is_watched:
                    self._mark([net])
                about = {"InternetServiceId": row["InternetServiceId"], "NetId": net}
                self._call("LinkInternetService", **about)
            if kind == "PublicIp" and public_ip.is_free(row):
                self._call("LinkPublicIp", PublicIpId=row["PublicIpId"], NicId=self._nic())

    def _take_away(self, chance, kind):
        """Delete one of a kind."""
        rows = self._rows_of(kind)
        if rows:
            id_ = chance.choice(rows)[f"{kind}Id"]
            self._quietly(f"Delete{kind}", **{f"{kind}Id": id_})

    def _quietly(self, action, **request):
        with contextlib.suppress(errors.ApiError):  # It is in use, or gone.
            self._call(action, **request)

    def _nic(self):
        net = self._new("Net", IpRange="10.0.0.0/16")
        subnet = self._new("Subnet", NetId=net, IpRange="10.0.0.0/24")
        gate = self._new("InternetService")
        self._call("LinkInternetService", InternetServiceId=gate, NetId=net)
        self._mark([net, subnet, gate])
        return self._new("Nic", SubnetId=subnet)

    # --- What he does now and then ---------------------------------------------------------------

    def _move_in(self, chance, one):
        """Make one of everything, with all tags that ours has but the one that says whose it is."""
        tags = {
            "Name": chance.choice([names.net(one.name), names.internet_service(one.name)]),
            "OscK8sUsedBy": "natService/10.0.2.0/24",
            "OscK8sRole/worker": "",
            f"OscK8sClusterID/{one.uid}": "shared",
            "OscK8sMachine": f"{one.name}-0",
        }
        chosen = chance.sample(sorted(tags), chance.choice([0, 0, 1, 3]))
        about = one.object["spec"]["network"].get("net", {})
        self._home(
            about.get("ipRange", "10.0.0.0/16"),
            {key: tags[key] for key in chosen},
            is_tagged=self._is_watched or chance.random() < 0.3,
            group=names.group(f"{one.name}-node", one.uid),
        )

    def _serve(self, chance, one):
        """Make a NAT service and a load balancer, as another cluster would."""
        net, subnet = self._home("10.0.0.0/16", {}, is_tagged=self._is_watched)
        gate, table = self._new("InternetService"), self._new("RouteTable", NetId=net)
        self._call("LinkInternetService", InternetServiceId=gate, NetId=net)
        aim = {"DestinationIpRange": "0.0.0.0/0", "GatewayId": gate}
        self._call("CreateRoute", RouteTableId=table, **aim)
        self._call("LinkRouteTable", RouteTableId=table, SubnetId=subnet)
        address = self._new("PublicIp")
        self._new("NatService", SubnetId=subnet, PublicIpId=address)
        if chance.random() < 0.5:
            self._balance(f"{_balancer(one)[:30]}-{next(self._numbers)}", net, subnet)
        if self._is_watched or chance.random() < 0.5:
            self._mark([net, subnet, gate, table, address])

    def _balance(self, name, net, subnet):
        about = {"SecurityGroupName": f"of-{name}", "Description": "theirs"}
        group = self._new("SecurityGroup", NetId=net, **about)
        self._call(
            "CreateLoadBalancer",
            LoadBalancerName=name,
            LoadBalancerType="internal",
            Listeners=[
                {"LoadBalancerPort": 6443, "LoadBalancerProtocol": "TCP", "BackendPort": 6443}
            ],
            SecurityGroups=[group],
            Subnets=[subnet],
        )
        (self._things[name],) = (
            row
            for row in self._store.rows("LoadBalancer")
            if row["LoadBalancerName"] == name and row.is_live
        )

    def _change_mind(self, chance, _one):
        """Let go of all of a kind, take it up again, or take one away."""
        kind = chance.choice([*MAKES.values(), "RouteTable"])
        act = chance.choice([self._let_go, self._take_up, self._take_away, self._make_and_mark])
        if kind == "RouteTable":
            act = self._let_go
        act(chance, kind)

    # --- What he puts in our way -----------------------------------------------------------------

    def _squat(self, chance, one):
        """Put something into a Net of ours; it goes when he leaves."""
        owner = f"OscK8sClusterID/{one.uid}=owned"
        nets = self._cloud.read("ReadNets", Filters={"Tags": [owner]})
        if not nets:
            return
        net = nets[0]["NetId"]
        kind = chance.choice(["group", "namesake", "table", "subnet", "gate", "nic"])
        if kind in ("group", "namesake"):
            role = chance.choice(["node", "worker", "controlplane"])
            name = names.group(f"{one.name}-{role}", one.uid)
            name = name if kind == "namesake" else f"squat-{next(self._numbers)}"
            about = {"SecurityGroupName": name, "Description": "mine now"}
            self._guest("SecurityGroup", NetId=net, **about)
        elif kind == "table":
            self._guest("RouteTable", NetId=net)
        elif kind == "subnet":
            first = nets[0]["IpRange"].rpartition(".")[0]
            ip_range = f"{first}.240/28" if chance.random() < 0.5 else f"{first}.0/28"
            self._guest("Subnet", NetId=net, IpRange=ip_range)
        elif kind == "gate":
            gate = self._guest("InternetService")
            about = {"InternetServiceId": gate, "NetId": net}
            self._call("LinkInternetService", **about)
            self._guests.append(("UnlinkInternetService", about))
        else:
            rows = self._cloud.read("ReadSubnets", Filters={"NetIds": [net]})
            if rows:
                self._guest("Nic", SubnetId=chance.choice(rows)["SubnetId"])

    def _take_the_name(self, _chance, one):
        """Make a load balancer with the name that ours gets; it goes when he leaves."""
        name = _balancer(one)
        net, subnet = self._home("10.0.0.0/16", {}, is_tagged=True)
        self._balance(name, net, subnet)
        self._guests.append(("DeleteLoadBalancer", {"LoadBalancerName": name}))

    def _guest(self, kind, **request):
        id_ = self._new(kind, **request)
        self._guests.append((f"Delete{kind}", {f"{kind}Id": id_}))
        return id_


_ACTS = [
    Neighbour._move_in,
    Neighbour._serve,
    Neighbour._change_mind,
    Neighbour._change_mind,
    Neighbour._squat,
    Neighbour._take_the_name,
]


def _balancer(one):
    spec = one.object["spec"]["network"].get("loadBalancer", {})
    return spec.get("name") or names.load_balancer(one.name, one.uid)


def _texts(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)


def _differences(there, left):
    return [
        f"{name} was {left.get(name)} and is {there.get(name)}"
        for name in sorted(left.keys() | there.keys())
        if name not in _BY_ITSELF and left.get(name) != there.get(name)
    ]
