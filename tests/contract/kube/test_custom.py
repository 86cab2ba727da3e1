"""Custom resources: registration, versions, status, scale, and their end."""

import itertools

import pytest

from tests.contract.kube.client import MERGE, STRATEGIC, eventually

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_numbers = itertools.count()


def definition(group, plural="widgets", kind="Widget", **more):
    number = {"type": "integer"}
    schema = {
        "type": "object",
        "properties": {
            "spec": {
                "type": "object",
                "properties": {
                    "size": {"type": "string", "default": "m"},
                    "replicas": number,
                },
            },
            "status": {
                "type": "object",
                "properties": {
                    "phase": {"type": "string"},
                    "replicas": number,
                    "selector": {"type": "string"},
                },
            },
        },
    }
    scale = {
        "specReplicasPath": ".spec.replicas",
        "statusReplicasPath": ".status.replicas",
        "labelSelectorPath": ".status.selector",
    }
    versions = [
        {
            "name": name,
            "served": True,
            "storage": name == "v1",
            "schema": {"openAPIV3Schema": schema},
            "subresources": {"status": {}, "scale": scale},
        }
        for name in ("v1beta1", "v1")
    ]
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"plural": plural, "kind": kind},
            "versions": versions,
            **more,
        },
    }


def is_established(kube, name):
    rows = kube.must("GET", f"{DEFINITIONS}/{name}")["status"].get("conditions") or ()
    return any(row["type"] == "Established" and row["status"] == "True" for row in rows)


@pytest.fixture
def group(kube):
    """Return a group with a new kind, which goes at the end."""
    name = f"g{next(_numbers)}.example.com"
    kube.must("POST", DEFINITIONS, definition(name))
    eventually(lambda: is_established(kube, f"widgets.{name}"))
    eventually(lambda: kube.ask("GET", f"/apis/{name}/v1/widgets").code == 200)
    yield name
    kube.ask("DELETE", f"{DEFINITIONS}/widgets.{name}")


@pytest.fixture
def widgets(group, namespace):
    return f"/apis/{group}/v1/namespaces/{namespace}/widgets"


@pytest.fixture
def widget(group):
    def make(name, spec=None, **more):
        found = {"apiVersion": f"{group}/v1", "kind": "Widget", "metadata": {"name": name}}
        return {**found, "spec": spec or {}, **more}

    return make


def test_a_definition_gets_its_conditions(kube, group):
    found = kube.must("GET", f"{DEFINITIONS}/widgets.{group}")
    rows = {row["type"]: row for row in found["status"]["conditions"]}
    assert rows["NamesAccepted"]["reason"] == "NoConflicts"
    assert rows["Established"]["reason"] == "InitialNamesAccepted"
    assert found["status"]["acceptedNames"] == {
        "plural": "widgets",
        "singular": "widget",
        "kind": "Widget",
        "listKind": "WidgetList",
    }
    assert found["status"]["storedVersions"] == ["v1"]


def test_an_object_is_defaulted_and_pruned(kube, widgets, widget):
    answer = kube.ask("POST", widgets, widget("one", {"colour": "red"}, status={"phase": "x"}))
    assert answer.code == 201
    assert answer.warnings == ['299 - "unknown field \\"spec.colour\\""']
    obj = answer.body
    assert obj["spec"] == {"size": "m"}
    assert "status" not in obj
    assert obj["metadata"]["generation"] == 1


def test_the_generation_counts_changes_of_the_spec(kube, widgets, widget):
    kube.must("POST", widgets, widget("one"))
    path = f"{widgets}/one"
    labelled = kube.must("PATCH", path, {"metadata": {"labels": {"a": "b"}}})
    assert labelled["metadata"]["generation"] == 1
    changed = kube.must("PATCH", path, {"spec": {"size": "l"}})
    assert changed["metadata"]["generation"] == 2
    reported = kube.must("PATCH", f"{path}/status", {"status": {"phase": "on"}})
    assert reported["metadata"]["generation"] == 2


def test_spec_and_status_are_written_apart(kube, widgets, widget):
    kube.must("POST", widgets, widget("one"))
    path = f"{widgets}/one"
    body = {"spec": {"size": "s"}, "status": {"phase": "on"}, "metadata": {"labels": {"a": "b"}}}
    found = kube.must("PATCH", f"{path}/status", body)
    assert (found["spec"]["size"], found["status"]) == ("m", {"phase": "on"})
    assert "labels" not in found["metadata"]
    found = kube.must("PATCH", path, {"spec": {"size": "s"}, "status": {"phase": "off"}})
    assert (found["spec"]["size"], found["status"]) == ("s", {"phase": "on"})


def test_an_update_needs_a_version(kube, widgets, widget):
    kube.must("POST", widgets, widget("one"))
    problem = kube.refused("PUT", f"{widgets}/one", widget("one"))
    assert problem["code"] == 422
    assert problem["message"].endswith("must be specified for an update")


def test_a_wrong_type_is_refused(kube, group, widgets, widget):
    problem = kube.refused("POST", widgets, widget("one", {"size": 1}))
    assert (problem["code"], problem["reason"]) == (422, "Invalid")
    assert problem["details"]["group"] == group
    assert problem["details"]["causes"] == [
        {
            "reason": "FieldValueTypeInvalid",
            "message": 'Invalid value: "integer": spec.size in body must be of type string: '
            '"integer"',
            "field": "spec.size",
        }
    ]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"kind": "Other"}, 422),
        ({"apiVersion": "other.example.com/v1"}, 400),
        ({"kind": None}, 400),
        ({"metadata": {}}, 422),
    ],
)
def test_the_wrong_object_is_refused(kube, widgets, widget, change, code):
    assert kube.refused("POST", widgets, {**widget("one"), **change})["code"] == code


