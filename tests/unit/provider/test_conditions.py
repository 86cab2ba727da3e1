"""Conditions: what is told of an object, printed from steps."""

import datetime as dt

import pytest

from provider import conditions
from provider.conditions import Condition
from provider.engine import act, plan, world
from provider.engine.plan import Step, Verb
from provider.engine.resource import Refusal
from provider.osc import errors
from tests.unit.provider.engine.toys import box, lid, there

NOW = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
STAMP = "2026-01-02T03:04:05Z"


def report(left=(), failures=()):
    return act.Report(world.World(), left=list(left), failures=list(failures))


def failure(code="", *, status=400, target=None):
    step = Step(Verb.CREATE, target or box(), "does not exist")
    return act.Failure.of(step, errors.ApiError("CreateBox", status=status, code=code))


def told(left=(), failures=()):
    """Return status, reason and message of what is told of boxes."""
    (found,) = conditions.of_kinds(report(left, failures), ["BoxesReady"])
    return found.status, found.reason, found.message


# --- Of a kind -----------------------------------------------------------------------------------


def test_what_is_done_is_true_and_says_nothing():
    assert told() == ("True", "Ready", "")


@pytest.mark.parametrize(
    ("verb", "reason"),
    [
        (Verb.CREATE, "Creating"),
        (Verb.UPDATE, "Updating"),
        (Verb.DELETE, "Deleting"),
        (Verb.WAIT, "Waiting"),
    ],
)
def test_what_is_in_progress_is_unknown(verb, reason):
    assert told([Step(verb, box(), "so far")]) == ("Unknown", reason, "box/a: so far.")


def test_what_is_refused_is_false():
    assert told([Step(Verb.REFUSE, box(), "no. Do this")]) == (
        "False",
        "Refused",
        "box/a: no. Do this.",
    )


@pytest.mark.parametrize(
    ("code", "status", "reason"),
    [
        ("10022", "False", "QuotaReached"),
        ("10001", "False", "NoCapacity"),
        ("4120", "False", "Denied"),
        ("9013", "False", "NameTaken"),
        ("3001", "False", "Refused"),
        ("9085", "Unknown", "Waiting"),
        ("24", "Unknown", "Throttled"),
        ("2000", "Unknown", "CloudUnavailable"),
        ("5065", "Unknown", "Gone"),
    ],
)
def test_an_error_is_false_only_when_a_person_has_to_act(code, status, reason):
    assert told(failures=[failure(code)])[:2] == (status, reason)


def test_a_refusal_of_ours_is_told_in_its_own_words():
    step = Step(Verb.CREATE, box(), "does not exist")
    failed = act.Failure.of(step, Refusal("The pool is empty. Fill it."))
    assert told(failures=[failed]) == ("False", "Refused", "The pool is empty. Fill it.")


def test_several_lines_are_a_list_without_repetition():
    left = [Step(Verb.WAIT, box(key), "waiting for rain") for key in "aba"]
    message = told(left)[2]
    assert message == "* box/a: waiting for rain.\n* box/b: waiting for rain."


def test_each_type_is_told_once():
    found = conditions.of_kinds(report(), ["BoxesReady", "LidsReady", "BoxesReady"])
    assert [each.type for each in found] == ["BoxesReady", "LidsReady"]


def test_what_another_kind_waits_for_is_not_told_twice():
    left = plan.plan([box(), lid()], [there(box(), state="pending")], going=False)
    boxes, lids = conditions.of_kinds(report(left), ["BoxesReady", "LidsReady"])
    assert boxes.message == "box/a: box-a is pending."
    assert lids.message == "lid/a: waiting for box/a."


@pytest.mark.parametrize(
    ("code", "status"), [("2000", "Unknown"), ("24", "Unknown"), ("4120", "False")]
)
def test_an_error_without_which_nothing_is_known_is_told(code, status):
    error = errors.ApiError("ReadNets", status=500, code=code)
    found = conditions.of_error("CloudReady", error)
    assert (found.status, found.message) == (status, f"ReadNets: {code}.")


# --- Ready ---------------------------------------------------------------------------------------


def test_ready_is_true_when_every_part_is():
    assert conditions.summary([conditions.true("A"), conditions.true("B")]).status == "True"


def test_the_worst_part_decides():
    parts = [
        Condition("A", "Unknown", "Waiting", "a"),
        Condition("B", "False", "Denied", "b"),
        conditions.true("C"),
    ]
    assert conditions.summary(parts) == Condition("Ready", "False", "Denied", "B: b")


