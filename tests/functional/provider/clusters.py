"""Clusters to try things on, and what is seen of them in the cloud."""

from fakecloud import FakeCloud
from tests.functional.provider import driver, worlds

OWNED = f"OscK8sClusterID/{driver.UID}"
HERE, THERE, YONDER = "eu-west-2a", "eu-west-2b", "eu-west-2c"
ANYWHERE = "0.0.0.0/0"


def start(network=None, fake=None, **more):
    """Return a driver of a cluster with this network, on a new cloud or on a given one."""
    endpoint = more.pop("endpoint", None)
    spec = {"network": network or {}} | ({"controlPlaneEndpoint": endpoint} if endpoint else {})
    return driver.ClusterDriver(spec, fake or FakeCloud(seed=1), **more)


def ready(network=None, fake=None, **more):
    """Return a driver of a cluster that has become ready."""
    run = start(network, fake, **more).settle()
    assert run.is_ready, run.conditions
    return run


def change(run, network):
    """Give a cluster another network; its endpoint stays."""
    run.set({**run.object["spec"], "network": network})
    return run


def again(run):
    """Look at a cluster again with nothing remembered, until it is calm."""
    run.memory.clear()
    return run.settle()


def calls(run, act):
    """Return the actions that something calls."""
    before = len(run.cloud.calls)
    act()
    return run.cloud.calls[before:]


def changes(run, act):
    """Return the actions that something calls which are no Reads."""
    return [each for each in calls(run, act) if not each.startswith("Read")]


def bastion(fake, **more):
    """Return the spec of a bastion that can be made in a cloud."""
    if not driver.Direct(fake).read("ReadKeypairs"):
        worlds.keypair(fake)
    image = driver.Direct(fake).read("ReadImages")[0]["ImageId"]
    return {"enable": True, "image": {"id": image}, "keypairName": "ops", **more}


# --- What is seen --------------------------------------------------------------------------------


def live(run, kind, **fields):
    """Return the rows of a kind that are the cluster's and live, with these values."""
    rows = driver.inventory(run.fake)[kind]
    return [
        row
        for row in rows
        if OWNED in tags(row) and all(row.get(name) == value for name, value in fields.items())
    ]


def one(run, kind, **fields):
    """Return the only such row."""
    (row,) = live(run, kind, **fields)
    return row


def tags(row):
    """Return the tags of a row as a mapping."""
    return {each["Key"]: each["Value"] for each in row.get("Tags", ())}


def name(row):
    """Return the name of a row."""
    return tags(row).get("Name", "")


def roles(row):
    """Return the roles of a row."""
    prefix = "OscK8sRole/"
    return {key.removeprefix(prefix) for key in tags(row) if key.startswith(prefix)}


def with_role(run, kind, role):
    """Return the rows of a kind with a role."""
    return [row for row in live(run, kind) if role in roles(row)]


def group(run, key):
    """Return the security group with this name inside its cluster."""
    return one(run, "SecurityGroups", SecurityGroupName=f"{key}-{driver.UID}")


def rules(row, flow="Inbound"):
    """Return rules by range as sets of protocol, ports and range."""
    return {
        (each["IpProtocol"], each.get("FromPortRange"), each.get("ToPortRange"), ip_range)
        for each in row[f"{flow}Rules"]
        for ip_range in each.get("IpRanges", ())
    }


def members(row, flow="Inbound"):
    """Return the rules by member."""
    return [each for each in row[f"{flow}Rules"] if each.get("SecurityGroupsMembers")]


def routes(run, subnet_id):
    """Return where the table of a subnet leads: destination to the id of the target."""
    rows = driver.Direct(run.fake).read("ReadRouteTables", Filters={"LinkSubnetIds": [subnet_id]})
    (table,) = rows
    fields = ("GatewayId", "NatServiceId", "NetPeeringId", "VmId", "NicId")
    return {
        each["DestinationIpRange"]: next(each[field] for field in fields if each.get(field))
        for each in table["Routes"]
        if each.get("DestinationIpRange") and each.get("GatewayId") != "local"
    }


def table_of(run, subnet_id):
    """Return the route table of a subnet."""
    found = [
        row
        for row in live(run, "RouteTables")
        if any(each.get("SubnetId") == subnet_id for each in row["LinkRouteTables"])
    ]
    (row,) = found
    return row


def balancer(run):
    """Return the load balancer of the Kubernetes API."""
    return one(run, "LoadBalancers", LoadBalancerName="demo-k8s")


def mark(fake, id_, **given):
    """Tag something."""
    pairs = [{"Key": key, "Value": value} for key, value in given.items()]
    driver.Direct(fake).call("CreateTags", ResourceIds=[id_], Tags=pairs)
