"""A manager with exactly the rights that are shipped: it does its work, and is refused nothing."""

import base64
import json
import pathlib
import ssl
import tempfile

import pytest

from fakekube.server import Kube
from fakekube.serving import ServerThread
from provider.kube import kinds
from provider.manifests import parts, rights
from provider.outcome import Event, Outcome
from tests.contract.kube.client import Client, eventually
from tests.functional.provider import releases
from tests.functional.provider.deciding import deciding, tiny
from tests.functional.provider.stage import Replica, Stage, core_definitions

RBAC = "/apis/rbac.authorization.k8s.io/v1"
ACCOUNT = f"system:serviceaccount:{parts.NAMESPACE}:{parts.SERVICE_ACCOUNT}"
FINALIZER = "oscclusters.infrastructure.cluster.x-k8s.io"


class Watched(Kube):
    """A server that remembers what it forbade."""

    def __init__(self):
        super().__init__(use_rbac=True)
        self.forbidden = []

    async def answer(self, request):
        found = await super().answer(request)
        if found.status == 403:
            self.forbidden.append(f"{request.method} {request.target}")
        return found


def administrator(server, folder):
    """Return a client that may do everything."""
    context = ssl.create_default_context(cadata=server.authority.pem().decode())
    with tempfile.TemporaryDirectory() as place:
        pair = pathlib.Path(place, "pair.pem")
        pair.write_bytes(b"".join(server.authority.client("admin", ["system:masters"])))
        context.load_cert_chain(pair)
    return Client("fakekube", server.url, folder / "kubeconfig", context)


def kubeconfig(server, token):
    """Return how a pod with a token of our service account sees the server."""
    authority = base64.b64encode(server.authority.pem()).decode()
    place = {"cluster": "one", "user": "one", "namespace": parts.NAMESPACE}
    cluster = {"server": server.url, "certificate-authority-data": authority}
    return {
        "current-context": "one",
        "contexts": [{"name": "one", "context": place}],
        "clusters": [{"name": "one", "cluster": cluster}],
        "users": [{"name": "one", "user": {"token": token}}],
    }


@pytest.fixture(name="guarded")
def _guarded(tmp_path):
    """Be a stage whose manager is our service account, with our components installed."""
    with ServerThread(Watched(), tls=True) as server:
        client = administrator(server, tmp_path)
        namespaced = f"namespaces/{parts.NAMESPACE}"
        paths = {
            "Namespace": "/api/v1/namespaces",
            "ServiceAccount": f"/api/v1/{namespaced}/serviceaccounts",
            "Role": f"{RBAC}/{namespaced}/roles",
            "RoleBinding": f"{RBAC}/{namespaced}/rolebindings",
            "ClusterRole": f"{RBAC}/clusterroles",
            "ClusterRoleBinding": f"{RBAC}/clusterrolebindings",
        }
        for kind, path in paths.items():
            for each in releases.of_kind(kind):
                client.must("POST", path, each)
        account = f"{paths['ServiceAccount']}/{parts.SERVICE_ACCOUNT}"
        token = client.must("POST", f"{account}/token", {"spec": {}})["status"]["token"]
        client.kubeconfig.write_text(json.dumps(kubeconfig(server, token)))
        made = Stage(client, server)
        made.install([*core_definitions(), *releases.of_kind("CustomResourceDefinition")])
        yield made


def busy(seen, tools):
    """Do, beside what is usual, what only some reconciles do: keep an intent, open a cloud."""
    if "deletionTimestamp" not in seen.primary["metadata"]:
        tools.clouds.workload()
        tools.record({"intents": [{"kind": "Net", "key": "net"}]})
    usual = tiny(seen, tools)
    return Outcome(
        metadata=usual.metadata,
        spec={"controlPlaneEndpoint": {"host": "192.0.2.1", "port": 6443}},
        status={"initialization": {"provisioned": True}, "vmState": "there"},
        events=(Event("Normal", "Looked", "It was looked at."),),
    )


