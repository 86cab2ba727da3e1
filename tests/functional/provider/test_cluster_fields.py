"""A change of any field of an OscCluster is refused, healed, or told to come too late."""

import ast
import pathlib

import pytest

from fakecloud import FakeCloud
from provider.api import v1beta2
from tests.functional.provider import clusters, driver, fields, worlds
from tests.functional.provider.clusters import HERE, THERE
from tests.functional.provider.fields import at_creation, healed, refused, shown

# --- What exists before --------------------------------------------------------------------------


def _plain(_fake):
    return {}


def _internal(_fake):
    return {"loadBalancer": {"type": "internal"}}


def _listed(_fake):
    """Return subnets, NAT services and route tables in so many words."""
    return {
        "subregions": [HERE, THERE],
        "subnets": [
            {"name": "private", "ipRange": "10.0.2.0/24", "roles": ["worker", "service"]},
            {"name": "masters", "ipRange": "10.0.5.0/24", "roles": ["controlplane"]},
            {"name": "public", "ipRange": "10.0.1.0/24", "roles": ["loadbalancer", "nat"]},
            {"name": "spare", "ipRange": "10.0.3.0/24", "roles": ["nat"]},
            {"name": "far", "ipRange": "10.0.4.0/24", "roles": ["nat"], "subregion": THERE},
        ],
        "natServices": [
            {"name": "out", "subnetName": "public"},
            {"name": "beyond", "subnetName": "far"},
        ],
        "routeTables": [
            {"role": "worker", "routes": [{"targetType": "nat", "targetName": "out"}]},
            {"subnets": ["public", "spare", "far"], "routes": [{"targetType": "gateway"}]},
        ],
    }


def _loose(_fake):
    """Return a NAT service that is not named anywhere, and the route to whichever there is."""
    table = {"role": "worker", "routes": [{"targetType": "nat"}]}
    listed = _listed(_fake)
    tables = [table, *listed["routeTables"][1:]]
    return {**listed, "natServices": [{"subregion": HERE}], "routeTables": tables}


def _rule(ports=22, **more):
    rule = {"flow": "Inbound", "ipProtocol": "tcp", "ipRanges": ["10.0.0.0/16"]}
    return {**rule, "fromPort": ports, "toPort": ports + 1, **more}


def _groups(_fake):
    groups = [
        {"name": "nodes", "roles": ["controlplane", "worker"], "rules": [_rule()]},
        {"name": "lb", "roles": ["loadbalancer"], "rules": [_rule(6443)]},
        {"name": "lb-2", "rules": [_rule(6443)]},
    ]
    groups[0]["authoritative"] = True
    return {"securityGroups": groups}


def _used_groups(fake):
    """Return groups that exist already, in a Net that exists already."""
    network = next(each for each in worlds.EXAMPLES if each.name.startswith("a Net")).spec(fake)
    cloud, net = driver.Direct(fake), network["network"]["net"]["resourceId"]
    made = [
        cloud.call("CreateSecurityGroup", NetId=net, SecurityGroupName=name, Description="theirs")
        for name in ("lb", "nodes", "other")
    ]
    ids = [each["SecurityGroup"]["SecurityGroupId"] for each in made]
    groups = [
        {"resourceId": ids[0], "roles": ["loadbalancer"]},
        {"resourceId": ids[1], "roles": ["controlplane", "worker"]},
    ]
    return {
        **network["network"],
        "securityGroups": groups,
        "useExisting": {"net": True, "securityGroups": True},
    }


def _more_rules(_fake):
    """Return rules for workers, which may not reach everything anyway."""
    more = [{"roles": ["worker"], "rules": [_rule()]}]
    return {"additionalSecurityRules": more, "allowToIPRanges": ["192.0.2.0/24"]}


def _balancer(_fake):
    balancer = {
        "additionalListeners": [{"port": 8132, "backendPort": 8132}],
        "healthCheck": {"protocol": "HTTPS", "path": "/readyz"},
    }
    return {"loadBalancer": balancer}


def _addressed(fake):
    return {"loadBalancer": {"publicIpId": _address(fake)}}


def _bastion(fake):
    return {"bastion": {**clusters.bastion(fake), "privateIps": ["10.0.2.77"]}}


def _named_bastion(fake):
    image = {"name": "mine", "accountId": "123456789012"}
    cloud = driver.Direct(fake)
    source = cloud.read("ReadImages")[0]["ImageId"]
    made = cloud.call(
        "CreateImage", SourceImageId=source, SourceRegionName="eu-west-2", ImageName="mine"
    )
    fake.clock.advance(600)
    image["accountId"] = made["Image"]["AccountId"]
    return {"bastion": {**clusters.bastion(fake), "image": image}}


