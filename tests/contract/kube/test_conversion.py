"""Conversion: the objects of a custom resource in all of its versions."""

import copy
import itertools
import json
import threading

import pytest

from tests.contract.kube import guarded as guarded_world
from tests.contract.kube.guarded import eventually
from tests.contract.kube.hook_server import HookServer, Raw

guarded = guarded_world.guarded

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
FIELDS = {"v1": "one", "v2": "two"}
"""What the only field of the spec is called in a version."""
_numbers = itertools.count()


@pytest.fixture(scope="module")
def hooks(tmp_path_factory):
    found = HookServer(tmp_path_factory.mktemp("hooks"))
    yield found
    found.stop()


def version(name, *, is_stored):
    spec = {"type": "object", "properties": {FIELDS[name]: {"type": "string"}}}
    schema = {"type": "object", "properties": {"spec": spec}}
    shown = {"openAPIV3Schema": schema}
    return {"name": name, "served": True, "storage": is_stored, "schema": shown}


def convert(obj, wanted):
    """Return an object in another version."""
    new = copy.deepcopy(obj)
    mine, theirs = (FIELDS[each.rpartition("/")[2]] for each in (obj["apiVersion"], wanted))
    new["apiVersion"] = wanted
    new["spec"] = {theirs: obj["spec"][mine]}
    return new


def converted(review, change=lambda obj: obj):
    request = review["request"]
    objects = [change(convert(obj, request["desiredAPIVersion"])) for obj in request["objects"]]
    return {"result": {"status": "Success"}, "convertedObjects": objects}


class Things:
    """A custom resource of two versions."""

    def __init__(self, guarded, hooks, namespace):
        self.guarded = guarded
        self.hooks = hooks
        self.namespace = namespace
        self.group = f"things-{next(_numbers)}.example.com"
        self.hook = f"/{self.group}/{namespace}"
        self.on(converted)
        self.definition = f"{CRDS}/things.{self.group}"

    def on(self, answer):
        self.hooks.answers[self.hook] = answer

    def define(self):
        client = self.hooks.client(self.hook)
        webhook = {"conversionReviewVersions": ["v1"], "clientConfig": client}
        spec = {
            "group": self.group,
            "scope": "Namespaced",
            "names": {"plural": "things", "kind": "Thing"},
            "versions": [version("v1", is_stored=True), version("v2", is_stored=False)],
            "conversion": {"strategy": "Webhook", "webhook": webhook},
        }
        body = {"metadata": {"name": f"things.{self.group}"}, "spec": spec}
        self.guarded.must("POST", CRDS, body)
        assert eventually(lambda: all(self.ask("GET", name).code == 200 for name in FIELDS))

    def change(self, change):
        """Change the definition."""
        found = self.guarded.must("GET", self.definition)
        change(found["spec"])
        return self.guarded.must("PUT", self.definition, found)

    def path(self, version, name=""):
        path = f"/apis/{self.group}/{version}/namespaces/{self.namespace}/things"
        return f"{path}/{name}" if name else path

    def ask(self, method, version, name="", body=None, query=""):
        return self.guarded.ask(method, self.path(version, name) + query, body)

    def thing(self, version, name, value, **meta):
        return {
            "apiVersion": f"{self.group}/{version}",
            "kind": "Thing",
            "metadata": {"name": name, **meta},
            "spec": {FIELDS[version]: value},
        }

    def create(self, version, name, value="x", **meta):
        return self.ask("POST", version, body=self.thing(version, name, value, **meta))

    def spec(self, version, name):
        answer = self.ask("GET", version, name)
        assert answer.code == 200, answer
        assert answer.body["apiVersion"] == f"{self.group}/{version}"
        return answer.body["spec"]


@pytest.fixture
def things(guarded, hooks):
    with guarded.namespace() as namespace:
        found = Things(guarded, hooks, namespace)
        found.define()
        yield found
        found.on(converted)
        guarded.ask("DELETE", found.definition)


def test_an_object_is_there_in_every_version(things):
    assert things.create("v1", "a", "1").code == 201
    answer = things.create("v2", "b", "2")
    assert answer.code == 201
    assert answer.body["spec"] == {"two": "2"}
    assert things.spec("v1", "a") == {"one": "1"}
    assert things.spec("v2", "a") == {"two": "1"}
    assert things.spec("v1", "b") == {"one": "2"}
    items = things.ask("GET", "v2").body["items"]
    assert [(item["apiVersion"], item["spec"]) for item in items] == [
        (f"{things.group}/v2", {"two": "1"}),
        (f"{things.group}/v2", {"two": "2"}),
    ]


