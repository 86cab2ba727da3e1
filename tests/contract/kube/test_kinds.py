"""The built-in kinds, side by side: what the servers add to objects, and what they refuse."""

import json

import pytest

from tests.contract.kube import built_in, sides

pytestmark = pytest.mark.tools(*sides.TOOLS)
both = sides.both
DRY = {"dryRun": "All", "fieldValidation": "Strict"}
SAMPLES = built_in.samples()
FIRST = built_in.by_kind()

# What stays different, and why, is in docs/fakekube.md, under "Differences".
ADMITTED = {
    '["Pod", [["spec.priorityClassName", "nope"]]]',
    '["Pod", [["spec.runtimeClassName", "nope"]]]',
    (
        '["ValidatingWebhookConfiguration", [["webhooks.0.matchConditions", '
        '[{"name": "a", "expression": "x ==="}]]]]'
    ),
}
"""What only the real server refuses."""
OTHER_WORDS = {
    '["Ingress", [["spec.rules", []]]]',
    '["Event", [["firstTimestamp", "yesterday"]]]',
}
UNORDERED = '["ConfigMap", [["data", {"a b": "1", "..": "x", "c": "1"}]]]'


def identity(obj):
    """Return an object without what each server makes up."""
    found = sides.normal(obj)
    for key in ("managedFields", "resourceVersion", "creationTimestamp", "uid"):
        found["metadata"].pop(key, None)
    # The real server knows which certificate the client has.
    if found["kind"] == "CertificateSigningRequest":
        for key in ("username", "groups", "extra", "uid"):
            found["spec"].pop(key, None)
    return found


@pytest.mark.parametrize(
    "sample", SAMPLES, ids=[f"{each['kind']}-{each['metadata']['name']}" for each in SAMPLES]
)
def test_the_servers_add_the_same_to_a_new_object(both, sample):
    where = built_in.collection(sample)
    ours, theirs = (client.must("POST", where, sample, **DRY) for client in both)
    assert not sides.differences(identity(ours), identity(theirs))


@pytest.mark.parametrize("case", built_in.read("wrong.json"))
def test_the_servers_refuse_the_same_objects(both, case):
    kind, changes = json.loads(case)
    sample = built_in.changed(FIRST[kind], changes)
    where = built_in.collection(FIRST[kind])
    ours, theirs = (client.ask("POST", where, sample, **DRY) for client in both)
    if case in ADMITTED:
        assert (ours.code, theirs.code >= 400) == (201, True)
        return
    assert ours.code == theirs.code, (ours, theirs)
    if ours.code == 201:
        assert not sides.differences(identity(ours.body), identity(theirs.body))
    elif case != UNORDERED and case not in OTHER_WORDS:
        assert not sides.differences(sides.normal(ours.body), sides.normal(theirs.body))
