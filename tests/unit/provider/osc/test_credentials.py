"""Credentials: every place they come from, every way they can be of no use, and their silence."""

import base64
import json
import re

import pytest

from provider.osc import credentials
from provider.osc.credentials import Credentials, CredentialsError

CANARY = "S3CR3TCANARYS3CR3TCANARY"
ENVIRONMENT = {"OSC_ACCESS_KEY": "AK123456", "OSC_SECRET_KEY": CANARY, "OSC_REGION": "eu-west-2"}


def secret(**data):
    coded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    return {"metadata": {"namespace": "team", "name": "osc"}, "data": coded}


@pytest.fixture
def profiles(tmp_path):
    path = tmp_path / "config.json"

    def write(content):
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return str(path)

    return write


def test_the_environment_is_enough():
    found = credentials.of_environment(ENVIRONMENT)
    assert found == Credentials(
        "AK123456", CANARY, "eu-west-2", "https://api.eu-west-2.outscale.com/api/v1"
    )
    assert found.source == "the environment"


@pytest.mark.parametrize(
    ("endpoint", "protocol", "expected"),
    [
        ("", "", "https://api.eu-west-2.outscale.com/api/v1"),
        ("", "http", "http://api.eu-west-2.outscale.com/api/v1"),
        ("http://127.0.0.1:4566/api/v1", "", "http://127.0.0.1:4566/api/v1"),
        ("http://127.0.0.1:4566/api/v1/", "", "http://127.0.0.1:4566/api/v1"),
        ("http://127.0.0.1:4566", "https", "http://127.0.0.1:4566/api/v1"),
        ("api.example.org/api/latest", "http", "http://api.example.org/api/latest"),
    ],
)
def test_an_endpoint_is_completed(endpoint, protocol, expected):
    more = {"OSC_ENDPOINT_API": endpoint, "OSC_PROTOCOL": protocol}
    assert credentials.of_environment({**ENVIRONMENT, **more}).endpoint == expected


@pytest.mark.parametrize(
    "more",
    [
        {"OSC_PROTOCOL": "ftp"},
        {"OSC_ENDPOINT_API": "https://"},
        {"OSC_ENDPOINT_API": "https://not a host"},
        {"OSC_ENDPOINT_API": f"https://me:{CANARY}@api.example.org"},
    ],
)
def test_an_endpoint_that_is_none_is_refused(more):
    with pytest.raises(CredentialsError, match="The endpoint of the environment is") as caught:
        credentials.of_environment({**ENVIRONMENT, **more})
    assert CANARY not in str(caught.value)


def test_what_the_environment_lacks_is_named_in_its_own_words():
    said = re.escape(
        "The environment lacks OSC_SECRET_KEY, OSC_REGION (it has OSC_ACCESS_KEY). "
        "Add what is missing."
    )
    with pytest.raises(CredentialsError, match=said):
        credentials.of_environment({"OSC_ACCESS_KEY": "AK"})


def test_the_environment_may_name_a_profile(profiles):
    path = profiles(
        {"paris": {"access_key": "AK", "secret_key": CANARY, "region": "cloudgouv-eu-west-1"}}
    )
    found = credentials.of_environment({"OSC_CONFIG_FILE": path, "OSC_PROFILE": "paris"})
    assert found.endpoint == "https://api.cloudgouv-eu-west-1.outscale.com/api/v1"
    assert found.source == f"the profile 'paris' of {path}"


def test_keys_of_the_environment_come_before_a_profile():
    found = credentials.of_environment({**ENVIRONMENT, "OSC_PROFILE": "no-such"})
    assert found.source == "the environment"


