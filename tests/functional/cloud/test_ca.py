"""Client certificate authorities: real certificates, known by their fingerprint."""

import hashlib
import re
import ssl

import pytest

from fakecloud.cloud import FakeCloud
from fakecloud.errors import ApiError
from fakecloud.reads import filters_of
from tests.functional.cloud import certificates

PEM = certificates.pem()
UNKNOWN = "ca-" + "0" * 32


@pytest.fixture
def cloud():
    return FakeCloud()


def test_a_ca_is_known_by_its_fingerprint(cloud):
    ca = cloud.call("CreateCa", CaPem=PEM, Description="mine")["Ca"]
    assert set(ca) == {"CaFingerprint", "CaId", "Description"}
    assert re.fullmatch(r"ca-[0-9a-f]{32}", ca["CaId"])
    der = ssl.PEM_cert_to_DER_cert(PEM)
    assert ca["CaFingerprint"] == hashlib.sha1(der, usedforsecurity=False).hexdigest()
    assert cloud.call("ReadCas")["Cas"] == [ca]
    assert cloud.call("ReadCas", account="222222222222")["Cas"] == []


def test_the_same_certificate_may_come_twice(cloud):
    first, second = (cloud.call("CreateCa", CaPem=PEM)["Ca"] for _ in range(2))
    assert first["CaId"] != second["CaId"]
    assert first["CaFingerprint"] == second["CaFingerprint"]


def test_cas_are_found_by_every_field(cloud):
    mine = cloud.call("CreateCa", CaPem=PEM, Description="mine")["Ca"]
    cloud.call("CreateCa", CaPem=certificates.pem("other"), Description="other")
    for filters, found in (
        ({"CaIds": [mine["CaId"]]}, [mine]),
        ({"CaFingerprints": [mine["CaFingerprint"]]}, [mine]),
        ({"Descriptions": ["mine"]}, [mine]),
        ({"CaIds": ["ca-12345678"]}, []),
        ({"CaIds": [mine["CaId"]], "Descriptions": ["other"]}, []),
    ):
        assert cloud.call("ReadCas", Filters=filters)["Cas"] == found
    assert None not in filters_of("ReadCas", "Ca").values()


def test_only_the_description_changes(cloud):
    ca = cloud.call("CreateCa", CaPem=PEM)["Ca"]
    assert "Description" not in ca
    changed = cloud.call("UpdateCa", CaId=ca["CaId"], Description="new")["Ca"]
    assert changed == {**ca, "Description": "new"}
    assert cloud.call("UpdateCa", CaId=ca["CaId"])["Ca"] == changed


def test_a_ca_that_a_rule_asks_for_is_not_deleted(cloud):
    ca = cloud.call("CreateCa", CaPem=PEM)["Ca"]["CaId"]
    rule = cloud.call("CreateApiAccessRule", CaIds=[ca])["ApiAccessRule"]["ApiAccessRuleId"]
    with pytest.raises(ApiError) as error:
        cloud.call("DeleteCa", CaId=ca)
    assert (error.value.status, error.value.code) == (409, "9002")
    cloud.call("DeleteApiAccessRule", ApiAccessRuleId=rule)
    cloud.call("DeleteCa", CaId=ca)
    assert cloud.call("ReadCas")["Cas"] == []


@pytest.mark.parametrize(
    ("action", "request_", "code"),
    [
        ("CreateCa", {}, 7000),
        ("CreateCa", {"CaPem": ""}, 7000),
        ("CreateCa", {"CaPem": "test"}, 4124),
        ("CreateCa", {"CaPem": PEM[:200]}, 4124),
        ("DeleteCa", {}, 7000),
        ("DeleteCa", {"CaId": "ca-test123456"}, 4118),
        ("DeleteCa", {"CaId": UNKNOWN}, 4122),
        ("DeleteCa", {"CaId": "OTHER"}, 4122),
        ("UpdateCa", {"Description": "x"}, 7000),
        ("UpdateCa", {"CaId": "OTHER", "Description": "x"}, 4122),
        ("UpdateCa", {"CaId": "toto", "Description": "x"}, 4118),
    ],
)
def test_refusals(cloud, action, request_, code):
    other = cloud.call("CreateCa", CaPem=PEM, account="222222222222")["Ca"]["CaId"]
    request_ = {key: other if value == "OTHER" else value for key, value in request_.items()}
    with pytest.raises(ApiError) as error:
        cloud.call(action, **request_)
    assert (error.value.status, error.value.code) == (400, str(code))
