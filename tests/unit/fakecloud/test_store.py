"""Rows, indices, transactions and the passing of time, on two kinds made for the purpose."""

import itertools

import pytest

from fakecloud import kinds as kinds_
from fakecloud import rows as rows_
from fakecloud import store
from fakecloud.kinds import Then


@pytest.fixture(autouse=True)
def kinds(monkeypatch):
    monkeypatch.setattr(kinds_, "KINDS", {})
    monkeypatch.setattr(store, "KINDS", kinds_.KINDS)
    monkeypatch.setattr(kinds_, "_HOLDING", {})
    seen = []
    kinds_.kind(
        "Box",
        id="BoxId",
        prefix="box",
        view=lambda rows, row: {
            "BoxId": row.id,
            "Things": [thing["Name"] for thing in rows.rows("Thing", "BoxId", row.id)],
        },
        in_use=9000,
    )
    kinds_.kind(
        "Thing",
        id="ThingId",
        prefix="thing",
        refs={"BoxId": "Box"},
        index=("Name", "Parts.Part"),
        lifecycle={"young": Then(10, "old"), "old": Then(20, "dead"), "dead": Then(5, None)},
        tombstones=frozenset({"dead"}),
        on={"old": lambda rows, row: seen.append(row.id)},
    )
    return seen


class World:
    """A store, with a clock that is a number."""

    def __init__(self):
        self.now = 0.0
        numbers = itertools.count(1)
        self.rows = store.Store(lambda kind: f"{kind.prefix}-{next(numbers)}", lambda: self.now)

    def add(self, kind, state="", **data):
        with self.rows.transaction():
            return self.rows.create(kind, data, "me", state=state)


@pytest.fixture
def world():
    return World()


def names(rows):
    return [row["Name"] for row in rows]


def test_rows_are_found_by_every_declared_path(world):
    box = world.add("Box")
    world.add("Thing", BoxId=box.id, Name="a", Parts=[{"Part": 1}, {"Part": 2}])
    world.add("Thing", BoxId="other", Name="b", Tags=[{"Key": "k", "Value": "v"}])
    rows = world.rows
    assert names(rows.rows("Thing", "BoxId", box.id)) == ["a"]
    assert names(rows.rows("Thing", "Parts.Part", 2)) == ["a"]
    assert names(rows.rows("Thing", "Tag", "k=v")) == ["b"]
    assert names(rows.rows("Thing", "account", "me")) == ["a", "b"]
    assert rows.count("Thing", "Name", "b") == 1
    with pytest.raises(AssertionError, match="has no index Colour"):
        rows.rows("Thing", "Colour", "red")


def test_an_index_follows_a_change(world):
    thing = world.add("Thing", Name="a")
    with world.rows.transaction():
        world.rows.edit(thing)["Name"] = "b"
        assert names(world.rows.rows("Thing", "Name", "b")) == ["b"]
    assert world.rows.rows("Thing", "Name", "a") == []


def test_a_failed_transaction_leaves_nothing_behind(world):
    kept = world.add("Thing", Name="kept", Parts=[{"Part": 1}], state="young")
    other = world.add("Thing", Name="other")
    before = world.rows.dump()

    def spoil():
        with world.rows.transaction():
            world.rows.create("Thing", {"Name": "new"}, "me")
            world.rows.edit(kept)["Parts"][0]["Part"] = 7
            world.rows.become(kept, "old")
            world.rows.remove(other)
            raise KeyError

    with pytest.raises(KeyError):
        spoil()
    assert world.rows.dump() == before
    assert names(world.rows.rows("Thing")) == ["kept", "other"]
    assert names(world.rows.rows("Thing", "Parts.Part", 1)) == ["kept"]
    assert world.rows.rows("Thing", "Parts.Part", 7) == []
    world.now = 10
    world.rows.settle()
    assert kept.state == "old"


def test_a_dry_run_is_a_transaction_that_is_not_kept(world):
    with world.rows.transaction(keep=False):
        world.rows.create("Thing", {"Name": "a"}, "me")
    assert world.rows.rows("Thing") == []


