"""Every filter of every Read finds what it says, and nothing else.

A filter that is ignored shows too much, and a tool that deletes what it is shown deletes too much.
What a filter should find is told by ``filters``, which reads the document apart from fakecloud.
"""

import functools
import re

import pytest

from fakecloud.call import ACTIONS
from fakecloud.reads import filters_of
from fakecloud.store import KINDS
from tests.functional.cloud import filters, tour

CASES = [(action, name) for action in filters.FILTERED for name in filters.names_of(action)]
IDENTIFIER = re.compile(r"([a-z]+(?:-[a-z]+)?-)([0-9a-f]{8}|[0-9a-f]{32})")
DATE = re.compile(r"\d{4}-\d\d-\d\dT.*")


@functools.cache
def world_of(action):
    """Return a cloud and what an unfiltered Read shows there."""
    cloud = tour.rich()
    cloud.call("ReadRegions")  # For the logs, which are empty after a load.
    return cloud, listed(cloud, action)


def listed(cloud, action, **request):
    """Return the objects of an answer, without the calls that reading itself writes down."""
    key, _ = filters.answer_of(action)
    items = tour.read(cloud, action, **request)[key]
    if action == "ReadQuotas":
        return [
            {**quota, "QuotaType": kind["QuotaType"]} for kind in items for quota in kind["Quotas"]
        ]
    return [item for item in items if item.get("QueryCallName") != "ReadApiLogs"]


def look_of(action, name):
    """Return the function that tells which values of a filter an object has."""
    if (action, name) in filters.ELSEWHERE:
        return filters.ELSEWHERE[action, name]
    path = filters.path_of(action, name)
    if path == "Tags" and (action, name) not in filters.AS_OBJECTS:
        return lambda cloud, item: [f"{tag['Key']}={tag['Value']}" for tag in item.get("Tags", ())]
    return lambda cloud, item: filters.values(item, path)


def other_than(action, name, values):
    """Return a value like others that nothing has."""
    part = filters.BOOK.resolve(filters.names_of(action)[name]["items"])
    if "enum" in part:
        return next((value for value in part["enum"] if value not in values), None)
    if name == "QueryIpAddresses":
        return "203.0.113.99"
    value = values[0]
    if isinstance(value, dict):
        return {"Key": "no-such-key", "Value": "no-such-value"}
    if isinstance(value, int | float):
        return 999_999
    if found := IDENTIFIER.fullmatch(value):
        return found[1] + "f" * len(found[2])
    if DATE.fullmatch(value):
        return "1999-01-01T00:00:00.000Z"
    return "no-such-value"


def is_flag(action, name):
    return filters.names_of(action)[name].get("type") == "boolean"


SHOWN = [case for case in CASES if case not in filters.COMPARED and case not in filters.UNSEEN]


@pytest.mark.parametrize(("action", "name"), SHOWN, ids=[f"{a}-{n}" for a, n in SHOWN])
def test_a_filter_finds_exactly_what_has_the_value(action, name):
    cloud, items = world_of(action)
    look = look_of(action, name)
    has = [(item, look(cloud, item)) for item in items]
    values = [value for _, found in has for value in found]
    values = [value for index, value in enumerate(values) if value not in values[:index]]
    assert values, f"Nothing has a value for {name}. Add an object to tour.py."
    if is_flag(action, name):
        for wanted in (True, False):
            expected = [item for item, found in has if wanted in found]
            assert listed(cloud, action, Filters={name: wanted}) == expected
        return
    value = values[0]
    expected = [item for item, found in has if value in found]
    assert listed(cloud, action, Filters={name: [value]}) == expected
    everyone = [item for item, found in has if found]
    assert listed(cloud, action, Filters={name: values}) == everyone
    if (other := other_than(action, name, values)) is not None:
        assert listed(cloud, action, Filters={name: [other]}) == []


@pytest.mark.parametrize(
    ("action", "name"), filters.COMPARED, ids=[f"{a}-{n}" for a, n in filters.COMPARED]
)
def test_a_filter_that_compares_finds_what_passes(action, name):
    cloud, items = world_of(action)
    passes, finding, missing = filters.COMPARED[action, name]
    expected = [item for item in items if passes(item, finding)]
    assert expected
    assert listed(cloud, action, Filters={name: finding}) == expected
    if missing is not None:
        assert listed(cloud, action, Filters={name: missing}) == []


@pytest.mark.parametrize(
    ("action", "name"),
    [case for case in filters.UNSEEN if case[0] != "ReadCatalogs"],
)
def test_a_filter_whose_value_nothing_has_finds_nothing(action, name):
    cloud, _ = world_of(action)
    type_ = filters.names_of(action)[name]["items"].get("type")
    value = 999_999 if type_ == "integer" else "no-such-value"
    assert listed(cloud, action, Filters={name: [value]}) == []


def test_two_filters_find_what_passes_both():
    cloud, _ = world_of("ReadVms")
    both = {"SubnetIds": ["subnet-12345678"], "TagKeys": ["env"]}
    found = listed(cloud, "ReadVms", Filters=both)
    assert [vm["VmId"] for vm in found] == ["i-12345678"]


def test_a_wildcard_finds_what_begins_alike():
    cloud, items = world_of("ReadImages")
    expected = [item for item in items if item["ImageName"].startswith("ubuntu")]
    assert expected
    assert listed(cloud, "ReadImages", Filters={"ImageNames": ["ubuntu*"]}) == expected


def test_every_read_that_takes_filters_is_simulated_with_all_of_them():
    assert len(filters.FILTERED) == 49
    assert set(filters.FILTERED) <= set(ACTIONS)
    derived = {kind.read: name for name, kind in KINDS.items() if kind.read in filters.FILTERED}
    unknown = {
        (action, name)
        for action, kind in derived.items()
        for name, found in filters_of(action, kind).items()
        if found is None
    }
    assert unknown == set()


def test_every_listed_filter_is_one_of_the_document():
    listed_ones = {*filters.COMPARED, *filters.UNSEEN, *filters.ELSEWHERE}
    listed_ones |= {(action, name) for action, of in filters.IRREGULAR.items() for name in of}
    assert listed_ones <= set(CASES)
    assert not filters.COMPARED.keys() & filters.UNSEEN.keys()
    assert all(filters.UNSEEN.values())
