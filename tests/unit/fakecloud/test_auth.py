"""The guard at the HTTP doors: whom it lets in, and what it answers the others."""

import base64
import dataclasses
import hashlib
import hmac
import time
import types

import pytest
from hypothesis import given
from hypothesis import strategies as st
from osc_sdk_python.authentication import Authentication

from fakecloud import auth, signature
from fakecloud.clock import Clock
from fakecloud.cloud import DEFAULT_ACCESS_KEY, DEFAULT_SECRET_KEY, Caller, FakeCloud
from fakecloud.errors import ApiError
from fakecloud.rules import identities

NOON = 1_800_000_000.0  # 2027-01-15T08:00:00Z
HOST = "api.eu-west-2.outscale.com"
LOGIN_KINDS = ("AccessKey", "ApiAccessRule", "Ca")
ALL = '{"Statement": [{"Effect": "Allow", "Action": ["api:*"], "Resource": ["*"]}]}'


@dataclasses.dataclass
class Request:
    method: str
    path: str
    headers: dict
    body: bytes


@dataclasses.dataclass
class Wall:
    now: float = NOON

    def __call__(self):
        return self.now

    @property
    def stamp(self):
        return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(self.now))


class Sdk(Authentication):
    """The signer of osc-sdk-python, at a time of our choice."""

    wall = None

    def build_dates(self):
        return self.wall.stamp, self.wall.stamp[:8]


def osc4(wall, *, path="/api/v1/ReadVms", body=b"{}", key=None, host=HOST, sent_host=None):
    access_key, secret_key = key or (DEFAULT_ACCESS_KEY, DEFAULT_SECRET_KEY)
    credentials = types.SimpleNamespace(
        access_key=access_key, secret_key=secret_key, login=None, password=None,
        region="eu-west-2", x509_client_cert=None,
    )  # fmt: skip
    signer = Sdk(credentials, host)
    signer.wall = wall
    headers = {k.lower(): v for k, v in signer.forge_headers_signed(path, body.decode()).items()}
    headers["host"] = sent_host or host
    return Request("POST", path, headers, body)


