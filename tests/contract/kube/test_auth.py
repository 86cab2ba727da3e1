"""Who asks, and what he may do."""

import base64
import json

import pytest

from tests.contract.kube import guarded as guarded_world
from tests.contract.kube.guarded import NOBODY, eventually

guarded = guarded_world.guarded

RBAC = "/apis/rbac.authorization.k8s.io/v1"
AUTHN, AUTHZ = "/apis/authentication.k8s.io/v1", "/apis/authorization.k8s.io/v1"
WHO = f"{AUTHN}/selfsubjectreviews"
GROUP = "rbac.authorization.k8s.io"
BOB = ("bob", ("devs",))


def who(server, **options):
    return server.must("POST", WHO, {}, **options)["status"]["userInfo"]


def rule(verbs, resources, group="", **more):
    return {"verbs": verbs, "apiGroups": [group], "resources": resources, **more}


def binding(kind, name, role, *subjects):
    role_kind, _, role_name = role.partition("/")
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": kind,
        "metadata": {"name": name},
        "roleRef": {"apiGroup": GROUP, "kind": role_kind, "name": role_name},
        "subjects": list(subjects),
    }


def user(name):
    return {"kind": "User", "apiGroup": GROUP, "name": name}


@pytest.fixture
def namespace(guarded):
    with guarded.namespace() as name:
        yield name


@pytest.fixture
def bob(namespace):
    """Be a user whom no other test knows."""
    return (f"bob-{namespace}", ("devs",))


def grant(guarded, namespace, bob, *rules):
    """Give somebody a role in a namespace, and wait until the server knows."""
    path = f"{RBAC}/namespaces/{namespace}"
    guarded.must("POST", f"{path}/roles", {"metadata": {"name": "own"}, "rules": list(rules)})
    own = binding("RoleBinding", "own", "Role/own", user(bob[0]))
    guarded.must("POST", f"{path}/rolebindings", own)
    first = rules[0]
    asked = {
        "namespace": namespace,
        "verb": first["verbs"][0],
        "resource": first["resources"][0],
        "group": first["apiGroups"][0],
        "name": first.get("resourceNames", [""])[0],
    }
    assert eventually(lambda: may(guarded, bob, **asked)["allowed"])


def may(guarded, bob, **asked):
    body = {"spec": {"resourceAttributes": asked}}
    return guarded.must("POST", f"{AUTHZ}/selfsubjectaccessreviews", body, user=bob)["status"]


# --- Who ------------------------------------------------------------------------------------------


def test_a_certificate_names_user_and_groups(guarded):
    found = who(guarded, user=BOB)
    assert found["username"] == "bob"
    assert found["groups"] == ["devs", "system:authenticated"]
    (credential,) = found["extra"]["authentication.kubernetes.io/credential-id"]
    assert credential.startswith("X509SHA256=")


def test_who_shows_nothing_may_look_at_the_version_only(guarded):
    assert guarded.ask("GET", "/version", user=NOBODY).code == 200
    answer = guarded.ask("GET", "/api/v1/nodes", user=NOBODY)
    assert (answer.code, answer.message) == (
        403,
        (
            'nodes is forbidden: User "system:anonymous" cannot list resource "nodes" in API group '
            '"" at the cluster scope'
        ),
    )


@pytest.mark.parametrize("token", ["nonsense", "a.b.c", "eyJhbGciOiJub25lIn0.e30."])
def test_a_token_that_nobody_knows_is_refused(guarded, token):
    answer = guarded.ask("GET", "/version", token=token)
    assert answer.code == 401
    assert answer.body == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": "Unauthorized",
        "reason": "Unauthorized",
        "code": 401,
    }


@pytest.fixture
def account(guarded, namespace):
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts"
    return guarded.must("POST", path, {"metadata": {"name": "robot"}})


def token_of(guarded, account, **spec):
    meta = account["metadata"]
    path = f"/api/v1/namespaces/{meta['namespace']}/serviceaccounts/{meta['name']}/token"
    return guarded.must("POST", path, {"spec": spec})


