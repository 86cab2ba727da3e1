"""CustomResourceDefinitions, made from the models.

https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

from provider.api import common, v1beta1, v1beta2

Json = Any

PROVIDER = "infrastructure-outscale"
CONTRACTS = {
    "cluster.x-k8s.io/v1beta1": v1beta1.VERSION,
    "cluster.x-k8s.io/v1beta2": v1beta2.VERSION,
}
"""Which of our versions is made for which version of the Cluster API contract."""

KEPT_KEYS = frozenset(
    {
        "additionalProperties",
        "default",
        "description",
        "enum",
        "format",
        "items",
        "maxItems",
        "maxLength",
        "maximum",
        "minLength",
        "minimum",
        "pattern",
        "properties",
        "required",
        "type",
        "x-kubernetes-int-or-string",
        "x-kubernetes-list-map-keys",
        "x-kubernetes-list-type",
        "x-kubernetes-preserve-unknown-fields",
        "x-kubernetes-validations",
    }
)
"""What a structural schema may say; the rest of what pydantic says is left out."""


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind, and what its definition says beside the schema."""

    name: str
    short: str
    models: dict[str, type[common.Object]]
    """The model of each version."""
    columns: dict[str, tuple[tuple[str, str], ...]]
    """The printer columns of each version, as pairs of name and path."""
    stays: tuple[str, ...] = ()
    """The field under ``spec`` that never changes once it is set; with children, all of those."""
    is_namespaced: bool = True

    @property
    def plural(self) -> str:
        """The name in paths, as Cluster API calculates it from the name of a kind.

        All our kinds end in a consonant and form their plural with an s, except identities.
        """
        lower = self.name.lower()
        return f"{lower[:-1]}ies" if lower.endswith("y") else f"{lower}s"


_VERSIONS = (v1beta1.VERSION, v1beta2.VERSION)
_CLUSTER = ("Cluster", r".metadata.labels.cluster\.x-k8s\.io/cluster-name")
_ENDPOINT = ("Endpoint", ".spec.controlPlaneEndpoint.host")
_READY = ("Ready", '.status.conditions[?(@.type=="Ready")].status')
_REASON = ("Reason", '.status.conditions[?(@.type=="Ready")].reason')
_STATE = ("State", ".status.vmState")
_PROVIDER_ID = ("ProviderID", ".spec.providerID")
_AGE = ("Age", ".metadata.creationTimestamp")


def _columns(old: str, new: str, *more: tuple[str, str]) -> dict[str, tuple[tuple[str, str], ...]]:
    """Return columns of both versions: the type of the VM stands at ``old`` or ``new``."""
    return {
        v1beta1.VERSION: (_CLUSTER, ("VM Type", old), *more, _AGE),
        v1beta2.VERSION: (_CLUSTER, ("VM Type", new), *more, _AGE),
    }


KINDS = (
    Kind(
        "OscCluster",
        "oscc",
        {v1beta1.VERSION: v1beta1.OscCluster, v1beta2.VERSION: v1beta2.OscCluster},
        dict.fromkeys(_VERSIONS, (_CLUSTER, _READY, _REASON, _ENDPOINT, _AGE)),
        stays=("controlPlaneEndpoint", "host", "port"),
    ),
    Kind(
        "OscClusterTemplate",
        "oscct",
        {v1beta1.VERSION: v1beta1.OscClusterTemplate, v1beta2.VERSION: v1beta2.OscClusterTemplate},
        dict.fromkeys(_VERSIONS, (_AGE,)),
    ),
    Kind(
        "OscMachine",
        "oscm",
        {v1beta1.VERSION: v1beta1.OscMachine, v1beta2.VERSION: v1beta2.OscMachine},
        _columns(".spec.node.vm.vmType", ".spec.vm.vmType", _PROVIDER_ID, _STATE, _READY, _REASON),
        stays=("providerID",),
    ),
    Kind(
        "OscMachineTemplate",
        "oscmt",
        {v1beta1.VERSION: v1beta1.OscMachineTemplate, v1beta2.VERSION: v1beta2.OscMachineTemplate},
        _columns(
            ".spec.template.spec.node.vm.vmType",
            ".spec.template.spec.vm.vmType",
            ("CPU", ".status.capacity.cpu"),
            ("Memory", ".status.capacity.memory"),
        ),
    ),
    Kind(
        "OscClusterIdentity",
        "oscci",
        {v1beta2.VERSION: v1beta2.OscClusterIdentity},
        {
            v1beta2.VERSION: (
                ("Secret", ".spec.secretRef.name"),
                ("Namespace", ".spec.secretRef.namespace"),
                _AGE,
            )
        },
        is_namespaced=False,
    ),
)


# --- Schemas -------------------------------------------------------------------------------------


def structural(model: type[common.Part]) -> dict[str, Json]:
    """Return the structural schema of a model: no references, and only what is allowed in it."""
    document = model.model_json_schema(by_alias=True, mode="validation")
    return _structural(document, document.get("$defs", {}), ())


