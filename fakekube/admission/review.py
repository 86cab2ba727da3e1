"""AdmissionReview: the question to a webhook, and what its answer means."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from typing import Any

from fakekube import status, store, webhook
from fakekube.admission.hooks import Hook
from fakekube.call import Call
from fakekube.resource import Resource

Json = Any
Object = dict[str, Any]

API_VERSION, KIND = "admission.k8s.io/v1", "AdmissionReview"
OPTIONS = {"CREATE": "CreateOptions", "UPDATE": "UpdateOptions", "DELETE": "DeleteOptions"}
_PARAMETERS = ("fieldManager", "fieldValidation")


class Invalid(Exception):
    """An answer that is none."""


@dataclass
class Attributes:
    """A request as admission sees it; ``new`` changes on the way."""

    call: Call
    operation: str
    new: Object | None
    old: Object | None
    options: Object
    is_dry: bool
    kind: tuple[str, str] = field(init=False)
    """``apiVersion`` and kind of the request."""
    is_fresh: bool = field(init=False)
    """The object has dates of now. To the real server they are more exact than in JSON, so that
    the first patch of a built-in object changes something, whatever it says."""

    def __post_init__(self) -> None:
        shown = self.new or self.old or {}
        resource = self.call.resource
        kind = shown.get("kind") or resource.kind
        self.kind = (shown.get("apiVersion") or resource.api_version, kind)
        new, old = ((each or {}).get("metadata", {}) for each in (self.new, self.old))
        self.is_fresh = not resource.is_custom and (
            new.get("managedFields") != old.get("managedFields") or self.operation == "CREATE"
        )

    @property
    def subresource(self) -> str:
        """Return the subresource, or nothing."""
        return self.call.info.subresource

    @property
    def name(self) -> str:
        """Return the name, which a new object may not have yet."""
        if self.call.info.verb == "deletecollection":
            return ""
        if self.call.info.name:
            return self.call.info.name
        return str((self.new or {}).get("metadata", {}).get("name", ""))

    @property
    def namespace(self) -> str:
        """Return the namespace; a Namespace is in itself."""
        if self.call.resource.storage_key == "namespaces":
            old = (self.old or {}).get("metadata", {}).get("name", "")
            return self.name or str(old)
        return self.call.info.namespace


def attributes(
    call: Call, operation: str, new: Object | None, old: Object | None, options: Object | None
) -> Attributes:
    """Gather what a webhook may want to know."""
    found = {"kind": OPTIONS.get(operation, ""), "apiVersion": "meta.k8s.io/v1"}
    query = call.query
    given: Json = options if options is not None else {}
    if options is None:
        if query.get("dryRun"):
            given["dryRun"] = [query["dryRun"]]
        given |= {key: query[key] for key in _PARAMETERS if query.get(key)}
    is_dry = bool(given.get("dryRun"))
    for key, value in given.items():
        found.setdefault(key, value)
    return Attributes(call, operation, new or None, old, found, is_dry)


def request(attributes: Attributes, resource: Resource, uid: str) -> Object:
    """Return the question, for a webhook that wants the version of a resource."""
    call = attributes.call
    mine = call.resource
    api_version, kind = attributes.kind
    asked = (api_version, kind) if resource is mine or attributes.subresource else (
        resource.api_version, resource.kind,
    )  # fmt: skip
    found: Object = {
        "uid": uid,
        "kind": _kind(*asked),
        "resource": _resource(resource),
        "subResource": attributes.subresource,
        "requestKind": _kind(api_version, kind),
        "requestResource": _resource(mine),
        "requestSubResource": attributes.subresource,
        "name": attributes.name,
        "namespace": attributes.namespace,
        "operation": attributes.operation,
        "userInfo": call.user.json() if call.user is not None else {},
        "object": attributes.new,
        "oldObject": attributes.old,
        "dryRun": attributes.is_dry,
        "options": attributes.options,
    }
    return {key: value for key, value in found.items() if value != ""}


def _kind(api_version: str, kind: str) -> Object:
    group, _, version = api_version.rpartition("/")
    return {"group": group, "version": version, "kind": kind}


def _resource(resource: Resource) -> Object:
    return {"group": resource.group, "version": resource.version, "resource": resource.plural}


def question(asked: Object) -> Object:
    """Return the body of the call."""
    return {"kind": KIND, "apiVersion": API_VERSION, "request": asked}


def answer(found: Json, uid: str, *, is_mutating: bool) -> Json:
    """Return the response of a review; refuse what is none."""
    webhook.check_kind(found, API_VERSION, KIND)
    response = found.get("response")
    if response is None:
        raise Invalid("webhook response was absent")
    _check_types(response)
    if response.get("uid", "") != uid:
        raise Invalid(f'expected response.uid="{uid}", got "{response.get("uid", "")}"')
    if not found.get("kind"):
        raise Invalid(f"expected webhook response of {API_VERSION}, Kind={KIND}, got /, Kind=")
    patch, kind = response.get("patch"), response.get("patchType")
    if not is_mutating:
        if patch:
            raise Invalid("validating webhook may not return response.patch")
        if kind is not None:
            raise Invalid("validating webhook may not return response.patchType")
    elif patch and kind is None:
        raise Invalid("webhook returned response.patch but not response.patchType")
    elif kind is not None and not patch:
        raise Invalid("webhook returned response.patchType but not response.patch")
    elif kind == "":
        raise Invalid('webhook returned invalid response.patchType of ""')
    return response


_TYPES = {"uid": "string", "allowed": "bool", "patchType": "string", "warnings": "[]string"}
_GO = {str: "string", bool: "bool", list: "[]string"}


def _check_types(response: Json) -> None:
    if not isinstance(response, dict):
        raise webhook.CallFailed(
            f"json: cannot unmarshal {_shown(response)} into Go struct field "
            "AdmissionReview.response of type v1.AdmissionResponse"
        )
    for key, wanted in _TYPES.items():
        value = response.get(key)
        if value is not None and _GO.get(type(value)) != wanted:
            raise webhook.CallFailed(
                f"json: cannot unmarshal {_shown(value)} into Go struct field "
                f"AdmissionResponse.response.{key} of type {wanted}"
            )


def _shown(value: Json) -> str:
    return {bool: "bool", str: "string", list: "array", dict: "object"}.get(type(value), "number")


def patch_of(response: Json) -> Json:
    """Return the operations of the patch in a response, or nothing."""
    raw = response.get("patch")
    if not raw:
        return []
    try:
        operations = store.decode(base64.b64decode(raw, validate=True))
    except (ValueError, binascii.Error) as error:
        raise Invalid(f"received undecodable patch in webhook response: {error}") from None
    if not isinstance(operations, list):
        raise Invalid(
            "received undecodable patch in webhook response: json: cannot unmarshal "
            f"{_shown(operations)} into Go value of type jsonpatch.Patch"
        )
    for operation in operations:
        if not isinstance(operation, dict):
            raise Invalid(
                "received undecodable patch in webhook response: json: cannot unmarshal "
                f"{_shown(operation)} into Go value of type jsonpatch.Operation"
            )
    return operations


def rejection(hook: Hook, response: Json) -> status.ApiError:
    """Return the refusal of a webhook as the client gets it."""
    result = response.get("status") or {}
    code = int(result.get("code") or 0)
    reason = str(result.get("reason") or "")
    text = f'admission webhook "{hook.name}" denied the request'
    said = result.get("message") or reason
    text = f"{text}: {said}" if said else f"{text} without explanation"
    return status.ApiError(max(code, 400), reason, text, result.get("details"))
