"""Objects in protobuf: what is written can be read, and nothing that is sent breaks the reader."""

import base64
import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakekube import builtin, protobuf
from fakekube.builtin import normal
from fakekube.protobuf import wire

# What the protobuf codec is promised for.
KINDS = """
    v1/Namespace v1/Secret v1/ConfigMap v1/ServiceAccount v1/Event v1/Node v1/Pod v1/Service
    v1/Endpoints v1/PersistentVolume v1/PersistentVolumeClaim v1/Status v1/DeleteOptions
    apps/v1/Deployment apps/v1/DaemonSet apps/v1/ReplicaSet apps/v1/StatefulSet batch/v1/Job
    coordination.k8s.io/v1/Lease discovery.k8s.io/v1/EndpointSlice events.k8s.io/v1/Event
    rbac.authorization.k8s.io/v1/Role rbac.authorization.k8s.io/v1/RoleBinding
    rbac.authorization.k8s.io/v1/ClusterRole rbac.authorization.k8s.io/v1/ClusterRoleBinding
    policy/v1/PodDisruptionBudget policy/v1/Eviction storage.k8s.io/v1/VolumeAttachment
    storage.k8s.io/v1/CSINode storage.k8s.io/v1/StorageClass autoscaling/v1/Scale
    authentication.k8s.io/v1/TokenRequest authentication.k8s.io/v1/TokenReview
    authorization.k8s.io/v1/SubjectAccessReview
    meta.k8s.io/v1/PartialObjectMetadata
""".split()  # noqa: SIM905 - one per line would fill a page.

TEXTS = st.text(max_size=4)
TIMES = st.datetimes(dt.datetime(1970, 1, 1), dt.datetime(2200, 1, 1))  # noqa: DTZ001
VALUES = {
    "s": TEXTS,
    "y": st.binary(max_size=4).map(lambda data: base64.b64encode(data).decode()),
    "i": st.integers(-(2**31), 2**31 - 1),
    "f": st.floats(allow_nan=False, allow_infinity=False),
    "b": st.booleans(),
    "t": TIMES.map(lambda time: time.strftime("%Y-%m-%dT%H:%M:%SZ")),
    "T": TIMES.map(lambda time: time.strftime("%Y-%m-%dT%H:%M:%S.%fZ")),
    "q": st.sampled_from(["0", "1", "100m", "1Gi", "1500Mi", "2k"]),
    "I": st.one_of(st.integers(-5, 5), TEXTS),
    "r": st.dictionaries(TEXTS, st.integers(0, 3), max_size=2),
    "F": st.just({"f:a": {".": {}, "f:b": {}}}),
}


@st.composite
def values(draw, kind, depth=0):
    """Return a random value of a kind of the table."""
    if kind.code == "@":
        fields = list(builtin.struct(kind.name).fields.values())
        few = st.lists(st.sampled_from(fields), max_size=3 if depth < 4 else 0, unique=True)
        chosen = draw(few) if fields else []
        return {
            field.name: draw(values(field.kind, depth + 1))
            for field in chosen
            if field.number and field.kind.code not in "dJ"
        }
    if kind.code == "[":
        return draw(st.lists(values(kind.item, depth + 1), min_size=1, max_size=2))
    if kind.code == "{":
        return draw(st.dictionaries(TEXTS, values(kind.item, depth + 1), min_size=1, max_size=2))
    return draw(VALUES[kind.code])


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=6)
@given(st.data())
def test_an_object_survives_the_round_trip(kind, data):
    api_version, _, name = kind.rpartition("/")
    type_ = protobuf.type_of(api_version, name)
    obj = data.draw(values(builtin.Kind("@", type_)))
    obj |= {"apiVersion": api_version, "kind": name}
    normal.complete(obj, type_)
    assert protobuf.decode(protobuf.encode(obj)) == obj


