"""The LBU gateway: the query-XML API of load balancers that OUTSCALE offers beside its own.

The cloud controller manager calls five of its actions, with the AWS client for Go, because the
API lacks what they do: proxy protocol, idle timeouts and connection draining. They change the
same rows as the actions of the API.

https://docs.outscale.com/en/userguide/About-the-APIs.html
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from typing import Any
from xml.sax.saxutils import escape

from fakecloud import errors
from fakecloud.call import Call
from fakecloud.cloud import FakeCloud
from fakecloud.rules import load_balancing
from fakecloud.store import Data, Row

Form = Mapping[str, str]
NAMESPACE = "http://elasticloadbalancing.amazonaws.com/doc/2012-06-01/"
PROXY_PROTOCOL = "ProxyProtocolPolicyType"
WRONG_CREDENTIALS = (
    "Outscale was not able to validate the provided access credentials. Invalid login/password or "
    "password has expired."
)
WRONG_SIGNATURE = (
    "The request signature we calculated does not match the signature you provided. Check your "
    "AWS Secret Access Key and signing method. Consult the service documentation for details."
)
_THROTTLED = ("6", "24", "25")
_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TRUTH = {"true": True, "false": False}


class Refusal(Exception):
    """Carry one refusal of the gateway: its code, text and HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code} ({status}): {message}")
        self.code = code
        self.message = message
        self.status = status


def answer(cloud: FakeCloud, form: Form, account: str, region: str) -> tuple[int, bytes]:
    """Carry out one action of the gateway and return the HTTP status and the answer as XML."""
    with cloud.lock:
        request_id = cloud.next_request_id()
        name = form.get("Action", "")
        try:
            result = _carry_out(cloud, name, form, account, region)
        except Refusal as refusal:
            return refusal.status, _refused(refusal, request_id)
        except errors.ApiError as error:
            same = Refusal(error.type, error.details, error.status)
            return same.status, _refused(same, request_id)
        body = {f"{name}Result": result, "ResponseMetadata": {"RequestId": request_id}}
        return 200, document(f"{name}Response", body)


def _carry_out(cloud: FakeCloud, name: str, form: Form, account: str, region: str) -> Data:
    handler = ACTIONS.get(name)
    if handler is None:
        raise Refusal("InvalidAction", f"Action is not valid for this web service: {name}")
    store = cloud.store(region, account)
    store.settle()
    with store.transaction():
        return handler(Call(cloud, store, region, account), form)


def refuse(
    cloud: FakeCloud, error: errors.ApiError, *, is_signed: bool = True
) -> tuple[int, bytes]:
    """Return the HTTP status and the XML for a request that the door turns away.

    ``is_signed`` tells a wrong signature from none, which have one code in the OUTSCALE API.
    """
    if error.code == "1" and is_signed:
        refusal = Refusal("SignatureDoesNotMatch", WRONG_SIGNATURE, 403)
    elif error.code in _THROTTLED:
        refusal = Refusal("Throttling", error.details, 503)
    elif error.code == "5":
        refusal = Refusal("AccessDenied", error.details, 403)
    elif error.status >= 500:
        refusal = Refusal("InternalFailure", error.details, error.status)
    else:
        refusal = Refusal("AuthFailure", WRONG_CREDENTIALS, 401)
    return refusal.status, _refused(refusal, error.request_id or cloud.request_id(0))


def _refused(refusal: Refusal, request_id: str) -> bytes:
    kind = "Sender" if refusal.status < 500 else "Receiver"
    error = {"Type": kind, "Code": refusal.code, "Message": refusal.message}
    return document("ErrorResponse", {"Error": error, "RequestId": request_id})


# Writing.


def document(root: str, body: Data) -> bytes:
    """Write data as XML: lists become ``member`` elements, and what is ``None`` is left out."""
    parts = [f'<{root} xmlns="{NAMESPACE}">']
    _write(parts, body)
    parts.append(f"</{root}>")
    return "".join(parts).encode()


def _write(parts: list[str], value: Any) -> None:
    if isinstance(value, dict):
        for name, item in value.items():
            if item is not None:
                parts.append(f"<{name}>")
                _write(parts, item)
                parts.append(f"</{name}>")
    elif isinstance(value, list):
        for item in value:
            parts.append("<member>")
            _write(parts, item)
            parts.append("</member>")
    elif isinstance(value, bool):
        parts.append("true" if value else "false")
    else:
        # XML has no way to write some characters, which a request may hold nonetheless.
        parts.append(escape(_UNWRITABLE.sub("?", str(value))))


# Reading the form.


def required(form: Form, *names: str) -> list[str]:
    """Return parameters that must be there."""
    for name in names:
        if not form.get(name):
            raise Refusal("ValidationError", f"The request must contain the parameter {name}")
    return [form[name] for name in names]


def members(form: Form, name: str) -> list[str]:
    """Return the items of a list, which come as ``Name.member.1`` and so on, in their order."""
    found = {}
    for key, value in form.items():
        matched = re.fullmatch(rf"{re.escape(name)}\.member\.([0-9]{{1,6}})", key)
        if matched:
            found[int(matched[1])] = value
    return [found[number] for number in sorted(found)]


