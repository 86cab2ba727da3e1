"""Commits, history, watchers, and the past."""

import hypothesis
import pytest
from hypothesis import strategies

from fakekube import store


def obj(name, namespace="n", **labels):
    return {"metadata": {"name": name, "namespace": namespace, "labels": labels}}


class Taker:
    def __init__(self):
        self.events = []

    def notify(self, event):
        self.events.append((event.type, event.record.name, event.rv))


def test_the_first_change_is_seen_from_the_version_of_an_empty_list():
    data = store.Store()
    before = data.rv
    data.create("things", obj("a"))
    assert [event.rv for event in data.table("things").since("", before)] == [before + 1]


def test_watchers_hear_of_their_namespace_only():
    data = store.Store()
    every, one = Taker(), Taker()
    stop = data.table("things").watch("", every)
    data.table("things").watch("n", one)
    data.create("things", obj("a"))
    data.create("things", obj("b", "m"))
    data.create("others", obj("c"))
    stop()
    data.delete("things", data.get("things", "n", "a"))
    assert [event[:2] for event in every.events] == [("ADDED", "a"), ("ADDED", "b")]
    assert [event[:2] for event in one.events] == [("ADDED", "a"), ("DELETED", "a")]


def test_a_record_never_changes():
    data = store.Store()
    first = data.create("things", obj("a", x="1"))
    copy = first.copy()
    copy["metadata"]["labels"]["x"] = "2"
    second = data.update("things", copy, first)
    assert (first.obj["metadata"]["labels"], first.labels) == ({"x": "1"}, {"x": "1"})
    assert second.obj["metadata"]["resourceVersion"] == str(second.rv)


def test_lists_are_in_the_order_of_keys():
    data = store.Store()
    for namespace, name in (("a", "x"), ("a-b", "x"), ("a", "b"), ("b", "a")):
        data.create("things", obj(name, namespace))
    # As in etcd: "a-b/x" is before "a/b".
    places = [record.place for record in data.table("things").list()]
    assert places == ["a-b/x", "a/b", "a/x", "b/a"]


def test_history_is_forgotten_from_its_beginning(monkeypatch):
    monkeypatch.setattr(store, "HISTORY", 3)
    data = store.Store()
    for number in range(5):
        data.create("things", obj(f"a{number}"))
    table = data.table("things")
    assert len(table.since("", data.rv - 3)) == 3
    with pytest.raises(KeyError):
        table.since("", data.rv - 4)
    with pytest.raises(KeyError):
        table.at("", data.rv - 4)


def test_compaction_forgets_all_history():
    data = store.Store()
    data.create("things", obj("a"))
    rv = data.rv
    data.create("things", obj("b"))
    data.compact()
    assert data.table("things").since("", data.rv) == []
    with pytest.raises(KeyError):
        data.table("things").since("", rv)


@hypothesis.given(
    strategies.lists(
        strategies.tuples(
            strategies.sampled_from(["n", "m"]),
            strategies.sampled_from("abc"),
            strategies.booleans(),
        ),
        max_size=30,
    )
)
def test_every_past_state_can_be_listed(steps):
    data = store.Store()
    table = data.table("things")
    states = {data.rv: []}
    for namespace, name, is_delete in steps:
        record = data.get("things", namespace, name)
        if record is None:
            data.create("things", obj(name, namespace))
        elif is_delete:
            data.delete("things", record)
        else:
            data.update("things", record.copy(), record)
        states[data.rv] = [(each.place, each.rv) for each in table.list()]
    for rv, expected in states.items():
        assert [(each.place, each.rv) for each in table.at("", rv)] == expected
        own = [pair for pair in expected if pair[0].startswith("n/")]
        assert [(each.place, each.rv) for each in table.at("n", rv)] == own


def test_a_dump_is_loaded_again():
    data = store.Store()
    data.create("things", obj("a"))
    data.create("things", obj("b"))
    saved = data.dump()
    other = store.Store()
    other.create("things", obj("c"))
    other.load(saved)
    assert [record.name for record in other.table("things").list()] == ["a", "b"]
    assert other.rv >= data.rv
