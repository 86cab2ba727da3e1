"""What a cluster can have, feature by feature, as it is seen in the cloud."""

import ipaddress

import pytest

from fakecloud import FakeCloud
from tests.functional.provider import clusters, driver
from tests.functional.provider.clusters import ANYWHERE, HERE, THERE, YONDER

# --- Net and subnets -----------------------------------------------------------------------------


def test_a_default_cluster_has_the_topology_of_the_go_provider():
    run = clusters.ready()
    assert clusters.one(run, "Nets")["IpRange"] == "10.0.0.0/16"
    assert {row["IpRange"]: clusters.roles(row) for row in clusters.live(run, "Subnets")} == {
        "10.0.2.0/24": {"loadbalancer", "bastion", "nat"},
        "10.0.3.0/24": {"worker"},
        "10.0.4.0/24": {"controlplane"},
    }
    assert clusters.name(clusters.one(run, "Nets")) == "Net for demo"
    names = {clusters.name(row) for row in clusters.live(run, "Subnets")}
    assert f"Worker subnet for demo/{HERE}" in names


@pytest.mark.parametrize("size", range(16, 28))
def test_subnets_lie_in_a_net_of_any_size(size):
    run = clusters.ready({"net": {"ipRange": f"192.168.0.0/{size}"}})
    net = ipaddress.ip_network(clusters.one(run, "Nets")["IpRange"])
    subnets = [ipaddress.ip_network(row["IpRange"]) for row in clusters.live(run, "Subnets")]
    assert len(subnets) == 3
    assert all(each.subnet_of(net) for each in subnets)


def test_three_subregions_are_three_failure_domains_with_a_nat_service_each():
    run = clusters.ready({"subregions": [HERE, THERE, YONDER]})
    assert len(clusters.live(run, "Subnets")) == 9
    assert run.status["failureDomains"] == [
        {"name": each, "controlPlane": True} for each in (HERE, THERE, YONDER)
    ]
    assert len(clusters.live(run, "PublicIps")) == 3
    nats = {row["SubnetId"]: row["NatServiceId"] for row in clusters.live(run, "NatServices")}
    places = {row["SubnetId"]: row["SubregionName"] for row in clusters.live(run, "Subnets")}
    assert {places[each] for each in nats} == {HERE, THERE, YONDER}
    for row in clusters.with_role(run, "Subnets", "worker"):
        (target,) = clusters.routes(run, row["SubnetId"]).values()
        (near,) = [id_ for id_, nat in nats.items() if nat == target]
        assert places[near] == row["SubregionName"]


def test_a_subregion_without_control_planes_is_a_failure_domain_for_workers():
    subnets = [
        {"ipRange": "10.0.0.0/24", "roles": ["loadbalancer", "nat", "controlplane"]},
        {"ipRange": "10.0.1.0/24", "roles": ["worker"], "subregion": THERE},
    ]
    run = clusters.ready({"subregions": [HERE], "subnets": subnets})
    assert run.status["failureDomains"] == [
        {"name": HERE, "controlPlane": True},
        {"name": THERE, "controlPlane": False},
    ]


def test_subnets_have_the_names_and_roles_of_the_spec():
    subnets = [
        {"name": "front", "ipRange": "10.0.0.0/26", "roles": ["loadbalancer", "nat", "service"]},
        {"name": "back", "ipRange": "10.0.1.0/26", "roles": ["controlplane", "worker"]},
    ]
    run = clusters.ready({"subnets": subnets})
    found = {clusters.name(row): row for row in clusters.live(run, "Subnets")}
    assert clusters.roles(found["front"]) == {"loadbalancer", "nat", "service"}
    # What the CCM looked for before it had tags of its own.
    assert "kubernetes.io/role/elb" in clusters.tags(found["front"])
    assert found["back"]["IpRange"] == "10.0.1.0/26"
    assert clusters.balancer(run)["Subnets"] == [found["front"]["SubnetId"]]


def test_a_subregion_can_be_appended():
    run = clusters.ready({"subregions": [HERE]})
    before = {row["SubnetId"] for row in clusters.live(run, "Subnets")}
    clusters.change(run, {"subregions": [HERE, THERE]}).settle()
    assert run.is_ready
    after = {row["SubnetId"] for row in clusters.live(run, "Subnets")}
    assert before < after
    assert len(after) == 6


