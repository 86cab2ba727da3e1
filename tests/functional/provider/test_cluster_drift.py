"""What a vandal deleted or changed comes back, and nothing is doubled."""

import pytest

from tests.functional.provider import clusters, driver, worlds
from tests.functional.provider.clusters import ANYWHERE

FULL = "bastion"
"""The example with most kinds."""


def start():
    """Return a ready cluster with every kind that stands in one account, and its shape."""
    example = next(each for each in worlds.EXAMPLES if each.name == FULL)
    run = example.start()
    run.object["spec"]["network"]["netAccessPoints"] = ["api", "lbu"]
    run.settle()
    assert run.is_ready, run.conditions
    return run, driver.shape(run.fake)


def call(run, action, **request):
    return driver.Direct(run.fake).call(action, **request)


# --- Deleted -------------------------------------------------------------------------------------


def _delete_bastion(run):
    call(run, "DeleteVms", VmIds=[clusters.one(run, "Vms")["VmId"]])


def _delete_balancer(run):
    call(run, "DeleteLoadBalancer", LoadBalancerName="demo-k8s")


def _delete_nat(run):
    nat = clusters.one(run, "NatServices")["NatServiceId"]
    call(run, "DeleteNatService", NatServiceId=nat)


def _delete_public_ip(run):
    """Delete the NAT service, whose address is free after a while, and the address."""
    address = clusters.one(run, "NatServices")["PublicIps"][0]["PublicIpId"]
    _delete_nat(run)
    run.fake.clock.advance(120)
    call(run, "DeletePublicIp", PublicIpId=address)


def _delete_table(run):
    for row in clusters.live(run, "RouteTables"):
        for link in row["LinkRouteTables"]:
            call(run, "UnlinkRouteTable", LinkRouteTableId=link["LinkRouteTableId"])
        for point in clusters.live(run, "NetAccessPoints"):
            if row["RouteTableId"] in point["RouteTableIds"]:
                call(
                    run,
                    "UpdateNetAccessPoint",
                    NetAccessPointId=point["NetAccessPointId"],
                    RemoveRouteTableIds=[row["RouteTableId"]],
                )
        call(run, "DeleteRouteTable", RouteTableId=row["RouteTableId"])


def _delete_access_point(run):
    point = clusters.live(run, "NetAccessPoints")[0]["NetAccessPointId"]
    call(run, "DeleteNetAccessPoint", NetAccessPointId=point)


def _delete_group(run):
    group = clusters.group(run, "demo-worker")["SecurityGroupId"]
    call(run, "DeleteSecurityGroup", SecurityGroupId=group)


def _delete_internet_service(run):
    _delete_bastion(run)
    _delete_balancer(run)
    _delete_nat(run)
    run.fake.clock.advance(300)
    for address in clusters.live(run, "PublicIps"):
        call(run, "DeletePublicIp", PublicIpId=address["PublicIpId"])
    gate = clusters.one(run, "InternetServices")
    ids = {"InternetServiceId": gate["InternetServiceId"]}
    call(run, "UnlinkInternetService", **ids, NetId=gate["NetId"])
    call(run, "DeleteInternetService", **ids)


def _delete_subnet(run):
    place = clusters.with_role(run, "Subnets", "worker")[0]["SubnetId"]
    for link in clusters.table_of(run, place)["LinkRouteTables"]:
        call(run, "UnlinkRouteTable", LinkRouteTableId=link["LinkRouteTableId"])
    call(run, "DeleteSubnet", SubnetId=place)


def _delete_all(run):
    """Delete everything, as a clean-up of the account would."""
    other = driver.ClusterDriver({}, run.fake)
    other.object["metadata"].update(run.object["metadata"], deletionTimestamp="now")
    other.object["metadata"] = driver.copied(other.object["metadata"])
    assert other.settle().is_gone


