"""Keypairs: made, imported in every format, and named once."""

import base64

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from fakecloud.cloud import FakeCloud
from fakecloud.errors import ApiError

OPENSSH = (serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
PEM = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
PKCS1 = (serialization.Encoding.PEM, serialization.PublicFormat.PKCS1)
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
ED25519 = ed25519.Ed25519PrivateKey.generate().public_key()

# An RSA key of 1024 bits.
SHORT = (
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQCjG+HzlIV9aYfbR1oKXTrxeG0xv6J3uB2s8auCz1Je"
    "cjwvyLS0BZkw6bz0eEwwsj6ETUbM97qS1E2sfKTZoi4aijhWLTaiN1BD0OJZxfc1L0HXLcWwmzumM/At"
    "vo1p71eZ8/BJa875SVCGthVEGxdEzQgab4UJQHLSPQ8KdmeHKw=="
)


@pytest.fixture
def cloud():
    return FakeCloud()


def encoded(key, form=OPENSSH):
    return base64.b64encode(key.public_bytes(*form)).decode()


def refused(cloud, code, action, **request):
    with pytest.raises(ApiError) as error:
        cloud.call(action, **request)
    assert error.value.code == str(code)
    return error.value


def test_a_new_keypair_opens_with_its_private_key(cloud):
    made = cloud.call("CreateKeypair", KeypairName="mine")["Keypair"]
    assert made["KeypairType"] == "ssh-rsa"
    assert made["PrivateKey"].startswith("-----BEGIN RSA PRIVATE KEY-----\n")
    private = serialization.load_pem_private_key(made["PrivateKey"].encode(), None)
    assert private.key_size == 2048
    again = cloud.call(
        "CreateKeypair", KeypairName="again", PublicKey=encoded(private.public_key())
    )["Keypair"]
    assert again["KeypairFingerprint"] == made["KeypairFingerprint"]
    assert "PrivateKey" not in again


def test_the_private_key_is_not_kept(cloud):
    cloud.call("CreateKeypair", KeypairName="mine")
    assert "PRIVATE" not in str(cloud.state())
    (kept,) = cloud.call("ReadKeypairs")["Keypairs"]
    assert set(kept) == {
        "KeypairFingerprint", "KeypairId", "KeypairName", "KeypairType", "Tags"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("ssh-rsa", encoded(RSA)),
        ("ssh-rsa", encoded(RSA, PEM)),
        ("ssh-rsa", encoded(RSA, PKCS1)),
        ("ssh-rsa", RSA.public_bytes(*OPENSSH).decode() + " me@home"),
        ("ssh-ed25519", encoded(ED25519)),
        ("ssh-ed25519", encoded(ED25519, PEM)),
        ("ecdsa-sha2-nistp256", encoded(ec.generate_private_key(ec.SECP256R1()).public_key())),
        ("ecdsa-sha2-nistp384", encoded(ec.generate_private_key(ec.SECP384R1()).public_key())),
        ("ecdsa-sha2-nistp521", encoded(ec.generate_private_key(ec.SECP521R1()).public_key())),
    ],
    ids=lambda value: value if len(value) < 20 else "",
)
def test_every_documented_kind_of_key_is_imported(cloud, kind, text):
    made = cloud.call("CreateKeypair", KeypairName="mine", PublicKey=text)["Keypair"]
    assert made["KeypairType"] == kind
    assert len(made["KeypairFingerprint"].split(":")) == 16


def test_the_rfc_4716_format_is_imported(cloud):
    content = RSA.public_bytes(*OPENSSH).decode().split()[1]
    lines = [content[at : at + 70] for at in range(0, len(content), 70)]
    text = "\n".join(
        [
            "---- BEGIN SSH2 PUBLIC KEY ----",
            'Comment: "a comment \\',
            'that goes on"',
            *lines,
            "---- END SSH2 PUBLIC KEY ----",
        ]
    )
    key = base64.b64encode(text.encode()).decode()
    made = cloud.call("CreateKeypair", KeypairName="one", PublicKey=key)["Keypair"]
    other = cloud.call("CreateKeypair", KeypairName="two", PublicKey=encoded(RSA))["Keypair"]
    assert made["KeypairFingerprint"] == other["KeypairFingerprint"]


