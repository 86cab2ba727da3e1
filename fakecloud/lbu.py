"""The LBU gateway: the query-XML API of load balancers that OUTSCALE offers beside its own.

The cloud controller manager calls five of its actions, with the AWS client for Go, because the
API lacks what they do: proxy protocol, idle timeouts and connection draining. They change the
same rows as the actions of the API.

https://docs.outscale.com/en/userguide/About-the-APIs.html
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable

from fakecloud import errors, faults
from fakecloud.call import Call
from fakecloud.cloud import Caller, FakeCloud
from fakecloud.kinds import Data
from fakecloud.query_xml import Form, Refusal, document, members, number, required, truth
from fakecloud.rows import Row
from fakecloud.rules import load_balancing

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


def answer(cloud: FakeCloud, form: Form, caller: Caller) -> tuple[int, bytes]:
    """Carry out one action of the gateway and return the HTTP status and the answer as XML.

    The call is in the journal, and open to faults, as ``lbu:<Action>``.
    """
    name = form.get("Action", "")
    lost = False
    with cloud.recorded(f"lbu:{name}", dict(form), caller) as entry:
        try:
            lost, _ = cloud.strike(entry.action, caller)
            result = _carry_out(cloud, name, form, caller)
            body = {f"{name}Result": result, "ResponseMetadata": {"RequestId": entry.request_id}}
            status, xml = 200, document(f"{name}Response", body)
        except Refusal as refusal:
            entry.code = refusal.code
            status, xml = refusal.status, _refused(refusal, entry.request_id)
        except errors.ApiError as error:
            entry.code = error.code
            same = Refusal(error.type, error.details, error.status)
            status, xml = same.status, _refused(same, entry.request_id)
        entry.status, entry.size = status, len(xml)
    if lost:
        raise faults.ConnectionLost(f"{name} was carried out, but its answer was lost.")
    return status, xml


def _carry_out(cloud: FakeCloud, name: str, form: Form, caller: Caller) -> Data:
    handler = ACTIONS.get(name)
    if handler is None:
        raise Refusal("InvalidAction", f"Action is not valid for this web service: {name}")
    store = cloud.store(caller.region, caller.account)
    store.settle()
    with store.transaction():
        return handler(Call(cloud, store, caller.region, caller.account, caller.user), form)


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
    return refusal.status, _refused(refusal, error.request_id or cloud.stray_id())


def _refused(refusal: Refusal, request_id: str) -> bytes:
    kind = "Sender" if refusal.status < 500 else "Receiver"
    error = {"Type": kind, "Code": refusal.code, "Message": refusal.message}
    return document("ErrorResponse", {"Error": error, "RequestId": request_id})


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
