"""Whose credentials a cluster uses: the manager's, a file's, a Secret's, an identity's."""

import json
import threading

import pytest

from provider.kube import kinds
from provider.osc.credentials import CredentialsError
from provider.outcome import Outcome
from tests.contract.kube.client import eventually
from tests.functional.provider.deciding import deciding
from tests.functional.provider.stage import WITHIN_S, Replica

OWN = {"OSC_ACCESS_KEY": "AK", "OSC_SECRET_KEY": "SK-of-the-manager", "OSC_REGION": "own"}


def asking(_seen, tools):
    """Report in the status which region the credentials are for, or why there are none."""
    status = {}
    for name in ("workload", "management"):
        try:
            status[name] = getattr(tools.clouds, name)().region
        except CredentialsError as problem:
            status[name] = str(problem)
    return Outcome(status=status)


@pytest.fixture
def manager(plain):
    decide = deciding(cluster=asking, machine=asking)
    with Replica(plain, decide, environment=OWN, sync_period=0.3) as replica:
        yield replica


def cluster(stage, name="demo", **spec):
    stage.create(kinds.OSC_CLUSTER, name, spec=spec)


def said(stage, kind=kinds.OSC_CLUSTER, name="demo"):
    return stage.status(kind, name).get("workload", "")


def keys(stage, name, region):
    labels = {"cluster.x-k8s.io/cluster-name": "demo"}
    stage.secret(name, labels, access_key="AK", secret_key=f"SK-of-{name}", region=region)


def identity(stage, allowed):
    name = f"shared-{stage.namespace}"
    spec = {"secretRef": {"namespace": stage.namespace, "name": "keys"}}
    if allowed is not None:
        spec["allowedNamespaces"] = allowed
    stage.create(kinds.OSC_CLUSTER_IDENTITY, name, spec=spec)
    return {"identityRef": {"kind": "OscClusterIdentity", "name": name}}


@pytest.mark.usefixtures("manager")
def test_nothing_said_means_those_of_the_manager(plain):
    cluster(plain)
    eventually(lambda: said(plain) == "own")
    assert plain.status(kinds.OSC_CLUSTER, "demo")["management"] == "own"


@pytest.mark.usefixtures("manager")
def test_a_file_wins_over_a_secret(plain, tmp_path):
    path = tmp_path / "config.json"
    profile = {"access_key": "AK", "secret_key": "SK-of-the-file", "region": "filed"}
    path.write_text(json.dumps({"default": profile, "two": {**profile, "region": "second"}}))
    cluster(plain, "one", credentials={"fromFile": str(path), "fromSecret": "none"})
    cluster(plain, "two", credentials={"fromFile": str(path), "profile": "two"})
    eventually(lambda: said(plain, name="one") == "filed")
    eventually(lambda: said(plain, name="two") == "second")


def test_a_rotated_secret_is_used_without_a_restart(plain, manager):
    keys(plain, "tenant", "before")
    cluster(plain, credentials={"fromSecret": "tenant"})
    eventually(lambda: said(plain) == "before")
    plain.patch(kinds.SECRET, "tenant", stringData={"region": "after"})
    eventually(lambda: said(plain) == "after")
    assert "SK-of-tenant" in manager.secrets


@pytest.mark.usefixtures("manager")
def test_a_secret_that_is_missing_is_named(plain):
    cluster(plain, credentials={"fromSecret": "tenant"})
    eventually(lambda: f"{plain.namespace}/tenant" in said(plain))
    keys(plain, "tenant", "there")
    eventually(lambda: said(plain) == "there")


@pytest.mark.usefixtures("manager")
def test_the_other_side_of_a_peering_has_credentials_of_its_own(plain):
    keys(plain, "hub", "hub")
    cluster(plain, network={"netPeering": {"managementCredentials": {"fromSecret": "hub"}}})
    eventually(lambda: plain.status(kinds.OSC_CLUSTER, "demo").get("management") == "hub")
    assert said(plain) == "own"


