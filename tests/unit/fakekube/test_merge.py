"""JSON merge patches: the standard, and what the real server makes of it."""

import pytest

from fakekube.patch import merge_patch
from fakekube.status import ApiError

CASES = [
    # From the appendix of RFC 7386; objects only, because the API has nothing else.
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    # What the library of the real server makes of nulls in lists.
    ({}, {"a": [{"b": None}, None]}, {"a": [{}, None]}),
    ({"a": {}}, {"a": [{"b": None}]}, {"a": [{"b": None}]}),
    ({"a": None}, {"a": {"b": None, "c": 1}}, {"a": {"c": 1}}),
]


@pytest.mark.parametrize(("old", "patch", "new"), CASES)
def test_a_merge_patch_does_what_the_standard_says(old, patch, new):
    assert merge_patch(old, patch) == new


def test_the_result_shares_nothing_with_the_old_object():
    old = {"a": {"b": [{"c": 1}]}}
    new = merge_patch(old, {"x": 1})
    new["a"]["b"][0]["c"] = 2
    assert old == {"a": {"b": [{"c": 1}]}}


@pytest.mark.parametrize(
    ("patch", "what"), [([], "array"), ("x", "string"), (1, "number"), (True, "bool")]
)
def test_a_patch_that_is_no_object_is_refused(patch, what):
    with pytest.raises(ApiError) as refusal:
        merge_patch({}, patch)
    assert refusal.value.code == 400
    assert refusal.value.message == (
        f"error decoding patch: json: cannot unmarshal {what} into Go value of type "
        "map[string]interface {}"
    )