def test_a_token_makes_one_its_account(guarded, account):
    meta = account["metadata"]
    request = token_of(guarded, account)
    assert request["spec"] == {
        "audiences": ["https://kubernetes.default.svc"],
        "expirationSeconds": 3600,
        "boundObjectRef": None,
    }
    found = who(guarded, token=request["status"]["token"])
    assert found["username"] == f"system:serviceaccount:{meta['namespace']}:robot"
    assert found["uid"] == meta["uid"]
    assert found["groups"] == [
        "system:serviceaccounts",
        f"system:serviceaccounts:{meta['namespace']}",
        "system:authenticated",
    ]


def test_the_claims_of_a_token(guarded, account):
    meta = account["metadata"]
    token = token_of(guarded, account, expirationSeconds=700)["status"]["token"]
    head, claims, _ = token.split(".")
    assert json.loads(base64.urlsafe_b64decode(head + "=="))["alg"] == "ES256"
    found = json.loads(base64.urlsafe_b64decode(claims + "=="))
    assert found["exp"] - found["iat"] == 700
    assert found["kubernetes.io"] == {
        "namespace": meta["namespace"],
        "serviceaccount": {"name": "robot", "uid": meta["uid"]},
    }
    assert found["sub"] == f"system:serviceaccount:{meta['namespace']}:robot"
    assert set(found) == {"aud", "exp", "iat", "iss", "jti", "kubernetes.io", "nbf", "sub"}


def test_accounts_may_read_how_tokens_are_verified(guarded, account):
    token = token_of(guarded, account)["status"]["token"]
    found = guarded.must("GET", "/.well-known/openid-configuration", token=token)
    assert found == {
        "issuer": "https://kubernetes.default.svc",
        "jwks_uri": f"{guarded.url}/openid/v1/jwks",
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
    }
    (key,) = guarded.must("GET", "/openid/v1/jwks", token=token)["keys"]
    head = token.partition(".")[0]
    assert json.loads(base64.urlsafe_b64decode(head + "=="))["kid"] == key["kid"]
    assert set(key) == {"use", "kty", "kid", "crv", "alg", "x", "y"}
    json_only = [("Accept", "application/json")]
    answer = guarded.ask("GET", "/openid/v1/jwks", token=token, headers=json_only)
    assert (answer.code, answer.body["reason"]) == (406, "NotAcceptable")
    assert guarded.ask("GET", "/openid/v1/jwks", user=BOB).code == 403


def test_a_token_for_somebody_else_proves_nothing_here(guarded, account):
    token = token_of(guarded, account, audiences=["vault"])["status"]["token"]
    assert guarded.ask("GET", "/version", token=token).code == 401
    path = f"{AUTHN}/tokenreviews"
    theirs = guarded.must("POST", path, {"spec": {"token": token, "audiences": ["vault"]}})
    assert theirs["status"]["authenticated"]
    assert theirs["status"]["audiences"] == ["vault"]
    ours = guarded.must("POST", path, {"spec": {"token": token}})
    assert ours["status"] == {
        "user": {},
        "error": '[invalid bearer token, token audiences ["vault"] is invalid for the target '
        'audiences ["https://kubernetes.default.svc"]]',
    }


def test_a_token_ends_with_the_secret_it_is_bound_to(guarded, account):
    namespace = account["metadata"]["namespace"]
    path = f"/api/v1/namespaces/{namespace}/secrets"
    guarded.must("POST", path, {"metadata": {"name": "tie"}})
    reference = {"kind": "Secret", "apiVersion": "v1", "name": "tie"}
    token = token_of(guarded, account, boundObjectRef=reference)["status"]["token"]
    assert who(guarded, token=token)["username"].endswith(":robot")
    guarded.must("DELETE", f"{path}/tie")
    assert eventually(lambda: guarded.ask("GET", "/version", token=token).code == 401)


