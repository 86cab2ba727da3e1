"""OpenAPI v3, side by side: schemas and paths are the same, but for the texts for people."""

import re

import pytest

from fakekube import generate
from tests.contract.kube import built_in, sides

pytestmark = pytest.mark.tools(*sides.TOOLS)
both = sides.both
LEFT_OUT = ("ComponentStatus", "ComponentCondition", "PodTemplate", "ReplicationController")
META = "io.k8s.apimachinery.pkg.apis.meta.v1.API"
DEFINITIONS = built_in.OBJECTS / "definitions.yaml"


@pytest.fixture(scope="module", autouse=True)
def _definitions(both):
    import yaml

    for client in both:
        for each in yaml.safe_load_all(DEFINITIONS.read_text()):
            client.ask("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", each)
        sides.eventually_serves(client)


@pytest.fixture(scope="module")
def places(both):
    return list(both[0].must("GET", "/openapi/v3")["paths"])


def documents(both, place):
    return [
        sides.without_descriptions(client.must("GET", f"/openapi/v3/{place}")) for client in both
    ]


def test_the_index_has_all_that_is_served(both, places):
    theirs = both[1].must("GET", "/openapi/v3")["paths"]
    assert set(places) <= set(theirs)
    missing = {each for each in theirs if re.match("apis/.+/", each)} - set(places)
    # Other tests bring groups of their own to the real server, which they share.
    groups = {each.split("/")[1] for each in missing}
    assert {group for group in groups if group.endswith(".k8s.io")} == generate.LEFT_OUT


def test_the_schemas_are_the_same(both, places):
    for place in places:
        ours, theirs = (each["components"]["schemas"] for each in documents(both, place))
        for name, schema in ours.items():
            # Kinds that belong to all groups have a long list of them on the real server.
            theirs_too = {**theirs[name]}
            if len(theirs_too.get("x-kubernetes-group-version-kind", [])) > 1:
                theirs_too["x-kubernetes-group-version-kind"] = schema[
                    "x-kubernetes-group-version-kind"
                ]
            assert not sides.differences(schema, theirs_too), name
        for name in set(theirs) - set(ours):
            is_scale = place in {"api/v1", "apis/autoscaling/v1"} and ".v1.Scale" in name
            assert is_scale or name.startswith(META) or name.split(".v1.")[1].startswith(LEFT_OUT)


def test_the_operations_are_the_same(both, places):
    for place in places:
        ours, theirs = (each["paths"] for each in documents(both, place))
        for path, item in ours.items():
            for method, operation in item.items():
                if method == "parameters":
                    continue
                other = theirs[path][method]
                keys = ("operationId", "tags", "x-kubernetes-action", "responses")
                for key in (*keys, "x-kubernetes-group-version-kind"):
                    assert operation[key] == other[key], (path, method, key)
                assert parameters(item, operation) == parameters(theirs[path], other)
                assert operation.get("requestBody", {}).get("content") == other.get(
                    "requestBody", {}
                ).get("content"), (path, method)


def parameters(item, operation):
    found = [*item.get("parameters", ()), *operation.get("parameters", ())]
    return {each["name"]: (each["in"], each["schema"]) for each in found}


def test_paths_that_are_missing_are_not_served(both, places):
    for place in places:
        ours, theirs = (each["paths"] for each in documents(both, place))
        for path in set(theirs) - set(ours):
            if "/watch/" in path or path.endswith(("/v1/", "/v2/")):
                continue
            parts = path.replace("namespaces/{namespace}/", "").split("/")
            row, part = parts[3] if parts[1] == "api" else parts[4], parts[5:6]
            assert row in generate.LEFT_OUT_RESOURCES or part[0] not in generate.SUBRESOURCES


def test_a_hash_is_answered_for_as_long_as_it_holds(both):
    for client in both:
        url = client.must("GET", "/openapi/v3")["paths"]["apis/shop.example.com/v1"][
            "serverRelativeURL"
        ]
        found = client.ask("GET", url)
        assert found.code == 200
        assert "immutable" in dict(found.headers).get("Cache-Control", "immutable")
        old = client.ask("GET", "/openapi/v3/apis/shop.example.com/v1?hash=OLD")
        assert old.code == 301


def test_only_the_real_server_has_the_second_version(both):
    ours, theirs = (client.ask("GET", "/openapi/v2").code for client in both)
    assert (ours, theirs) == (404, 200)


def test_only_the_real_server_describes_built_in_fields(both):
    ours, theirs = (client.ask("GET", "/openapi/v3/apis/apps/v1").text for client in both)
    assert '"description"' not in ours
    assert '"description"' in theirs
