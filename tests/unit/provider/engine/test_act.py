"""Acting: what is called, in which order, and what is left when something goes wrong."""

import pytest

from provider.engine import act, intents, world
from provider.osc import errors
from provider.osc.errors import Cause
from tests.unit.provider.engine import toys
from tests.unit.provider.engine.toys import box, lid


def run(cloud, desired, open_intents=None, *, going=False, kept=None):
    """Look and act once; return the report."""
    seen = world.snapshot(cloud, toys.SCOPE, toys.KINDS)
    record = (kept if kept is not None else []).append
    actor = act.Actor(cloud, toys.SCOPE, toys.KINDS, record, toys.Clock())
    return actor.run(desired, seen, open_intents or {}, going=going)


def test_everything_is_made_in_one_pass():
    cloud = toys.Cloud()
    report = run(cloud, [lid(), box()])
    assert report.is_converged
    assert report.intents == {}
    assert cloud.names("box") == cloud.names("lid") == ["a"]
    assert [each.verb.value for each in report.done] == ["create", "create"]
    assert all(toys.OWNER[0] in row["tags"] for row in cloud.rows.values())


def test_intents_are_kept_before_anything_is_made():
    cloud, kept = toys.Cloud(), []

    class Full(Exception):
        pass

    def record(given):
        kept.append((dict(given), list(cloud.names("box"))))
        raise Full

    actor = act.Actor(cloud, toys.SCOPE, toys.KINDS, record, toys.Clock())
    with pytest.raises(Full):
        actor.run([box()], world.World(), {})
    assert [(list(given), boxes) for given, boxes in kept] == [([("box", "a")], [])]
    assert cloud.names("box") == []


def test_what_stands_alone_is_marked_before_anything_is_made_with_it():
    cloud = toys.Cloud()
    cloud.faults[len(["Read box", "Read lid", "Read box", "create box"])] = "2000"
    report = run(cloud, [lid(), box()])
    assert list(report.intents) == [("box", "a")]
    assert cloud.names("lid") == []


def test_a_mark_that_cannot_be_made_leaves_the_intent():
    cloud = toys.Cloud()
    cloud.faults["CreateTags"] = "2000"
    report = run(cloud, [lid(), box()])
    assert list(report.intents) == [("box", "a")]
    cloud.faults.clear()
    report = run(cloud, [lid(), box()], report.intents)
    assert report.is_converged
    assert cloud.names("box") == cloud.names("lid") == ["a"]


def test_what_takes_a_while_to_go_is_not_looked_at_right_after_it_was_asked_to():
    class SlowBox(toys.Box):
        GOING = "deleting"

    cloud = toys.Cloud()
    cloud.put("box", "a")
    seen = world.snapshot(cloud, toys.SCOPE, [SlowBox])
    report = act.Actor(cloud, toys.SCOPE, [SlowBox], list, toys.Clock()).run(
        [], seen, {}, going=True
    )
    assert cloud.calls[-1] == "delete"
    assert [str(each.target) for each in report.left] == ["box/a"]
    assert report.left[0].moves
    assert not report.is_converged


def test_an_owner_who_should_have_nothing_and_has_something_is_looked_at_first():
    cloud, kept = toys.Cloud(), []
    cloud.put("box", "other")
    actor = act.Actor(cloud, toys.SCOPE, toys.KINDS, kept.append, toys.Clock())
    with pytest.raises(intents.NotNewError):
        actor.run([box()], world.World(is_new=True), {})
    assert cloud.names("box") == ["other"]
    assert kept == []


def test_nothing_is_made_for_a_new_owner_while_the_cloud_cannot_be_read():
    cloud, kept = toys.Cloud(), []
    cloud.faults["Read box"] = "2000"
    actor = act.Actor(cloud, toys.SCOPE, toys.KINDS, kept.append, toys.Clock())
    with pytest.raises(errors.ApiError):
        actor.run([box()], world.World(is_new=True), {})
    assert cloud.calls == ["Read box"]
    assert kept == []


def test_a_lost_answer_leaves_an_intent_that_finds_what_was_made():
    cloud, kept = toys.Cloud(), []
    cloud.faults["create"] = "lose"
    report = run(cloud, [box()], kept=kept)
    assert [each.error.cause for each in report.failures] == [Cause.UNKNOWN]
    assert list(report.intents) == [("box", "a")]
    cloud.faults.clear()
    report = run(cloud, [box()], report.intents)
    assert report.is_converged
    assert report.intents == {}
    assert cloud.names("box") == ["a"]


