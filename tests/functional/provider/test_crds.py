"""The definitions and webhooks on a server: fakekube, and a real kube-apiserver."""

import copy
import http.client
import itertools
import json

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from fakekube.server import Kube
from fakekube.serving import ServerThread
from provider import admission
from provider.api import conversion, crd
from tests.contract.kube.client import APPLY, REAL, Client, eventually, real_client
from tests.functional.provider import hooked
from tests.unit.provider import documents

GROUP = "/apis/infrastructure.cluster.x-k8s.io"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
VM = {"keypairName": "k", "image": {"id": "ami-1234abcd"}}
DRY_RUN = {admission.DRY_RUN: ""}
OF_GO = {
    "network": {
        "clusterName": "dead",
        "subregionName": "eu-west-2a",
        "loadBalancer": {"loadbalancername": "lb", "listener": {"loadbalancerport": 443}},
        "internetService": {"resourceId": "igw-1"},
    }
}
_numbers = itertools.count()


@pytest.fixture(scope="module")
def hooks(tmp_path_factory):
    """Serve the webhooks of the provider."""
    with hooked.serving(tmp_path_factory.mktemp("hooks")) as found:
        yield found


@pytest.fixture(scope="module", params=["fakekube", REAL])
def server(request):
    """Be a client of one of the two servers; the real one is skipped when its tools are missing."""
    if request.param == "fakekube":
        with ServerThread(Kube()) as found:
            yield Client("fakekube", found.url, None)
    else:
        yield real_client(request.getfixturevalue("control_plane"))


@pytest.fixture(scope="module")
def kube(server, hooks):
    """Be a client of a server that has our definitions and webhooks."""
    made = []
    for definition in hooked.definitions(hooks):
        made.append(f"{CRDS}/{definition['metadata']['name']}")
        server.must("POST", CRDS, definition)
    for path in made:
        eventually(lambda path=path: "Established" in conditions(server, path))
    for where, configuration in hooked.configurations(hooks):
        made.append(f"{where}/outscale")
        server.must("POST", where, configuration)
    eventually(lambda: refuses(server))
    yield server
    for path in reversed(made):
        server.ask("DELETE", path)


def conditions(client, path):
    # A real server says null of a definition that it has not looked at yet.
    found = client.must("GET", path).get("status", {}).get("conditions") or []
    return {each["type"] for each in found if each["status"] == "True"}


def refuses(client):
    """Tell whether both webhooks are in use already."""
    bad = thing("OscMachine", {"vm": {**VM, "vmType": "x"}})
    path = f"{GROUP}/v1beta2/namespaces/default/oscmachines"
    return client.ask("POST", path, bad, dryRun="All").code == 422


@pytest.fixture
def create(kube):
    """Create objects with names of their own."""
    names = (f"t{next(_numbers)}" for _ in itertools.count())

    def make(kind, spec, version="v1beta2", code=201, **metadata):
        obj = thing(kind, spec, version, name=next(names), **metadata)
        answer = kube.ask("POST", collection(kind, version), obj)
        assert answer.code == code, answer
        return answer.body

    return make


def thing(kind, spec, version="v1beta2", **metadata):
    return {
        "apiVersion": f"infrastructure.cluster.x-k8s.io/{version}",
        "kind": kind,
        "metadata": {"name": "x", **metadata},
        "spec": spec,
    }


def collection(kind, version="v1beta2"):
    plural = next(each.plural for each in crd.KINDS if each.name == kind)
    return f"{GROUP}/{version}/namespaces/default/{plural}"


def place(obj, version="v1beta2"):
    return f"{collection(obj['kind'], version)}/{obj['metadata']['name']}"


def template(spec):
    return {"template": {"spec": spec}}


