"""Intents: what is kept before a create, and what is found by them."""

from provider.engine import intents
from tests.unit.provider.engine import toys
from tests.unit.provider.engine.toys import box, lid, there


def test_an_intent_remembers_what_looked_alike_before():
    cloud = toys.Cloud()
    old = cloud.put("box", "theirs", owned=False)
    intent = intents.form(box(tags={"Name": "x"}), cloud, is_first=False)
    assert intent == intents.Intent("box", "a", {"size": 1}, (old["id"],), {"Name": "x"})


def test_nothing_is_asked_when_nothing_can_look_alike():
    cloud = toys.Cloud()
    intent = intents.form(lid(on=there(box())), cloud, is_first=True)
    assert cloud.calls == []
    assert intent.filters == {"box": "box-a"}


def test_what_was_not_there_before_was_born_of_an_intent():
    cloud = toys.Cloud()
    cloud.put("box", "theirs", owned=False)
    intent = intents.form(box(), cloud, is_first=False)
    new = cloud.put("box", "a", owned=False)
    cloud.put("box", "claimed")
    found = intents.born([intent], toys.Box, cloud)
    assert [each.id for each in found if not each.is_taken] == [new["id"]]


def test_intents_are_kept_in_a_status_and_read_from_it():
    one = intents.Intent("box", "b", {"size": 1}, ("box-1",), {"Name": "x"})
    two = intents.Intent("box", "a")
    kept = {"intents": intents.dump({one.place: one, two.place: two})}
    assert [each["key"] for each in kept["intents"]] == ["a", "b"]
    assert intents.load(kept) == {one.place: one, two.place: two}


def test_a_status_without_intents_has_none():
    assert intents.load({}) == {}
    assert intents.load({"intents": [{"kind": "box", "key": "a"}]}) == {
        ("box", "a"): intents.Intent("box", "a")
    }
