"""Objects of an older core, as the newer version shows them."""

from provider.manager import contract

REFERENCE = {
    "apiVersion": "infrastructure.cluster.x-k8s.io/v1beta1",
    "kind": "OscCluster",
    "name": "demo",
    "namespace": "a",
}
MODERN = {"apiGroup": "infrastructure.cluster.x-k8s.io", "kind": "OscCluster", "name": "demo"}


def test_a_cluster_of_v1beta1_is_shown_as_v1beta2():
    old = {
        "apiVersion": "cluster.x-k8s.io/v1beta1",
        "spec": {"paused": True, "infrastructureRef": REFERENCE},
        "status": {"infrastructureReady": True, "controlPlaneReady": False, "phase": "x"},
    }
    assert contract.modern(old) == {
        "apiVersion": "cluster.x-k8s.io/v1beta2",
        "spec": {"paused": True, "infrastructureRef": MODERN},
        "status": {
            "phase": "x",
            "initialization": {
                "infrastructureProvisioned": True,
                "controlPlaneInitialized": False,
            },
        },
    }


def test_a_machine_of_v1beta1_is_shown_as_v1beta2():
    old = {
        "apiVersion": "cluster.x-k8s.io/v1beta1",
        "spec": {
            "bootstrap": {"configRef": REFERENCE, "dataSecretName": "data"},
            "infrastructureRef": REFERENCE,
            "failureDomain": "eu-west-2a",
        },
    }
    found = contract.modern(old)
    assert found["spec"]["bootstrap"] == {"configRef": MODERN, "dataSecretName": "data"}
    assert found["spec"]["failureDomain"] == "eu-west-2a"
    assert found["status"] == {}


def test_what_is_modern_stays_as_it_is():
    new = {"apiVersion": "cluster.x-k8s.io/v1beta2", "spec": {"paused": True}}
    assert contract.modern(new) is new
    assert contract.modern(None) is None
