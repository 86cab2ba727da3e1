"""An account allows few calls: what many look at is read once, and what is at rest seldom."""

import pytest

from fakecloud import FakeCloud
from provider import cluster
from provider.osc import sharing
from provider.osc.shared import SharedReads
from tests.functional.provider import clusters, driver, machine_driver

PERIOD_S = 300.0
AGE_S = sharing.CALM_PART * PERIOD_S


def at_rest(count):
    """Return so many clusters of one account, under one process, that had nothing to do lately."""
    fake = FakeCloud(seed=1)
    runs = [
        driver.ClusterDriver({}, fake, uid=f"{number}{driver.UID[1:]}", name=f"c{number}")
        for number in range(count)
    ]
    for each in runs:
        each.settle()
    reads = SharedReads(runs[0].cloud, runs[0].clock, AGE_S)
    for each in runs:
        each.cloud = runs[0].cloud
        each.clouds = runs[0].clouds
        each.clouds._reads = reads
        each.step()
    fake.clock.advance(PERIOD_S)
    return runs


@pytest.mark.parametrize("count", [1, 4])
def test_clusters_at_rest_are_read_together_however_many_there_are(count):
    runs = at_rest(count)
    before = len(runs[0].cloud.calls)
    for each in runs:
        each.step()
        each.fake.clock.advance(5)
    made = runs[0].cloud.calls[before:]
    assert all(action.startswith("Read") for action in made)
    assert len(made) < len(cluster.KINDS)
    assert all(each.is_ready for each in runs)


def test_who_is_to_change_something_looks_anew():
    first, second = at_rest(2)
    first.step()
    first.fake.clock.advance(AGE_S / 2)
    second.set({"network": {"allowFromIPRanges": ["192.0.2.0/24"]}})
    assert "ReadSecurityGroups" in clusters.calls(second, second.step)


def test_a_vm_that_dies_right_after_a_look_is_missed_within_the_period():
    site = machine_driver.Site()
    each = site.machine()
    site.settle()
    site.clouds._reads = SharedReads(site.cloud, site.clock, AGE_S)
    each.step()
    each.step()
    site.outside.call("DeleteVms", VmIds=[each.vm["VmId"]])
    site.fake.clock.advance(AGE_S - 1)
    each.step()
    assert each.is_ready, "The answer is a bit old."
    site.fake.clock.advance((1 - sharing.CALM_PART) * PERIOD_S)
    each.step()
    assert each.conditions["VmReady"][:2] == ("False", "VmTerminated")
