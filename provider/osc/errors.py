"""What can go wrong on the way to OUTSCALE, and what each refusal means for us, in one table.

The exceptions::

    OscError
    |-- ApiError                      the API refused a call, or its answer was lost: see `cause`
    `-- credentials.CredentialsError  there is no usable access key; nothing was sent

Codes and names are those of ``gateway_errors.yaml`` (osc-sdk-python) and of the errors page of the
user documentation (https://docs.outscale.com/api-errors.html); a test compares them.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from typing import Any

DETAILS_MOST = 500
"""The most characters kept of the details of a refusal."""
HIDDEN_LEAST = 16
"""How many characters of a hidden text in the details are a quotation of it."""


class OscError(Exception):
    """Be the root of what this package raises."""


class Cause(enum.Enum):
    """What a refusal means, which decides what is done next."""

    GONE = "gone"
    """Something that the call names does not exist, or is not linked any more."""
    BUSY = "busy"
    """Something is in use or in the wrong state; the same call may pass later."""
    THROTTLED = "throttled"
    """Too many calls; this one was not carried out."""
    QUOTA = "quota"
    """A quota of the account is used up; a person has to raise it or to make room."""
    CAPACITY = "capacity"
    """The subregion has no room for this now; another one, or a later try, may have."""
    DENIED = "denied"
    """The access key is wrong, locked, or not allowed to do this."""
    TAKEN = "taken"
    """A name, range, link or rule like this exists already."""
    OURS = "ours"
    """The call itself is wrong; it would be refused again."""
    UNKNOWN = "unknown"
    """No answer, or none that says so: the call may have been carried out."""


FAMILIES: Mapping[int, Cause] = {
    0: Cause.DENIED,  # AccessDenied and its kin: who asks.
    1: Cause.BUSY,  # DependencyProblem: something still uses it.
    2: Cause.UNKNOWN,  # InternalError: it may have stopped half-way.
    3: Cause.OURS,  # InvalidParameter.
    4: Cause.OURS,  # InvalidParameterValue.
    5: Cause.GONE,  # InvalidResource: it does not exist.
    6: Cause.BUSY,  # InvalidState.
    7: Cause.OURS,  # MissingParameter.
    8: Cause.OURS,  # OperationNotSupported.
    9: Cause.BUSY,  # ResourceConflict: mostly, that something is in use.
    10: Cause.QUOTA,  # TooManyResources (QuotaExceded).
    12: Cause.OURS,  # InvalidAction.
}
"""The thousands of a code, and what most codes among them mean."""

CODES: tuple[tuple[int, str, Cause], ...] = (
    (0, "default-error", Cause.UNKNOWN),
    (2, "http-method-not-allowed", Cause.OURS),
    (6, "operation-throttled", Cause.THROTTLED),
    (24, "operation-throttled-per-account", Cause.THROTTLED),
    (25, "operation-throttled-per-call", Cause.THROTTLED),
    (1007, "internet-service-not-linked", Cause.GONE),
    (4000, "access-keys-not-found", Cause.DENIED),
    (4006, "gateway-does-not-exist", Cause.GONE),
    (4091, "token-mismatch", Cause.TAKEN),
    (4116, "page-token-expired", Cause.BUSY),
    (4120, "access-key-unknown", Cause.DENIED),
    (4122, "no-such-id", Cause.GONE),
    (5005, "no-az-for-user", Cause.OURS),
    (5006, "no-pz-available", Cause.CAPACITY),
    (5009, "no-such-az", Cause.OURS),
    (5011, "no-such-call", Cause.OURS),
    (5024, "no-such-instance-type", Cause.OURS),
    (5038, "no-such-operation", Cause.OURS),
    (5043, "no-such-region", Cause.OURS),
    (5059, "no-such-type", Cause.OURS),
    (5069, "zero-candidate", Cause.CAPACITY),
    (5070, "wrong-ssl-certificate", Cause.OURS),
    (9000, "already-exist", Cause.TAKEN),
    (9001, "ambiguous-ip", Cause.OURS),
    (9003, "device-conflict", Cause.TAKEN),
    (9005, "duplicate-cidr", Cause.TAKEN),
    (9006, "duplicate-connection", Cause.TAKEN),
    (9008, "duplicate-group", Cause.TAKEN),
    (9009, "duplicate-id", Cause.TAKEN),
    (9010, "duplicate-interface", Cause.TAKEN),
    (9011, "duplicate-key", Cause.TAKEN),
    (9012, "duplicate-listener", Cause.TAKEN),
    (9013, "duplicate-loadbalancer-name", Cause.TAKEN),
    (9015, "duplicate-name", Cause.TAKEN),
    (9016, "duplicate-port", Cause.TAKEN),
    (9021, "duplicate-sticky-policy-name", Cause.TAKEN),
    (9024, "gateway-is-already-attached", Cause.TAKEN),
    (9025, "gateway-is-already-attached", Cause.TAKEN),
    (9026, "gateway-is-not-attached", Cause.GONE),
    (9027, "gateway-not-attached", Cause.GONE),
    (9028, "group-already-exists", Cause.TAKEN),
    (9037, "nat-gateway-already-exists", Cause.TAKEN),
    (9038, "network-endpoint-already-exists", Cause.TAKEN),
    (9044, "not-in-vpc-block", Cause.OURS),
    (9047, "priority-already-in-use", Cause.TAKEN),
    (9050, "reserved-block", Cause.OURS),
    (9051, "reserved-group", Cause.OURS),
    (9052, "route-already-exists", Cause.TAKEN),
    (9053, "route-does-not-exist", Cause.GONE),
    (9054, "rule-name-already-in-use", Cause.TAKEN),
    (9057, "subnet-already-in-use", Cause.TAKEN),
    (9058, "subnet-conflict", Cause.TAKEN),
    (9060, "tag-already-exist", Cause.TAKEN),
    (9062, "vm-not-in-vpc", Cause.OURS),
    (9063, "volume-not-in-use", Cause.GONE),
    (9065, "vpc-already-attached", Cause.TAKEN),
    (9067, "vpc-peering-connection-already-exists", Cause.TAKEN),
    (9071, "zone-mismatch", Cause.OURS),
    (9072, "vm-specs-mismatch", Cause.OURS),
    (9073, "name-already-exists", Cause.TAKEN),
    (10001, "insufficient-capacity", Cause.CAPACITY),
    (10008, "too-many-concurrent-snapshots", Cause.BUSY),
)
"""The codes that mean something else than their family: code, name, what it means."""

_TYPES: Mapping[str, Cause] = {
    "InsufficientCapacity": Cause.CAPACITY,
    "AccessDenied": Cause.DENIED,
    "AuthFailure": Cause.DENIED,
    "DependencyProblem": Cause.BUSY,
    "InvalidResource": Cause.GONE,
    "InvalidState": Cause.BUSY,
    "ResourceConflict": Cause.BUSY,
    "TooManyResources (QuotaExceded)": Cause.QUOTA,
}
"""What a type says about a code that no family has."""

_STATUSES: Mapping[int, Cause] = {
    401: Cause.DENIED,
    403: Cause.DENIED,
    408: Cause.UNKNOWN,
    409: Cause.BUSY,
    424: Cause.BUSY,
    429: Cause.THROTTLED,
}
"""What an HTTP status says when the body says nothing."""

_BY_CODE = {str(code): cause for code, _, cause in CODES}


def classify(status: int, code: str, type_: str) -> Cause:
    """Say what a refusal means: by its code, else by its type, else by its HTTP status.

    ``status`` is 0 when no answer came.
    """
    if code in _BY_CODE:
        return _BY_CODE[code]
    if code.isdecimal() and int(code) // 1000 in FAMILIES:
        return FAMILIES[int(code) // 1000]
    if type_ in _TYPES:
        return _TYPES[type_]
    return _STATUSES.get(status, Cause.OURS if 400 <= status < 500 else Cause.UNKNOWN)


class ApiError(OscError):
    """Carry one refusal, or (``status`` 0, ``cause`` UNKNOWN) the loss of an answer.

    ``code`` (digits), ``type``, ``details`` and ``request_id`` are empty where the answer has none.
    ``is_unsent`` says that the call certainly did not reach the API.
    """

    def __init__(
        self,
        action: str,
        *,
        status: int = 0,
        code: str = "",
        type: str = "",  # noqa: A002 - the API's own word
        details: str = "",
        request_id: str = "",
        is_unsent: bool = False,
    ) -> None:
        super().__init__(action)
        self.action = action
        self.status = status
        self.code = code
        self.type = type
        self.details = details[:DETAILS_MOST]
        self.request_id = request_id
        self.is_unsent = is_unsent
        self.cause = classify(status, code, type)

    @classmethod
    def of_answer(cls, action: str, status: int, body: Any, hidden: str = "") -> ApiError:
        """Make the error of an answer, in the API's own form or as ``application/problem+json``.

        ``hidden`` is what the request had that must not be repeated, and the details may quote.
        """
        body = body if isinstance(body, dict) else {}
        errors = body.get("Errors")
        first = errors[0] if isinstance(errors, list) and errors else {}
        first = first if isinstance(first, dict) else {}
        context = body.get("ResponseContext")
        details = str(first.get("Details") or body.get("detail") or "")[:DETAILS_MOST]
        if _quotes(details, hidden):
            details = "(The details quote the user data.)"
        return cls(
            action,
            status=status,
            code=str(first.get("Code", "")),
            type=str(first.get("Type") or body.get("title") or ""),
            details=details,
            request_id=str(context.get("RequestId", "")) if isinstance(context, dict) else "",
        )

    def explain(self, text: str) -> None:
        """Add what was found out about a refusal."""
        self.details = f"{self.details} {text}".strip()[:DETAILS_MOST]

    def __str__(self) -> str:
        said = " ".join(part for part in (self.type, self.code, self.details) if part)
        request = f" (request {self.request_id})" if self.request_id else ""
        return f"{self.action}: {said}{request}"


def lasting(text: str) -> str:
    """Return what was said of errors without request ids.

    Each time that the same goes wrong, that is another one: whoever compares leaves it out.
    """
    return _REQUEST.sub(".", text)


_REQUEST = re.compile(r"\.? \(request [^()]*\)\.?")
"""A request id at the end of a sentence."""


def _quotes(text: str, hidden: str) -> bool:
    """Tell whether a text repeats some part of what is hidden."""
    starts = range(len(text) - HIDDEN_LEAST + 1)
    return any(text[start : start + HIDDEN_LEAST] in hidden for start in starts)
