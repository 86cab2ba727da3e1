"""Refusals as the bodies of answers."""

from fakekube import status
from fakekube.status import Cause


def test_causes_are_told_alone_or_in_brackets():
    one, other = Cause("a", "R", "x"), Cause("b", "R", "y")
    assert status.invalid("K", "g", "n", [one]).message == 'K.g "n" is invalid: a: x'
    assert status.invalid("K", "", "n", [one, other, one]).message == (
        'K "n" is invalid: [a: x, b: y]'
    )
    assert len(status.invalid("K", "", "n", [one, other, one]).details["causes"]) == 3


def test_a_refusal_is_a_status():
    found = status.not_found("pods", "x").status()
    assert found == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": 'pods "x" not found',
        "reason": "NotFound",
        "details": {"name": "x", "kind": "pods"},
        "code": 404,
    }
    assert "details" not in status.bad_request("x").status()
    assert "reason" not in status.plain(500, "x").status()


def test_when_to_try_again_is_in_the_details():
    assert status.too_many_requests("x", 7).status()["details"] == {"retryAfterSeconds": 7}
    assert status.too_many_requests("x", 7).retry_after_s == 7
    assert status.bad_request("x").retry_after_s == 0


def test_values_are_shown_as_json():
    cause = status.field_invalid("a", {"x": [1, None]}, "bad")
    assert str(cause) == 'a: Invalid value: {"x":[1,null]}: bad'
    cause = status.field_not_supported("a", "x", ["b", "c"])
    assert cause.message == 'Unsupported value: "x": supported values: "b", "c"'