def test_states_follow_each_other_in_time(world, kinds):
    thing = world.add("Thing", Name="a", state="young")
    world.now = 9.9
    world.rows.settle()
    assert thing.state == "young"
    world.now = 10
    world.rows.settle()
    assert (thing.state, kinds) == ("old", [thing.id])
    world.now = 30
    world.rows.settle()
    assert thing.state == "dead"
    assert not thing.is_live
    world.now = 35
    world.rows.settle()
    assert world.rows.rows("Thing") == []


def test_a_stuck_row_stays_until_it_is_let_go(world):
    thing = world.add("Thing", Name="a", state="young")
    world.rows.stuck = lambda row: True
    world.now = 100
    world.rows.settle()
    assert thing.state == "young"
    world.rows.stuck = lambda row: False
    world.now = 101
    world.rows.settle()
    assert thing.state == "old"


def test_what_is_held_is_known_and_tombstones_hold_nothing(world):
    box = world.add("Box")
    thing = world.add("Thing", Name="a", BoxId=box.id, state="young")
    assert world.rows.holders(box) == [thing]
    with world.rows.transaction():
        world.rows.become(thing, "dead")
    assert world.rows.holders(box) == []


def test_a_view_is_made_anew_only_when_what_it_read_has_changed(world):
    box = world.add("Box")
    elsewhere = world.add("Box")
    first = world.rows.view(box)
    world.add("Thing", Name="far", BoxId=elsewhere.id)
    assert world.rows.view(box) is first
    thing = world.add("Thing", Name="near", BoxId=box.id)
    assert world.rows.view(box)["Things"] == ["near"]
    with world.rows.transaction():
        world.rows.edit(thing)["Name"] = "renamed"
    assert world.rows.view(box)["Things"] == ["renamed"]
    with world.rows.transaction():
        world.rows.remove(thing)
    assert world.rows.view(box)["Things"] == []


def test_a_view_that_looked_in_vain_is_made_anew_when_the_row_comes(world):
    box = world.add("Box")
    box.kind.__dict__["view"] = lambda rows, row: {
        "Found": rows.row("Thing", "thing-2") is not None
    }
    assert world.rows.view(box) == {"Found": False}
    world.add("Thing", Name="a")
    assert world.rows.view(box) == {"Found": True}


def test_a_view_may_not_read_everything(world):
    world.add("Box")
    box = world.add("Box")
    box.kind.__dict__["view"] = lambda rows, row: {"All": rows.rows("Thing")}
    with pytest.raises(AssertionError, match="may not read all rows"):
        world.rows.view(box)


def test_the_past_can_be_seen_and_left_again(world):
    world.rows.history = store.deque()
    thing = world.add("Thing", Name="a")
    world.now = 10
    with world.rows.transaction():
        world.rows.edit(thing)["Name"] = "b"
    world.now = 20
    world.add("Thing", Name="c")
    with world.rows.transaction():
        world.rows.remove(thing)
    for _ in range(2):
        with world.rows.as_of(15):
            assert names(world.rows.rows("Thing")) == ["b"]
        with world.rows.as_of(5):
            assert names(world.rows.rows("Thing")) == ["a"]
        assert names(world.rows.rows("Thing")) == ["c"]


def test_a_saved_store_goes_on_where_it_stopped(world):
    world.add("Thing", Name="a", state="young")
    saved = world.rows.dump()
    later = World()
    later.rows.load(saved)
    assert later.rows.dump() == saved
    later.now = 10
    later.rows.settle()
    assert later.rows.rows("Thing")[0].state == "old"


def test_values_looks_into_lists():
    data = {"A": [{"B": {"C": 1}}, {"B": {"C": 2}}, {}], "D": None}
    assert rows_.values(data, "A.B.C") == [1, 2]
    assert rows_.values(data, "D") == []
    assert rows_.values(data, "E.F") == []
