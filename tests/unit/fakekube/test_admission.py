"""Admission without a network: a caller that answers in the place of the webhooks."""

import asyncio
import base64
import json

import pytest

from fakekube import admission, authn, clock, paths, rbac, status, webhook
from fakekube.admission import conditions, hooks, patching
from fakekube.call import Call
from fakekube.registry import Registry
from fakekube.resource import Resource

CONFIGMAPS = Resource("", "v1", "configmaps", "ConfigMap")
WIDGETS = {
    version: Resource("example.org", version, "widgets", "Widget", is_custom=True)
    for version in ("v1", "v2")
}
RULE = {
    "operations": ["*"],
    "apiGroups": ["*"],
    "apiVersions": ["v1"],
    "resources": ["*"],
}


class Answers:
    """A caller that asks functions, by the path of the URL."""

    def __init__(self):
        self.by_path = {}
        self.asked = []

    async def post(self, where, content, timeout_s):
        self.asked.append((where.path, timeout_s, content["request"]))
        await asyncio.sleep(0)
        make = self.by_path.get(where.path, lambda _: {"allowed": True})
        found = make(content["request"])
        if isinstance(found, Exception):
            raise found
        return {**content, "response": {"uid": content["request"]["uid"], **found}}

    @property
    def paths(self):
        return [path for path, _, _ in self.asked]


class World:
    """A registry with admission."""

    def __init__(self):
        self.registry = Registry(clock.Clock(rate=0), clock.Chance(1))
        for resource in (CONFIGMAPS, *WIDGETS.values()):
            self.registry.catalog.add(resource)
        self.answers = Answers()
        authorizer = rbac.Authorizer(self.registry.store)
        self.admission = admission.Admission(self.registry, authorizer, caller=self.answers)
        self.registry.store.create("namespaces", {"metadata": {"name": "here"}})

    def configure(self, table, *given, name="c"):
        found = [hook(each) if isinstance(each, str) else each for each in given]
        body = {"metadata": {"name": name}, "webhooks": found}
        return self.registry.store.create(table, body)

    def call(self, resource=CONFIGMAPS, query=None, verb="POST"):
        group = f"apis/{resource.group}" if resource.group else "api"
        path = f"/{group}/{resource.version}/namespaces/here/{resource.plural}"
        info = paths.parse_path(verb, path)
        return Call(info, resource, query or {}, authn.known("bob"))

    def mutate(self, new, call=None):
        return asyncio.run(self.admission.mutate(call or self.call(), "CREATE", new, None))

    def validate(self, new, call=None, operation="CREATE"):
        asyncio.run(self.admission.validate(call or self.call(), operation, new, None))


@pytest.fixture
def world():
    return World()


def hook(name, **changes):
    return {
        "name": f"{name}.example.org",
        "clientConfig": {"url": f"https://localhost/{name}"},
        "rules": [RULE],
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
    } | changes


def configmap(**more):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, **more}


def patch(*operations):
    raw = base64.b64encode(json.dumps(operations).encode()).decode()
    return lambda _: {"allowed": True, "patchType": "JSONPatch", "patch": raw}


def test_nobody_is_asked_without_webhooks(world):
    assert world.admission.is_idle(world.call(), "CREATE")
    world.configure(hooks.VALIDATING, "one")
    assert not world.admission.is_idle(world.call(), "CREATE")


def test_a_webhook_for_others_leaves_a_write_idle(world):
    rule = {**RULE, "resources": ["secrets"]}
    world.configure(hooks.VALIDATING, hook("one", rules=[rule]))
    assert world.admission.is_idle(world.call(), "CREATE")


def test_a_configuration_that_goes_is_forgotten(world):
    record = world.configure(hooks.MUTATING, "one")
    assert not world.admission.is_idle(world.call(), "CREATE")
    world.registry.store.delete(hooks.MUTATING, record)
    assert world.admission.is_idle(world.call(), "CREATE")


def test_configurations_are_asked_in_the_order_of_their_names(world):
    world.configure(hooks.MUTATING, "three", "four", name="b")
    world.configure(hooks.MUTATING, "one", "two", name="a")
    world.mutate(configmap())
    assert world.answers.paths == ["/one", "/two", "/three", "/four"]


def test_validating_webhooks_are_asked_together(world):
    world.configure(hooks.VALIDATING, "one", "two")
    world.answers.by_path["/one"] = lambda _: {"allowed": False, "status": {"message": "1"}}
    world.answers.by_path["/two"] = lambda _: {"allowed": False, "status": {"message": "2"}}
    with pytest.raises(status.ApiError, match="denied the request: 1"):
        world.validate(configmap())
    assert world.answers.paths == ["/one", "/two"]


def test_the_timeout_is_that_of_the_webhook(world):
    world.configure(hooks.VALIDATING, hook("one", timeoutSeconds=3), "two")
    world.validate(configmap())
    assert [seconds for _, seconds, _ in world.answers.asked] == [3, 10]


def test_the_object_of_the_caller_stays_as_it_is(world):
    world.configure(hooks.MUTATING, "one")
    world.answers.by_path["/one"] = patch({"op": "add", "path": "/data", "value": {"x": "y"}})
    given = configmap()
    assert world.mutate(given)["data"] == {"x": "y"}
    assert given == configmap()


