"""The built-in kinds: tables, reading, conversion; what they refuse is in the contract suite."""

import pytest

from fakekube import builtin, kinds, status
from fakekube.kinds import autoscaling, checks, config, pods, schemas, services, typed

EVENT = {
    "kind": "Event",
    "apiVersion": "v1",
    "metadata": {"name": "e"},
    "involvedObject": {"kind": "Pod"},
    "message": "m",
    "source": {"component": "c"},
    "firstTimestamp": None,
    "lastTimestamp": None,
    "eventTime": None,
    "reportingComponent": "",
    "reportingInstance": "",
}


def find(plural, version="v1"):
    return next(r for r in kinds.resources() if (r.plural, r.version) == (plural, version))


def test_the_tables_are_small():
    folder = kinds.__path__[0]
    import pathlib

    assert sum(path.stat().st_size for path in pathlib.Path(folder).glob("*.json")) < 200_000


@pytest.mark.parametrize("resource", kinds.resources(), ids=lambda each: each.qualified)
def test_each_kind_has_a_type(resource):
    key = (resource.group, resource.version, resource.kind)
    assert key in schemas.of_kind()
    assert builtin.name_of(resource.api_version, resource.kind)


def test_each_hook_belongs_to_a_resource():
    assert set(kinds.KINDS) <= {f"{each.group}/{each.plural}" for each in kinds.resources()}


def test_schemas_refer_only_to_schemas():
    for name in schemas.table():
        assert schemas.referred(schemas.spelled_out(name)) <= set(schemas.table())


def test_unknown_fields_are_named_by_their_paths():
    pod = {"spec": {"containers": [{"name": "a", "x": 1}], "y": 2}, "z": 3, "metadata": {"q": 1}}
    assert typed.decode(pod, "v1", "Pod") == ["spec.containers[0].x", "spec.y", "z"]
    assert pod["metadata"] == {"q": 1}


def test_an_object_is_written_as_go_writes_it():
    obj = {"spec": {"replicas": 1, "paused": False, "template": None}, "metadata": {}}
    assert typed.decode(obj, "apps/v1", "Deployment") == []
    assert obj["spec"]["strategy"] == {}
    assert "paused" not in obj["spec"]


def test_a_type_that_nobody_knows_is_left_alone():
    obj = {"a": 1}
    assert typed.decode(obj, "example.com/v1", "Thing") == []
    assert obj == {"a": 1}


def test_an_event_survives_both_conversions():
    there = config.convert_event(EVENT, "v1", "events.k8s.io/v1")
    assert there["note"] == "m"
    assert config.convert_event(there, "events.k8s.io/v1", "v1") == EVENT


def test_an_autoscaler_survives_both_conversions():
    first = {"apiVersion": "autoscaling/v1", "spec": {"targetCPUUtilizationPercentage": 30}}
    second = autoscaling.convert(first, "autoscaling/v1", "autoscaling/v2")
    assert second["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"] == 30
    back = autoscaling.convert(second, "autoscaling/v2", "autoscaling/v1")
    assert back["spec"] == first["spec"]


def quality(*containers):
    return pods.quality({"containers": [{"resources": each} for each in containers]})


def test_the_quality_of_service_follows_from_the_resources():
    whole = {"cpu": "1", "memory": "1Gi"}
    assert quality({}) == "BestEffort"
    assert quality({"limits": whole, "requests": whole}) == "Guaranteed"
    assert quality({"limits": whole, "requests": whole}, {}) == "Burstable"
    assert quality({"requests": {"cpu": "1"}}) == "Burstable"


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("a", "Always"),
        ("a:latest", "Always"),
        ("host:5000/a", "Always"),
        ("a:v1", "IfNotPresent"),
        ("a@sha256:0", "IfNotPresent"),
    ],
)
def test_the_pull_policy_follows_from_the_tag(image, policy):
    spec = {"containers": [{"image": image}]}
    pods.default_spec(spec)
    assert spec["containers"][0]["imagePullPolicy"] == policy


@pytest.mark.parametrize(
    ("spec", "state", "wanted", "seconds"),
    [
        ({"terminationGracePeriodSeconds": 30}, {}, None, 0),
        ({"terminationGracePeriodSeconds": 30, "nodeName": "n"}, {}, None, 30),
        ({"terminationGracePeriodSeconds": 30, "nodeName": "n"}, {}, 5, 5),
        ({"terminationGracePeriodSeconds": 30, "nodeName": "n"}, {}, -1, 1),
        ({"nodeName": "n"}, {"phase": "Succeeded"}, 5, 0),
    ],
)
def test_only_a_pod_on_a_node_takes_time_to_end(spec, state, wanted, seconds):
    assert pods.grace_s({"spec": spec, "status": state}, wanted) == seconds


def service(name, **spec):
    obj = {"metadata": {"name": name}, "spec": {"ports": [{"port": 80}], **spec}}
    services.default_service(obj)
    services.prepare_create(obj)
    return obj["spec"]


def test_a_service_gets_the_same_address_in_every_run():
    assert service("a")["clusterIP"] == service("a")["clusterIP"] != service("b")["clusterIP"]
    assert service("a", type="NodePort")["ports"][0]["nodePort"] in services.NODE_PORTS


def test_a_service_keeps_its_address():
    old = {"metadata": {"name": "a"}, "spec": service("a", type="NodePort")}
    new = {"metadata": {"name": "a"}, "spec": {"ports": [{"port": 80}]}}
    services.default_service(new)
    services.prepare_update(new, old)
    assert new["spec"]["clusterIP"] == old["spec"]["clusterIP"]
    assert "nodePort" not in new["spec"]["ports"][0]


@pytest.mark.parametrize(
    ("name", "count"), [("http", 0), ("a" * 16, 1), ("A", 2), ("8", 1), ("a--b", 1), ("-a", 1)]
)
def test_names_of_ports_are_checked(name, count):
    assert len(checks.port_name(name)) == count


@pytest.mark.parametrize(
    ("selector", "selects"),
    [
        (None, False),
        ({}, True),
        ({"matchLabels": {"a": "b"}}, True),
        ({"matchLabels": {"a": "c"}}, False),
        ({"matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}]}, True),
        ({"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["b"]}]}, False),
        ({"matchExpressions": [{"key": "a", "operator": "Exists"}]}, True),
        ({"matchExpressions": [{"key": "a", "operator": "DoesNotExist"}]}, False),
    ],
)
def test_a_selector_selects_labels(selector, selects):
    assert checks.selects(selector, {"a": "b"}) is selects


def test_field_selectors_read_what_is_not_there():
    pod, node = find("pods").selectable, find("nodes").selectable
    assert pod["spec.nodeName"]({}) == ""
    assert node["spec.unschedulable"]({}) == "false"
    assert node["spec.unschedulable"]({"spec": {"unschedulable": True}}) == "true"


def test_a_priority_must_not_be_made_up():
    obj = {"metadata": {"name": "p"}, "spec": {"containers": [], "priority": 3}}
    with pytest.raises(status.ApiError, match="must not be provided in pod spec"):
        pods.prepare_create(obj)