def number(form: Form, name: str, least: int) -> int | None:
    """Return a whole number that may be absent."""
    text = form.get(name)
    if not text:
        return None
    if not re.fullmatch(r"-?[0-9]{1,12}", text):
        raise Refusal("ValidationError", "Request is not valid.")
    if int(text) < least:
        field = name.rsplit(".", 1)[-1]
        raise Refusal(
            "ValidationError",
            f"1 validation error detected: Value '{text}' at '{field[0].lower()}{field[1:]}' "
            "failed to satisfy constraint: Member must have value greater than or equal to "
            f"{least}",
        )
    return int(text)


def truth(form: Form, name: str) -> bool | None:
    """Return a boolean that may be absent."""
    text = form.get(name)
    if not text:
        return None
    if text.lower() not in _TRUTH:
        raise Refusal("ValidationError", "Request is not valid.")
    return _TRUTH[text.lower()]


def balancer_named(call: Call, name: str) -> Row:
    """Return the caller's load balancer of a name."""
    row = call.store.row("LoadBalancer", load_balancing.key(call, name))
    if row is None or not row.is_live:
        raise Refusal("LoadBalancerNotFound", f"There is no ACTIVE Load Balancer named '{name}'")
    return row


# Describing load balancers.


def _describe_load_balancers(call: Call, form: Form) -> Data:
    names = members(form, "LoadBalancerNames")
    size = number(form, "PageSize", 1)
    if names:
        rows = [balancer_named(call, name) for name in names]
        return {"LoadBalancerDescriptions": [_description(call, row) for row in rows]}
    rows = call.find("LoadBalancer")
    if form.get("Marker"):
        rows = _after(rows, form["Marker"])
    marker = None
    if size is not None and len(rows) > size:
        rows = rows[:size]
        marker = base64.b64encode(rows[-1]["LoadBalancerName"].encode()).decode()
    return {
        "LoadBalancerDescriptions": [_description(call, row) for row in rows],
        "NextMarker": marker,
    }


def _after(rows: list[Row], marker: str) -> list[Row]:
    try:
        last = base64.b64decode(marker, validate=True).decode()
    except (ValueError, binascii.Error):
        last = ""
    for position, row in enumerate(rows):
        if row["LoadBalancerName"] == last:
            return rows[position + 1 :]
    raise Refusal("ValidationError", "Request is not valid.")


def _description(call: Call, row: Row) -> Data:
    shown = call.view(row)
    check = shown["HealthCheck"]
    source = shown["SourceSecurityGroup"]
    return {
        "LoadBalancerName": shown["LoadBalancerName"],
        "DNSName": shown["DnsName"],
        "CanonicalHostedZoneName": shown["DnsName"],
        "ListenerDescriptions": [_listener(each) for each in shown["Listeners"]],
        "Policies": {
            "AppCookieStickinessPolicies": [
                {"PolicyName": each["PolicyName"], "CookieName": each["CookieName"]}
                for each in shown["ApplicationStickyCookiePolicies"]
            ],
            "LBCookieStickinessPolicies": [
                {
                    "PolicyName": each["PolicyName"],
                    "CookieExpirationPeriod": each["CookieExpirationPeriod"],
                }
                for each in shown["LoadBalancerStickyCookiePolicies"]
            ],
            "OtherPolicies": row["_OtherPolicies"],
        },
        "BackendServerDescriptions": [
            {"InstancePort": port, "PolicyNames": names}
            for port, names in row["_BackendPolicies"].items()
        ],
        "AvailabilityZones": shown["SubregionNames"],
        "Subnets": shown["Subnets"],
        "VPCId": shown.get("NetId"),
        "Instances": [{"InstanceId": id_} for id_ in shown["BackendVmIds"]],
        "HealthCheck": {
            "Target": f"{check['Protocol']}:{check['Port']}{check.get('Path', '')}",
            "Interval": check["CheckInterval"],
            "Timeout": check["Timeout"],
            "UnhealthyThreshold": check["UnhealthyThreshold"],
            "HealthyThreshold": check["HealthyThreshold"],
        },
        "SourceSecurityGroup": {
            "OwnerAlias": source["SecurityGroupAccountId"],
            "GroupName": source["SecurityGroupName"],
        },
        "SecurityGroups": shown.get("SecurityGroups", []),
        "CreatedTime": row["_CreatedOn"],
        "Scheme": shown["LoadBalancerType"],
    }


def _listener(shown: Data) -> Data:
    return {
        "Listener": {
            "Protocol": shown["LoadBalancerProtocol"],
            "LoadBalancerPort": shown["LoadBalancerPort"],
            "InstanceProtocol": shown["BackendProtocol"],
            "InstancePort": shown["BackendPort"],
            "SSLCertificateId": shown.get("ServerCertificateId"),
        },
        "PolicyNames": shown.get("PolicyNames", []),
    }