def test_a_subnet_can_be_removed():
    run = clusters.ready({"subregions": [HERE, THERE]})
    clusters.change(run, {"subregions": [HERE]}).settle()
    assert run.is_ready, run.conditions
    assert {row["SubregionName"] for row in clusters.live(run, "Subnets")} == {HERE}
    assert len(clusters.live(run, "NatServices")) == 1
    assert len(clusters.live(run, "PublicIps")) == 1
    assert len(clusters.live(run, "RouteTables")) == 3


# --- Ways out ------------------------------------------------------------------------------------


def test_two_public_subnets_of_a_subregion_have_two_nat_services():
    subnets = [
        {"ipRange": "10.0.0.0/24", "roles": ["loadbalancer", "nat"]},
        {"ipRange": "10.0.1.0/24", "roles": ["nat"]},
        {"ipRange": "10.0.2.0/24", "roles": ["controlplane", "worker"]},
    ]
    run = clusters.ready({"subnets": subnets})
    assert len({row["SubnetId"] for row in clusters.live(run, "NatServices")}) == 2


def test_nat_services_and_routes_are_found_by_the_names_of_the_spec():
    subnets = [
        {"name": "one", "ipRange": "10.0.0.0/24", "roles": ["loadbalancer", "nat"]},
        {"name": "two", "ipRange": "10.0.1.0/24", "roles": ["nat"]},
        {"name": "nodes", "ipRange": "10.0.2.0/24", "roles": ["controlplane", "worker"]},
    ]
    network = {
        "subnets": subnets,
        "natServices": [
            {"name": "first", "subnetName": "one"},
            {"name": "second", "subnetName": "two"},
        ],
        "routeTables": [
            {"subnets": ["one", "two"], "routes": [{"targetType": "gateway"}]},
            {"role": "worker", "routes": [{"targetType": "nat", "targetName": "second"}]},
        ],
    }
    run = clusters.ready(network)
    second = next(r for r in clusters.live(run, "NatServices") if clusters.name(r) == "second")
    nodes = clusters.one(run, "Subnets", IpRange="10.0.2.0/24")["SubnetId"]
    assert clusters.routes(run, nodes) == {ANYWHERE: second["NatServiceId"]}
    network["routeTables"][1]["routes"][0]["targetName"] = "first"
    clusters.change(run, network).settle()
    first = next(r for r in clusters.live(run, "NatServices") if clusters.name(r) == "first")
    assert clusters.routes(run, nodes) == {ANYWHERE: first["NatServiceId"]}


def test_without_the_internet_there_is_no_way_out():
    network = {"disable": ["internet"], "loadBalancer": {"type": "internal"}}
    run = clusters.ready(network)
    for kind in ("InternetServices", "NatServices", "PublicIps"):
        assert clusters.live(run, kind) == []
    assert all(clusters.routes(run, row["SubnetId"]) == {} for row in clusters.live(run, "Subnets"))


def test_public_ips_of_nat_services_come_from_a_pool_and_go_back():
    fake = FakeCloud(seed=1)
    cloud = driver.Direct(fake)
    pool = []
    for _ in range(2):
        pool.append(cloud.call("CreatePublicIp")["PublicIp"]["PublicIpId"])
        clusters.mark(fake, pool[-1], OscK8sIPPool="edge")
    run = clusters.ready({"natPublicIpPool": "edge"}, fake)
    (used,) = clusters.one(run, "NatServices")["PublicIps"]
    assert used["PublicIpId"] in pool
    assert clusters.live(run, "PublicIps") == [], "What is in a pool is nobody's."
    run.delete().settle()
    assert {row["PublicIpId"] for row in cloud.read("ReadPublicIps")} == set(pool)


