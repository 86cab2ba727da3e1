"""What cannot be is refused in words, and what goes wrong is told and passes."""

import pytest

from fakecloud import FakeCloud
from provider.osc.credentials import CredentialsError
from tests.functional.provider import clusters, driver
from tests.functional.provider.clusters import HERE, THERE

# --- Specs from which no cluster can be made -----------------------------------------------------

NO_ROLE = [{"ipRange": "10.0.0.0/24", "roles": ["worker", "controlplane", "nat"]}]
REFUSED = {
    "no range": ({"net": {"ipRange": "nonsense"}}, "'nonsense' is no IPv4 range"),
    "no size": ({"net": {"ipRange": "10.0.0.0/8"}}, "10.0.0.0/8 is no size of a Net"),
    "no room": ({"net": {"ipRange": "10.0.0.0/28"}}, "10.0.0.0/28 has room for"),
    "no room for three": (
        {"net": {"ipRange": "10.0.0.0/27"}, "subregions": [HERE, THERE]},
        "10.0.0.0/27 has room for the subnets of 1 subregion, but there are 2",
    ),
    "subnet outside": (
        {"subnets": [{"ipRange": "172.16.0.0/24", "roles": ["loadbalancer"]}]},
        "172.16.0.0/24 is not inside the Net, 10.0.0.0/16",
    ),
    "no subnet for the load balancer": (
        {"subnets": NO_ROLE},
        "No subnet has the role loadbalancer",
    ),
    "no group for the load balancer": (
        {"securityGroups": [{"name": "nodes", "roles": ["worker"]}]},
        "No security group has the role loadbalancer",
    ),
    "no range in a rule": (
        {"allowFromIPRanges": ["everyone"]},
        "spec.network.allowFromIPRanges[0]: 'everyone' is no IPv4 range",
    ),
    "wrong type": (
        {"loadBalancer": {"listener": {"port": "many"}}},
        "spec.network.loadBalancer.listener.port is 'many', but:",
    ),
    "wrong shape": ({"subnets": "all"}, "spec.network.subnets is 'all', but:"),
    "route without a NAT service": (
        {
            "subnets": [
                {"name": "a", "ipRange": "10.0.0.0/24", "roles": ["loadbalancer"]},
                {"name": "b", "ipRange": "10.0.1.0/24", "roles": ["worker"]},
            ],
            "routeTables": [{"subnets": ["b"], "routes": [{"targetType": "nat"}]}],
        },
        "spec.network.routeTables has a route to a NAT service, but the cluster has none",
    ),
    "NAT service without a subnet": (
        {
            "subnets": [{"name": "a", "ipRange": "10.0.0.0/24", "roles": ["loadbalancer", "nat"]}],
            "natServices": [{"name": "x", "subregion": THERE}],
        },
        "spec.network.natServices[0] is for the subnet or subregion eu-west-2b, but no subnet",
    ),
    "bastion without a subnet": (
        {
            "subnets": [{"ipRange": "10.0.0.0/24", "roles": ["loadbalancer"]}],
            "bastion": {"enable": True, "image": {"id": "ami-12345678"}, "keypairName": "ops"},
        },
        "no subnet has the role bastion",
    ),
    "Net without an id": ({"useExisting": {"net": True}}, "useExisting.net is true, but no id"),
}
"""Networks, and what is said of them."""


@pytest.mark.parametrize("why", REFUSED)
def test_a_spec_that_cannot_be_is_refused_before_any_call(why):
    network, said = REFUSED[why]
    run = clusters.start(network)
    run.step()
    assert clusters.calls(run, run.step) == []
    status, reason, message = run.conditions["SpecReady"]
    assert (status, reason) == ("False", "Refused")
    assert said in message
    assert run.conditions["Ready"][:2] == ("False", "Refused")
    assert run.events[-1].type == "Warning"


@pytest.mark.parametrize("why", REFUSED)
def test_a_spec_that_was_broken_does_not_hinder_deletion(why):
    run = clusters.start()
    before = driver.shape(run.fake)
    run.settle()
    clusters.change(run, REFUSED[why][0])
    run.step()
    assert not run.is_ready
    run.delete().settle()
    assert run.is_gone
    assert driver.shape(run.fake) == before


