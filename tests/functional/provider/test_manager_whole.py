"""The whole manager: a cluster comes and goes, from objects in Kubernetes to the cloud and back."""

import base64

from provider.kube import kinds
from tests.contract.kube.client import eventually
from tests.functional.provider.stage import RATE, Replica, keys

WITHIN_S = 60.0
LABELS = {"cluster.x-k8s.io/cluster-name": "demo"}


def is_provisioned(stage, kind, name):
    return (stage.status(kind, name).get("initialization") or {}).get("provisioned")


def condition(stage, kind, name, type_):
    rows = stage.status(kind, name).get("conditions") or []
    return next((each for each in rows if each["type"] == type_), {})


def left(sky):
    """Return what a cluster may leave behind in a cloud: nothing."""
    cloud = sky.cloud
    nets = cloud.call("ReadNets")["Nets"]
    alive = [each for each in cloud.call("ReadVms")["Vms"] if each["State"] != "terminated"]
    addresses = cloud.call("ReadPublicIps")["PublicIps"]
    return nets, alive, addresses


def test_a_cluster_with_a_machine_comes_and_goes(stage, sky, replica):
    sky.cloud.call("CreateKeypair", KeypairName="ops")
    image = sky.cloud.call("ReadImages")["Images"][0]["ImageId"]
    stage.cluster()
    stage.secret("one-data", LABELS, value="#cloud-config\n# canary-of-the-bootstrap\n")
    vm = {"keypairName": "ops", "image": {"id": image}, "role": "controlplane"}
    stage.machine("one", bootstrap="one-data", vm=vm)

    eventually(lambda: is_provisioned(stage, kinds.OSC_CLUSTER, "demo"), WITHIN_S)
    found = stage.get(kinds.OSC_CLUSTER, "demo")
    assert found["spec"]["controlPlaneEndpoint"]["port"] == 6443
    # The core would set this; without it no machine is made.
    initialization = {"infrastructureProvisioned": True}
    stage.patch(kinds.CLUSTER, "demo", "status", status={"initialization": initialization})
    eventually(lambda: is_provisioned(stage, kinds.OSC_MACHINE, "one"), WITHIN_S)
    assert stage.get(kinds.OSC_MACHINE, "one")["spec"]["providerID"].startswith("aws:///")
    assert replica.value("caposc_api_calls_total", action="CreateVms", outcome="ok") == 1

    for kind in (kinds.OSC_MACHINE, kinds.MACHINE):
        stage.delete(kind, "one")
    eventually(lambda: stage.get(kinds.OSC_MACHINE, "one") is None, WITHIN_S)
    stage.delete(kinds.OSC_CLUSTER, "demo")
    eventually(lambda: stage.get(kinds.OSC_CLUSTER, "demo") is None, WITHIN_S)
    assert left(sky) == ([], [], [])


def test_credentials_of_a_secret_are_used_as_soon_as_they_are_there(stage, sky):
    data = keys(sky)
    with Replica(stage, rate=RATE) as replica:
        made = stage.create(
            kinds.CLUSTER,
            "demo",
            spec={
                "infrastructureRef": {
                    "apiGroup": kinds.INFRASTRUCTURE,
                    "kind": "OscCluster",
                    "name": "demo",
                }
            },
        )
        metadata = stage._owned("demo", made, "Cluster")
        spec = {"credentials": {"fromSecret": "tenant"}}
        stage.create(kinds.OSC_CLUSTER, "demo", metadata=metadata, spec=spec)
        eventually(
            lambda: (
                "tenant" in condition(stage, kinds.OSC_CLUSTER, "demo", "Ready").get("message", "")
            )
        )
        stage.secret(
            "tenant",
            LABELS,
            access_key=data["OSC_ACCESS_KEY"],
            secret_key="canary-of-the-tenant",
            region="eu-west-2",
            endpoint=data["OSC_ENDPOINT_API"],
        )
        eventually(lambda: is_provisioned(stage, kinds.OSC_CLUSTER, "demo"), WITHIN_S)
        assert set(replica.secrets) == {"canary-of-the-tenant"}


def test_nothing_secret_is_told(stage, replica, caplog):
    caplog.set_level("DEBUG")
    stage.cluster()
    stage.secret("one-data", LABELS, value="canary-of-the-bootstrap")
    stage.machine("one", bootstrap="one-data")
    eventually(lambda: is_provisioned(stage, kinds.OSC_CLUSTER, "demo"), WITHIN_S)
    told = caplog.text + str(stage.list(kinds.EVENT)) + replica.metrics.text().decode()
    told += str(stage.list(kinds.OSC_CLUSTER)) + str(stage.list(kinds.OSC_MACHINE))
    assert "canary" not in told
    assert base64.b64encode(b"canary-of-the-bootstrap").decode() not in told


def test_a_settled_cluster_is_left_alone(stage, sky):
    with Replica(stage, environment=keys(sky), rate=RATE, sync_period=5.0) as replica:
        stage.cluster()
        eventually(lambda: is_provisioned(stage, kinds.OSC_CLUSTER, "demo"), WITHIN_S)

        def passes():
            return replica.value("caposc_reconciles_total", kind="OscCluster", end="done")

        settled = passes() + 3
        eventually(lambda: passes() > settled)
        version = stage.get(kinds.OSC_CLUSTER, "demo")["metadata"]["resourceVersion"]
        eventually(lambda: passes() > settled + 3)
        assert stage.get(kinds.OSC_CLUSTER, "demo")["metadata"]["resourceVersion"] == version
