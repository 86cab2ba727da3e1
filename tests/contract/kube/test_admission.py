"""Admission webhooks: whom the server asks, what it says, and what comes of the answer."""

import threading

import pytest

from tests.contract.kube import admission_world
from tests.contract.kube import guarded as guarded_world
from tests.contract.kube.admission_world import CONFIGMAPS, PLURALS, ROOT
from tests.contract.kube.guarded import eventually
from tests.contract.kube.hook_server import HookServer, Raw, patch

guarded, hooks, world = guarded_world.guarded, admission_world.hooks, admission_world.world


# --- What a webhook is asked ----------------------------------------------------------------------


def test_the_review_of_a_creation(world):
    world.configure("validating", world.hook())
    assert world.create(query="?fieldManager=me").code == 201
    (asked,) = world.asked()
    assert asked["object"]["metadata"]["uid"]
    del asked["object"]["metadata"]
    assert asked.pop("userInfo")["username"] == "admin"
    assert asked.pop("uid")
    resource = {"group": "", "version": "v1", "resource": "configmaps"}
    kind = {"group": "", "version": "v1", "kind": "ConfigMap"}
    assert asked == {
        "kind": kind,
        "resource": resource,
        "requestKind": kind,
        "requestResource": resource,
        "name": "a",
        "namespace": world.namespace,
        "operation": "CREATE",
        "object": {"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "b"}},
        "oldObject": None,
        "dryRun": False,
        "options": {
            "kind": "CreateOptions",
            "apiVersion": "meta.k8s.io/v1",
            "fieldManager": "me",
        },
    }


def test_the_reviews_of_what_follows(world):
    world.configure("validating", world.hook())
    world.create()
    path = f"{world.configmaps}/a"
    world.guarded.must("PUT", path, {"metadata": {"name": "a"}, "data": {"a": "c"}})
    merge = [("Content-Type", "application/merge-patch+json")]
    world.guarded.must("PATCH", path, {"data": {"a": "d"}}, headers=merge)
    world.guarded.must("DELETE", path, {"propagationPolicy": "Background"})
    shown = [
        (
            asked["operation"],
            asked["options"]["kind"],
            (asked["oldObject"] or {}).get("data"),
            (asked["object"] or {}).get("data"),
        )
        for asked in world.asked()
    ]
    assert shown == [
        ("CREATE", "CreateOptions", None, {"a": "b"}),
        ("UPDATE", "UpdateOptions", {"a": "b"}, {"a": "c"}),
        ("UPDATE", "UpdateOptions", {"a": "c"}, {"a": "d"}),
        ("DELETE", "DeleteOptions", {"a": "d"}, None),
    ]
    assert world.asked()[-1]["options"]["propagationPolicy"] == "Background"


def test_a_namespace_is_in_itself(guarded, world):
    everything = {**CONFIGMAPS, "resources": ["namespaces"]}
    world.configure("validating", world.hook(rules=[everything, CONFIGMAPS]))
    path = f"/api/v1/namespaces/{world.namespace}"
    found = guarded.must("GET", path)
    found["metadata"]["labels"]["more"] = "true"
    guarded.must("PUT", path, found)
    (asked,) = world.asked()
    assert (asked["name"], asked["namespace"]) == (world.namespace, world.namespace)


RULES = [
    ({}, True),
    ({"operations": ["CREATE", "DELETE"]}, True),
    ({"operations": ["UPDATE"]}, False),
    ({"apiGroups": ["*"]}, True),
    ({"apiGroups": ["apps"]}, False),
    ({"apiVersions": ["*"]}, True),
    ({"apiVersions": ["v2"]}, False),
    ({"resources": ["*"]}, True),
    ({"resources": ["*/*"]}, True),
    ({"resources": ["*/status"]}, False),
    ({"resources": ["configmaps/*"]}, True),
    ({"scope": "Namespaced"}, True),
    ({"scope": "Cluster"}, False),
]


def test_rules_say_what_a_webhook_is_asked_about(world):
    hooks = [
        world.hook(f"rule-{number}", rules=[{**CONFIGMAPS, **changes}])
        for number, (changes, _) in enumerate(RULES)
    ]
    world.configure("validating", *hooks)
    assert world.create().code == 201
    for number, (changes, is_asked) in enumerate(RULES):
        assert bool(world.asked(f"rule-{number}")) is is_asked, changes


def test_selectors_spare_a_webhook(world):
    red = {"matchLabels": {"colour": "red"}}
    not_red = {"matchExpressions": [{"key": "colour", "operator": "NotIn", "values": ["red"]}]}
    world.configure(
        "validating",
        world.hook("red", objectSelector=red),
        world.hook("other", objectSelector=not_red),
        world.hook("elsewhere", namespaceSelector={"matchLabels": {"no": "where"}}),
    )
    world.create("a", labels={"colour": "red"})
    world.create("b")
    assert [asked["name"] for asked in world.asked("red")] == ["a"]
    assert [asked["name"] for asked in world.asked("other")] == ["b"]
    assert not world.asked("elsewhere")
    # Both the old and the new object count.
    world.guarded.must("PUT", f"{world.configmaps}/a", {"metadata": {"name": "a"}})
    assert [asked["operation"] for asked in world.asked("red")] == ["CREATE", "UPDATE"]


def test_conditions_spare_a_webhook(world):
    def conditions(*expressions):
        return [{"name": f"c{i}", "expression": each} for i, each in enumerate(expressions)]

    world.configure(
        "validating",
        world.hook("yes", matchConditions=conditions("object.metadata.name == 'a'")),
        world.hook("no", matchConditions=conditions("request.operation == 'DELETE'", "true")),
        world.hook("user", matchConditions=conditions("request.userInfo.username == 'admin'")),
        world.hook("false", matchConditions=conditions("object.data.none == 'x'", "false")),
        world.hook(
            "ignored",
            matchConditions=conditions("object.data.none == 'x'"),
            failurePolicy="Ignore",
        ),
    )
    assert world.create().code == 201
    asked = {name: bool(world.asked(name)) for name in ("yes", "no", "user", "false", "ignored")}
    assert asked == {"yes": True, "no": False, "user": True, "false": False, "ignored": False}


def test_a_condition_that_fails_forbids(world):
    condition = {"name": "c", "expression": "object.data.none == 'x'"}
    named = {"name": "d", "expression": "object.metadata.name == 'a'"}
    world.configure("validating", world.hook(matchConditions=[named, condition]))
    answer = world.create()
    assert (answer.code, answer.message) == (
        403,
        (
            "configmaps \"a\" is forbidden: expression 'object.data.none == 'x'' resulted in "
            "error: "
            "no such key: none"
        ),
    )


def test_nobody_is_asked_about_webhooks(guarded, world):
    everything = {**CONFIGMAPS, "apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*/*"]}
    selector = {"matchLabels": {"self": world.namespace}}
    world.configure(
        "validating", world.hook(rules=[everything], objectSelector=selector, namespaceSelector={})
    )
    body = {"metadata": {"name": world.namespace, "labels": {"self": world.namespace}}}
    guarded.must("POST", f"{ROOT}/mutatingwebhookconfigurations", body)
    world.made.append(f"{ROOT}/mutatingwebhookconfigurations/{world.namespace}")
    assert not world.asked()