class TestDefinitions:
    def test_all_are_accepted_as_structural(self, kube):
        for definition in crd.definitions("s", "n"):
            found = conditions(kube, f"{CRDS}/{definition['metadata']['name']}")
            assert {"Established", "NamesAccepted"} <= found
            assert "NonStructuralSchema" not in found

    def test_the_service_of_the_webhook_is_accepted_without_a_certificate(self, kube):
        definition = crd.definitions("webhook-service", "system")[0]
        hook = definition["spec"]["conversion"]["webhook"]
        hook["clientConfig"] |= {"url": None, "caBundle": None}
        path = f"{CRDS}/{definition['metadata']['name']}"
        patch = {"spec": {"conversion": definition["spec"]["conversion"]}}
        seen = kube.must("PATCH", path, patch, dryRun="All")
        assert seen["spec"]["conversion"]["webhook"]["clientConfig"] == {
            "service": {
                "name": "webhook-service",
                "namespace": "system",
                "path": "/convert",
                "port": 443,
            }
        }

    def test_short_names_and_categories_are_served(self, kube):
        served = kube.must("GET", f"{GROUP}/v1beta2")["resources"]
        short = {each["kind"]: each.get("shortNames") for each in served if "/" not in each["name"]}
        assert short == {each.name: [each.short] for each in crd.KINDS}
        assert all(
            each["categories"] == ["cluster-api"] for each in served if "/" not in each["name"]
        )

    def test_a_table_shows_what_people_look_for(self, kube, create):
        made = create("OscMachine", {"vm": VM, "providerID": "aws:///eu-west-2a/i-1234abcd"})
        accept = "application/json;as=Table;v=v1;g=meta.k8s.io"
        for version in ("v1beta1", "v1beta2"):
            table = kube.must("GET", place(made, version), accept=accept)
            names = [each["name"] for each in table["columnDefinitions"]]
            assert names[1:] == [
                "Cluster",
                "VM Type",
                "ProviderID",
                "State",
                "Ready",
                "Reason",
                "Age",
            ]
            assert table["rows"][0]["cells"][2:4] == [
                "tinav4.c4r8p1",
                "aws:///eu-west-2a/i-1234abcd",
            ]


class TestSchema:
    def test_defaults_are_filled_in_where_their_object_is_said(self, create):
        spec = {"vm": {**VM, "rootDisk": {}}, "volumes": [{"device": "/dev/xvdb", "size": 1}]}
        made = create("OscMachine", spec)["spec"]
        assert made["vm"]["vmType"] == "tinav4.c4r8p1"
        assert made["vm"]["rootDisk"] == {"size": 60, "type": "io1"}
        assert made["volumes"] == [{"device": "/dev/xvdb", "size": 1, "type": "standard"}]
        assert "placement" not in made["vm"]

    def test_the_minimal_cluster_stays_as_it_was_written(self, create):
        assert create("OscCluster", {})["spec"] == {}

    def test_what_is_unknown_is_pruned(self, create):
        assert create("OscCluster", {"network": {"vpc": "x"}})["spec"] == {"network": {}}

    @pytest.mark.parametrize(
        ("spec", "field"),
        [
            ({"network": {"netAccessPoints": ["dns"]}}, "spec.network.netAccessPoints[0]"),
            ({"network": {"netAccessPoints": ["api", "api"]}}, "spec.network.netAccessPoints[1]"),
            ({"network": {"subnets": [{"roles": ["node"]}]}}, "spec.network.subnets[0].roles[0]"),
            (
                {"network": {"loadBalancer": {"healthCheck": {"timeout": 1}}}},
                "spec.network.loadBalancer.healthCheck.timeout",
            ),
            ({"network": {"disable": "internet"}}, "spec.network.disable"),
        ],
    )
    def test_what_no_value_can_be_is_refused(self, create, spec, field):
        refusal = create("OscCluster", spec, code=422)
        assert field in [each["field"] for each in refusal["details"]["causes"]]

    def test_a_device_is_listed_once(self, create):
        volumes = [{"device": "/dev/xvdb", "size": 1}] * 2
        refusal = create("OscMachine", {"vm": VM, "volumes": volumes}, code=422)
        assert refusal["details"]["causes"][0]["field"].startswith("spec.volumes[1]")

    @pytest.mark.parametrize("spec", [{}, {"vm": {}}])
    def test_what_is_needed_is_asked_for(self, create, spec):
        refusal = create("OscMachine", spec, code=422)
        assert refusal["details"]["causes"][0]["field"].startswith("spec.vm")

    def test_capacity_is_kept_as_a_status(self, kube, create):
        made = create("OscMachineTemplate", template({"vm": VM}))
        status = {"capacity": {"cpu": 4, "memory": "8Gi"}, "nodeInfo": {"architecture": "amd64"}}
        kube.must("PATCH", f"{place(made)}/status", {"status": status})
        for version in ("v1beta1", "v1beta2"):
            assert kube.must("GET", place(made, version))["status"] == status

    def test_an_identity_belongs_to_no_namespace(self, kube):
        path = f"{GROUP}/v1beta2/oscclusteridentities"
        spec = {"secretRef": {"name": "s", "namespace": "n"}, "allowedNamespaces": {}}
        made = kube.must("POST", path, thing("OscClusterIdentity", spec))
        assert made["spec"] == spec
        kube.must("DELETE", f"{path}/x")


