"""Random objects, made from the structural schemas of our kinds."""

import string

from hypothesis import strategies as st

from provider.api import crd

TEXTS = st.text(string.ascii_lowercase + string.digits + "-./", max_size=6)
NAMES = st.sampled_from(["a", "b", "node", "kcp", "kw", "public"])
TIME = "2026-01-02T03:04:05Z"


def of_schema(schema):
    """Return documents that a schema allows."""
    if schema.get("x-kubernetes-preserve-unknown-fields"):
        return st.dictionaries(NAMES, st.lists(TEXTS, max_size=2), max_size=2)
    if schema.get("x-kubernetes-int-or-string"):
        return st.sampled_from(["4", "8Gi"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    return MAKERS[schema["type"]](schema)


def _string(schema):
    if schema.get("format") == "date-time":
        return st.just(TIME)
    if schema.get("pattern") == "^/":
        return st.just("/readyz")
    return TEXTS.filter(lambda text: len(text) >= schema.get("minLength", 0))


def _integer(schema):
    return st.integers(schema.get("minimum", 0), min(schema.get("maximum", 9), 99999))


def _array(schema):
    items = of_schema(schema["items"])
    if keys := schema.get("x-kubernetes-list-map-keys"):
        return st.lists(items, max_size=3, unique_by=lambda item: tuple(item[k] for k in keys))
    if schema.get("x-kubernetes-list-type") == "set":
        return st.lists(items, max_size=3, unique=True)
    return st.lists(items, max_size=3)


def _object(schema):
    if "properties" not in schema:
        values = schema.get("additionalProperties")
        return st.just({}) if values is None else st.dictionaries(NAMES, of_schema(values))
    properties = {name: _named(name, each) for name, each in schema["properties"].items()}
    needed = schema.get("required", [])
    return st.fixed_dictionaries(
        {name: properties[name] for name in needed},
        optional={name: each for name, each in properties.items() if name not in needed},
    )


def _named(name, schema):
    """Make names collide, so that references and identities are met."""
    is_name = name in ("name", "subnetName", "subnetname") and "minLength" not in schema
    return NAMES if is_name else of_schema(schema)


MAKERS = {
    "string": _string,
    "integer": _integer,
    "boolean": lambda schema: st.booleans(),
    "array": _array,
    "object": _object,
}

KINDS = {kind.name: kind for kind in crd.KINDS}
SCHEMAS = {
    (kind.name, version): crd.structural(model)
    for kind in crd.KINDS
    for version, model in kind.models.items()
}


def objects(kind, version):
    """Return random objects of a kind and version, with status."""
    properties = SCHEMAS[kind, version]["properties"]
    parts = {name: of_schema(properties[name]) for name in ("spec", "status") if name in properties}
    return st.fixed_dictionaries(
        {
            "apiVersion": st.just(f"{crd.common.GROUP}/{version}"),
            "kind": st.just(kind),
            "metadata": st.just({"name": "x", "namespace": "n", "labels": {"l": "v"}}),
        },
        optional=parts,
    )
