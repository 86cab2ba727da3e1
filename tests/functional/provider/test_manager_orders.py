"""Objects that go in an odd order: what a machine needs to go stays until it has gone."""

import pytest

from provider.kube import kinds
from tests.contract.kube.client import eventually
from tests.functional.provider.stage import RATE, Replica, keys
from tests.functional.provider.test_manager_whole import (
    LABELS,
    WITHIN_S,
    condition,
    is_provisioned,
    left,
)


@pytest.fixture(name="made")
def _made(stage, sky):
    """Be a stage with a cluster that has its own credentials, and a machine with a VM."""
    data = keys(sky)
    sky.cloud.call("CreateKeypair", KeypairName="ops")
    image = sky.cloud.call("ReadImages")["Images"][0]["ImageId"]
    with Replica(stage, rate=RATE, sync_period=5.0):
        stage.secret(
            "tenant",
            LABELS,
            access_key=data["OSC_ACCESS_KEY"],
            secret_key="canary-of-the-tenant",
            region="eu-west-2",
            endpoint=data["OSC_ENDPOINT_API"],
        )
        stage.cluster()
        spec = {"credentials": {"fromSecret": "tenant"}}
        stage.patch(kinds.OSC_CLUSTER, "demo", spec=spec)
        stage.secret("one-data", LABELS, value="#cloud-config\n")
        vm = {"keypairName": "ops", "image": {"id": image}}
        stage.machine("one", bootstrap="one-data", vm=vm)
        eventually(lambda: is_provisioned(stage, kinds.OSC_CLUSTER, "demo"), WITHIN_S)
        initialization = {"infrastructureProvisioned": True}
        stage.patch(kinds.CLUSTER, "demo", "status", status={"initialization": initialization})
        eventually(lambda: is_provisioned(stage, kinds.OSC_MACHINE, "one"), WITHIN_S)
        yield stage


def _delete_machine(stage):
    for kind in (kinds.OSC_MACHINE, kinds.MACHINE):
        stage.delete(kind, "one")


def _is_gone(stage, kind, name):
    eventually(lambda: stage.get(kind, name) is None, WITHIN_S)


def _says(stage, kind, name, type_, *texts):
    def said():
        message = condition(stage, kind, name, type_).get("message", "")
        return all(text in message for text in texts)

    eventually(said, WITHIN_S)


def test_an_osc_cluster_that_is_deleted_alone_waits_for_its_machines(made, sky):
    made.delete(kinds.OSC_CLUSTER, "demo")
    _says(
        made,
        kinds.OSC_CLUSTER,
        "demo",
        "Deleting",
        "Waiting for 1 OscMachines to be deleted: one",
        "Delete the Cluster, or these Machines",
    )
    assert condition(made, kinds.OSC_MACHINE, "one", "Ready")["status"] == "True"
    _delete_machine(made)
    _is_gone(made, kinds.OSC_MACHINE, "one")
    _is_gone(made, kinds.OSC_CLUSTER, "demo")
    assert left(sky) == ([], [], [])


def test_a_machine_whose_cluster_is_gone_first_finds_its_credentials(made, sky):
    made.patch(kinds.OSC_CLUSTER, "demo", metadata={"ownerReferences": None})
    made.delete(kinds.CLUSTER, "demo")
    _is_gone(made, kinds.CLUSTER, "demo")
    _delete_machine(made)
    _is_gone(made, kinds.OSC_MACHINE, "one")
    made.delete(kinds.OSC_CLUSTER, "demo")
    _is_gone(made, kinds.OSC_CLUSTER, "demo")
    assert left(sky) == ([], [], [])


def test_a_machine_whose_osc_cluster_was_forced_away_says_how_to_go_on(made, sky):
    old = made.get(kinds.OSC_CLUSTER, "demo")
    made.patch(kinds.OSC_MACHINE, "one", metadata={"annotations": {"cluster.x-k8s.io/paused": ""}})
    made.delete(kinds.OSC_CLUSTER, "demo")
    made.patch(kinds.OSC_CLUSTER, "demo", metadata={"finalizers": None})
    _is_gone(made, kinds.OSC_CLUSTER, "demo")
    made.patch(kinds.OSC_MACHINE, "one", metadata={"annotations": None})
    _delete_machine(made)
    _says(
        made,
        kinds.OSC_MACHINE,
        "one",
        "CredentialsReady",
        "The OscCluster of the Cluster demo does not exist",
        "Create it again",
    )
    owned = {key: old["metadata"][key] for key in ("labels", "ownerReferences")}
    made.create(kinds.OSC_CLUSTER, "demo", metadata=owned, spec=old["spec"])
    _is_gone(made, kinds.OSC_MACHINE, "one")
    eventually(lambda: is_provisioned(made, kinds.OSC_CLUSTER, "demo"), WITHIN_S)
    made.delete(kinds.OSC_CLUSTER, "demo")
    _is_gone(made, kinds.OSC_CLUSTER, "demo")
    assert left(sky) == ([], [], []), "The one made again has found all that the old one had."


def test_a_namespace_that_is_deleted_with_all_in_it_goes_with_credentials_from_elsewhere(made, sky):
    """Secrets have no finalizer, so they are gone before anything else has begun to go."""
    made.client.must("DELETE", f"/api/v1/namespaces/{made.namespace}")
    _is_gone(made, kinds.SECRET, "tenant")
    said = "when nothing can be created because the namespace goes"
    _says(made, kinds.OSC_MACHINE, "one", "CredentialsReady", said)
    data = keys(sky)
    values = {"access_key": data["OSC_ACCESS_KEY"], "secret_key": "canary-of-the-identity"}
    values |= {"region": "eu-west-2", "endpoint": data["OSC_ENDPOINT_API"]}
    secret = {"metadata": {"name": f"of-{made.namespace}"}, "stringData": values}
    made.client.must("POST", "/api/v1/namespaces/default/secrets", secret)
    reference = {"namespace": "default", "name": secret["metadata"]["name"]}
    name = f"for-{made.namespace}"
    spec = {"secretRef": reference, "allowedNamespaces": {"list": [made.namespace]}}
    made.create(kinds.OSC_CLUSTER_IDENTITY, name, spec=spec)
    identity = {"kind": "OscClusterIdentity", "name": name}
    credentials = {"fromSecret": None, "identityRef": identity}
    made.patch(kinds.OSC_CLUSTER, "demo", spec={"credentials": credentials})
    _is_gone(made, kinds.OSC_MACHINE, "one")
    _is_gone(made, kinds.OSC_CLUSTER, "demo")
    assert left(sky) == ([], [], [])