def test_an_empty_pool_is_told_and_filled_later():
    fake = FakeCloud(seed=1)
    run = clusters.start({"natPublicIpPool": "edge"}, fake)
    for _ in range(4):
        run.step()
        fake.clock.advance(5)
    said = "The pool edge has 0 public IPs, and all are in use. Tag another one OscK8sIPPool=edge."
    assert run.conditions["NatServicesReady"] == ("False", "Refused", said)
    address = driver.Direct(fake).call("CreatePublicIp")["PublicIp"]["PublicIpId"]
    clusters.mark(fake, address, OscK8sIPPool="edge")
    assert run.settle().is_ready


def test_a_public_ip_that_is_to_be_kept_outlives_its_cluster():
    run = clusters.ready()
    kept = clusters.one(run, "PublicIps")["PublicIpId"]
    clusters.mark(run.fake, kept, OscK8sNoDelete="")
    assert clusters.changes(run, lambda: clusters.again(run)) == []
    run.delete().settle()
    assert run.is_gone
    (row,) = driver.Direct(run.fake).read("ReadPublicIps")
    assert row["PublicIpId"] == kept


# --- Load balancer -------------------------------------------------------------------------------


def test_the_load_balancer_is_born_with_its_tags():
    run = clusters.ready()
    row = clusters.balancer(run)
    assert clusters.tags(row) == {clusters.OWNED: "owned", "Name": f"demo-k8s-{driver.UID}"}
    created = next(e for e in run.fake.journal if e.action == "CreateLoadBalancer")
    assert len(created.request["Tags"]) == 2
    assert run.object["spec"]["controlPlaneEndpoint"] == {"host": row["DnsName"], "port": 6443}


def test_listeners_health_check_and_groups_of_the_load_balancer_can_be_changed():
    balancer = {
        "listener": {"port": 6443, "backendPort": 8443},
        "additionalListeners": [{"port": 8132, "backendPort": 8132}],
        "healthCheck": {"protocol": "HTTPS", "port": 8443, "path": "/readyz", "checkInterval": 5},
    }
    run = clusters.ready()
    clusters.change(run, {"loadBalancer": balancer}).settle()
    row = clusters.balancer(run)
    ports = {(each["LoadBalancerPort"], each["BackendPort"]) for each in row["Listeners"]}
    assert ports == {(6443, 8443), (8132, 8132)}
    assert row["HealthCheck"]["Path"] == "/readyz"
    assert row["HealthCheck"]["CheckInterval"] == 5
    assert ("tcp", 8132, 8132, ANYWHERE) in clusters.rules(clusters.group(run, "demo-lb"))
    assert ("tcp", 8443, 8443, "10.0.0.0/16") in clusters.rules(
        clusters.group(run, "demo-controlplane")
    )
    clusters.change(run, {}).settle()
    ports = [each["LoadBalancerPort"] for each in clusters.balancer(run)["Listeners"]]
    assert ports == [6443]


def test_backends_of_the_load_balancer_are_left_alone():
    run = clusters.ready()
    image = driver.Direct(run.fake).read("ReadImages")[0]["ImageId"]
    subnet = clusters.with_role(run, "Subnets", "controlplane")[0]["SubnetId"]
    made = driver.Direct(run.fake).call("CreateVms", ImageId=image, SubnetId=subnet)["Vms"][0]
    run.fake.clock.advance(60)
    ids = [made["VmId"]]
    driver.Direct(run.fake).call(
        "LinkLoadBalancerBackendMachines", LoadBalancerName="demo-k8s", BackendVmIds=ids
    )
    run.fake.clock.advance(60)
    assert clusters.changes(run, lambda: clusters.again(run)) == []
    assert clusters.balancer(run)["BackendVmIds"] == ids


@pytest.mark.parametrize("source", ["id", "pool"])
def test_the_load_balancer_has_a_public_ip_of_its_own(source):
    fake = FakeCloud(seed=1)
    address = driver.Direct(fake).call("CreatePublicIp")["PublicIp"]
    clusters.mark(fake, address["PublicIpId"], OscK8sIPPool="api")
    spec = {"publicIpId": address["PublicIpId"]} if source == "id" else {"publicIpPool": "api"}
    run = clusters.ready({"loadBalancer": spec}, fake)
    assert clusters.balancer(run)["PublicIp"] == address["PublicIp"]
    run.delete().settle()
    assert [r["PublicIp"] for r in driver.Direct(fake).read("ReadPublicIps")] == [
        address["PublicIp"]
    ]