def test_a_change_in_another_version_is_stored(things):
    things.create("v1", "a", "1")
    found = things.ask("GET", "v2", "a").body
    found["spec"]["two"] = "2"
    answer = things.ask("PUT", "v2", "a", found)
    assert (answer.code, answer.body["spec"]) == (200, {"two": "2"})
    assert answer.body["metadata"]["generation"] == 2
    assert things.spec("v1", "a") == {"one": "2"}


def test_a_patch_in_another_version_is_stored(guarded, things):
    things.create("v1", "a", "1")
    headers = [("Content-Type", "application/merge-patch+json")]
    found = guarded.must("PATCH", things.path("v2", "a"), {"spec": {"two": "3"}}, headers=headers)
    assert found["spec"] == {"two": "3"}
    assert things.spec("v1", "a") == {"one": "3"}


def test_the_question_to_a_webhook(hooks, things):
    things.create("v1", "a", "1", labels={"l": "1"})
    hooks.seen.clear()
    things.spec("v2", "a")
    asked = hooks.asked(things.hook)[0]
    assert asked["desiredAPIVersion"] == f"{things.group}/v2"
    (obj,) = asked["objects"]
    assert obj["apiVersion"] == f"{things.group}/v1"
    assert obj["spec"] == {"one": "1"}
    assert "resourceVersion" not in obj["metadata"]


def test_a_watch_shows_its_own_version(things):
    things.create("v1", "a", "1")
    things.create("v2", "b", "2")
    text = things.ask("GET", "v2", query="?watch=1&timeoutSeconds=1").text
    events = [json.loads(line) for line in text.splitlines()]
    assert [(each["type"], each["object"]["spec"]) for each in events] == [
        ("ADDED", {"two": "1"}),
        ("ADDED", {"two": "2"}),
    ]


def test_a_watch_waits_for_conversions_in_order(things):
    things.create("v1", "a", "1")
    rv = things.ask("GET", "v1").body["metadata"]["resourceVersion"]
    query = f"?watch=1&timeoutSeconds=2&resourceVersion={rv}"
    lines = []
    thread = threading.Thread(
        target=lambda: lines.extend(things.ask("GET", "v2", query=query).text.splitlines())
    )
    thread.start()
    for number in range(3):
        things.create("v1", f"b{number}", str(number))
    found = things.ask("GET", "v1", "a").body
    found["spec"]["one"] = "9"
    things.ask("PUT", "v1", "a", found)
    things.ask("DELETE", "v1", "b1")
    thread.join(20)
    events = [json.loads(line) for line in lines]
    assert [
        (each["type"], each["object"]["metadata"]["name"], each["object"]["spec"]["two"])
        for each in events
    ] == [
        ("ADDED", "b0", "0"),
        ("ADDED", "b1", "1"),
        ("ADDED", "b2", "2"),
        ("MODIFIED", "a", "9"),
        ("DELETED", "b1", "1"),
    ]


def test_labels_are_all_of_the_metadata_that_a_webhook_changes(things):
    things.create("v1", "a", "1", labels={"l": "1"}, annotations={"a": "1"})

    def change(obj):
        meta = obj["metadata"]
        meta["labels"] = {"more": "x"}
        del meta["annotations"]
        meta["finalizers"] = ["example.com/none"]
        meta["ownerReferences"] = []
        return obj

    things.on(lambda review: converted(review, change))
    meta = things.ask("GET", "v2", "a").body["metadata"]
    assert meta["labels"] == {"more": "x"}
    assert not meta.keys() & {"annotations", "finalizers", "ownerReferences"}
    assert meta["generation"] == 1
    assert meta["resourceVersion"]


def put(*path, value):
    def change(obj):
        found = obj
        for part in path[:-1]:
            found = found.setdefault(part, {})
        found[path[-1]] = value
        return obj

    return change


def drop(key):
    def change(obj):
        del obj[key]
        return obj

    return change


