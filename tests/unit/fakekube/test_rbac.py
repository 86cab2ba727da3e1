"""Roles and bindings, without a server."""

import contextlib

import pytest

from fakekube import authn, clock, escalation, paths, policy, rbac, status, store
from fakekube.call import Call
from fakekube.resource import Resource

BOB = authn.known("bob", ["devs"])
ROBOT = authn.User("system:serviceaccount:here:robot", authn.service_account_groups("here"))


def rule(verbs="get", resources="pods", groups="", **more):
    split = {"verbs": verbs, "resources": resources, "apiGroups": groups}
    return {key: value.split(",") for key, value in split.items()} | more


def urls(*found, verbs=("get",)):
    return {"verbs": list(verbs), "nonResourceURLs": list(found)}


def obj(name, namespace="", **more):
    meta = {"name": name} | ({"namespace": namespace} if namespace else {})
    return {"metadata": meta, **more}


def subject(kind, name, **more):
    return {"kind": kind, "name": name, **more}


class World:
    """A store with roles and bindings."""

    def __init__(self):
        self.store = store.Store()
        self.authorizer = rbac.Authorizer(self.store)

    def bind(self, *rules, namespace="", subject_=None, name="b", is_cluster_role=False):
        to = subject_ or subject("User", "bob")
        role = "ClusterRole" if is_cluster_role or not namespace else "Role"
        tables = (rbac.CLUSTER_ROLES, rbac.CLUSTER_BINDINGS)
        if namespace:
            tables = (rbac.CLUSTER_ROLES if is_cluster_role else rbac.ROLES, rbac.BINDINGS)
        place = "" if role == "ClusterRole" else namespace
        self.store.create(tables[0], obj(name, place, rules=list(rules)))
        binding = obj(name, namespace, roleRef={"kind": role, "name": name}, subjects=[to])
        return self.store.create(tables[1], binding)

    def may(self, method, path, user=BOB):
        return self.authorizer.authorize(user, paths.parse_path(method, path)).is_allowed


@pytest.fixture
def world():
    return World()


PODS = "/api/v1/namespaces/here/pods"
MATCHES = [
    (rule(), "GET", f"{PODS}/p", True),
    (rule(), "GET", PODS, False),
    (rule("*"), "DELETE", PODS, True),
    (rule("list"), "GET", "/api/v1/pods", True),
    (rule(resources="*"), "GET", f"{PODS}/p/log", True),
    (rule(), "GET", f"{PODS}/p/log", False),
    (rule(resources="pods/log"), "GET", f"{PODS}/p/log", True),
    (rule(resources="pods/log"), "GET", f"{PODS}/p", False),
    (rule(resources="*/log"), "GET", f"{PODS}/p/log", True),
    (rule(resources="pods/*"), "GET", f"{PODS}/p/log", False),
    (rule(groups="apps"), "GET", f"{PODS}/p", False),
    (rule(groups="*"), "GET", f"{PODS}/p", True),
    (rule(resourceNames=["p"]), "GET", f"{PODS}/p", True),
    (rule(resourceNames=["p"]), "GET", f"{PODS}/q", False),
    (rule("list", resourceNames=["p"]), "GET", PODS, False),
    (urls("/metrics"), "GET", "/metrics", True),
    (urls("/metrics"), "POST", "/metrics", False),
    (urls("/a/*"), "GET", "/a/b/c", True),
    (urls("/a/*"), "GET", "/a", False),
    (urls("*"), "GET", "/anything", True),
    (urls("*"), "GET", f"{PODS}/p", False),
]


@pytest.mark.parametrize(("granted", "method", "path", "is_allowed"), MATCHES)
def test_a_rule_covers_what_it_says(world, granted, method, path, is_allowed):
    world.bind(granted)
    assert world.may(method, path) is is_allowed


def test_a_named_rule_is_found_when_others_were_asked_first(world):
    world.bind(rule(resourceNames=["p"]))
    assert not world.may("GET", f"{PODS}/q")
    assert world.may("GET", f"{PODS}/p")
    assert not world.may("GET", f"{PODS}/q")


SUBJECTS = [
    (subject("User", "bob"), BOB, True),
    (subject("User", "eve"), BOB, False),
    (subject("Group", "devs"), BOB, True),
    (subject("Group", "system:authenticated"), BOB, True),
    (subject("Group", "bob"), BOB, False),
    (subject("ServiceAccount", "robot", namespace="here"), ROBOT, True),
    (subject("ServiceAccount", "robot", namespace="there"), ROBOT, False),
    (subject("ServiceAccount", "robot"), ROBOT, True),
    (subject("Group", "system:serviceaccounts:here"), ROBOT, True),
    (subject("User", "system:serviceaccount:here:robot"), ROBOT, True),
]


@pytest.mark.parametrize(("bound", "user", "is_allowed"), SUBJECTS)
def test_a_binding_is_about_its_subjects(world, bound, user, is_allowed):
    world.bind(rule(), namespace="here", subject_=bound)
    assert world.may("GET", f"{PODS}/p", user) is is_allowed


def test_an_account_of_a_cluster_binding_needs_its_namespace(world):
    world.bind(rule(), subject_=subject("ServiceAccount", "robot"))
    assert not world.may("GET", f"{PODS}/p", ROBOT)


def test_a_binding_holds_in_its_namespace(world):
    world.bind(rule("get,list"), namespace="here", is_cluster_role=True)
    assert world.may("GET", f"{PODS}/p")
    assert not world.may("GET", "/api/v1/namespaces/there/pods/p")
    assert not world.may("GET", "/api/v1/pods")