def test_an_internal_load_balancer_has_no_public_address():
    run = clusters.ready({"loadBalancer": {"type": "internal"}})
    assert clusters.balancer(run)["LoadBalancerType"] == "internal"


def test_a_load_balancer_that_exists_is_used_as_it_is():
    first = clusters.ready()
    (place,) = clusters.balancer(first)["Subnets"]
    cloud = driver.Direct(first.fake)
    made = cloud.call(
        "CreateLoadBalancer",
        LoadBalancerName="theirs",
        Subnets=[place],
        Listeners=[
            {
                "LoadBalancerPort": 443,
                "LoadBalancerProtocol": "TCP",
                "BackendPort": 443,
                "BackendProtocol": "TCP",
            }
        ],
    )["LoadBalancer"]
    first.fake.clock.advance(120)
    network = {
        "net": {"ipRange": "10.7.0.0/16"},
        "useExisting": {"loadBalancer": True},
        "loadBalancer": {"name": "theirs", "listener": {"port": 443}},
    }
    before = driver.inventory(first.fake)["LoadBalancers"]
    run = clusters.ready(network, first.fake, uid="another", name="other")
    assert run.object["spec"]["controlPlaneEndpoint"] == {"host": made["DnsName"], "port": 443}
    run.delete().settle()
    assert run.is_gone
    assert driver.inventory(first.fake)["LoadBalancers"] == before


# --- Endpoint ------------------------------------------------------------------------------------


def test_the_endpoint_is_set_once():
    endpoint = {"host": "api.example.com", "port": 443}
    run = clusters.ready(endpoint=endpoint)
    assert run.object["spec"]["controlPlaneEndpoint"] == endpoint


def test_the_endpoint_is_not_set_before_the_load_balancer_works():
    run = clusters.start()
    while "controlPlaneEndpoint" not in run.object["spec"]:
        is_set = run.step().spec != {}
        assert not is_set or clusters.balancer(run)["State"] in ("active", "reloading")
        run.fake.clock.advance(5)
    host = run.object["spec"]["controlPlaneEndpoint"]
    assert host["host"]
    assert host["port"]


def test_a_cluster_without_a_load_balancer_waits_for_its_endpoint():
    run = clusters.start({"disable": ["loadbalancer"]}).settle()
    status, reason, message = run.conditions["EndpointReady"]
    assert (status, reason) == ("False", "EndpointMissing")
    assert "Set host and port" in message
    assert "initialization" not in run.status
    run.set({**run.object["spec"], "controlPlaneEndpoint": {"host": "192.0.2.1", "port": 6443}})
    assert run.settle().is_ready


# --- Net access points, and who looks after a cluster --------------------------------------------


def test_net_access_points_come_and_go_with_the_spec():
    network = {"netAccessPoints": ["api", "lbu"]}
    run = clusters.ready(network)
    found = {row["ServiceName"] for row in clusters.live(run, "NetAccessPoints")}
    assert found == {"com.outscale.eu-west-2.api", "com.outscale.eu-west-2.lbu"}
    nodes = {
        clusters.table_of(run, row["SubnetId"])["RouteTableId"]
        for role in ("worker", "controlplane")
        for row in clusters.with_role(run, "Subnets", role)
    }
    assert set(clusters.live(run, "NetAccessPoints")[0]["RouteTableIds"]) == nodes
    clusters.change(run, {"netAccessPoints": ["lbu", "oos"]}).settle()
    found = {row["ServiceName"].rpartition(".")[2] for row in clusters.live(run, "NetAccessPoints")}
    assert found == {"lbu", "oos"}
    clusters.change(run, {}).settle()
    assert clusters.live(run, "NetAccessPoints") == []
    assert "NetAccessPointsReady" not in run.conditions


def test_an_externally_managed_cluster_is_left_alone():
    run = clusters.start()
    run.object["metadata"]["annotations"] = {"cluster.x-k8s.io/managed-by": "someone"}
    for _ in range(3):
        run.step()
    assert run.cloud.calls == []
    assert run.writes == 0
