"""The laws: what is true of every life, and how it is looked up."""

import re

from provider.osc import errors
from tests.functional.provider import driver
from tests.simulate import ground as grounds
from tests.simulate import weather
from tests.simulate.broken import require

_LIFE_S = 900.0


def owner(one):
    """Return the tag of one of ours, ``key=value``."""
    return f"OscK8sClusterID/{grounds.UIDS[one.number]}=owned"


def told(one):
    """Return all that the conditions of one of ours say."""
    rows = one.status.get("conditions", ())
    return [f"{row['type']} {row['status']}: {row['message']}" for row in rows if row["message"]]


# --- Always --------------------------------------------------------------------------------------


def always(one, calls):
    """Check what holds after every single pass."""
    made = one.cloud.calls[calls:]
    if one.cluster["spec"].get("paused"):
        require(not made, "Paused means no call", made)
    changes = one.ground.neighbour.changes()
    require(not changes, "What is somebody else's is as they left it", *changes)


# --- While it lives ------------------------------------------------------------------------------


def living(life):
    """Check what holds when all is well: it is there, and is left alone."""
    for one in life.ours:
        for each in (one, *one.hands):
            is_there = each.is_whole if each is one else each.is_ready
            require(is_there, "What is wanted is there in the end", each.name, told(each))
            require(each.status["initialization"]["provisioned"], "It says so", each.status)
            _left_alone(one, each)
        for each in (one, *one.hands):
            _restored(one, each)


def as_in_peace(life):
    """Check that nothing can be seen of all that happened."""
    _same(life, look(_twin(life)))


def _left_alone(one, each):
    one.restart()
    calls, writes = len(one.cloud.calls), each.writes
    each.step()
    made = one.cloud.calls[calls:]
    changes = [each for each in made if not each.startswith("Read")]
    require(not changes, "What is converged is left alone", changes, each.events[-3:])
    require(len(made) == len(set(made)), "One Read per kind", made)
    require(each.writes == writes, "What is converged writes nothing", each.name, each.status)


def _restored(one, each):
    before = driver.copied(each.status)
    each.object["status"] = {}
    one.restart()
    calls = len(one.cloud.calls)
    each.step()
    changes = [each for each in one.cloud.calls[calls:] if not each.startswith("Read")]
    require(not changes, "Status is a cache: nothing is made twice", changes)
    after = driver.copied(each.status)
    for row in (*before["conditions"], *after["conditions"]):
        del row["lastTransitionTime"]
    require(after == before, "Status is a cache: it comes back", before, after)


# --- Afterwards ----------------------------------------------------------------------------------


def gone(life):
    """Check what holds in the end: nothing of ours is left, and everything of others."""
    for each in life.everything:
        require(each.is_gone, "What is deleted goes", each.name, told(each))
    _same(life, life.before)


# --- The same life without any trouble -----------------------------------------------------------


def _twin(life):
    """Return a ground on which the same specs were carried out in peace."""
    ground = grounds.Ground(life.seed)
    _furnish(life, ground)
    ours = [weather.Ours(ground, one.number, _asked(one)) for one in life.ours]
    for one in ours:
        one.settle()
        require(one.is_ready, "A spec can be carried out in peace", told(one), one.object["spec"])
    for number in life.services:
        serve(ground, ours[number])
    for one, twin in zip(life.ours, ours, strict=True):
        for each in one.hands:
            twin.hire(each.name, labels=each.machine["metadata"]["labels"], spec=each.asked)
            twin.crew[each.name].settle()
    return ground


def _asked(one):
    """Return a spec without what the provider added to it."""
    spec = driver.copied(one.object["spec"])
    if "loadbalancer" not in spec["network"].get("disable", ()):
        spec.pop("controlPlaneEndpoint", None)
    return spec


def _furnish(life, ground):
    for one in life.ours:
        if "useExisting" in one.object["spec"]["network"]:
            ground.usable_net(one.number)


