"""Signatures: dates, signing keys and the forms in which paths are signed."""

import pytest

from fakecloud import signature


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("20270115T080000Z", (1_800_000_000.0, "20270115T080000Z")),
        ("19700101T000000Z", (0.0, "19700101T000000Z")),
        ("Fri, 15 Jan 2027 08:00:00 GMT", (1_800_000_000.0, "20270115T080000Z")),
        ("Fri, 15 Jan 2027 09:00:00 +0100", (1_800_000_000.0, "20270115T080000Z")),
    ],
)
def test_a_moment_is_read_in_both_forms(text, moment):
    assert signature.moment(text) == moment


@pytest.mark.parametrize("text", ["", "toto", "20270115", "20271315T080000Z", "2027-01-15T08:00Z"])
def test_anything_else_is_no_moment(text):
    with pytest.raises(ValueError, match=r".*"):
        signature.moment(text)


def test_the_signing_key_is_that_of_the_documentation_of_aws():
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
    secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
    made = signature.signer(secret, "AWS4", "20150830", "us-east-1", "iam", "aws4_request")
    assert made.key.hex() == "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9"


@pytest.mark.parametrize(
    ("sent", "signed"),
    [
        ("/ReadVms", [("/ReadVms", "")]),
        ("/a//b/", [("/a//b/", ""), ("/a/b/", "")]),
        ("/a?c=2&b=1", [("/a?c=2&b=1", ""), ("/a", "b=1&c=2")]),
        ("?b=%20/", [("?b=%20/", ""), ("/", "b=%20%2F")]),
    ],
)
def test_a_path_is_signed_as_sent_or_in_its_plain_form(sent, signed):
    assert list(signature._paths(sent)) == signed


@pytest.mark.parametrize(
    ("sent", "bare", "signed"),
    [
        ("api.x", False, ["api.x"]),
        ("api.x:443", False, ["api.x:443", "api.x"]),
        ("api.x:443", True, ["api.x", "api.x:443"]),
        ("[::1]", True, ["[::1]"]),
        ("[::1]:3000", True, ["[::1]", "[::1]:3000"]),
        ("", True, [""]),
    ],
)
def test_a_host_is_signed_with_or_without_its_port(sent, bare, signed):
    assert [host for host, _ in signature._hosts(sent, first_bare=bare)] == signed


def test_spaces_in_a_header_count_once():
    assert signature._trim("  a  b c ") == "a b c"
