"""Tables: ages, paths, and cells that no sample of the contract suite has."""

import pytest

from fakekube import kinds, status, tables
from fakekube.resource import Column
from fakekube.tables import ages, jsonpath, pods, workloads

NOW = 1_704_067_200.0
THEN = "2024-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "<invalid>"),
        (-0.5, "0s"),
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (185, "3m5s"),
        (600, "10m"),
        (3 * 3600 - 1, "179m"),
        (3 * 3600, "3h"),
        (3 * 3600 + 120, "3h2m"),
        (8 * 3600, "8h"),
        (47 * 3600, "47h"),
        (48 * 3600, "2d"),
        (49 * 3600, "2d1h"),
        (8 * 86400, "8d"),
        (729 * 86400, "729d"),
        (730 * 86400, "2y"),
        (800 * 86400, "2y70d"),
        (8 * 365 * 86400, "8y"),
    ],
)
def test_a_duration_has_two_units_at_most(seconds, text):
    assert ages.human(seconds) == text


@pytest.mark.parametrize(("stamp", "text"), [(None, "<unknown>"), ("x", "<unknown>"), (THEN, "0s")])
def test_an_age_is_told_from_a_time(stamp, text):
    assert ages.age(stamp, NOW) == text


OBJ = {
    "a": {"b.c": 1, "d": [{"n": "x", "v": 1}, {"n": "y", "v": 2}], "e": {"f": 1, "g": 2}},
    "t": [1, 2, 3],
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (".a.d[0].n", ["x"]),
        ("{.a.d[-1].n}", ["y"]),
        (".a.d[*].v", [1, 2]),
        (".a['b.c']", [1]),
        (".a.b\\.c", [1]),
        ('.a.d[?(@.n=="y")].v', [2]),
        (".a.d[?(@.v>1)].n", ["y"]),
        (".a.d[?(@.v!='x')].n", ["x", "y"]),
        (".a.d[?(@.none)].n", []),
        (".a.e.*", [1, 2]),
        ("..v", [1, 2]),
        (".t[0:2]", [1, 2]),
        (".t[5]", []),
        (".none.deeper", []),
        ("!", []),
    ],
)
def test_a_path_finds_values(path, found):
    assert jsonpath.compiled(path)(OBJ) == found


def custom(kind, value):
    row = tables.custom((Column("X", kind, ".v"),))
    return row({"metadata": {"name": "n"}, "v": value}, NOW)[1]


@pytest.mark.parametrize(
    ("kind", "value", "cell"),
    [
        ("string", True, "true"),
        ("string", {"b": 1}, '{"b":1}'),
        ("string", None, None),
        ("integer", 3, 3),
        ("integer", "3", None),
        ("integer", True, None),
        ("number", 1.5, 1.5),
        ("boolean", "x", None),
        ("boolean", False, False),
        ("date", THEN, "0s"),
        ("date", "x", "<invalid>"),
    ],
)
def test_a_cell_has_the_type_of_its_column(kind, value, cell):
    assert custom(kind, value) == cell


def pod(spec=None, meta=None, **state):
    spec = {"containers": [{"name": "a"}], **(spec or {})}
    return {"kind": "Pod", "metadata": {"name": "p", **(meta or {})}, "spec": spec, "status": state}


def container(**state):
    return {"name": "a", "restartCount": 0, "ready": False, **state}


ENDED = {"terminated": {"exitCode": 0, "reason": "Completed"}}
INITS = {"initContainers": [{"name": "i"}, {"name": "j"}]}