def aws4(
    wall, *, path="/api/v1/ReadVms", query="", body=b"{}", key=None, host=HOST, sent_host=None,
    scope="eu-west-2/oapi/aws4_request", kind="AWS4", date_header="x-amz-date", extra=(),
):  # fmt: skip
    """Sign as the AWS documentation says, written independently of the product."""
    access_key, secret_key = key or (DEFAULT_ACCESS_KEY, DEFAULT_SECRET_KEY)
    stamp = wall.stamp
    signed = {"content-type": "application/json", "host": host, date_header: stamp, **dict(extra)}
    names = sorted(signed)
    canonical = "\n".join(
        ["POST", path, query, *(f"{n}:{signed[n]}" for n in names), "", ";".join(names),
         hashlib.sha256(body).hexdigest()]
    )  # fmt: skip
    scope = f"{stamp[:8]}/{scope}"
    text = "\n".join(
        [f"{kind}-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()]
    )
    derived = (kind + secret_key).encode()
    for part in scope.split("/"):
        derived = hmac.new(derived, part.encode(), hashlib.sha256).digest()
    made = hmac.new(derived, text.encode(), hashlib.sha256).hexdigest()
    headers = {
        **signed,
        "host": sent_host or host,
        "authorization": f"{kind}-HMAC-SHA256 Credential={access_key}/{scope}, "
        f"SignedHeaders={';'.join(names)}, Signature={made}",
    }
    return Request("POST", f"{path}?{query}" if query else path, headers, body)


def basic(login, password, path="/api/v1/ReadAccessKeys"):
    text = base64.b64encode(f"{login}:{password}".encode()).decode()
    return Request("POST", path, {"host": HOST, "authorization": f"Basic {text}"}, b"{}")


@pytest.fixture
def wall():
    return Wall()


@pytest.fixture
def cloud(wall):
    return FakeCloud(clock=Clock(wall=wall))


@pytest.fixture
def guard(cloud):
    return auth.Guard(cloud, "verify")


def admit(guard, request, action="ReadVms", source=""):
    caller = Caller(guard.cloud.account, guard.cloud.region, source=source)
    guard.admit(request, guard.cloud.document.actions[action], caller)
    return caller


def refused(guard, request, action="ReadVms", source=""):
    with pytest.raises(ApiError) as error:
        admit(guard, request, action, source)
    return error.value.status, int(error.value.code)


# Signatures that are right.


@pytest.mark.parametrize("sent_host", [HOST, f"{HOST}:443", "127.0.0.1:3000"])
def test_the_signature_of_the_sdk_is_right_with_and_without_port(guard, wall, sent_host):
    request = osc4(wall, host=sent_host.split(":")[0], sent_host=sent_host)
    for _ in range(2):  # The second time, the guard knows what this client signs.
        assert admit(guard, request) == Caller(
            guard.cloud.account, "eu-west-2", access_key=DEFAULT_ACCESS_KEY
        )


def test_one_key_may_sign_with_and_without_port(guard, wall):
    bare = osc4(wall, host="localhost", sent_host="localhost:80")
    full = osc4(wall, host="localhost:80")
    for request in (full, bare, full, bare):
        assert admit(guard, request).access_key == DEFAULT_ACCESS_KEY


@pytest.mark.parametrize(
    "difference",
    [
        {},
        {"sent_host": f"{HOST}:443"},
        {"host": f"{HOST}:443"},
        {"scope": "us-east-2/oapi/aws4_request"},
        {"scope": "eu-west-2/api/osc4_request"},
        {"scope": "eu-west-2/osc/osc4_request", "kind": "OSC4", "date_header": "x-amz-date"},
        {"kind": "OSC4", "date_header": "x-osc-date"},
        {"path": "//api//v1/ReadVms"},
        {"path": "/api/v1/ReadVms/"},
        {"path": "/ReadVms"},
        {"query": "a=1&b=%20x"},
        {"body": b""},
        {"body": '{"Description": "\u00e9"}'.encode()},
        {"extra": [("x-amz-content-sha256", hashlib.sha256(b"{}").hexdigest())]},
        {"extra": [("accept", "*/*"), ("user-agent", "osc-sdk-go/2")]},
    ],
    ids=str,
)
def test_what_clients_sign_differently_is_right(guard, wall, difference):
    assert admit(guard, aws4(wall, **difference)).account == guard.cloud.account


@pytest.mark.parametrize("path", ["//api/v1/ReadVms", "/api/v1/ReadVms/", "/api/v1/ReadVms?a=1"])
def test_the_sdk_signs_any_path_as_it_sends_it(guard, wall, path):
    assert admit(guard, osc4(wall, path=path)).access_key == DEFAULT_ACCESS_KEY


def test_a_client_may_sign_the_path_without_its_double_slashes(guard, wall):
    request = aws4(wall)
    request.path = "//api/v1//ReadVms"
    assert admit(guard, request).access_key == DEFAULT_ACCESS_KEY


def test_a_query_may_be_sent_in_another_order_than_signed(guard, wall):
    request = aws4(wall, query="Action=Describe&Version=1")
    request.path = "/api/v1/ReadVms?Version=1&Action=Describe"
    assert admit(guard, request).access_key == DEFAULT_ACCESS_KEY


def test_a_date_header_will_do(guard, wall):
    stamp = wall.stamp
    request = aws4(wall, extra=[("date", "Fri, 15 Jan 2027 08:00:00 GMT")])
    del request.headers["x-amz-date"]
    assert refused(guard, request) == (401, 1)  # It was signed, and is gone.
    assert signature.moment("Fri, 15 Jan 2027 08:00:00 GMT") == (NOON, stamp)
    assert signature.moment("Fri, 15 Jan 2027 08:00:00 -0000") == (NOON, stamp)


# Signatures that are wrong.


def change_header(name, value):
    return lambda request: request.headers.update({name: value})


TAMPERINGS = {
    "body": lambda request: setattr(request, "body", b'{"DryRun":true}'),
    "path": lambda request: setattr(request, "path", "/api/v1/DeleteVms"),
    "query": lambda request: setattr(request, "path", request.path + "?a=1"),
    "method": lambda request: setattr(request, "method", "PUT"),
    "content type": change_header("content-type", "text/plain"),
    "host": change_header("host", "api.us-east-2.outscale.com"),
    "hash of the body": change_header("x-amz-content-sha256", "0" * 64),
    "missing host": lambda request: request.headers.pop("host"),
}


@pytest.mark.parametrize("sign", [osc4, aws4], ids=["osc4", "aws4"])
@pytest.mark.parametrize("tamper", TAMPERINGS.values(), ids=TAMPERINGS.keys())
def test_what_is_changed_on_the_way_is_refused(guard, wall, sign, tamper):
    request = sign(wall)
    tamper(request)
    assert refused(guard, request) == (401, 1)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("/eu-west-2/", "/us-east-2/"),
        ("osc4_request", "aws4_request"),
        ("OSC4-HMAC-SHA256", "AWS4-HMAC-SHA256"),
        ("Signature=", "Signature=0"),
        ("content-type;host", "host"),
        ("host;", ""),
        ("20270115", "20270116"),
        ("/20270115/", "//"),
        (", Signature", " Signature"),
    ],
)
def test_a_changed_authorization_header_is_refused(guard, wall, old, new):
    request = osc4(wall)
    assert old in request.headers["authorization"]
    request.headers["authorization"] = request.headers["authorization"].replace(old, new)
    assert refused(guard, request) == (401, 1)