TOKEN_REFUSALS = [
    ({"expirationSeconds": 60}, 422, ('TokenRequest.authentication.k8s.io "" is invalid: '
     "spec.expirationSeconds: Invalid value: 60: may not specify a duration less than 10 minutes")),
    ({"expirationSeconds": 2**33}, 422, ('TokenRequest.authentication.k8s.io "" is invalid: '
     "spec.expirationSeconds: Invalid value: 8589934592: may not specify a duration larger than "
     "2^32 seconds")),
    ({"boundObjectRef": {"kind": "Pod", "apiVersion": "v1", "name": "p"}}, 404,
     'pods "p" not found'),
    ({"boundObjectRef": {"kind": "ConfigMap", "apiVersion": "v1", "name": "p"}}, 400,
     "cannot bind token to object of type /v1, Kind=ConfigMap"),
]  # fmt: skip


@pytest.mark.parametrize(("spec", "code", "message"), TOKEN_REFUSALS)
def test_a_token_request_that_cannot_be(guarded, account, spec, code, message):
    namespace = account["metadata"]["namespace"]
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/robot/token"
    answer = guarded.ask("POST", path, {"spec": spec})
    assert (answer.code, answer.message) == (code, message)


def test_a_token_of_no_account(guarded, namespace):
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/nobody/token"
    answer = guarded.ask("POST", path, {"spec": {}})
    assert (answer.code, answer.message) == (404, 'serviceaccounts "nobody" not found')


def test_a_token_review_needs_a_token(guarded):
    answer = guarded.ask("POST", f"{AUTHN}/tokenreviews", {"spec": {}})
    assert (answer.code, answer.message) == (
        400,
        "token is required for TokenReview in authentication",
    )
    found = guarded.must("POST", f"{AUTHN}/tokenreviews", {"spec": {"token": "nonsense"}})
    assert found["status"] == {"user": {}, "error": "invalid bearer token"}


# --- As somebody else -----------------------------------------------------------------------------


def test_an_administrator_may_be_anybody(guarded):
    headers = [
        ("Impersonate-User", "jane"),
        ("Impersonate-Group", "one"),
        ("Impersonate-Group", "two"),
        ("Impersonate-Extra-Scopes", "read"),
        ("Impersonate-Extra-example.org%2Fteam", "blue"),
        ("Impersonate-Uid", "77"),
    ]
    assert who(guarded, headers=headers) == {
        "username": "jane",
        "uid": "77",
        "groups": ["one", "two", "system:authenticated"],
        "extra": {"example.org/team": ["blue"], "scopes": ["read"]},
    }


def test_an_impersonated_account_has_its_groups(guarded):
    found = who(guarded, headers=[("Impersonate-User", "system:serviceaccount:here:robot")])
    assert found["groups"] == [
        "system:serviceaccounts",
        "system:serviceaccounts:here",
        "system:authenticated",
    ]


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("jane", ('users "jane" is forbidden: User "bob" cannot impersonate resource "users" in '
         'API group "" at the cluster scope')),
        ("system:serviceaccount:here:robot", ('serviceaccounts "robot" is forbidden: User "bob" '
         'cannot impersonate resource "serviceaccounts" in API group "" in the namespace "here"')),
    ],
)  # fmt: skip
def test_not_everybody_may_be_somebody_else(guarded, wanted, message):
    answer = guarded.ask("POST", WHO, {}, user=BOB, headers=[("Impersonate-User", wanted)])
    assert (answer.code, answer.message) == (403, message)


def test_groups_alone_are_nobody(guarded):
    answer = guarded.ask("POST", WHO, {}, headers=[("Impersonate-Group", "one")])
    assert answer.code == 500
    assert answer.text == (
        f'Internal Server Error: "{WHO}": requested [{{Group  one    }}] without impersonating '
        "a user\n"
    )


# --- What is allowed ------------------------------------------------------------------------------

