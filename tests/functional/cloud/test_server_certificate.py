"""Server certificates, and the listeners that use them."""

import datetime as dt
import functools

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from fakecloud.cloud import FakeCloud
from tests.functional.cloud import balancing
from tests.functional.cloud.balancing import WEB, refusal

OTHER = "210987654321"
EXPIRES = dt.datetime(2030, 1, 2, 3, 4, 5, tzinfo=dt.UTC)


@functools.cache
def key(_number):
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def named(text):
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


@functools.cache
def body(name="web", issuer="middle", number=0):
    certificate = (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(named(issuer))
        .public_key(key(number).public_key())
        .serial_number(1)
        .not_valid_before(EXPIRES - dt.timedelta(days=365))
        .not_valid_after(EXPIRES)
        .sign(key(1), hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def private(number=0, form=serialization.PrivateFormat.TraditionalOpenSSL):
    return (
        key(number)
        .private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
        .decode()
    )


def request(**changes):
    return {"Name": "web", "Body": body(), "PrivateKey": private(), **changes}


def create(cloud, **changes):
    return cloud.call("CreateServerCertificate", **request(**changes))["ServerCertificate"]


@pytest.fixture
def cloud():
    return FakeCloud()


def test_a_certificate_tells_when_it_expires(cloud):
    created = create(cloud, Path="/example/")
    assert len(created.pop("Id")) == 30
    assert created == {
        "ExpirationDate": "2030-01-02T03:04:05.000Z",
        "Name": "web",
        "Orn": f"orn:ows:idauth::{cloud.account}:server-certificate/example/web",
        "Path": "/example/",
        "UploadDate": "2026-01-01T00:00:00.000Z",
    }


def test_a_chain_goes_upwards_from_the_certificate(cloud):
    chain = body("middle", "root") + body("root", "root")
    create(cloud, Chain=chain)
    wrong = body("root", "root") + body("middle", "root")
    assert refusal(cloud, "CreateServerCertificate", **request(Name="b", Chain=wrong)) == (
        3001,
        400,
    )


def test_paths_are_a_filter(cloud):
    create(cloud, Name="a", Path="/one/")
    create(cloud, Name="b")
    filters = {"Paths": ["/one/"]}
    found = cloud.call("ReadServerCertificates", Filters=filters)["ServerCertificates"]
    assert [row["Name"] for row in found] == ["a"]


def test_the_name_and_the_path_may_change(cloud):
    before = create(cloud)
    same = cloud.call("UpdateServerCertificate", Name="web")["ServerCertificate"]
    assert same == before
    after = cloud.call("UpdateServerCertificate", Name="web", NewName="new", NewPath="/toto/")
    assert after["ServerCertificate"] == {
        **before,
        "Name": "new",
        "Path": "/toto/",
        "Orn": f"orn:ows:idauth::{cloud.account}:server-certificate/toto/new",
    }


def test_a_certificate_is_its_accounts_own(cloud):
    create(cloud)
    assert cloud.call("ReadServerCertificates", account=OTHER)["ServerCertificates"] == []
    assert refusal(cloud, "DeleteServerCertificate", account=OTHER, Name="web") == (4122, 400)
    cloud.call("DeleteServerCertificate", Name="web")
    assert cloud.call("ReadServerCertificates")["ServerCertificates"] == []


PKCS8 = serialization.PrivateFormat.PKCS8
REFUSALS = {
    "a body of letters": ("Create", lambda: request(Body="aaaaaaaaaa"), 3001, 400),
    "a key of letters": ("Create", lambda: request(PrivateKey="aaaaaaaaaa"), 3001, 400),
    "a damaged key": (
        "Create", lambda: request(PrivateKey="-----BEGIN RSA PRIVATE KEY-----\nAA"), 3001, 400),
    "a key in another form": (
        "Create", lambda: request(PrivateKey=private(form=PKCS8)), 3001, 400),
    "the key of another": ("Create", lambda: request(PrivateKey=private(2)), 3001, 400),
    "a chain of letters": ("Create", lambda: request(Chain="aaaaaaaaaa"), 3001, 400),
    "a name": ("Create", lambda: request(Name='#&é"(§è!ç)'), 3001, 400),
    "a path": ("Create", lambda: request(Path="/toto"), 3001, 400),
    "an empty name": ("Create", lambda: request(Name=""), 7000, 400),
    "a list": ("Create", lambda: request(Name=["web"]), 4110, 400),
    "a taken name": ("Create", lambda: request(Name="taken", Path="/other/"), 9073, 409),
    "an unknown name": ("Update", lambda: {"Name": "nobody"}, 4122, 400),
    "a new name": ("Update", lambda: {"Name": "taken", "NewName": "é"}, 3001, 400),
    "a new path": ("Update", lambda: {"Name": "taken", "NewPath": "/toto"}, 3001, 400),
    "a name to delete": ("Delete", lambda: {"Name": "nobody"}, 4122, 400),
}  # fmt: skip


@pytest.mark.parametrize(("verb", "made", "code", "status"), REFUSALS.values(), ids=REFUSALS)
def test_what_is_wrong_is_refused(cloud, verb, made, code, status):
    create(cloud, Name="taken")
    assert refusal(cloud, f"{verb}ServerCertificate", **made()) == (code, status)
    assert len(cloud.call("ReadServerCertificates")["ServerCertificates"]) == 1


def test_a_listener_takes_a_certificate_by_its_orn():
    place = balancing.build()
    first = create(place.cloud, Name="a")["Orn"]
    second = create(place.cloud, Name="b")["Orn"]
    secure = {**WEB, "LoadBalancerPort": 443, "LoadBalancerProtocol": "HTTPS",
              "BackendProtocol": "HTTP", "ServerCertificateId": first}  # fmt: skip
    shown = place.active("lb", secure, WEB)["Listeners"]
    assert [listener.get("ServerCertificateId") for listener in shown] == [None, first]
    changed = place.update(LoadBalancerPort=443, ServerCertificateId=second)["LoadBalancer"]
    assert changed["Listeners"][1]["ServerCertificateId"] == second
    place.cloud.clock.advance(5)
    wrong = {"LoadBalancerName": "lb", "LoadBalancerPort": 80, "ServerCertificateId": first}
    assert refusal(place.cloud, "UpdateLoadBalancer", **wrong) == (4102, 400)