def test_a_spec_is_taken_once_it_is_right():
    run = clusters.start(REFUSED["no size"][0])
    run.step()
    run.step()
    clusters.change(run, {}).settle()
    assert run.is_ready
    assert "SpecReady" not in run.conditions


# --- Changes that cannot be made -----------------------------------------------------------------


def _moved(network):
    return lambda run: clusters.change(run, network)


SUBNETS = [
    {"name": "a", "ipRange": "10.0.0.0/24", "roles": ["loadbalancer", "nat"]},
    {"name": "b", "ipRange": "10.0.1.0/24", "roles": ["controlplane", "worker"]},
]
FIXED = {
    "the range of the Net": (
        {},
        {"net": {"ipRange": "10.1.0.0/16"}},
        "NetReady",
        "ip range is 10.0.0.0/16, the spec wants 10.1.0.0/16",
    ),
    "the subregion of a subnet": (
        {"subnets": SUBNETS},
        {"subnets": [SUBNETS[0], {**SUBNETS[1], "subregion": THERE}]},
        "SubnetsReady",
        "subregion is eu-west-2a, the spec wants eu-west-2b",
    ),
    "the type of the load balancer": (
        {},
        {"loadBalancer": {"type": "internal"}},
        "LoadBalancerReady",
        "type is internet-facing, the spec wants internal",
    ),
    "the subnet of the load balancer": (
        {"subnets": SUBNETS},
        {"subnets": SUBNETS, "loadBalancer": {"subnetName": "b"}},
        "LoadBalancerReady",
        "subnet is subnet/10.0.0.0/24, the spec wants subnet/10.0.1.0/24",
    ),
    "the pool of a NAT service": (
        {},
        {"natPublicIpPool": "edge"},
        "PublicIpsReady",
        (
            "is not wanted, but natService/10.0.2.0/24 cannot be without it. Put it back, or "
            "remove that first"
        ),
    ),
}
"""What is changed: before, after, the condition that tells, and what it says."""


@pytest.mark.parametrize("what", FIXED)
def test_a_change_that_cannot_be_made_is_refused(what):
    before, after, type_, said = FIXED[what]
    run = clusters.ready(before)
    shape = driver.shape(run.fake)
    clusters.change(run, after)
    assert clusters.changes(run, run.settle) == []
    assert driver.shape(run.fake) == shape
    status, reason, message = run.conditions[type_]
    assert (status, reason) == ("False", "Refused")
    assert said in message
    assert run.last.again_s >= 300, "Nothing changes until a person does something."
    clusters.change(run, before).settle()
    assert run.is_ready


def test_a_load_balancer_is_not_exchanged_under_a_running_cluster():
    run = clusters.ready()
    clusters.change(run, {"loadBalancer": {"name": "another"}})
    assert clusters.changes(run, run.step) == []
    _, _, message = run.conditions["SpecReady"]
    assert "spec.network.loadBalancer.name is another, but" in message
    assert clusters.balancer(run)


def test_the_port_of_a_running_cluster_stays():
    run = clusters.ready()
    clusters.change(run, {"loadBalancer": {"listener": {"port": 443}}})
    assert clusters.changes(run, run.step) == []
    _, _, message = run.conditions["SpecReady"]
    assert "spec.network.loadBalancer.listener.port is 443, but" in message


@pytest.mark.parametrize("written", [str, str.upper, "{}.".format])
def test_the_way_to_the_api_is_not_switched_off_under_a_running_cluster(written):
    run = clusters.ready()
    point = run.object["spec"]["controlPlaneEndpoint"]
    point["host"] = written(point["host"])
    clusters.change(run, {"disable": ["loadbalancer"]})
    assert clusters.changes(run, run.step) == []
    _, _, message = run.conditions["SpecReady"]
    assert "spec.network.disable has loadbalancer, but spec.controlPlaneEndpoint.host" in message
    assert clusters.balancer(run)