DELETIONS = [
    _delete_bastion,
    _delete_balancer,
    _delete_nat,
    _delete_public_ip,
    _delete_table,
    _delete_access_point,
    _delete_group,
    _delete_internet_service,
    _delete_subnet,
    _delete_all,
]


@pytest.mark.parametrize("harm", DELETIONS, ids=lambda each: each.__name__.lstrip("_"))
def test_what_was_deleted_comes_back(harm):
    run, shape = start()
    harm(run)
    run.fake.clock.advance(120)
    clusters.again(run)
    assert run.has_lost_endpoint == (harm in TAKES_BALANCER)
    assert run.is_whole, run.conditions
    assert driver.shape(run.fake) == shape
    assert run.delete().settle().is_gone


# --- Changed -------------------------------------------------------------------------------------


def _unlink_internet_service(run):
    gate = clusters.one(run, "InternetServices")
    for row in clusters.live(run, "PublicIps"):
        if row.get("VmId"):
            call(run, "UnlinkPublicIp", PublicIp=row["PublicIp"])
    _delete_balancer(run)
    _delete_nat(run)
    run.fake.clock.advance(300)
    call(
        run,
        "UnlinkInternetService",
        InternetServiceId=gate["InternetServiceId"],
        NetId=gate["NetId"],
    )


def _unlink_table(run):
    place = clusters.with_role(run, "Subnets", "worker")[0]["SubnetId"]
    (link,) = clusters.table_of(run, place)["LinkRouteTables"]
    call(run, "UnlinkRouteTable", LinkRouteTableId=link["LinkRouteTableId"])


def _link_other_table(run):
    """Link a subnet to a table that somebody else made in our Net."""
    _unlink_table(run)
    net = clusters.one(run, "Nets")["NetId"]
    table = call(run, "CreateRouteTable", NetId=net)["RouteTable"]["RouteTableId"]
    place = clusters.with_role(run, "Subnets", "worker")[0]["SubnetId"]
    call(run, "LinkRouteTable", RouteTableId=table, SubnetId=place)
    return table


def _delete_route(run):
    place = clusters.with_role(run, "Subnets", "worker")[0]["SubnetId"]
    table = clusters.table_of(run, place)["RouteTableId"]
    call(run, "DeleteRoute", RouteTableId=table, DestinationIpRange=ANYWHERE)


def _turn_route(run):
    place = clusters.with_role(run, "Subnets", "worker")[0]["SubnetId"]
    table = clusters.table_of(run, place)["RouteTableId"]
    gate = clusters.one(run, "InternetServices")["InternetServiceId"]
    call(run, "UpdateRoute", RouteTableId=table, DestinationIpRange=ANYWHERE, GatewayId=gate)


def _add_route(run):
    place = clusters.with_role(run, "Subnets", "worker")[0]["SubnetId"]
    table = clusters.table_of(run, place)["RouteTableId"]
    gate = clusters.one(run, "InternetServices")["InternetServiceId"]
    call(run, "CreateRoute", RouteTableId=table, DestinationIpRange="192.0.2.0/24", GatewayId=gate)


def _delete_rules(run):
    row = clusters.group(run, "demo-node")
    rule = {"IpProtocol": "tcp", "FromPortRange": 179, "ToPortRange": 179}
    call(
        run,
        "DeleteSecurityGroupRule",
        SecurityGroupId=row["SecurityGroupId"],
        Flow="Inbound",
        Rules=[{**rule, "IpRanges": ["10.0.0.0/16"]}],
    )


def _add_rule(run):
    row = clusters.group(run, "demo-node")
    rule = {"IpProtocol": "tcp", "FromPortRange": 22, "ToPortRange": 22, "IpRanges": [ANYWHERE]}
    call(
        run,
        "CreateSecurityGroupRule",
        SecurityGroupId=row["SecurityGroupId"],
        Flow="Inbound",
        Rules=[rule],
    )


