"""Answers of the cloud that lack for a while what was made a moment ago."""

import pytest

from fakecloud import FakeCloud
from tests.functional.provider import driver, machine_driver

LATE_S = 20
ACTIONS = [
    "ReadNets",
    "ReadSubnets",
    "ReadPublicIps",
    "ReadNatServices",
    "ReadRouteTables",
    "ReadSecurityGroups",
    "Read*",
]


def made(action):
    """Return a cluster that was made a moment ago, which answers to one action do not show yet."""
    run = driver.ClusterDriver({}, FakeCloud(seed=1))
    run.fake.fail("stale", action=action, seconds=LATE_S)
    while "CreateNet" not in run.cloud.calls:
        run.step()
    return run


def look(run, count=5):
    """Look again and again at once, as when objects around it change."""
    for _ in range(count):
        run.fake.clock.advance(1)
        run.step()


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("restarts", [False, True])
def test_what_answers_do_not_show_yet_is_not_made_twice(action, restarts):
    run = made(action)
    names = ["CreateNet", "CreateSubnet", "CreateRouteTable", "CreateSecurityGroup"]
    before = [run.cloud.calls.count(each) for each in names]
    if restarts:
        run.memory.clear()
    look(run)
    run.settle()
    assert run.is_ready
    assert [run.cloud.calls.count(each) for each in names] == before


@pytest.mark.parametrize("action", ACTIONS)
def test_what_answers_do_not_show_yet_goes_with_its_cluster(action):
    run = made(action)
    run.fake.clock.advance(1)
    run.delete().settle()
    run.fake.faults.clear()
    left = driver.inventory(run.fake)
    assert not left["Nets"]
    assert not left["PublicIps"]
    assert not left["NatServices"]


def test_what_is_missing_for_long_is_given_up():
    run = made("Read*")
    run.fake.faults.clear()
    run.settle()
    (address,) = driver.inventory(run.fake)["PublicIps"]
    run.memory.clear()
    run.object["status"]["resources"]["publicIp"] = {"gone": "eipalloc-12345678"}
    run.step()
    assert run.conditions["CloudReady"] == (
        "Unknown",
        "Waiting",
        "The cloud does not show eipalloc-12345678 (yet); it is looked for again",
    )
    run.settle()
    assert run.is_ready
    assert driver.inventory(run.fake)["PublicIps"] == [address]


BESIDE = {
    "ReadPublicIps": ("CreatePublicIp", {"publicIp": True}),
    "ReadFlexibleGpus": (
        "CreateFlexibleGpu",
        {"flexibleGpu": {"model": "nvidia-p6"}, "vmType": "tinav5.c4r8p1"},
    ),
}


def machine(action):
    """Return a site, and a machine; answers to one action lack what it made a moment ago."""
    site = machine_driver.Site()
    create, vm = BESIDE[action]
    made = site.machine(spec={"vm": vm})
    site.fake.fail("stale", action=action, seconds=LATE_S)
    while create not in site.cloud.calls:
        made.step()
    return site, made


@pytest.mark.parametrize("action", BESIDE)
@pytest.mark.parametrize("restarts", [False, True])
def test_what_a_machine_has_beside_its_vm_is_not_made_twice(action, restarts):
    site, made = machine(action)
    if restarts:
        site.restart()
    for _ in range(5):
        site.fake.clock.advance(1)
        made.step()
    site.settle()
    assert made.conditions["Ready"][0] == "True"
    assert site.cloud.calls.count(BESIDE[action][0]) == 1


@pytest.mark.parametrize("action", BESIDE)
def test_what_a_machine_has_beside_its_vm_goes_with_it(action):
    site, made = machine(action)
    before = driver.inventory(machine_driver.Site().fake)
    site.fake.clock.advance(1)
    made.delete()
    site.settle()
    assert made.is_gone
    site.fake.faults.clear()
    left = driver.inventory(site.fake)
    for rows in ("PublicIps", "FlexibleGpus"):
        assert len(left[rows]) == len(before[rows])