def test_a_load_balancer_that_is_not_the_way_to_the_api_can_be_switched_off():
    run = clusters.ready(endpoint={"host": "api.example.org", "port": 6443})
    clusters.change(run, {"disable": ["loadbalancer"]}).settle()
    assert run.is_ready, run.conditions
    assert clusters.live(run, "LoadBalancers") == []


# --- What is not there ---------------------------------------------------------------------------


def test_a_net_that_is_to_be_used_has_to_exist():
    network = {
        "useExisting": {"net": True},
        "net": {"resourceId": "vpc-0000dead", "ipRange": "10.0.0.0/16"},
        "subnets": [
            {
                "resourceId": "subnet-0000dead",
                "ipRange": "10.0.0.0/24",
                "roles": ["loadbalancer", "controlplane", "worker"],
            }
        ],
    }
    run = clusters.start(network)
    run.step()
    assert clusters.changes(run, run.step) == []
    message = run.conditions["NetReady"][2]
    assert message == "net: vpc-0000dead does not exist. Name one that does."


# --- A name that is taken ------------------------------------------------------------------------


def test_a_name_of_a_load_balancer_that_is_taken_is_refused_without_endless_calls():
    fake = FakeCloud(seed=1)
    theirs = clusters.ready({}, fake, uid="another")
    shape = driver.shape(fake)
    run = clusters.start({"net": {"ipRange": "10.1.0.0/16"}}, fake).settle()
    status, reason, message = run.conditions["LoadBalancerReady"]
    assert (status, reason) == ("False", "Refused")
    assert "a load balancer with the name demo-k8s exists, and it is not this cluster's" in message
    assert run.cloud.calls.count("CreateLoadBalancer") <= 1, "The first pass sees nothing yet."
    assert "controlPlaneEndpoint" not in run.object["spec"]
    assert run.last.again_s >= 300
    assert clusters.changes(run, lambda: clusters.again(run)) == []
    run.delete().settle()
    assert run.is_gone
    assert driver.shape(fake) == shape
    assert theirs.is_ready


def test_two_clusters_of_one_name_do_not_touch_each_other():
    fake = FakeCloud(seed=1)
    empty = driver.shape(fake)
    first = clusters.ready({}, fake, uid="one")
    alone = driver.shape(fake)
    second = clusters.ready({"loadBalancer": {"name": "second"}}, fake, uid="two")
    for run in (first, second):
        assert clusters.changes(run, lambda run=run: clusters.again(run)) == []
    second.delete().settle()
    assert driver.shape(fake) == alone
    first.delete().settle()
    assert driver.shape(fake) == empty


# --- What goes wrong in the cloud ----------------------------------------------------------------


def passes(run, count=6):
    """Look at a cluster again and again, as often as it asks for it."""
    for _ in range(count):
        outcome = run.step()
        run.fake.clock.advance(max(outcome.again_s or 0, 5))


def test_the_quota_of_public_ips_is_told():
    fake = FakeCloud(seed=1, quota={"ip_limit": 20})
    cloud = driver.Direct(fake)
    others = [cloud.call("CreatePublicIp")["PublicIp"]["PublicIpId"] for _ in range(20)]
    run = clusters.start({}, fake)
    passes(run)
    status, reason, message = run.conditions["PublicIpsReady"]
    assert (status, reason) == ("False", "QuotaReached")
    assert message.startswith("CreatePublicIp: TooManyResources")
    assert run.conditions["SubnetsReady"][0] == "True", "The rest goes on."
    assert run.last.retry, "The pauses between two tries grow."
    assert run.cloud.calls.count("CreatePublicIp") <= 5, "One try in a pass."
    cloud.call("DeletePublicIp", PublicIpId=others[0])
    assert run.settle().is_ready


@pytest.mark.parametrize(("code", "reason"), [(24, "Throttled"), (6, "Throttled")])
def test_throttling_ends_a_pass(code, reason):
    run = clusters.start()
    run.step()
    fault = run.fake.fail("refuse", action="CreateSubnet", code=code)
    calls = clusters.calls(run, run.step)
    assert calls[-1] == "CreateSubnet", "Nothing more is asked for."
    assert calls.count("CreateSubnet") == 1
    assert run.conditions["SubnetsReady"][:2] == ("Unknown", reason)
    assert not [each for each in run.events if each.type == "Warning"]
    run.fake.faults.remove(fault) if hasattr(run.fake.faults, "remove") else run.fake.faults.clear()
    assert run.settle().is_ready


