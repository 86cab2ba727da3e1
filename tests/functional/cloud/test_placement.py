"""Placement tags: who shares a server or cluster with whom."""

import base64

import pytest

from fakecloud.rules import placement
from tests.functional.cloud import nets


def launch(world, tag, value="group", code=None):
    text = (
        "-----BEGIN OUTSCALE SECTION-----\n"
        f"tags.osc.fcu.{tag}={value}\n"
        "-----END OUTSCALE SECTION-----\n"
    )
    data = base64.b64encode(text.encode()).decode()
    if code:
        return world.refused(code, "CreateVms", ImageId=world.image, UserData=data)
    return world.launch(Public=True, UserData=data)


def place(world, vm):
    row = world.cloud.store(world.cloud.region).row("Vm", vm)
    return row["_Cluster"], row["_Server"]


@pytest.fixture
def strict():
    return nets.make(strict=True)


def test_vms_that_repulse_each_other_are_on_servers_of_their_own(strict):
    servers = [place(strict, launch(strict, "repulse_server"))[1] for _ in range(20)]
    assert len(set(servers)) == 20


def test_vms_that_attract_each_other_share_a_server(strict):
    servers = [place(strict, launch(strict, "attract_server"))[1] for _ in range(5)]
    assert len(set(servers)) == 1


def test_vms_that_attract_each_other_share_a_cluster(strict):
    clusters = [place(strict, launch(strict, "attract_cluster"))[0] for _ in range(5)]
    assert len(set(clusters)) == 1


def test_a_strict_tag_that_cannot_be_satisfied_is_refused(strict):
    vms = [launch(strict, "repulse_cluster_strict") for _ in range(placement.CLUSTERS)]
    assert len({place(strict, vm)[0] for vm in vms}) == placement.CLUSTERS
    launch(strict, "repulse_cluster_strict", code=10001)
    launch(strict, "repulse_cluster_strict", value="others")
    strict.call("DeleteVms", VmIds=[vms[0]])
    strict.wait(nets.UNTIL_TERMINATED_S)
    again = launch(strict, "repulse_cluster_strict")
    assert place(strict, again)[0] != place(strict, vms[1])[0]


def test_a_tag_that_is_not_strict_gives_way(strict):
    vms = [launch(strict, "repulse_cluster") for _ in range(placement.CLUSTERS + 1)]
    assert len({place(strict, vm)[0] for vm in vms}) == placement.CLUSTERS


def test_a_cloud_that_is_not_strict_refuses_nobody():
    world = nets.make()
    for _ in range(placement.CLUSTERS + 1):
        launch(world, "repulse_cluster_strict")


def test_the_tags_of_a_stopped_vm_count_at_its_next_start(strict):
    vms = [launch(strict, "attract_server", value=name) for name in ("a", "b", "c")]
    tag = [{"Key": "osc.fcu.repulse_cluster_strict", "Value": "x"}]
    for vm in vms:
        strict.call("CreateTags", ResourceIds=[vm], Tags=tag)
        strict.call("StopVms", VmIds=[vm])
    strict.wait(nets.UNTIL_STOPPED_S)
    for vm in vms[: placement.CLUSTERS]:
        strict.call("StartVms", VmIds=[vm])
    strict.refused(10001, "StartVms", VmIds=[vms[2]])