# --- What it answers ------------------------------------------------------------------------------

DENIED = 'admission webhook "one.example.com" denied the request'
DENIALS = [
    ({}, 400, None, f"{DENIED} without explanation"),
    ({"message": "no way"}, 400, None, f"{DENIED}: no way"),
    ({"reason": "Nope"}, 400, "Nope", f"{DENIED}: Nope"),
    ({"code": 403, "reason": "Forbidden", "message": "m"}, 403, "Forbidden", f"{DENIED}: m"),
    ({"code": 200, "status": "Success", "message": "m"}, 400, None, f"{DENIED}: m"),
    ({"code": 422, "message": "m", "details": {"causes": [{"field": "f"}]}}, 422, None,
     f"{DENIED}: m"),
]  # fmt: skip


@pytest.mark.parametrize("kind", PLURALS)
def test_a_webhook_refuses(world, kind):
    world.configure(kind, world.hook())
    for result, code, reason, message in DENIALS:
        world.on("one", {"allowed": False, "status": result})
        answer = world.create()
        assert (answer.code, answer.body.get("reason")) == (code, reason)
        assert answer.message == message
        assert answer.body.get("details") == result.get("details")


def test_warnings_reach_the_client(world):
    world.configure("validating", world.hook())
    world.on("one", {"allowed": True, "warnings": ["first", 'the "second"', "first"]})
    assert world.create().warnings == ['299 - "first"', '299 - "the \\"second\\""']


