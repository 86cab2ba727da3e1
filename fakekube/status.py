"""Refusals of the API: each is a metav1.Status with the code, reason and text of the real server.

Every way to say no is a function here; what is raised anywhere else is a mistake of ours, and is
answered as an internal error.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

Json = Any

CONFLICT_TEXT = (
    "the object has been modified; please apply your changes to the latest version and try again"
)


@dataclass(frozen=True)
class Cause:
    """One thing that is wrong with an object: where, which kind of wrong, and in words.

    ``message`` is what the real server writes behind the field, as in
    ``Invalid value: "x": must be ...``; ``reason`` is a ``CauseType`` such as
    ``FieldValueInvalid``.
    """

    field: str
    reason: str
    message: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}" if self.field else self.message

    def json(self) -> dict[str, str]:
        """Return the cause as it stands in ``Status.details.causes``."""
        found = {"reason": self.reason, "message": self.message, "field": self.field}
        return {key: value for key, value in found.items() if value}


class ApiError(Exception):
    """A refusal, which becomes the body of the answer."""

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        details: dict[str, Json] | None = None,
        *,
        retry_after_s: int = 0,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details
        self.meta: dict[str, Json] = {}
        """The metadata of the Status."""
        if retry_after_s:
            self.details = {**(details or {}), "retryAfterSeconds": retry_after_s}

    @property
    def retry_after_s(self) -> int:
        """Return after how many seconds the client may try again; 0 says nothing about it."""
        return int((self.details or {}).get("retryAfterSeconds", 0))

    def status(self) -> dict[str, Json]:
        """Return the refusal as a ``Status`` object."""
        found: dict[str, Json] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": self.meta,
            "status": "Failure",
            "message": self.message,
        }
        if self.reason:
            found["reason"] = self.reason
        if self.details is not None:
            found["details"] = self.details
        found["code"] = self.code
        return found


def success(resource: str = "", group: str = "", name: str = "", uid: str = "") -> dict[str, Json]:
    """Return the ``Status`` of a deletion that is done."""
    details = {"name": name, "group": group, "kind": resource, "uid": uid}
    found: dict[str, Json] = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
    }
    if name:
        found["details"] = {key: value for key, value in details.items() if value}
    return found


def qualified(resource: str, group: str = "") -> str:
    """Return a resource or kind with its group, as it is named in messages."""
    return f"{resource}.{group}" if group else resource


def _about(resource: str, group: str, name: str) -> dict[str, Json]:
    found = {"name": name, "group": group, "kind": resource}
    return {key: value for key, value in found.items() if value}


def listed(causes: Iterable[Cause]) -> str:
    """Return causes as the text of the real server: alone, or in brackets; each one once."""
    texts = list(dict.fromkeys(str(cause) for cause in causes))
    return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"


def not_found(resource: str, name: str, group: str = "") -> ApiError:
    """Refuse because there is no such object."""
    message = f'{qualified(resource, group)} "{name}" not found'
    return ApiError(404, "NotFound", message, _about(resource, group, name))


def unknown_resource() -> ApiError:
    """Refuse because nothing is served under this path of a known group."""
    return ApiError(404, "NotFound", "the server could not find the requested resource", {})


def method_not_allowed() -> ApiError:
    """Refuse a method that this path does not have."""
    message = "the server does not allow this method on the requested resource"
    return ApiError(405, "MethodNotAllowed", message, {})


def plain(code: int, message: str) -> ApiError:
    """Refuse with an error that the real server does not classify."""
    return ApiError(code, "", message)


def already_exists(resource: str, name: str, group: str = "") -> ApiError:
    """Refuse because the name is taken."""
    message = f'{qualified(resource, group)} "{name}" already exists'
    return ApiError(409, "AlreadyExists", message, _about(resource, group, name))


def no_free_name(resource: str, name: str, group: str = "") -> ApiError:
    """Refuse because no name made from ``generateName`` was free."""
    message = (
        f'{qualified(resource, group)} "{name}" already exists, '
        "the server was not able to generate a unique name for the object"
    )
    details = _about(resource, group, name)
    return ApiError(409, "AlreadyExists", message, details, retry_after_s=1)


def conflict(resource: str, name: str, text: str = CONFLICT_TEXT, group: str = "") -> ApiError:
    """Refuse because the object is no longer what the client has seen."""
    message = f'Operation cannot be fulfilled on {qualified(resource, group)} "{name}": {text}'
    return ApiError(409, "Conflict", message, _about(resource, group, name))


def apply_conflict(causes: Iterable[Cause], message: str) -> ApiError:
    """Refuse an apply that would take fields away from another manager."""
    details = {"causes": [cause.json() for cause in causes]}
    return ApiError(409, "Conflict", message, details)


def invalid(kind: str, group: str, name: str, causes: Iterable[Cause]) -> ApiError:
    """Refuse an object that is wrong, with all causes at once."""
    found = list(causes)
    message = f'{qualified(kind, group)} "{name}" is invalid: {listed(found)}'
    details = _about(kind, group, name) | {"causes": [cause.json() for cause in found]}
    return ApiError(422, "Invalid", message, details)


def bad_request(message: str) -> ApiError:
    """Refuse a request that cannot be understood."""
    return ApiError(400, "BadRequest", message)


def unauthorized(message: str = "Unauthorized") -> ApiError:
    """Refuse because nobody knows who asks."""
    return ApiError(401, "Unauthorized", message)


def forbidden(resource: str, name: str, text: str, group: str = "") -> ApiError:
    """Refuse because the client may not do this."""
    what = f'{qualified(resource, group)} "{name}"' if name else qualified(resource, group)
    message = f"{what} is forbidden: {text}" if resource else f"forbidden: {text}"
    return ApiError(403, "Forbidden", message, _about(resource, group, name))


def gone(message: str) -> ApiError:
    """Refuse because the history that was asked for is compacted."""
    return ApiError(410, "Expired", message)


def method_not_supported(resource: str, action: str, group: str = "") -> ApiError:
    """Refuse a verb that the resource does not have."""
    what = qualified(resource, group)
    message = f'{action} is not supported on resources of kind "{what}"'
    return ApiError(405, "MethodNotAllowed", message, _about(resource, group, ""))


def not_acceptable(accepted: Iterable[str]) -> ApiError:
    """Refuse because the client reads no format that the server writes."""
    message = f"406: Not Acceptable\n\nAvailable representations: {', '.join(accepted)}"
    return ApiError(406, "NotAcceptable", message, {})


def unsupported_media_type(accepted: Iterable[str]) -> ApiError:
    """Refuse a body in a format that the server does not read."""
    message = (
        "the body of the request was in an unknown format - "
        f"accepted media types include: {', '.join(accepted)}"
    )
    return ApiError(415, "UnsupportedMediaType", message)


def too_large(limit: int) -> ApiError:
    """Refuse a body that is larger than the limit, in bytes."""
    message = f"Request entity too large: limit is {limit}"
    return ApiError(413, "RequestEntityTooLarge", message)


def too_many_requests(message: str, retry_after_s: int = 1) -> ApiError:
    """Refuse for the moment."""
    return ApiError(429, "TooManyRequests", message, retry_after_s=retry_after_s)


def internal_error(message: str) -> ApiError:
    """Refuse because something broke on our side."""
    details = {"causes": [{"message": message}]}
    return ApiError(500, "InternalError", f"Internal error occurred: {message}", details)


def service_unavailable(message: str) -> ApiError:
    """Refuse because the server cannot serve now."""
    return ApiError(503, "ServiceUnavailable", message)


def timeout(message: str, retry_after_s: int = 0) -> ApiError:
    """Refuse because it takes too long."""
    return ApiError(504, "Timeout", f"Timeout: {message}", retry_after_s=retry_after_s)


def too_new(wanted: int, current: int) -> ApiError:
    """Refuse a resource version that is still to come."""
    message = f"Too large resource version: {wanted}, current: {current}"
    cause = {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
    return ApiError(504, "Timeout", f"Timeout: {message}", {"causes": [cause]}, retry_after_s=1)


def field_required(field: str, text: str = "") -> Cause:
    """Say that a field is missing."""
    return Cause(field, "FieldValueRequired", f"Required value{': ' if text else ''}{text}")


def field_invalid(field: str, value: Json, text: str) -> Cause:
    """Say that a value does not fit."""
    return Cause(field, "FieldValueInvalid", f"Invalid value: {quoted(value)}: {text}")


def field_forbidden(field: str, text: str) -> Cause:
    """Say that a field may not be there."""
    return Cause(field, "FieldValueForbidden", f"Forbidden: {text}")


def field_not_supported(field: str, value: Json, supported: Iterable[str]) -> Cause:
    """Say which values there are."""
    known = ", ".join(f'"{each}"' for each in supported)
    text = f"Unsupported value: {quoted(value)}: supported values: {known}"
    return Cause(field, "FieldValueNotSupported", text)


def quoted(value: Json) -> str:
    """Return a value as messages show it: JSON, near enough to how Go prints it."""
    import msgspec

    return msgspec.json.encode(value).decode()
