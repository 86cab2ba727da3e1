"""Which subnet a new machine goes to."""

import random

import pytest

from provider import placing
from provider.api import v1beta2
from provider.engine.resource import Refusal
from provider.resources.machine_site import Subnet
from tests.unit.provider.osc.manual_clock import ManualClock

A, B, C = "eu-west-2a", "eu-west-2b", "eu-west-2c"
PLACES = [Subnet(f"subnet-{each[-1]}", f"worker {each}", "10.0.0.0/24", each) for each in (A, B, C)]


def choice(vm=None, *, places=PLACES, clock=None, memory=None, counts=None, before=(), **facts):
    return placing.Choice(
        places,
        v1beta2.Vm.model_validate(vm or {}),
        failure_domain=facts.get("failure_domain", ""),
        before=before,
        mates=placing.Mates("me", counts or {}, facts.get("mates", ())),
        memory={} if memory is None else memory,
        clock=clock or ManualClock(),
        chance=random.Random(1),
    )


def subregions(chosen):
    return [each.subregion for each in chosen]


def test_the_subregion_with_the_fewest_comes_first():
    assert subregions(choice(counts={A: 2, B: 1, C: 3})) == [B, A, C]


def test_each_subregion_is_tried_once():
    assert sorted(subregions(choice())) == [A, B, C]


def test_what_was_chosen_before_stays():
    assert subregions(choice(counts={C: 9}, before=["", C]))[0] == C


def test_what_was_chosen_before_is_left_when_it_has_no_room():
    memory, clock = {}, ManualClock()
    first = choice(before=[C], memory=memory, clock=clock)
    first.exhausted(next(iter(first)))
    assert subregions(choice(before=[C], memory=memory, clock=clock))[0] != C
    clock.sleep(placing.EXHAUSTED_S + 1)
    assert subregions(choice(before=[C], memory=memory, clock=clock))[0] == C


def test_a_failure_domain_is_the_only_place():
    assert subregions(choice(failure_domain=B, before=[A], counts={B: 9})) == [B]


def test_a_failure_domain_may_name_a_subnet():
    assert subregions(choice(failure_domain=f"worker {C}")) == [C]


def test_the_spec_may_leave_out_subregions():
    assert sorted(subregions(choice({"subregions": [A, C]}))) == [A, C]


@pytest.mark.parametrize(
    ("vm", "facts"), [({}, {"failure_domain": "mars"}), ({"subregions": ["mars"]}, {})]
)
def test_a_place_without_a_subnet_is_refused_with_both_values(vm, facts):
    with pytest.raises(Refusal, match=r"mars.*10\.0\.0\.0/24 in eu-west-2a"):
        choice(vm, **facts)


def test_mates_that_have_not_chosen_yet_are_counted_as_if_they_had():
    names = [f"node-{number}" for number in range(9)]
    found = []
    for number, name in enumerate(names):
        mates = placing.Mates(name, {}, tuple(names[:number]))
        made = placing.Choice(
            PLACES,
            v1beta2.Vm(),
            failure_domain="",
            before=[],
            mates=mates,
            memory={},
            clock=ManualClock(),
            chance=random.Random(number),
        )
        found.append(next(iter(made)).subregion)
    assert {each: found.count(each) for each in (A, B, C)} == {A: 3, B: 3, C: 3}


MD = {"cluster.x-k8s.io/deployment-name": "md-0", "cluster.x-k8s.io/set-name": "md-0-abc"}


def sibling(name, labels=MD, *, domain="", **metadata):
    return {
        "metadata": {"name": name, "labels": labels, **metadata},
        "status": {"failureDomain": domain} if domain else {},
    }


def test_mates_are_of_the_same_deployment_and_stay():
    siblings = [
        sibling("a", domain=A),
        sibling("b", domain=A),
        sibling("c"),
        sibling("z"),
        sibling("d", {"cluster.x-k8s.io/control-plane": ""}, domain=B),
        sibling("e", {"cluster.x-k8s.io/deployment-name": "md-1"}, domain=B),
        sibling("f", domain=C, deletionTimestamp="2026-11-29T00:00:00Z"),
    ]
    mates = placing.Mates.of("me", MD, siblings)
    assert mates.counts == {A: 2}
    assert mates.before == ("c",)
