"""Server-side apply, told as short stories about who owns what."""

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakekube.builtin import normal
from fakekube.patch import FieldManager, fields, settle, user_agent_manager
from fakekube.status import ApiError

TEXT = {"type": "string"}
SCHEMA = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "properties": {
                "text": TEXT,
                "number": {"type": "integer"},
                "map": {"type": "object", "additionalProperties": TEXT},
                "atomic": {
                    "type": "object",
                    "additionalProperties": TEXT,
                    "x-kubernetes-map-type": "atomic",
                },
                "set": {"type": "array", "items": TEXT, "x-kubernetes-list-type": "set"},
                "list": {"type": "array", "items": TEXT},
                "items": {
                    "type": "array",
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["name"],
                    "items": {"type": "object", "properties": {"name": TEXT, "value": TEXT}},
                },
            },
        },
        "status": {"type": "object", "properties": {"phase": TEXT}},
    },
}
VERSION = "x.example.com/v1"
FIRST, LATER = "2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z"


def widget(**parts):
    return {"apiVersion": VERSION, "kind": "Widget", "metadata": {"name": "w"}, **parts}


class Story:
    """A widget and what happens to it."""

    def __init__(self, schema=SCHEMA):
        self.manager = FieldManager.custom("Widget", {VERSION: schema}, has_status=True)
        self.live = None

    def apply(self, manager, spec, now=FIRST, *, force=False, **more):
        self.live = self.manager.apply(
            self.live, widget(spec=spec), manager, VERSION, now, force=force, **more
        )
        self.live["metadata"]["uid"] = "u"
        return self

    def write(self, manager, now=FIRST, subresource="", **parts):
        new = copy.deepcopy(self.live) if self.live else widget()
        new.update(parts)
        old = self.live
        self.live = self.manager.update(old, new, manager, VERSION, now, subresource=subresource)
        self.live["metadata"]["uid"] = "u"
        return self

    def owned(self):
        found = self.live["metadata"].get("managedFields", [])
        return {
            f"{entry['manager']} {entry['operation']}": [
                fields.text(path) for path in fields.paths(entry["fieldsV1"])
            ]
            for entry in found
        }

    def times(self):
        return [entry.get("time") for entry in self.live["metadata"]["managedFields"]]


def test_who_applies_owns_what_it_applies():
    story = Story().apply("ann", {"text": "x", "map": {"a": "b"}, "set": ["s"]})
    assert story.owned() == {
        "ann Apply": [".spec.text", ".spec.map.a", '.spec.set[="s"]'],
    }


def test_what_is_no_longer_applied_goes_away():
    story = Story().apply("ann", {"text": "x", "map": {"a": "b", "c": "d"}})
    story.apply("ann", {"map": {"a": "b"}})
    assert story.live["spec"] == {"map": {"a": "b"}}


def test_what_another_applies_too_stays():
    story = Story().apply("ann", {"text": "x"}).apply("bob", {"text": "x"})
    assert story.owned() == {"ann Apply": [".spec.text"], "bob Apply": [".spec.text"]}
    story.apply("ann", {})
    assert story.live["spec"] == {"text": "x"}
    story.apply("bob", {})
    assert story.live.get("spec") is None


def test_another_value_is_a_conflict():
    story = Story().apply("ann", {"text": "x", "number": 1})
    with pytest.raises(ApiError) as refusal:
        story.apply("bob", {"text": "y"})
    assert refusal.value.code == 409
    message = 'Apply failed with 1 conflict: conflict with "ann": .spec.text'
    assert refusal.value.message == message
    with pytest.raises(ApiError) as refusal:
        story.apply("bob", {"text": "y", "number": 2})
    assert refusal.value.message == (
        'Apply failed with 2 conflicts: conflicts with "ann":\n- .spec.number\n- .spec.text'
    )
    assert refusal.value.details["causes"][0] == {
        "reason": "FieldManagerConflict",
        "message": 'conflict with "ann"',
        "field": ".spec.number",
    }


def test_force_takes_the_field_away():
    story = Story().apply("ann", {"text": "x", "number": 1})
    story.apply("bob", {"text": "y"}, force=True)
    assert story.owned() == {"ann Apply": [".spec.number"], "bob Apply": [".spec.text"]}


