"""Which objects a selector selects, and which selectors are refused."""

import pytest

from fakekube import selectors
from fakekube.status import ApiError


@pytest.mark.parametrize(
    ("text", "labels", "expected"),
    [
        ("", {}, True),
        ("a", {"a": ""}, True),
        ("a", {}, False),
        ("!a", {}, True),
        ("a=", {"a": ""}, True),
        ("a=b", {"a": "b"}, True),
        ("a != b", {}, True),
        ("a!=b", {"a": "b"}, False),
        ("a in (b, c)", {"a": "c"}, True),
        ("a in (b, c)", {}, False),
        ("a notin (b)", {}, True),
        ("a in ()", {"a": ""}, True),
        ("a>1,a<3", {"a": "2"}, True),
        ("a>1", {"a": "x"}, False),
        ("x.io/a=b , !c", {"x.io/a": "b"}, True),
    ],
)
def test_labels_match(text, labels, expected):
    found = selectors.parse_labels(text)
    assert (found is None or found.matches(labels)) is expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
        ("a in b", "unable to parse requirement: found 'b' expected: '('"),
        (",", "found ',', expected: !, identifier, or 'end of string'"),
        ("a==b!", "found '!', expected: ',' or 'end of string'"),
        ("a=b c", "found 'c', expected: ',' or 'end of string'"),
        (
            "a>b",
            (
                'unable to parse requirement: values[0]: Invalid value: "b": '
                "for 'Gt', 'Lt' operators, the value must be an integer"
            ),
        ),
    ],
)
def test_bad_selectors_are_refused_in_the_real_words(text, message):
    with pytest.raises(ApiError) as caught:
        selectors.parse_labels(text)
    assert (caught.value.code, caught.value.message) == (400, message)


def test_fields_match():
    terms = selectors.parse_fields("a=x,b!=y,c==")
    values = {"a": "x", "b": "", "c": ""}
    assert selectors.fields_match(terms, values.__getitem__)
    assert not selectors.fields_match(terms, {**values, "b": "y"}.__getitem__)
    assert selectors.parse_fields(r"a=x\,y")[0].value == "x,y"


def test_a_selector_can_be_an_object():
    given = {
        "matchLabels": {"a": "b"},
        "matchExpressions": [
            {"key": "c", "operator": "In", "values": ["d", "e"]},
            {"key": "f", "operator": "DoesNotExist"},
        ],
    }
    found = selectors.from_object(given)
    assert found.matches({"a": "b", "c": "e"})
    assert not found.matches({"a": "b", "c": "e", "f": ""})
    assert selectors.from_object({}).matches(None)
