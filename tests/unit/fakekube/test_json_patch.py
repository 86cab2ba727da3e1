"""JSON patches, with the peculiarities of the real server's library."""

import pytest

from fakekube.patch import json_patch
from fakekube.patch.json_patch import COPIED_BYTES_MAX
from fakekube.status import ApiError


def op(kind, path, *value, **more):
    return {"op": kind, "path": path, **({"value": value[0]} if value else {}), **more}


APPLICABLE = [
    ({"a": 1}, op("add", "/b", 2), {"a": 1, "b": 2}),
    ({"a": [1, 3]}, op("add", "/a/1", 2), {"a": [1, 2, 3]}),
    ({"a": [1]}, op("add", "/a/-", 2), {"a": [1, 2]}),
    ({"a": [1]}, op("add", "/a/-1", 2), {"a": [1, 2]}),
    ({"a": [1, 2]}, op("remove", "/a/-1"), {"a": [1]}),
    ({"a": {"b/c~d": 1}}, op("remove", "/a/b~1c~0d"), {"a": {}}),
    ({"a": 1}, op("replace", "/a", 2), {"a": 2}),
    # The library of the real server replaces what is not there.
    ({"a": 1}, op("replace", "/b", 2), {"a": 1, "b": 2}),
    ({"a": 1}, op("replace", "", {"b": 2}), {"b": 2}),
    ({"a": {"b": 1}, "c": {}}, op("move", "/c/d", **{"from": "/a/b"}), {"a": {}, "c": {"d": 1}}),
    ({"a": [1]}, op("copy", "/b", **{"from": "/a"}), {"a": [1], "b": [1]}),
    ({"a": 1}, op("copy", "/b", **{"from": "/none"}), {"a": 1, "b": None}),
    ({"a": {"b": [1, {"c": None}]}}, op("test", "/a", {"b": [1, {"c": None}]}), None),
    ({"a": 1}, op("test", "/none", None), None),
    ({"a": 1}, op("test", "/none"), None),
    ({"a": 1}, op("test", "", {"a": 1}), None),
    ({"a": 1}, op("add", "ignored/b", 2), {"a": 1, "b": 2}),
    ({"a": 1}, op("add", "/b"), {"a": 1, "b": None}),
]
INAPPLICABLE = [
    op("test", "/a", 2),
    op("test", "/a", 1.0),
    op("test", "/a", bool(1)),
    op("test", "/a"),
    op("test", "/l/0", 9),
    op("remove", "/none"),
    op("remove", "/l/3"),
    op("remove", "/l/x"),
    op("remove", ""),
    op("add", "/none/b", 1),
    op("add", "/a/b", 1),
    op("add", "", {}),
    op("add", "/l/4", 1),
    op("add", "/l/-5", 1),
    op("replace", "/l/2", 1),
    op("replace", "", None),
    op("move", "/b"),
    op("move", "/b", **{"from": "/none"}),
    op("wrong", "/a"),
    {"op": "add"},
    {"path": "/a"},
]


@pytest.mark.parametrize(("old", "operation", "new"), APPLICABLE)
def test_an_operation_changes_the_object(old, operation, new):
    assert json_patch(old, [operation]) == (old if new is None else new)


@pytest.mark.parametrize("operation", INAPPLICABLE, ids=str)
def test_an_operation_that_does_not_apply_is_refused(operation):
    with pytest.raises(ApiError) as refusal:
        json_patch({"a": 1, "l": [1, 2]}, [operation])
    assert (refusal.value.code, refusal.value.reason) == (422, "Invalid")
    assert refusal.value.message == "the server rejected our request due to an error in our request"


def test_an_operation_that_fails_leaves_the_object_alone():
    old = {"a": {"b": [1]}}
    with pytest.raises(ApiError):
        json_patch(old, [op("add", "/a/b/-", 2), op("test", "/a", {})])
    assert old == {"a": {"b": [1]}}


@pytest.mark.parametrize(
    ("operations", "text"),
    [
        ({}, "json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp"),
        (["x"], "json: cannot unmarshal string into Go value of type handlers.jsonPatchOp"),
        (
            [{"op": 1}],
            "json: cannot unmarshal number into Go struct field jsonPatchOp.op of type string",
        ),
    ],
)
def test_what_is_no_list_of_operations_is_refused(operations, text):
    with pytest.raises(ApiError) as refusal:
        json_patch({}, operations)
    assert (refusal.value.code, refusal.value.message) == (400, f"error decoding patch: {text}")


def test_ten_thousand_operations_are_the_most():
    json_patch({}, [op("add", "/a", 1)] * 10_000)
    with pytest.raises(ApiError) as refusal:
        json_patch({}, [op("add", "/a", 1)] * 10_001)
    assert refusal.value.code == 413
    assert refusal.value.message.endswith("in a JSON patch is 10000, got 10001")


def test_a_patch_cannot_copy_without_end():
    double = [op("copy", "/a/-", **{"from": "/a"})] * 40
    with pytest.raises(ApiError) as refusal:
        json_patch({"a": ["x" * 1000]}, double)
    assert refusal.value.code == 422
    assert COPIED_BYTES_MAX == 3 * 1024 * 1024
