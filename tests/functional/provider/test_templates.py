"""The templates of clusters: accepted by the definitions, by our webhook, and by clusterctl."""

import os
import pathlib
import re
import subprocess

import pytest
import yaml

from fakekube.server import Kube
from fakekube.serving import ServerThread
from provider import admission
from tests.contract.kube import cluster_api
from tests.contract.kube.client import Client, eventually, real_client
from tests.functional.provider import releases
from tests.functional.provider.releases import FLAVOURS, NAMESPACE, VARIABLES, variables, written
from tools import cache, pytest_plugin

ROOT = pathlib.Path(__file__).resolve().parents[3]
WITHIN_S = 60.0
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
OURS = "infrastructure.cluster.x-k8s.io"
NODE_NAME = "{{ ds.meta_data.local_hostname }}"
PROVIDER_ID = (
    "aws:///'{{ ds.meta_data.placement.availability_zone }}'/'{{ ds.meta_data.instance_id }}'"
)
GO_VARIABLES = {
    "OSC_ALLOW_FROM",
    "OSC_ALLOW_FROM_CAPI",
    "OSC_IMAGE_ACCOUNT_ID",
    "OSC_IMAGE_NAME",
    "OSC_IMAGE_OPENSOURCE",
    "OSC_IOPS",
    "OSC_KEYPAIR_NAME",
    "OSC_NAT_IP_POOL",
    "OSC_REGION",
    "OSC_SUBREGION_NAME",
    "OSC_VM_TYPE",
    "OSC_VOLUME_SIZE",
    "OSC_VOLUME_TYPE",
}
"""All that a template may ask of a user: what those of the Go provider ask."""


@pytest.fixture(name="client", scope="module")
def _client(request, tmp_path_factory):
    """Be a management cluster with all components, and with Cluster API's definitions."""
    try:
        core = cluster_api.definitions()
    except cache.Missing as problem:
        pytest.skip(str(problem))
    if request.config.getoption("--kube") == "real":
        client = real_client(request.getfixturevalue("control_plane"))
        install(client, core)
        yield client
        return
    with ServerThread(Kube()) as server:
        path = server.write_kubeconfig(tmp_path_factory.mktemp("kube") / "kubeconfig")
        client = Client("fakekube", server.url, path)
        install(client, core)
        yield client


