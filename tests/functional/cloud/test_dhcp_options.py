"""DHCP options: the default set of an account, and sets of its own."""

import pytest

from fakecloud.cloud import FakeCloud
from fakecloud.errors import ApiError


@pytest.fixture
def client():
    return FakeCloud().client()


def test_an_account_has_one_default_set(client):
    (options,) = client.ReadDhcpOptions()["DhcpOptionsSets"]
    assert options == {
        "Default": True,
        "DhcpOptionsSetId": options["DhcpOptionsSetId"],
        "DomainName": "eu-west-2.compute.internal",
        "DomainNameServers": ["OutscaleProvidedDNS"],
        "Tags": [],
    }


@pytest.mark.parametrize(
    ("request_", "code", "details"),
    [
        ({}, "7000", None),
        ({"DomainName": "", "NtpServers": []}, "7000", None),
        ({"DomainNameServers": ["foo"]}, "4133", "The IPv4 address 'foo' is invalid."),
        ({"NtpServers": ["foo"]}, "4047", None),
        ({"LogServers": ["1.2.3.400"]}, "4047", None),
    ],
)
def test_bad_options_are_refused(client, request_, code, details):
    with pytest.raises(ApiError) as refused:
        client.CreateDhcpOptions(**request_)
    assert refused.value.code == code
    assert details in (None, refused.value.details)


def test_what_is_not_given_has_its_default(client):
    servers = [f"192.0.2.{number}" for number in range(5)]
    options = client.CreateDhcpOptions(NtpServers=servers)["DhcpOptionsSet"]
    assert options["NtpServers"] == servers
    assert options["DomainName"] == "eu-west-2.compute.internal"
    assert options["DomainNameServers"] == ["OutscaleProvidedDNS"]
    assert options["Default"] is False
    assert "LogServers" not in options


def test_the_default_set_stays(client):
    (options,) = client.ReadDhcpOptions()["DhcpOptionsSets"]
    with pytest.raises(ApiError) as refused:
        client.DeleteDhcpOptions(DhcpOptionsSetId=options["DhcpOptionsSetId"])
    assert (refused.value.code, refused.value.status) == ("9029", 409)


def test_a_set_in_use_is_not_deleted(client):
    id_ = client.CreateDhcpOptions(DomainName="a.b")["DhcpOptionsSet"]["DhcpOptionsSetId"]
    net_id = client.CreateNet(IpRange="10.0.0.0/16")["Net"]["NetId"]
    client.UpdateNet(NetId=net_id, DhcpOptionsSetId=id_)
    with pytest.raises(ApiError, match="9029"):
        client.DeleteDhcpOptions(DhcpOptionsSetId=id_)
    client.UpdateNet(NetId=net_id, DhcpOptionsSetId="default")
    client.DeleteDhcpOptions(DhcpOptionsSetId=id_)
    assert len(client.ReadDhcpOptions()["DhcpOptionsSets"]) == 1


@pytest.mark.parametrize(
    ("id_", "code"), [("dopt-12345678", "5018"), ("dopt-toto", "4105"), ("toto", "4104")]
)
def test_an_unknown_set_is_refused(client, id_, code):
    with pytest.raises(ApiError) as refused:
        client.DeleteDhcpOptions(DhcpOptionsSetId=id_)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"Default": False}, True),
        ({"DomainNames": ["example.com"]}, True),
        ({"DomainNameServers": ["192.0.2.1"]}, True),
        ({"NtpServers": ["192.0.2.3"]}, True),
        ({"LogServers": ["192.0.2.3"]}, False),
    ],
)
def test_sets_are_filtered(client, filters, found):
    made = client.CreateDhcpOptions(
        DomainName="example.com",
        DomainNameServers=["192.0.2.1", "192.0.2.2"],
        NtpServers=["192.0.2.3"],
    )["DhcpOptionsSet"]
    read = client.ReadDhcpOptions(Filters=filters)["DhcpOptionsSets"]
    assert read == ([made] if found else [])


def test_another_account_sees_only_its_own(client):
    id_ = client.CreateDhcpOptions(DomainName="a.b")["DhcpOptionsSet"]["DhcpOptionsSetId"]
    other = client.cloud.client(account="210987654321")
    assert len(other.ReadDhcpOptions()["DhcpOptionsSets"]) == 1
    with pytest.raises(ApiError, match="5018"):
        other.DeleteDhcpOptions(DhcpOptionsSetId=id_)
