"""Options of requests, and formats of bodies."""

import pytest

from fakekube import codec, options
from fakekube.status import ApiError


def test_a_page_is_found_again():
    token = options.Continue(7, "n/a\0").token()
    assert options.parse_continue(token) == options.Continue(7, "n/a\0")


@pytest.mark.parametrize("token", ["x", "e30", "eyJ2IjoieCIsInJ2IjoxLCJzdGFydCI6IiJ9", "\x00"])
def test_tokens_of_others_are_refused(token):
    with pytest.raises(ApiError, match="continue"):
        options.parse_continue(token)


@pytest.mark.parametrize(
    ("query", "body", "expected"),
    [
        ({}, None, ("", None)),
        ({"propagationPolicy": "Orphan"}, None, ("Orphan", None)),
        ({"propagationPolicy": "Orphan"}, {"gracePeriodSeconds": 5}, ("", 5)),
        ({"orphanDependents": "true"}, None, ("Orphan", None)),
        ({}, {"orphanDependents": False}, ("Background", None)),
        ({"gracePeriodSeconds": "0"}, None, ("", 0)),
        ({}, {"gracePeriodSeconds": -1}, ("", 1)),
    ],
)
def test_options_of_a_deletion(query, body, expected):
    found = options.delete_options(query, body)
    assert (found.propagation, found.grace_s) == expected


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", ("application/json", "")),
        ("*/*", ("application/json", "")),
        ("text/html, application/*;q=0.5", ("application/json", "")),
        ("application/vnd.kubernetes.protobuf,application/json", (codec.PROTOBUF, "")),
        ("application/json;q=0.1,application/yaml", (codec.YAML, "")),
        (
            "application/json;as=Table;v=v1;g=meta.k8s.io,application/json",
            ("application/json", "Table"),
        ),
        ("application/json;as=Other;g=meta.k8s.io,application/json", ("application/json", "")),
    ],
)
def test_the_best_format_is_chosen(accept, expected):
    found = codec.negotiate(accept)
    assert (found.format, found.shape) == expected


def test_a_format_nobody_writes_is_refused():
    with pytest.raises(ApiError) as caught:
        codec.negotiate("text/plain")
    assert caught.value.code == 406


def test_yaml_is_read_as_kubernetes_does():
    found = codec.unstructured(b"a: 2026-01-01\nb: y\nc: 'y'\nd: 1e3\ne: 010\nname: n", codec.YAML)
    assert found["a"] == "2026-01-01"
    assert (found["b"], found["c"], found["name"]) == (True, "y", False)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "unexpected end of JSON input"),
        (b"{", "unexpected end of JSON input"),
        (b"x", "invalid character 'x' looking for beginning of value"),
        (b"{} x", "invalid character 'x' after top-level value"),
    ],
)
def test_bad_json_is_told_in_the_words_of_go(body, problem):
    with pytest.raises(ValueError, match=problem):
        codec.unstructured(body, codec.JSON)