def test_the_manager_does_all_its_work_with_the_rights_that_it_has(guarded):
    guarded.secret("keys", access_key="AK", secret_key="SK", region="eu-west-2")
    selector = {"matchLabels": {"kubernetes.io/metadata.name": guarded.namespace}}
    guarded.client.must(
        "POST",
        kinds.OSC_CLUSTER_IDENTITY.path(""),
        {
            "apiVersion": kinds.OSC_CLUSTER_IDENTITY.api_version,
            "kind": kinds.OSC_CLUSTER_IDENTITY.name,
            "metadata": {"name": "ours"},
            "spec": {
                "secretRef": {"name": "keys", "namespace": guarded.namespace},
                "allowedNamespaces": {"selector": selector},
            },
        },
    )
    guarded.secret("boot", value="#cloud-config")
    decide = deciding(cluster=busy, machine=settled, template=settled)
    replica = Replica(guarded, decide, leader_elect=True, namespace="")
    with replica:
        guarded.cluster()
        reference = {"kind": "OscClusterIdentity", "name": "ours"}
        guarded.patch(kinds.OSC_CLUSTER, "demo", spec={"credentials": {"identityRef": reference}})
        guarded.machine("worker", bootstrap="boot")
        eventually(lambda: guarded.status(kinds.OSC_CLUSTER, "demo").get("vmState") == "there")
        eventually(lambda: guarded.status(kinds.OSC_MACHINE, "worker").get("vmState") == "there")
        eventually(lambda: guarded.list(kinds.EVENT))
        found = guarded.get(kinds.OSC_CLUSTER, "demo")
        assert found["metadata"]["finalizers"] == [FINALIZER]
        guarded.delete(kinds.OSC_CLUSTER, "demo")
        eventually(lambda: guarded.get(kinds.OSC_CLUSTER, "demo") is None)
    assert replica.secrets == ["SK"] * len(replica.secrets) != []
    assert guarded.server.kube.forbidden == []


def settled(seen, tools):
    """Report in the status, whatever the kind is."""
    usual = tiny(seen, tools)
    return Outcome(metadata=usual.metadata, status={"vmState": "there"})


@pytest.mark.parametrize(
    ("group", "resource", "verb", "namespace"),
    [
        ("", "secrets", "create", "team"),
        ("", "secrets", "update", parts.NAMESPACE),
        ("", "pods", "list", parts.NAMESPACE),
        ("cluster.x-k8s.io", "clusters", "patch", "team"),
        ("cluster.x-k8s.io", "machines", "delete", "team"),
        ("infrastructure.cluster.x-k8s.io", "oscclusters", "delete", "team"),
        ("infrastructure.cluster.x-k8s.io", "oscmachines", "create", "team"),
        ("infrastructure.cluster.x-k8s.io", "oscclusteridentities", "patch", ""),
        ("infrastructure.cluster.x-k8s.io", "oscclusters/finalizers", "update", "team"),
        ("coordination.k8s.io", "leases", "patch", "kube-system"),
        ("rbac.authorization.k8s.io", "clusterroles", "update", ""),
        ("apiextensions.k8s.io", "customresourcedefinitions", "patch", ""),
    ],
)
def test_the_manager_may_not_do_what_it_never_does(guarded, group, resource, verb, namespace):
    asked = {"group": group, "resource": resource, "verb": verb, "namespace": namespace}
    assert not may(guarded, resourceAttributes=asked)


@pytest.mark.parametrize("kind", [kinds.TOKEN_REVIEW, kinds.ACCESS_REVIEW])
def test_the_manager_may_look_up_who_reads_its_diagnostics(guarded, kind):
    asked = {"group": kind.group, "resource": kind.plural, "verb": "create"}
    assert may(guarded, resourceAttributes=asked)


def test_only_readers_of_metrics_may_read_them(guarded):
    asked = {"path": "/metrics", "verb": "get"}
    assert not may(guarded, nonResourceAttributes=asked)
    binding = {
        "apiVersion": rights.API_VERSION,
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "prometheus"},
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "ClusterRole",
            "name": f"{parts.PREFIX}-metrics-reader",
        },
        "subjects": [
            {"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "prometheus"}
        ],
    }
    guarded.client.must("POST", f"{RBAC}/clusterrolebindings", binding)
    assert may(guarded, user="prometheus", nonResourceAttributes=asked)


def may(guarded, user=ACCOUNT, **asked):
    review = guarded.client.must(
        "POST", kinds.ACCESS_REVIEW.path(""), {"spec": {"user": user, **asked}}
    )
    return review["status"]["allowed"]
