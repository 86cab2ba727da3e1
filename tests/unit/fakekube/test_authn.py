"""Who asks, without a server."""

import pytest

from fakekube import authn, certificates, clock, paths, status, store, tokens


def der(user, groups):
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization

    pem, _ = certificates.Authority().client(user, groups)
    return x509.load_pem_x509_certificate(pem).public_bytes(serialization.Encoding.DER)


class World:
    """A store with a service account, and a frozen clock."""

    def __init__(self):
        self.store = store.Store()
        self.clock = clock.Clock(rate=0)
        self.issuer = tokens.Issuer(self.store, self.clock, clock.Chance(1))
        static = authn.parse_static(['secret,alice,7,"devs,ops"', "", "plain,bob,8"])
        self.authenticator = authn.Authenticator(self.issuer, static)
        self.account = self.create("serviceaccounts", "robot", "u-1")

    def create(self, table, name, uid, **more):
        meta = {"name": name, "namespace": "here", "uid": uid}
        return self.store.create(table, {"metadata": meta, **more})

    def token(self, **spec):
        return self.issuer.issue("here", "robot", {"spec": spec})["status"]["token"]

    def who(self, token):
        return self.authenticator.authenticate({"authorization": f"Bearer {token}"}, None)

    def knows(self, token):
        try:
            self.who(token)
        except status.ApiError as problem:
            return problem.message != "Unauthorized"
        return True


@pytest.fixture
def world():
    return World()


def test_a_certificate_names_user_and_groups(world):
    user = world.authenticator.authenticate({}, der("carol", ["devs", "ops"]))
    assert user.name == "carol"
    assert user.groups == ("devs", "ops", "system:authenticated")


def test_a_certificate_outweighs_a_token(world):
    headers = {"authorization": "Bearer nonsense"}
    assert world.authenticator.authenticate(headers, der("carol", [])).name == "carol"


@pytest.mark.parametrize(
    "header", [None, "", "Basic YTpi", "Bearer", "Bearer  ", "bearer", "Negotiate x"]
)
def test_what_proves_nothing_is_nobody(world, header):
    headers = {} if header is None else {"authorization": header}
    assert world.authenticator.authenticate(headers, None) is authn.NOBODY


def test_nobody_may_be_unwelcome(world):
    strict = authn.Authenticator(world.issuer, allows_anonymous=False)
    with pytest.raises(status.ApiError, match="Unauthorized"):
        strict.authenticate({}, None)


def test_a_static_token_names_its_user(world):
    assert world.who("secret").json() == {
        "username": "alice",
        "uid": "7",
        "groups": ["devs", "ops", "system:authenticated"],
    }
    assert world.who("plain").groups == ("system:authenticated",)


def test_a_token_file_with_a_broken_line_says_so_without_the_token():
    with pytest.raises(ValueError, match=r"<token>,bob'\. Write") as caught:
        authn.parse_static(["hidden,bob"])
    assert "hidden" not in str(caught.value)


def test_a_token_holds_until_its_time_has_passed(world):
    token = world.token(expirationSeconds=600)
    assert world.who(token).name == "system:serviceaccount:here:robot"
    world.clock.advance(600 + tokens.LEEWAY_S)
    assert world.knows(token)
    world.clock.advance(1)
    assert not world.knows(token)


def test_a_token_ends_with_its_account(world):
    token = world.token()
    world.store.delete("serviceaccounts", world.account)
    assert not world.knows(token)
    world.create("serviceaccounts", "robot", "u-2")
    assert not world.knows(token)


def test_a_token_ends_with_what_it_is_bound_to(world):
    pod = world.create("pods", "p", "u-p", spec={"serviceAccountName": "robot"})
    reference = {"kind": "Pod", "apiVersion": "v1", "name": "p"}
    token = world.token(boundObjectRef=reference)
    extra = world.who(token).extra
    assert extra["authentication.kubernetes.io/pod-name"] == ("p",)
    assert extra["authentication.kubernetes.io/pod-uid"] == ("u-p",)
    world.store.delete("pods", pod)
    assert not world.knows(token)


