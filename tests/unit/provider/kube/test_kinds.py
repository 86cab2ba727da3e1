"""Paths of kinds, and the types of refusals."""

import pytest

from provider.kube import errors, kinds


@pytest.mark.parametrize(
    ("kind", "place", "path"),
    [
        (kinds.SECRET, ("a", "b"), "/api/v1/namespaces/a/secrets/b"),
        (kinds.SECRET, ("",), "/api/v1/secrets"),
        (kinds.NAMESPACE, ("ignored", "b"), "/api/v1/namespaces/b"),
        (
            kinds.OSC_CLUSTER,
            ("a", "b", "status"),
            "/apis/infrastructure.cluster.x-k8s.io/v1beta2/namespaces/a/oscclusters/b/status",
        ),
    ],
)
def test_where_a_kind_is_served(kind, place, path):
    assert kind.path(*place) == path


def test_a_kind_in_another_version():
    assert kinds.CLUSTER.at("cluster.x-k8s.io/v1beta1").api_version == "cluster.x-k8s.io/v1beta1"
    assert kinds.CLUSTER.at("v1beta1").version == "v1beta1"


@pytest.mark.parametrize(
    ("code", "reason", "type_"),
    [
        (401, "Unauthorized", errors.Denied),
        (403, "Forbidden", errors.Denied),
        (404, "NotFound", errors.NotFound),
        (409, "AlreadyExists", errors.Exists),
        (409, "Conflict", errors.Conflict),
        (410, "Expired", errors.Gone),
        (422, "Invalid", errors.Unprocessable),
        (429, "TooManyRequests", errors.Throttled),
        (400, "BadRequest", errors.StatusError),
        (503, "", errors.Broken),
    ],
)
def test_a_status_becomes_an_exception_of_its_type(code, reason, type_):
    problem = errors.from_status("GET /x", code, {"reason": reason, "message": "so it is"})
    assert type(problem) is type_
    assert str(problem).startswith(f"GET /x: {code} ")
    assert str(problem).endswith("so it is")


@pytest.mark.parametrize(
    "answer",
    [
        "404 page not found",
        "<html>Not Found</html>",
        {"reason": "NotFound", "message": "the server could not find the requested resource"},
    ],
)
def test_a_kind_that_is_not_served_is_no_object_that_is_gone(answer):
    assert type(errors.from_status("GET /x", 404, answer)) is errors.UnknownKind


def test_an_answer_of_a_proxy_becomes_an_exception_too():
    problem = errors.from_status("GET /x", 502, "<html>Bad Gateway</html>")
    assert isinstance(problem, errors.Broken)
    assert "Bad Gateway" in str(problem)