def _change_health_check(run):
    check = clusters.balancer(run)["HealthCheck"]
    check = {**{key: check[key] for key in check if key != "Path"}, "Port": 80}
    call(run, "UpdateLoadBalancer", LoadBalancerName="demo-k8s", HealthCheck=check)


def _change_listener(run):
    call(run, "DeleteLoadBalancerListeners", LoadBalancerName="demo-k8s", LoadBalancerPorts=[6443])


def _change_balancer_groups(run):
    group = clusters.group(run, "demo-node")["SecurityGroupId"]
    call(run, "UpdateLoadBalancer", LoadBalancerName="demo-k8s", SecurityGroups=[group])


def _add_foreign_group(run):
    net = clusters.one(run, "Nets")["NetId"]
    made = call(
        run, "CreateSecurityGroup", NetId=net, SecurityGroupName="wide", Description="open"
    )["SecurityGroup"]["SecurityGroupId"]
    groups = [*clusters.balancer(run)["SecurityGroups"], made]
    call(run, "UpdateLoadBalancer", LoadBalancerName="demo-k8s", SecurityGroups=groups)
    return made


def _change_access_point(run):
    point = clusters.live(run, "NetAccessPoints")[0]
    call(
        run,
        "UpdateNetAccessPoint",
        NetAccessPointId=point["NetAccessPointId"],
        RemoveRouteTableIds=point["RouteTableIds"][:1],
    )


CHANGES = [
    _unlink_internet_service,
    _unlink_table,
    _delete_route,
    _turn_route,
    _add_route,
    _delete_rules,
    _add_rule,
    _change_health_check,
    _change_listener,
    _change_balancer_groups,
    _change_access_point,
]

TAKES_BALANCER = {
    _delete_balancer,
    _delete_internet_service,
    _delete_all,
    _unlink_internet_service,
}
"""Whoever does this deletes the load balancer, and with it the name that the endpoint has."""


@pytest.mark.parametrize("harm", CHANGES, ids=lambda each: each.__name__.lstrip("_"))
def test_what_was_changed_is_put_right(harm):
    run, shape = start()
    harm(run)
    run.fake.clock.advance(120)
    clusters.again(run)
    assert run.has_lost_endpoint == (harm in TAKES_BALANCER)
    assert run.is_whole, run.conditions
    assert driver.shape(run.fake) == shape


def test_a_table_of_somebody_else_is_left_alone():
    run, _ = start()
    other = _link_other_table(run)
    clusters.again(run)
    assert run.is_ready, run.conditions
    rows = {row["RouteTableId"]: row for row in driver.Direct(run.fake).read("ReadRouteTables")}
    assert rows[other]["LinkRouteTables"] == []
    place = clusters.with_role(run, "Subnets", "worker")[0]["SubnetId"]
    assert clusters.table_of(run, place)


def test_a_foreign_group_is_taken_off_the_load_balancer():
    run, _ = start()
    made = _add_foreign_group(run)
    run.fake.clock.advance(120)
    clusters.again(run)
    assert made not in clusters.balancer(run)["SecurityGroups"]
    assert made in {
        r["SecurityGroupId"] for r in driver.Direct(run.fake).read("ReadSecurityGroups")
    }


# --- Tags ----------------------------------------------------------------------------------------

TAGGED = {
    "Nets": "NetId",
    "Subnets": "SubnetId",
    "InternetServices": "InternetServiceId",
    "NatServices": "NatServiceId",
    "RouteTables": "RouteTableId",
    "NetAccessPoints": "NetAccessPointId",
    "SecurityGroups": "SecurityGroupId",
    "Vms": "VmId",
    "PublicIps": "PublicIpId",
}


def _strip(run, kind, keep=lambda key: False):
    for row in clusters.live(run, kind):
        gone = [each for each in row["Tags"] if not keep(each["Key"])]
        call(run, "DeleteTags", ResourceIds=[row[TAGGED[kind]]], Tags=gone)


