"""Create, get, update, patch: what every object can do."""

import re

import pytest

from tests.contract.kube.client import APPLY, JSON_PATCH, STRATEGIC, config_map


def test_a_new_object_has_what_the_server_fills_in(kube, maps):
    obj = kube.must("POST", maps, config_map("one"))
    mine = obj["metadata"]
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", mine["uid"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", mine["creationTimestamp"])
    assert int(mine["resourceVersion"]) > 1
    assert mine["managedFields"][0]["manager"] == "contract"
    assert kube.must("GET", f"{maps}/one") == obj


def test_a_name_is_taken_once(kube, maps):
    kube.must("POST", maps, config_map("one"))
    problem = kube.refused("POST", maps, config_map("one"))
    assert (problem["code"], problem["reason"]) == (409, "AlreadyExists")
    assert problem["message"] == 'configmaps "one" already exists'
    assert problem["details"] == {"name": "one", "kind": "configmaps"}


def test_generated_names_start_alike_and_differ(kube, maps):
    body = {"metadata": {"generateName": "gen-"}}
    names = {kube.must("POST", maps, body)["metadata"]["name"] for _ in range(5)}
    assert len(names) == 5
    assert all(re.fullmatch(r"gen-[a-z0-9]{5}", name) for name in names)


@pytest.mark.parametrize(
    ("body", "code", "text"),
    [
        ({}, 422, "name or generateName is required"),
        ({"metadata": {"name": "A"}}, 422, "a lowercase RFC 1123 subdomain must consist of"),
        ({"metadata": {"name": "a", "namespace": "b"}}, 400, "the namespace of the provided"),
        ({"metadata": {"name": "a", "labels": {"-": "x"}}}, 422, "name part must consist of"),
        ({"metadata": {"name": "a", "labels": {"x": 1}}}, 400, "cannot unmarshal number"),
        ({"metadata": {"name": "a", "finalizers": ["x"]}}, 422, "metadata.finalizers"),
        ({"metadata": {"name": "a", "resourceVersion": "3"}}, 500, "should not be set"),
        ({"kind": "Secret", "apiVersion": "v1"}, 400, "cannot be handled as a ConfigMap"),
        ({"kind": "ConfigMap", "apiVersion": "v9"}, 400, "cannot be handled as a ConfigMap"),
        ("{", 400, "unexpected end of JSON input"),
        ("[]", 400, "cannot unmarshal array"),
        ("", 400, "(<empty>)"),
    ],
)
def test_bad_objects_are_refused(kube, maps, body, code, text):
    problem = kube.refused("POST", maps, body)
    assert problem["code"] == code
    assert text in problem["message"].replace("\\u003c", "<")


def test_a_namespace_has_to_exist(kube):
    problem = kube.refused("POST", "/api/v1/namespaces/nowhere/configmaps", config_map("one"))
    assert (problem["code"], problem["message"]) == (404, 'namespaces "nowhere" not found')
    assert kube.must("GET", "/api/v1/namespaces/nowhere/configmaps")["items"] == []


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/api/v1/nothing", 404),
        ("GET", "/apis/apps/v9/deployments", 404),
        ("GET", "/api/v1/namespaces/default/configmaps/none", 404),
        ("GET", "/api/v1/namespaces/default/configmaps/none/status", 404),
        ("POST", "/api/v1/configmaps", 405),
        ("PUT", "/api/v1/namespaces/default/configmaps", 405),
        ("DELETE", "/api/v1/configmaps", 405),
    ],
)
def test_paths_that_do_not_exist_are_refused(kube, method, path, code):
    assert kube.refused(method, path, {} if method != "GET" else None)["code"] == code


def test_unknown_paths_are_no_status(kube):
    for path in ("/nothing", "/apis/none.example.com/v1/things"):
        answer = kube.ask("GET", path)
        assert (answer.code, answer.text) == (404, "404 page not found\n")


def test_an_update_of_an_old_state_conflicts(kube, maps):
    first = kube.must("POST", maps, config_map("one"))
    kube.must("PATCH", f"{maps}/one", {"data": {"a": "c"}})
    problem = kube.refused("PUT", f"{maps}/one", first)
    assert (problem["code"], problem["reason"]) == (409, "Conflict")
    assert problem["message"] == (
        'Operation cannot be fulfilled on configmaps "one": the object has been modified; '
        "please apply your changes to the latest version and try again"
    )


def test_an_update_without_a_version_overwrites(kube, maps):
    kube.must("POST", maps, config_map("one", labels={"x": "y"}))
    changed = kube.must("PUT", f"{maps}/one", config_map("one", {"b": "c"}))
    assert changed["data"] == {"b": "c"}
    assert "labels" not in changed["metadata"]


def test_an_update_of_another_uid_conflicts(kube, maps):
    kube.must("POST", maps, config_map("one"))
    problem = kube.refused("PUT", f"{maps}/one", config_map("one", uid="x"))
    assert problem["code"] == 409
    assert "Precondition failed: UID in precondition: x" in problem["message"]


