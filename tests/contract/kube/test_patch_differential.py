"""fakekube.patch and fakekube.protobuf beside a real kube-apiserver: random writes, same outcome.

A sequence of writes by several managers goes to the real server, and each of them to the functions
under test; see ``patch_world``. These runs are short. ``CAPOSC_PATCH_EXAMPLES`` makes them longer.
"""

import os

import pytest
from hypothesis import HealthCheck, given, settings

from fakekube import protobuf
from tests.contract.kube import patch_steps, patch_world
from tests.contract.kube.patch_world import PATHS, World

pytestmark = pytest.mark.tools("etcd", "kube-apiserver")

EXAMPLES = {"Widget": 30, "ConfigMap": 15, "Deployment": 10, "Pod": 10, "Service": 10}
PROTOBUF = "application/vnd.kubernetes.protobuf"
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "pb", "namespace": "default", "labels": {"a": "b"}},
    "spec": {
        "containers": [
            {
                "name": "a",
                "image": "i",
                "resources": {"limits": {"cpu": "0.5", "memory": "1.5Gi"}},
                "ports": [{"containerPort": 80}],
                "livenessProbe": {"httpGet": {"port": "http", "path": "/"}},
                "readinessProbe": {"tcpSocket": {"port": 80}},
                "securityContext": {"runAsUser": 0, "privileged": False},
            }
        ],
        "volumes": [{"name": "v", "emptyDir": {}}, {"name": "w", "secret": {"secretName": "s"}}],
    },
}
SECRET = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "pb", "namespace": "default"},
    "type": "Opaque",
    "data": {"k": "/wA=", "e": ""},
}
LEASE = {
    "apiVersion": "coordination.k8s.io/v1",
    "kind": "Lease",
    "metadata": {"name": "pb", "namespace": "default"},
    "spec": {
        "holderIdentity": "x",
        "renewTime": "2026-01-02T03:04:05.678901Z",
        "leaseTransitions": 0,
    },
}


@pytest.fixture(scope="module")
def server(control_plane):
    plane = control_plane
    found = patch_world.Server(plane.url, plane.ca, plane.client_certificate, plane.client_key)
    found.install()
    yield found
    found.close()


@pytest.mark.parametrize("kind", EXAMPLES)
def test_random_writes_leave_the_same_object_with_the_same_managers(server, kind):
    examples = int(os.environ.get("CAPOSC_PATCH_EXAMPLES", EXAMPLES[kind]))

    @settings(
        max_examples=examples,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(patch_steps.sequences(kind))
    def same(steps):
        run(server, kind, steps)

    same()


def run(server, kind, steps):
    world = World(server, kind)
    try:
        for name, *arguments in steps:
            getattr(world, name)(*arguments)
    finally:
        free = {"metadata": {"finalizers": None}}
        server.ask("PATCH", world.path(), free, patch_world.CONTENT["merge"])
        server.ask("DELETE", world.path(gracePeriodSeconds=0))
    return world


def test_of_many_updaters_the_oldest_become_one(server):
    steps = [("create", {"data": {"a": "b"}}, "m0")]
    steps += [
        ("patch", "merge", {"data": {f"k{number}": "x"}}, f"m{number}") for number in range(1, 14)
    ]
    world = run(server, "ConfigMap", steps)
    managers = [entry["manager"] for entry in world.live["metadata"]["managedFields"]]
    assert len(managers) == 10
    assert "ancient-changes" in managers


def test_kubectl_takes_over_what_it_applied_on_the_client_s_side(server):
    last = '{"apiVersion":"v1","kind":"ConfigMap","data":{"a":"1","b":"1"}}'
    annotated = {
        "metadata": {
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": last},
        },
        "data": {"a": "1", "b": "1", "c": "1"},
    }
    steps = [
        ("create", annotated, "kubectl-client-side-apply"),
        # Only c was never applied, so only c is refused.
        ("apply", {"data": {"a": "2", "b": "2", "c": "2"}}, "kubectl"),
        ("apply", {"data": {"a": "2", "b": "1"}}, "kubectl"),
        ("apply", {"data": {"a": "3"}}, "kubectl"),
    ]
    world = run(server, "ConfigMap", steps)
    assert world.live["data"]["a"] == "3"


@pytest.mark.parametrize("obj", [POD, SECRET, LEASE], ids=lambda obj: obj["kind"])
def test_what_is_sent_in_protobuf_is_read_in_json(server, obj):
    base = "/apis/coordination.k8s.io/v1/namespaces/default/leases"
    path = {"Lease": base, "Secret": PATHS["ConfigMap"].replace("configmaps", "secrets")}
    path = path.get(obj["kind"], PATHS["Pod"])
    there = f"{path}/pb"
    try:
        code, answer = server.raw("POST", path, protobuf.encode(obj), PROTOBUF, PROTOBUF)
        assert code == 201, answer
        _, seen = server.ask("GET", there)
        assert protobuf.decode(answer) == seen
        _, again = server.raw("GET", there, accept=PROTOBUF)
        assert protobuf.decode(again) == seen
        assert protobuf.decode(protobuf.encode(seen)) == seen
    finally:
        server.ask("DELETE", f"{there}?gracePeriodSeconds=0")


@pytest.mark.parametrize(
    "path",
    [
        "/api",
        "/apis",
        "/api/v1",
        "/apis/apps/v1",
        "/api/v1/namespaces",
        "/api/v1/nodes",
        "/api/v1/services",
        "/api/v1/namespaces/default/configmaps/none",
        "/apis/rbac.authorization.k8s.io/v1/clusterroles",
        "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
        "/apis/coordination.k8s.io/v1/leases",
        "/apis/scheduling.k8s.io/v1/priorityclasses",
        "/apis/storage.k8s.io/v1/csinodes",
    ],
)
def test_protobuf_says_what_json_says(server, path):
    _, seen = server.ask("GET", path)
    _, answer = server.raw("GET", path, accept=PROTOBUF)
    assert protobuf.decode(answer) == seen
    assert protobuf.decode(protobuf.encode(protobuf.decode(answer))) == seen


def test_a_watch_in_protobuf_has_frames_that_both_can_read(server):
    path = "/api/v1/namespaces?watch=true&timeoutSeconds=1"
    _, answer = server.raw("GET", path, accept=f"{PROTOBUF};stream=watch")
    _, listed = server.ask("GET", "/api/v1/namespaces")
    names = set()
    rest = answer
    while rest:
        event, obj, rest = protobuf.unframed(rest)
        assert event == "ADDED"
        names.add(obj["metadata"]["name"])
        assert protobuf.unframed(protobuf.frame(event, obj)) == (event, obj, b"")
    assert names >= {item["metadata"]["name"] for item in listed["items"]} - {"none"}
