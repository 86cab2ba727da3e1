"""Which schemas and which definitions are refused, and with what words."""

import copy

import pytest

from fakekube import crd_rules
from fakekube.schema import check_schema

STRING = {"type": "string", "maxLength": 5}
ITEMS = {"type": "object", "properties": {"k": STRING}}
KEYED = {"type": "array", "x-kubernetes-list-type": "map", "items": ITEMS}


def rule(text, **more):
    rules = [{"rule": text, **more}]
    return {"type": "object", "properties": {"a": STRING}, "x-kubernetes-validations": rules}


def said(field):
    root = {"type": "object", "properties": {"x": field}}
    return {f"{each.field}: {each.message}" for each in check_schema(root, "schema")}


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ({}, "Required value: must not be empty for specified object fields"),
        ({"type": "foo"}, 'Unsupported value: "foo": supported values: "array"'),
        ({"type": "array"}, "x].items: Required value: must be specified"),
        ({**STRING, "anyOf": [{"type": "string"}]}, "anyOf[0].type: Forbidden: must be empty"),
        ({**STRING, "default": 1}, "x].default: Invalid value"),
        ({**ITEMS, "default": {"z": 1}}, "must not have unknown fields"),
        ({**STRING, "pattern": "[a"}, "error parsing regexp: missing closing ]: `[a`"),
        ({"$ref": "#/x"}, "$ref is not supported"),
        (KEYED, "x-kubernetes-list-map-keys: Required value: must not be empty"),
        ({**KEYED, "x-kubernetes-list-map-keys": ["k"]}, "so it must have a default or be"),
        ({**KEYED, "x-kubernetes-list-type": "set"}, "must be atomic as item of a list"),
        ({"type": "object", "x-kubernetes-embedded-resource": True}, "must not be empty if"),
        (rule("self.zz == 1"), "undefined field 'zz'"),
        (rule("self.a"), "cel expression must evaluate to a bool"),
        (rule("self.a == 'x'", messageExpression="1"), "messageExpression must evaluate to a"),
        (rule("self.a == 'x'", fieldPath=".zz"), "must be a valid path"),
        (rule("self.a == 'x'", optionalOldSelf=True), "may not be set if oldSelf is not used"),
        (
            {"type": "array", "maxItems": 3, "items": rule("self == oldSelf")},
            "oldSelf cannot be used on the uncorrelatable portion of the schema within",
        ),
    ],
)
def test_a_wrong_schema_is_refused(field, message):
    assert any(message in each for each in said(field)), said(field)


def test_a_value_rule_needs_its_field_on_the_spine():
    root = {"type": "object", "properties": {"x": STRING}, "allOf": [{"required": ["x"]}]}
    assert check_schema(root, "schema") == []
    root["allOf"] = [{"properties": {"z": {"minLength": 1}}}]
    (found,) = check_schema(root, "schema")
    assert found.field == "schema.properties[z]"
    assert "because it is defined in schema.allOf[0].properties[z]" in found.message


@pytest.mark.parametrize(
    "field",
    [
        STRING,
        rule("self.a == 'x'", message="no"),
        {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]},
        {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        {**KEYED, "x-kubernetes-list-map-keys": ["k"], "items": {**ITEMS, "required": ["k"]}},
    ],
)
def test_a_right_schema_is_taken(field):
    assert said(field) == set()


def definition():
    root = {"type": "object", "properties": {"spec": ITEMS}}
    version = {"name": "v1", "served": True, "storage": True}
    return {
        "metadata": {"name": "things.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": {"plural": "things", "kind": "Thing"},
            "versions": [{**version, "schema": {"openAPIV3Schema": root}}],
        },
    }


def refused(change, old=None):
    made = definition()
    change(made)
    crd_rules.complete(made)
    return {f"{each.field}: {each.message}" for each in crd_rules.check_definition(made, old)}


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("metadata.name", "x.example.com", 'must be spec.names.plural+"."+spec.group'),
        ("spec.scope", "Foo", 'Unsupported value: "Foo"'),
        ("spec.group", "example", "should be a domain with at least one dot"),
        ("spec.names.kind", "My_Thing", "may have mixed case, but should otherwise match"),
        ("spec.names.listKind", "Thing", "kind and listKind may not be the same"),
        ("spec.preserveUnknownFields", True, "cannot set to true"),
        ("spec.conversion", {"strategy": "Webhook"}, "required when strategy is set to Webhook"),
        ("spec.versions.0.storage", False, "must have exactly one version marked as storage"),
        ("spec.versions.0.name", "V_1", "a DNS-1035 label must consist of"),
        ("spec.versions.0.deprecationWarning", "x", "can only be set for deprecated versions"),
        ("spec.versions.0.additionalPrinterColumns", [{"name": "a"}], "must be one of boolean"),
        ("spec.versions.0.selectableFields", [{"jsonPath": ".spec"}], "must point to a field of"),
        (
            "spec.versions.0.subresources",
            {"scale": {"specReplicasPath": ".x", "statusReplicasPath": ".status.r"}},
            "should be a json path under .spec",
        ),
    ],
)
def test_a_wrong_definition_is_refused(path, value, message):
    def change(made):
        *parents, last = path.split(".")
        for name in parents:
            made = made[int(name)] if isinstance(made, list) else made[name]
        made[last] = value

    assert any(message in each for each in refused(change)), refused(change)


def test_a_right_definition_is_taken():
    assert refused(lambda made: None) == set()


def test_what_decides_the_storage_may_not_change():
    old = definition()
    crd_rules.complete(old)
    old["status"]["conditions"] = [{"type": "Established", "status": "True"}]
    found = refused(lambda made: made["spec"].update(scope="Cluster"), copy.deepcopy(old))
    assert found == {'spec.scope: Invalid value: "Cluster": field is immutable'}
