"""Tables, side by side: columns and cells of all kinds, of samples with a status."""

import re

import pytest

from fakekube import kinds
from tests.contract.kube import built_in, sides

pytestmark = pytest.mark.tools(*sides.TOOLS)
both = sides.both
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
PARTIAL = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"
LISTED = [
    f"/apis/{group}/{version}/{row[0]}" if group else f"/api/v1/{row[0]}"
    for group, version, rows in kinds.rows()
    for row in rows
    if "l" in row[3]
]
LAMPS = "/apis/shop.example.com/v1/namespaces/default/lamps"


@pytest.fixture(scope="module")
def installed(both):
    import yaml

    built_in.install(both)
    for client in both:
        for each in yaml.safe_load_all((built_in.OBJECTS / "definitions.yaml").read_text()):
            client.ask("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", each)
        sides.eventually_serves(client)
        for name, spec, state in (
            ("full", {"size": 3, "color": "green", "when": "2024-01-01T00:00:00Z", "flag": True,
                      "share": 0.5, "tags": ["a", "b"], "map": {"b": "1", "a": "2"}},
             {"conditions": [{"type": "Other", "status": "x"}, {"type": "Ready", "status": "y"}]}),
            ("bare", {"size": 1}, {}),
            ("no", {"size": 1, "flag": False, "share": 2, "tags": [], "map": {}}, {}),
        ):  # fmt: skip
            lamp = {
                "apiVersion": "shop.example.com/v1",
                "kind": "Lamp",
                "metadata": {"name": name},
                "spec": spec,
            }
            client.must("POST", LAMPS, lamp)
            client.must("PATCH", f"{LAMPS}/{name}/status", {"status": state})
    yield both
    built_in.remove(both)


def shown(table):
    """Return columns, cells and conditions of the samples."""
    columns = [
        (each["name"], each["type"], each["format"], each["priority"])
        for each in table["columnDefinitions"]
    ]
    rows = []
    for row in table["rows"] or ():
        meta = row["object"]["metadata"]
        if re.match(r"sample|full|bare|no$|example\.com$", meta["name"]) and (
            meta.get("namespace", "default") == "default"
        ):
            cells = [re.sub(r"^(\d+[smhdy]){1,2}$", "AGE", str(cell)) for cell in row["cells"]]
            rows.append((sides.normal(cells), row.get("conditions")))
    return columns, rows


@pytest.mark.parametrize("path", LISTED)
def test_the_table_of_a_kind_is_the_same(installed, path):
    ours, theirs = (shown(client.must("GET", path, accept=TABLE)) for client in installed)
    if path.endswith("certificatesigningrequests"):
        # The two administrators have other names.
        for found in (ours, theirs):
            found[1][0][0][3] = "admin"
    assert ours == theirs


def test_the_columns_of_custom_resources_are_the_same(installed):
    tables = [client.must("GET", LAMPS, accept=TABLE) for client in installed]
    ours, theirs = (shown(table) for table in tables)
    assert ours == theirs
    ours, theirs = ([row["cells"][:1] + row["cells"][4:] for row in t["rows"]] for t in tables)
    assert len(ours) == 3
    assert [[type(cell) for cell in row] for row in ours] == [
        [type(cell) for cell in row] for row in theirs
    ]


@pytest.mark.parametrize("included", ["", "Metadata", "Object", "None", "x"])
def test_what_stands_beside_the_cells_is_the_same(installed, included):
    path = "/api/v1/namespaces/default/configmaps/sample"
    ours, theirs = (
        client.ask("GET", path, accept=TABLE, includeObject=included) for client in installed
    )
    assert ours.code == theirs.code
    if ours.code == 200:
        mine, other = (sides.normal(answer.body["rows"]) for answer in (ours, theirs))
        for row in (*mine, *other):
            ((row.get("object") or {}).get("metadata") or {}).pop("managedFields", None)
            ((row.get("object") or {}).get("metadata") or {}).pop("resourceVersion", None)
            row["cells"][-1] = "AGE"
        assert mine == other
    else:
        assert ours.body == theirs.body


def test_only_the_first_event_of_a_watch_has_columns(installed):
    import json

    for client in installed:
        connection = client.connect()
        path = "/api/v1/namespaces/default/secrets?watch=true&timeoutSeconds=5"
        connection.request("GET", path, headers={"Accept": TABLE})
        response = connection.getresponse()
        events = [json.loads(response.readline()) for _ in range(2)]
        connection.close()
        assert [each["type"] for each in events] == ["ADDED", "ADDED"]
        assert [bool(each["object"]["columnDefinitions"]) for each in events] == [True, False]
        assert [len(each["object"]["rows"]) for each in events] == [1, 1]


def test_partial_metadata_is_the_same(installed):
    for path, accept in (
        ("/api/v1/namespaces/default/configmaps/sample", PARTIAL),
        ("/api/v1/nodes", PARTIAL.replace("Metadata;", "MetadataList;")),
    ):
        ours, theirs = (client.must("GET", path, accept=accept) for client in installed)
        assert (ours["kind"], ours["apiVersion"]) == (theirs["kind"], theirs["apiVersion"])
        assert ours.keys() == theirs.keys()
