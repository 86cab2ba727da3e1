"""What a call to the Kubernetes API may come back with, as types.

::

    KubeError
    ├── Unreachable      no answer: refused, broken or too slow; the request may have been done
    └── StatusError      a Status of the server, with code, reason and message
        ├── Denied           401, 403
        ├── NotFound         404 NotFound
        ├── UnknownKind      404 of any other sort: nothing is known of the object
        ├── Exists           409 AlreadyExists
        ├── Conflict         409, the object has changed since it was read
        ├── Gone             410, too old to go on from
        ├── Unprocessable    422, what we wrote is not allowed
        ├── Throttled        429
        └── Broken           5xx, the request may have been done
"""

from __future__ import annotations

from typing import Any


class KubeError(Exception):
    """Tell that a call to the Kubernetes API did not succeed."""


class Unreachable(KubeError):
    """Tell that the server gave no answer."""


class StatusError(KubeError):
    """Tell what the server said."""

    def __init__(self, what: str, code: int, reason: str, message: str) -> None:
        super().__init__(f"{what}: {code} {reason or 'without a reason'}: {message}")
        self.code = code
        self.reason = reason
        self.message = message
        self.again_s = 0.0
        """How long the server asks us to wait before the next attempt."""


class Denied(StatusError):
    """Tell that we are not known, or may not do this."""


class NotFound(StatusError):
    """Tell that there is no such object."""


class UnknownKind(StatusError):
    """Tell that the kind is not served, which says nothing of its objects.

    It is not while definitions are replaced, and while a server begins to serve.
    """


class Exists(StatusError):
    """Tell that an object of this name is there already."""


class Conflict(StatusError):
    """Tell that the object has changed since it was read."""


class Gone(StatusError):
    """Tell that a list or a watch is too old to go on."""


class Unprocessable(StatusError):
    """Tell that the object would break its rules."""


class Throttled(StatusError):
    """Tell that the server wants fewer requests."""


class Broken(StatusError):
    """Tell that the server has a problem of its own."""


_TYPES: dict[int, type[StatusError]] = {
    401: Denied,
    403: Denied,
    404: UnknownKind,
    409: Conflict,
    410: Gone,
    422: Unprocessable,
    429: Throttled,
}

_NO_RESOURCE = "the server could not find the requested resource"
"""What the server says of a version that a definition has, but that is not served."""


def from_status(what: str, code: int, body: Any) -> StatusError:
    """Make the exception for an answer; ``body`` is a Status, or any text of a proxy."""
    status = body if isinstance(body, dict) else {}
    reason = str(status.get("reason", ""))
    message = str(status.get("message") or (body if isinstance(body, str) else ""))[:2000]
    if code >= 500:
        return Broken(what, code, reason, message)
    if reason == "AlreadyExists":
        return Exists(what, code, reason, message)
    if reason == "NotFound" and not message.startswith(_NO_RESOURCE):
        return NotFound(what, code, reason, message)
    return _TYPES.get(code, StatusError)(what, code, reason, message)
