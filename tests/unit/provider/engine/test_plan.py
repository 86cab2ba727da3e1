"""The plan: what has to be done so that what is there becomes what is wanted."""

import dataclasses

import pytest

from provider.engine import plan as plans
from provider.engine.plan import Verb
from tests.unit.provider.engine import toys
from tests.unit.provider.engine.toys import box, lid, there


def steps(desired, observed, *, going=False):
    return [
        (each.verb.value, str(each.target), each.why)
        for each in plans.plan(desired, observed, going=going)
    ]


def test_what_is_as_it_should_be_needs_nothing():
    assert steps([box(), lid()], [there(box()), there(lid(on=there(box())))]) == []


def test_what_builds_on_something_waits_for_it():
    assert steps([lid(), box()], []) == [
        ("create", "box/a", "does not exist"),
        ("wait", "lid/a", "waiting for box/a"),
    ]


def test_a_create_waits_for_nothing_that_only_the_update_after_it_sets():
    class LooseLid(toys.Lid):
        LATER = frozenset({"box"})

    assert steps([LooseLid(key="a", box=box()), box()], []) == [
        ("create", "box/a", "does not exist"),
        ("create", "lid/a", "does not exist"),
    ]
    made = there(LooseLid(key="a", box=box(key="old")))
    assert steps([LooseLid(key="a", box=box())], [made])[0][0] == "refuse"


def test_a_field_that_can_be_changed_is_changed():
    assert steps([box(color="blue")], [there(box())]) == [
        ("update", "box/a", "color is red, the spec wants blue")
    ]


def test_a_field_that_cannot_be_changed_is_refused():
    (step,) = plans.plan([box(size=2)], [there(box())], going=False)
    assert step.verb is Verb.REFUSE
    assert (
        step.why
        == "size is 1, the spec wants 2, and that cannot be changed. Put the old value back"
    )


def test_nothing_is_made_or_deleted_while_a_change_is_refused():
    wanted = [box(size=2), box("new")]
    seen = [there(box()), there(box("old")), there(lid(on=there(box("old"))))]
    assert [each[:2] for each in steps(wanted, seen)] == [
        ("refuse", "box/a"),
        ("wait", "box/new"),
        ("wait", "box/old"),
        ("wait", "lid/a"),
    ]


def test_what_is_broken_is_refused():
    ((verb, _, why),) = steps([box()], [there(box(), state="torn")])
    assert (verb, why) == ("refuse", "box-a is torn. Delete it")


@pytest.mark.parametrize("state", ["pending", "deleting"])
def test_what_is_not_ready_is_waited_for(state):
    ((verb, _, why), (other, *_)) = steps([box(), lid()], [there(box(), state=state)])
    assert (verb, other) == ("wait", "wait")
    assert state in why


def test_others_can_build_on_what_is_busy_but_it_is_not_changed():
    seen = [there(box(), state="drying")]
    assert steps([box(), lid()], seen) == [("create", "lid/a", "does not exist")]
    assert steps([box(color="blue")], seen) == [("wait", "box/a", "box-a is drying")]


def test_a_tag_that_is_missing_or_another_one_is_an_update():
    wanted = box(tags={"role": "x", "Name": "mine"})
    assert steps([wanted], [there(box(), tags={"Name": "theirs"})]) == [
        ("update", "box/a", "tag role is missing; tag Name is theirs, the spec wants mine")
    ]


def test_a_tag_that_only_we_give_goes_when_it_is_not_wanted_any_more():
    seen = there(box(), tags={"box/old": "", "box/new": "", "somebody": "else"})
    assert steps([box(tags={"box/new": ""})], [seen]) == [
        ("update", "box/a", "tag box/old is not wanted")
    ]


def test_what_was_never_given_such_a_tag_keeps_those_it_has():
    assert steps([box()], [there(box(), tags={"box/old": ""})]) == []


def test_what_is_not_wanted_goes_from_the_outside_in():
    seen = [there(box()), there(lid(on=there(box())))]
    assert steps([], seen, going=True) == [
        ("wait", "box/a", "in use by lid/a"),
        ("delete", "lid/a", "is not wanted"),
    ]


def test_what_something_else_cannot_be_without_is_refused():
    old = there(box("old"))
    seen = [old, there(lid(on=old), is_managed=False)]
    assert steps([], seen) == [
        (
            "refuse",
            "box/old",
            "is not wanted, but lid/a cannot be without it. Put it back, or remove that first",
        )
    ]


def test_what_others_put_beside_it_goes_only_with_the_owner():
    seen = [there(box(), stays=True)]
    assert steps([], seen) == []
    assert steps([], seen, going=True) == [("delete", "box/a", "is not wanted")]


def test_what_is_only_used_is_never_touched():
    used = box(is_managed=False, color="blue")
    assert steps([used], [there(box(), is_managed=False)]) == []
    assert steps([], [there(box(), is_managed=False)], going=True) == []


def test_what_is_to_be_used_has_to_exist():
    ((verb, _, why),) = steps([box(id="box-9", is_managed=False)], [])
    assert (verb, why) == ("refuse", "box-9 does not exist. Name one that does")


def test_a_second_one_in_the_same_place_goes():
    seen = [there(box()), dataclasses.replace(there(box()), id="box-b")]
    assert steps([box()], seen) == [("delete", "box/a", "is not wanted")]


def test_the_order_of_a_plan_is_that_of_references():
    assert plans.in_order([lid(), box(), box("b")]) == [box(), lid(), box("b")]


def test_a_step_is_a_line():
    (step,) = plans.plan([box()], [], going=False)
    assert str(step) == "create  box/a                               does not exist"


def test_toys_are_observed_by_tag():
    cloud = toys.Cloud()
    cloud.put("box", "mine")
    cloud.put("box", "theirs", owned=False)
    assert [each.key for each in toys.Box.observe(cloud, toys.SCOPE, None)] == ["mine"]
