"""The laws of a machine, over every kind of machine."""

import copy

import pytest

from provider.rules import names
from tests.functional.provider import driver, machine_driver

EFFECTS = ["refuse", "lose", "die before", "die after"]


def _worker(site):
    return site.machine()


def _control_plane(site):
    return site.control_plane(spec={"vm": {"publicIp": True}})


def _gpu(site):
    vm = {"vmType": "tinav5.c4r8p1", "flexibleGpu": {"model": "nvidia-p100"}, "publicIp": True}
    return site.machine(spec={"vm": {**vm, "sourceDestCheck": False}})


def _pool(site):
    for _ in range(2):
        address = site.cloud.call("CreatePublicIp")["PublicIp"]["PublicIpId"]
        tags = [{"Key": names.POOL, "Value": "nodes"}]
        site.cloud.call("CreateTags", ResourceIds=[address], Tags=tags)
    return site.machine(spec={"vm": {"publicIp": True, "publicIpPool": "nodes"}})


KINDS = {"worker": _worker, "control plane": _control_plane, "gpu": _gpu, "pool": _pool}


@pytest.fixture(params=KINDS.values(), ids=KINDS)
def make(request):
    """Be a function that returns a new machine, on a new site with a cluster that stands."""

    def made():
        run = request.param(machine_driver.Site())
        run.site.cloud.calls.clear()
        return run

    return made


def test_it_becomes_ready(make):
    run = make().settle()
    assert run.is_ready, run.conditions
    assert run.status["initialization"]["provisioned"]
    assert all(message == "" for _, _, message in run.conditions.values())


def test_a_converged_machine_is_left_alone(make):
    run = make().settle()
    run.site.restart()
    calls, writes = run.site.cloud.calls, run.writes
    calls.clear()
    run.step()
    assert all(action.startswith("Read") for action in calls)
    assert len(calls) == len(set(calls)), "one Read per kind"
    assert run.writes == writes


def test_deleting_leaves_nothing_of_ours_nor_takes_anything_of_others(make):
    run = make()
    before = driver.shape(run.site.fake)
    run.settle().delete().settle()
    assert run.is_gone
    assert driver.shape(run.site.fake) == before


def test_status_is_a_cache(make):
    run = make().settle()
    kept = copy.deepcopy(run.status)
    run.object["status"] = {}
    run.site.restart()
    calls = run.site.cloud.calls
    calls.clear()
    run.settle()
    assert all(action.startswith("Read") for action in calls)
    for row in (*kept["conditions"], *run.status["conditions"]):
        del row["lastTransitionTime"]
    assert run.status == kept


def test_a_moved_machine_is_known_by_its_tags(make):
    """As after `clusterctl move`, which keeps no status."""
    run = make().settle()
    wanted = driver.shape(run.site.fake)
    run.object["status"] = {}
    run.site.restart()
    run.settle()
    assert driver.shape(run.site.fake) == wanted
    run.object["status"] = {}
    run.delete().settle()
    assert not run.site.vms


@pytest.mark.parametrize("where", ["cluster", "annotation"])
def test_paused_means_no_call(make, where):
    run = make().settle()
    if where == "cluster":
        run.site.cluster["spec"]["paused"] = True
    else:
        run.object["metadata"]["annotations"] = {"cluster.x-k8s.io/paused": ""}
    calls = run.site.cloud.calls
    calls.clear()
    run.step()
    assert run.conditions["Paused"][:2] == ("True", "Paused")
    assert run.is_ready
    writes = run.writes
    run.step()
    run.delete().step()
    assert not calls
    assert run.writes == writes
    assert not run.is_gone


def _happy(make):
    run = make().settle()
    return len(run.site.cloud.calls), driver.shape(run.site.fake)


@pytest.mark.parametrize("effect", EFFECTS)
def test_any_call_may_fail_on_the_way_up(make, effect, positions):
    """At any position of a whole run: the same cloud in the end, and then nothing."""
    total, wanted = _happy(make)
    for position in positions(1, total):
        run = make()
        cloud, before = run.site.cloud, driver.shape(run.site.fake)
        cloud.strike_at, cloud.effect = position, effect
        run.settle()
        at = (position, cloud.calls[position - 1])
        assert run.is_ready, (at, run.conditions)
        assert driver.shape(run.site.fake) == wanted, at
        assert len(run.vms) == 1, at
        run.delete().settle()
        assert driver.shape(run.site.fake) == before, at


@pytest.mark.parametrize("effect", EFFECTS)
def test_any_call_may_fail_on_the_way_down(make, effect, positions):
    run = make().settle()
    up = len(run.site.cloud.calls)
    run.delete().settle()
    for position in positions(up + 1, len(run.site.cloud.calls)):
        run = make()
        cloud, before = run.site.cloud, driver.shape(run.site.fake)
        run.settle().delete()
        cloud.strike_at, cloud.effect = position, effect
        run.settle()
        assert driver.shape(run.site.fake) == before, (position, cloud.calls[position - 1])


@pytest.mark.parametrize("effect", EFFECTS)
def test_deletion_may_begin_anywhere_on_the_way_up(make, effect, positions):
    """The machine is deleted right after a call that failed, with its intents still open."""
    total, _ = _happy(make)
    for position in positions(1, total):
        run = make()
        cloud, before = run.site.cloud, driver.shape(run.site.fake)
        cloud.strike_at, cloud.effect = position, effect
        while len(cloud.calls) < position:
            run.step()
            run.site.fake.clock.advance(5)
        run.delete().settle()
        assert driver.shape(run.site.fake) == before, (position, cloud.calls[position - 1])


@pytest.mark.parametrize("effect", EFFECTS)
def test_status_may_be_lost_with_a_call(make, effect, positions):
    """Except while an intent is open: then `clusterctl move` waits."""
    total, wanted = _happy(make)
    for position in positions(1, total):
        run = make()
        cloud = run.site.cloud
        cloud.strike_at, cloud.effect = position, effect
        while len(cloud.calls) < position:
            run.step()
            run.site.fake.clock.advance(5)
        if not run.status.get("intents"):
            run.object["status"] = {}
            run.site.restart()
        run.settle()
        at = (position, cloud.calls[position - 1])
        assert driver.shape(run.site.fake) == wanted, at
        assert len(run.vms) == 1, at
