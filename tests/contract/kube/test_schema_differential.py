"""Random objects of Cluster API's own schemas: fakekube says what a real server says."""

import copy
import http.client
import json
import ssl
import time
from urllib import parse

import hypothesis
import pytest
import yaml
from hypothesis import strategies as st

from fakekube import crd_rules
from fakekube.schema import Structural
from tests.contract.kube import random_objects
from tools import modules

pytestmark = pytest.mark.tools("etcd", "kube-apiserver", "kube-controller-manager")

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
ESTABLISHED_WITHIN_S = 60  # Usually 3 s; the rest is for a machine that is busy.


class Server:
    """The real server, over one connection."""

    def __init__(self, plane):
        trust = ssl.create_default_context(cafile=plane.ca)
        trust.load_cert_chain(plane.client_certificate, plane.client_key)
        where = parse.urlsplit(plane.url)
        self.connection = http.client.HTTPSConnection(where.hostname, where.port, context=trust)

    def call(self, method, path, body=None):
        content = None if body is None else json.dumps(body)
        headers = {"Content-Type": "application/json"}
        self.connection.request(method, path, body=content, headers=headers)
        answer = self.connection.getresponse()
        raw = answer.read()
        return answer.status, json.loads(raw) if raw.startswith(b"{") else {}


def definitions():
    """Make a definition of the newest version of each of Cluster API's own.

    So no version is converted to another, and the status is checked with the rest.
    """
    made = []
    for path in sorted(modules.source("cluster-api").glob("**/config/crd/bases/*.yaml")):
        if {"test", "cmd"} & set(path.parts):
            continue
        definition = yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)
        spec = definition["spec"]
        # A group of its own, because other tests install the original.
        spec["group"] = f"differential.{spec['group']}"
        spec["versions"] = [each for each in spec["versions"] if each["storage"]]
        spec["versions"][0].pop("subresources", None)
        definition["metadata"] = {"name": f"{spec['names']['plural']}.{spec['group']}"}
        made.append(definition)
    return made


@pytest.fixture(scope="module")
def known():
    return definitions()


@pytest.fixture(scope="module")
def server(control_plane, known):
    server = Server(control_plane)
    try:
        for definition in known:
            code, answer = server.call("POST", DEFINITIONS, definition)
            assert code in {201, 409}, answer
        until = time.monotonic() + ESTABLISHED_WITHIN_S
        while any(server.call("GET", collection(each))[0] != 200 for each in known):
            assert time.monotonic() < until, "A definition is not served."
        yield server
    finally:
        server.connection.close()


@pytest.fixture(scope="module")
def schemas(known):
    return [Structural(each["spec"]["versions"][0]["schema"]["openAPIV3Schema"]) for each in known]


def collection(definition):
    spec = definition["spec"]
    namespace = "/namespaces/default" if spec["scope"] == "Namespaced" else ""
    version = spec["versions"][0]["name"]
    return f"/apis/{spec['group']}/{version}{namespace}/{spec['names']['plural']}"


def said(answer):
    causes = answer.get("details", {}).get("causes", [])
    return {(each.get("field", ""), each["reason"], each["message"]) for each in causes}


def own(schema, obj):
    """Do what fakekube does, and return the object and what is wrong with it."""
    obj = copy.deepcopy(obj)
    schema.prune(obj)
    schema.default(obj)
    found = {(each.field, each.reason, each.message) for each in schema.validate(obj)}
    return {name: value for name, value in obj.items() if name != "metadata"}, found


@hypothesis.settings(max_examples=300, suppress_health_check=list(hypothesis.HealthCheck))
@hypothesis.given(
    seed=st.integers(0, 2**32),
    kind=st.integers(0, 2**16),
    wrong=st.sampled_from([0, 0.003, 0.02, 0.1]),
)
def test_both_servers_say_the_same_of_any_object(server, known, schemas, seed, kind, wrong):
    definition, schema = known[kind % len(known)], schemas[kind % len(known)]
    spec = definition["spec"]
    obj = random_objects.Maker(seed, wrong).resource(
        schema.schema, spec["group"], spec["versions"][0]["name"], spec["names"]["kind"], "any"
    )
    if spec["scope"] != "Namespaced":
        del obj["metadata"]["namespace"]
    code, answer = server.call("POST", f"{collection(definition)}?dryRun=All", obj)
    made, found = own(schema, obj)
    assert code in {201, 422}, answer
    assert found == (said(answer) if code == 422 else set())
    if code == 201:
        assert made == {name: value for name, value in answer.items() if name != "metadata"}


def test_cluster_apis_definitions_are_right(known):
    for definition in known:
        mine = copy.deepcopy(definition)
        crd_rules.complete(mine)
        assert crd_rules.check_definition(mine) == [], mine["metadata"]["name"]


SCHEMAS = {
    "an array without items": {"type": "array"},
    "no type": {"description": "x"},
    "a type inside of anyOf": {"type": "string", "anyOf": [{"type": "string"}]},
    "a default of a wrong type": {"type": "string", "default": 1},
    "a pattern that is none": {"type": "string", "pattern": "[a"},
    "unique items": {"type": "array", "uniqueItems": True, "items": {"type": "string"}},
    "a map without keys": {
        "type": "array",
        "x-kubernetes-list-type": "map",
        "items": {"type": "object", "properties": {"k": {"type": "string"}}},
    },
    "a rule with an unknown field": {
        "type": "object",
        "properties": {"a": {"type": "string", "maxLength": 5}},
        "x-kubernetes-validations": [{"rule": "self.b == 1"}],
    },
    "a rule without a truth": {
        "type": "string",
        "maxLength": 5,
        "x-kubernetes-validations": [{"rule": "self + 'a'"}],
    },
    "a rule that is right": {
        "type": "array",
        "maxItems": 5,
        "items": {"type": "string", "maxLength": 5},
        "x-kubernetes-validations": [{"rule": "self.all(i, v, v.size() > i)"}],
    },
}


@pytest.mark.parametrize("name", SCHEMAS)
def test_both_servers_say_the_same_of_a_definition(server, name):
    root = {"type": "object", "properties": {"spec": SCHEMAS[name]}}
    version = {"name": "v1", "served": True, "storage": True}
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "things.differential.example.com"},
        "spec": {
            "group": "differential.example.com",
            "scope": "Namespaced",
            "names": {"plural": "things", "kind": "Thing"},
            "versions": [version | {"schema": {"openAPIV3Schema": root}}],
        },
    }
    code, answer = server.call("POST", f"{DEFINITIONS}?dryRun=All", definition)
    mine = copy.deepcopy(definition)
    crd_rules.complete(mine)
    found = {(e.field, e.reason, e.message) for e in crd_rules.check_definition(mine)}
    assert found == (said(answer) if code == 422 else set())
