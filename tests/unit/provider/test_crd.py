"""The definitions as documents, and whether they say the same as the models."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provider.api import crd, mapping, v1beta1, v1beta2
from tests.unit.provider import documents

DEFINITIONS = crd.definitions("webhook-service", "system")
BY_KIND = {each["spec"]["names"]["kind"]: each for each in DEFINITIONS}
SCHEMAS = [
    pytest.param(version["schema"]["openAPIV3Schema"], id=f"{kind}-{version['name']}")
    for kind, each in BY_KIND.items()
    for version in each["spec"]["versions"]
]


def nodes(schema, path=""):
    """Return every schema inside a schema, with its path."""
    yield path, schema
    for name, each in schema.get("properties", {}).items():
        yield from nodes(each, f"{path}.{name}")
    for key in ("items", "additionalProperties"):
        if key in schema:
            yield from nodes(schema[key], f"{path}[]")


def find(schema, path):
    return dict(nodes(schema))[path]


def schema_of(kind, version="v1beta2"):
    return documents.SCHEMAS[kind, version]


@given(st.data())
def test_what_a_schema_allows_a_model_reads_without_losing_any_of_it(data):
    kind, version = data.draw(st.sampled_from(sorted(documents.SCHEMAS)))
    obj = data.draw(documents.objects(kind, version))
    model = documents.KINDS[kind].models[version].model_validate(obj)
    assert_said(obj, model.model_dump(by_alias=True, mode="json"))


def assert_said(part, whole, path=""):
    """Assert that a document says all that another one does."""
    if isinstance(part, dict):
        assert isinstance(whole, dict), path
        for name, value in part.items():
            assert name in whole, f"{path}.{name}"
            assert_said(value, whole[name], f"{path}.{name}")
    elif isinstance(part, list):
        assert len(part) == len(whole), path
        for index, (one, other) in enumerate(zip(part, whole, strict=True)):
            assert_said(one, other, f"{path}[{index}]")
    else:
        assert part == whole, path


@pytest.mark.parametrize("schema", SCHEMAS)
class TestSchema:
    def test_every_field_is_described_in_a_sentence(self, schema):
        for path, each in nodes(schema):
            if path and not path.endswith("[]") and path != ".metadata":
                assert re.fullmatch(r".{3,}[.!?:)]", each.get("description", "")), path

    def test_it_is_structural(self, schema):
        for path, each in nodes(schema):
            assert "type" in each or each.get("x-kubernetes-int-or-string"), path
            assert set(each) <= crd.KEPT_KEYS | {"anyOf"}, path

    def test_defaults_are_scalars_that_a_server_side_apply_cannot_fight_over(self, schema):
        for path, each in nodes(schema):
            assert isinstance(each.get("default", ""), str | int), path


@pytest.mark.parametrize("kind", BY_KIND)
class TestDefinition:
    def test_its_name_is_the_one_that_cluster_api_calculates(self, kind):
        plural = {"OscClusterIdentity": "oscclusteridentities"}.get(kind, kind.lower() + "s")
        assert BY_KIND[kind]["metadata"]["name"] == f"{plural}.infrastructure.cluster.x-k8s.io"

    def test_its_labels_name_the_contract_of_each_version(self, kind):
        labels = dict(BY_KIND[kind]["metadata"]["labels"])
        assert labels.pop("cluster.x-k8s.io/provider") == "infrastructure-outscale"
        assert labels == {
            f"cluster.x-k8s.io/{each['name']}": each["name"]
            for each in BY_KIND[kind]["spec"]["versions"]
        }

    def test_v1beta2_alone_is_stored(self, kind):
        versions = BY_KIND[kind]["spec"]["versions"]
        assert [each["name"] for each in versions if each["storage"]] == ["v1beta2"]
        assert all(each["served"] for each in versions)

    def test_its_list_and_categories_are_named(self, kind):
        names = BY_KIND[kind]["spec"]["names"]
        assert names["listKind"] == f"{kind}List"
        assert names["categories"] == ["cluster-api"]
        assert names["shortNames"]

    def test_a_list_of_objects_shows_their_age_last(self, kind):
        for version in BY_KIND[kind]["spec"]["versions"]:
            assert version["additionalPrinterColumns"][-1]["name"] == "Age"

    def test_a_conversion_webhook_has_a_service_and_no_certificate(self, kind):
        conversion = BY_KIND[kind]["spec"]["conversion"]
        if kind == "OscClusterIdentity":
            assert conversion == {"strategy": "None"}
        else:
            [key] = conversion["webhook"]["clientConfig"]
            assert key == "service"


def test_no_two_kinds_have_the_same_short_name():
    shorts = [each["spec"]["names"]["shortNames"][0] for each in DEFINITIONS]
    assert len(set(shorts)) == len(shorts)


@pytest.mark.parametrize(
    ("kind", "is_there"),
    [
        ("OscCluster", True),
        ("OscMachine", True),
        ("OscMachineTemplate", True),
        ("OscClusterTemplate", False),
        ("OscClusterIdentity", False),
    ],
)
def test_status_is_written_apart_where_there_is_one(kind, is_there):
    for version in BY_KIND[kind]["spec"]["versions"]:
        assert ("subresources" in version) == is_there


@pytest.mark.parametrize(
    ("kind", "path", "default"),
    [
        ("OscCluster", ".spec.network.loadBalancer.healthCheck.checkInterval", 10),
        ("OscCluster", ".spec.network.loadBalancer.listener.port", 6443),
        ("OscCluster", ".spec.network.bastion.rootDisk.size", 15),
        ("OscCluster", ".spec.network.bastion.vmType", "tinav7.c1r1p2"),
        ("OscMachine", ".spec.vm.vmType", "tinav4.c4r8p1"),
        ("OscMachine", ".spec.vm.rootDisk.type", "io1"),
        ("OscMachine", ".spec.volumes[].type", "standard"),
    ],
)
def test_documented_defaults_are_filled_in(kind, path, default):
    assert find(schema_of(kind), path)["default"] == default


@pytest.mark.parametrize("kind", ["OscCluster", "OscMachine", "OscMachineTemplate"])
def test_both_versions_fill_in_the_same_defaults(kind):
    """A default of one version alone would be a change of the object whenever the other reads."""
    old, new = (
        {
            path.removeprefix("."): each["default"]
            for path, each in nodes(documents.SCHEMAS[kind, version])
            if "default" in each
        }
        for version in ("v1beta1", "v1beta2")
    )
    beyond = ("credentials.identityRef", "additionalListeners")
    renamed = {
        mapping.old_path(kind, path): value
        for path, value in new.items()
        if not any(each in path for each in beyond)
    }
    assert renamed == old


class TestDefaultsInCode:
    """Defaults that depend on other fields, which a definition cannot say."""

    def test_a_health_check_asks_the_port_that_is_served(self):
        spec = {"network": {"loadBalancer": {"listener": {"backendPort": 443}}}}
        model = v1beta2.OscClusterSpec.model_validate(spec)
        assert model.network.load_balancer.health_check.port == 443

    @pytest.mark.parametrize(
        ("disk", "iops"),
        [({}, 1500), ({"size": 4}, 1200), ({"type": "gp2"}, 0), ({"iops": 100}, 100)],
    )
    def test_a_root_disk_has_the_iops_that_its_type_and_size_allow(self, disk, iops):
        assert v1beta2.RootDisk.model_validate(disk).iops == iops

    def test_a_bastion_has_a_smaller_disk(self):
        disk = v1beta2.OscClusterSpec().network.bastion.root_disk
        assert (disk.size, disk.type, disk.iops) == (15, "gp2", 0)

    @pytest.mark.parametrize(
        ("rule", "ports"),
        [
            ({"ipProtocol": "tcp", "fromPort": 22}, (22, 22)),
            ({"ipProtocol": "tcp", "fromPort": 22, "toPort": 23}, (22, 23)),
            ({"ipProtocol": "icmp", "fromPort": 8}, (8, -1)),
            ({"ipProtocol": "-1"}, (-1, -1)),
        ],
    )
    def test_one_port_is_a_range_of_one(self, rule, ports):
        model = v1beta2.SecurityGroupRule.model_validate(rule)
        assert (model.from_port, model.to_port) == ports

    def test_two_objects_share_no_default(self):
        one, other = v1beta2.OscClusterSpec(), v1beta2.OscClusterSpec()
        one.network.subregions.append("eu-west-2a")
        assert other.network.subregions == []


def test_an_endpoint_is_set_when_both_halves_are():
    assert not v1beta2.Endpoint(host="h").is_set
    assert v1beta2.Endpoint(host="h", port=1).is_set


def test_the_go_providers_names_are_kept_to_the_letter():
    schema = schema_of("OscCluster", v1beta1.VERSION)
    for path in (
        ".spec.network.loadBalancer.loadbalancername",
        ".spec.network.loadBalancer.healthCheck.checkinterval",
        ".spec.network.subnets[].ipSubnetRange",
        ".spec.network.natService.publicipname",
        ".spec.network.bastion.PublicIpId",
        ".spec.network.securityGroups[].securityGroupRules[].fromPortRange",
        ".status.network.LoadbalancerRef.resourceMap",
        ".status.network.linkroutetableref",
    ):
        assert find(schema, path)
    machine = schema_of("OscMachine", v1beta1.VERSION)
    assert find(machine, ".spec.node.vm.fGPU.model")
    assert find(machine, ".status.node.vmRef.resourceMap")