def test_a_write_that_changes_nothing_is_no_event(kube, maps):
    first = kube.must("POST", maps, config_map("one"))
    again = kube.must("PUT", f"{maps}/one", first)
    patched = kube.must("PATCH", f"{maps}/one", {"data": {"a": "b"}})
    assert again["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]
    assert patched == again


def test_what_a_client_cannot_set_stays(kube, maps):
    first = kube.must("POST", maps, config_map("one"))
    body = {"metadata": {"creationTimestamp": "2020-01-01T00:00:00Z", "generation": 7}}
    mine = kube.must("PATCH", f"{maps}/one", body)["metadata"]
    assert mine["creationTimestamp"] == first["metadata"]["creationTimestamp"]
    assert "generation" not in mine
    assert kube.refused("PATCH", f"{maps}/one", {"metadata": {"uid": "x"}})["code"] == 422
    assert kube.refused("PATCH", f"{maps}/one", {"metadata": {"name": "x"}})["code"] == 400


def test_patches_of_each_type(kube, maps):
    kube.must("POST", maps, config_map("one", {"a": "1", "b": "2"}))
    path = f"{maps}/one"
    assert kube.must("PATCH", path, {"data": {"a": None}})["data"] == {"b": "2"}
    step = [{"op": "add", "path": "/data/c", "value": "3"}]
    assert kube.must("PATCH", path, step, media=JSON_PATCH)["data"] == {"b": "2", "c": "3"}
    body = {"data": {"b": None}}
    assert kube.must("PATCH", path, body, media=STRATEGIC)["data"] == {"c": "3"}
    body = config_map("one", {"d": "4"})
    found = kube.must("PATCH", path, body, media=APPLY, fieldManager="me")
    assert found["data"] == {"c": "3", "d": "4"}


def test_an_apply_takes_fields_only_by_force(kube, maps):
    body = config_map("one", {"a": "1"})
    answer = kube.ask("PATCH", f"{maps}/one", body, media=APPLY, fieldManager="first")
    assert answer.code == 201
    body = config_map("one", {"a": "2"})
    options = {"media": APPLY, "fieldManager": "second"}
    problem = kube.refused("PATCH", f"{maps}/one", body, **options)
    assert (problem["code"], problem["reason"]) == (409, "Conflict")
    assert problem["details"]["causes"][0]["field"] == ".data.a"
    forced = kube.must("PATCH", f"{maps}/one", body, force="true", **options)
    assert forced["data"] == {"a": "2"}


@pytest.mark.parametrize(
    ("media", "body", "code"),
    [
        ("application/json", "{}", 415),
        ("application/merge-patch+json", "{", 400),
        ("application/merge-patch+json", "[]", 400),
        (JSON_PATCH, "{}", 400),
        (JSON_PATCH, '[{"op": "test", "path": "/data/a", "value": "x"}]', 422),
        (JSON_PATCH, '[{"op": "remove", "path": "/data/x"}]', 422),
        (APPLY, "kind: ConfigMap", 422),
    ],
)
def test_bad_patches_are_refused(kube, maps, media, body, code):
    kube.must("POST", maps, config_map("one"))
    assert kube.refused("PATCH", f"{maps}/one", body, media=media)["code"] == code


def test_a_dry_run_leaves_no_trace(kube, maps):
    dry = {"dryRun": "All"}
    made = kube.must("POST", maps, config_map("one"), **dry)
    assert "resourceVersion" not in made["metadata"]
    assert not kube.has(f"{maps}/one")
    kube.must("POST", maps, config_map("one"))
    assert kube.must("PATCH", f"{maps}/one", {"data": {"a": "x"}}, **dry)["data"] == {"a": "x"}
    kube.must("DELETE", f"{maps}/one", **dry)
    assert kube.must("GET", f"{maps}/one")["data"] == {"a": "b"}
    assert kube.refused("POST", maps, config_map("two"), dryRun="Some")["code"] == 422


@pytest.mark.parametrize("mode", ["Strict", "Warn", "Ignore"])
def test_unknown_fields(kube, maps, mode):
    body = {**config_map("one", bar=1), "foo": 1}
    answer = kube.ask("POST", maps, body, fieldValidation=mode)
    fields = ['unknown field "metadata.bar"', 'unknown field "foo"']
    if mode == "Strict":
        assert answer.code == 400
        assert answer.body["message"].endswith(f"strict decoding error: {', '.join(fields)}")
        return
    assert answer.code == 201
    assert "foo" not in answer.body
    shown = [field.replace('"', '\\"') for field in fields]
    expected = [f'299 - "{field}"' for field in shown] if mode == "Warn" else []
    assert answer.warnings == expected


def test_yaml_goes_in_and_comes_out(kube, maps):
    body = "metadata: {name: one}\ndata: {a: 'yes'}\n"
    kube.must("POST", maps, body, media="application/yaml")
    answer = kube.ask("GET", f"{maps}/one", accept="application/yaml")
    assert 'a: "yes"' in answer.text or "a: 'yes'" in answer.text


def test_only_metadata_is_sent_when_only_that_is_wanted(kube, maps):
    kube.must("POST", maps, config_map("one"))
    accept = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
    obj = kube.must("GET", f"{maps}/one", accept=accept)
    assert (obj["kind"], obj["metadata"]["name"]) == ("PartialObjectMetadata", "one")
    assert "data" not in obj
    accept = accept.replace("Metadata;", "MetadataList;")
    assert kube.must("GET", maps, accept=accept)["kind"] == "PartialObjectMetadataList"