def _peering(fake):
    fake.add_account(worlds.FAR)
    return next(each for each in worlds.EXAMPLES if each.name == "peering").spec(fake)["network"]


BASES = {each.__name__.lstrip("_"): each for each in (
    _plain, _internal, _listed, _loose, _groups, _used_groups, _more_rules, _balancer, _addressed,
    _bastion, _named_bastion, _peering,
)}  # fmt: skip


def _address(fake, pool=""):
    made = driver.Direct(fake).call("CreatePublicIp")["PublicIp"]["PublicIpId"]
    if pool:
        clusters.mark(fake, made, OscK8sIPPool=pool)
    return made


def _pooled(run):
    _address(run.fake, "edge")
    return "edge"


# --- What is seen --------------------------------------------------------------------------------


def _named(kind, name):
    return lambda run: name in {clusters.name(row) for row in clusters.live(run, kind)}


def _subnet(run, ip_range):
    return clusters.one(run, "Subnets", IpRange=ip_range)


def _way(run, ip_range):
    """Return where the route table of a subnet leads; nothing when it has none of its own."""
    rows = driver.Direct(run.fake).read(
        "ReadRouteTables", Filters={"LinkSubnetIds": [_subnet(run, ip_range)["SubnetId"]]}
    )
    return clusters.routes(run, _subnet(run, ip_range)["SubnetId"]) if rows else {}


def _way_out(run):
    """Return the subnet with the NAT service to which the machines' subnet leads."""
    id_ = _way(run, "10.0.2.0/24")[clusters.ANYWHERE]
    return clusters.one(run, "NatServices", NatServiceId=id_)["SubnetId"]


def _nat_in(ip_range):
    def seen(run):
        rows = clusters.live(run, "NatServices", State="available")
        return _subnet(run, ip_range)["SubnetId"] in {row["SubnetId"] for row in rows}

    return seen


def _has_rule(*rule, group="nodes", flow="Inbound"):
    def seen(run):
        return rule in clusters.rules(clusters.group(run, group), flow)

    return seen


def _listens(**values):
    def seen(run):
        rows = clusters.balancer(run)["Listeners"]
        return any(values.items() <= row.items() for row in rows)

    return seen


def _checks(name, value):
    return lambda run: clusters.balancer(run)["HealthCheck"].get(name) == value


def _balancer_at(run, pool="", id_=""):
    address = clusters.balancer(run).get("PublicIp")
    rows = driver.Direct(run.fake).read("ReadPublicIps")
    (row,) = [each for each in rows if each["PublicIp"] == address]
    return row["PublicIpId"] == id_ if id_ else clusters.tags(row).get("OscK8sIPPool") == pool


def _bastion_address(run):
    vm = clusters.one(run, "Vms")
    rows = driver.Direct(run.fake).read("ReadPublicIps", Filters={"VmIds": [vm["VmId"]]})
    (row,) = rows
    return row


def _has_balancer_groups(*names):
    def seen(run):
        rows = driver.Direct(run.fake).read("ReadSecurityGroups")
        known = {row["SecurityGroupId"]: row["SecurityGroupName"] for row in rows}
        found = {known[each] for each in clusters.balancer(run)["SecurityGroups"]}
        return {each.removesuffix(f"-{driver.UID}") for each in found} == set(names)

    return seen


def _is_peered_with(ip_range):
    def seen(run):
        place = clusters.with_role(run, "Subnets", "worker")[0]["SubnetId"]
        return ip_range in clusters.routes(run, place)

    return seen


def _no_gateway(run):
    return not clusters.live(run, "InternetServices")


def _far_subnet(run):
    far = driver.Direct(run.fake, worlds.FAR)
    net = run.object["spec"]["network"]["netPeering"]["managementNetId"]
    made = far.call("CreateSubnet", NetId=net, IpRange="172.16.1.0/24")
    return made["Subnet"]["SubnetId"]


def _other_group(run):
    rows = driver.Direct(run.fake).read("ReadSecurityGroups")
    return next(row["SecurityGroupId"] for row in rows if row["SecurityGroupName"] == "other")


def _has_main_group(run):
    return any("OscK8sMainSG" in key for key in clusters.tags(clusters.group(run, "nodes")))


# --- The table -----------------------------------------------------------------------------------