def _structural(node: Json, defs: dict[str, Json], seen: tuple[str, ...]) -> dict[str, Json]:
    node = dict(node)
    if name := node.pop("$ref", "").rpartition("/")[2]:
        assert name not in seen, f"{name} holds itself, which no structural schema can say."
        return _structural({**defs[name], **node}, defs, (*seen, name))
    if choices := [each for each in node.pop("anyOf", []) if each != {"type": "null"}]:
        assert len(choices) == 1, "A union is no structural schema."
        return _structural({**choices[0], **node}, defs, seen)
    out = {key: value for key, value in node.items() if key in KEPT_KEYS}
    out.pop("default", None)
    if node.get(common.SUGGESTED):
        out["default"] = node["default"]
    if "description" in out:
        out["description"] = " ".join(out["description"].replace("``", "").split())
    if out.get("type") == "integer":
        out.setdefault("format", "int32")
    if out.get("x-kubernetes-int-or-string"):
        del out["type"]
        out["anyOf"] = [{"type": "integer"}, {"type": "string"}]
    _go_down(out, defs, seen)
    return out


def _go_down(out: dict[str, Json], defs: dict[str, Json], seen: tuple[str, ...]) -> None:
    """Make what a schema holds structural too, and say what is required."""
    if properties := out.get("properties"):
        if needed := [name for name, each in properties.items() if each.get(common.NEEDED)]:
            out["required"] = sorted(needed)
        out["properties"] = {
            name: _structural(each, defs, seen) for name, each in properties.items()
        }
    if "items" in out:
        out["items"] = _structural(out["items"], defs, seen)
    if isinstance(out.get("additionalProperties"), dict):
        out["additionalProperties"] = _structural(out["additionalProperties"], defs, seen)
    else:
        out.pop("additionalProperties", None)


def unknown(document: Json, schema: dict[str, Json], path: str = "") -> Iterable[str]:
    """Return the paths of fields that a structural schema does not know."""
    if isinstance(document, list):
        for index, item in enumerate(document):
            yield from unknown(item, schema.get("items", {}), f"{path}[{index}]")
    elif isinstance(document, dict) and (known := schema.get("properties")):
        for name, value in document.items():
            place = f"{path}.{name}".lstrip(".")
            if name in known:
                yield from unknown(value, known[name], place)
            else:
                yield place


def _stays(kind: Kind) -> Iterable[dict[str, Json]]:
    """Return the rules, in CEL, that keep what must stay once it is set.

    They stand at the top, so that they do not apply inside templates, and read a field only where
    there is one: a rule on the field itself would not see it removed.
    """
    if not kind.stays:
        return
    field, *children = kind.stays
    for leaf in [[field, child] for child in children] or [[field]]:
        old, new = (
            " && ".join(f"has({path})" for path in _levels(root, leaf))
            for root in ("oldSelf.spec", "self.spec")
        )
        was, now = (".".join([root, *leaf]) for root in ("oldSelf.spec", "self.spec"))
        unset = "0" if leaf[-1] == "port" else "''"
        yield {
            "rule": f"!({old} && {was} != {unset}) || ({new} && {now} == {was})",
            "message": "It is set already, and then it stays as it is.",
            "fieldPath": f".spec.{'.'.join(leaf)}",
            "reason": "FieldValueForbidden",
        }


def _levels(root: str, path: list[str]) -> list[str]:
    return [root, *(".".join([root, *path[: index + 1]]) for index in range(len(path)))]


def _version(kind: Kind, version: str) -> dict[str, Json]:
    schema = structural(kind.models[version])
    schema["properties"]["metadata"] = {"type": "object"}
    if rules := list(_stays(kind)):
        schema["x-kubernetes-validations"] = rules
    columns = [
        {"name": name, "jsonPath": path, "type": "date" if name == "Age" else "string"}
        for name, path in kind.columns[version]
    ]
    out = {
        "name": version,
        "served": True,
        "storage": version == v1beta2.VERSION,
        "schema": {"openAPIV3Schema": schema},
        "additionalPrinterColumns": columns,
    }
    if "status" in schema["properties"]:
        out["subresources"] = {"status": {}}
    return out


# --- Definitions ---------------------------------------------------------------------------------


def definition(kind: Kind, service: str, namespace: str, path: str = "/convert") -> dict[str, Json]:
    """Return the definition of a kind; ``service`` is where its conversion webhook is.

    There is no ``caBundle``: cert-manager, or whoever makes the certificate, puts it there.
    """
    conversion: dict[str, Json] = {"strategy": "None"}
    if len(kind.models) > 1:
        conversion = {
            "strategy": "Webhook",
            "webhook": {
                "conversionReviewVersions": ["v1"],
                "clientConfig": {
                    "service": {"name": service, "namespace": namespace, "path": path, "port": 443}
                },
            },
        }
    contracts = {label: version for label, version in CONTRACTS.items() if version in kind.models}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{kind.plural}.{common.GROUP}",
            "labels": {"cluster.x-k8s.io/provider": PROVIDER, **contracts},
        },
        "spec": {
            "group": common.GROUP,
            "names": {
                "kind": kind.name,
                "listKind": f"{kind.name}List",
                "plural": kind.plural,
                "singular": kind.name.lower(),
                "shortNames": [kind.short],
                "categories": ["cluster-api"],
            },
            "scope": "Namespaced" if kind.is_namespaced else "Cluster",
            "conversion": conversion,
            "versions": [_version(kind, version) for version in kind.models],
        },
    }


def definitions(service: str, namespace: str) -> list[dict[str, Json]]:
    """Return the definitions of all kinds."""
    return [definition(kind, service, namespace) for kind in KINDS]
