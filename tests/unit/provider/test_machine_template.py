"""What machines made from a template are like."""

import pytest

from provider import clock, machine_template
from provider.rules.names import MACHINE_FINALIZER


def _template(vm, **metadata):
    spec = {"template": {"spec": {"vm": {"keypairName": "ops", **vm}}}}
    return {"metadata": {"name": "demo", "generation": 1, **metadata}, "spec": spec}


def _reconcile(template):
    return machine_template.reconcile(template, clock.SystemClock())


INFO = {"architecture": "amd64", "operatingSystem": "linux"}


@pytest.mark.parametrize(
    ("vm", "capacity"),
    [
        ({"vmType": "tinav6.c4r8p1"}, {"cpu": "4", "memory": "8Gi", "ephemeral-storage": "60Gi"}),
        (
            {
                "vmType": "tinav5.c8r16p1",
                "rootDisk": {"size": 100},
                "flexibleGpu": {"model": "nvidia-p100"},
            },
            {
                "cpu": "8",
                "memory": "16Gi",
                "ephemeral-storage": "100Gi",
                "nvidia.com/gpu": "1",
            },
        ),
    ],
)
def test_capacity_follows_from_the_spec(vm, capacity):
    outcome = _reconcile(_template(vm))
    assert outcome.status == {"capacity": capacity, "nodeInfo": INFO}
    assert outcome.again_s is None


def test_what_nobody_knows_is_not_told_but_that_nobody_does():
    template = _template({"vmType": "inference7-h100.medium"})
    other = {"type": "Other", "status": "True"}
    template["status"] = {"capacity": {"cpu": "1"}, "conditions": [other]}
    status = _reconcile(template).status
    assert "capacity" not in status
    assert status["nodeInfo"] == INFO
    first, row = status["conditions"]
    assert first == other
    assert (row["type"], row["status"], row["reason"]) == (
        "CapacityKnown", "False", "CapacityUnknown",
    )  # fmt: skip
    assert "inference7-h100.medium" in row["message"]
    assert "capacity.cluster-autoscaler.kubernetes.io/cpu" in row["message"]
    assert _reconcile({**template, "status": status}).status == status, "It is told once."
    template["spec"]["template"]["spec"]["vm"]["vmType"] = "tinav6.c4r8p1"
    status = _reconcile({**template, "status": status}).status
    assert status["conditions"] == [other]
    assert status["capacity"]["cpu"] == "4"


def test_a_paused_template_is_left_alone():
    template = _template({}, annotations={"cluster.x-k8s.io/paused": ""})
    assert _reconcile(template).status is None


def test_a_finalizer_of_an_early_version_does_not_hold_a_template():
    template = _template(
        {}, deletionTimestamp="2026-11-29T00:00:00Z", finalizers=["others", MACHINE_FINALIZER]
    )
    outcome = _reconcile(template)
    assert outcome.metadata == {"finalizers": ["others"]}
    assert outcome.status is None