@pytest.mark.parametrize("date", ["", "toto", "20270115T080000", "20279999T999999Z", "1"])
def test_a_malformed_date_is_refused(guard, wall, date):
    request = osc4(wall)
    request.headers["x-osc-date"] = date
    assert refused(guard, request) == (401, 1)


def test_a_wrong_secret_is_refused(guard, wall):
    assert refused(guard, osc4(wall, key=(DEFAULT_ACCESS_KEY, "X" * 40))) == (401, 1)


@given(
    body=st.binary(max_size=50).filter(lambda body: body.isascii()),
    secret=st.text("ABC", min_size=1, max_size=3),
    other=st.text("ABC", min_size=1, max_size=3),
)
def test_a_signature_fits_the_secret_that_made_it_and_no_other(body, secret, other):
    request = osc4(Wall(), body=body, key=("K", secret))
    found = signature.AUTHORIZATION.fullmatch(request.headers["authorization"])
    assert signature.verifies(request, found, other, NOON) == (secret == other)


@pytest.mark.parametrize("ahead", [-300, -299, 0, 299, 300])
def test_a_date_five_minutes_off_is_accepted(guard, ahead):
    request = osc4(Wall(NOON + ahead))
    assert admit(guard, request).access_key == DEFAULT_ACCESS_KEY


@pytest.mark.parametrize("ahead", [-86400, -301, 301, 86400])
def test_a_date_further_off_is_refused(guard, ahead):
    assert refused(guard, osc4(Wall(NOON + ahead))) == (401, 1)


def test_a_recorded_request_is_refused_after_five_minutes(guard, wall):
    request = osc4(wall)
    admit(guard, request)
    wall.now += 300
    admit(guard, request)
    wall.now += 1
    assert refused(guard, request) == (401, 1)


def test_the_age_of_a_request_is_real_and_not_virtual(guard, wall):
    request = osc4(wall)
    guard.cloud.clock.advance(86400)
    assert admit(guard, request).access_key == DEFAULT_ACCESS_KEY


# Lock-out.


