"""From an event to the objects that need a look because of it."""

import copy

import pytest

from provider.kube import kinds
from provider.manager import routes
from provider.manager.cache import CLUSTER_LABEL, Cache, Key

CLUSTER = Key("OscCluster", "a", "demo")
MACHINES = {Key("OscMachine", "a", "one"), Key("OscMachine", "a", "two")}


def thing(kind, name, *, cluster="demo", namespace="a", spec=None, status=None, **metadata):
    return {
        "apiVersion": kind.api_version,
        "kind": kind.name,
        "metadata": {
            "namespace": namespace,
            "name": name,
            "uid": f"{kind.name}-{name}",
            "resourceVersion": "1",
            "labels": {CLUSTER_LABEL: cluster} if cluster else {},
            **metadata,
        },
        "spec": spec or {},
        "status": status or {},
    }


def reference(kind, name="demo"):
    return {"infrastructureRef": {"kind": kind.name, "name": name}}


def bootstrapped(name, data):
    spec = {"bootstrap": {"dataSecretName": data}, **reference(kinds.OSC_MACHINE, name)}
    return thing(kinds.MACHINE, name, spec=spec)


@pytest.fixture
def cache():
    made = Cache()
    made.osc_clusters.put(thing(kinds.OSC_CLUSTER, "demo"))
    made.osc_clusters.put(thing(kinds.OSC_CLUSTER, "other", cluster="other"))
    for name in ("one", "two"):
        made.osc_machines.put(thing(kinds.OSC_MACHINE, name))
        made.machines.put(bootstrapped(name, f"{name}-data"))
    made.osc_machines.put(thing(kinds.OSC_MACHINE, "one", namespace="b"))
    made.osc_machines.put(thing(kinds.OSC_MACHINE, "far", cluster="other"))
    return made


def changed(obj, **parts):
    """Return a newer version of an object with other parts."""
    new = copy.deepcopy(obj)
    for name, value in parts.items():
        new[name] = {**new.get(name, {}), **value}
    new["metadata"]["resourceVersion"] = "2"
    return new


def woken(cache, kind, old, new, *, is_echo=False):
    return routes.concerned(kind, old, new, cache, is_echo=is_echo)


def test_a_new_object_wakes_itself(cache):
    obj = thing(kinds.OSC_MACHINE_TEMPLATE, "small")
    key = Key("OscMachineTemplate", "a", "small")
    assert woken(cache, kinds.OSC_MACHINE_TEMPLATE, None, obj) == {key}


def test_a_version_that_is_known_wakes_nobody(cache):
    obj = cache.osc_clusters.get("a", "demo")
    assert woken(cache, kinds.OSC_CLUSTER, obj, obj) == set()


def test_an_echo_of_our_own_write_does_not_wake_its_object(cache):
    old = cache.osc_clusters.get("a", "demo")
    new = changed(old, status={"conditions": [1]})
    assert woken(cache, kinds.OSC_CLUSTER, old, new) == {CLUSTER}
    assert woken(cache, kinds.OSC_CLUSTER, old, new, is_echo=True) == set()


@pytest.mark.parametrize(
    "parts",
    [
        {"status": {"initialization": {"provisioned": True}}},
        {"status": {"resources": {"net": {"default": "vpc-1"}}}},
        {"metadata": {"deletionTimestamp": "now"}},
        {"metadata": {"annotations": {"cluster.x-k8s.io/paused": ""}}},
        {"spec": {"network": {}}},
    ],
)
def test_what_machines_depend_on_wakes_them_even_as_an_echo(cache, parts):
    old = cache.osc_clusters.get("a", "demo")
    assert woken(cache, kinds.OSC_CLUSTER, old, changed(old, **parts), is_echo=True) == MACHINES


@pytest.mark.parametrize(
    "parts",
    [
        {"spec": {"providerID": "aws:///a/i-1"}},
        {"metadata": {"deletionTimestamp": "now"}},
        {"status": {"resources": {"vm": {"default": "i-1"}}}},
    ],
)
def test_a_change_of_a_machine_does_not_wake_its_cluster(cache, parts):
    old = cache.osc_machines.get("a", "one")
    assert woken(cache, kinds.OSC_MACHINE, old, changed(old, **parts), is_echo=True) == set()


def test_a_machine_that_is_gone_wakes_a_cluster_that_waits_for_it(cache):
    old = cache.osc_machines.get("a", "one")
    assert CLUSTER not in woken(cache, kinds.OSC_MACHINE, old, None)
    going = changed(cache.osc_clusters.get("a", "demo"), metadata={"deletionTimestamp": "now"})
    cache.osc_clusters.put(going)
    assert CLUSTER in woken(cache, kinds.OSC_MACHINE, old, None)


def test_a_message_in_the_status_of_a_machine_wakes_nobody_else(cache):
    old = cache.osc_machines.get("a", "one")
    new = changed(old, status={"conditions": ["text"]})
    assert woken(cache, kinds.OSC_MACHINE, old, new) == {Key("OscMachine", "a", "one")}