def test_what_was_refused_for_certain_leaves_no_intent():
    cloud = toys.Cloud()
    cloud.faults["create"] = "10022"
    report = run(cloud, [box()])
    assert report.intents == {}
    assert str(report.failures[0]) == "create box/a: create: 10022"
    assert not report.failures[0].is_wait


def test_an_intent_that_bore_nothing_is_dropped_with_the_wish():
    intent = intents.Intent("box", "a", {"size": 1})
    assert run(toys.Cloud(), [], {intent.place: intent}).intents == {}


def test_more_candidates_than_intents_are_not_guessed_at():
    cloud = toys.Cloud()
    intent = intents.Intent("box", "a", {"size": 1})
    ids = [cloud.put("box", name, owned=False)["id"] for name in "xy"]
    report = run(cloud, [box()], {intent.place: intent})
    message = str(report.failures[0].error)
    assert all(each in message for each in ids)
    assert "Tag the right one owner/me=owned." in message
    assert "create" not in cloud.calls
    assert report.intents[intent.place].suspects == tuple(ids)


def test_of_too_many_candidates_the_last_one_is_not_taken_either():
    cloud = toys.Cloud()
    last = cloud.put("box", "x", owned=False)["id"]
    intent = intents.Intent("box", "a", {"size": 1}, suspects=(last, "box-that-was-deleted"))
    report = run(cloud, [box()], {intent.place: intent})
    assert f"any of {last} may be what it made" in str(report.failures[0].error)
    assert list(report.intents) == [("box", "a")]


def test_intents_that_look_alike_share_what_they_bore():
    cloud = toys.Cloud()
    both = [intents.Intent("box", key, {"size": 1}) for key in "ab"]
    cloud.put("box", "x", owned=False)
    cloud.put("box", "y", owned=False)
    seen = world.World()
    actor = act.Actor(cloud, toys.SCOPE, [toys.Box], lambda _: None, toys.Clock())
    report = actor.run([], seen, {each.place: each for each in both}, going=True)
    assert report.intents == {}
    assert cloud.names("box") == []


def test_an_error_stops_its_branch_only():
    cloud = toys.Cloud()
    cloud.faults[3] = "10022"  # After two Reads: the first create.
    report = run(cloud, [box("a"), lid("a", on=box("a")), box("b")])
    assert cloud.names("box") == ["b"] or cloud.names("box") == ["a", "b"]
    assert len(report.failures) == 1


def test_throttling_stops_the_whole_pass():
    cloud = toys.Cloud()
    cloud.faults["create"] = "24"
    report = run(cloud, [box("a"), box("b")])
    assert cloud.calls.count("create") == 1
    assert report.failures[0].is_wait


def test_a_step_is_tried_once_in_a_pass():
    cloud = toys.Cloud()
    cloud.put("box", "a")
    cloud.faults["paint"] = "9085"
    run(cloud, [box(color="blue"), box("b")])
    assert cloud.calls.count("paint") == 1


def test_what_was_made_before_its_tags_were_refused_is_told_and_found():
    cloud = toys.Cloud()
    cloud.faults["CreateTags"] = "2000"
    report = run(cloud, [box()])
    assert [each.condition for each in report.failures] == ["BoxesReady"]
    assert list(report.intents) == [("box", "a")]
    cloud.faults.clear()
    assert run(cloud, [box()], report.intents).is_converged
    assert cloud.names("box") == ["a"]


def test_deleting_goes_from_the_outside_in_until_nothing_is_left():
    cloud = toys.Cloud()
    id_ = cloud.put("box", "a")["id"]
    cloud.put("lid", "a", box=id_)
    report = run(cloud, [], going=True)
    assert report.is_converged
    assert cloud.rows == {}


def test_what_lost_its_tag_is_found_by_its_id():
    cloud = toys.Cloud()
    id_ = cloud.put("box", "a", owned=False)["id"]
    claimed = cloud.put("box", "b", owned=False)
    claimed["tags"] = {"owner/another": "owned"}
    known = {"box": {"a": id_, "b": claimed["id"]}}
    seen = world.snapshot(cloud, toys.SCOPE, toys.KINDS, known=known)
    assert [each.key for each in seen.all()] == ["a"]
    world.mark_lost(cloud, toys.SCOPE, seen)
    assert cloud.rows[id_]["tags"] == dict([toys.OWNER])
    assert claimed["tags"] == {"owner/another": "owned"}


def test_what_has_its_tag_is_not_looked_for_by_id():
    cloud = toys.Cloud()
    id_ = cloud.put("box", "a")["id"]
    world.snapshot(cloud, toys.SCOPE, toys.KINDS, known={"box": {"a": id_}})
    assert cloud.calls == ["Read box", "Read lid"]