REFUSALS = [
    ("GET", "/api/v1/namespaces/x/pods/p", ('pods "p" is forbidden: User "bob" cannot get resource '
     '"pods" in API group "" in the namespace "x"')),
    ("GET", "/api/v1/namespaces/x/pods/p/log", ('pods "p" is forbidden: User "bob" cannot get '
     'resource "pods/log" in API group "" in the namespace "x"')),
    ("GET", "/api/v1/namespaces/x/pods?watch=1", ('pods is forbidden: User "bob" cannot watch '
     'resource "pods" in API group "" in the namespace "x"')),
    ("GET", "/api/v1/pods?fieldSelector=metadata.name%3Dp", ('pods "p" is forbidden: User "bob" '
     'cannot list resource "pods" in API group "" at the cluster scope')),
    ("DELETE", "/apis/apps/v1/deployments", ('deployments.apps is forbidden: User "bob" cannot '
     'deletecollection resource "deployments" in API group "apps" at the cluster scope')),
    ("PATCH", "/api/v1/nodes/n/status", ('nodes "n" is forbidden: User "bob" cannot patch resource '
     '"nodes/status" in API group "" at the cluster scope')),
    ("POST", "/api/v1/namespaces", ('namespaces is forbidden: User "bob" cannot create resource '
     '"namespaces" in API group "" at the cluster scope')),
    ("GET", "/api/v1/namespaces/x", ('namespaces "x" is forbidden: User "bob" cannot get resource '
     '"namespaces" in API group "" in the namespace "x"')),
    ("GET", "/apis/no.such/v1/things", ('things.no.such is forbidden: User "bob" cannot list '
     'resource "things" in API group "no.such" at the cluster scope')),
    ("GET", "/apis/%3Cb%3E/v1/things", ('things.<b> is forbidden: User "bob" cannot list resource '
     '"things" in API group "&lt;b&gt;" at the cluster scope')),
    ("GET", "/metrics", 'forbidden: User "bob" cannot get path "/metrics"'),
    ("GET", "/metrics?x=1", 'forbidden: User "bob" cannot get path "/metrics"'),
    ("POST", "/version", 'forbidden: User "bob" cannot post path "/version"'),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "message"), REFUSALS)
def test_what_nobody_has_granted_is_forbidden(guarded, method, path, message):
    answer = guarded.ask(method, path, {} if method != "GET" else None, user=BOB)
    assert (answer.code, answer.message) == (403, message)
    assert answer.body["reason"] == "Forbidden"


def test_everybody_known_may_discover(guarded):
    for path in ("/api", "/apis", "/version", "/healthz", "/api/v1", "/apis/apps/v1"):
        assert guarded.ask("GET", path, user=BOB).code == 200, path


def test_a_role_allows_what_it_says(guarded, namespace, bob):
    grant(guarded, namespace, bob, rule(["get", "list"], ["configmaps"]))
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    assert guarded.ask("GET", path, user=bob).code == 200
    assert guarded.ask("GET", f"{path}/none", user=bob).code == 404
    assert guarded.ask("DELETE", f"{path}/none", user=bob).code == 403
    assert guarded.ask("GET", f"{path}?watch=1", user=bob).code == 403
    assert guarded.ask("GET", "/api/v1/configmaps", user=bob).code == 403


def test_a_role_may_be_about_names(guarded, namespace, bob):
    grant(guarded, namespace, bob, rule(["get", "list"], ["secrets"], resourceNames=["mine"]))
    path = f"/api/v1/namespaces/{namespace}/secrets"
    assert guarded.ask("GET", f"{path}/mine", user=bob).code == 404
    assert guarded.ask("GET", f"{path}/other", user=bob).code == 403
    assert guarded.ask("GET", path, user=bob).code == 403
    assert guarded.ask("GET", f"{path}?fieldSelector=metadata.name%3Dmine", user=bob).code == 200