@pytest.mark.parametrize(
    "parts",
    [
        {"spec": {"paused": True}},
        {"status": {"initialization": {"infrastructureProvisioned": True}}},
        {"status": {"infrastructureReady": True}},
        {"metadata": {"deletionTimestamp": "now"}},
    ],
)
def test_a_cluster_wakes_its_infrastructure_and_its_machines(cache, parts):
    old = thing(kinds.CLUSTER, "demo", cluster="", spec=reference(kinds.OSC_CLUSTER))
    assert woken(cache, kinds.CLUSTER, old, changed(old, **parts)) == {CLUSTER} | MACHINES


def test_a_cluster_of_another_infrastructure_wakes_nobody_of_ours(cache):
    spec = {"infrastructureRef": {"kind": "DockerCluster", "name": "demo"}}
    obj = thing(kinds.CLUSTER, "elsewhere", cluster="", spec=spec)
    assert woken(cache, kinds.CLUSTER, None, obj) == set()


def test_conditions_of_a_cluster_wake_nobody(cache):
    old = thing(kinds.CLUSTER, "demo", cluster="", spec=reference(kinds.OSC_CLUSTER))
    new = changed(old, status={"conditions": ["text"]})
    assert woken(cache, kinds.CLUSTER, old, new) == set()


def test_a_machine_of_the_core_wakes_the_one_it_refers_to(cache):
    new = thing(kinds.MACHINE, "core", spec=reference(kinds.OSC_MACHINE, "one"))
    assert woken(cache, kinds.MACHINE, None, new) == {Key("OscMachine", "a", "one")}


def test_a_bootstrap_secret_wakes_the_machine_that_waits_for_it(cache):
    secret = thing(kinds.SECRET, "one-data")
    assert woken(cache, kinds.SECRET, None, secret) == {Key("OscMachine", "a", "one")}
    assert woken(cache, kinds.SECRET, None, thing(kinds.SECRET, "unknown")) == set()


def test_a_secret_with_credentials_wakes_those_that_use_it(cache):
    old = cache.osc_clusters.get("a", "demo")
    cache.osc_clusters.put(changed(old, spec={"credentials": {"fromSecret": "tenant"}}))
    secret = thing(kinds.SECRET, "tenant", cluster="any")
    assert woken(cache, kinds.SECRET, None, secret) == {CLUSTER} | MACHINES
    elsewhere = thing(kinds.SECRET, "tenant", namespace="b", cluster="any")
    assert woken(cache, kinds.SECRET, None, elsewhere) == set()


def test_an_identity_its_secret_and_the_namespace_wake_those_that_use_it(cache):
    identity = thing(
        kinds.OSC_CLUSTER_IDENTITY,
        "shared",
        namespace="",
        cluster="",
        spec={"secretRef": {"namespace": "vault", "name": "keys"}},
    )
    cache.osc_cluster_identities.put(identity)
    old = cache.osc_clusters.get("a", "demo")
    used = {"identityRef": {"kind": "OscClusterIdentity", "name": "shared"}}
    cache.osc_clusters.put(changed(old, spec={"credentials": used}))
    secret = thing(kinds.SECRET, "keys", namespace="vault", cluster="")
    space = thing(kinds.NAMESPACE, "a", namespace="", cluster="")
    for kind, obj in (
        (kinds.OSC_CLUSTER_IDENTITY, identity),
        (kinds.SECRET, secret),
        (kinds.NAMESPACE, space),
    ):
        assert woken(cache, kind, None, obj) == {CLUSTER} | MACHINES


@pytest.mark.parametrize(
    ("labels", "wanted", "is_wanted"),
    [
        ({}, "", True),
        ({routes.WATCH_FILTER: "x"}, "", True),
        ({routes.WATCH_FILTER: "x"}, "x", True),
        ({routes.WATCH_FILTER: "y"}, "x", False),
        (None, "x", False),
    ],
)
def test_whose_an_object_is(labels, wanted, is_wanted):
    assert routes.is_wanted({"metadata": {"labels": labels}}, wanted) is is_wanted


# --- Whose credentials ---------------------------------------------------------------------------


def named(cache, name="demo", namespace="a", **credentials):
    """Let a cluster have these credentials; return what names them."""
    cluster = thing(kinds.OSC_CLUSTER, name, cluster=name, namespace=namespace)
    cache.osc_clusters.put({**cluster, "spec": {"credentials": credentials}})
    return routes.credentials_for(Key("OscCluster", namespace, name), cache)


def test_a_machine_has_the_credentials_of_its_cluster(cache):
    tenant = named(cache, fromSecret="tenant")
    assert {routes.credentials_for(each, cache) for each in MACHINES} == {tenant}
    far = routes.credentials_for(Key("OscMachine", "a", "far"), cache)
    assert far != tenant
    assert far == routes.credentials_for(Key("OscCluster", "a", "other"), cache)


def test_a_secret_is_that_of_its_namespace_and_all_else_is_the_same_everywhere(cache):
    here, there = (named(cache, namespace=each, fromSecret="tenant") for each in "ab")
    assert here != there
    identity = {"kind": "OscClusterIdentity", "name": "shared"}
    for other in ({}, {"identityRef": identity}, {"fromFile": "/keys", "profile": "two"}):
        here, there = (named(cache, namespace=each, **other) for each in "ab")
        assert here == there


def test_what_is_not_known_yet_counts_as_of_the_manager_itself(cache):
    for kind in ("OscCluster", "OscMachine", "OscMachineTemplate"):
        assert routes.credentials_for(Key(kind, "a", "new"), cache) == named(cache)