def test_a_manager_without_any_credentials_says_what_to_set(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(CredentialsError, match="Set OSC_ACCESS_KEY, OSC_SECRET_KEY and OSC_REGION"):
        credentials.of_environment({})


def test_the_profile_of_the_home_directory_is_found(monkeypatch, tmp_path):
    (tmp_path / ".osc").mkdir()
    profile = {"access_key": "AK", "secret_key": CANARY, "region": "eu-west-2"}
    (tmp_path / ".osc" / "config.json").write_text(json.dumps({"default": profile}))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert credentials.of_environment({}).access_key == "AK"


@pytest.mark.parametrize("spelling", ["region", "region_name"])
def test_both_spellings_of_the_region_are_read(profiles, spelling):
    path = profiles({"default": {"access_key": "AK", "secret_key": CANARY, spelling: "us-east-2"}})
    assert credentials.of_file(path).region == "us-east-2"


def test_a_profile_has_its_endpoint_without_protocol(profiles):
    profile = {
        "access_key": "AK",
        "secret_key": CANARY,
        "region": "eu-west-2",
        "protocol": "http",
        "endpoints": {"api": "127.0.0.1:4566/api/v1"},
    }
    path = profiles({"default": profile})
    assert credentials.of_file(path).endpoint == "http://127.0.0.1:4566/api/v1"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (f'{{"default": "{CANARY}', "is not JSON: .* in line 1. Correct it."),
        ({"paris": {}, "tokyo": {}}, "has no profile 'default', but paris, tokyo. Add it"),
        ({}, "has no profile 'default', but none at all"),
        ([CANARY], "has no profile 'default', but none at all"),
        ({"default": {"secret_key": CANARY}}, r"lacks access_key, region \(it has secret_key\)"),
    ],
)
def test_a_profile_file_of_no_use_says_why(profiles, content, said):
    with pytest.raises(CredentialsError, match=said) as caught:
        credentials.of_file(profiles(content))
    assert CANARY not in str(caught.value)


def test_a_profile_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(CredentialsError, match=r"no\.json cannot be read: No such file"):
        credentials.of_file(str(tmp_path / "no.json"))


def test_a_secret_is_decoded():
    found = credentials.of_secret(
        secret(access_key="AK", secret_key=f"{CANARY}\n", region="eu-west-2", endpoint="h:1")
    )
    assert (found.secret_key, found.endpoint) == (CANARY, "https://h:1/api/v1")
    assert found.source == "the Secret team/osc"


@pytest.mark.parametrize("region", ["eu west 2", CANARY.upper()])
def test_a_region_that_is_none_is_not_repeated(region):
    with pytest.raises(CredentialsError, match="Write one like eu-west-2") as caught:
        credentials.of_secret(secret(access_key="AK", secret_key="SK", region=region))
    assert region not in str(caught.value)


@pytest.mark.parametrize("key", ["AK\u2011123", "AK 123", "AK\n123", "\ufeffAK123"])
def test_an_access_key_that_no_header_can_carry_is_told_and_not_repeated(key):
    with pytest.raises(CredentialsError, match="The access key of the Secret team/osc") as caught:
        credentials.of_secret(secret(access_key=key, secret_key="SK", region="eu-west-2"))
    assert key not in str(caught.value)


def test_what_a_secret_lacks_is_named():
    with pytest.raises(CredentialsError, match=r"^The Secret team/osc lacks access_key, region "):
        credentials.of_secret(secret(secret_key=CANARY))


@pytest.mark.parametrize("data", [None, {}])
def test_an_empty_secret_has_nothing_of_what_is_needed(data):
    with pytest.raises(CredentialsError, match=r"it has none of what is needed"):
        credentials.of_secret({"metadata": {"namespace": "team", "name": "osc"}, "data": data})


@pytest.mark.parametrize("value", ["%%%", base64.b64encode(b"\xff\xfe").decode()])
def test_a_secret_that_is_no_text_says_which_key(value):
    with pytest.raises(
        CredentialsError, match=r"data\.secret_key of the Secret team/osc"
    ) as caught:
        credentials.of_secret(
            {"metadata": {"namespace": "team", "name": "osc"}, "data": {"secret_key": value}}
        )
    assert value not in str(caught.value)


def test_the_secret_key_is_never_printed():
    found = credentials.of_environment(ENVIRONMENT)
    assert CANARY not in f"{found}{found!r}{[found]}{(found,)!s}"


def test_where_credentials_come_from_does_not_make_them_others():
    one = credentials.of_environment(ENVIRONMENT)
    same = credentials.of_secret(
        secret(access_key="AK123456", secret_key=CANARY, region="eu-west-2")
    )
    assert one == same
    assert len({one, same}) == 1