@pytest.mark.parametrize("granted", ["pods/*", "*/log", "pods"])
def test_a_subresource_is_granted_by_its_name(guarded, namespace, bob, granted):
    grant(guarded, namespace, bob, rule(["get"], ["configmaps"]), rule(["get"], [granted]))
    path = f"/api/v1/namespaces/{namespace}/pods/none"
    # A star for the subresource is no wildcard.
    expected = {"pods/*": (403, 403), "*/log": (403, 404), "pods": (404, 403)}[granted]
    found = [guarded.ask("GET", f"{path}{part}", user=bob).code for part in ("", "/log")]
    assert tuple(found) == expected


def test_reasons_name_the_binding(guarded, namespace, bob):
    grant(guarded, namespace, bob, rule(["get"], ["configmaps"]))
    found = may(guarded, bob, verb="get", resource="configmaps", namespace=namespace)
    source = f'RoleBinding "own/{namespace}" of Role "own" to User "{bob[0]}"'
    assert found == {"allowed": True, "reason": f"RBAC: allowed by {source}"}
    assert may(guarded, bob, verb="list", resource="configmaps") == {"allowed": False}
    assert may(guarded, guarded_world.ADMIN, verb="list", resource="x") == {"allowed": True}


def test_a_binding_to_no_role_shows_in_refusals(guarded, namespace, bob):
    path = f"{RBAC}/namespaces/{namespace}/rolebindings"
    guarded.must("POST", path, binding("RoleBinding", "a", "Role/none", user(bob[0])))
    asked = f"/api/v1/namespaces/{namespace}/secrets"
    message = (
        f'secrets is forbidden: User "{bob[0]}" cannot list resource "secrets" in API group "" in '
        f'the namespace "{namespace}": RBAC: role.{GROUP} "none" not found'
    )
    assert eventually(lambda: guarded.ask("GET", asked, user=bob).message == message)
    guarded.must("POST", path, binding("RoleBinding", "b", "ClusterRole/nil", user(bob[0])))
    assert eventually(
        lambda: (
            f'clusterrole.{GROUP} "nil" not found]' in guarded.ask("GET", asked, user=bob).message
        )
    )


def test_groups_and_accounts_are_subjects(guarded, namespace, account):
    path = f"{RBAC}/namespaces/{namespace}"
    guarded.must("POST", f"{path}/roles", {"metadata": {"name": "r"}, "rules": [
        rule(["get"], ["configmaps"])]})  # fmt: skip
    subjects = [
        {"kind": "Group", "apiGroup": GROUP, "name": f"team-{namespace}"},
        {"kind": "ServiceAccount", "name": "robot", "namespace": namespace},
    ]
    guarded.must("POST", f"{path}/rolebindings", binding("RoleBinding", "b", "Role/r", *subjects))
    wanted = f"/api/v1/namespaces/{namespace}/configmaps/none"
    member = ("carol", (f"team-{namespace}",))
    assert eventually(lambda: guarded.ask("GET", wanted, user=member).code == 404)
    token = token_of(guarded, account)["status"]["token"]
    assert guarded.ask("GET", wanted, token=token).code == 404
    assert guarded.ask("GET", wanted, user=BOB).code == 403


def test_what_is_taken_away_is_gone(guarded, namespace, bob):
    grant(guarded, namespace, bob, rule(["list"], ["configmaps"]))
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    guarded.must("DELETE", f"{RBAC}/namespaces/{namespace}/rolebindings/own")
    assert eventually(lambda: guarded.ask("GET", path, user=bob).code == 403)


# --- Nobody grants what he does not have ----------------------------------------------------------

WRITER = rule(["create", "update", "get"], ["roles", "rolebindings"], GROUP)


