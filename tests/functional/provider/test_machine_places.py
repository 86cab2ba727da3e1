"""Where machines go: failure domains, spread, and what happens where there is no room."""

import collections
import functools

import pytest

from provider import placing
from tests.functional.provider import machine_driver

A, B, C = machine_driver.SUBREGIONS
GPU = {"vm": {"vmType": "tinav5.c4r8p1", "flexibleGpu": {"model": "nvidia-p100"}}}


@pytest.fixture(name="site")
def _site():
    return machine_driver.Site({"network": {"subregions": [A, B, C]}})


def _where(run):
    return run.vm["Placement"]["SubregionName"]


def test_the_failure_domain_of_the_machine_decides(site):
    for domain in (C, A):
        run = site.machine(f"node-{domain}", failure_domain=domain).settle()
        assert _where(run) == run.status["failureDomain"] == domain


def test_a_failure_domain_can_be_the_name_of_a_subnet(site):
    """As with the Go provider."""
    run = site.machine(failure_domain=f"Worker subnet for demo/{B}").settle()
    assert _where(run) == run.status["failureDomain"] == B


def test_a_failure_domain_without_a_subnet_is_refused_in_words(site):
    run = site.machine(failure_domain="eu-west-2d")
    for _ in range(2):
        run.step()
    assert run.ready == ("False", "Refused")
    assert "is eu-west-2d, but its subnets are" in run.conditions["Ready"][2]


def test_machines_are_spread_one_after_the_other(site):
    for number in range(6):
        site.machine(f"node-{number}").settle()
    found = collections.Counter(_where(run) for run in site.machines.values())
    assert found == {A: 2, B: 2, C: 2}


def test_machines_are_spread_that_are_made_at_the_same_time(site):
    """Each sees the others as they were before anybody had chosen."""
    runs = [site.machine(f"node-{number}") for number in range(6)]
    for run in runs:
        run.objects = functools.partial(machine_driver.with_siblings, run, run.objects().siblings)
    for run in runs * 2:
        run.step()
    found = collections.Counter(run.status["failureDomain"] for run in runs)
    assert max(found.values()) - min(found.values()) <= 1, found


def test_only_machines_of_the_same_kind_are_counted(site):
    places = [_where(site.control_plane(f"cp-{number}").settle()) for number in range(3)]
    assert sorted(places) == [A, B, C]
    workers = [_where(site.machine(f"node-{number}").settle()) for number in range(3)]
    assert sorted(workers) == [A, B, C]


def test_a_machine_that_goes_counts_no_more(site):
    runs = [site.machine(f"node-{number}").settle() for number in range(3)]
    where = _where(runs[1])
    runs[1].delete()
    assert _where(site.machine("next").settle()) == where


def test_the_spec_may_name_subregions(site):
    for number in range(4):
        run = site.machine(f"node-{number}", spec={"vm": {"subregions": [B, C]}}).settle()
        assert _where(run) in {B, C}


def test_chance_may_decide(site):
    vm = {"subregionMode": "random"}
    runs = [site.machine(f"node-{number}", spec={"vm": dict(vm)}) for number in range(12)]
    site.settle()
    assert {_where(run) for run in runs} == {A, B, C}


def test_the_choice_is_kept_before_the_vm_is_made(site):
    run = site.machine()
    run.step()
    site.fake.fail("refuse", action="CreateVms", code=2000)
    run.step()
    assert not site.vms
    chosen = run.records[0]["failureDomain"]
    assert run.status["failureDomain"] == chosen
    site.fake.faults.clear()
    assert _where(run.settle()) == chosen


# --- Without room --------------------------------------------------------------------------------


def _full(site, *subregions):
    for each in (A, B, C):
        site.fake.set_capacity(each, ["*"] if each in subregions else [])


@pytest.mark.parametrize("spec", [{}, GPU], ids=["vm", "gpu"])
def test_where_there_is_no_room_another_subregion_is_taken(site, spec):
    _full(site, A, B)
    run = site.machine(spec=spec).settle()
    assert run.is_ready
    assert _where(run) == run.status["failureDomain"] == C
    gpus = site.outside.read("ReadFlexibleGpus")
    assert [gpu["SubregionName"] for gpu in gpus] == ([C] if spec else [])
    run.delete().settle()
    assert run.is_gone


def test_a_gpu_moves_with_its_machine(site):
    """There is room for the GPU, but not for the VM."""
    for each in (A, B):
        site.fake.set_capacity(each, ["tinav5.c4r8p1"])
    run = site.machine(spec=GPU).settle()
    assert _where(run) == C
    (gpu,) = site.outside.read("ReadFlexibleGpus")
    assert gpu["SubregionName"] == C


def test_a_failure_domain_is_never_overruled(site):
    _full(site, A)
    run = site.machine(failure_domain=A)
    for _ in range(3):
        run.step()
    assert run.ready == ("False", "NoCapacity")
    assert not site.vms
    _full(site)
    run.settle()
    assert _where(run) == A


def test_when_there_is_no_room_at_all_it_is_told_and_tried_again(site):
    _full(site, A, B, C)
    run = site.machine()
    for _ in range(3):
        outcome = run.step()
        site.fake.clock.advance(5)
    assert outcome.retry
    assert run.ready == ("False", "NoCapacity")
    message = run.conditions["VmReady"][2]
    assert f"no room for {run.object['spec']['vm'].get('vmType', 'tinav4.c4r8p1')} in" in message
    assert all(each in message for each in (A, B, C))
    _full(site, A, B)
    run.settle()
    assert _where(run) == C


def test_a_subregion_without_room_is_passed_over_for_a_while(site):
    run = site.machine()
    run.step()
    _full(site, A, B)
    site.fake.fail("refuse", action="CreateTags", code=2000)
    run.step()
    full = [each for each in run.memory["exhausted"] if each != C]
    assert full
    assert set(full) <= {A, B}
    until_s = site.clock.monotonic_s() + placing.EXHAUSTED_S
    assert all(run.memory["exhausted"][each] == until_s for each in full)