TENANTS = "test_manager_tenants.py::test_"
MANAGEMENT = shown(f"{TENANTS}the_other_side_of_a_peering_has_credentials_of_its_own")
AUTHORITATIVE = "rules_that_nobody_asked_for_go_from_authoritative_groups_only"
LB = "network.loadBalancer"
GROUP = "network.securityGroups[]"
MORE = "network.additionalSecurityRules[]"
BASTION = "network.bastion"
ANEW = "Set enable to false"

CASES = {
    "controlPlaneEndpoint.host": refused("192.0.2.9"),
    "controlPlaneEndpoint.port": refused(443),
    "credentials.fromSecret": shown(f"{TENANTS}a_rotated_secret_is_used_without_a_restart"),
    "credentials.fromFile": shown(f"{TENANTS}a_file_wins_over_a_secret"),
    "credentials.profile": shown(f"{TENANTS}a_file_wins_over_a_secret"),
    "credentials.identityRef.kind": shown(f"{TENANTS}an_identity_says_who_may_use_it"),
    "credentials.identityRef.name": shown(f"{TENANTS}an_identity_says_who_may_use_it"),
    # --- Addresses
    "network.subregions": healed(
        [HERE, THERE], lambda run: len(clusters.live(run, "Subnets", SubregionName=THERE)) == 3
    ),
    "network.useExisting.net": refused(new=True),
    "network.useExisting.securityGroups": refused(new=True),
    "network.useExisting.loadBalancer": refused(new=True),
    "network.disable": healed(["internet"], _no_gateway, "internal"),
    "network.net.name": healed("other", _named("Nets", "other")),
    "network.net.ipRange": refused("10.1.0.0/16"),
    "network.net.resourceId": refused("vpc-12345678"),
    "network.subnets[].name": healed("other", _named("Subnets", "other"), "listed"),
    "network.subnets[].ipRange": refused("10.0.9.0/24", "listed"),
    "network.subnets[].roles": healed(
        ["controlplane"],
        lambda run: clusters.roles(_subnet(run, "10.0.2.0/24")) == {"controlplane", "service"},
        "listed",
    ),
    "network.subnets[].subregion": refused(THERE, "listed"),
    "network.subnets[].resourceId": refused("subnet-12345678", "listed"),
    "network.internetService.name": healed("other", _named("InternetServices", "other")),
    "network.natServices[].name": healed("other", _named("NatServices", "other"), "loose"),
    "network.natServices[].subnetName": healed("spare", _nat_in("10.0.3.0/24"), "listed"),
    "network.natServices[].subregion": healed(THERE, _nat_in("10.0.4.0/24"), "loose"),
    "network.natPublicIpPool": refused(_pooled),
    "network.routeTables[].name": at_creation("other", "listed"),
    "network.routeTables[].subnets": healed(
        ["masters"], lambda run: _way(run, "10.0.5.0/24"), "listed"
    ),
    "network.routeTables[].role": healed(
        "controlplane",
        lambda run: _way(run, "10.0.5.0/24") and not _way(run, "10.0.2.0/24"),
        "listed",
    ),
    "network.routeTables[].subregion": healed(
        THERE, lambda run: not _way(run, "10.0.2.0/24"), "listed"
    ),
    "network.routeTables[].routes[].targetType": healed(
        "gateway",
        lambda run: (
            _way(run, "10.0.2.0/24")[clusters.ANYWHERE]
            == clusters.one(run, "InternetServices")["InternetServiceId"]
        ),
        "listed",
    ),
    "network.routeTables[].routes[].targetName": healed(
        "beyond", lambda run: _way_out(run) == _subnet(run, "10.0.4.0/24")["SubnetId"], "listed"
    ),
    "network.routeTables[].routes[].destination": healed(
        "192.0.2.0/24", lambda run: set(_way(run, "10.0.2.0/24")) == {"192.0.2.0/24"}, "listed"
    ),
    # --- Security groups
    f"{GROUP}.name": healed("other", lambda run: clusters.group(run, "other"), "groups"),
    f"{GROUP}.description": at_creation("another description", "groups"),
    f"{GROUP}.resourceId": healed(
        _other_group,
        lambda run: clusters.balancer(run)["SecurityGroups"] == [_other_group(run)],
        "used_groups",
    ),
    f"{GROUP}.roles": healed(
        ["worker"], lambda run: clusters.roles(clusters.group(run, "nodes")) == {"worker"}, "groups"
    ),
    f"{GROUP}.tag": healed("OscK8sMainSG", _has_main_group, "groups"),
    f"{GROUP}.authoritative": shown(f"test_cluster_groups.py::test_{AUTHORITATIVE}"),
    f"{GROUP}.rules[].flow": healed(
        "Outbound", _has_rule("tcp", 22, 23, "10.0.0.0/16", flow="Outbound"), "groups"
    ),
    f"{GROUP}.rules[].ipProtocol": healed("udp", _has_rule("udp", 22, 23, "10.0.0.0/16"), "groups"),
    f"{GROUP}.rules[].ipRanges": healed(
        ["10.0.8.0/24"], _has_rule("tcp", 22, 23, "10.0.8.0/24"), "groups"
    ),
    f"{GROUP}.rules[].fromPort": healed(21, _has_rule("tcp", 21, 23, "10.0.0.0/16"), "groups"),
    f"{GROUP}.rules[].toPort": healed(25, _has_rule("tcp", 22, 25, "10.0.0.0/16"), "groups"),
    f"{MORE}.roles": healed(
        ["controlplane"],
        _has_rule("tcp", 22, 23, "10.0.0.0/16", group="demo-controlplane"),
        "more_rules",
    ),
    f"{MORE}.rules[].flow": healed(
        "Outbound",
        _has_rule("tcp", 22, 23, "10.0.0.0/16", group="demo-worker", flow="Outbound"),
        "more_rules",
    ),
    f"{MORE}.rules[].ipProtocol": healed(
        "udp", _has_rule("udp", 22, 23, "10.0.0.0/16", group="demo-worker"), "more_rules"
    ),
    f"{MORE}.rules[].ipRanges": healed(
        ["192.0.2.0/24"],
        _has_rule("tcp", 22, 23, "192.0.2.0/24", group="demo-worker"),
        "more_rules",
    ),
    f"{MORE}.rules[].fromPort": healed(
        21, _has_rule("tcp", 21, 23, "10.0.0.0/16", group="demo-worker"), "more_rules"
    ),
    f"{MORE}.rules[].toPort": healed(
        25, _has_rule("tcp", 22, 25, "10.0.0.0/16", group="demo-worker"), "more_rules"
    ),
    "network.allowFromIPRanges": healed(
        ["192.0.2.0/24"], _has_rule("tcp", 6443, 6443, "192.0.2.0/24", group="demo-lb")
    ),
    "network.allowToIPRanges": healed(
        ["192.0.2.0/24"],
        _has_rule("-1", -1, -1, "192.0.2.0/24", group="demo-node", flow="Outbound"),
    ),
    # --- Load balancer
    f"{LB}.name": refused("other"),
    f"{LB}.type": refused("internal"),
    f"{LB}.subnetName": refused("spare", "listed"),
    f"{LB}.securityGroupName": healed("lb-2", _has_balancer_groups("lb-2"), "groups"),
    f"{LB}.publicIpId": healed(
        lambda run: _address(run.fake),
        lambda run: _balancer_at(
            run, id_=run.object["spec"]["network"]["loadBalancer"]["publicIpId"]
        ),
        "addressed",
    ),
    f"{LB}.publicIpPool": healed(_pooled, lambda run: _balancer_at(run, "edge")),
    f"{LB}.listener.backendPort": healed(8443, _listens(LoadBalancerPort=6443, BackendPort=8443)),
    f"{LB}.listener.backendProtocol": healed("SSL", _listens(BackendProtocol="SSL")),
    f"{LB}.listener.port": refused(443),
    f"{LB}.listener.protocol": refused("HTTP", said="for both"),
    f"{LB}.additionalListeners[].backendPort": healed(9132, _listens(BackendPort=9132), "balancer"),
    f"{LB}.additionalListeners[].backendProtocol": healed(
        "SSL", _listens(BackendPort=8132, BackendProtocol="SSL"), "balancer"
    ),
    f"{LB}.additionalListeners[].port": healed(9132, _listens(LoadBalancerPort=9132), "balancer"),
    f"{LB}.additionalListeners[].protocol": refused("HTTP", "balancer", "for both"),
    f"{LB}.healthCheck.checkInterval": healed(20, _checks("CheckInterval", 20)),
    f"{LB}.healthCheck.healthyThreshold": healed(5, _checks("HealthyThreshold", 5)),
    f"{LB}.healthCheck.unhealthyThreshold": healed(5, _checks("UnhealthyThreshold", 5)),
    f"{LB}.healthCheck.timeout": healed(5, _checks("Timeout", 5)),
    f"{LB}.healthCheck.port": healed(7443, _checks("Port", 7443)),
    f"{LB}.healthCheck.protocol": healed("SSL", _checks("Protocol", "SSL")),
    f"{LB}.healthCheck.path": healed("/livez", _checks("Path", "/livez"), "balancer"),
    # --- What stands beside
    "network.netPeering.enable": healed(
        new=False, seen=lambda run: not clusters.live(run, "NetPeerings"), base="peering"
    ),
    "network.netPeering.managementCredentials.fromSecret": MANAGEMENT,
    "network.netPeering.managementCredentials.fromFile": MANAGEMENT,
    "network.netPeering.managementCredentials.profile": MANAGEMENT,
    "network.netPeering.managementAccountId": refused("210987654321", "peering", ANEW),
    "network.netPeering.managementNetId": refused("vpc-12345678", "peering", ANEW),
    "network.netPeering.managementSubnetId": healed(
        _far_subnet, _is_peered_with("172.16.1.0/24"), "peering"
    ),
    "network.netAccessPoints": healed(
        ["lbu"], lambda run: len(clusters.live(run, "NetAccessPoints")) == 1
    ),
    f"{BASTION}.enable": healed(
        new=False, seen=lambda run: not clusters.live(run, "Vms"), base="bastion"
    ),
    f"{BASTION}.name": healed("other", _named("Vms", "other"), "bastion"),
    f"{BASTION}.image.id": refused("ami-12345678", "bastion", ANEW),
    f"{BASTION}.image.name": refused("yours", "named_bastion", ANEW),
    f"{BASTION}.image.accountId": refused("210987654321", "named_bastion", ANEW),
    f"{BASTION}.image.outscaleOpenSource": refused(new=True, base="bastion", said=ANEW),
    f"{BASTION}.keypairName": refused("other", "bastion", ANEW),
    f"{BASTION}.vmType": refused("tinav7.c2r4p2", "bastion", ANEW),
    f"{BASTION}.subnetName": refused("other", "bastion", ANEW),
    f"{BASTION}.securityGroupNames": healed(
        ["demo-bastion", "demo-node"],
        lambda run: len(clusters.one(run, "Vms")["SecurityGroups"]) == 2,
        "bastion",
    ),
    f"{BASTION}.rootDisk.size": refused(30, "bastion", ANEW),
    f"{BASTION}.rootDisk.type": refused("standard", "bastion", ANEW),
    f"{BASTION}.rootDisk.iops": refused(100, "bastion", ANEW),
    f"{BASTION}.privateIps": refused(["10.0.2.78"], "bastion", ANEW),
    f"{BASTION}.publicIpPool": healed(
        _pooled,
        lambda run: (
            clusters.tags(_bastion_address(run)).get("OscK8sIPPool") == "edge"
            and len(clusters.live(run, "PublicIps")) == 1
        ),
        "bastion",
    ),
    f"{BASTION}.publicIpId": healed(
        lambda run: _address(run.fake),
        lambda run: (
            _bastion_address(run)["PublicIpId"]
            == run.object["spec"]["network"]["bastion"]["publicIpId"]
        ),
        "bastion",
    ),
    f"{BASTION}.resourceId": refused("i-12345678", "bastion", ANEW),
}