def install(client, core):
    """Install everything but cert-manager's kinds; nobody serves the webhooks."""
    known = [each for each in releases.components() if "cert-manager" not in each["apiVersion"]]
    for each in [*core, *known]:
        if "WebhookConfiguration" not in each["kind"]:
            create(client, each)
    names = [each["metadata"]["name"] for each in [*core, *releases.of_kind(*DEFINED)]]
    for name in names:
        eventually(lambda name=name: is_established(client, name), WITHIN_S)
    client.ask("POST", "/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})


DEFINED = ("CustomResourceDefinition",)


def is_established(client, name):
    found = client.must("GET", f"{DEFINITIONS}/{name}")
    conditions = found.get("status", {}).get("conditions") or []
    return any(each["type"] == "Established" and each["status"] == "True" for each in conditions)


def collection(client, obj):
    """Find where objects of a kind are created, as kubectl does it."""
    group = obj["apiVersion"]
    root = f"/apis/{group}" if "/" in group else f"/api/{group}"

    def plural():
        answer = client.ask("GET", root)
        rows = answer.body["resources"] if answer.code == 200 else []
        return [row for row in rows if row["kind"] == obj["kind"] and "/" not in row["name"]]

    (row,) = eventually(plural, WITHIN_S)
    namespace = obj["metadata"].get("namespace")
    place = f"/namespaces/{namespace}" if row["namespaced"] else ""
    return f"{root}{place}/{row['name']}"


def create(client, obj, **options):
    answer = client.ask("POST", collection(client, obj), obj, fieldValidation="Strict", **options)
    assert answer.code in {201, 409}, (obj["kind"], obj["metadata"]["name"], answer)
    return answer


# --- The management cluster ----------------------------------------------------------------------


def test_all_components_can_be_installed(client):
    for each in releases.of_kind("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"):
        create(client, each, dryRun="All")


# --- Each template -------------------------------------------------------------------------------


def judged(client, objects):
    """Give the verdict of our webhook on each of our objects, as the server shows it to us."""
    found = [each for each in objects if each["apiVersion"].startswith(OURS)]
    assert found
    for each in found:
        sent = create(client, each, dryRun="All").body
        yield admission.judge({"operation": "CREATE", "object": sent})


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_the_definitions_accept_every_object(client, flavour):
    for each in releases.cluster(flavour):
        create(client, each, dryRun="All")


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_our_webhook_accepts_every_object_without_a_warning(client, flavour):
    for verdict in judged(client, releases.cluster(flavour)):
        assert (verdict.problems, verdict.warnings) == ((), ())


@pytest.mark.parametrize("flavour", [each for each in FLAVOURS if each != "topology"])
def test_io1_volumes_are_accepted_too(client, flavour):
    values = {"OSC_VOLUME_TYPE": "io1", "OSC_IOPS": "1500"}
    for verdict in judged(client, releases.cluster(flavour, **values)):
        assert not verdict.problems


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_every_reference_leads_to_an_object_of_the_template(flavour):
    found = releases.cluster(flavour)
    keys = {(each["kind"], each["metadata"]["name"]) for each in found}
    for each in found:
        for reference in references(each):
            assert (reference["kind"], reference["name"]) in keys
            assert "namespace" not in reference


def references(value):
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for each in items:
        if isinstance(each, dict) and {"kind", "name"} <= set(each):
            yield each
        yield from references(each)


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_every_node_gets_the_name_and_provider_id_that_the_cloud_controller_expects(flavour):
    found = [
        each["nodeRegistration"]
        for obj in releases.cluster(flavour)
        for each in configurations(obj)
    ]
    assert len(found) == 3, "One control plane starts, others join, and workers join."
    for each in found:
        arguments = {row["name"]: row["value"] for row in each["kubeletExtraArgs"]}
        assert arguments == {"cloud-provider": "external", "provider-id": PROVIDER_ID}
        assert each["name"] == NODE_NAME


def configurations(value):
    """Give all that kubeadm is started with."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, each in items:
        if key in {"initConfiguration", "joinConfiguration"}:
            yield each
        elif isinstance(each, dict | list):
            yield from configurations(each)


@pytest.mark.parametrize("contract", ["v1beta1", "v1beta2"])
def test_every_template_asks_only_for_what_the_go_provider_asks_for(contract):
    asked = set()
    for name, text in written(contract).items():
        if name.startswith("cluster-template"):
            asked |= set(variables(text))
    common = {"CLUSTER_NAME", "KUBERNETES_VERSION"}
    counts = {"CONTROL_PLANE_MACHINE_COUNT", "WORKER_MACHINE_COUNT"}
    assert asked - common - counts == GO_VARIABLES


def test_every_variable_is_documented():
    page = (ROOT / "templates" / "README.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"`((?:OSC|CAPOSC|[A-Z]+)_[A-Z_]+)`", page))
    assert documented == {each for text in written().values() for each in variables(text)}


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_an_account_id_stays_a_text(flavour):
    ids = [
        value
        for obj in releases.cluster(flavour)
        for path, value in releases.leaves(obj)
        if path[-1] == "accountId"
    ]
    assert set(ids) <= {VARIABLES["OSC_IMAGE_ACCOUNT_ID"]}


def test_workers_of_several_subregions_are_spread_over_all_of_them():
    found = releases.cluster("multiaz")
    (subregions,) = [
        each["spec"]["network"]["subregions"] for each in found if each["kind"] == "OscCluster"
    ]
    domains = [
        each["spec"]["template"]["spec"]["failureDomain"]
        for each in found
        if each["kind"] == "MachineDeployment"
    ]
    assert domains == subregions == ["eu-west-2a", "eu-west-2b", "eu-west-2c"]


# --- The ClusterClass ----------------------------------------------------------------------------


def class_objects():
    found = releases.objects(written()["clusterclass-outscale.yaml"])
    return found[0], {(each["kind"], each["metadata"]["name"]): each for each in found}


def test_the_class_has_no_variables_of_the_environment():
    assert not variables(written()["clusterclass-outscale.yaml"])


def test_every_variable_of_the_class_is_used_and_every_one_used_is_there():
    made, _ = class_objects()
    declared = {each["name"] for each in made["spec"]["variables"]}
    used = set(re.findall(r"\.(\w+)(?:\.\w+)? ", yaml.safe_dump(made["spec"]["patches"])))
    for patch in patches():
        used |= {patch["valueFrom"]["variable"]} if "variable" in patch["valueFrom"] else set()
    assert used == declared


def patches(kind=None):
    made, _ = class_objects()
    return [
        patch
        for each in made["spec"]["patches"]
        for definition in each["definitions"]
        if kind in {None, definition["selector"]["kind"]}
        for patch in definition["jsonPatches"]
    ]


@pytest.mark.parametrize("kind", ["OscClusterTemplate", "OscMachineTemplate"])
def test_every_patch_of_the_class_finds_its_place(kind):
    _, objects = class_objects()
    for (found, _), obj in objects.items():
        for patch in patches(kind) if found == kind else ():
            *parents, last = patch["path"].strip("/").split("/")
            place = obj
            for step in parents:
                place = place[step]
            assert (last in place) == (patch["op"] == "replace"), patch


def test_the_topology_sets_only_variables_of_the_class():
    made, _ = class_objects()
    declared = {each["name"]: each["required"] for each in made["spec"]["variables"]}
    (cluster,) = [each for each in releases.cluster("topology") if each["kind"] == "Cluster"]
    topology = cluster["spec"]["topology"]
    assert topology["classRef"] == {"name": made["metadata"]["name"]}
    given = {each["name"] for each in topology["variables"]}
    assert {name for name, is_needed in declared.items() if is_needed} <= given <= set(declared)


# --- clusterctl ----------------------------------------------------------------------------------


@pytest.fixture(name="clusterctl")
def _clusterctl(request, tmp_path):
    """Run the real clusterctl on a local repository, without a network."""
    binary = pytest_plugin.require(request.config, "clusterctl")["clusterctl"]
    releases.write(tmp_path / "repository")
    place = tmp_path / "repository" / releases.PROVIDER / releases.VERSION
    url = str(place / "infrastructure-components.yaml")
    rows = [{"name": "outscale", "type": "InfrastructureProvider", "url": url}]
    images = {"infrastructure-outscale": {"repository": "registry.example.com/mirror"}}
    config = tmp_path / "clusterctl.yaml"

    def run(*arguments, is_mirrored=False):
        config.write_text(
            yaml.safe_dump({"providers": rows} | ({"images": images} if is_mirrored else {}))
        )
        done = subprocess.run(
            [binary, *arguments, f"--config={config}"],
            capture_output=True,
            check=False,
            text=True,
            timeout=WITHIN_S,
            env={
                "HOME": str(tmp_path),
                "PATH": os.environ["PATH"],
                "GOPROXY": "off",
                "CLUSTERCTL_DISABLE_VERSIONCHECK": "true",
                **{name: value for name, value in VARIABLES.items() if name.startswith("OSC_")},
            },
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


PROVIDER = f"--infrastructure=outscale:{releases.VERSION}"


@pytest.mark.tools("clusterctl")
def test_clusterctl_reads_the_components(clusterctl):
    text = clusterctl("generate", "provider", PROVIDER)
    found = {(each["kind"], each["metadata"]["name"]) for each in yaml.safe_load_all(text)}
    assert found == {(each["kind"], each["metadata"]["name"]) for each in releases.components()}
    described = clusterctl("generate", "provider", PROVIDER, "--describe")
    assert "cluster-api-provider-outscale-system" in described


@pytest.mark.tools("clusterctl")
def test_clusterctl_replaces_the_image(clusterctl):
    text = clusterctl("generate", "provider", PROVIDER, is_mirrored=True)
    assert f"image: registry.example.com/mirror/caposc:{releases.VERSION}\n" in text


@pytest.mark.tools("clusterctl")
@pytest.mark.parametrize("flavour", FLAVOURS)
def test_clusterctl_makes_the_objects_that_we_checked(clusterctl, flavour):
    text = clusterctl(
        "generate",
        "cluster",
        VARIABLES["CLUSTER_NAME"],
        PROVIDER,
        f"--flavor={flavour}",
        f"--target-namespace={NAMESPACE}",
        f"--kubernetes-version={VARIABLES['KUBERNETES_VERSION']}",
        f"--control-plane-machine-count={VARIABLES['CONTROL_PLANE_MACHINE_COUNT']}",
        f"--worker-machine-count={VARIABLES['WORKER_MACHINE_COUNT']}",
    )

    def key(obj):
        return obj["kind"], obj["metadata"]["name"]

    found = sorted(yaml.safe_load_all(text), key=key)
    assert found == sorted(releases.cluster(flavour), key=key)
