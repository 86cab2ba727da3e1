"""A machine has one VM for life: what it says when that is lost, and that there is no second."""

import pytest

from provider.osc.shared import SharedReads
from tests.functional.provider import driver, machine_driver


class Blind(driver.Direct):
    """A cloud that shows no VM."""

    def __init__(self, cloud):
        super().__init__(cloud.fake)
        self.calls = cloud.calls

    def read(self, action, /, **request):
        rows = super().read(action, **request)
        return [] if action == "ReadVms" else rows


@pytest.fixture(name="run")
def _run():
    run = machine_driver.Site().machine().settle()
    assert run.is_ready
    return run


def _lose(run, how):
    fake, cloud, vm = run.site.fake, run.site.outside, run.vm["VmId"]
    if how == "quarantine":
        store = fake.store("eu-west-2")
        with store.transaction():
            store.become(store.row("Vm", vm), "quarantine")
        fake.clock.advance(5)
        return
    cloud.call("DeleteVms", VmIds=[vm])
    seconds = {"shutting-down": 5, "terminated": 20, "gone": 4000}[how]
    fake.clock.advance(seconds)


@pytest.mark.parametrize("how", ["shutting-down", "terminated", "gone", "quarantine"])
def test_a_lost_vm_is_told_and_never_replaced(run, how):
    _lose(run, how)
    calls = run.site.cloud.calls
    calls.clear()
    for _ in range(5):
        run.step()
        run.site.fake.clock.advance(1000)
    assert all(action.startswith("Read") for action in calls), calls
    # In the end nobody knows any more of what was terminated.
    assert run.ready == ("False", "VmQuarantined" if how == "quarantine" else "VmGone")
    assert run.conditions["VmReady"][:2] == run.ready
    assert run.status["initialization"]["provisioned"]
    assert "Delete the Machine" in run.conditions["Ready"][2]


@pytest.mark.parametrize("how", ["shutting-down", "terminated", "quarantine"])
def test_the_reason_is_told_at_once(run, how):
    before = run.spec["providerID"]
    _lose(run, how)
    run.step()
    assert run.ready == ("False", "VmQuarantined" if how == "quarantine" else "VmTerminated")
    assert run.status["vmState"] == how
    assert run.spec["providerID"] == before
    assert run.status["addresses"]


@pytest.mark.parametrize("how", ["shutting-down", "terminated", "gone", "quarantine"])
def test_a_lost_machine_can_be_deleted(run, how):
    _lose(run, how)
    run.step()
    run.delete().settle()
    assert run.is_gone
    assert not run.site.vms


@pytest.mark.parametrize("how", ["terminated", "gone"])
def test_without_a_status_it_is_lost_all_the_same(run, how):
    _lose(run, how)
    run.object["status"] = {}
    run.settle()
    assert run.ready[0] == "False"
    assert run.ready[1] in {"VmTerminated", "VmGone"}
    assert not run.site.vms


@pytest.mark.parametrize("late_s", [2, 20, 50])
def test_a_vm_that_answers_do_not_show_yet_is_not_lost(late_s):
    site = machine_driver.Site()
    site.fake.fail("stale", action="ReadVms", seconds=late_s)
    run = site.machine().settle()
    assert run.is_ready
    assert not [each for each in run.events if each.type == "Warning"]
    assert len(site.vms) == 1


@pytest.mark.parametrize("late_s", [2, 20, 50])
def test_a_vm_that_answers_do_not_show_yet_goes_with_its_machine(late_s):
    site = machine_driver.Site()
    site.fake.fail("stale", action="ReadVms", seconds=late_s)
    run = site.machine()
    while "CreateVms" not in site.cloud.calls:
        run.step()
    run.delete().settle()
    assert run.is_gone
    assert not site.vms


def test_a_vm_that_answers_leave_out_for_a_while_is_looked_for_at_a_steady_pace(run):
    site = run.site
    whole, site.clouds.near = site.clouds.near, Blind(site.cloud)
    site.clouds._reads = SharedReads(site.clouds.near, site.clock)
    began_s = site.fake.clock.now()
    site.fake.clock.advance(600)
    site.cloud.calls.clear()
    run.step()
    assert run.ready == ("Unknown", "Waiting")
    assert run.conditions["VmReady"][2] == (
        f"The cloud does not show the VM {run.vm['VmId']}; it is looked for again"
    )
    run.settle()
    assert run.ready == ("False", "VmGone")
    assert 650 < site.fake.clock.now() - began_s < 700
    assert len(site.cloud.calls) < 60
    site.clouds.near = whole
    site.clouds._reads = SharedReads(whole, site.clock)
    run.settle()
    assert run.is_ready


def test_a_vm_that_somebody_stopped_is_started_again(run):
    run.site.outside.call("StopVms", VmIds=[run.vm["VmId"]])
    run.site.fake.clock.advance(20)
    run.step()
    assert run.ready[0] == "Unknown"
    run.settle()
    assert run.is_ready
    assert run.vm["State"] == "running"


def test_a_machine_of_the_same_name_gets_a_vm_of_its_own(run):
    """The API remembers tokens, and answers with the VM that is gone."""
    site, before = run.site, run.vm["VmId"]
    run.delete().settle()
    assert run.is_gone
    new = site.machine(run.name).settle()
    assert new.is_ready
    (vm,) = site.vms
    assert vm["VmId"] != before
    new.delete().settle()
    assert not site.vms


def test_a_vm_of_a_second_namesake_that_nobody_saw_is_found_when_it_goes(run):
    site = run.site
    run.delete().settle()
    again = site.machine(run.name)
    site.fake.fail("lose", action="CreateVms", calls=[2])
    again.step()
    again.step()
    assert len(site.vms) == 1
    again.delete().settle()
    assert again.is_gone
    assert not site.vms


def test_a_tag_that_somebody_took_away_comes_back(run):
    tags = run.tags
    gone = [{"Key": key, "Value": value} for key, value in tags.items() if "OscK8s" in key]
    run.site.outside.call("DeleteTags", ResourceIds=[run.vm["VmId"]], Tags=gone)
    run.site.fake.clock.advance(5)
    run.settle()
    assert run.tags == tags
    assert len(run.vms) == 1


def test_a_vm_that_was_made_with_other_bootstrap_data_is_found_by_its_token():
    """The process ends before the VM is tagged, and the Secret is new when it comes back."""
    site = machine_driver.Site()
    run = site.machine()
    while "CreateVms" not in site.cloud.calls:
        site.cloud.strike_at, site.cloud.effect = len(site.cloud.calls) + 6, "die after"
        run.step()
    assert len(site.vms) == 1
    assert "providerID" not in run.spec
    site.fake.fail("refuse", action="CreateVms", code=4091)
    run.settle()
    assert run.is_ready
    assert len(site.vms) == 1