@pytest.mark.parametrize(
    ("action", "code", "type_", "expected"),
    [
        ("CreateNet", 4120, "NetReady", ("False", "Denied")),
        ("CreateNatService", 2000, "NatServicesReady", ("Unknown", "CloudUnavailable")),
        ("CreateLoadBalancer", 10001, "LoadBalancerReady", ("False", "NoCapacity")),
        ("ReadNets", 4120, "CloudReady", ("False", "Denied")),
        ("ReadPublicIps", 2000, "CloudReady", ("Unknown", "CloudUnavailable")),
    ],
)
def test_an_error_of_the_cloud_is_told_and_passes(action, code, type_, expected):
    run = clusters.start()
    run.fake.fail("refuse", action=action, code=code)
    for _ in range(8):
        outcome = run.step()
        run.fake.clock.advance(15)
    assert run.conditions[type_][:2] == expected
    assert run.conditions[type_][2].startswith(f"{action}: ")
    assert outcome.retry
    run.fake.faults.clear()
    assert run.settle().is_ready
    assert run.delete().settle().is_gone


def test_a_cloud_that_is_away_does_not_take_back_what_was_known():
    run = clusters.ready()
    run.memory.clear()
    run.fake.fail("refuse", action="ReadSubnets", code=2000)
    run.step()
    assert run.conditions["Ready"][:2] == ("Unknown", "CloudUnavailable")
    assert run.conditions["NetReady"][0] == "True"
    assert run.status["initialization"]["provisioned"]
    run.fake.faults.clear()
    run.step()
    assert run.is_ready
    assert "CloudReady" not in run.conditions


def test_what_takes_unusually_long_is_told():
    run = clusters.start()
    run.fake.fail("stuck", kind="LoadBalancer", state="starting")
    for _ in range(200):
        outcome = run.step()
        run.fake.clock.advance(outcome.again_s or 5)
        if "usually" in run.conditions.get("LoadBalancerReady", ("", "", ""))[2]:
            break
    status, reason, message = run.conditions["LoadBalancerReady"]
    assert (status, reason) == ("Unknown", "Waiting")
    assert "This takes more than 1200 s, and usually 60 s. Look at it in Cockpit" in message
    writes = run.writes
    run.step()
    assert run.writes == writes, "It is told once."


# --- Credentials ---------------------------------------------------------------------------------


class Locked:
    """Clouds to which there is no key."""

    def workload(self):
        raise CredentialsError("The Secret default/keys lacks access_key. Add what is missing.")

    management = shared = workload


@pytest.mark.parametrize("going", [False, True])
def test_missing_credentials_are_told(going):
    run = clusters.ready()
    if going:
        run.delete()
    clouds, run.clouds = run.clouds, Locked()
    run.memory.clear()
    outcome = run.step()
    said = "The Secret default/keys lacks access_key. Add what is missing."
    assert run.conditions["CredentialsReady"] == ("False", "CredentialsMissing", said)
    assert outcome.retry
    assert not run.is_gone
    state = ("True", "Deleting", said) if going else ("False", "NotDeleting", "")
    assert run.conditions["Deleting"] == state
    run.clouds = clouds
    run.settle()
    assert run.is_gone if going else run.is_ready
    assert going or "CredentialsReady" not in run.conditions


def test_a_refusal_hides_neither_what_is_left_nor_the_end_of_a_pause():
    run = clusters.ready().delete()
    run.step()
    left = run.conditions["Deleting"]
    run.cluster["spec"]["paused"] = True
    run.step()
    assert run.conditions["Paused"][0] == "True"
    run.cluster["spec"]["paused"] = False
    run.clouds = Locked()
    run.memory.clear()
    run.step()
    assert run.conditions["Paused"][0] == "False"
    assert run.conditions["Deleting"] == left
    assert run.conditions["Ready"][:2] == ("False", "CredentialsMissing")


