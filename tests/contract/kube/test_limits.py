"""What is too much: both servers refuse it with the same code, reason and words."""

import itertools

import pytest

from tests.contract.kube.client import JSON_PATCH, MERGE, config_map, eventually
from tests.contract.kube.test_custom import DEFINITIONS, is_established

YAML = "application/yaml"
_numbers = itertools.count()


def bomb():
    """Return YAML of half a kilobyte that stands for a thousand million values."""
    lines = ["apiVersion: v1", "kind: ConfigMap", "metadata: {name: bomb}", "a0: &a0 [x, x]"]
    lines += [f"a{number + 1}: &a{number + 1} [*a{number}, *a{number}]" for number in range(29)]
    return "\n".join(lines)


DEEP = '{"metadata":{"name":"deep"},"x":' + '{"a":' * 11_000 + "1" + "}" * 11_001
MANY = [{"op": "test", "path": "/data/a", "value": "b"}] * 10_001
LARGE = {"metadata": {"name": "large"}, "data": {"a": "x" * (1024 * 1024 + 1)}}
BODIES = {
    "aliases": ("POST", "", bomb(), YAML, 400, "BadRequest", "excessive aliasing"),
    "depth": ("POST", "", DEEP, "application/json", 400, "BadRequest", "exceeded max depth"),
    "values": (
        "POST",
        "",
        LARGE,
        "application/json",
        422,
        "Invalid",
        "may not be more than 1048576 bytes",
    ),
    "bytes": ("POST", "", "x" * 3_200_000, "application/json", 413, "RequestEntityTooLarge", ""),
    "steps": ("PATCH", "/one", MANY, JSON_PATCH, 413, "RequestEntityTooLarge", "10000"),
    "merges": ("PATCH", "/one", DEEP, MERGE, 400, "BadRequest", "exceeded max depth"),
}


@pytest.mark.parametrize("name", BODIES)
def test_what_is_too_much_is_refused(kube, maps, name):
    method, path, body, media, code, reason, text = BODIES[name]
    kube.must("POST", maps, config_map("one"))
    problem = kube.refused(method, f"{maps}{path}", body, media=media)
    assert (problem["code"], problem["reason"]) == (code, reason)
    assert text in problem["message"]
    assert kube.has(f"{maps}/one")


def definition(group, spec):
    schema = {"type": "object", "properties": {"spec": spec}}
    version = {"name": "v1", "served": True, "storage": True}
    return {
        "metadata": {"name": f"things.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"plural": "things", "kind": "Thing"},
            "versions": [version | {"schema": {"openAPIV3Schema": schema}}],
        },
    }


@pytest.fixture
def served(kube, namespace):
    """Return what serves a kind with a spec, and gives the path and a maker of its objects."""
    names = []

    def serve(spec):
        group = f"limits{next(_numbers)}.example.com"
        names.append(f"things.{group}")
        kube.must("POST", DEFINITIONS, definition(group, spec))
        eventually(lambda: is_established(kube, names[-1]))
        path = f"/apis/{group}/v1/namespaces/{namespace}/things"
        eventually(lambda: kube.has(path))

        def make(called, **spec):
            head = {"apiVersion": f"{group}/v1", "kind": "Thing"}
            return head | {"metadata": {"name": called}, "spec": spec}

        return path, make

    yield serve
    for each in names:
        kube.ask("DELETE", f"{DEFINITIONS}/{each}")


def test_an_object_that_etcd_would_not_take_is_refused(kube, served):
    path, make = served({"type": "object", "x-kubernetes-preserve-unknown-fields": True})
    kube.must("POST", path, make("large", text="x" * 1_400_000))
    problem = kube.refused("POST", path, make("larger", text="x" * 1_600_000))
    assert (problem["code"], problem.get("reason")) == (500, None)
    assert problem["message"] == "etcdserver: request is too large"


PAIRS = "self.l.all(a, self.l.all(b, self.l.all(c, a + b + c >= 0)))"


def test_a_rule_that_costs_too_much_is_not_evaluated_to_its_end(kube, served):
    # Few enough that the real server takes the definition.
    numbers = {"type": "array", "maxItems": 90, "items": {"type": "integer"}}
    rules = [{"rule": PAIRS, "message": "negative"}]
    spec = {"type": "object", "properties": {"l": numbers}, "x-kubernetes-validations": rules}
    path, make = served(spec)
    kube.must("POST", path, make("some", l=[1] * 20))
    problem = kube.refused("POST", path, make("many", l=[1] * 90))
    (cause,) = problem["details"]["causes"]
    assert cause["message"] == (
        "Invalid value: \"object\": 'operation cancelled: actual cost limit exceeded': no further "
        "validation rules will be run due to call cost exceeds limit for rule: negative"
    )


def test_only_the_real_server_estimates_what_a_rule_costs(kube):
    numbers = {"type": "array", "items": {"type": "integer"}}
    rules = [{"rule": PAIRS}]
    spec = {"type": "object", "properties": {"l": numbers}, "x-kubernetes-validations": rules}
    body = definition(f"limits{next(_numbers)}.example.com", spec)
    answer = kube.ask("POST", DEFINITIONS, body, dryRun="All")
    assert answer.code == (422 if kube.is_real else 201)
    assert ("estimated rule cost exceeds budget" in answer.text) is kube.is_real


def test_a_rule_compares_with_the_old_state(kube, served):
    rules = [{"rule": "self.name == oldSelf.name", "message": "the name is for ever"}]
    spec = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "size": {"type": "integer"}},
        "x-kubernetes-validations": rules,
    }
    path, make = served(spec)
    kube.must("POST", path, make("one", name="a", size=1))
    kube.must("PATCH", f"{path}/one", {"spec": {"size": 2}})
    problem = kube.refused("PATCH", f"{path}/one", {"spec": {"name": "b"}})
    assert (problem["code"], problem["reason"]) == (422, "Invalid")
    (cause,) = problem["details"]["causes"]
    assert (cause["field"], cause["reason"]) == ("spec", "FieldValueInvalid")
    assert cause["message"].endswith("the name is for ever")


def test_all_that_is_wrong_is_said_at_once(kube, served):
    spec = {
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": {"type": "string", "maxLength": 3},
            "size": {"type": "integer", "maximum": 3},
            "color": {"type": "string", "enum": ["red"]},
        },
    }
    path, make = served(spec)
    problem = kube.refused("POST", path, make("one", name="long", size=9, color="blue"))
    fields = {each["field"]: each["reason"] for each in problem["details"]["causes"]}
    assert fields == {
        "spec.name": "FieldValueTooLong",
        "spec.size": "FieldValueInvalid",
        "spec.color": "FieldValueNotSupported",
    }