def test_a_failure_that_is_ignored_changes_nothing(world):
    world.configure(hooks.MUTATING, hook("one", failurePolicy="Ignore"), "two")
    world.answers.by_path["/one"] = lambda _: webhook.CallFailed("gone")
    world.answers.by_path["/two"] = patch({"op": "add", "path": "/data", "value": {"x": "y"}})
    assert world.mutate(configmap())["data"] == {"x": "y"}


def test_a_webhook_with_side_effects_refuses_a_dry_run(world):
    world.configure(hooks.VALIDATING, hook("one", sideEffects="Some"))
    call = world.call(query={"dryRun": "All"})
    message = 'admission webhook "one.example.org" does not support dry run'
    with pytest.raises(status.ApiError, match=message) as caught:
        world.validate(configmap(), call)
    assert caught.value.code == 400
    assert not world.answers.asked


def test_a_webhook_of_an_older_review_cannot_be_asked(world):
    world.configure(hooks.VALIDATING, hook("one", admissionReviewVersions=["v1beta1"]))
    with pytest.raises(status.ApiError, match="could not create admission objects"):
        world.validate(configmap())


def test_an_object_is_converted_for_a_webhook_and_back(world):
    world.configure(hooks.MUTATING, "one")
    world.answers.by_path["/one"] = patch({"op": "add", "path": "/spec", "value": 1})
    new = {"apiVersion": "example.org/v2", "kind": "Widget", "metadata": {"name": "w"}}
    found = world.mutate(new, world.call(WIDGETS["v2"]))
    assert (found["apiVersion"], found["spec"]) == ("example.org/v2", 1)
    _, _, asked = world.answers.asked[0]
    assert asked["object"]["apiVersion"] == "example.org/v1"
    assert (asked["kind"]["version"], asked["requestKind"]["version"]) == ("v1", "v2")


def test_a_new_version_is_noticed(world):
    world.configure(hooks.VALIDATING, hook("one", matchPolicy="Exact"))
    new = Resource("late.example.org", "v1", "things", "Thing")
    world.registry.catalog.add(new)
    assert not world.admission.is_idle(world.call(new), "CREATE")


def test_a_service_that_nobody_has_named_is_refused_with_help(world):
    service = {"namespace": "ns", "name": "svc"}
    world.registry.store.create("services", {"metadata": {"namespace": "ns", "name": "svc"}})
    found = webhook.target({"service": service}, webhook.Services(), world.registry.store)
    assert found.problem == (
        "fakekube has no cluster network. Start it with --service ns/svc=HOST:PORT"
    )


@pytest.mark.parametrize(
    ("addresses", "expected"),
    [
        ({"ns/svc": "localhost:9443"}, ("localhost", 9443)),
        ({"ns/svc:8443": "[::1]:1"}, ("::1", 1)),
        ({"ns/svc": "a:1", "ns/svc:8443": "b:2"}, ("b", 2)),
    ],
)
def test_a_service_is_where_it_was_said_to_be(world, addresses, expected):
    config = {"service": {"namespace": "ns", "name": "svc", "port": 8443, "path": "/p"}}
    found = webhook.target(config, webhook.Services(addresses), world.registry.store)
    assert (found.host, found.port) == expected
    assert found.server_name == "svc.ns.svc"
    assert found.url == "https://svc.ns.svc:8443/p"
    assert not found.problem


# --- Parts ----------------------------------------------------------------------------------------


def hold(*expressions, **values):
    given = tuple(conditions.Condition(f"c{i}", each) for i, each in enumerate(expressions))
    return conditions.hold(given, {"object": None, "oldObject": None, "request": {}} | values)


def test_conditions_hold_together():
    assert hold("object.a == 1", "request == {}", object={"a": 1})
    assert not hold("object.a == 1", "false", object={"a": 1})
    assert hold("oldObject == null")


def test_a_condition_that_does_not_hold_outweighs_an_error():
    assert not hold("object.b == 1", "false", object={"a": 1})


def test_all_errors_of_conditions_are_told():
    with pytest.raises(conditions.Undecided) as caught:
        hold("object.b == 1", "object.c == 1", object={})
    assert str(caught.value) == (
        "[expression 'object.b == 1' resulted in error: no such key: b, "
        "expression 'object.c == 1' resulted in error: no such key: c]"
    )


@pytest.mark.parametrize("expression", ["1 +", "1", "nothing == 1", "object.a"])
def test_a_condition_that_is_none_is_an_error(expression):
    with pytest.raises(conditions.Undecided, match="compilation failed"):
        hold(expression)


DOCUMENT = {"a": {"b": 1}, "l": [1]}
PROBLEMS = [
    ({"op": "remove", "path": "/l/5"}, ("error in remove for path: '/l/5': Unable to access "
     "invalid "
     "index: 5: invalid index referenced")),
    ({"op": "copy", "from": "/x/y", "path": "/a/c"},
     "copy operation does not apply: doc is missing from path: /x/y: missing value"),
    ({"op": "move", "from": "/a/b", "path": "/x/y"},
     "move operation does not apply: doc is missing destination path: /x/y: missing value"),
    ({"op": "move", "from": "/a/z", "path": "/a/y"},
     "error in move for path: 'z': Unable to remove nonexistent key: z: missing value"),
    ({"op": "test", "path": "/x/y", "value": 1},
     "test operation does not apply: is missing path: /x/y: missing value"),
]  # fmt: skip


@pytest.mark.parametrize(("operation", "text"), PROBLEMS)
def test_why_a_patch_does_not_apply(operation, text):
    fine = {"op": "add", "path": "/a/fine", "value": 1}
    assert patching.problem(DOCUMENT, [fine, operation]) == text
