"""Discovery, side by side: the documents are the same, but for what fakekube leaves out."""

import pytest

from fakekube import generate
from tests.contract.kube import built_in, sides

pytestmark = pytest.mark.tools(*sides.TOOLS)
both = sides.both
MODERN = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
DEFINITIONS = built_in.OBJECTS / "definitions.yaml"


@pytest.fixture(scope="module", autouse=True)
def _definitions(both):
    import yaml

    for client in both:
        for each in yaml.safe_load_all(DEFINITIONS.read_text()):
            client.ask("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", each)
        sides.eventually_serves(client)


def is_left_out(group, resource):
    root, _, part = resource.partition("/")
    return (
        group in generate.LEFT_OUT
        or (not group and root in generate.LEFT_OUT_RESOURCES)
        or bool(part and part not in generate.SUBRESOURCES)
    )


def reduced(groups):
    """Return aggregated discovery without what fakekube leaves out."""
    for group in groups:
        name = group["metadata"].get("name", "")
        for version in group["versions"]:
            rows = version["resources"]
            rows[:] = [row for row in rows if not is_left_out(name, row["resource"])]
            for row in rows:
                parts = row.pop("subresources", [])
                kept = [
                    part
                    for part in parts
                    if not is_left_out(name, f"{row['resource']}/{part['subresource']}")
                ]
                row.update({"subresources": kept} if kept else {})
    return [group for group in groups if group["metadata"].get("name") not in generate.LEFT_OUT]


def is_built_in(name):
    """Tell the groups of Kubernetes itself from those that other tests brought to the servers."""
    return "." not in name or name.endswith(".k8s.io")


@pytest.mark.parametrize("root", ["/api", "/apis"])
def test_aggregated_discovery_is_the_same(both, root):
    ours, theirs = (client.must("GET", root, accept=MODERN)["items"] for client in both)
    ours, theirs = (
        [group for group in groups if is_built_in(group["metadata"].get("name", ""))]
        for groups in (ours, theirs)
    )
    assert not sides.differences(ours, reduced(theirs))


def test_groups_are_the_same(both):
    ours, theirs = (client.must("GET", "/apis")["groups"] for client in both)
    ours, theirs = (
        [group for group in groups if is_built_in(group["name"])] for groups in (ours, theirs)
    )
    assert ours == [group for group in theirs if group["name"] not in generate.LEFT_OUT]


def test_each_group_version_is_the_same(both):
    versions = [
        version["groupVersion"]
        for group in both[0].must("GET", "/apis")["groups"]
        for version in group["versions"]
    ]
    for place in ["/api/v1", *(f"/apis/{version}" for version in versions)]:
        ours, theirs = (client.must("GET", place) for client in both)
        group = place.removeprefix("/apis/").partition("/")[0] if "/apis/" in place else ""
        rows = [row for row in theirs["resources"] if not is_left_out(group, row["name"])]
        assert not sides.differences(ours, {**theirs, "resources": rows}), place


@pytest.mark.parametrize(
    "path", ["/apis/apps", "/apis/autoscaling", "/apis/shop.example.com", "/apis/nope",
             "/apis/nope/v1", "/apis/apps/v7", "/api/v7", "/nope", "/apis/apps/v1/nope",
             "/readyz", "/livez", "/healthz", "/readyz/ping", "/readyz/nope"]
)  # fmt: skip
def test_a_path_is_answered_the_same(both, path):
    ours, theirs = (client.ask("GET", path) for client in both)
    assert (ours.code, ours.text.strip()) == (theirs.code, theirs.text.strip())


def test_methods_that_do_not_fit_are_refused_the_same(both):
    ours, theirs = (client.refused("POST", "/api", {}) for client in both)
    assert ours == theirs


def test_a_known_tag_gets_no_body(both):
    for client in both:
        tag = dict(client.ask("GET", "/apis", accept=MODERN).headers)
        tag = next(value for key, value in tag.items() if key.lower() == "etag")
        connection = client.connect()
        connection.request("GET", "/apis", headers={"Accept": MODERN, "If-None-Match": tag})
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (304, b"")
        connection.close()


def test_the_version_is_that_of_the_real_server(both):
    ours, theirs = (client.must("GET", "/version") for client in both)
    assert ours.keys() == theirs.keys()
    for key in ("major", "minor", "gitVersion", "emulationMinor", "minCompatibilityMinor"):
        assert ours[key] == theirs[key]


def test_health_tells_of_its_checks(both):
    for client in both:
        text = client.ask("GET", "/readyz", verbose="").text
        assert "[+]ping ok\n[+]log ok\n[+]etcd ok\n" in text
        assert text.endswith("readyz check passed\n")
        text = client.ask("GET", "/livez?verbose&exclude=ping&exclude=nope").text
        assert "[+]ping excluded: ok" in text
        assert 'warn: some health checks cannot be excluded: no matches for "nope"' in text
