"""An error that stays the same: told once, and the object is left alone until that changes.

Whenever the API refuses the same call again, the request id is another one.
"""

import pytest

from provider.kube import kinds
from tests.contract.kube.client import eventually
from tests.functional.provider import driver, machine_driver, worlds

PASSES = 12
"""Enough for all else to come to rest, and to be told."""
RETRIES = 4
CODES = {"quota": 10022, "denied": 4120, "busy": 9085, "lost": 2000}
BUILD = [
    "ReadNets",
    "ReadPublicIps",
    "CreateNet",
    "CreateTags",
    "CreateInternetService",
    "LinkInternetService",
    "CreateSubnet",
    "CreateRouteTable",
    "CreateRoute",
    "LinkRouteTable",
    "CreateSecurityGroup",
    "CreateSecurityGroupRule",
    "CreatePublicIp",
    "CreateNatService",
    "CreateLoadBalancer",
    "UpdateLoadBalancer",
    "ReadImages",
    "CreateVms",
]
LAUNCH = [
    "ReadVms",
    "ReadImages",
    "ReadKeypairs",
    "ReadSubnets",
    "CreatePublicIp",
    "CreateVms",
    "CreateTags",
    "LinkLoadBalancerBackendMachines",
]
AWAY = ["DeleteNet", "DeleteNatService", "DeleteLoadBalancer", "DeleteVms", "ReadSubnets"]
INTENDED = {
    "ReadImages",
    "CreateVms",
    "CreateNet",
    "CreateInternetService",
    "CreateSubnet",
    "CreateRouteTable",
    "CreateSecurityGroup",
    "CreatePublicIp",
    "CreateNatService",
}
"""What a cluster makes that has no name of its own, and what it asks on the way.

Before each try it is written down what was there before.
"""


def refused(fake, one, action, cause, *, is_intended=False):
    """Let a call be refused from now on; check that the object is left alone once that is told."""
    strike = fake.fail("refuse", action=action, code=CODES[cause])
    for _ in range(PASSES):
        one.step()
        fake.clock.advance(30)
    before, hits = driver.copied(one.status), strike.hits
    one.events.clear()
    # An intent is written down before the call, and struck out after it.
    kept = 2 if is_intended and cause != "lost" else 0
    for _ in range(RETRIES):
        writes = one.writes
        one.step()
        assert one.status == before
        assert one.writes - writes == kept
        fake.clock.advance(30)
    assert strike.hits > hits, "It was tried again."
    told = "\n".join(message for _, _, message in one.conditions.values())
    assert action in told
    assert "(request " not in told


def traced(one):
    """Return the request ids that Events tell."""
    return [each.message.partition(" (request ")[2] for each in one.events if each.type != "Normal"]


@pytest.mark.parametrize("cause", CODES)
@pytest.mark.parametrize("action", BUILD)
def test_a_cluster_whose_call_is_refused_again_and_again_is_left_alone(action, cause):
    run = next(each for each in worlds.EXAMPLES if each.name == "bastion").start()
    refused(run.fake, run, action, cause, is_intended=action in INTENDED)
    if cause != "busy":
        assert len(set(traced(run))) == len(traced(run)) >= RETRIES


@pytest.mark.parametrize("cause", CODES)
@pytest.mark.parametrize("action", LAUNCH)
def test_a_machine_whose_call_is_refused_again_and_again_is_left_alone(action, cause):
    site = machine_driver.Site()
    one = site.control_plane(spec={"vm": {"publicIp": True}})
    refused(site.fake, one, action, cause, is_intended=action == "CreatePublicIp")
    if cause != "busy":
        assert len(set(traced(one))) == len(traced(one)) >= RETRIES


@pytest.mark.parametrize("cause", CODES)
@pytest.mark.parametrize("action", AWAY)
def test_what_cannot_be_deleted_is_left_alone(action, cause):
    run = next(each for each in worlds.EXAMPLES if each.name == "bastion").start().settle()
    refused(run.fake, run.delete(), action, cause)


# --- In Kubernetes -------------------------------------------------------------------------------


def test_kubernetes_is_told_once_and_has_the_id_of_one_request(stage, sky, replica):
    strike = sky.cloud.fail("refuse", action="ReadNets", code=CODES["denied"])
    stage.cluster()
    eventually(lambda: "conditions" in stage.status(kinds.OSC_CLUSTER, "demo"))
    before = stage.get(kinds.OSC_CLUSTER, "demo")
    hits = strike.hits
    eventually(lambda: strike.hits >= hits + RETRIES)
    assert stage.get(kinds.OSC_CLUSTER, "demo") == before
    assert "(request " not in str(before["status"])
    (told,) = eventually(lambda: [e for e in stage.list(kinds.EVENT) if e["reason"] == "Denied"])
    ids = {each.request_id for each in sky.cloud.journal if each.action == "ReadNets"}
    assert told["note"].partition(" (request ")[2].rstrip(").") in ids
    assert replica.value("caposc_queue_retries_total", kind="OscCluster") >= RETRIES