CALLING = 'Internal error occurred: failed calling webhook "one.example.com": '
CALL = f"{CALLING}failed to call webhook: "
INVALID = f"{CALLING}received invalid webhook response: "
VERSION = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"}
ODD = [
    (Raw(VERSION), f"{INVALID}webhook response was absent"),
    (Raw({**VERSION, "apiVersion": "admission.k8s.io/v1beta1", "response": {}}),
     f"{CALL}converting (v1beta1.AdmissionReview) to (v1.AdmissionReview): unknown conversion"),
    (Raw({"apiVersion": "v1", "kind": "Foo"}),
     f'{CALL}no kind "Foo" is registered for version "v1" in scheme "pkg/runtime/scheme.go:110"'),
    (Raw([]), (f"{CALL}couldn't get version/kind; json parse error: json: cannot unmarshal array "
     'into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; '
     'Kind string "json:\\"kind,omitempty\\"" }')),
    (Raw(b"nonsense"), (f"{CALL}couldn't get version/kind; json parse error: json: cannot "
     "unmarshal "
     'string into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; '
     'Kind string "json:\\"kind,omitempty\\"" }')),
    (Raw(b'{"kind":'),
     f"{CALL}couldn't get version/kind; json parse error: unexpected end of JSON input"),
    (Raw(b""), f"{CALL}0-length response with status code: 200 and content type: application/json"),
    ({"allowed": "yes"}, (f"{CALL}json: cannot unmarshal string into Go struct field "
     "AdmissionResponse.response.allowed of type bool")),
    ({"allowed": True, "patch": "W10=", "patchType": "JSONPatch"},
     f"{INVALID}validating webhook may not return response.patch"),
    ({"allowed": True, "patchType": "JSONPatch"},
     f"{INVALID}validating webhook may not return response.patchType"),
    (Raw(b"text\n", 400, "text/plain"),
     f"{CALL}the server rejected our request for an unknown reason"),
    (Raw(b"text\n", 403, "text/plain"), f"{CALL}text"),
    (Raw(b"text\n", 404, "text/plain"), f"{CALL}the server could not find the requested resource"),
    (Raw(b"text\n", 418, "text/plain"), (f"{CALL}the server responded with the status code 418 but "
     "did not return more information")),
    (Raw(b"text\n", 500, "text/plain"),
     f'{CALL}an error on the server ("text") has prevented the request from succeeding'),
    (Raw({"a": 1}, 500),
     f'{CALL}an error on the server ("unknown") has prevented the request from succeeding'),
    (Raw({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "said"}, 500),
     f"{CALL}said"),
    (Raw(b"text\n", 503, "text/plain"),
     f"{CALL}the server is currently unable to handle the request"),
]  # fmt: skip


def test_an_answer_that_is_none_is_an_internal_error(world):
    world.configure("validating", world.hook())
    for response, message in ODD:
        world.on("one", response)
        answer = world.create()
        assert (answer.code, answer.message) == (500, message)
        assert answer.body["reason"] == "InternalError"
        text = message.removeprefix("Internal error occurred: ")
        assert answer.body["details"] == {"causes": [{"message": text}]}


