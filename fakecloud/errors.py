"""Every refusal of the API: its code, type, HTTP status and text, in one table.

Codes and types are those of ``gateway_errors.yaml`` (osc-sdk-python), of the errors page of the
user documentation and of recorded answers; a test compares them. The families are::

    ApiError
    |-- 0-25      AccessDenied and its kin: who asks           401, 403, 405, 429, 503
    |-- 1000-1999 DependencyProblem: something still uses it   424 (409 where recorded)
    |-- 2000      InternalError                                500
    |-- 3000-3999 InvalidParameter: unknown or contradictory   400
    |-- 4000-4999 InvalidParameterValue                        400
    |-- 5000-5999 InvalidResource: it does not exist           400
    |-- 6000-6999 InvalidState                                 409
    |-- 7000      MissingParameter                             400
    |-- 8000-8999 OperationNotSupported                        400
    |-- 9000-9999 ResourceConflict                             409
    |-- 10000-..  TooManyResources (QuotaExceded)              400
    `-- 12000     InvalidAction                                404
"""

from __future__ import annotations

from typing import Any

QUOTA = "TooManyResources (QuotaExceded)"

_FAMILIES: dict[int, tuple[str, int]] = {
    0: ("AccessDenied", 401),
    1: ("DependencyProblem", 424),
    2: ("InternalError", 500),
    3: ("InvalidParameter", 400),
    4: ("InvalidParameterValue", 400),
    5: ("InvalidResource", 400),
    6: ("InvalidState", 409),
    7: ("MissingParameter", 400),
    8: ("OperationNotSupported", 400),
    9: ("ResourceConflict", 409),
    10: (QUOTA, 400),
    12: ("InvalidAction", 404),
}

# Where a single code differs from its family: (type, HTTP status).
_EXCEPTIONS: dict[int, tuple[str, int]] = {
    0: ("DefaultError", 400),
    2: ("AccessDenied", 405),
    6: ("AccessDenied", 503),
    8: ("WrongAuthenticationMethod", 403),
    9: ("AuthFailure", 401),
    10: ("MissingLoginPassword", 403),
    20: ("PasswordExpired", 401),
    24: ("AccessDenied", 429),
    25: ("AccessDenied", 429),
    1004: ("DependencyProblem", 409),
    1005: ("DependencyProblem", 409),
    1018: ("DependencyProblem", 409),
    10001: ("InsufficientCapacity", 400),
}

_MISSING = "The {param} '{id}' doesn't exist."