def test_every_field_is_in_the_table():
    assert set(CASES) == set(fields.leaves(v1beta2.OscClusterSpec))


def test_what_is_shown_elsewhere_is_a_test():
    here = pathlib.Path(__file__).parent
    for case in CASES.values():
        if case.shown_by:
            file, name = case.shown_by.split("::")
            tree = ast.parse((here / file).read_text(encoding="utf-8"))
            assert name in {each.name for each in tree.body if isinstance(each, ast.FunctionDef)}


@pytest.mark.parametrize("path", [path for path, case in CASES.items() if not case.shown_by])
def test_a_change_of_a_field_is_never_ignored(path):
    case = CASES[path]
    fake = FakeCloud(seed=1)
    network = BASES[case.base](fake)
    far = driver.Direct(fake, worlds.FAR) if case.base == "peering" else None
    run = clusters.ready(network, fake, far=far)
    before, old = driver.shape(fake), driver.copied(run.object)
    new = driver.copied(old)
    fields.put(new["spec"], path, case.value(run))
    problems = fields.problems(old, new)
    if case.said:
        where = f"spec.{path.replace('[]', '[0]')}: "
        assert [each for each in problems if each.startswith(where) and case.said in each], problems
        return
    assert problems == []
    run.set(new["spec"])
    run.settle()
    assert run.is_ready, run.conditions
    if case.seen:
        assert case.seen(run)
        assert driver.shape(fake) != before
    else:
        assert fields.AT_CREATION in fields.description(v1beta2.OscCluster, path)
        assert driver.shape(fake) == before
