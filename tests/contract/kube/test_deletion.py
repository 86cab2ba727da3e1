"""Deletion: finalizers, preconditions, propagation, namespaces, eviction."""

import pytest

from tests.contract.kube.client import config_map, eventually


def owned_by(owner, **more):
    mine = owner["metadata"]
    row = {"apiVersion": "v1", "kind": "ConfigMap", "name": mine["name"], "uid": mine["uid"]}
    return [{**row, **more}]


def test_a_deleted_object_is_gone(kube, maps):
    obj = kube.must("POST", maps, config_map("one"))
    done = kube.must("DELETE", f"{maps}/one")
    assert (done["kind"], done["status"]) == ("Status", "Success")
    uid = obj["metadata"]["uid"]
    assert done["details"] == {"name": "one", "kind": "configmaps", "uid": uid}
    assert kube.refused("DELETE", f"{maps}/one")["code"] == 404


def test_finalizers_hold_an_object(kube, maps):
    path = f"{maps}/one"
    kube.must("POST", maps, config_map("one", finalizers=["example.com/a", "example.com/b"]))
    marked = kube.must("DELETE", path)["metadata"]
    assert marked["deletionTimestamp"]
    assert marked["deletionGracePeriodSeconds"] == 0
    again = kube.must("DELETE", path)["metadata"]
    assert again["resourceVersion"] == marked["resourceVersion"]
    more = {"metadata": {"finalizers": ["example.com/a", "example.com/c"]}}
    problem = kube.refused("PATCH", path, more)
    assert problem["code"] == 422
    assert "no new finalizers can be added" in problem["message"]
    kube.must("PATCH", path, {"metadata": {"finalizers": ["example.com/b"]}})
    assert kube.has(path)
    last = kube.must("PATCH", path, {"metadata": {"finalizers": None}})
    assert "finalizers" not in last["metadata"]
    assert not kube.has(path)


def test_preconditions_guard_a_deletion(kube, maps):
    obj = kube.must("POST", maps, config_map("one"))
    for conditions in ({"uid": "x"}, {"resourceVersion": "1"}):
        problem = kube.refused("DELETE", f"{maps}/one", {"preconditions": conditions})
        assert (problem["code"], problem["reason"]) == (409, "Conflict")
    mine = obj["metadata"]
    good = {"uid": mine["uid"], "resourceVersion": mine["resourceVersion"]}
    kube.must("DELETE", f"{maps}/one", {"preconditions": good})


@pytest.mark.parametrize(
    "options",
    [
        {"propagationPolicy": "Sideways"},
        {"propagationPolicy": "Orphan", "orphanDependents": True},
        {"dryRun": ["Some"]},
    ],
)
def test_bad_options_of_a_deletion_are_refused(kube, maps, options):
    kube.must("POST", maps, config_map("one"))
    problem = kube.refused("DELETE", f"{maps}/one", options)
    assert problem["code"] == 422
    assert problem["message"].startswith('DeleteOptions.meta.k8s.io "" is invalid')


def test_many_are_deleted_at_once(kube, maps):
    for name in ("one", "two"):
        kube.must("POST", maps, config_map(name, labels={"x": "y"}))
    kube.must("POST", maps, config_map("three"))
    done = kube.must("DELETE", maps, labelSelector="x=y")
    assert done["kind"] == "ConfigMapList"
    assert [each["metadata"]["name"] for each in done["items"]] == ["one", "two"]
    left = kube.must("GET", maps)["items"]
    assert [each["metadata"]["name"] for each in left] == ["three"]


def test_dependents_follow_their_owner(kube, maps):
    owner = kube.must("POST", maps, config_map("owner"))
    kube.must("POST", maps, config_map("dependent", ownerReferences=owned_by(owner)))
    kube.must("DELETE", f"{maps}/owner")
    eventually(lambda: not kube.has(f"{maps}/dependent"))


def test_a_dependent_with_a_second_owner_stays(kube, maps):
    owners = [kube.must("POST", maps, config_map(name)) for name in ("first", "second")]
    references = [row for owner in owners for row in owned_by(owner)]
    kube.must("POST", maps, config_map("dependent", ownerReferences=references))
    kube.must("DELETE", f"{maps}/first")

    def owner_names():
        mine = kube.must("GET", f"{maps}/dependent")["metadata"]
        return [row["name"] for row in mine["ownerReferences"]]

    eventually(lambda: owner_names() == ["second"])


def test_dependents_can_be_orphaned(kube, maps):
    owner = kube.must("POST", maps, config_map("owner"))
    kube.must("POST", maps, config_map("dependent", ownerReferences=owned_by(owner)))
    # The collector of the real server is to have seen the dependent.
    eventually(lambda: kube.has(f"{maps}/dependent"))
    kube.must("DELETE", f"{maps}/owner", {"propagationPolicy": "Orphan"})
    eventually(lambda: not kube.has(f"{maps}/owner"))
    assert "ownerReferences" not in kube.must("GET", f"{maps}/dependent")["metadata"]


def test_an_owner_can_wait_for_its_dependents(kube, maps):
    owner = kube.must("POST", maps, config_map("owner"))
    references = owned_by(owner, blockOwnerDeletion=True)
    body = config_map("dependent", ownerReferences=references, finalizers=["example.com/a"])
    kube.must("POST", maps, body)
    kube.must("POST", maps, config_map("free", ownerReferences=owned_by(owner)))
    marked = kube.must("DELETE", f"{maps}/owner", propagationPolicy="Foreground")
    assert marked["metadata"]["finalizers"] == ["foregroundDeletion"]

    def dependent():
        return kube.must("GET", f"{maps}/dependent")["metadata"]

    eventually(lambda: dependent().get("deletionTimestamp"))
    eventually(lambda: not kube.has(f"{maps}/free"))
    assert kube.has(f"{maps}/owner")
    kube.must("PATCH", f"{maps}/dependent", {"metadata": {"finalizers": None}})
    eventually(lambda: not kube.has(f"{maps}/owner"))