def test_an_update_takes_what_it_changes():
    story = Story().apply("ann", {"text": "x", "number": 1})
    story.write("bob", LATER, spec={"text": "y", "number": 1})
    assert story.owned() == {"ann Apply": [".spec.number"], "bob Update": [".spec.text"]}
    assert story.times() == [FIRST, LATER]


def test_an_update_that_changes_nothing_leaves_the_managers_alone():
    story = Story().apply("ann", {"text": "x"})
    before = story.live
    story.write("bob", LATER)
    assert story.live == before


def test_an_apply_that_changes_nothing_leaves_the_time_alone():
    story = Story().apply("ann", {"text": "x"}).apply("ann", {"text": "x"}, LATER)
    assert story.times() == [FIRST]


def test_a_conflict_with_an_update_names_its_version():
    story = Story().write("bob", spec={"text": "x"}).apply("ann", {"number": 1})
    with pytest.raises(ApiError) as refusal:
        story.apply("ann", {"text": "y"})
    assert refusal.value.message.endswith(f'with "bob" using {VERSION}: .spec.text')


def test_an_untracked_object_gets_a_manager_before_the_first_apply():
    story = Story()
    story.live = widget(spec={"text": "x"})
    story.live["metadata"]["uid"] = "u"
    story.write("bob", spec={"text": "z"})
    assert story.owned() == {}
    story.apply("ann", {"number": 1})
    assert story.owned() == {
        "ann Apply": [".spec.number"],
        "before-first-apply Update": [".spec", ".spec.text"],
    }


def test_atomic_values_have_one_owner():
    story = Story().apply("ann", {"atomic": {"a": "b"}, "list": ["x"]})
    assert story.owned() == {"ann Apply": [".spec.atomic", ".spec.list"]}
    story.apply("bob", {"atomic": {"c": "d"}, "list": ["y"]}, force=True)
    assert story.live["spec"] == {"atomic": {"c": "d"}, "list": ["y"]}
    assert story.owned() == {"bob Apply": [".spec.atomic", ".spec.list"]}


def test_items_are_merged_by_their_keys():
    story = Story().apply("ann", {"items": [{"name": "a", "value": "1"}, {"name": "b"}]})
    story.apply("bob", {"items": [{"name": "c"}, {"name": "a"}]})
    names = [item["name"] for item in story.live["spec"]["items"]]
    assert sorted(names) == ["a", "b", "c"]
    assert story.live["spec"]["items"][names.index("a")] == {"name": "a", "value": "1"}
    story.apply("ann", {})
    assert sorted(item["name"] for item in story.live["spec"]["items"]) == ["a", "c"]


def test_the_status_is_no_one_s_on_the_main_resource():
    story = Story().write("ann", spec={"text": "x"}, status={"phase": "p"})
    assert story.owned() == {"ann Update": [".spec", ".spec.text"]}
    story.write("ann", subresource="status", status={"phase": "q"}, spec={"text": "y"})
    assert [entry.get("subresource") for entry in story.live["metadata"]["managedFields"]] == [
        None,
        "status",
    ]


@pytest.mark.parametrize("entries", [[], [{}]])
def test_managers_can_be_forgotten(entries):
    story = Story().apply("ann", {"text": "x"})
    metadata = {**story.live["metadata"], "managedFields": entries}
    story.write("bob", metadata=metadata)
    assert "managedFields" not in story.live["metadata"]


def test_a_client_that_does_not_know_managers_does_not_lose_them():
    story = Story().apply("ann", {"text": "x"})
    metadata = {key: value for key, value in story.live["metadata"].items() if key == "uid"}
    story.write("bob", metadata={**metadata, "name": "w", "managedFields": None})
    assert story.owned() == {"ann Apply": [".spec.text"]}


def test_a_list_that_became_atomic_is_owned_as_a_whole():
    story = Story().apply("ann", {"set": ["a"]})
    changed = json.loads(json.dumps(SCHEMA).replace('"set"}', '"atomic"}'))
    later = Story(changed)
    later.live = story.live
    later.write("bob", metadata={**later.live["metadata"], "labels": {"l": "m"}})
    assert later.owned()["ann Apply"] == [".spec.set"]


def test_managers_of_a_version_that_is_gone_are_forgotten():
    story = Story().apply("ann", {"text": "x"})
    story.live["metadata"]["managedFields"][0]["apiVersion"] = "x.example.com/v0"
    story.write("bob", spec={"text": "y"})
    assert story.owned() == {"bob Update": [".spec.text"]}


