"""What was last seen, and the echo of our own writes."""

import hypothesis
import pytest
from hypothesis import strategies

from provider.kube import kinds
from provider.manager.cache import CLUSTER_LABEL, Cache, Echoes, Key, Store
from provider.rules import names

KEY = Key("OscCluster", "a", "demo")


def thing(name, version="1", *, cluster="", namespace="a"):
    labels = {CLUSTER_LABEL: cluster} if cluster else {}
    metadata = {"namespace": namespace, "name": name, "labels": labels, "resourceVersion": version}
    return {"metadata": metadata}


def test_who_wrote_which_field_is_not_kept():
    store = Store()
    obj = thing("one")
    obj["metadata"]["managedFields"] = ["much"]
    store.put(obj)
    assert "managedFields" not in store.get("a", "one")["metadata"]
    assert "managedFields" in obj["metadata"]


def test_an_object_that_changes_its_cluster_is_found_there_only():
    store = Store()
    store.put(thing("one", cluster="x"))
    store.put(thing("one", cluster="y"))
    assert store.of_cluster("a", "x") == ()
    assert [each["metadata"]["name"] for each in store.of_cluster("a", "y")] == ["one"]


@hypothesis.given(
    strategies.lists(
        strategies.tuples(
            strategies.sampled_from(["put", "drop"]),
            strategies.sampled_from("abc"),
            strategies.sampled_from(["", "x", "y"]),
        )
    )
)
def test_the_index_says_what_a_search_would(steps):
    store, model = Store(), {}
    for verb, name, cluster in steps:
        if verb == "put":
            store.put(thing(name, cluster=cluster))
            model[name] = cluster
        else:
            store.drop("a", name)
            model.pop(name, None)
    for cluster in ("x", "y"):
        found = [each["metadata"]["name"] for each in store.of_cluster("a", cluster)]
        assert found == sorted(name for name, where in model.items() if where == cluster)
    assert {each["metadata"]["name"] for each in store} == set(model)


def claim(name, uid, born, namespace="a"):
    labels = {names.CLUSTER_UID_LABEL: uid} if uid else {}
    metadata = {"namespace": namespace, "name": name, "labels": labels}
    return {"metadata": {**metadata, "creationTimestamp": f"2026-11-29T00:00:{born:02}Z"}}


def test_who_was_there_first_is_the_elder():
    store = Store()
    first, copy = claim("one", "x", 1), claim("one", "x", 2, "b")
    other, third = claim("two", "x", 3), claim("one", "y", 0, "c")
    for each in (copy, first, other, third, claim("one", "", 0, "d")):
        store.put(each)
    assert store.elders(first, same_name=False) == []
    assert store.elders(copy, same_name=False) == [first]
    assert store.elders(other, same_name=False) == [first, copy]
    assert store.elders(copy, same_name=True) == [first]
    assert store.elders(other, same_name=True) == []
    assert store.elders(third, same_name=False) == []
    assert store.elders(claim("one", "", 9), same_name=False) == []
    store.drop("a", "one")
    assert store.elders(copy, same_name=True) == []


def test_of_two_in_one_second_only_one_is_the_elder():
    store = Store()
    pair = [claim("one", "x", 1, namespace) for namespace in "ab"]
    for each in pair:
        store.put(each)
    assert [store.elders(each, same_name=True) for each in pair] == [[], pair[:1]]


def test_secrets_have_no_store():
    assert Cache().of("Secret") is None
    assert Cache().of("Machine") is not None


@pytest.fixture
def released():
    return []


@pytest.fixture
def echoes(released):
    return Echoes(lambda kind, type_, obj: released.append((type_, obj)))


def test_an_event_during_a_write_waits_for_the_answer(echoes, released):
    ours, theirs = thing("demo", "5"), thing("demo", "4")
    echoes.begin(KEY)
    for obj in (theirs, ours):
        assert echoes.holds(kinds.OSC_CLUSTER, "MODIFIED", obj)
    assert not released
    echoes.end(KEY, ours)
    assert released == [("MODIFIED", theirs), ("MODIFIED", ours)]
    assert echoes.is_own(KEY, "5")
    assert not echoes.is_own(KEY, "4")


def test_an_event_of_another_object_does_not_wait(echoes):
    echoes.begin(KEY)
    assert not echoes.holds(kinds.OSC_CLUSTER, "MODIFIED", thing("other"))


def test_a_write_without_an_answer_leaves_no_echo(echoes):
    echoes.begin(KEY)
    assert echoes.holds(kinds.OSC_CLUSTER, "MODIFIED", thing("demo", "5"))
    echoes.end(KEY, None)
    assert not echoes.is_own(KEY, "5")


def test_only_so_many_writes_are_remembered(echoes):
    for number in range(Echoes.MOST + 1):
        echoes.begin(KEY)
        echoes.end(KEY, thing("demo", str(number)))
    assert not echoes.is_own(KEY, "0")
    assert echoes.is_own(KEY, str(Echoes.MOST))
    echoes.forget(KEY)
    assert not echoes.is_own(KEY, str(Echoes.MOST))