@pytest.fixture(scope="class")
def without_webhooks(kube):
    """Take the admission webhooks away for a while; versions are converted all the same."""
    paths = [f"{hooked.ROOT}/{kind}webhookconfigurations" for kind in ("mutating", "validating")]
    kept = [(path, kube.must("GET", f"{path}/outscale")) for path in paths]
    for path in paths:
        kube.must("DELETE", f"{path}/outscale")
    eventually(lambda: not refuses(kube))
    yield
    for path, each in kept:
        del each["metadata"]["resourceVersion"], each["metadata"]["uid"]
        kube.must("POST", path, each)
    eventually(lambda: refuses(kube))


def gone(value):
    """Return the first field of an endpoint that a change to this value touches."""
    return "port" if value == {"port": 2} else "host"


@pytest.mark.usefixtures("without_webhooks")
class TestOnce:
    """Fields that stay once they are set, by rules in the definition itself."""

    @pytest.mark.parametrize("version", ["v1beta1", "v1beta2"])
    def test_the_endpoint(self, kube, create, version):
        made = create("OscCluster", {"network": {}}, version)
        path = place(made, version)
        for value in ({"host": "a", "port": 1}, {"host": "a", "port": 1}):
            kube.must("PATCH", path, {"spec": {"controlPlaneEndpoint": value}})
        for value in ({"host": "b"}, {"port": 2}, {"host": None}, None):
            refusal = kube.refused("PATCH", path, {"spec": {"controlPlaneEndpoint": value}})
            (cause, *_) = refusal["details"]["causes"]
            assert cause["field"] == f"spec.controlPlaneEndpoint.{gone(value)}"
            assert cause["message"].endswith("is set already, and then it stays as it is.")

    @pytest.mark.parametrize("version", ["v1beta1", "v1beta2"])
    def test_the_provider_id(self, kube, create, version):
        spec = (
            {"vm": VM}
            if version == "v1beta2"
            else {"node": {"vm": {"keypairName": "k", "imageId": "ami-1"}}}
        )
        made = create("OscMachine", spec, version)
        path = place(made, version)
        kube.must("PATCH", path, {"spec": {"providerID": "aws:///eu-west-2a/i-1"}})
        for value in ("aws:///eu-west-2a/i-2", None):
            refusal = kube.refused("PATCH", path, {"spec": {"providerID": value}})
            (cause,) = refusal["details"]["causes"]
            assert cause["field"] == "spec.providerID"
            assert cause["message"].endswith("is set already, and then it stays as it is.")


def assert_kept(before, after):
    """Assert that all is as before; an empty string or a zero of v1beta1 may get its default."""
    if isinstance(before, dict):
        assert before.keys() == after.keys()
        for name, value in before.items():
            assert_kept(value, after[name])
    elif isinstance(before, list):
        assert len(before) == len(after)
        for one, other in zip(before, after, strict=True):
            assert_kept(one, other)
    elif before or isinstance(before, bool):
        assert before == after