def test_four_failures_in_a_row_lock_a_key_for_a_minute(guard, wall):
    right, wrong = osc4(wall), osc4(wall, key=(DEFAULT_ACCESS_KEY, "X"))
    for _ in range(4):
        assert refused(guard, wrong) == (401, 1)
    with pytest.raises(ApiError, match="locked for 60 seconds") as error:
        admit(guard, right)
    assert (error.value.code, error.value.type, error.value.status) == ("13", "AccessDenied", 401)
    wall.now += 59.5
    with pytest.raises(ApiError, match="locked for 1 seconds"):
        admit(guard, right)
    wall.now += 0.5
    assert admit(guard, right).access_key == DEFAULT_ACCESS_KEY


def test_a_success_forgives_earlier_failures(guard, wall):
    right, wrong = osc4(wall), osc4(wall, key=(DEFAULT_ACCESS_KEY, "X"))
    for _ in range(5):
        for _ in range(3):
            assert refused(guard, wrong) == (401, 1)
        admit(guard, right)


def test_each_further_lock_is_a_minute_longer_up_to_ten(guard, wall):
    lengths = []
    for _ in range(12):
        for _ in range(4):
            assert refused(guard, osc4(wall, key=(DEFAULT_ACCESS_KEY, "X"))) == (401, 1)
        start = wall.now
        while refused(guard, osc4(wall, key=(DEFAULT_ACCESS_KEY, "X")))[1] == 13:
            wall.now += 60
        lengths.append((wall.now - start) / 60)
        guard._strikes[DEFAULT_ACCESS_KEY].count -= 1  # The failure that ended the wait.
    assert lengths == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10, 10]


def test_a_lock_is_only_for_its_own_key(guard, wall):
    guard.cloud.add_account("222222222222", "OTHER", "SECRET")
    for _ in range(4):
        refused(guard, osc4(wall, key=(DEFAULT_ACCESS_KEY, "X")))
    assert refused(guard, osc4(wall)) == (401, 13)
    assert admit(guard, osc4(wall, key=("OTHER", "SECRET"))).account == "222222222222"


def test_a_login_is_locked_too(guard):
    login = identities.default_login(guard.cloud.account)
    for _ in range(4):
        assert refused(guard, basic(login, "wrong"), "ReadAccessKeys") == (400, 4120)
    right = basic(login, identities.DEFAULT_PASSWORD)
    assert refused(guard, right, "ReadAccessKeys") == (401, 13)
    guard.cloud.reset()
    assert admit(guard, right, "ReadAccessKeys").account == guard.cloud.account


# Who may.


def test_without_authentication_nothing_is_done(guard):
    request = Request("POST", "/api/v1/CreateAccessKey", {"host": HOST}, b"{}")
    assert refused(guard, request) == (401, 1)
    assert refused(guard, request, "CreateAccessKey") == (401, 1)


@pytest.mark.parametrize("value", ["Bearer abc", "AWS4-HMAC-SHA512 x", "nonsense"])
def test_an_unknown_type_of_authentication_is_named(guard, value):
    request = Request("POST", "/", {"host": HOST, "authorization": value}, b"{}")
    assert refused(guard, request) == (401, 12)


def test_an_unknown_access_key_is_an_invalid_value(guard, wall):
    assert refused(guard, osc4(wall, key=("UNKNOWN", "X"))) == (400, 4120)


def test_a_key_of_another_region_is_unknown(guard, wall):
    made = guard.cloud.call("CreateAccessKey", region="us-east-2")["AccessKey"]
    request = osc4(wall, key=(made["AccessKeyId"], made["SecretKey"]))
    assert refused(guard, request) == (400, 4120)


@pytest.mark.parametrize("mode", ["known-key", "verify"])
def test_an_inactive_key_opens_nothing(cloud, wall, mode):
    guard = auth.Guard(cloud, mode)
    cloud.call("UpdateAccessKey", AccessKeyId=DEFAULT_ACCESS_KEY, State="INACTIVE")
    assert refused(guard, osc4(wall)) == (401, 1)