def test_a_change_holds_at_once(world):
    record = world.bind(rule())
    assert world.may("GET", f"{PODS}/p")
    world.store.delete(rbac.CLUSTER_BINDINGS, record)
    assert not world.may("GET", f"{PODS}/p")
    role = world.store.get(rbac.CLUSTER_ROLES, "", "b")
    world.store.create(rbac.CLUSTER_BINDINGS, record.copy())
    assert world.may("GET", f"{PODS}/p")
    world.store.update(rbac.CLUSTER_ROLES, {**role.copy(), "rules": [rule("list")]}, role)
    assert not world.may("GET", f"{PODS}/p")


def test_masters_may_everything(world):
    master = authn.known("root", [authn.MASTERS])
    assert world.may("DELETE", "/api/v1/nodes", master)
    assert world.may("POST", "/anything", master)


def test_a_switch_turns_it_off():
    authorizer = rbac.Authorizer(store.Store(), is_on=False)
    info = paths.parse_path("GET", PODS)
    assert authorizer.authorize(authn.NOBODY, info) == rbac.ALLOWED


def test_the_memory_is_bounded(world, monkeypatch):
    monkeypatch.setattr(rbac, "REMEMBERED", 10)
    for number in range(50):
        world.may("GET", f"/api/v1/namespaces/n{number}/pods/p")
    assert len(world.authorizer._decisions) <= 10
    assert len(world.authorizer._grants) <= 11


# --- Roles made of others -------------------------------------------------------------------------


def test_a_role_gathers_the_rules_of_others():
    world = World()
    policy.Policy(world.store)
    selector = {"matchLabels": {"to": "all"}}
    whole = obj("all", aggregationRule={"clusterRoleSelectors": [selector]})
    world.store.create(rbac.CLUSTER_ROLES, whole)
    part = obj("part", rules=[rule()])
    part["metadata"]["labels"] = {"to": "all"}
    record = world.store.create(rbac.CLUSTER_ROLES, part)
    assert world.store.get(rbac.CLUSTER_ROLES, "", "all").obj["rules"] == [rule()]
    world.store.delete(rbac.CLUSTER_ROLES, record)
    assert world.store.get(rbac.CLUSTER_ROLES, "", "all").obj["rules"] == []


def test_the_first_roles_are_whole():
    objects = store.Store()
    policy.Policy(objects).install(clock.Clock(rate=0), clock.Chance(1))
    admin, edit, view = (
        objects.get(rbac.CLUSTER_ROLES, "", name).obj["rules"] for name in ("admin", "edit", "view")
    )
    assert all(each in edit for each in view)
    assert all(each in admin for each in edit)
    assert {len(objects.table(table).records) for table in rbac.TABLES} == {7, 49, 68}


@pytest.mark.parametrize(
    "spelled",
    ["get,list core,apps pods,pods/log", "* * *", "* *", "get /api,/api/*", "get core secrets a,b"],
)
def test_a_rule_is_spelled_as_it_is_read(spelled):
    assert policy.spelled(policy.rule(spelled)) == spelled


# --- Escalation -----------------------------------------------------------------------------------


def call(plural, name="new", namespace="", user=BOB):
    kind = {"roles": "Role", "clusterroles": "ClusterRole"}.get(plural, "Binding")
    namespaced = bool(namespace)
    resource = Resource(rbac.GROUP, "v1", plural, kind, namespaced=namespaced)
    place = f"namespaces/{namespace}/" if namespace else ""
    info = paths.parse_path("PUT", f"/apis/{rbac.GROUP}/v1/{place}{plural}/{name}")
    return Call(info, resource, {}, user)


COVERED = [
    (rule(), rule(), True),
    (rule("*"), rule("get,list"), True),
    (rule("get"), rule("get,list"), False),
    (rule(resources="*"), rule(resources="pods,pods/log"), True),
    (rule(resources="*/log"), rule(resources="pods/log"), True),
    (rule(groups="*"), rule(groups=",apps"), True),
    (rule(), rule(resourceNames=["a"]), True),
    (rule(resourceNames=["a"]), rule(resourceNames=["a"]), True),
    (rule(resourceNames=["a"]), rule(), False),
    (urls("/a/*"), urls("/a/b"), True),
    (urls("/a/b"), urls("/a/*"), False),
    (urls("*"), urls("*", "/x"), True),
]


@pytest.mark.parametrize(("held", "wanted", "is_fine"), COVERED)
def test_nobody_grants_more_than_he_has(world, held, wanted, is_fine):
    world.bind(held)
    refused = pytest.raises(status.ApiError, match="not currently held")
    with contextlib.nullcontext() if is_fine else refused:
        escalation.check(world.authorizer, call("clusterroles"), obj("new", rules=[wanted]), None)


def test_garbage_collection_escalates_nothing(world):
    old = obj("new", rules=[rule("*")])
    new = {**old, "metadata": {"name": "new", "finalizers": ["a.b/c"]}}
    escalation.check(world.authorizer, call("clusterroles"), new, old)


def test_who_may_escalate_may(world):
    world.bind(rule("escalate", "clusterroles", rbac.GROUP))
    escalation.check(world.authorizer, call("clusterroles"), obj("new", rules=[rule("*")]), None)


def test_masters_escalate(world):
    asked = call("clusterroles", user=authn.known("root", [authn.MASTERS]))
    escalation.check(world.authorizer, asked, obj("new", rules=[rule("*")]), None)