def test_an_object_of_no_owner_goes(kube, maps):
    rows = owned_by({"metadata": {"name": "nobody", "uid": "00000000"}})
    kube.must("POST", maps, config_map("dependent", ownerReferences=rows))
    eventually(lambda: not kube.has(f"{maps}/dependent"))


def test_a_namespace_takes_its_content_along(kube, namespace, maps):
    kube.must("POST", maps, config_map("held", finalizers=["example.com/a"]))
    kube.must("POST", maps, config_map("free"))
    path = f"/api/v1/namespaces/{namespace}"
    gone = kube.must("DELETE", path)
    assert gone["status"]["phase"] == "Terminating"
    eventually(lambda: not kube.has(f"{maps}/free"), within_s=60)
    problem = kube.refused("POST", maps, config_map("late"))
    assert (problem["code"], problem["reason"]) == (403, "Forbidden")
    assert problem["details"]["causes"][0]["reason"] == "NamespaceTerminating"

    def remaining():
        rows = kube.must("GET", path)["status"].get("conditions", ())
        return {row["type"]: row["message"] for row in rows if row["status"] == "True"}

    eventually(lambda: "NamespaceFinalizersRemaining" in remaining(), within_s=60)
    assert remaining() == {
        "NamespaceContentRemaining": (
            "Some resources are remaining: configmaps. has 1 resource instances"
        ),
        "NamespaceFinalizersRemaining": (
            "Some content in the namespace has finalizers remaining: "
            "example.com/a in 1 resource instances"
        ),
    }
    kube.must("PATCH", f"{maps}/held", {"metadata": {"finalizers": None}})
    eventually(lambda: not kube.has(path), within_s=60)


def test_the_finalizers_of_a_namespace_have_a_door_of_their_own(kube):
    body = {"metadata": {"generateName": "held-"}, "spec": {"finalizers": ["example.com/a"]}}
    obj = kube.must("POST", "/api/v1/namespaces", body)
    assert set(obj["spec"]["finalizers"]) == {"example.com/a", "kubernetes"}
    path = f"/api/v1/namespaces/{obj['metadata']['name']}"
    kube.must("PATCH", path, {"spec": {"finalizers": []}})
    assert kube.must("GET", path)["spec"] == obj["spec"]
    kube.must("DELETE", path)

    def finalizers():
        return kube.must("GET", path)["spec"].get("finalizers")

    eventually(lambda: finalizers() == ["example.com/a"], within_s=60)
    kube.must("PUT", f"{path}/finalize", {**kube.must("GET", path), "spec": {}})
    assert not kube.has(path)


def test_some_namespaces_stay(kube):
    problem = kube.refused("DELETE", "/api/v1/namespaces/default")
    assert (problem["code"], problem["reason"]) == (403, "Forbidden")


def pod(name, **spec):
    spec = {"containers": [{"name": "c", "image": "i"}], **spec}
    return {"metadata": {"name": name, "labels": {"app": "x"}}, "spec": spec}


def test_pods_on_a_node_take_their_time(kube, namespace):
    pods = f"/api/v1/namespaces/{namespace}/pods"
    kube.must("POST", pods, pod("free"))
    kube.must("DELETE", f"{pods}/free")
    assert not kube.has(f"{pods}/free")
    kube.must("POST", pods, pod("bound", nodeName="n"))
    marked = kube.must("DELETE", f"{pods}/bound")["metadata"]
    assert marked["deletionGracePeriodSeconds"] == 30
    kube.must("DELETE", f"{pods}/bound", {"gracePeriodSeconds": 0})
    assert not kube.has(f"{pods}/bound")


def test_a_budget_holds_an_eviction(kube, namespace):
    pods = f"/api/v1/namespaces/{namespace}/pods"
    budgets = f"/apis/policy/v1/namespaces/{namespace}/poddisruptionbudgets"
    kube.must("POST", pods, pod("one", nodeName="n"))
    ready = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
    kube.must("PATCH", f"{pods}/one/status", {"status": ready})
    spec = {"minAvailable": 1, "selector": {"matchLabels": {"app": "x"}}}
    kube.must("POST", budgets, {"metadata": {"name": "b"}, "spec": spec})
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "one"}}

    def refusal():
        problem = kube.refused("POST", f"{pods}/one/eviction", eviction)
        assert (problem["code"], problem["reason"]) == (429, "TooManyRequests")
        cause = problem["details"]["causes"][0]
        assert cause["reason"] == "DisruptionBudget"
        return cause["message"]

    assert refusal() == "The disruption budget b is still being processed by the server."
    seen = {"observedGeneration": 1, "desiredHealthy": 1, "currentHealthy": 1, "expectedPods": 1}
    kube.must("PATCH", f"{budgets}/b/status", {"status": {**seen, "disruptionsAllowed": 0}})
    assert refusal() == "The disruption budget b needs 1 healthy pods and has 1 currently"
    more = {"disruptionsAllowed": 1, "currentHealthy": 2}
    kube.must("PATCH", f"{budgets}/b/status", {"status": more})
    kube.must("POST", f"{pods}/one/eviction", eviction, dryRun="All")
    assert kube.must("POST", f"{pods}/one/eviction", eviction)["status"] == "Success"
    assert kube.must("GET", f"{pods}/one")["metadata"]["deletionTimestamp"]
    found = kube.must("GET", f"{budgets}/b")["status"]
    assert (found["disruptionsAllowed"], list(found["disruptedPods"])) == (0, ["one"])
