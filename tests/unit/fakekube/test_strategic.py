"""Strategic merge patches of a Pod, with all their directives."""

import copy

import pytest

from fakekube.patch import strategic_merge
from fakekube.status import ApiError


def pod(**spec):
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {}, "spec": spec}


def merged(old, patch):
    return strategic_merge(pod(**old), {"spec": patch}, "Pod")["spec"]


A, B, C = ({"name": name, "image": name} for name in "abc")
CASES = {
    "items are merged by key": (
        {"containers": [A, B]},
        {"containers": [{"name": "b", "image": "x"}]},
        {"containers": [A, {"name": "b", "image": "x"}]},
    ),
    "a new item is added in the order of the patch": (
        {"containers": [A]},
        {"containers": [C, {"name": "a", "image": "y"}]},
        {"containers": [C, {"name": "a", "image": "y"}]},
    ),
    "an item is deleted": (
        {"containers": [A, B]},
        {"containers": [{"name": "a", "$patch": "delete"}]},
        {"containers": [B]},
    ),
    "a list is replaced": (
        {"containers": [A, B]},
        {"containers": [C, {"$patch": "replace"}]},
        {"containers": [C]},
    ),
    "a map is replaced": (
        {"nodeSelector": {"a": "b"}},
        {"nodeSelector": {"$patch": "replace", "c": "d"}},
        {"nodeSelector": {"c": "d"}},
    ),
    "a map is deleted": (
        {"securityContext": {"runAsUser": 1}},
        {"securityContext": {"$patch": "delete"}},
        {"securityContext": {}},
    ),
    "an atomic list is replaced": (
        {"tolerations": [{"key": "a"}]},
        {"tolerations": [{"key": "b"}]},
        {"tolerations": [{"key": "b"}]},
    ),
    "the order is set": (
        {"containers": [A, B, C]},
        {"$setElementOrder/containers": [{"name": "c"}, {"name": "a"}]},
        {"containers": [B, C, A]},
    ),
    "order and change come together": (
        {"containers": [A, B]},
        {
            "$setElementOrder/containers": [{"name": "c"}, {"name": "b"}, {"name": "a"}],
            "containers": [C],
        },
        {"containers": [C, B, A]},
    ),
    "other keys are dropped": (
        {"volumes": [{"name": "v", "emptyDir": {}}]},
        {
            "volumes": [
                {"name": "v", "$retainKeys": ["name", "secret"], "secret": {"optional": True}}
            ]
        },
        {"volumes": [{"name": "v", "secret": {"optional": True}}]},
    ),
    "a null removes": ({"hostname": "x", "nodeName": "y"}, {"hostname": None}, {"nodeName": "y"}),
    "a directive in what is new vanishes": (
        {},
        {"containers": [A, {"name": "z", "$patch": "delete"}], "securityContext": {"a": None}},
        {"containers": [A], "securityContext": {}},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_strategic_merge_patch(name):
    old, patch, new = copy.deepcopy(CASES[name])
    assert merged(old, patch) == new


def test_items_of_a_set_are_added_and_deleted():
    obj = pod() | {"metadata": {"finalizers": ["a", "b"]}}
    more = strategic_merge(obj, {"metadata": {"finalizers": ["c", "a"]}}, "Pod")
    assert sorted(more["metadata"]["finalizers"]) == ["a", "b", "c"]
    less = {"metadata": {"$deleteFromPrimitiveList/finalizers": ["a"]}}
    assert strategic_merge(obj, less, "Pod")["metadata"]["finalizers"] == ["b"]


REFUSED = [
    ({"spec": {"$retainKeys": ["a"], "b": 1}}, 400, "invalid patch format of retainKeys"),
    ({"spec": {"$retainKeys": "a"}}, 400, "invalid patch format of retainKeys"),
    (
        {"spec": {"$deleteFromPrimitiveListx": []}},
        400,
        "invalid patch format of primitive list",
    ),
    (
        {"spec": {"$setElementOrderx": []}},
        400,
        "invalid patch format of setElementOrder list",
    ),
    (
        {"spec": {"containers": [{"image": "x"}]}},
        500,
        "map: map[image:x] does not contain declared merge key: name",
    ),
    (
        {"spec": {"containers": [{"name": "a", "$patch": "merge"}]}},
        500,
        "merging lists cannot yet be specified in the patch",
    ),
    ({"spec": {"$patch": "odd"}}, 500, "unknown patch type: odd in map: map[$patch:odd]"),
    (
        {"spec": {"containers": ["a"]}},
        500,
        "list element types are not identical: [[map[image:a name:a]] [a]]",
    ),
    (
        {"spec": {"$setElementOrder/containers": [{"name": "b"}], "containers": [A]}},
        500,
        (
            "The order in patch list:\n[map[image:a name:a]]\n "
            "doesn't match $setElementOrder list:\n[map[name:b]]\n"
        ),
    ),
    ([], 400, "json: cannot unmarshal array into Go value of type map[string]interface {}"),
]


@pytest.mark.parametrize(("patch", "code", "message"), REFUSED)
def test_a_patch_that_makes_no_sense_is_refused(patch, code, message):
    with pytest.raises(ApiError) as refusal:
        strategic_merge(pod(containers=[A]), copy.deepcopy(patch), "Pod")
    assert (refusal.value.code, refusal.value.message) == (code, message)


def test_neither_object_nor_patch_is_changed():
    obj = pod(containers=[copy.deepcopy(A)])
    patch = {
        "spec": {"containers": [{"name": "a", "image": "x", "$retainKeys": ["name", "image"]}]}
    }
    before = copy.deepcopy((obj, patch))
    strategic_merge(obj, patch, "Pod")
    assert (obj, patch) == before