def can_have_a_keypair(obj):
    """Tell whether a machine has a place for what every webhook asks for, that of Go included."""
    spec = obj.get("spec") or {}
    spec = spec.get("template", {}).get("spec") or spec
    node = spec.get("node")
    return not node or "vm" in node


# What v1beta1 takes, as the Go provider did, though v1beta2 would not.
STORED_BY_GO = {
    "OscCluster": {
        "network": {
            "disable": ["internet", "internet"],
            "netAccessPoints": ["lbu", "lbu"],
            "net": {"ipRange": "nonsense"},
            "subnets": [{"name": "a", "ipSubnetRange": "10.0.0.0/99", "roles": ["strange"]}],
            "securityGroups": [{"name": "g", "securityGroupRules": [{"fromPortRange": -5}]}],
            "loadBalancer": {"loadbalancertype": "strange", "healthCheck": {"checkinterval": 5000}},
        }
    },
    "OscMachine": {
        "node": {
            "vm": {"keypairName": "k", "role": "master", "rootDisk": {"rootDiskSize": 99999}},
            "volumes": [
                {"device": "/dev/xvdb", "size": 99999, "volumeType": "odd"},
                {"device": "/dev/xvdb", "size": -1},
            ],
        }
    },
}


@pytest.mark.usefixtures("without_webhooks")
class TestRandomObjects:
    """Whatever a schema allows goes through both versions of a server, and comes back."""

    @settings(max_examples=15)
    @given(st.data())
    def test_a_write_in_the_other_version_loses_nothing(self, kube, data):
        kind = data.draw(st.sampled_from(sorted(conversion.mapping.KINDS)))
        version, other = data.draw(st.permutations(["v1beta1", "v1beta2"]))
        obj = data.draw(documents.objects(kind, version))
        assume(can_have_a_keypair(obj))
        obj["metadata"] = {"name": f"random{next(_numbers)}"}
        status = obj.pop("status", {})
        made = kube.must("POST", collection(kind, version), obj)
        has_status = kind != "OscClusterTemplate"
        if has_status:
            made = kube.must("PATCH", f"{place(made, version)}/status", {"status": status})
        seen = kube.must("GET", place(made, other))
        seen["metadata"]["labels"] = {"written": other}
        written = kube.must("PUT", place(made, other), seen)
        if has_status:
            kube.must("PUT", f"{place(made, other)}/status", written)
        back = kube.must("GET", place(made, version))
        assert_kept(made.get("spec"), back.get("spec"))
        assert back.get("status") == made.get("status")
        assert back["metadata"].get("annotations") == made["metadata"].get("annotations")
        kube.must("DELETE", place(made))


@pytest.mark.parametrize("spec", [*STORED_BY_GO.values(), {}], ids=["cluster", "machine", "bare"])
class TestStoredByGo:
    """An object that could not be made today can be labelled, reported on, and let go."""

    @pytest.fixture
    def made(self, kube, without_webhooks, create, spec):  # noqa: ARG002 - it is taken by others
        kind = "OscCluster" if "network" in spec else "OscMachine"
        return create(kind, spec, "v1beta1", finalizers=["example.com/f"])

    @pytest.mark.parametrize("version", ["v1beta1", "v1beta2"])
    def test_everything_but_its_spec_can_be_written(self, kube, made, version):
        path = place(made, version)
        kube.must("PATCH", path, {"metadata": {"annotations": {"cluster.x-k8s.io/paused": ""}}})
        kube.must("PATCH", f"{path}/status", {"status": {"vmState": "running"}})
        kube.must("DELETE", path)
        kube.must("PATCH", path, {"metadata": {"finalizers": None}})
        assert not kube.has(path)


