"""Discovery and OpenAPI follow the catalog; their content is compared in the contract suite."""

import json

import pytest

from fakekube import crd, discovery, kinds, openapi
from fakekube.call import Request
from fakekube.catalog import Catalog

MODERN = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


def definition(version="v1", kind="Thing"):
    obj = {
        "metadata": {"name": "things.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": {"plural": "things", "kind": kind},
            "versions": [
                {
                    "name": version,
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": {"type": "object"}},
                }
            ],
        },
    }
    crd.default(obj)
    return obj


@pytest.fixture
def catalog():
    return Catalog(kinds.resources())


def ask(server, path, **headers):
    return server.answer(Request("GET", path, headers))


def groups(server):
    body = b"".join(ask(server, "/apis", accept=MODERN).parts)
    return [each["metadata"]["name"] for each in json.loads(body)["items"]]


def test_custom_resources_come_and_go(catalog):
    server = discovery.Discovery(catalog)
    assert "example.com" not in groups(server)
    made = crd.resources(definition())
    for resource in made:
        catalog.add(resource)
    assert groups(server)[-1] == "example.com"
    for resource in made:
        catalog.remove(resource)
    assert "example.com" not in groups(server)


def test_a_tag_changes_with_the_catalog(catalog):
    server = discovery.Discovery(catalog)
    first = dict(ask(server, "/apis", accept=MODERN).headers)["ETag"]
    assert dict(ask(server, "/apis", accept=MODERN).headers)["ETag"] == first
    catalog.add(crd.resources(definition())[0])
    assert dict(ask(server, "/apis", accept=MODERN).headers)["ETag"] != first


@pytest.mark.parametrize(
    ("accept", "version"),
    [
        (MODERN, "v2"),
        (f"{MODERN},application/json", "v2"),
        (f"application/json,{MODERN}", ""),
        (MODERN.replace("v=v2", "v=v2beta1"), ""),
        ("application/json", ""),
        ("", ""),
    ],
)
def test_aggregated_discovery_is_for_those_who_ask(accept, version):
    assert discovery._aggregated(accept) == version


def test_the_document_of_a_definition_follows_it(catalog):
    server = openapi.OpenApi(catalog)
    path = "/openapi/v3/apis/example.com/v1"
    assert ask(server, path) is None
    catalog.add(crd.resources(definition())[0])
    first = ask(server, path)
    assert b"com.example.v1.Thing" in first.parts[0]
    catalog.remove(catalog.find("example.com", "v1", "things"))
    catalog.add(crd.resources(definition(kind="Other"))[0])
    second = ask(server, path)
    assert b"com.example.v1.Other" in second.parts[0]
    assert dict(first.headers)["ETag"] != dict(second.headers)["ETag"]
    assert ask(server, f"{path}?hash=OLD").status == 301


def test_other_paths_are_not_answered(catalog):
    assert ask(openapi.OpenApi(catalog), "/openapi/v2") is None
    assert ask(discovery.Discovery(catalog), "/nope") is None