def test_a_role_grants_no_more_than_its_author_has(guarded, namespace, bob):
    grant(guarded, namespace, bob, WRITER, rule(["get"], ["pods"]))
    path = f"{RBAC}/namespaces/{namespace}/roles"
    fine = {"metadata": {"name": "fine"}, "rules": [rule(["get"], ["pods"])]}
    guarded.must("POST", path, fine, user=bob)
    more = [
        {"verbs": ["get", "list"], "apiGroups": ["", "apps"], "resources": ["pods", "secrets"]},
        rule(["get"], ["configmaps"], resourceNames=["a", "b"]),
    ]
    answer = guarded.ask("POST", path, {"metadata": {"name": "more"}, "rules": more}, user=bob)
    assert (answer.code, answer.message) == (
        403,
        (
            f'roles.{GROUP} "more" is forbidden: user "{bob[0]}" (groups=["devs" '
            '"system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n'
            '{APIGroups:[""], Resources:["configmaps"], ResourceNames:["a"], Verbs:["get"]}\n'
            '{APIGroups:[""], Resources:["configmaps"], ResourceNames:["b"], Verbs:["get"]}\n'
            '{APIGroups:[""], Resources:["pods"], Verbs:["list"]}\n'
            '{APIGroups:[""], Resources:["secrets"], Verbs:["get" "list"]}\n'
            '{APIGroups:["apps"], Resources:["pods"], Verbs:["get" "list"]}\n'
            '{APIGroups:["apps"], Resources:["secrets"], Verbs:["get" "list"]}'
        ),
    )
    answer = guarded.ask("PUT", f"{path}/fine", {**fine, "rules": more}, user=bob)
    assert answer.code == 403


def test_a_binding_grants_no_more_than_its_author_has(guarded, namespace, bob):
    grant(guarded, namespace, bob, WRITER, rule(["get"], ["pods"]))
    path = f"{RBAC}/namespaces/{namespace}/rolebindings"
    guarded.must("POST", path, binding("RoleBinding", "x", "Role/own", user("eve")), user=bob)
    wanted = binding("RoleBinding", "y", "ClusterRole/cluster-admin", user("eve"))
    answer = guarded.ask("POST", path, wanted, user=bob)
    assert answer.code == 403
    assert answer.message.endswith(
        '{APIGroups:["*"], Resources:["*"], Verbs:["*"]}\n{NonResourceURLs:["*"], Verbs:["*"]}'
    )
    missing = binding("RoleBinding", "z", "ClusterRole/none", user("eve"))
    answer = guarded.ask("POST", path, missing, user=bob)
    assert (answer.code, answer.message) == (404, f'rolebindings.{GROUP} "none" not found')


def test_who_may_bind_a_role_need_not_have_it(guarded, namespace, bob):
    bind = rule(["bind"], ["clusterroles"], GROUP, resourceNames=["view"])
    grant(guarded, namespace, bob, WRITER, bind)
    path = f"{RBAC}/namespaces/{namespace}/rolebindings"
    wanted = binding("RoleBinding", "y", "ClusterRole/view", user("eve"))
    guarded.must("POST", path, wanted, user=bob)


def test_only_administrators_aggregate(guarded, bob):
    path = f"{RBAC}/clusterroles"
    role = {"metadata": {"name": bob[0]}, "rules": [rule(["create"], ["clusterroles"], GROUP)]}
    guarded.must("POST", path, role)
    bound = binding("ClusterRoleBinding", bob[0], f"ClusterRole/{bob[0]}", user(bob[0]))
    guarded.must("POST", f"{RBAC}/clusterrolebindings", bound)
    selectors = [{"matchLabels": {"a": "b"}}]
    wanted = {
        "metadata": {"name": f"{bob[0]}-more"},
        "aggregationRule": {"clusterRoleSelectors": selectors},
    }
    message = (
        f'clusterroles.{GROUP} "{bob[0]}-more" is forbidden: must have cluster-admin privileges '
        "to use the aggregationRule"
    )
    assert eventually(lambda: guarded.ask("POST", path, wanted, user=bob).message == message)


# --- Questions ------------------------------------------------------------------------------------