def serve(ground, one):
    """Let the CCM make a load balancer for a Service; tell whether there was room for it."""
    key, value = owner(one).split("=")
    marks = [{"Key": key, "Value": value}]
    resources = one.status.get("resources") or {}
    net = (resources.get("net") or {}).get("default")
    if "useExisting" in one.object["spec"]["network"] or not net:
        return False
    call, number = ground.near.call, len(ground.served)
    subnets = ground.near.read("ReadSubnets", Filters={"NetIds": [net]})
    roles = [{tag["Key"] for tag in row["Tags"]} for row in subnets]
    place = [
        row["SubnetId"]
        for row, keys in zip(subnets, roles, strict=True)
        if "OscK8sRole/loadbalancer" in keys and row["SubregionName"] == subnets[0]["SubregionName"]
    ]
    if not place:
        return False
    try:
        about = {"SecurityGroupName": f"k8s-elb-{number}", "Description": "of a Service"}
        group = call("CreateSecurityGroup", NetId=net, **about)["SecurityGroup"]["SecurityGroupId"]
        call("CreateTags", ResourceIds=[group], Tags=marks)
        call(
            "CreateLoadBalancer",
            LoadBalancerName=f"service-{number}",
            LoadBalancerType="internal",
            Listeners=[
                {"LoadBalancerPort": 80, "LoadBalancerProtocol": "TCP", "BackendPort": 30080}
            ],
            SecurityGroups=[group],
            Subnets=place[:1],
            Tags=[*marks, {"Key": "OscK8sService", "Value": f"service-{number}"}],
        )
    except errors.ApiError:
        return False
    ground.served.append(number)
    return True


def look(ground):
    """Return all that is in the account in the end, but what is the neighbour's."""
    ground.fake.clock.advance(_LIFE_S)
    return driver.shape(ground.fake, "", grounds.FAR, but=ground.neighbour.names)


def _same(life, wanted):
    there = look(life.ground)
    for kind in sorted(there.keys() | wanted.keys()):
        more, less = list(there.get(kind, [])), []
        for row in wanted.get(kind, []):
            if row in more:
                more.remove(row)
            else:
                less.append(row)
        require(
            not more and not less,
            f"It is as if nothing had happened, but {kind} differ",
            *_different(more, less),
        )


def _different(more, less):
    """Return what differs, field by field when it is one thing only."""
    if len(more) == len(less) == 1:
        one, other = more[0], less[0]
        fields = [name for name in one.keys() | other.keys() if one.get(name) != other.get(name)]
        return [f"{name}: {one.get(name)}, in peace {other.get(name)}" for name in sorted(fields)]
    return f"there: {more}", f"in peace: {less}"


def tidy_up(life, text):
    """Do what a message asks a person for, who knows what is whose; sometimes only the least."""
    neighbour, call = life.ground.neighbour, life.ground.near.call
    found = list(dict.fromkeys(_ID.findall(text)))
    marks = _MARKS.search(text)[1].split(" and ")
    tags = [dict(zip(("Key", "Value"), each.split("="), strict=True)) for each in marks]
    rows = life.ground.near.read("ReadTags", Filters={"ResourceIds": found})
    taken = neighbour.names | {row["ResourceId"] for row in rows}
    for number, id_ in enumerate(id_ for id_ in found if id_ not in taken):
        try:
            if (life.seed + number) % 2:
                call("CreateTags", ResourceIds=[id_], Tags=tags)
            else:
                action, name = _DELETES[id_.split("-")[0]]
                call(action, **{name: id_})
        except errors.ApiError as error:
            life.tell(f"    {id_}: {error}")
    neighbour.claim(found)


_MARKS = re.compile(r"Tag the right one (.+?)\. ")
_ID = re.compile(r"\b(?:vpc|subnet|igw|rtb|eipalloc|sg|nat|i|pcx|vpce|fgpu)-[0-9a-f]{8}\b")
_DELETES = {
    "vpc": ("DeleteNet", "NetId"),
    "subnet": ("DeleteSubnet", "SubnetId"),
    "igw": ("DeleteInternetService", "InternetServiceId"),
    "rtb": ("DeleteRouteTable", "RouteTableId"),
    "eipalloc": ("DeletePublicIp", "PublicIpId"),
    "sg": ("DeleteSecurityGroup", "SecurityGroupId"),
    "nat": ("DeleteNatService", "NatServiceId"),
    "pcx": ("DeleteNetPeering", "NetPeeringId"),
    "vpce": ("DeleteNetAccessPoint", "NetAccessPointId"),
    "fgpu": ("DeleteFlexibleGpu", "FlexibleGpuId"),
}