@pytest.mark.parametrize(
    "text",
    [
        "publicKey",
        "",
        "ssh-rsa",
        "ssh-rsa AAAA",
        base64.b64encode(b"ssh-dss AAAA").decode(),
        base64.b64encode(b"hello").decode(),
        SHORT,
        base64.b64encode(b"---- BEGIN SSH2 PUBLIC KEY ----\n%%\n----").decode(),
    ],
)
def test_what_is_no_key_is_refused(cloud, text):
    error = refused(cloud, 4032, "CreateKeypair", KeypairName="mine", PublicKey=text)
    assert (error.status, error.details) == (400, "")


def test_a_name_is_taken_once_per_account(cloud):
    cloud.call("CreateKeypair", KeypairName=" a+b ", PublicKey=encoded(RSA))
    error = refused(cloud, 9011, "CreateKeypair", KeypairName=" a+b ", PublicKey=encoded(RSA))
    assert error.status == 409
    other = {"account": "987654321098"}
    cloud.call("CreateKeypair", KeypairName=" a+b ", PublicKey=encoded(RSA), **other)
    assert [pair["KeypairName"] for pair in cloud.call("ReadKeypairs")["Keypairs"]] == [" a+b "]


@pytest.mark.parametrize(
    ("code", "request_"),
    [
        (7000, {}),
        (7000, {"KeypairName": ""}),
        (4106, {"KeypairName": "x" * 256}),
        (4035, {"KeypairName": "é"}),
        (3001, {"KeyName": "x"}),
    ],
)
def test_an_impossible_name_is_refused(cloud, code, request_):
    refused(cloud, code, "CreateKeypair", **request_)


def test_a_keypair_is_deleted_by_id_or_name(cloud):
    for name in ("one", "two"):
        cloud.call("CreateKeypair", KeypairName=name, PublicKey=encoded(RSA))
    one, _two = cloud.call("ReadKeypairs")["Keypairs"]
    refused(cloud, 5071, "DeleteKeypair", account="987654321098", KeypairName="one")
    cloud.call("DeleteKeypair", KeypairId=one["KeypairId"])
    cloud.call("DeleteKeypair", KeypairName="two", DryRun=True)
    cloud.call("DeleteKeypair", KeypairName="two")
    assert cloud.call("ReadKeypairs")["Keypairs"] == []
    assert refused(cloud, 5071, "DeleteKeypair", KeypairName="two").details == ""
    refused(cloud, 5071, "DeleteKeypair", KeypairId=one["KeypairId"])
    refused(cloud, 7000, "DeleteKeypair", DryRun=True)


def test_every_filter_of_keypairs_keeps_what_it_should(cloud):
    cloud.call("CreateKeypair", KeypairName="one", PublicKey=encoded(RSA))
    cloud.call("CreateKeypair", KeypairName="two", PublicKey=encoded(ED25519))
    one = cloud.call("ReadKeypairs")["Keypairs"][0]
    tags = [{"Key": "env", "Value": "test"}]
    cloud.call("CreateTags", ResourceIds=[one["KeypairId"]], Tags=tags)
    for name, value in {
        "KeypairFingerprints": one["KeypairFingerprint"],
        "KeypairIds": one["KeypairId"],
        "KeypairNames": "on*",
        "KeypairTypes": "ssh-rsa",
        "Tags": "env=test",
        "TagKeys": "env",
        "TagValues": "test",
    }.items():
        found = cloud.call("ReadKeypairs", Filters={name: [value]})["Keypairs"]
        assert [pair["KeypairName"] for pair in found] == ["one"], name