# Proxy protocol.


def _create_load_balancer_policy(call: Call, form: Form) -> Data:
    name, policy, type_ = required(form, "LoadBalancerName", "PolicyName", "PolicyTypeName")
    if type_ != PROXY_PROTOCOL:
        raise Refusal(
            "InvalidParameterValue",
            f"Value of parameter 'PolicyTypeName' is not valid: {type_}. "
            f"Supported values: {PROXY_PROTOCOL}",
        )
    row = balancer_named(call, name)
    if policy in load_balancing.policies(row.data):
        raise Refusal(
            "DuplicatePolicyName", f"There is a policy with name {policy} for load balancer {name}"
        )
    call.edit(row)["_OtherPolicies"].append(policy)
    return {}


def _set_policies_for_backend_server(call: Call, form: Form) -> Data:
    name, _ = required(form, "LoadBalancerName", "InstancePort")
    port = number(form, "InstancePort", 1)
    row = balancer_named(call, name)
    wanted = list(dict.fromkeys(members(form, "PolicyNames")))
    for policy in wanted:
        if policy not in row["_OtherPolicies"]:
            raise Refusal(
                "PolicyNotFound", f"There is no policy with name {policy} for load balancer {name}"
            )
    if all(listener["BackendPort"] != port for listener in row["Listeners"]):
        raise Refusal("InvalidConfigurationRequest", "No listener configured on this port")
    policies = call.edit(row)["_BackendPolicies"]
    policies.pop(str(port), None)
    if wanted:
        policies[str(port)] = wanted
    load_balancing.changed(call, row)
    return {}


# Attributes.


def _describe_attributes(call: Call, form: Form) -> Data:
    (name,) = required(form, "LoadBalancerName")
    return {"LoadBalancerAttributes": _attributes(balancer_named(call, name))}


def _attributes(row: Row) -> Data:
    log = row["AccessLog"]
    return {
        "AccessLog": {
            "Enabled": log["IsEnabled"],
            "S3BucketName": log.get("OsuBucketName"),
            "EmitInterval": log["PublicationInterval"],
            "S3BucketPrefix": log.get("OsuBucketPrefix"),
        },
        "ConnectionDraining": row["_Draining"],
        "ConnectionSettings": {"IdleTimeout": row["_IdleTimeout"]},
        "AdditionalAttributes": [
            {"Key": "SecuredCookies", "Value": "true" if row["SecuredCookies"] else "false"}
        ],
    }


def _modify_attributes(call: Call, form: Form) -> Data:
    (name,) = required(form, "LoadBalancerName")
    prefix = "LoadBalancerAttributes."
    if not any(key.startswith(prefix) for key in form):
        required(form, prefix[:-1])
    row = balancer_named(call, name)
    data = call.edit(row)
    wanted = {key[len(prefix) :]: form[key] for key in form if key.startswith(prefix)}
    if any(key.startswith("AccessLog.") for key in wanted):
        data["AccessLog"] = _access_log(data["AccessLog"], wanted)
    draining = {
        "Enabled": truth(wanted, "ConnectionDraining.Enabled"),
        "Timeout": number(wanted, "ConnectionDraining.Timeout", 1),
    }
    data["_Draining"].update({key: value for key, value in draining.items() if value is not None})
    idle = number(wanted, "ConnectionSettings.IdleTimeout", 1)
    if idle is not None:
        data["_IdleTimeout"] = idle
    for position in range(1, len(wanted) + 1):
        start = f"AdditionalAttributes.member.{position}."
        if wanted.get(start + "Key") == "SecuredCookies":
            data["SecuredCookies"] = bool(truth(wanted, start + "Value"))
    load_balancing.changed(call, row)
    return {"LoadBalancerName": name, "LoadBalancerAttributes": _attributes(row)}


def _access_log(former: Data, wanted: Form) -> Data:
    asked = {
        "IsEnabled": truth(wanted, "AccessLog.Enabled"),
        "OsuBucketName": wanted.get("AccessLog.S3BucketName"),
        "OsuBucketPrefix": wanted.get("AccessLog.S3BucketPrefix"),
        "PublicationInterval": number(wanted, "AccessLog.EmitInterval", 1),
    }
    merged = {**former, **{key: value for key, value in asked.items() if value is not None}}
    if merged["IsEnabled"] and not merged.get("OsuBucketName"):
        raise Refusal("InvalidConfigurationRequest", "Bucket is unavailable for access log")
    return load_balancing.access_log(merged)


ACTIONS: dict[str, Callable[[Call, Form], Data]] = {
    "CreateLoadBalancerPolicy": _create_load_balancer_policy,
    "DescribeLoadBalancerAttributes": _describe_attributes,
    "DescribeLoadBalancers": _describe_load_balancers,
    "ModifyLoadBalancerAttributes": _modify_attributes,
    "SetLoadBalancerPoliciesForBackendServer": _set_policies_for_backend_server,
}
"""The actions of the gateway that are simulated; every other one is refused."""