@pytest.mark.parametrize(
    ("applied", "code", "text"),
    [
        ({"kind": "Other"}, 400, "invalid object type: x.example.com/v1, Kind=Other"),
        ({"metadata": {"managedFields": []}}, 400, "metadata.managedFields must be nil"),
        (
            {"spec": {"unknown": 1}},
            500,
            (
                "failed to create typed patch object (/w; x.example.com/v1, Kind=Widget): "
                ".spec.unknown: field not declared in schema"
            ),
        ),
        (
            {"spec": {"set": ["a", "a"]}},
            500,
            (
                "failed to create typed patch object (/w; x.example.com/v1, Kind=Widget): "
                '.spec.set: duplicate entries for key [="a"]'
            ),
        ),
        (
            {"spec": {"number": "x"}},
            500,
            (
                "failed to create typed patch object (/w; x.example.com/v1, Kind=Widget): "
                ".spec.number: expected numeric (int or float), got string"
            ),
        ),
    ],
)
def test_what_cannot_be_applied_is_refused(applied, code, text):
    manager = FieldManager.custom("Widget", {VERSION: SCHEMA})
    with pytest.raises(ApiError) as refusal:
        manager.apply(None, widget(**applied), "ann", VERSION, FIRST, force=False)
    assert (refusal.value.code, refusal.value.message) == (code, text)


def test_a_built_in_kind_is_tracked_as_go_writes_it():
    manager = FieldManager.built_in("v1", "Pod")
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}}
    pod["spec"] = {"containers": [{"name": "a", "ports": [{"containerPort": 80}]}]}
    normal.complete(pod, "core.v1.Pod")
    found = manager.update(None, pod, "kubectl", "v1", FIRST)
    (entry,) = found["metadata"]["managedFields"]
    assert entry["fieldsV1"] == {
        "f:spec": {
            "f:containers": {
                'k:{"name":"a"}': {
                    ".": {},
                    "f:name": {},
                    "f:ports": {
                        ".": {},
                        'k:{"containerPort":80,"protocol":"TCP"}': {
                            ".": {},
                            "f:containerPort": {},
                        },
                    },
                    "f:resources": {},
                }
            }
        }
    }


def test_only_times_that_changed_are_taken_back():
    story = Story().apply("ann", {"text": "x"})
    old = story.live
    new = copy.deepcopy(old)
    new["metadata"]["managedFields"][0]["time"] = LATER
    assert settle(old, new) == old
    new["spec"]["text"] = "y"
    assert settle(old, new) == new


def test_objects_that_are_given_are_not_changed():
    story = Story().apply("ann", {"text": "x", "map": {"a": "b"}})
    live, applied = story.live, widget(spec={"map": {"c": "d"}})
    before = copy.deepcopy((live, applied))
    story.manager.apply(live, applied, "ann", VERSION, LATER, force=True)
    story.manager.update(live, {**live, "spec": {}}, "bob", VERSION, LATER)
    assert (live, applied) == before


@pytest.mark.parametrize(
    ("agent", "manager"),
    [
        ("kubectl/v1.34 (linux)", "kubectl"),
        ("", ""),
        ("a\x00b\x7fc", "abc"),
        ("x" * 200, "x" * 128),
    ],
)
def test_a_manager_is_named_after_its_user_agent(agent, manager):
    assert user_agent_manager(agent) == manager


KEYS = st.sampled_from(["f:a", "f:b", 'k:{"n":1}', 'v:"x"'])
SETS = st.recursive(
    st.just({}),
    lambda below: st.dictionaries(KEYS, below, min_size=1, max_size=3),
    max_leaves=8,
)


def members(names):
    return set(fields.paths(names))


@given(SETS, SETS)
def test_sets_of_fields_are_sets(one, other):
    left, right = members(one), members(other)
    assert members(fields.union(one, other)) == left | right
    assert members(fields.difference(one, other)) == left - right
    assert members(fields.intersection(one, other)) == left & right
    assert members(fields.checked(fields.union(one, other))) == left | right
    below = {path for path in left if any(path[: len(gone)] == gone for gone in right)}
    assert members(fields.without(one, other)) == left - below