@pytest.mark.parametrize(
    ("obj", "ready", "word"),
    [
        (pod(phase="Pending"), "0/1", "Pending"),
        (pod(phase="Failed", reason="Evicted"), "0/1", "Evicted"),
        (pod(meta={"deletionTimestamp": THEN}, phase="Running"), "0/1", "Terminating"),
        (pod(meta={"deletionTimestamp": THEN}, reason="NodeLost"), "0/1", "Unknown"),
        (pod(meta={"deletionTimestamp": THEN}, phase="Succeeded"), "0/1", "Succeeded"),
        (
            pod(conditions=[{"type": "PodScheduled", "reason": "SchedulingGated"}]),
            "0/1",
            "SchedulingGated",
        ),
        (
            pod(containerStatuses=[container(ready=True, state={"running": {}})], phase="Running"),
            "1/1",
            "Running",
        ),
        (
            pod(containerStatuses=[container(state={"terminated": {"exitCode": 3}})]),
            "0/1",
            "ExitCode:3",
        ),
        (
            pod(containerStatuses=[container(state={"terminated": {"exitCode": 1, "signal": 9}})]),
            "0/1",
            "Signal:9",
        ),
        (
            pod(INITS, initContainerStatuses=[container(name="i", state={"running": {}})]),
            "0/1",
            "Init:0/2",
        ),
        (
            pod(INITS, initContainerStatuses=[
                container(name="i", state=ENDED),
                container(name="j", state={"waiting": {"reason": "ErrImagePull"}}),
            ]),
            "0/1",
            "Init:ErrImagePull",
        ),
        (
            pod(INITS, initContainerStatuses=[container(state={"terminated": {"exitCode": 2}})]),
            "0/1",
            "Init:ExitCode:2",
        ),
        (
            pod(
                {"containers": [{}, {}]},
                containerStatuses=[
                    container(state=ENDED),
                    container(ready=True, state={"running": {}}),
                ],
            ),
            "1/2",
            "NotReady",
        ),
    ],
)  # fmt: skip
def test_a_pod_is_summed_up_in_a_word(obj, ready, word):
    assert pods.row(obj, NOW)[1:3] == [ready, word]


def test_restarts_tell_when_the_last_one_was():
    last = {"terminated": {"finishedAt": THEN}}
    found = pod(containerStatuses=[container(restartCount=2, lastState=last)])
    assert pods.row(found, NOW + 60)[3] == "2 (60s ago)"


def test_a_sidecar_counts_among_the_containers():
    spec = {"initContainers": [{"name": "s", "restartPolicy": "Always"}]}
    state = [container(name="s", started=True, ready=True, restartCount=1)]
    assert pods.row(pod(spec, initContainerStatuses=state), NOW)[1:4] == ["1/2", "", "1"]


@pytest.mark.parametrize(("phase", "count"), [("Succeeded", 1), ("Failed", 1), ("Running", 0)])
def test_the_row_of_a_pod_that_ended_says_so(phase, count):
    assert len(pods.conditions(pod(phase=phase))) == count


def service(kind, **rest):
    ports = [{"port": 80, "protocol": "TCP", "nodePort": 30000}]
    spec = {"type": kind, "clusterIP": "10.0.0.1", "ports": ports}
    return workloads.service({"metadata": {"name": "s"}, "spec": spec, **rest}, NOW)[2:5]


def test_a_balanced_service_shows_who_balances():
    found = {"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}, {"hostname": "a.b"}]}}
    assert service("LoadBalancer") == ["10.0.0.1", "<pending>", "80:30000/TCP"]
    assert service("LoadBalancer", status=found)[1] == "1.2.3.4,a.b"


def test_a_selector_is_a_text():
    terms = [
        {"key": "a", "operator": "In", "values": ["y", "x"]},
        {"key": "b", "operator": "NotIn", "values": ["z"]},
        {"key": "c", "operator": "Exists"},
        {"key": "d", "operator": "DoesNotExist"},
    ]
    found = workloads.selector({"matchLabels": {"e": "f"}, "matchExpressions": terms})
    assert found == "e=f,a in (x,y),b notin (z),c,!d"


def test_a_kind_without_cells_of_its_own_shows_its_age():
    resource = next(each for each in kinds.resources() if each.plural == "limitranges")
    obj = {"metadata": {"name": "n", "creationTimestamp": THEN}}
    found = tables.table(resource, [obj], {}, NOW)
    assert found["rows"][0]["cells"] == ["n", THEN]


def test_what_to_include_must_be_known():
    resource = kinds.resources()[0]
    with pytest.raises(status.ApiError, match="includeObject"):
        tables.table(resource, [], {}, NOW, include="x")