def test_custom_resources_take_no_strategic_patch(kube, widgets, widget):
    kube.must("POST", widgets, widget("one"))
    assert kube.refused("PATCH", f"{widgets}/one", {}, media=STRATEGIC)["code"] == 415


def test_one_object_in_two_versions(kube, group, widgets, widget):
    kube.must("POST", widgets, widget("one"))
    other = widgets.replace("/v1/", "/v1beta1/")
    found = kube.must("GET", f"{other}/one")
    assert found["apiVersion"] == f"{group}/v1beta1"
    assert kube.must("GET", other)["items"][0]["apiVersion"] == f"{group}/v1beta1"
    with kube.watch(other) as events:
        assert next(events)["object"]["apiVersion"] == f"{group}/v1beta1"
        kube.must("PATCH", f"{other}/one", {"spec": {"size": "xl"}})
        assert next(events)["object"]["spec"] == {"size": "xl"}
    assert kube.must("GET", f"{widgets}/one")["spec"] == {"size": "xl"}


def test_replicas_are_read_and_set_by_scale(kube, widgets, widget):
    kube.must("POST", widgets, widget("one"))
    path = f"{widgets}/one/scale"
    assert kube.refused("GET", path)["code"] == 500
    changed = kube.must("PATCH", path, {"spec": {"replicas": 3}}, media=MERGE)
    assert (changed["kind"], changed["spec"]) == ("Scale", {"replicas": 3})
    kube.must("PATCH", f"{widgets}/one/status", {"status": {"replicas": 2, "selector": "a=b"}})
    scale = kube.must("GET", path)
    assert scale["status"] == {"replicas": 2, "selector": "a=b"}
    kube.must("PUT", path, {**scale, "spec": {"replicas": 5}})
    assert kube.must("GET", f"{widgets}/one")["spec"]["replicas"] == 5
    assert kube.refused("PATCH", path, {"spec": {"replicas": -1}})["code"] == 422


def test_the_group_is_discovered_and_forgotten(kube, group):
    eventually(lambda: kube.ask("GET", f"/apis/{group}/v1").code == 200)
    listed = kube.must("GET", f"/apis/{group}/v1")["resources"]
    assert {row["name"] for row in listed} == {"widgets", "widgets/status", "widgets/scale"}
    kube.must("DELETE", f"{DEFINITIONS}/widgets.{group}")
    eventually(lambda: kube.ask("GET", f"/apis/{group}/v1/widgets").code == 404)
    eventually(lambda: kube.ask("GET", f"/apis/{group}").code == 404)


def test_a_definition_takes_its_objects_along(kube, group, widgets, widget):
    body = widget("one")
    body["metadata"]["finalizers"] = ["example.com/a"]
    kube.must("POST", widgets, body)
    marked = kube.must("DELETE", f"{DEFINITIONS}/widgets.{group}")
    assert marked["metadata"]["finalizers"] == ["customresourcecleanup.apiextensions.k8s.io"]
    eventually(lambda: kube.must("GET", f"{widgets}/one")["metadata"].get("deletionTimestamp"))
    assert kube.refused("POST", widgets, widget("two"))["code"] == 403
    kube.must("PATCH", f"{widgets}/one", {"metadata": {"finalizers": None}})
    eventually(lambda: not kube.has(f"{DEFINITIONS}/widgets.{group}"))


def test_a_changed_schema_holds_for_what_there_is(kube, group, widgets, widget):
    kube.must("POST", widgets, widget("one"))
    changed = definition(group)
    for version in changed["spec"]["versions"]:
        spec = version["schema"]["openAPIV3Schema"]["properties"]["spec"]
        spec["properties"]["colour"] = {"type": "string", "default": "blue"}
    kube.must("PATCH", f"{DEFINITIONS}/widgets.{group}", {"spec": changed["spec"]})
    eventually(lambda: kube.must("GET", f"{widgets}/one")["spec"].get("colour") == "blue")


def test_a_name_that_is_taken_is_not_accepted(kube, group):
    body = definition(group, plural="gadgets")
    name = body["metadata"]["name"]
    kube.must("POST", DEFINITIONS, body)

    def rows():
        found = kube.must("GET", f"{DEFINITIONS}/{name}")["status"].get("conditions") or ()
        return {row["type"]: (row["status"], row["reason"], row["message"]) for row in found}

    eventually(lambda: len(rows()) == 2)
    assert rows() == {
        "NamesAccepted": ("False", "ListKindConflict", '"WidgetList" is already in use'),
        "Established": ("False", "NotAccepted", "not all names are accepted"),
    }
    kube.must("DELETE", f"{DEFINITIONS}/widgets.{group}")
    eventually(lambda: is_established(kube, name))
    kube.must("DELETE", f"{DEFINITIONS}/{name}")


def test_a_deprecated_version_warns(kube, group, widgets):
    body = definition(group)
    body["spec"]["versions"][0] |= {"deprecated": True}
    kube.must("PATCH", f"{DEFINITIONS}/widgets.{group}", {"spec": body["spec"]})
    old = widgets.replace("/v1/", "/v1beta1/")
    text = f'299 - "{group}/v1beta1 Widget is deprecated; use {group}/v1 Widget"'
    eventually(lambda: kube.ask("GET", old).warnings == [text])
    assert kube.ask("GET", widgets).warnings == []


def test_a_watch_of_a_kind_that_goes_ends(kube, group, widgets, widget):
    kube.must("POST", widgets, widget("one"))
    with kube.watch(widgets) as events:
        kube.must("DELETE", f"{DEFINITIONS}/widgets.{group}")
        types = [next(events)["type"] for _ in range(2)]
    assert types == ["ADDED", "DELETED"]