# The text of a code, where it is known. A code that is absent here is answered with an empty
# Details, as the API does for many (5001, 5020, 5071, 4032, 9085).
TEXTS: dict[int, str] = {
    1: "The authentication failed.",
    2: "The HTTP method is not allowed.",
    6: "Request rate exceeded.",
    8: "The authentication method '{method}' is invalid.",
    9: "The authentication using login/password is not allowed for this call.",
    10: "The credentials are missing for authentication.",
    12: "The authentication type specified in the Authorization header is unknown.",
    13: "Too many failed connection attempts. Your access has been locked for {seconds} seconds.",
    14: "The request does not match any API access rule.",
    24: "Request rate exceeded.",
    25: "Request rate exceeded.",
    1001: "The client gateway '{id}' has dependencies and cannot be deleted.",
    1004: "The Net {net} has a NIC with the public IP {user}. Unlink the public IP first.",
    1005: "The Net {net} has the load balancer {user}. Delete the load balancer first.",
    1007: "The internet service {gateway} is not linked to the Net {net}.",
    1018: "The Net {net} has the NAT service {user}. Delete the NAT service first.",
    2000: "Outscale faced an internal error while processing your request.",
    3001: "The parameter '{parameter}' is not supported.",
    4014: (
        "The provided value ('{range}') for the parameter 'IpRange' is invalid. "
        "The block size has to be between {least} and {most}."
    ),
    4036: (
        "The load balancer name '{name}' has characters that are not allowed. Use letters, digits "
        "and dashes, and no dash at the start or end."
    ),
    4037: "LoadBalancerPort is {port}, but must be between 1 and 65535.",
    4086: "The VM '{id}' is in {vm}, but the load balancer '{name}' is in {balancer}.",
    4104: "The provided value '{id}' does not respect the expected ID prefix '{prefix}'.",
    4105: "The provided value '{id}' is malformed.",
    4106: (
        "The length of the provided value for parameter '{parameter}' is invalid: '{length}'. "
        "The expected length is '{expected}'."
    ),
    4110: "The type of the parameter '{parameter}' is wrong. The expected type is '{type}'.",
    4116: "The provided page token is expired.",
    4117: "The provided page token is invalid.",
    4120: "The access key '{key}' is invalid.",
    4122: _MISSING,
    4133: "The IPv4 address '{address}' is invalid.",
    4199: (
        "The provided value '{id}' for parameter AccepterNetId is invalid. "
        "The values for AccepterNetId and SourceNetId must be different."
    ),
    5007: _MISSING,
    5015: _MISSING,
    5018: _MISSING,
    5023: _MISSING,
    5026: _MISSING,
    5028: "The load balancer '{name}' has no listener on port {port}.",
    5029: "The ListenerRuleName '{name}' doesn't exist.",
    5030: _MISSING,
    5032: _MISSING,
    5034: _MISSING,
    5035: _MISSING,
    5036: _MISSING,
    5046: _MISSING,
    5047: _MISSING,
    5054: _MISSING,
    5056: "The load balancer '{name}' has no policy '{policy}'.",
    5057: _MISSING,
    5063: _MISSING,
    5064: _MISSING,
    5065: _MISSING,
    5067: _MISSING,
    5068: _MISSING,
    5072: _MISSING,
    5073: _MISSING,
    5080: _MISSING,
    6031: (
        "The load balancer '{name}' is '{state}', but must be 'active' for this change. Try again "
        "once it is."
    ),
    7000: "Insufficient parameters provided out of: {parameters}. Expected at least: {least}.",
    8004: "Outbound rules are for security groups of Nets only.",
    9006: "{client} and {gateway} have the VPN connection {connection} already.",
    9008: "The SecurityGroupName '{name}' already exists.",
    9013: "The LoadBalancerName '{name}' already exists.",
    9024: "{gateway} is linked to the Net {net}. Unlink it first.",
    9025: "{gateway} is linked to the Net {net}. Unlink it first.",
    9026: "{gateway} is not linked to the Net {net}.",
    9027: "{gateway} is not linked to the Net {net}. Link it first.",
    9044: "The IP range {range} is not inside {net}, the range of the Net.",
    9050: "The IP range {range} overlaps the reserved block {block}.",
    9051: "The default security group cannot be deleted.",
    9052: "The route table {table} has another route to {destination}. Use UpdateRoute.",
    9053: "The route table {table} has no route to {destination} that can be changed.",
    9058: "The IP range {range} overlaps {other}, the range of another subnet.",
    9065: "The Net {net} has {gateway} linked already. Unlink it first.",
    9066: (
        "{table} is the main route table of the Net {net}. Make another table the main one first."
    ),
    9067: "The Nets {source} and {accepter} have the Net peering {peering} already.",
    9068: "The VPN connection {connection} has no static routes: StaticRoutesOnly is false.",
    10010: "The maximum number of VMs ('{limit}') is exceeded.",
    10011: "The maximum number of public IPs ('{limit}') is exceeded.",
    10012: "The maximum number of listener rules ('{limit}') is exceeded.",
    10013: "The maximum number of listeners ('{limit}') is exceeded.",
    10014: "The maximum number of load balancers ('{limit}') is exceeded.",
    10017: "The maximum number of security group rules ('{limit}') is exceeded.",
    10018: "The maximum number of volumes ('{limit}') is exceeded.",
    10021: "The maximum number of private IPs of a NIC ('{limit}') is exceeded.",
    10022: "The maximum number of Nets ('{limit}') is exceeded.",
    10023: "The maximum number of internet services ('{limit}') is exceeded.",
    10024: "The maximum number of GiB of volumes ('{limit}') is exceeded.",
    10025: "The maximum number of IOPS ('{limit}') is exceeded.",
    10026: "The maximum number of snapshots ('{limit}') is exceeded.",
    10027: "The maximum number of client gateways ('{limit}') is exceeded.",
    10028: "The maximum number of connections ('{limit}') is exceeded.",
    10029: "The maximum number of vCores ('{limit}') is exceeded.",
    10030: "The maximum number of GPUs ('{limit}') is exceeded.",
    10031: "The maximum number of DirectLink interfaces ('{limit}') is exceeded.",
    10032: "The maximum number of NAT services ('{limit}') is exceeded.",
    10033: "The maximum number of Net access points ('{limit}') is exceeded.",
    10034: "The maximum number of pending Net peerings ('{limit}') is exceeded.",
    10035: "The maximum number of Net peerings ('{limit}') is exceeded.",
    10037: "The maximum number of route tables ('{limit}') is exceeded.",
    10038: "The maximum number of security groups ('{limit}') is exceeded.",
    10039: "The maximum number of virtual gateways ('{limit}') is exceeded.",
    10040: "The maximum number of static routes ('{limit}') is exceeded.",
    10042: "The maximum number of GiB of memory ('{limit}') is exceeded.",
    12000: "The action '{action}' does not exist.",
}


class ApiError(Exception):
    """Carry one refusal: ``code`` (text), ``type``, HTTP ``status`` and ``details``."""

    def __init__(self, code: int, type_: str, status: int, details: str) -> None:
        super().__init__(f"{type_} {code} ({status}): {details}")
        self.code = str(code)
        self.type = type_
        self.status = status
        self.details = details
        self.request_id = ""

    def body(self) -> list[dict[str, str]]:
        """Return the ``Errors`` list of the answer."""
        return [{"Code": self.code, "Details": self.details, "Type": self.type}]


class NotSimulated(ApiError):
    """Refuse loudly what the document has and the simulator has not: never a false success."""

    def __init__(self, what: str) -> None:
        super().__init__(
            2000,
            "InternalError",
            501,
            f"fakecloud does not simulate {what}. Add it to fakecloud/resources/.",
        )


def classify(code: int) -> tuple[str, int]:
    """Return the type and the HTTP status of a code."""
    return _EXCEPTIONS.get(code) or _FAMILIES[code // 1000]


def is_code(code: int) -> bool:
    """Tell whether errors have codes like this one."""
    return code >= 0 and code // 1000 in _FAMILIES


def refusal(code: int, details: str | None = None, **placeholders: Any) -> ApiError:
    """Make the error of a code; its text comes from the table, or from ``details`` when given."""
    type_, status = classify(code)
    if details is None:
        details = TEXTS.get(code, "")
        if placeholders:
            details = details.format(**placeholders)
    return ApiError(code, type_, status, details)