BOTH = {
    "resourceAttributes": {"verb": "get"},
    "nonResourceAttributes": {"path": "/x", "verb": "get"},
}
WRONG = [
    ("selfsubjectaccessreviews", {}, ("spec.resourceAttributes: Invalid value: null: exactly one "
     "of "
     "nonResourceAttributes or resourceAttributes must be specified")),
    ("selfsubjectaccessreviews", BOTH, ('spec.nonResourceAttributes: Invalid value: {"Path":"/x",'
     '"Verb":"get"}: cannot be specified in combination with resourceAttributes')),
    ("subjectaccessreviews", {"resourceAttributes": {"verb": "get"}}, ("spec.user: Invalid value: "
     '"": at least one of user or group must be specified')),
    ("namespaces/default/localsubjectaccessreviews", {"user": "x", "resourceAttributes": {
        "verb": "get", "namespace": "other"}}, ("spec.resourceAttributes.namespace: Invalid value: "
     '"other": must match metadata.namespace')),
    ("namespaces/default/localsubjectaccessreviews", {"user": "x", "nonResourceAttributes": {
        "verb": "get", "path": "/x"}}, ("spec.nonResourceAttributes: Invalid value: "
     '{"Path":"/x","Verb":"get"}: disallowed on this kind of request')),
]  # fmt: skip


@pytest.mark.parametrize(("plural", "spec", "message"), WRONG)
def test_a_question_that_cannot_be_answered(guarded, plural, spec, message):
    answer = guarded.ask("POST", f"{AUTHZ}/{plural}", {"spec": spec})
    assert (answer.code, answer.message) == (
        422,
        f'.authorization.k8s.io "" is invalid: {message}',
    )


def test_an_administrator_asks_for_others(guarded):
    spec = {"groups": ["system:masters"], "resourceAttributes": {"verb": "x", "resource": "y"}}
    found = guarded.must("POST", f"{AUTHZ}/subjectaccessreviews", {"spec": spec})
    assert found["status"] == {"allowed": True}
    spec = {"user": "eve", "nonResourceAttributes": {"verb": "get", "path": "/metrics"}}
    found = guarded.must("POST", f"{AUTHZ}/subjectaccessreviews", {"spec": spec})
    assert found["status"] == {"allowed": False}


def test_what_may_i(guarded, namespace, bob):
    grant(guarded, namespace, bob, rule(["get"], ["configmaps"], resourceNames=["a"]))
    body = {"spec": {"namespace": namespace}}
    found = guarded.must("POST", f"{AUTHZ}/selfsubjectrulesreviews", body, user=bob)
    assert found["spec"] == {}
    assert found["metadata"] == {}
    rules = found["status"]["resourceRules"]
    assert rules[-1] == {
        "verbs": ["get"],
        "apiGroups": [""],
        "resources": ["configmaps"],
        "resourceNames": ["a"],
    }
    assert {
        "verbs": ["create"],
        "apiGroups": ["authentication.k8s.io"],
        "resources": ["selfsubjectreviews"],
    } in rules
    assert {
        "verbs": ["get"],
        "nonResourceURLs": ["/healthz", "/livez", "/readyz", "/version", "/version/"],
    } in found["status"]["nonResourceRules"]
    assert not found["status"]["incomplete"]
    answer = guarded.ask("POST", f"{AUTHZ}/selfsubjectrulesreviews", {"spec": {}}, user=bob)
    assert (answer.code, answer.message) == (400, "no namespace on request")


def test_the_first_roles_are_those_of_the_real_server(guarded):
    found = guarded.must("GET", f"{RBAC}/clusterroles/system:discovery")
    assert found["rules"] == [
        {
            "verbs": ["get"],
            "nonResourceURLs": [
                "/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi",
                "/openapi/*", "/readyz", "/version", "/version/",
            ],
        }
    ]  # fmt: skip
    names = [
        item["metadata"]["name"] for item in guarded.must("GET", f"{RBAC}/clusterroles")["items"]
    ]
    first = [name for name in names if name.startswith("system:") or name in {"admin", "view"}]
    assert len(first) > 60
    for plural, least in (("clusterrolebindings", 45), ("roles", 7), ("rolebindings", 7)):
        assert len(guarded.must("GET", f"{RBAC}/{plural}")["items"]) >= least
