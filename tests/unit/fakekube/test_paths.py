"""What a path is about, and what may be a name."""

import pytest

from fakekube import names, paths


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/api/v1/pods", ("list", "", "v1", "", "pods", "", "")),
        ("GET", "/api/v1/namespaces/n", ("get", "", "v1", "n", "namespaces", "", "n")),
        (
            "PUT",
            "/api/v1/namespaces/n/status",
            ("update", "", "v1", "n", "namespaces", "status", "n"),
        ),
        ("POST", "/api/v1/namespaces/n/pods", ("create", "", "v1", "n", "pods", "", "")),
        ("PATCH", "/apis/g.io/v2/as/b/c", ("patch", "g.io", "v2", "", "as", "c", "b")),
        ("DELETE", "/apis/g.io/v2/as", ("deletecollection", "g.io", "v2", "", "as", "", "")),
        ("DELETE", "/apis/g.io/v2/as/b/", ("delete", "g.io", "v2", "", "as", "", "b")),
        ("HEAD", "/apis/g.io/v2/as/a%2Fb", ("get", "g.io", "v2", "", "as", "", "a/b")),
    ],
)
def test_a_path_names_a_resource(method, path, expected):
    info = paths.parse_path(method, path)
    assert info.is_resource
    found = (
        info.verb,
        info.group,
        info.version,
        info.namespace,
        info.resource,
        info.subresource,
        info.name,
    )
    assert found == expected


@pytest.mark.parametrize("path", ["/", "/api", "/api/v1", "/apis/g.io", "/apis/g.io/v1", "/x/y/z"])
def test_other_paths_name_none(path):
    info = paths.parse_path("GET", path)
    assert (info.is_resource, info.verb, info.path) == (False, "get", path)


def test_the_first_value_of_a_parameter_counts():
    assert paths.parse_query("a=1&a=2&b=&c=x%20y") == {"a": "1", "b": "", "c": "x y"}


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        (names.subdomain, "a.b-c.d", "A"),
        (names.subdomain, "0", "a..b"),
        (names.label, "a-b", "a.b"),
        (names.label_value, "", "-"),
        (names.label_value, "A_b.c", "a b"),
        (names.qualified, "x.io/A_b", "x.io/"),
        (names.qualified, "a", "/a"),
        (names.qualified, "a", "a/b/c"),
        (names.path_segment, "system:x", "a/b"),
    ],
)
def test_names(check, good, bad):
    assert check(good) == []
    assert check(bad)
    assert check(bad * 300)