@pytest.mark.usefixtures("manager")
def test_a_machine_uses_those_of_its_cluster(plain):
    keys(plain, "tenant", "tenant")
    plain.cluster()
    plain.patch(kinds.OSC_CLUSTER, "demo", spec={"credentials": {"fromSecret": "tenant"}})
    plain.machine("one")
    eventually(lambda: said(plain, kinds.OSC_MACHINE, "one") == "tenant")


def test_clusters_of_one_account_do_not_wait_for_those_of_another(plain):
    go_on = threading.Event()

    def slow(seen, tools):
        if seen.primary["spec"].get("credentials"):
            go_on.wait(WITHIN_S)
        return asking(seen, tools)

    keys(plain, "tenant", "slow")
    decide = deciding(cluster=slow)
    with Replica(plain, decide, environment=OWN, osccluster_concurrency=1) as replica:
        for number in range(3):
            cluster(plain, f"slow-{number}", credentials={"fromSecret": "tenant"})
        eventually(lambda: replica.value("caposc_queue_depth", kind="OscCluster") == 2)
        cluster(plain, "quick")
        try:
            eventually(lambda: said(plain, name="quick") == "own")
            assert not said(plain, name="slow-0")
        finally:
            go_on.set()
        eventually(lambda: said(plain, name="slow-2") == "slow")


@pytest.mark.parametrize(
    ("allowed", "is_allowed"),
    [
        (None, False),
        ({}, True),
        ({"list": []}, False),
        ({"list": ["another"]}, False),
        ({"selector": {}}, True),
        ({"selector": {"matchLabels": {"team": "other"}}}, False),
        ({"selector": {"matchExpressions": [{"key": "team", "operator": "DoesNotExist"}]}}, True),
        ({"selector": {"matchExpressions": [{"key": "team", "operator": "Exists"}]}}, False),
        (
            {
                "selector": {
                    "matchExpressions": [{"key": "team", "operator": "In", "values": ["x"]}]
                }
            },
            False,
        ),
        (
            {
                "selector": {
                    "matchExpressions": [{"key": "team", "operator": "NotIn", "values": ["x"]}]
                }
            },
            True,
        ),
        ({"selector": {"matchExpressions": [{"key": "team", "operator": "Like"}]}}, False),
    ],
)
@pytest.mark.usefixtures("manager")
def test_an_identity_says_who_may_use_it(plain, allowed, is_allowed):
    keys(plain, "keys", "shared")
    cluster(plain, credentials=identity(plain, allowed))
    wanted = "shared" if is_allowed else "may not be used from the namespace"
    eventually(lambda: wanted in said(plain))


@pytest.mark.usefixtures("manager")
def test_an_identity_may_name_the_namespace(plain):
    keys(plain, "keys", "shared")
    cluster(plain, credentials=identity(plain, {"list": [plain.namespace]}))
    eventually(lambda: said(plain) == "shared")


def test_a_namespace_that_gets_the_label_may_use_the_identity(plain):
    decide = deciding(cluster=asking)
    with Replica(plain, decide, environment=OWN):  # No resync: the label itself has to do it.
        keys(plain, "keys", "shared")
        selector = {"selector": {"matchLabels": {"team": plain.namespace}}}
        cluster(plain, credentials=identity(plain, selector))
        eventually(lambda: "may not be used" in said(plain))
        labels = {"metadata": {"labels": {"team": plain.namespace}}}
        plain.client.must("PATCH", f"/api/v1/namespaces/{plain.namespace}", labels)
        eventually(lambda: said(plain) == "shared")


@pytest.mark.usefixtures("manager")
def test_an_identity_that_does_not_exist_is_named(plain):
    reference = {"kind": "OscClusterIdentity", "name": "nobody"}
    cluster(plain, credentials={"identityRef": reference})
    eventually(lambda: "OscClusterIdentity 'nobody', which does not exist" in said(plain))
