"""The manager beside a core of Cluster API that serves only v1beta1, and while it is upgraded."""

import pytest

from provider.kube import kinds
from tests.contract.kube.client import eventually
from tests.functional.provider import stage as stages
from tests.functional.provider.deciding import deciding, phase, tiny
from tests.functional.provider.stage import Replica, Trial

OLD = "v1beta1"
CORE = (OLD,)
CLUSTER = kinds.CLUSTER.at(OLD)


def cluster(stage, **spec):
    """Create a Cluster with its OscCluster, as a user and such a core do."""
    reference = {
        "apiVersion": f"{kinds.INFRASTRUCTURE}/{OLD}",
        "kind": "OscCluster",
        "name": "demo",
        "namespace": stage.namespace,
    }
    made = stage.create(CLUSTER, "demo", spec={"infrastructureRef": reference, **spec})
    owned = stage._owned("demo", made, "Cluster")
    return stage.create(kinds.OSC_CLUSTER, "demo", metadata=owned, spec={})


def test_what_a_reconcile_sees_does_not_depend_on_the_version(plain):
    trial = Trial(tiny)
    with Replica(plain, deciding(cluster=trial)):
        cluster(plain)
        eventually(lambda: trial.seen and trial.seen[-1].cluster)
    found = trial.seen[-1].cluster
    assert found["apiVersion"] == "cluster.x-k8s.io/v1beta2"
    assert found["spec"]["infrastructureRef"] == {
        "apiGroup": kinds.INFRASTRUCTURE,
        "kind": "OscCluster",
        "name": "demo",
    }


def test_a_cluster_that_goes_on_wakes_its_objects(plain):
    with Replica(plain, deciding()):
        cluster(plain, paused=True)
        eventually(lambda: phase(plain) == "paused")
        plain.patch(CLUSTER, "demo", spec={"paused": False})
        eventually(lambda: phase(plain) == "there")


@pytest.mark.parametrize("is_served", [True, False])
def test_a_core_that_is_upgraded_is_followed(plain, is_served):
    """To one that serves both versions, or only has objects that were stored in the older one."""
    newer = stages.core_definitions(("v1beta2", OLD))
    for each in newer:
        each["spec"]["versions"][1]["served"] = is_served
    with Replica(plain, deciding()):
        cluster(plain)
        eventually(lambda: phase(plain) == "there")
        plain.install(newer)
        plain.patch(kinds.CLUSTER, "demo", spec={"paused": True})
        eventually(lambda: phase(plain) == "paused")
        plain.patch(kinds.CLUSTER, "demo", spec={"paused": False})
        eventually(lambda: phase(plain) == "there")


@pytest.mark.parametrize("calls", [range(1, 5), range(2, 5)])
@pytest.mark.parametrize("is_served", [True, False])
def test_a_core_may_be_upgraded_while_the_manager_starts(faulty, calls, is_served):
    """Between two looks at the definitions: by us and by kopf, or by kopf and its watch."""
    newer = stages.core_definitions(("v1beta2", OLD))
    for each in newer:
        each["spec"]["versions"][1]["served"] = is_served
    cluster(faulty)
    faulty.install(newer[:1])
    faulty.fault("drop", verb="list", resource="customresourcedefinitions", calls=[*calls])
    with Replica(faulty, deciding()):
        eventually(lambda: faulty.server.control("faults", method="GET")[0]["hits"])
        faulty.install(newer[1:])
        eventually(lambda: phase(faulty) == "there")
        faulty.patch(kinds.CLUSTER, "demo", spec={"paused": True})
        eventually(lambda: phase(faulty) == "paused")