def test_the_answer_to_another_question_is_none(world):
    world.configure("validating", world.hook())
    world.on("one", {"uid": "other", "allowed": True})
    answer = world.create()
    uid = world.asked()[-1]["uid"]
    assert answer.message == f'{INVALID}expected response.uid="{uid}", got "other"'


def test_whoever_cannot_be_asked_decides_by_policy(world):
    nowhere = {"url": "https://127.0.0.1:1/x", "caBundle": world.hooks.ca}
    world.configure("validating", world.hook(clientConfig=nowhere))
    assert world.create().message == (
        f'{CALL}Post "https://127.0.0.1:1/x?timeout=10s": dial tcp 127.0.0.1:1: connect: '
        "connection refused"
    )
    world.guarded.must("DELETE", world.made.pop())
    world.configure("validating", world.hook(clientConfig=nowhere, failurePolicy="Ignore"))
    assert eventually(lambda: world.create().code == 201)


def test_a_service_that_is_not_there(world):
    service = {"namespace": "default", "name": "nobody", "path": "/p"}
    config = {"service": service, "caBundle": world.hooks.ca}
    world.configure("validating", world.hook(clientConfig=config))
    assert world.create().message == (
        f'{CALL}Post "https://nobody.default.svc:443/p?timeout=10s": service "nobody" not found'
    )


def test_a_stranger_is_not_trusted(world, tmp_path):
    stranger = HookServer(tmp_path)
    url = f"{world.hooks.url}/x"
    try:
        strange = {"url": url, "caBundle": stranger.ca}
        world.configure("validating", world.hook(clientConfig=strange))
        message = world.create().message
    finally:
        stranger.stop()
    prefix = f'{CALL}Post "{url}?timeout=10s": tls: failed to verify certificate: x509: '
    assert message.startswith(f"{prefix}certificate signed by unknown authority")


def test_nobody_waits_forever(world):
    waiting = threading.Event()
    world.on("one", lambda _: waiting.wait(5) and {})
    world.configure("validating", world.hook(timeoutSeconds=1))
    answer = world.create()
    waiting.set()
    url = world.hook()["clientConfig"]["url"]
    assert answer.message == f'{CALL}Post "{url}?timeout=1s": context deadline exceeded'


def test_others_are_served_while_a_webhook_thinks(world):
    asked, waiting = threading.Event(), threading.Event()
    world.on("one", lambda _: (asked.set(), waiting.wait(5), {"allowed": True})[2])
    world.configure("validating", world.hook())
    created = []
    thread = threading.Thread(target=lambda: created.append(world.create()))
    thread.start()
    assert asked.wait(5)
    assert world.guarded.ask("GET", world.configmaps).code == 200
    assert not created
    waiting.set()
    thread.join(10)
    assert created[0].code == 201


def test_a_dry_run_has_no_side_effects(world):
    world.configure("validating", world.hook(sideEffects="NoneOnDryRun"))
    assert world.create(query="?dryRun=All").code == 201
    (asked,) = world.asked()
    assert asked["dryRun"] is True
    assert asked["options"]["dryRun"] == ["All"]


# --- Changing -------------------------------------------------------------------------------------


def data(name, value):
    return {"op": "add", "path": f"/data/{name}", "value": value}


def test_webhooks_change_one_after_the_other(world):
    world.on("one", patch(data("one", "1")))
    world.on(
        "two", lambda review: patch(data("two", ",".join(review["request"]["object"]["data"])))
    )
    world.configure("mutating", world.hook("one"), world.hook("two"))
    assert world.create().body["data"] == {"a": "b", "one": "1", "two": "a,one"}