# --- Going ---------------------------------------------------------------------------------------


def test_deletion_waits_for_machines():
    run = clusters.ready()
    run.machines = [{"metadata": {"name": f"worker-{number}"}} for number in range(7)]
    run.delete()
    assert clusters.calls(run, run.step) == []
    status, reason, message = run.conditions["Deleting"]
    assert (status, reason) == ("True", "Deleting")
    assert "Waiting for 7 OscMachines to be deleted: worker-0, worker-1" in message
    assert message.endswith("7 of them are to stay so far. Delete the Cluster, or these Machines")
    for each in run.machines:
        each["metadata"]["deletionTimestamp"] = "2026-11-29T01:00:00Z"
    run.step()
    assert "to stay" not in run.conditions["Deleting"][2]
    run.machines = []
    assert run.settle().is_gone


def test_an_orphan_is_deleted():
    run = clusters.start()
    empty = driver.shape(run.fake)
    run.settle()
    run.cluster = None
    run.status.clear()
    run.memory.clear()
    run.delete().settle()
    assert run.is_gone
    assert driver.shape(run.fake) == empty


def test_an_orphan_whose_label_is_lost_is_deleted_by_its_owner_reference():
    run = clusters.start()
    empty = driver.shape(run.fake)
    run.settle()
    metadata = run.object["metadata"]
    del metadata["labels"]
    owner = {"kind": "Cluster", "name": "demo", "uid": driver.UID}
    metadata["ownerReferences"] = [{"apiVersion": "cluster.x-k8s.io/v1beta2", **owner}]
    run.cluster = None
    run.delete().settle()
    assert run.is_gone
    assert driver.shape(run.fake) == empty


def test_what_goes_says_what_is_left():
    run = clusters.ready().delete()
    run.step()
    message = run.conditions["Deleting"][2]
    assert "* net: in use by" in message
    assert run.conditions["Ready"][:2] == ("False", "Deleting")


def test_finalizers_of_others_are_kept():
    run = clusters.start()
    run.object["metadata"]["finalizers"] = ["someone/else"]
    run.settle()
    assert run.object["metadata"]["finalizers"][0] == "someone/else"
    run.delete()
    for _ in range(40):
        run.step()
        run.fake.clock.advance(20)
    assert run.object["metadata"]["finalizers"] == ["someone/else"]


def test_an_intent_survives_a_read_that_fails_later_in_its_pass():
    run = clusters.start()
    empty = driver.shape(run.fake)
    run.step()
    run.fake.fail("lose", action="CreateNet", times=1)
    run.fake.fail("lose", action="CreatePublicIp", times=1)
    run.step()
    run.fake.fail("refuse", action="ReadInternetServices", code=2000, times=1)
    run.step()
    run.settle()
    assert run.is_ready
    assert len(driver.Direct(run.fake).read("ReadNets")) == 1
    run.delete().settle()
    assert driver.shape(run.fake) == empty


def test_of_what_stops_a_cluster_only_the_last_is_told():
    run = clusters.ready()
    clouds, run.clouds = run.clouds, Locked()
    run.memory.clear()
    run.step()
    run.clouds = clouds
    run.fake.faults.add("refuse", action="ReadNets", code=5)
    run.step()
    assert run.conditions["CloudReady"][:2] == ("False", "Denied")
    assert "CredentialsReady" not in run.conditions
    run.clouds = Locked()
    run.step()
    assert run.conditions["CredentialsReady"][:2] == ("False", "CredentialsMissing")
    assert "CloudReady" not in run.conditions
    assert run.conditions["NetReady"][0] == "True"


def test_a_subregion_that_does_not_exist_is_told_with_those_that_do():
    run = clusters.start({"subregions": ["eu-west-2z"]})
    for _ in range(3):
        run.step()
    status, reason, message = run.conditions["SubnetsReady"]
    assert (status, reason) == ("False", "Refused")
    assert "has the subregion eu-west-2z, but eu-west-2 has eu-west-2a, eu-west-2b" in message
    assert run.last.retry
