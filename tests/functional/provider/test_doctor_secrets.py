"""The doctor looks at the Secrets that clusters name: there, of use, and taken along by a move."""

import pytest
from click.testing import CliRunner

from provider import cli, doctor_secrets
from provider.kube import kinds

MOVES = {"clusterctl.cluster.x-k8s.io/move": ""}
KEYS = {"access_key": "AK", "secret_key": "canary", "region": "eu-west-2"}


def found(stage):
    """Return what the doctor finds in this namespace, without what others have."""
    findings = doctor_secrets.examine({"KUBECONFIG": str(stage.client.kubeconfig)})
    return [str(each) for each in findings if f"{stage.namespace}/" in str(each)]


def cluster(stage, name, secret, **more):
    stage.create(kinds.OSC_CLUSTER, name, spec={"credentials": {"fromSecret": secret}, **more})


def test_a_secret_that_moves_is_fine(plain):
    plain.secret("tenant", MOVES, **KEYS)
    cluster(plain, "demo", "tenant")
    assert found(plain) == [
        f"OK    secrets      {plain.namespace}/tenant is there, and moves with the OscCluster demo."
    ]


def test_a_secret_that_would_stay_behind_is_a_warning_that_says_which_label_to_set(plain):
    plain.secret("tenant", **KEYS)
    cluster(plain, "demo", "tenant")
    (line,) = found(plain)
    place = f"{plain.namespace}/tenant"
    assert line.startswith(f"WARN  secrets      {place}, which the OscCluster demo names, would")
    command = f"kubectl label secret -n {plain.namespace} tenant clusterctl.cluster.x-k8s.io/move="
    assert line.endswith(command)


@pytest.mark.parametrize(("secret", "says"), [(None, "does not exist"), ({}, "lacks access_key")])
def test_a_secret_that_is_of_no_use_fails(plain, secret, says):
    if secret is not None:
        plain.secret("tenant", MOVES, **secret)
    cluster(plain, "demo", "tenant")
    (line,) = found(plain)
    assert line.startswith("FAIL")
    assert says in line


def test_the_secrets_of_peerings_and_identities_are_looked_at_too(plain):
    plain.secret("hub", **KEYS)
    plain.secret("shared", **KEYS)
    peering = {"netPeering": {"managementCredentials": {"fromSecret": "hub"}}}
    plain.create(kinds.OSC_CLUSTER, "demo", spec={"network": peering})
    name = f"shared-{plain.namespace}"
    reference = {"secretRef": {"namespace": plain.namespace, "name": "shared"}}
    plain.create(kinds.OSC_CLUSTER_IDENTITY, name, spec=reference)
    hub, shared = found(plain)
    assert "/hub, which the OscCluster demo names" in hub
    assert f"/shared, which the OscClusterIdentity {name} names" in shared


def test_the_doctor_tells_a_warning_and_no_secret(plain):
    plain.secret("tenant", **KEYS)
    cluster(plain, "demo", "tenant")
    environment = {"OSC_ACCESS_KEY": "", "KUBECONFIG": str(plain.client.kubeconfig)}
    command = ["doctor", "--no-permissions", "--management"]
    result = CliRunner(env=environment).invoke(cli.main, command)
    assert f"WARN  secrets      {plain.namespace}/tenant" in result.stdout
    assert "canary" not in result.stdout


def test_a_way_that_leads_nowhere_is_told(tmp_path):
    (finding,) = doctor_secrets.examine({"KUBECONFIG": str(tmp_path / "none")})
    assert finding.state == "FAIL"
    assert "cannot be read" in finding.told
