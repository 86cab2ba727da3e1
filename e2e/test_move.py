"""Spec 3: ``clusterctl move`` to another management cluster, and back."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping

import yaml

from e2e.cluster import PAIR, Cluster, identity
from e2e.kube import CORE, Object
from e2e.spec import Spec
from e2e.waits import need

KUBEADM = "controlplane.cluster.x-k8s.io/v1beta2"
TENANT = "tenant"


def test_a_cluster_is_moved_without_a_write_to_the_cloud(spec: Spec) -> None:
    """Move a cluster there and back: it keeps what it has, and is deleted as if nothing was.

    Its credentials are in a Secret of its user, which moves by a label and outlives the cluster.
    """
    here = spec.cluster
    with spec.step("A cluster with credentials in a Secret, and the VM of its first machine"):
        secret = json.dumps(_secret(here, spec.cloud.environment))
        here.management.kubectl.run("apply", "-f", "-", given=secret)
        here.apply(_with_secret(here.manifest("--worker-machine-count=0")))
        spec.eventually(here.is_provisioned, within="cluster-provisioned")
        machine = spec.eventually(here.has_control_plane_vm, within="machine-provisioned")
        probe = functools.partial(here.says, "OscMachine", "Ready", "True")
        spec.eventually(probe, within="noticed")
        objects = _names(here)
    with spec.elsewhere() as there:
        is_untouched = spec.untouched()
        for source, target in ((here, there), (there, here)):
            with spec.step(f"clusterctl move {'there' if source is here else 'back'}"):
                _move(spec, source, target)
            with spec.step("All of it is Ready again, and nothing was written to the cloud"):
                spec.eventually(target.is_provisioned, within="cluster-provisioned")
                moved = spec.eventually(target.has_control_plane_vm, within="machine-provisioned")
                assert moved["spec"]["providerID"] == machine["spec"]["providerID"]
                for kind in PAIR:
                    probe = functools.partial(target.says, kind, "Ready", "True")
                    spec.eventually(probe, within="noticed")
                assert _names(target) == objects
                spec.throughout(is_untouched, for_="quiet")
    with spec.step("kubectl delete cluster: only the Secret is left, and nothing in the cloud"):
        here.delete()
        spec.eventually(functools.partial(_has_only, here, f"Secret/{TENANT}"), within="deleted")
        here.management.kubectl.run("delete", "secret", TENANT, f"--namespace={here.namespace}")
        spec.eventually(here.is_gone, within="deleted")
        spec.nothing_is_left()


def _move(spec: Spec, source: Cluster, target: Cluster) -> None:
    _play_node(source)
    probe = functools.partial(source.says, "Cluster", "ControlPlaneInitialized", "True")
    spec.eventually(probe, within="noticed")
    source.move_to(target)
    spec.eventually(source.is_gone, within="deleted")


def _secret(cluster: Cluster, keys: Mapping[str, str]) -> Object:
    """Return a Secret with credentials, as docs/credentials.md says."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": TENANT,
            "namespace": cluster.namespace,
            "labels": {"clusterctl.cluster.x-k8s.io/move": ""},
        },
        "stringData": {
            "access_key": keys["OSC_ACCESS_KEY"],
            "secret_key": keys["OSC_SECRET_KEY"],
            "region": keys["OSC_REGION"],
            **({"endpoint": place} if (place := keys.get("OSC_ENDPOINT_API")) else {}),
        },
    }


def _with_secret(manifest: str) -> str:
    """Let the OscCluster of a manifest name the Secret."""
    objects = list(yaml.safe_load_all(manifest))
    for each in objects:
        if each["kind"] == "OscCluster":
            each["spec"]["credentials"] = {"fromSecret": TENANT}
    return yaml.safe_dump_all(objects)


def _has_only(cluster: Cluster, name: str) -> None:
    """Find nothing of a cluster but one object."""
    left = _names(cluster)
    need(left == [name], saw=f"there is {', '.join(left) or 'nothing'}")


def _names(cluster: Cluster) -> list[str]:
    return sorted(identity(each) for each in cluster.objects())


def _play_node(cluster: Cluster) -> None:
    """Say that the Machine has its Node: without one clusterctl moves nothing, and none boots here.

    The controllers of Cluster API never take back what is said here.
    """
    done = {"status": {"initialization": {"controlPlaneInitialized": True}}}
    (control_plane,) = cluster.kube.items(KUBEADM, "kubeadmcontrolplanes")
    name = control_plane["metadata"]["name"]
    cluster.kube.patch(KUBEADM, "kubeadmcontrolplanes", name, done, "status")
    cluster.kube.patch(CORE, "clusters", cluster.name, done, "status")
    for machine in cluster.machines(control_plane=True):
        joined = {"status": {"nodeRef": {"name": "node"}}}
        cluster.kube.patch(CORE, "machines", machine["metadata"]["name"], joined, "status")
