"""The laws of a cluster, over every example: docs/decisions/0006 says why they are the tests."""

import copy

import pytest

from tests.functional.provider import driver, worlds

EFFECTS = ["refuse", "lose", "die before", "die after"]


@pytest.fixture(params=worlds.EXAMPLES, ids=lambda each: each.name)
def example(request):
    return request.param


def test_it_becomes_ready(example):
    run = example.start().settle()
    assert run.is_ready, run.conditions
    assert run.status["initialization"]["provisioned"]


def test_a_converged_cluster_is_left_alone(example):
    run = example.start().settle()
    run.memory.clear()
    writes, calls = run.writes, len(run.cloud.calls)
    run.step()
    made = run.cloud.calls[calls:]
    assert all(action.startswith("Read") for action in made)
    assert len(made) == len(set(made)), "one Read per kind"
    assert run.writes == writes


def test_deleting_leaves_nothing_of_ours_nor_takes_anything_of_others(example):
    run = example.start()
    before = driver.shape(run.fake)
    run.settle().delete().settle()
    assert run.is_gone
    assert driver.shape(run.fake) == before


def test_a_spec_that_nobody_can_read_any_more_does_not_hinder_deletion(example):
    run = example.start()
    before = driver.shape(run.fake)
    run.settle()
    run.set({"network": {"subnets": [{"ipRange": "nonsense"}], "netPeering": {"enable": True}}})
    run.delete().settle()
    assert run.is_gone
    assert driver.shape(run.fake) == before


def test_status_is_a_cache(example):
    run = example.start().settle()
    kept = copy.deepcopy(run.status)
    run.object["status"] = {}
    run.memory.clear()
    calls = len(run.cloud.calls)
    run.settle()
    assert all(action.startswith("Read") for action in run.cloud.calls[calls:])
    for row in (*kept["conditions"], *run.status["conditions"]):
        del row["lastTransitionTime"]
    assert run.status == kept


def test_paused_means_no_call(example):
    run = example.start().settle()
    run.cluster["spec"]["paused"] = True
    calls = len(run.cloud.calls)
    run.step()
    assert run.conditions["Paused"][:2] == ("True", "Paused")
    writes = run.writes
    run.step()
    run.delete().step()
    assert len(run.cloud.calls) == calls
    assert run.writes == writes
    assert not run.is_gone


def _happy(example):
    run = example.start().settle()
    return len(run.cloud.calls), driver.shape(run.fake)


@pytest.mark.parametrize("effect", EFFECTS)
def test_any_call_may_fail_on_the_way_up(example, effect, positions):
    """The same cloud in the end, and then nothing."""
    total, wanted = _happy(example)
    for position in positions(1, total):
        run = example.start()
        before = driver.shape(run.fake)
        run.cloud.strike_at, run.cloud.effect = position, effect
        run.settle()
        assert run.is_ready, (position, run.cloud.calls[position - 1], run.conditions)
        assert driver.shape(run.fake) == wanted, (position, run.cloud.calls[position - 1])
        run.delete().settle()
        assert driver.shape(run.fake) == before, (position, run.cloud.calls[position - 1])


@pytest.mark.parametrize("effect", EFFECTS)
def test_any_call_may_fail_on_the_way_down(example, effect, positions):
    run = example.start().settle()
    up = len(run.cloud.calls)
    run.delete().settle()
    for position in positions(up + 1, len(run.cloud.calls)):
        run = example.start()
        before = driver.shape(run.fake)
        run.settle().delete()
        run.cloud.strike_at, run.cloud.effect = position, effect
        run.settle()
        assert driver.shape(run.fake) == before, (position, run.cloud.calls[position - 1])


@pytest.mark.parametrize("effect", EFFECTS)
def test_deletion_may_begin_anywhere_on_the_way_up(example, effect, positions):
    """The cluster is deleted right after a call that failed, with its intents still open."""
    total, _ = _happy(example)
    for position in positions(1, total):
        run = example.start()
        before = driver.shape(run.fake)
        run.cloud.strike_at, run.cloud.effect = position, effect
        while len(run.cloud.calls) < position:
            run.step()
            run.fake.clock.advance(5)
        run.delete().settle()
        assert driver.shape(run.fake) == before, (position, run.cloud.calls[position - 1])
        assert run.is_gone, (position, run.cloud.calls[position - 1], run.status)


def test_a_cluster_whose_last_status_was_never_written_is_deleted_at_once(example):
    """Somebody else was faster, so intents of what is there are still open in Kubernetes."""
    run = example.start()
    run.step()
    run.apply = lambda _: None
    run.step()
    del run.apply
    run.memory.clear()
    run.delete().settle()
    assert run.is_gone, run.status