def test_several_bad_parts_are_all_told():
    parts = [Condition("A", "False", "Denied", "a"), Condition("B", "False", "Refused")]
    found = conditions.summary(parts)
    assert (found.reason, found.message) == ("NotReady", "* A: a\n* B: Refused")


# --- As they are stored --------------------------------------------------------------------------


def stored(status="True", reason="Ready", since="2020-01-01T00:00:00Z", **more):
    return {"type": "A", "status": status, "reason": reason, "lastTransitionTime": since, **more}


def test_the_time_stays_while_the_status_does():
    (row,) = conditions.merge([stored()], [Condition("A", "True", "Other")], 2, NOW)
    assert row["lastTransitionTime"] == "2020-01-01T00:00:00Z"
    assert (row["reason"], row["observedGeneration"]) == ("Other", 2)


def test_the_time_moves_with_the_status():
    (row,) = conditions.merge([stored("False")], [conditions.true("A")], 1, NOW)
    assert row["lastTransitionTime"] == STAMP


def test_ready_comes_first_and_the_rest_by_name():
    new = [conditions.true(each) for each in ("B", "A", "Ready")]
    assert [row["type"] for row in conditions.merge([], new, 1, NOW)] == ["Ready", "A", "B"]


def test_the_same_refusal_of_another_request_is_the_same_condition():
    first, second = (
        conditions.merge([], [Condition("A", "False", "No", f"No. (request {each}).")], 1, NOW)
        for each in ("4f3c", "77aa")
    )
    assert first == second
    assert first[0]["message"] == "No."


def test_a_long_message_is_cut():
    (row,) = conditions.merge([], [Condition("A", "False", "No", "x" * 5000)], 1, NOW)
    assert len(row["message"]) == conditions.MESSAGE_MAX
    assert row["message"].endswith("...")


def test_every_field_that_kubernetes_wants_is_there():
    (row,) = conditions.merge([], [conditions.true("A")], 1, NOW)
    assert set(row) == {
        "type", "status", "reason", "message", "observedGeneration", "lastTransitionTime",
    }  # fmt: skip


# --- What takes long -----------------------------------------------------------------------------


def overdue(seconds, status="Unknown"):
    since = (NOW - dt.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
    observed = there(box(), state="pending")
    left = [Step(Verb.WAIT, box(), "box-a is pending", observed)]
    parts = conditions.of_kinds(report(left), ["BoxesReady"])
    old = [{**stored(status, since=since), "type": "BoxesReady"}]
    (found,) = conditions.overdue(parts, report(left), old, NOW)
    return found.message


def test_what_takes_unusually_long_is_told():
    assert overdue(601) == (
        "box/a: box-a is pending. This takes more than 600 s, and usually 30 s. Look at it in "
        "Cockpit: what is deleted there is made again."
    )


@pytest.mark.parametrize(("seconds", "status"), [(599, "Unknown"), (9000, "True")])
def test_what_takes_its_usual_time_is_not(seconds, status):
    assert overdue(seconds, status) == "box/a: box-a is pending."


# --- Pause, and whose it is ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cluster", "metadata", "message"),
    [
        ({"spec": {"paused": True}}, {}, "Cluster spec.paused is set to true"),
        (
            None,
            {"annotations": {"cluster.x-k8s.io/paused": ""}},
            "OscCluster has the cluster.x-k8s.io/paused annotation",
        ),
    ],
)
def test_a_pause_is_told_in_the_words_of_cluster_api(cluster, metadata, message):
    found = conditions.paused("OscCluster", cluster, metadata)
    assert found == Condition("Paused", "True", "Paused", message)


def test_no_pause_is_told_as_well():
    assert conditions.paused("OscCluster", {"spec": {}}, {}).status == "False"


def test_somebody_else_looks_after_what_says_so():
    marks = {"cluster.x-k8s.io/managed-by": "me"}
    assert conditions.is_externally_managed({"annotations": marks})
    assert not conditions.is_externally_managed({"annotations": {"other": "x"}})
    assert not conditions.is_externally_managed({})


def test_what_goes_is_not_ready():
    found = {each.type: (each.status, each.message) for each in conditions.deleting("left")}
    assert found["Ready"] == ("False", "left")
    assert found["Deleting"] == ("True", "left")