def test_a_token_is_bound_to_pods_of_its_account_only(world):
    world.create("pods", "p", "u-p", spec={"serviceAccountName": "other"})
    reference = {"kind": "Pod", "apiVersion": "v1", "name": "p"}
    with pytest.raises(status.ApiError, match="different serviceaccount name"):
        world.token(boundObjectRef=reference)


def test_a_changed_token_is_refused(world):
    token = world.token()
    head, claims, signature = token.split(".")
    swapped = "A" if signature[0] != "A" else "B"
    for broken in (
        f"{head}.{claims}.{swapped}{signature[1:]}",
        f"{head}.{claims[:-2]}.{signature}",
        f"{head}.{claims}.",
        f"{head}.{claims}.!!",
        "..",
    ):
        assert not world.knows(broken), broken


def test_a_token_of_another_server_is_refused(world):
    other = tokens.Issuer(world.store, world.clock, clock.Chance(2))
    token = other.issue("here", "robot", {})["status"]["token"]
    assert not world.knows(token)


def test_tokens_are_those_of_the_seed(world):
    other = World()
    other.issuer.key()
    world.issuer.key()
    assert other.knows(world.token())


def test_the_public_key_verifies_tokens(world):
    (key,) = world.issuer.jwks()["keys"]
    assert (key["alg"], key["crv"]) == ("ES256", "P-256")
    found = world.issuer.discovery("localhost:1")
    assert found["jwks_uri"] == "https://localhost:1/openid/v1/jwks"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("system:serviceaccount:a:b", ("a", "b")),
        ("system:serviceaccount:a", None),
        ("system:serviceaccount::b", None),
        ("system:serviceaccount:a:b:c", None),
        ("bob", None),
    ],
)
def test_the_names_of_accounts(name, expected):
    assert authn.split_service_account(name) == expected


# --- As somebody else -----------------------------------------------------------------------------


def act(headers, allowed=lambda _info: True):
    asked = []

    def allow(_user, info):
        asked.append((info.resource, info.namespace, info.subresource, info.name))
        return allowed(info), ""

    def forbid(_user, info, _reason):
        return status.forbidden(info.resource, info.name, "no")

    return authn.impersonated(authn.known("root"), headers, "/x", allow, forbid), asked


def test_every_part_of_an_identity_is_authorised():
    _, asked = act(
        {
            "impersonate-user": "jane",
            "impersonate-group": "a\0b",
            "impersonate-extra-some%2fkey": "v",
            "impersonate-uid": "7",
        }
    )
    assert asked == [
        ("users", "", "", "jane"),
        ("groups", "", "", "a"),
        ("groups", "", "", "b"),
        ("userextras", "", "some/key", "v"),
        ("uids", "", "", "7"),
    ]


def test_one_part_that_is_forbidden_forbids_all():
    with pytest.raises(status.ApiError, match='groups "b" is forbidden'):
        act(
            {"impersonate-user": "jane", "impersonate-group": "a\0b"},
            lambda info: info.name != "b",
        )


IDENTITIES = [
    ({"impersonate-user": "jane"}, ("system:authenticated",)),
    ({"impersonate-user": "jane", "impersonate-group": "a"}, ("a", "system:authenticated")),
    ({"impersonate-user": "system:anonymous"}, ("system:unauthenticated",)),
    (
        {"impersonate-user": "jane", "impersonate-group": "system:unauthenticated"},
        ("system:unauthenticated",),
    ),
    (
        {"impersonate-user": "system:serviceaccount:a:b", "impersonate-group": "c"},
        ("c", "system:authenticated"),
    ),
]


@pytest.mark.parametrize(("headers", "groups"), IDENTITIES)
def test_the_groups_of_somebody_else(headers, groups):
    user, _ = act(headers)
    assert user.groups == groups


def test_without_headers_one_is_oneself():
    user, asked = act({"accept": "x"})
    assert (user.name, asked) == ("root", [])


def test_parts_without_a_user_are_refused_in_plain_text():
    with pytest.raises(authn.PlainRefusal, match="without impersonating a user"):
        act({"impersonate-uid": "7"})


def test_a_refusal_is_about_the_part():
    info = next(authn._impersonations({"impersonate-user": "system:serviceaccount:a:b"}, "/x"))
    assert isinstance(info, paths.RequestInfo)
    assert (info.verb, info.resource, info.namespace) == ("impersonate", "serviceaccounts", "a")
