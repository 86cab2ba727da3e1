"""The API access policy: its limits, and what trusted sessions need."""

import pytest

from fakecloud.cloud import DEFAULT_ACCESS_KEY, FakeCloud
from fakecloud.errors import ApiError
from tests.functional.cloud import certificates

YEAR = 31_536_000


@pytest.fixture
def cloud():
    return FakeCloud()


def update(cloud, seconds, trusted):
    answer = cloud.call(
        "UpdateApiAccessPolicy", MaxAccessKeyExpirationSeconds=seconds, RequireTrustedEnv=trusted
    )
    return answer["ApiAccessPolicy"]


def test_an_account_starts_without_limits(cloud):
    assert cloud.call("ReadApiAccessPolicy")["ApiAccessPolicy"] == {
        "MaxAccessKeyExpirationSeconds": 0, "RequireTrustedEnv": False,
    }  # fmt: skip


@pytest.mark.parametrize("seconds", [0, 1, 36_000_000, YEAR, 3_153_600_000])
def test_a_lifetime_is_kept(cloud, seconds):
    made = update(cloud, seconds, trusted=False)
    assert made["MaxAccessKeyExpirationSeconds"] == seconds
    assert cloud.call("ReadApiAccessPolicy")["ApiAccessPolicy"] == made
    other = cloud.call("ReadApiAccessPolicy", account="222222222222")["ApiAccessPolicy"]
    assert other["MaxAccessKeyExpirationSeconds"] == 0


def test_a_trusted_session_needs_a_ca_and_keys_that_expire(cloud):
    for seconds in (0, YEAR):
        with pytest.raises(ApiError, match="4118"):
            update(cloud, seconds, trusted=True)
    ca = cloud.call("CreateCa", CaPem=certificates.pem())["Ca"]["CaId"]
    cloud.call("CreateApiAccessRule", CaIds=[ca])
    with pytest.raises(ApiError, match=DEFAULT_ACCESS_KEY):
        update(cloud, YEAR, trusted=True)
    cloud.call("UpdateAccessKey", AccessKeyId=DEFAULT_ACCESS_KEY, ExpirationDate="2026-01-02")
    assert update(cloud, YEAR, trusted=True)["RequireTrustedEnv"] is True


def test_no_key_lives_longer_than_the_limit(cloud):
    cloud.call("CreateAccessKey", ExpirationDate="2026-01-03")
    with pytest.raises(ApiError, match="2026-01-03"):
        update(cloud, 86400, trusted=False)
    update(cloud, 2 * 86400, trusted=False)


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({"RequireTrustedEnv": False}, 7000),
        ({"MaxAccessKeyExpirationSeconds": 0}, 7000),
        ({"MaxAccessKeyExpirationSeconds": -4354, "RequireTrustedEnv": False}, 4110),
        ({"MaxAccessKeyExpirationSeconds": 3_153_600_001, "RequireTrustedEnv": False}, 4118),
        ({"MaxAccessKeyExpirationSeconds": 0, "RequireTrustedEnv": "foo bar"}, 4110),
        ({"MaxAccessKeyExpirationSeconds": 0, "RequireTrustedEnv": False, "DryRun": 0}, 4110),
    ],
)
def test_refusals(cloud, request_, code):
    with pytest.raises(ApiError) as error:
        cloud.call("UpdateApiAccessPolicy", **request_)
    assert (error.value.status, error.value.code) == (400, str(code))