class TestVersions:
    def test_an_object_is_served_in_both(self, kube, create):
        made = create("OscCluster", OF_GO, "v1beta1")
        new = kube.must("GET", place(made))
        assert new["spec"]["network"]["subregions"] == ["eu-west-2a"]
        assert new["spec"]["network"]["loadBalancer"]["name"] == "lb"
        assert new["spec"]["network"]["loadBalancer"]["listener"]["port"] == 443
        assert "clusterName" not in new["spec"]["network"]

    def test_nothing_is_lost_when_the_other_version_is_written(self, kube, create):
        made = create("OscCluster", OF_GO, "v1beta1")
        kube.must("PATCH", place(made), {"metadata": {"finalizers": ["example.com/f"]}})
        status = {"initialization": {"provisioned": True}}
        kube.must("PATCH", f"{place(made)}/status", {"status": status})
        old = kube.must("GET", place(made, "v1beta1"))
        assert old["status"] == {"ready": True}
        network = old["spec"]["network"]
        listener = {"loadbalancerport": 443, "backendport": 6443}
        assert network["clusterName"] == "dead"
        assert network["internetService"] == {"resourceId": "igw-1"}
        assert network["loadBalancer"]["listener"].items() >= listener.items()
        kube.must("PATCH", place(made), {"metadata": {"finalizers": None}})

    @pytest.mark.parametrize("version", ["v1beta1", "v1beta2"])
    def test_an_apply_that_is_repeated_changes_nothing(self, kube, version):
        vm = {"keypairName": "k", "rootDisk": {}}
        spec = {"node": {"vm": {**vm, "imageId": "ami-1"}}} if version == "v1beta1" else {
            "vm": {**vm, "image": {"id": "ami-1"}}
        }  # fmt: skip
        name = f"apply-{version}"
        obj = thing("OscMachineTemplate", template(spec), version, name=name)
        path, options = place(obj, version), {"media": APPLY, "fieldManager": "capi-topology"}
        first = kube.must("PATCH", path, json.dumps(obj), **options)
        again = kube.must("PATCH", path, json.dumps(obj), **options)
        assert again["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]


class TestWebhooks:
    def test_all_problems_are_said_at_once(self, create):
        network = {"subregions": ["x"], "loadBalancer": {"name": "a b"}}
        refusal = create("OscCluster", {"network": network}, code=422)
        assert "spec.network.subregions[0]:" in refusal["message"]
        assert "spec.network.loadBalancer.name:" in refusal["message"]

    def test_v1beta1_is_answered_in_its_own_words(self, create):
        network = {"loadBalancer": {"loadbalancername": "a b"}}
        refusal = create("OscCluster", {"network": network}, "v1beta1", code=422)
        assert "spec.network.loadBalancer.loadbalancername:" in refusal["message"]

    def test_the_role_of_a_machine_is_filled_in(self, create):
        labels = {"cluster.x-k8s.io/control-plane": ""}
        made = create("OscMachine", {"vm": VM}, labels=labels)
        assert made["spec"]["vm"]["role"] == "controlplane"

    def test_a_warning_arrives(self, kube):
        obj = thing("OscCluster", {"network": {"disable": ["loadbalancer"]}})
        answer = kube.ask("POST", collection("OscCluster"), obj, dryRun="All")
        assert answer.code == 201
        assert "The cluster waits until you" in answer.warnings[0]

    def test_a_template_changes_only_in_the_dry_run_of_the_topology_controller(self, kube, create):
        made = create("OscMachineTemplate", template({"vm": VM}))
        new = copy.deepcopy(thing("OscMachineTemplate", template({"vm": {**VM, "publicIp": True}})))
        new["metadata"] = {"name": made["metadata"]["name"], "annotations": DRY_RUN}
        options = {"media": APPLY, "fieldManager": "capi-topology", "force": "true"}
        seen = kube.must("PATCH", place(made), json.dumps(new), dryRun="All", **options)
        assert seen["spec"]["template"]["spec"]["vm"]["publicIp"] is True
        refusal = kube.refused("PATCH", place(made), json.dumps(new), **options)
        assert "A template does not change once it is there" in refusal["message"]

    def test_a_deletion_is_never_refused(self, kube, create):
        made = create("OscMachine", {"vm": VM})
        assert kube.ask("DELETE", place(made)).code == http.client.OK
