"""Laws that hold for every action, whatever it does.

The world of the document's examples has an example for each of the 236 actions, so what is asked
here is asked of all of them.
"""

import itertools
import json

import pytest

from fakecloud import ApiError, FakeCloud, answers
from tests.functional.cloud import laws, tour, world
from tests.functional.cloud.test_spec_examples import (
    BOOK,
    EXAMPLES,
    IDS,
    filled,
    request_of,
    scene_of,
    stage,
)

LIFE_STEPS_S = (0, 1, 5, 10, 20, 40, 90, 600, 3700)


class InjectedError(Exception):
    """Something that goes wrong after an action has done all its work."""


def settled(action, example):
    """Return a cloud in which the example can happen, with all transitions that are due."""
    cloud = stage(scene_of(action, example))
    cloud.call("ReadRegions")
    return cloud, filled(scene_of(action, example), request_of(action, example))


# Answers have their fields, and kept answers are true.


@pytest.mark.parametrize(("action", "example"), EXAMPLES, ids=IDS)
def test_after_an_action_all_that_is_shown_is_complete_and_true(action, example):
    cloud, request = settled(action, example)
    laws.keep_answers(cloud)
    answer = cloud.call(action, **request)
    assert laws.missing_fields(action, answer) == []
    assert laws.stale_answers(cloud, of=cloud.account) == []
    cloud.clock.advance(world.LONG_S)
    cloud.call("ReadRegions")
    assert laws.stale_answers(cloud, of=cloud.account) == []


@pytest.mark.parametrize("level", world.LEVELS)
def test_everything_that_can_be_read_has_its_fields(level):
    assert missing_anywhere(world.load(level)) == []


def missing_anywhere(cloud):
    answers = tour.everything(cloud)
    return [
        problem
        for action, answer in answers.items()
        for problem in laws.missing_fields(action, answer)
    ]


def test_what_is_coming_and_going_has_its_fields():
    cloud = tour.rich()
    seen = set()
    vms = [vm["VmId"] for vm in cloud.call("ReadVms")["Vms"]]
    balancers = [lb["LoadBalancerName"] for lb in cloud.call("ReadLoadBalancers")["LoadBalancers"]]
    cloud.call("CreateVms", ImageId="ami-12345678")
    cloud.call("CreateVolume", SubregionName="eu-west-2a", Size=1)
    cloud.call("DeleteVms", VmIds=vms)
    cloud.call("DeleteNatService", NatServiceId="nat-12345678")
    for name in balancers:
        cloud.call("DeleteLoadBalancer", LoadBalancerName=name)
    for step in LIFE_STEPS_S:
        cloud.clock.advance(step)
        assert missing_anywhere(cloud) == []
        seen |= {vm["State"] for vm in cloud.call("ReadVms")["Vms"]}
    assert seen >= {"pending", "running", "shutting-down", "terminated"}


def test_kept_answers_are_what_making_them_anew_gives():
    cloud = tour.rich()
    for step in LIFE_STEPS_S:
        tour.everything(cloud)
        cloud.clock.advance(step)
        cloud.call("ReadRegions")
        assert laws.stale_answers(cloud) == []


# Saving.


def test_what_was_loaded_is_saved_as_it_was():
    cloud = tour.rich()
    saved = cloud.save()
    other = FakeCloud(seed=5)
    other.load(saved)
    assert other.save() == saved


def test_a_loaded_cloud_answers_as_the_saved_one_does():
    cloud, other = tour.rich(), FakeCloud()
    other.load(cloud.save())
    for step in LIFE_STEPS_S:
        cloud.clock.advance(step)
        other.clock.advance(step)
        assert tour.everything(other) == tour.everything(cloud)


# The same calls give the same cloud.


def test_two_clouds_with_the_same_seed_and_calls_are_the_same():
    assert toured(FakeCloud(seed=3)) == toured(FakeCloud(seed=3))


def test_two_clouds_with_other_seeds_mint_other_identifiers():
    one, two = toured(FakeCloud(seed=3)), toured(FakeCloud(seed=4))
    assert len(one) == len(two)
    ids = [{row["id"] for row in json.loads(each[-1])["regions"]["eu-west-2"]["rows"]
            if row["account"] == world.ACCOUNT and row["kind"] in ("Net", "Subnet", "Vm", "Nic")}
           for each in (one, two)]  # fmt: skip
    assert not ids[0] & ids[1]


def toured(cloud):
    """Build the world in a cloud; return every answer, and what is saved in the end."""
    make = world.Builder(cloud)
    world.build(make, "joined")
    tour_end = cloud.save().decode()
    return [*make.answers, tour_end]


def test_time_passes_alike_in_one_step_and_in_many():
    leap, walk = tour.rich(), tour.rich()
    for cloud in (leap, walk):
        vms = [vm["VmId"] for vm in cloud.call("ReadVms")["Vms"]]
        cloud.call("DeleteVms", VmIds=vms)
        cloud.call("CreateVms", ImageId="ami-12345678")
        cloud.call("DeleteLoadBalancer", LoadBalancerName="example-lbu")
    leap.clock.advance(7200)
    for _ in range(720):
        walk.clock.advance(10)
        walk.call("ReadRegions")
    assert tour.everything(leap) == tour.everything(walk)
    assert laws.state_of(leap) == laws.state_of(walk)


# All or nothing.


@pytest.mark.parametrize(("action", "example"), EXAMPLES, ids=IDS)
def test_an_action_happens_wholly_or_not_at_all(action, example, monkeypatch):
    cloud, request = settled(action, example)
    laws.keep_answers(cloud)
    before = laws.state_of(cloud)
    if "DryRun" in BOOK.actions[action].parameters:
        assert list(cloud.call(action, **request, DryRun=True)) == ["ResponseContext"]
        assert laws.state_of(cloud) == before
    with monkeypatch.context() as patch:
        patch.setattr(answers.Writer, "write", fail)
        with pytest.raises(InjectedError):
            cloud.call(action, **request)
    assert laws.state_of(cloud) == before
    assert laws.stale_answers(cloud, of=cloud.account) == []
    cloud.call(action, **request)
    after = laws.state_of(cloud)
    if BOOK.actions[action].is_read:
        assert after == before
    try:  # Most actions cannot be done twice.
        cloud.call(action, **request)
    except ApiError:
        assert laws.state_of(cloud) == after


def fail(*_):
    raise InjectedError


def test_ten_actions_take_no_dry_run():
    without = [spec for spec in BOOK.actions.values() if "DryRun" not in spec.parameters]
    assert len(without) == 10


def test_nobody_sees_or_changes_what_is_another_account_s():
    cloud = tour.rich()
    cloud.call("ReadNets", account="555555555555")
    mine = {value for value in itertools.chain(*_ids(cloud, world.ACCOUNT)) if value not in PUBLIC}
    text = json.dumps(
        [
            cloud.call(action, account="555555555555")
            for action in tour.READS
            if action not in tour.QUESTIONS and action != "ReadApiLogs"
        ]
    )
    assert len(mine) > 40
    assert {value for value in mine if f'"{value}"' in text} == set()


PUBLIC = {"eu-west-2a", "eu-west-2b", "eu-west-2c"}


def _ids(cloud, account):
    for state in cloud.state()["regions"].values():
        yield [row["id"] for row in state["rows"] if row["account"] == account]