def test_a_key_opens_until_it_expires_in_virtual_time(cloud, guard, wall):
    made = cloud.call("CreateAccessKey", ExpirationDate="2026-01-02")["AccessKey"]
    request = osc4(wall, key=(made["AccessKeyId"], made["SecretKey"]))
    cloud.clock.advance(86399)
    assert admit(guard, request).access_key == made["AccessKeyId"]
    cloud.clock.advance(1)
    assert refused(guard, request) == (401, 1)


def test_a_deleted_key_opens_nothing(cloud, guard, wall):
    made = cloud.call("CreateAccessKey")["AccessKey"]
    request = osc4(wall, key=(made["AccessKeyId"], made["SecretKey"]))
    admit(guard, request)
    cloud.call("DeleteAccessKey", AccessKeyId=made["AccessKeyId"])
    assert refused(guard, request) == (400, 4120)


def opens(guard, request, action):
    """Tell whether a request is let in; if it is not, then because it has a login."""
    try:
        admit(guard, request, action)
    except ApiError as refusal:
        return (refusal.code, refusal.type, refusal.status) != ("9", "AuthFailure", 401)
    return True


def test_a_login_opens_exactly_the_actions_that_allow_it(guard):
    request = basic(identities.default_login(guard.cloud.account), identities.DEFAULT_PASSWORD)
    keyed = [action.name for action in guard.cloud.document.actions.values() if action.needs_key]
    opened = [name for name in keyed if opens(guard, request, name)]
    rights = [f"{verb}{noun}" for verb in ("Create", "Delete", "Update") for noun in LOGIN_KINDS]
    rights += [f"Read{noun}s" for noun in LOGIN_KINDS]
    assert sorted(opened) == sorted([*rights, "ReadApiAccessPolicy", "UpdateApiAccessPolicy"])


@pytest.mark.parametrize(
    ("login", "password"), [("nobody@example.com", "x"), ("", ""), ("no colon", "")]
)
def test_an_unknown_login_is_an_invalid_value(guard, login, password):
    assert refused(guard, basic(login, password), "ReadAccessKeys") == (400, 4120)


def test_a_malformed_login_is_an_invalid_value(guard):
    request = Request("POST", "/", {"authorization": "Basic %%%"}, b"")
    assert refused(guard, request, "ReadAccessKeys") == (400, 4120)


def test_actions_without_authentication_work_with_bad_credentials(guard, wall):
    free = [a.name for a in guard.cloud.document.actions.values() if not a.needs_key]
    assert len(free) == 8
    wrong = [
        osc4(wall, key=("UNKNOWN", "X")),
        osc4(wall, key=(DEFAULT_ACCESS_KEY, "X")),
        basic("nobody", "x"),
        Request("POST", "/", {}, b""),
        Request("POST", "/", {"authorization": "Bearer x"}, b""),
    ]
    for action in free:
        for request in wrong:
            assert admit(guard, request, action).account == guard.cloud.account


def test_a_key_acts_for_its_own_account(guard, wall):
    guard.cloud.add_account("222222222222", "OTHER", "SECRET")
    assert admit(guard, osc4(wall, key=("OTHER", "SECRET"))).account == "222222222222"


def test_known_keys_need_no_right_signature(cloud, wall):
    guard = auth.Guard(cloud, "known-key")
    assert admit(guard, osc4(wall, key=(DEFAULT_ACCESS_KEY, "X"))).account == cloud.account
    assert refused(guard, osc4(wall, key=("UNKNOWN", "X"))) == (400, 4120)
    assert refused(guard, Request("POST", "/", {}, b"")) == (401, 1)
    login = identities.default_login(cloud.account)
    assert admit(guard, basic(login, "x"), "ReadAccessKeys").account == cloud.account
    assert refused(guard, basic(login, "x")) == (401, 9)


