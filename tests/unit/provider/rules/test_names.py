"""Names: what is written into the cloud, and how it is read back."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provider.rules import names

UID = "9e1db9c4-bf0a-4583-8999-203ec002c520"


def test_a_cluster_owns_with_its_uid_in_the_key():
    assert names.owner(UID) == (f"OscK8sClusterID/{UID}", "owned")
    assert names.main_group_tag(UID) == (f"OscK8sMainSG/{UID}", "True")


@pytest.mark.parametrize(
    ("roles", "keys"),
    [
        ([], []),
        (["worker"], ["OscK8sRole/worker"]),
        (["controlplane", "worker"], ["OscK8sRole/controlplane", "OscK8sRole/worker"]),
        (["service"], ["OscK8sRole/service", "kubernetes.io/role/elb"]),
        (
            ["service.internal"],
            ["OscK8sRole/service.internal", "kubernetes.io/role/internal-elb"],
        ),
    ],
)
def test_roles_are_tags_that_every_version_of_the_ccm_reads(roles, keys):
    assert names.role_tags(roles) == dict.fromkeys(keys, "")


@pytest.mark.parametrize(
    ("made", "name"),
    [
        (names.net("c1"), "Net for c1"),
        (names.subnet("c1", ["nat"], "eu-west-2a"), "Public subnet for c1/eu-west-2a"),
        (
            names.subnet("c1", ["loadbalancer", "worker"], "eu-west-2a"),
            "Public subnet for c1/eu-west-2a",
        ),
        (names.subnet("c1", ["worker"], "eu-west-2b"), "Worker subnet for c1/eu-west-2b"),
        (
            names.subnet("c1", ["worker", "controlplane"], "eu-west-2b"),
            "Controlplane subnet for c1/eu-west-2b",
        ),
        (names.subnet("c1", ["service"], "eu-west-2b"), "Subnet for c1/eu-west-2b"),
        (names.internet_service("c1"), "Internet Service for c1"),
        (names.nat_service("c1", "eu-west-2a"), "Nat service for c1/eu-west-2a"),
        (names.bastion("c1"), "Bastion for c1"),
        (names.net_peering("c1"), "Net peering for c1"),
        (names.net_access_point("c1", "api"), "Net access point for c1/api"),
        (names.net_access_service("eu-west-2", "api"), "com.outscale.eu-west-2.api"),
        (names.group_key("c1", "lb"), "c1-lb"),
        (names.group_description("c1", "lb"), "LB securityGroup for c1"),
        (names.group_description("c1", "controlplane"), "Controlplane securityGroup for c1"),
        (
            names.listed_group_key("c1", "", "", ["controlplane", "worker"]),
            "c1-controlplane-worker",
        ),
        (names.listed_group_key("c1", "", "sg-1", ["worker"]), "sg-1"),
        (names.listed_group_key("c1", "web", "sg-1", ["worker"]), "web"),
        (names.group("c1-node", UID), f"c1-node-{UID}"),
        (names.load_balancer_mark("c1-k8s", UID), f"c1-k8s-{UID}"),
    ],
)
def test_what_was_given_no_name_has_the_one_of_the_go_provider(made, name):
    assert made == name


def test_every_group_of_a_cluster_has_a_description_that_the_api_takes():
    for kind in names.GROUP_KINDS:
        assert re.fullmatch(r"[\w ]+ securityGroup for c1", names.group_description("c1", kind))


@pytest.mark.parametrize(
    ("tags", "kept"),
    [
        ([], False),
        (["Name", f"OscK8sClusterID/{UID}"], False),
        (["OscK8sIPPool"], True),
        (["Name", "OscK8sNoDelete"], True),
    ],
)
def test_a_public_ip_of_a_pool_or_marked_so_is_kept(tags, kept):
    assert names.is_kept(tags) is kept


# --- Load balancers ------------------------------------------------------------------------------


@pytest.mark.parametrize("cluster", ["c1", "a-cluster", "x" * 28])
def test_a_name_that_fits_is_the_one_of_the_go_provider(cluster):
    assert names.load_balancer(cluster, UID) == f"{cluster}-k8s"


@pytest.mark.parametrize(
    ("cluster", "name"),
    [
        ("x" * 29, "x" * 21 + "-[0-9a-f]{6}-k8s"),
        ("a.b", "a-b-[0-9a-f]{6}-k8s"),
        ("twenty-letters-and-a-tail", "twenty-letters-and-a-tail-k8s"),
        ("twenty-one-letters-a--tail-more", "twenty-one-letters-a-[0-9a-f]{6}-k8s"),
    ],
)
def test_a_name_that_does_not_fit_is_cut(cluster, name):
    assert re.fullmatch(name, names.load_balancer(cluster, UID))


def test_names_that_were_cut_differ_by_cluster():
    long = "a-very-long-name-of-a-cluster-that-goes-on-and-on"
    assert names.load_balancer(long, UID) != names.load_balancer(long + "-2", UID)
    assert names.load_balancer(long, UID) != names.load_balancer(long, "another uid")
    assert names.load_balancer(long, UID) == names.load_balancer(long, UID)


@given(st.from_regex(r"\A[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?\Z"))
def test_the_api_takes_every_name_of_a_load_balancer(cluster):
    name = names.load_balancer(cluster, UID)
    assert re.fullmatch(r"[a-zA-Z0-9]([a-zA-Z0-9-]{0,30}[a-zA-Z0-9])?", name)


# --- Tokens, ids ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("made", "token"),
    [
        (names.machine_token("c1-md-0-abcde", UID), f"c1-md-0-abcde-{UID}"),
        (names.machine_token("y" * 27, UID), "y" * 27 + f"-{UID}"),
        (names.machine_token("y" * 80, UID), "y" * 18 + f"-e8730587-{UID}"),
        (names.bastion_token("", UID), f"bastion-{UID}"),
        (names.bastion_token("jump", UID), f"jump-{UID}"),
        (names.nat_service_token("", "eu-west-2a", UID), f"eu-west-2a-{UID}"),
        (names.nat_service_token("nat-b", "eu-west-2a", UID), f"nat-b-{UID}"),
    ],
)
def test_a_client_token_ends_with_the_uid(made, token):
    assert made == token
    assert len(made) <= names.CLIENT_TOKEN_MAX


def test_a_provider_id_is_read_back():
    made = names.provider_id("eu-west-2a", "i-0a1b2c3d")
    assert made == "aws:///eu-west-2a/i-0a1b2c3d"
    assert names.parse_provider_id(made) == ("eu-west-2a", "i-0a1b2c3d")
    assert names.parse_provider_id("osc:///eu-west-2a/i-0a1b2c3d") == ("eu-west-2a", "i-0a1b2c3d")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "aws://eu-west-2a/i-0a1b2c3d",
        "aws:///i-0a1b2c3d",
        "aws:///eu-west-2a/vm",
        "gce:///a/i-1",
    ],
)
def test_anything_else_is_no_provider_id(text):
    assert names.parse_provider_id(text) is None


@pytest.mark.parametrize(
    ("subregion", "region"),
    [("eu-west-2a", "eu-west-2"), ("cloudgouv-eu-west-1c", "cloudgouv-eu-west-1")],
)
def test_a_subregion_names_its_region(subregion, region):
    assert names.region(subregion) == region


def test_a_group_of_the_ccm_is_told_by_its_name():
    assert names.is_ccm_group("k8s-elb-0123")
    assert not names.is_ccm_group(f"c1-lb-{UID}")