def test_a_webhook_is_asked_again_when_others_changed_something(world):
    world.on("one", patch(data("one", "1")))
    world.on("two", patch(data("two", "2")))
    world.on("three", patch())
    world.configure(
        "mutating",
        world.hook("one", reinvocationPolicy="IfNeeded"),
        world.hook("two"),
        world.hook("three", reinvocationPolicy="IfNeeded"),
    )
    world.create()
    times = [len(world.asked(name)) for name in ("one", "two", "three")]
    assert times == [2, 1, 1]
    assert world.asked("one")[1]["object"]["data"] == {"a": "b", "one": "1", "two": "2"}


def test_what_changes_nothing_asks_nobody_again(world):
    world.on("one", patch())
    # The first patch counts as a change, because it rounds the dates of the object.
    world.on("two", patch({"op": "replace", "path": "/data/a", "value": "b"}))
    world.on("three", patch())
    world.on("four", patch({"op": "replace", "path": "/data/a", "value": "b"}))
    world.configure(
        "mutating",
        world.hook("one", reinvocationPolicy="IfNeeded"),
        world.hook("two"),
        world.hook("three", reinvocationPolicy="IfNeeded"),
        world.hook("four"),
    )
    world.create()
    names = ("one", "two", "three", "four")
    assert [len(world.asked(name)) for name in names] == [2, 1, 1, 1]


def test_those_who_approve_see_what_was_changed(world):
    world.on("change", patch(data("x", "y")))
    world.configure("mutating", world.hook("change"))
    world.configure("validating", world.hook("approve"))
    world.create()
    (asked,) = world.asked("approve")
    assert asked["object"]["data"] == {"a": "b", "x": "y"}


def test_a_deletion_cannot_be_changed(world):
    world.create()
    world.on("one", patch(data("x", "y")))
    deletion = {**CONFIGMAPS, "operations": ["DELETE"]}
    create = {**CONFIGMAPS, "operations": ["CREATE"]}
    world.configure(
        "mutating", world.hook("one", rules=[deletion]), world.hook("c", rules=[create])
    )
    answer = world.guarded.ask("DELETE", f"{world.configmaps}/a")
    assert (answer.code, answer.message) == (
        500,
        (
            'Internal error occurred: admission webhook "one.example.com" attempted to modify the '
            "object, which is not supported for this operation"
        ),
    )


UNDECODABLE = f"{CALLING}received undecodable patch in webhook response: json: cannot unmarshal "
BROKEN = [
    (patch({"op": "replace", "path": "/nope/x", "value": 1}), ("Internal error occurred: replace "
     "operation does not apply: doc is missing path: /nope/x: missing value")),
    (patch({"op": "remove", "path": "/data/x"}), ("Internal error occurred: error in remove for "
     "path: '/data/x': Unable to remove nonexistent key: x: missing value")),
    (patch({"op": "remove", "path": "/no/x"}), ("Internal error occurred: remove operation does "
     "not "
     'apply: doc is missing path: "/no/x": missing value')),
    (patch({"op": "add", "path": "/no/x", "value": 1}), ("Internal error occurred: add operation "
     'does not apply: doc is missing path: "/no/x": missing value')),
    (patch({"op": "move", "from": "/no/x", "path": "/data/x"}), ("Internal error occurred: move "
     "operation does not apply: doc is missing from path: /no/x: missing value")),
    (patch({"op": "test", "path": "/data/a", "value": "z"}),
     "Internal error occurred: testing value /data/a failed: test failed"),
    (patch({"op": "foo", "path": "/data/a"}), "Internal error occurred: Unexpected kind: foo"),
    (patch(3), f"{UNDECODABLE}number into Go value of type jsonpatch.Operation"),
    ({"allowed": True, "patch": "e30=", "patchType": "JSONPatch"},
     f"{UNDECODABLE}object into Go value of type jsonpatch.Patch"),
    ({"allowed": True, "patch": "W10="},
     f"{INVALID}webhook returned response.patch but not response.patchType"),
    ({"allowed": True, "patchType": "JSONPatch"},
     f"{INVALID}webhook returned response.patchType but not response.patch"),
    ({"allowed": True, "patch": "W3t9XQ==", "patchType": "Foo"},
     f'{CALLING}unsupported patch type "Foo"'),
]  # fmt: skip


