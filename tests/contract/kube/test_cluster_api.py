"""Cluster API's own kinds: both servers install them, and accept and refuse the same objects."""

import json

import pytest

from tests.contract.kube import cluster_api
from tests.contract.kube.client import JSON_PATCH, eventually
from tests.contract.kube.sides import TOOLS, both, differences, normal  # noqa: F401 - a fixture
from tests.contract.kube.test_custom import DEFINITIONS, is_established

KINDS = sorted(cluster_api.SPECS)
WITHIN_S = 60.0
pytestmark = pytest.mark.tools(*TOOLS)


class Line:
    """One kept connection to a server: a case asks hundreds of questions."""

    def __init__(self, client):
        self._connection = client.connect(timeout=WITHIN_S)

    def ask(self, method, path, body):
        headers = {"Content-Type": JSON_PATCH if method == "PATCH" else "application/json"}
        self._connection.request(method, path, json.dumps(body), headers)
        answer = self._connection.getresponse()
        return answer.status, json.loads(answer.read())

    def close(self):
        self._connection.close()


@pytest.fixture(scope="module")
def known():
    return {each["spec"]["names"]["kind"]: each for each in cluster_api.definitions()}


@pytest.fixture(scope="module")
def installed(both, known):  # noqa: F811 - the fixture above
    """Return both clients, with all definitions established and served."""
    for client in both:
        for definition in known.values():
            assert client.ask("POST", DEFINITIONS, definition).code in {201, 409}
    for client in both:
        for definition in known.values():
            name = definition["metadata"]["name"]
            eventually(lambda c=client, n=name: is_established(c, n), WITHIN_S)
            path = collection(definition)
            eventually(lambda c=client, p=path: c.ask("GET", p).code == 200, WITHIN_S)
    yield both
    for client in both:
        for definition in known.values():
            client.ask("DELETE", f"{DEFINITIONS}/{definition['metadata']['name']}")


@pytest.fixture(scope="module")
def lines(installed):
    made = [Line(client) for client in installed]
    yield made
    for line in made:
        line.close()


def collection(definition):
    spec = definition["spec"]
    namespace = "/namespaces/default" if spec["scope"] == "Namespaced" else ""
    version = cluster_api.stored(definition)["name"]
    return f"/apis/{spec['group']}/{version}{namespace}/{spec['names']['plural']}"


def verdict(answer):
    """Return what a server says of an object: code, reason, and of what it complains where."""
    code, body = answer
    if code < 300:
        return code, {key: value for key, value in body.items() if key != "metadata"}
    causes = body.get("details", {}).get("causes", [])
    found = {(each.get("field", ""), each["reason"]) for each in causes}
    return code, body["reason"], sorted(found)


def test_each_kind_has_an_object(known):
    assert sorted(known) == KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_both_servers_complete_the_definition_alike(installed, known, kind):
    path = f"{DEFINITIONS}/{known[kind]['metadata']['name']}"
    ours, theirs = (normal(client.must("GET", path)) for client in installed)
    for each in (ours, theirs):
        each["metadata"].pop("managedFields")
        each["metadata"].pop("resourceVersion")
        each["metadata"].pop("generation")
        each["status"]["conditions"].sort(key=lambda row: row["type"])
    assert differences(ours, theirs) == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_right_object_is_stored_alike(lines, known, kind):
    path, obj = collection(known[kind]), cluster_api.right(known[kind])
    ours, theirs = (verdict(line.ask("POST", path, obj)) for line in lines)
    assert theirs[0] == 201, theirs
    assert ours == theirs
    step = [{"op": "add", "path": "/metadata/labels", "value": {"a": "b"}}]
    ours, theirs = (verdict(line.ask("PATCH", f"{path}/one", step)) for line in lines)
    assert (theirs[0], ours) == (200, theirs)
    ours, theirs = (verdict(line.ask("DELETE", f"{path}/one", {})) for line in lines)
    assert ours[0] == theirs[0] == 200


@pytest.mark.parametrize("kind", KINDS)
def test_wrong_objects_are_refused_alike(lines, known, kind):
    path = f"{collection(known[kind])}?dryRun=All&fieldValidation=Strict"
    found, codes = {}, set()
    for title, obj in cluster_api.wrong(known[kind]):
        ours, theirs = (verdict(line.ask("POST", path, obj)) for line in lines)
        codes.add(theirs[0])
        if ours != theirs:
            found[title] = (ours, theirs)
    assert found == {}
    assert {400, 422} <= codes


@pytest.mark.parametrize("kind", KINDS)
def test_wrong_updates_are_refused_alike(lines, known, kind):
    path, obj = collection(known[kind]), cluster_api.right(known[kind], "two")
    for line in lines:
        assert line.ask("POST", path, obj)[0] == 201
    found = {}
    for title, changed in cluster_api.wrong(known[kind]):
        # As a patch of the whole spec, which no two servers need a version for.
        step = [{"op": "add", "path": "/spec", "value": changed.get("spec")}]
        where = f"{path}/two?dryRun=All"
        ours, theirs = (verdict(line.ask("PATCH", where, step)) for line in lines)
        if ours != theirs:
            found[title] = (ours, theirs)
    for line in lines:
        line.ask("DELETE", f"{path}/two", {})
    assert found == {}