def test_without_a_guard_everybody_passes(cloud, wall):
    guard = auth.Guard(cloud, "none")
    cloud.add_account("222222222222", "OTHER", "SECRET")
    cloud.store(cloud.region, "222222222222")
    other = "222222222222"
    for request, account, key in [
        (Request("POST", "/", {}, b""), cloud.account, ""),
        (osc4(wall, key=("UNKNOWN", "X")), cloud.account, "UNKNOWN"),
        (osc4(wall, key=("OTHER", "X")), other, "OTHER"),
        (basic(identities.default_login(other), "x"), other, ""),
        (basic("nobody", "x"), cloud.account, ""),
    ]:
        caller = admit(guard, request)
        assert (caller.account, caller.access_key) == (account, key)


def test_a_mode_is_one_of_three(cloud):
    with pytest.raises(ValueError, match="none, known-key, verify"):
        auth.Guard(cloud, "strict")


# EIM users.


@pytest.fixture
def user_key(cloud):
    cloud.call("CreateUser", UserName="ada")
    made = cloud.call("CreateAccessKey", UserName="ada")["AccessKey"]
    return made["AccessKeyId"], made["SecretKey"]


def test_a_user_may_do_what_a_policy_allows(cloud, guard, wall, user_key):
    request = osc4(wall, key=user_key)
    assert refused(guard, request) == (401, 5)
    cloud.call("PutUserPolicy", UserName="ada", PolicyName="all", PolicyDocument=ALL)
    caller = admit(guard, request)
    assert (caller.account, caller.user) == (cloud.account, "ada")
    cloud.call("DeleteUserPolicy", UserName="ada", PolicyName="all")
    assert refused(guard, request) == (401, 5)


def test_a_user_needs_no_policy_for_what_needs_no_key(guard, wall, user_key):
    assert admit(guard, osc4(wall, key=user_key), "ReadRegions").user == "ada"


def test_another_api_has_policies_of_its_own(cloud, guard, wall, user_key):
    request = osc4(wall, key=user_key)
    cloud.call("PutUserPolicy", UserName="ada", PolicyName="all", PolicyDocument=ALL)
    caller = Caller(cloud.account, cloud.region)
    with pytest.raises(ApiError) as error:
        guard.identify(request, caller, "elasticloadbalancing:DescribeLoadBalancers")
    assert error.value.code == "5"
    guard.identify(request, caller)
    assert caller.user == "ada"


# API access rules.


@pytest.mark.parametrize("source", ["", "127.0.0.1", "127.8.8.8", "::1", "a socket"])
def test_this_machine_needs_no_access_rule(cloud, guard, wall, source):
    only(cloud, IpRanges=["192.0.2.0/24"])
    assert admit(guard, osc4(wall), source=source).account == cloud.account


@pytest.mark.parametrize(
    ("source", "passes"),
    [("192.0.2.7", True), ("198.51.100.1", True), ("198.51.100.2", False), ("2001:db8::1", False)],
)
def test_a_request_comes_from_where_a_rule_says(cloud, guard, wall, source, passes):
    assert admit(guard, osc4(wall), source="203.0.113.9").account == cloud.account
    only(cloud, IpRanges=["192.0.2.0/24", "198.51.100.1"])
    if passes:
        assert admit(guard, osc4(wall), source=source).account == cloud.account
    else:
        assert refused(guard, osc4(wall), source=source) == (401, 14)
        assert admit(guard, osc4(wall), "ReadRegions", source).account == cloud.account


def only(cloud, **rule):
    """Leave an account with one API access rule."""
    rules = cloud.call("ReadApiAccessRules")["ApiAccessRules"]
    cloud.call("CreateApiAccessRule", **rule)
    for old in rules:
        cloud.call("DeleteApiAccessRule", ApiAccessRuleId=old["ApiAccessRuleId"])
