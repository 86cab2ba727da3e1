"""When a machine does nothing, when it waits, and what it says meanwhile."""

import pytest

from provider.osc.credentials import CredentialsError
from provider.rules import names
from tests.functional.provider import driver, machine_driver


@pytest.fixture(name="site")
def _site():
    made = machine_driver.Site()
    made.cloud.calls.clear()
    return made


@pytest.fixture(name="run")
def _run(site):
    return site.machine()


def test_what_somebody_else_looks_after_is_left_alone(site, run):
    run.object["metadata"]["annotations"] = {"cluster.x-k8s.io/managed-by": "others"}
    run.step()
    assert not site.cloud.calls
    assert run.writes == 0


def test_finalizer_and_uid_are_kept_before_any_call(site, run):
    run.object["metadata"]["finalizers"] = ["others"]
    outcome = run.step()
    assert outcome.again_s == 0
    assert not site.cloud.calls
    metadata = run.object["metadata"]
    assert metadata["finalizers"] == ["others", names.MACHINE_FINALIZER]
    assert metadata["labels"][names.CLUSTER_UID_LABEL] == driver.UID


def test_a_uid_that_is_kept_stays(site, run):
    """A moved Cluster has another uid, but what is in the cloud bears the old one."""
    run.object["metadata"]["labels"][names.CLUSTER_UID_LABEL] = "the-old-one"
    site.osc_cluster["metadata"]["labels"][names.CLUSTER_UID_LABEL] = "a-new-one"
    run.step()
    assert run.object["metadata"]["labels"][names.CLUSTER_UID_LABEL] == "the-old-one"


@pytest.mark.parametrize("osc_cluster", ["gone", "new", "not provisioned", "going"])
def test_it_waits_for_the_cluster(site, run, osc_cluster):
    if osc_cluster == "gone":
        site.osc_cluster = None
    elif osc_cluster == "new":
        del site.osc_cluster["metadata"]["labels"], site.osc_cluster["status"]
    elif osc_cluster == "going":
        site.osc_cluster["metadata"]["deletionTimestamp"] = "2026-11-29T01:00:00Z"
    else:
        site.osc_cluster["status"]["initialization"] = {}
    run.settle()
    run.settle()
    assert run.ready == ("Unknown", "WaitingForClusterInfrastructure")
    assert run.conditions["VmReady"][:2] == ("Unknown", "WaitingForClusterInfrastructure")
    assert not site.cloud.calls


@pytest.mark.parametrize("missing", ["name", "Secret"])
def test_it_waits_for_bootstrap_data(site, run, missing):
    run.bootstrap = None
    if missing == "name":
        del run.machine["spec"]["bootstrap"]["dataSecretName"]
    run.step()
    run.settle()
    assert run.ready == ("Unknown", "WaitingForBootstrapData")
    assert "initialization" not in run.status
    assert not site.cloud.calls


def test_bootstrap_data_without_a_value_is_refused_in_words(run):
    run.bootstrap["data"] = {"vaule": ""}
    run.step()
    run.step()
    assert run.ready == ("False", "Refused")
    assert "has vaule, but bootstrap data stands under the key value" in run.conditions["Ready"][2]


def test_a_machine_that_has_its_vm_waits_for_nothing_any_more(site, run):
    run.settle()
    site.osc_cluster["status"]["initialization"] = {}
    run.bootstrap = None
    run.step()
    assert run.is_ready


def test_deletion_needs_neither_owner_nor_bootstrap_nor_cluster(site, run):
    run.settle()
    run.machine = run.bootstrap = site.cluster = site.osc_cluster = None
    run.delete().settle()
    assert run.is_gone
    assert not site.vms


def test_deletion_waits_until_the_vm_is_gone(site, run):
    run.settle()
    run.delete().step()
    assert run.vm["State"] == "shutting-down"
    assert not run.is_gone
    assert run.ready == ("False", "Deleting")
    assert "is shutting-down" in run.conditions["Deleting"][2]
    site.fake.clock.advance(20)
    run.step()
    assert run.vm["State"] == "terminated"
    assert run.is_gone


def test_what_was_never_begun_is_gone_at_once(site, run):
    site.osc_cluster = site.cluster = None
    run.object["metadata"]["finalizers"] = [names.MACHINE_FINALIZER]
    run.delete().step()
    assert run.is_gone
    assert not site.cloud.calls


def test_deletion_without_our_finalizer_is_not_ours(site, run):
    run.object["metadata"]["finalizers"] = ["others"]
    run.delete().step()
    assert run.writes == 0
    assert not site.cloud.calls


def test_nothing_secret_is_told(run):
    run.settle()
    told = [run.object, run.events, run.records]
    assert machine_driver.CANARY not in repr(told)
    run.delete().settle()
    assert machine_driver.CANARY not in repr(run.events)


class Locked:
    """Clouds to which there is no key."""

    def workload(self):
        raise CredentialsError("The Secret default/keys does not exist. Create it.")

    management = shared = workload


def test_what_goes_says_so_when_its_credentials_are_gone(site, run):
    run.settle()
    run.delete()
    clouds, site.clouds = site.clouds, Locked()
    run.step()
    assert run.ready == ("False", "CredentialsMissing")
    assert run.conditions["Deleting"][:2] == ("True", "Deleting")
    assert not run.is_gone
    site.clouds = clouds
    run.settle()
    assert run.is_gone


def test_a_machine_that_works_is_not_worth_its_credentials(site, run):
    """A MachineHealthCheck replaces a machine of which ``Ready`` is False."""
    run.settle()
    clouds, site.clouds = site.clouds, Locked()
    run.step()
    assert run.conditions["CredentialsReady"][:2] == ("False", "CredentialsMissing")
    assert run.ready == ("Unknown", "CredentialsMissing")
    site.clouds = clouds
    run.settle()
    assert run.is_ready


def test_a_machine_that_works_is_not_worth_what_is_beside_it(site):
    run = site.control_plane().settle()
    site.outside.call(
        "UnlinkLoadBalancerBackendMachines",
        LoadBalancerName="demo-k8s",
        BackendVmIds=[run.vm["VmId"]],
    )
    site.fake.faults.add("refuse", action="LinkLoadBalancerBackendMachines", code=5)
    site.restart()
    run.step()
    assert run.conditions["LoadBalancerBackendReady"][:2] == ("False", "Denied")
    assert run.ready == ("Unknown", "Denied")


def test_without_credentials_there_is_no_machine_so_that_it_is_said(site, run):
    site.clouds = Locked()
    run.step()
    run.step()
    assert run.ready == ("False", "CredentialsMissing")