def test_a_patch_that_does_not_apply(world):
    world.configure("mutating", world.hook())
    for response, message in BROKEN:
        world.on("one", response)
        answer = world.create()
        assert (answer.code, answer.message) == (500, message)


def test_what_a_webhook_makes_is_checked(world):
    world.configure("mutating", world.hook())
    world.on("one", patch({"op": "add", "path": "/metadata/labels", "value": {"no way": "x"}}))
    answer = world.create()
    assert answer.code == 422
    assert answer.message.startswith('ConfigMap "a" is invalid: metadata.labels: Invalid value: ')
    world.on("one", patch({"op": "add", "path": "/unknown", "value": "x"}, data("x", "y")))
    answer = world.create()
    assert answer.code == 201
    assert "unknown" not in answer.body


def test_a_webhook_sees_changes_of_a_pod_template_with_defaults(guarded, world):
    rule = {**CONFIGMAPS, "apiGroups": ["apps"], "resources": ["deployments"]}
    world.configure("mutating", world.hook(rules=[rule, CONFIGMAPS]))
    more = {"name": "more", "image": "y"}
    world.on("one", patch({"op": "add", "path": "/spec/template/spec/containers/-", "value": more}))
    spec = {
        "selector": {"matchLabels": {"a": "b"}},
        "template": {
            "metadata": {"labels": {"a": "b"}},
            "spec": {"containers": [{"name": "first", "image": "x"}]},
        },
    }
    path = f"/apis/apps/v1/namespaces/{world.namespace}/deployments"
    found = guarded.must("POST", path, {"metadata": {"name": "d"}, "spec": spec})
    (asked,) = world.asked()
    assert asked["object"]["spec"]["replicas"] == 1
    containers = found["spec"]["template"]["spec"]["containers"]
    assert [each["imagePullPolicy"] for each in containers] == ["Always", "Always"]


# --- Versions -------------------------------------------------------------------------------------


def definition(group):
    schema = {
        "type": "object",
        "properties": {"spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
    }
    versions = [
        {
            "name": name,
            "served": True,
            "storage": name == "v1",
            "schema": {"openAPIV3Schema": schema},
        }
        for name in ("v1", "v2")
    ]
    return {
        "metadata": {"name": f"things.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"plural": "things", "kind": "Thing"},
            "versions": versions,
        },
    }


def test_a_webhook_is_asked_in_its_own_version(guarded, world):
    group = f"{world.namespace}.example.com"
    crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    guarded.must("POST", crds, definition(group))
    world.made.append(f"{crds}/things.{group}")
    rule = {**CONFIGMAPS, "apiGroups": [group], "resources": ["things"]}
    seen = [{"op": "add", "path": "/spec", "value": {"seen": "v1"}}]
    world.on("one", patch(*seen))
    world.configure(
        "mutating",
        world.hook("one", rules=[rule]),
        world.hook("exact", rules=[rule], matchPolicy="Exact"),
    )
    path = f"/apis/{group}/v2/namespaces/{world.namespace}/things"
    body = {"apiVersion": f"{group}/v2", "kind": "Thing", "metadata": {"name": "t"}}
    answer = eventually(lambda: _created(guarded.ask("POST", path, body)))
    assert answer.body["apiVersion"] == f"{group}/v2"
    assert answer.body["spec"] == {"seen": "v1"}
    asked = world.asked()[-1]
    assert asked["object"]["apiVersion"] == f"{group}/v1"
    assert asked["kind"]["version"] == asked["resource"]["version"] == "v1"
    assert asked["requestKind"]["version"] == asked["requestResource"]["version"] == "v2"
    assert not world.asked("exact")


def _created(answer):
    return answer if answer.code == 201 else None
