"""What is wrong with a CustomResourceDefinition, in the words of the real server.

`check_definition` is for the write pipeline; `complete` puts in what the server adds before that.
The paths are those of the server's inner form, which has what all versions share at the top.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from typing import Any

from fakekube import crd_conversion, names
from fakekube.schema import causes, check, field_paths, kinds
from fakekube.schema.correlation import same
from fakekube.status import Cause

Object = dict[str, Any]

SELECTABLE_MAX = 8
_COLUMN_TYPES = ("boolean", "date", "integer", "number", "string")
_COLUMN_FORMATS = ("byte", "date", "date-time", "double", "float", "int32", "int64", "password")
_IMMUTABLE = "field is immutable"
# With a status subresource, the root of a schema may have these and no others.
_ROOT_FIELDS = (
    "Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength "
    "MinLength Pattern MaxItems MinItems UniqueItems MultipleOf Required Items Properties "
    "ExternalDocs Example XPreserveUnknownFields XValidations"
)
_IN_ROOT = frozenset(
    {word[0].lower() + word[1:] for word in _ROOT_FIELDS.split()}
    | {"x-kubernetes-preserve-unknown-fields", "x-kubernetes-validations"}
)


def complete(crd: Object) -> None:
    """Put in the names, the conversion and the stored version that a definition leaves out."""
    spec = crd.setdefault("spec", {})
    words = spec.setdefault("names", {})
    words["singular"] = words.get("singular") or words.get("kind", "").lower()
    if not words.get("listKind") and words.get("kind"):
        words["listKind"] = f"{words['kind']}List"
    conversion = spec.setdefault("conversion", {"strategy": "None"})
    service = ((conversion.get("webhook") or {}).get("clientConfig") or {}).get("service")
    if service:
        service.setdefault("port", 443)
    status = crd.setdefault("status", {})
    if not status.get("storedVersions"):
        stored = [each.get("name") for each in spec.get("versions") or () if each.get("storage")]
        status["storedVersions"] = stored[:1]


def check_definition(crd: Object, old: Object | None = None) -> list[Cause]:
    """Return all that is wrong with a definition; with an old one, also what may not change."""
    spec = crd.get("spec") or {}
    found = [] if old is not None else list(_check_name(crd, spec))
    found += _check_spec(spec)
    if old is not None:
        found += _check_changes(spec, old)
    found += _check_stored(crd, spec)
    found += _check_approval(crd, spec) if old is None else ()
    return causes.without_repeats(found)


def _check_name(crd: Object, spec: Object) -> Iterator[Cause]:
    name = (crd.get("metadata") or {}).get("name", "")
    plural, group = (spec.get("names") or {}).get("plural", ""), spec.get("group", "")
    wrong = names.subdomain(name)
    if name != f"{plural}.{group}":
        wrong.append('must be spec.names.plural+"."+spec.group')
    for text in wrong:
        yield causes.invalid("metadata.name", name, text)


def _check_spec(spec: Object) -> Iterator[Cause]:
    group = spec.get("group") or ""
    if not group:
        yield causes.required("spec.group")
    elif wrong := names.subdomain(group):
        yield causes.invalid("spec.group", group, ",".join(wrong))
    elif "." not in group:
        yield causes.invalid("spec.group", group, "should be a domain with at least one dot")
    yield from crd_conversion.check_choice(
        "spec.scope", spec.get("scope") or "", ("Cluster", "Namespaced")
    )
    if spec.get("preserveUnknownFields"):
        detail = (
            "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in "
            "spec.versions[*].schema instead"
        )
        yield causes.invalid("spec.preserveUnknownFields", value=True, detail=detail)
    yield from _check_versions(spec.get("versions") or [])
    words = spec.get("names") or {}
    for field in ("plural", "singular", "kind", "listKind"):
        if not words.get(field):
            yield causes.required(f"spec.names.{field}")
    yield from check_names(words, "spec.names")
    yield from crd_conversion.check_conversion(spec.get("conversion") or {})


def check_names(words: Object, path: str) -> Iterator[Cause]:
    """Check the names of a kind that are there."""
    for field in ("plural", "singular"):
        if words.get(field) and (wrong := kinds.label(words[field])):
            yield causes.invalid(f"{path}.{field}", words[field], ",".join(wrong))
    for field in ("kind", "listKind"):
        if words.get(field) and (wrong := kinds.label(words[field].lower())):
            detail = f"may have mixed case, but should otherwise match: {','.join(wrong)}"
            yield causes.invalid(f"{path}.{field}", words[field], detail)
    if words.get("kind") and words.get("kind") == words.get("listKind"):
        detail = "kind and listKind may not be the same"
        yield causes.invalid(f"{path}.listKind", words["listKind"], detail)
    for field in ("shortNames", "categories"):
        for index, word in enumerate(words.get(field) or ()):
            if wrong := kinds.label(word):
                yield causes.invalid(f"{path}.{field}[{index}]", word, ",".join(wrong))


# --- Versions ------------------------------------------------------------------------------------


def _check_versions(versions: list[Object]) -> Iterator[Cause]:
    words = [each.get("name") or "" for each in versions]
    # What all versions share stands at the top in the server's inner form, and is named there.
    shared = {name for name in _SHARED if _is_shared(versions, name)}
    if words and (wrong := kinds.label(words[0])):
        yield causes.invalid("spec.version", words[0], ",".join(wrong))
    for index, version in enumerate(versions):
        path = f"spec.versions[{index}]"
        if wrong := kinds.label(words[index]):
            yield causes.invalid(f"{path}.name", words[index], ",".join(wrong))
        yield from _check_version(version, path, shared)
    if len(set(words)) != len(words):
        yield _about_versions(versions, "must contain unique version names")
    if sum(bool(each.get("storage")) for each in versions) != 1:
        text = "must have exactly one version marked as storage version"
        yield _about_versions(versions, text)


_SHARED = ("schema", "subresources", "additionalPrinterColumns", "selectableFields")


def _is_shared(versions: list[Object], name: str) -> bool:
    first = versions[0].get(name) if versions else None
    return bool(first) and all(same(each.get(name), first) for each in versions)


def _about_versions(versions: list[Object], detail: str) -> Cause:
    shown = ",".join(_shown(each, versions) for each in versions)
    return Cause("spec.versions", causes.INVALID, f"Invalid value: [{shown}]: {detail}")


def _shown(version: Object, versions: list[Object]) -> str:
    # Parts that are not shared are shown as they are here, and not in the server's inner form.
    parts = {
        "Name": version.get("name", ""),
        "Served": bool(version.get("served")),
        "Storage": bool(version.get("storage")),
        "Deprecated": bool(version.get("deprecated")),
        "DeprecationWarning": version.get("deprecationWarning"),
    }
    for name in _SHARED:
        shared = _is_shared(versions, name)
        parts[name[0].upper() + name[1:]] = None if shared else version.get(name)
    return json.dumps(parts, separators=(",", ":"))


def _check_version(version: Object, own: str, shared: set[str]) -> Iterator[Cause]:
    at = {name: "spec" if name in shared else own for name in _SHARED}
    warning = version.get("deprecationWarning")
    for text in _deprecation(warning, deprecated=bool(version.get("deprecated"))):
        yield causes.invalid(f"{own}.deprecationWarning", warning, text)
    schema = (version.get("schema") or {}).get("openAPIV3Schema")
    subresources = version.get("subresources") or {}
    holder = "spec.validation" if "schema" in shared else f"{own}.schema"
    if schema is None:
        yield causes.required(f"{own}.schema.openAPIV3Schema")
    else:
        if subresources.get("status") is not None:
            yield from _check_root(schema, f"{holder}.openAPIV3Schema")
        yield from check.check_schema(schema, f"{holder}.openAPIV3Schema")
    yield from _check_scale(subresources.get("scale"), at["subresources"])
    for index, column in enumerate(version.get("additionalPrinterColumns") or ()):
        path = f"{at['additionalPrinterColumns']}.additionalPrinterColumns[{index}]"
        yield from _check_column(column, path)
    fields = version.get("selectableFields") or []
    yield from _check_selectable(fields, schema or {}, f"{at['selectableFields']}.selectableFields")


def _deprecation(warning: str | None, *, deprecated: bool) -> Iterator[str]:
    if warning is None:
        return
    if not deprecated:
        yield "can only be set for deprecated versions"
        return
    if len(warning) > 256:
        yield "must be <= 256 characters long"
    if not warning:
        yield "must not be an empty string"
    for index, letter in enumerate(warning):
        if unicodedata.category(letter)[0] == "C":
            yield (
                "must only contain printable UTF-8 characters; "
                f"non-printable character found at index {index}"
            )
            return


def _check_root(schema: Object, path: str) -> Iterator[Cause]:
    if schema.get("type") not in {None, "", "object"}:
        detail = (
            'only "object" is allowed as the type at the root of the schema '
            "if the status subresource is enabled"
        )
        yield causes.invalid(f"{path}.type", schema["type"], detail)
    others = [name for name, value in schema.items() if name not in _IN_ROOT and value]
    if others:
        detail = (
            f"only [{_ROOT_FIELDS}] fields are allowed at the root of the schema "
            "if the status subresource is enabled"
        )
        yield causes.invalid(path, schema, detail)


def _check_scale(scale: Object | None, path: str) -> Iterator[Cause]:
    if scale is None:
        return
    start = f"{path}.subresources.scale"
    for field, place in (("specReplicasPath", "spec"), ("statusReplicasPath", "status")):
        value = scale.get(field) or ""
        if not value:
            yield causes.required(f"{start}.{field}")
        elif not value.startswith("."):
            yield causes.invalid(f"{start}.{field}", value, _SIMPLE_PATH)
        elif not value.startswith(f".{place}."):
            detail = f"should be a json path under .{place}"
            yield causes.invalid(f"{start}.{field}", value, detail)
    selector = scale.get("labelSelectorPath") or ""
    if selector and not selector.startswith("."):
        yield causes.invalid(f"{start}.labelSelectorPath", selector, _SIMPLE_PATH)
    elif selector and not selector.startswith((".spec.", ".status.")):
        detail = "should be a json path under either .spec or .status"
        yield causes.invalid(f"{start}.labelSelectorPath", selector, detail)


_SIMPLE_PATH = "must be a simple json path starting with ."


def _check_column(column: Object, path: str) -> Iterator[Cause]:
    if not column.get("name"):
        yield causes.required(f"{path}.name")
    kind, detail = column.get("type") or "", f"must be one of {','.join(_COLUMN_TYPES)}"
    if not kind:
        yield causes.required(f"{path}.type", detail)
    elif kind not in _COLUMN_TYPES:
        yield causes.invalid(f"{path}.type", kind, detail)
    form = column.get("format") or ""
    if form and form not in _COLUMN_FORMATS:
        detail = f"must be one of {','.join(_COLUMN_FORMATS)}"
        yield causes.invalid(f"{path}.format", form, detail)
    place = column.get("jsonPath") or ""
    if not place:
        yield causes.required(f"{path}.JSONPath")
    elif not place.startswith("."):
        yield causes.invalid(f"{path}.JSONPath", place, _SIMPLE_PATH)


def _check_selectable(fields: list[Object], schema: Object, path: str) -> Iterator[Cause]:
    seen: set[str] = set()
    for index, field in enumerate(fields):
        where, place = f"{path}[{index}].jsonPath", field.get("jsonPath") or ""
        if not place:
            yield causes.required(where)
            continue
        try:
            written, found = field_paths.follow(schema, place, brackets=False)
        except field_paths.InvalidPath as error:
            yield causes.invalid(where, place, f"is an invalid path: {error}")
            continue
        if re.match(r"\.metadata\b", written):
            yield causes.invalid(where, place, "must not point to fields in metadata")
        if found.get("type") not in {"string", "boolean", "integer"}:
            detail = (
                "must point to a field of type string, boolean or integer. "
                "Enum string fields and strings with formats are allowed."
            )
            yield causes.invalid(where, place, detail)
        if written in seen:
            yield causes.duplicate(where, place)
        seen.add(written)
    if len(seen) > SELECTABLE_MAX:
        yield causes.too_many(path, len(seen), SELECTABLE_MAX)


# --- What may not change, and what is stored -----------------------------------------------------


def _check_changes(spec: Object, old: Object) -> Iterator[Cause]:
    before = old.get("spec") or {}
    conditions = (old.get("status") or {}).get("conditions") or ()
    fields = [("group",), ("names", "plural")]
    if any(
        each.get("type") == "Established" and each.get("status") == "True" for each in conditions
    ):
        fields += [("scope",), ("names", "kind")]
    for field in fields:
        new, earlier = _get(spec, field), _get(before, field)
        if new != earlier:
            yield causes.invalid(f"spec.{'.'.join(field)}", new, _IMMUTABLE)


def _get(value: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        value = (value or {}).get(name)
    return value or ""


def _check_stored(crd: Object, spec: Object) -> Iterator[Cause]:
    field = "status.storedVersions"
    stored = (crd.get("status") or {}).get("storedVersions") or []
    if not stored:
        yield causes.invalid(field, stored or None, "must have at least one stored version")
        return
    versions = spec.get("versions") or []
    for version in versions:
        if version.get("storage") and version.get("name") not in stored:
            detail = f"must have the storage version {version.get('name')}"
            yield causes.invalid(field, stored, detail)
    for index, name in enumerate(stored):
        if name not in {each.get("name") for each in versions}:
            detail = (
                f"missing from spec.versions; {name} was previously a storage version, and must "
                "remain in spec.versions until a storage migration ensures no data remains "
                f"persisted in {name} and removes {name} from status.storedVersions"
            )
            yield causes.invalid(f"{field}[{index}]", name, detail)


def _check_approval(crd: Object, spec: Object) -> Iterator[Cause]:
    group = spec.get("group") or ""
    if not (
        group == "k8s.io"
        or group.endswith((".k8s.io", ".kubernetes.io"))
        or group == "kubernetes.io"
    ):
        return
    key = "api-approved.kubernetes.io"
    value = ((crd.get("metadata") or {}).get("annotations") or {}).get(key)
    field = f"metadata.annotations[{key}]"
    if value is None:
        detail = (
            'protected groups must have approval annotation "api-approved.kubernetes.io", '
            "see https://github.com/kubernetes/enhancements/pull/1111"
        )
        yield causes.required(field, detail)
    elif not value.startswith(("unapproved", "http://", "https://")):
        detail = (
            'protected groups must have approval annotation "api-approved.kubernetes.io" with '
            'either a URL or a reason starting with "unapproved", see '
            "https://github.com/kubernetes/enhancements/pull/1111"
        )
        yield causes.invalid(field, value, detail)
