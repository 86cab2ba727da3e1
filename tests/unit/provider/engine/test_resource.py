"""Resources: what they refer to, how they differ, and how references are bound."""

import dataclasses

from provider.engine import resource
from tests.unit.provider.engine.toys import Box, box, lid, there


@dataclasses.dataclass(frozen=True)
class Pile:
    """Something that is no resource and holds some."""

    boxes: tuple[Box, ...] = ()
    label: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Shelf(resource.Resource):
    """Something that holds resources in every way."""

    KIND = "shelf"
    CONDITION = "ShelvesReady"

    first: Box
    others: frozenset[Box] = frozenset()
    piles: tuple[Pile, ...] = ()
    spare: Box | None = None


SHELF = Shelf(
    key="default",
    first=box("a"),
    others=frozenset([box("b")]),
    piles=(Pile((box("c"),), "top"),),
)


def test_references_are_found_wherever_they_are():
    assert [each.key for each in resource.references(SHELF)] == ["a", "b", "c"]


def test_binding_replaces_every_reference():
    find = {each.place: each for each in (there(box(key)) for key in "abc")}
    bound = resource.bind(SHELF, find)
    assert [each.id for each in resource.references(bound)] == ["box-a", "box-b", "box-c"]


def test_binding_nothing_new_changes_nothing():
    assert resource.bind(SHELF, {}) is SHELF


def test_a_thing_is_called_by_its_key_unless_it_is_the_only_one():
    assert str(SHELF) == "shelf"
    assert str(box("a")) == "box/a"


def test_references_differ_by_place_and_not_by_id():
    assert lid(on=there(box())).differences(lid(on=box())) == ()
    (difference,) = lid(on=box("b")).differences(lid(on=box()))
    assert str(difference) == "box is box/a, the spec wants box/b"


def test_ids_states_and_tags_are_no_differences():
    assert box().differences(there(box(), state="drying", tags={"x": "y"})) == ()


def test_a_difference_names_sets_in_order_and_nothing_as_nothing():
    assert str(resource.Difference("some_ports", frozenset({2, 1}), "")) == (
        "some ports is {1, 2}, the spec wants nothing"
    )


def test_a_difference_within_a_part_names_its_field():
    piles = [Shelf(key="s", first=box(), piles=(Pile((box("c"),), each),)) for each in ("top", "")]
    (difference,) = piles[0].differences(piles[1])
    assert str(difference) == (
        "piles is {(boxes {box/c})}, the spec wants {(boxes {box/c}, label top)}"
    )
    parts = [resource.plain(Pile(label=each)) for each in ("top", "")]
    assert str(resource.Difference("pile", *parts)) == ("pile label is top, the spec wants nothing")


def test_only_what_is_broken_is_refused():
    assert box().refusal == ""
    assert there(box(), state="torn").refusal == "box-a is torn. Delete it"
