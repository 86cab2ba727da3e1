"""Lists and watches: selectors, pages, versions, bookmarks."""

import itertools

import pytest

from tests.contract.kube.client import config_map


@pytest.fixture
def five(kube, maps):
    """Make five objects; those with an even number have the label ``even``."""
    for number in range(5):
        labels = {"number": str(number)} | ({"even": "yes"} if number % 2 == 0 else {})
        kube.must("POST", maps, config_map(f"n{number}", labels=labels))
    return maps


def names(found):
    return [each["metadata"]["name"] for each in found["items"]]


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("even", "024"),
        ("!even", "13"),
        ("even=yes", "024"),
        ("even==yes,number!=2", "04"),
        ("number in (1, 3)", "13"),
        ("number notin (1,3)", "024"),
        ("number>2", "34"),
        ("number<2,even", "0"),
        ("none", ""),
    ],
)
def test_labels_select(kube, five, selector, expected):
    found = names(kube.must("GET", five, labelSelector=selector))
    assert found == [f"n{number}" for number in expected]


@pytest.mark.parametrize(
    "selector", ["a b", "a in b", ",", "-a", "a==b!", "a=b c", "a>b", "a in (b", "a,,b"]
)
def test_bad_label_selectors_are_refused(kube, maps, selector):
    assert kube.refused("GET", maps, labelSelector=selector)["code"] == 400


def test_fields_select(kube, five):
    assert names(kube.must("GET", five, fieldSelector="metadata.name=n1")) == ["n1"]
    found = names(kube.must("GET", five, fieldSelector="metadata.name!=n1,metadata.name!=n2"))
    assert found == ["n0", "n3", "n4"]
    for selector in ("foo=bar", "foo"):
        assert kube.refused("GET", five, fieldSelector=selector)["code"] == 400


def test_pages_are_of_one_moment(kube, five):
    first = kube.must("GET", five, limit=2)
    assert names(first) == ["n0", "n1"]
    assert first["metadata"]["remainingItemCount"] == 3
    kube.must("DELETE", f"{five}/n3")
    kube.must("POST", five, config_map("n2b"))
    second = kube.must("GET", five, limit=2, **{"continue": first["metadata"]["continue"]})
    assert names(second) == ["n2", "n3"]
    assert second["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]
    last = kube.must("GET", five, limit=2, **{"continue": second["metadata"]["continue"]})
    assert names(last) == ["n4"]
    assert not last["metadata"].get("continue")


def test_a_list_can_be_of_an_exact_version(kube, five):
    rv = kube.must("GET", five)["metadata"]["resourceVersion"]
    kube.must("DELETE", f"{five}/n0")
    exact = {"resourceVersion": rv, "resourceVersionMatch": "Exact"}
    assert len(kube.must("GET", five, **exact)["items"]) == 5
    newer = {"resourceVersion": rv, "resourceVersionMatch": "NotOlderThan"}
    assert len(kube.must("GET", five, **newer)["items"]) == 4


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"limit": "x"}, 400),
        ({"limit": 10**30}, 400),
        ({"resourceVersion": 10**30}, 400),
        ({"resourceVersion": "x"}, 400),
        ({"continue": "abc"}, 400),
        ({"resourceVersion": 10**9}, 504),
        ({"resourceVersionMatch": "Exact"}, 422),
        ({"resourceVersion": "0", "resourceVersionMatch": "Exact"}, 422),
        ({"resourceVersion": "5", "resourceVersionMatch": "Newer"}, 422),
        ({"sendInitialEvents": "true"}, 422),
        ({"watch": "true", "sendInitialEvents": "true"}, 422),
        ({"watch": "true", "resourceVersionMatch": "Exact"}, 422),
        ({"watch": "true", "resourceVersion": "x"}, 500),
    ],
)
def test_bad_options_of_lists_are_refused(kube, maps, options, code):
    assert kube.refused("GET", maps, **options)["code"] == code


def test_a_watch_begins_with_what_there_is(kube, five):
    found = kube.events(five, 5)
    assert sorted(found) == [("ADDED", f"n{number}") for number in range(5)]


def test_a_watch_from_a_list_misses_nothing(kube, maps):
    rv = kube.must("GET", maps)["metadata"]["resourceVersion"]
    kube.must("POST", maps, config_map("one"))
    kube.must("PATCH", f"{maps}/one", {"data": {"a": "c"}})
    with kube.watch(maps, resourceVersion=rv) as events:
        kube.must("DELETE", f"{maps}/one")
        found = list(itertools.islice(events, 3))
    assert [each["type"] for each in found] == ["ADDED", "MODIFIED", "DELETED"]
    versions = [int(each["object"]["metadata"]["resourceVersion"]) for each in found]
    assert versions == sorted(set(versions))
    assert found[2]["object"]["data"] == {"a": "c"}


def test_objects_come_and_go_through_a_selector(kube, maps):
    kube.must("POST", maps, config_map("one"))
    rv = kube.must("GET", maps)["metadata"]["resourceVersion"]
    path = f"{maps}/one"
    with kube.watch(maps, resourceVersion=rv, labelSelector="x=y") as events:
        for labels in ({"x": "y"}, {"z": "z"}, {"x": "n"}, {"x": "y"}):
            kube.must("PATCH", path, {"metadata": {"labels": labels}})
        kube.must("DELETE", path)
        found = list(itertools.islice(events, 5))
    types = [each["type"] for each in found]
    assert types == ["ADDED", "MODIFIED", "DELETED", "ADDED", "DELETED"]
    # What leaves the selection is shown as it was while it was selected.
    assert found[2]["object"]["metadata"]["labels"] == {"x": "y", "z": "z"}


def test_initial_events_end_with_a_bookmark(kube, five):
    options = {
        "sendInitialEvents": "true",
        "resourceVersionMatch": "NotOlderThan",
        "allowWatchBookmarks": "true",
    }
    with kube.watch(five, **options) as events:
        found = list(itertools.islice(events, 6))
        kube.must("POST", five, config_map("later"))
        after = next(event for event in events if event["type"] != "BOOKMARK")
    assert [each["type"] for each in found] == ["ADDED"] * 5 + ["BOOKMARK"]
    mine = found[-1]["object"]["metadata"]
    assert mine["annotations"] == {"k8s.io/initial-events-end": "true"}
    assert int(mine["resourceVersion"]) > 0
    assert found[-1]["object"]["kind"] == "ConfigMap"
    assert (after["type"], after["object"]["metadata"]["name"]) == ("ADDED", "later")


def test_a_watch_ends_after_its_time(kube, maps):
    with kube.watch(maps, timeoutSeconds=1) as events:
        assert list(events) == []


def test_a_watch_of_one_name_sees_only_that(kube, five):
    with kube.watch(five, fieldSelector="metadata.name=n1") as events:
        assert next(events)["object"]["metadata"]["name"] == "n1"
        kube.must("PATCH", f"{five}/n2", {"data": {"x": "y"}})
        kube.must("PATCH", f"{five}/n1", {"data": {"x": "y"}})
        event = next(events)
    assert (event["type"], event["object"]["metadata"]["name"]) == ("MODIFIED", "n1")


def test_a_watch_sees_every_namespace(kube, maps):
    rv = kube.must("GET", "/api/v1/configmaps")["metadata"]["resourceVersion"]
    kube.must("POST", maps, config_map("seen-from-afar"))
    with kube.watch("/api/v1/configmaps", resourceVersion=rv) as events:
        assert any(e["object"]["metadata"]["name"] == "seen-from-afar" for e in events)