def test_a_list_survives_the_round_trip():
    item = {"metadata": {"name": "a"}, "data": {"k": "v"}}
    found = {"apiVersion": "v1", "kind": "ConfigMapList", "items": [item]}
    found["metadata"] = {"resourceVersion": "5"}
    assert protobuf.decode(protobuf.encode(found)) == found


def test_the_bytes_are_those_of_client_go():
    obj = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"}}
    # k8s\0, TypeMeta, then the Namespace: its metadata with a name; then two empty texts.
    expected = b'k8s\0\n\x0f\n\x02v1\x12\tNamespace\x12\x05\n\x03\n\x01a\x1a\x00"\x00'
    assert protobuf.encode(obj) == expected
    written = protobuf.decode(expected)
    assert written == obj | {"spec": {}, "status": {}}


def test_what_go_never_leaves_out_is_there():
    pod = {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"name": "a"}]}}
    found = protobuf.decode(protobuf.encode(pod))
    assert found["spec"]["containers"] == [{"name": "a", "resources": {}}]
    assert found["metadata"] == {}


def test_fields_of_tomorrow_are_left_out():
    obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
    raw = wire.block(1, wire.text(1, "a")) + wire.text(99, "new") + wire.integer(98, 1)
    body = wire.block(1, wire.text(1, "v1") + wire.text(2, "ConfigMap")) + wire.block(2, raw)
    assert protobuf.decode(protobuf.MAGIC + body) == obj


BROKEN = [
    b"",
    b"{}",
    b"k8s",
    b"k8s\0",
    b"k8s\0\xff",
    b"k8s\0\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
    b"k8s\0\x0a\x05\x0a\x02v1",
    b"k8s\0\x0a\x08\x0a\x02v1\x12\x02\xff\xff",
    b"k8s\0\n\x0f\n\x02v1\x12\tNamespace\x12\x02\x08\x01",
    b"k8s\0\n\x0f\n\x02v1\x12\tNamespace\x12\x02\x0b\x01",
    b"k8s\0\n\x0f\n\x02v1\x12\tNamespacf\x12\x00",
]


@pytest.mark.parametrize("body", BROKEN)
def test_a_broken_body_is_a_value_error(body):
    with pytest.raises(ValueError, match=r"\w"):
        protobuf.decode(body)


@given(st.binary(max_size=60))
def test_no_bytes_break_the_reader(data):
    head = wire.block(1, wire.text(1, "v1") + wire.text(2, "Pod"))
    for body in (data, protobuf.MAGIC + data, protobuf.MAGIC + head + wire.block(2, data)):
        try:
            protobuf.decode(body)
        except ValueError:
            continue


def test_custom_resources_have_no_protobuf():
    assert not protobuf.is_known("x.example.com/v1", "Widget")
    assert not protobuf.is_known("apiextensions.k8s.io/v1", "CustomResourceDefinition")
    assert protobuf.is_known("v1", "PodList")
    with pytest.raises(protobuf.NoProtobuf):
        protobuf.encode({"apiVersion": "x.example.com/v1", "kind": "Widget"})


def test_an_event_of_a_watch_has_a_frame():
    obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
    data = protobuf.frame("ADDED", obj) + protobuf.frame("DELETED", obj)
    event, seen, rest = protobuf.unframed(data)
    assert (event, seen) == ("ADDED", obj)
    assert protobuf.unframed(rest) == ("DELETED", obj, b"")


@pytest.mark.parametrize(
    ("given_", "canonical"),
    [
        ("0.5", "500m"),
        ("1000m", "1"),
        ("1000", "1k"),
        ("1.5Gi", "1536Mi"),
        ("1024Ki", "1Mi"),
        ("0.5Ki", "512"),
        ("1e3", "1e3"),
        ("1500e3", "1500e3"),
        ("1E6", "1e6"),
        ("0.0000000001", "1n"),
        ("-1", "-1"),
        (2, "2"),
        ("0", "0"),
        ("odd", "odd"),
    ],
)
def test_quantities_are_spelled_as_go_spells_them(given_, canonical):
    assert normal.quantity(given_) == canonical