OBJECT, META = "returned invalid object", "returned invalid metadata"
CHANGES = [
    (put("apiVersion", value="{group}/v9"), (f"{OBJECT} at index 0: invalid groupVersion "
     "(expected {group}/{new}, received {group}/v9)")),
    (put("kind", value="Other"),
     f"{OBJECT} at index 0: invalid kind (expected Thing, received Other)"),
    (put("metadata", "name", value="other"),
     f"{OBJECT}: must have the same name: {{name}} != other"),
    (put("metadata", "namespace", value="other"),
     f"{OBJECT}: must have the same namespace: {{namespace}} != other"),
    (drop("metadata"), f"{OBJECT}: must have the same name: {{name}} != "),
    (put("metadata", "labels", "a", value=1),
     f"{META}: metadata.labels[a] must be a string, but is int64 in converted object"),
    (put("metadata", "labels", value={"no way": "x"}), (f"{META}: metadata.labels: Invalid value: "
     '"no way": name part must consist of alphanumeric characters, \'-\', \'_\' or \'.\', and must '
     "start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', "
     "regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')")),
]  # fmt: skip
REVIEW = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "ConversionReview"}
SUCCESS = {"result": {"status": "Success"}}
ANSWERS = [
    (lambda _: {"result": {"status": "Failed", "message": "cannot do it"}}, "failed: cannot do it"),
    (lambda _: {"result": {"status": "Failed"}},
     "failed: response.result.status was 'Failed', not 'Success'"),
    (lambda _: {}, "failed: response.result.status was '', not 'Success'"),
    (lambda _: Raw(REVIEW), "failed: no response provided"),
    (lambda _: SUCCESS, "returned 0 objects, expected 1"),
    (lambda _: Raw({**REVIEW, "apiVersion": "apiextensions.k8s.io/v1beta1", "response": {}}),
     "failed: converting (v1beta1.ConversionReview) to (v1.ConversionReview): unknown conversion"),
    (lambda review: Raw({"response": {"uid": review["request"]["uid"], **SUCCESS}}),
     ("failed: expected webhook response of apiextensions.k8s.io/v1, Kind=ConversionReview, "
     "got /, Kind=")),
    (lambda _: Raw(b"boom", 500, "text/plain"),
     'failed: an error on the server ("boom") has prevented the request from succeeding'),
]  # fmt: skip


def _changing(change, group):
    def answer(review):
        found = converted(review, change)
        for obj in found["convertedObjects"]:
            obj["apiVersion"] = obj["apiVersion"].replace("{group}", group)
        return found

    return answer


def test_a_webhook_that_fails_fails_the_request(things):
    assert things.create("v1", "a").code == 201
    cases = [(_changing(change, things.group), text) for change, text in CHANGES] + ANSWERS
    for answer, text in cases:
        things.on(answer)
        for method, old, new, name in (("GET", "v1", "v2", "a"), ("POST", "v2", "v1", "b")):
            is_get = method == "GET"
            found = things.ask("GET", "v2", "a") if is_get else things.create("v2", name)
            said = text.format(group=things.group, new=new, name=name, namespace=things.namespace)
            label = f"conversion webhook for {things.group}/{old}, Kind=Thing"
            assert (found.code, found.message) == (500, f"{label} {said}")
            assert "reason" not in found.body
    things.on(converted)
    assert things.ask("GET", "v1", "b").code == 404


def test_the_answer_to_another_question_is_none(things):
    things.create("v1", "a")
    things.on(lambda review: {**converted(review), "uid": "other"})
    message = things.ask("GET", "v2", "a").message
    assert message.startswith(
        f"conversion webhook for {things.group}/v1, Kind=Thing failed: expected response.uid="
    )
    assert message.endswith(', got "other"')


def test_nobody_listens(things):
    things.create("v1", "a")
    nowhere = {"url": "https://127.0.0.1:1/x", "caBundle": things.hooks.ca}
    things.change(lambda spec: spec["conversion"]["webhook"].update(clientConfig=nowhere))
    message = (
        f"conversion webhook for {things.group}/v1, Kind=Thing failed: Post "
        '"https://127.0.0.1:1/x?timeout=30s": dial tcp 127.0.0.1:1: connect: connection refused'
    )
    assert eventually(lambda: things.ask("GET", "v2", "a").message == message)
    assert things.ask("GET", "v1", "a").code == 200


def test_the_stored_version_may_change(things):
    things.create("v1", "old", "1")

    def swap(spec):
        for each in spec["versions"]:
            each["storage"] = each["name"] == "v2"

    found = things.change(swap)
    assert found["status"]["storedVersions"] == ["v1", "v2"]
    things.create("v1", "new", "2")
    assert things.spec("v1", "old") == {"one": "1"}
    assert things.spec("v2", "old") == {"two": "1"}
    assert things.spec("v2", "new") == {"two": "2"}
    changed = things.ask("GET", "v1", "old").body
    changed["spec"]["one"] = "3"
    assert things.ask("PUT", "v1", "old", changed).code == 200
    assert things.spec("v2", "old") == {"two": "3"}
    things.hooks.seen.clear()
    # Now it is stored in the new version, so that nobody is asked.
    assert things.ask("GET", "v2", "old").body["spec"] == {"two": "3"}


def test_without_a_webhook_only_the_version_changes(things):
    things.create("v1", "a", "1")

    def none(spec):
        spec["conversion"] = {"strategy": "None"}

    things.change(none)
    # What the other version does not know is not shown in it.
    assert eventually(lambda: things.ask("GET", "v2", "a").body.get("spec") == {})
    assert things.spec("v1", "a") == {"one": "1"}
