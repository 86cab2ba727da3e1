"""``caposc plan`` by hand: what it shows, and what it says of a file that is no cluster."""

import pytest
import yaml
from click.testing import CliRunner

from provider import cli

CLUSTER = {
    "apiVersion": "infrastructure.cluster.x-k8s.io/v1beta2",
    "kind": "OscCluster",
    "metadata": {"name": "demo"},
}


def plan(given, *flags):
    given = given if isinstance(given, bytes | str) else yaml.safe_dump(given)
    return CliRunner().invoke(cli.main, ["plan", "-f", "-", "--new", *flags], input=given)


def old(**network):
    api_version = "infrastructure.cluster.x-k8s.io/v1beta1"
    return {**CLUSTER, "apiVersion": api_version, "spec": {"network": network}}


def test_a_new_cluster_needs_no_account():
    done = plan(CLUSTER)
    assert done.exit_code == 2
    assert "Net 10.0.0.0/16" in done.stdout
    assert "create  net " in done.stdout


def test_a_new_cluster_is_planned_for_the_region_that_it_is_written_for():
    network = {"subregions": ["us-east-2a"], "netAccessPoints": ["api"]}
    given = {**CLUSTER, "spec": {"network": network}}
    done = plan(given)
    assert "us-east-2a" in done.stdout
    done = plan(given, "--region", "eu-west-2")
    assert done.exit_code == 1
    assert "credentials for us-east-2" in done.stderr


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (b"\x80\x81", "The file is not UTF-8"),
        ("a: [", "The file is not YAML"),
        ("", "The file has 0 OscClusters"),
        ([CLUSTER], "The file has 0 OscClusters"),
        ({**CLUSTER, "apiVersion": None}, "cannot be converted from None"),
        ({**CLUSTER, "metadata": 3}, "metadata is 3, but has to be an object."),
        ({**CLUSTER, "metadata": {"labels": 3}}, "metadata.labels is 3, but has to be an object."),
        (
            {**CLUSTER, "status": {"resources": 3}},
            "status.resources is 3, but has to be an object.",
        ),
        ({**CLUSTER, "spec": 5}, "spec is 5, but has to be an object."),
        (
            {**CLUSTER, "spec": {"network": {"subnets": [{"name": [1]}]}}},
            "spec.network.subnets[0].name: Input should be a valid string.",
        ),
        (
            {**CLUSTER, "spec": {"network": {"vpc": 1, "subnets": [{"cidr": 1}]}}},
            "spec.network.subnets[0].cidr: There is no such field.",
        ),
        (old(subnets=5), "spec.network.subnets: Input should be a valid list. Correct it."),
        (old(bastion={"privateIps": 4}), "spec.network.bastion.privateIps: Input should be"),
        (old(net={"ipRange": "10.0.0.0/33"}), "spec.network.net.ipRange: '10.0.0.0/33' is no"),
        (old(loadBalancer={"loadbalancername": "a b"}), "loadBalancer.loadbalancername: "),
    ],
)
def test_a_file_that_is_no_cluster_is_answered_in_words(given, said):
    done = plan(given)
    assert done.exit_code == 1
    assert said in done.stderr
    assert isinstance(done.exception, SystemExit)


def test_what_is_no_yaml_is_told_without_the_line_which_may_be_that_of_a_secret():
    done = plan("kind: Secret\nstringData: {secret_key: canary, : [\n---\nkind: OscCluster\n")
    assert done.exit_code == 1
    assert "in line 2, column " in done.stderr
    assert "canary" not in done.output


def test_a_command_that_was_called_wrongly_does_not_say_that_there_are_changes():
    assert plan(CLUSTER, "--no-such-flag").exit_code == 1


def test_what_only_an_account_knows_is_asked_for_in_words():
    peering = {"enable": True, "managementNetId": "vpc-12345678"}
    done = plan({**CLUSTER, "spec": {"network": {"netPeering": peering}}})
    assert done.exit_code == 1
    assert "Set OSC_ACCESS_KEY, and give --uid instead of --new" in done.stderr