@pytest.mark.parametrize("kind", TAGGED)
def test_the_owners_tag_comes_back(kind):
    run, shape = start()
    _strip(run, kind, keep=lambda key: key != clusters.OWNED)
    clusters.again(run)
    assert run.is_ready, run.conditions
    assert driver.shape(run.fake) == shape


@pytest.mark.parametrize("kind", TAGGED)
def test_all_tags_come_back(kind):
    run, shape = start()
    _strip(run, kind)
    clusters.again(run)
    assert run.is_ready, run.conditions
    assert driver.shape(run.fake) == shape


@pytest.mark.parametrize("kind", TAGGED)
def test_what_has_lost_its_tags_goes_with_its_cluster(kind):
    example = next(each for each in worlds.EXAMPLES if each.name == FULL)
    run = example.start()
    before = driver.shape(run.fake)
    run.object["spec"]["network"]["netAccessPoints"] = ["api"]
    run.settle()
    _strip(run, kind)
    run.memory.clear()
    run.delete().settle()
    assert run.is_gone
    assert driver.shape(run.fake) == before


def test_a_load_balancer_gets_its_tags_back():
    run, shape = start()
    keys = [{"Key": key} for key in clusters.tags(clusters.balancer(run))]
    call(run, "DeleteLoadBalancerTags", LoadBalancerNames=["demo-k8s"], Tags=keys)
    clusters.again(run)
    assert run.is_ready, run.conditions
    assert driver.shape(run.fake) == shape


def test_what_another_cluster_claims_is_not_taken_back():
    run, _ = start()
    old = clusters.one(run, "PublicIps", VmId=clusters.one(run, "Vms")["VmId"])["PublicIpId"]
    call(run, "DeleteTags", ResourceIds=[old], Tags=[{"Key": clusters.OWNED, "Value": "owned"}])
    clusters.mark(run.fake, old, **{"OscK8sClusterID/another": "owned"})
    run.memory.clear()
    run.step()
    (row,) = driver.Direct(run.fake).read("ReadPublicIps", Filters={"PublicIpIds": [old]})
    assert clusters.OWNED not in clusters.tags(row)


# --- Switched off --------------------------------------------------------------------------------


@pytest.mark.parametrize("example", worlds.EXAMPLES[:8], ids=lambda each: each.name)
def test_switching_everything_off_leaves_a_default_cluster(example):
    run = example.start().settle()
    network = run.object["spec"].get("network", {})
    kept = {
        key: network[key] for key in ("net", "loadBalancer", "natPublicIpPool") if key in network
    }
    clusters.change(run, kept).settle()
    assert run.is_ready, run.conditions
    plain = example.start()
    plain.object["spec"]["network"] = kept
    if "controlPlaneEndpoint" in plain.object["spec"]:
        plain.object["spec"].pop("controlPlaneEndpoint")
    plain.settle()
    assert driver.shape(run.fake) == driver.shape(plain.fake)


# --- Answers that are a bit old ------------------------------------------------------------------


@pytest.mark.parametrize(("is_touched", "is_there"), [(False, False), (True, True)])
def test_who_touches_a_calm_cluster_sees_what_is_there_now(is_touched, is_there):
    run = clusters.ready()
    run.clouds.restart(calm_age_s=30)
    metadata = run.object["metadata"]
    metadata["resourceVersion"] = "1"
    run.settle()
    run.step()
    table = next(each for each in clusters.live(run, "RouteTables") if each["LinkRouteTables"])
    call(run, "DeleteRoute", RouteTableId=table["RouteTableId"], DestinationIpRange=ANYWHERE)
    if is_touched:
        metadata["resourceVersion"] = "2"
    run.fake.clock.advance(10)
    run.step()
    rows = [each for each in clusters.live(run, "RouteTables") if each["LinkRouteTables"]]
    found = [{route["DestinationIpRange"] for route in each["Routes"]} for each in rows]
    assert all(ANYWHERE in each for each in found) == is_there
