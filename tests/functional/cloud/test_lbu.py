"""The LBU gateway: what the cloud controller manager calls with the AWS client."""

import base64
import xml.etree.ElementTree as ET

import pytest

from fakecloud import errors, lbu
from fakecloud.cloud import Caller
from tests.functional.cloud import balancing
from tests.functional.cloud.balancing import TCP, WEB

OTHER = "210987654321"
NAMESPACE = "{http://elasticloadbalancing.amazonaws.com/doc/2012-06-01/}"
PROXY = {"PolicyName": "proxy", "PolicyTypeName": "ProxyProtocolPolicyType"}


@pytest.fixture
def place():
    return balancing.build()


def ask(place, action, account="", **form):
    """Return the status and the answer, with the namespace taken off every name."""
    cloud = place.cloud
    form = {"Version": "2012-06-01", **({"Action": action} if action else {}), **form}
    status, body = lbu.answer(cloud, form, Caller(account or cloud.account, cloud.region))
    root = ET.fromstring(body)  # noqa: S314 - our own answer
    for element in root.iter():
        assert element.tag.startswith(NAMESPACE)
        element.tag = element.tag.removeprefix(NAMESPACE)
    return status, root


def do(place, action, **form):
    """Return the result of an action that is carried out."""
    status, root = ask(place, action, **form)
    assert status == 200, ET.tostring(root)
    assert root.tag == f"{action}Response"
    assert root.findtext("ResponseMetadata/RequestId")
    return root.find(f"{action}Result")


def refused(place, action, **form):
    """Return the code and the message with which an action is refused."""
    status, root = ask(place, action, **form)
    assert root.tag == "ErrorResponse"
    assert root.findtext("RequestId")
    return status, root.findtext("Error/Code"), root.findtext("Error/Message")


def texts(element, path):
    return [found.text for found in element.findall(path)]


def test_a_load_balancer_is_described(place):
    place.active("lb", WEB)
    result = do(place, "DescribeLoadBalancers", **{"LoadBalancerNames.member.1": "lb"})
    (found,) = result.findall("LoadBalancerDescriptions/member")
    shown = place.read()
    expected = {
        "LoadBalancerName": "lb",
        "DNSName": shown["DnsName"],
        "VPCId": place.net,
        "Scheme": "internet-facing",
        "CreatedTime": "2026-01-01T00:00:00.000Z",
        "Subnets/member": place.subnet,
        "AvailabilityZones/member": "eu-west-2a",
        "SecurityGroups/member": shown["SecurityGroups"][0],
        "SourceSecurityGroup/GroupName": "default",
        "SourceSecurityGroup/OwnerAlias": place.cloud.account,
        "HealthCheck/Target": "TCP:8080",
        "HealthCheck/Interval": "30",
        "HealthCheck/HealthyThreshold": "10",
        "ListenerDescriptions/member/Listener/Protocol": "HTTP",
        "ListenerDescriptions/member/Listener/LoadBalancerPort": "80",
        "ListenerDescriptions/member/Listener/InstanceProtocol": "HTTP",
        "ListenerDescriptions/member/Listener/InstancePort": "8080",
    }
    assert {path: found.findtext(path) for path in expected} == expected
    assert texts(found, "ListenerDescriptions/member/PolicyNames/member") == []


def test_one_unknown_name_refuses_the_whole_description(place):
    place.active()
    names = {"LoadBalancerNames.member.1": "lb", "LoadBalancerNames.member.2": "nobody"}
    assert refused(place, "DescribeLoadBalancers", **names) == (
        400,
        "LoadBalancerNotFound",
        "There is no ACTIVE Load Balancer named 'nobody'",
    )


def test_a_deleted_load_balancer_is_not_described(place):
    place.active()
    place.cloud.call("DeleteLoadBalancer", LoadBalancerName="lb")
    result = do(place, "DescribeLoadBalancers")
    assert result.findall("LoadBalancerDescriptions/member") == []
    names = {"LoadBalancerNames.member.1": "lb"}
    assert refused(place, "DescribeLoadBalancers", **names)[1] == "LoadBalancerNotFound"


def test_descriptions_come_in_pages(place):
    for name in ("one", "two", "three"):
        place.create(name)

    def page(**form):
        result = do(place, "DescribeLoadBalancers", **form)
        names = texts(result, "LoadBalancerDescriptions/member/LoadBalancerName")
        return names, result.findtext("NextMarker")

    first, marker = page(PageSize="2")
    assert first == ["one", "two"]
    assert page(Marker=marker) == (["three"], None)
    assert page(PageSize="400") == (["one", "two", "three"], None)
    assert page(Marker=marker, **{"LoadBalancerNames.member.1": "one"}) == (["one"], None)


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"PageSize": "toto"}, "Request is not valid."),
        (
            {"PageSize": "-1"},
            (
                "1 validation error detected: Value '-1' at 'pageSize' failed to satisfy "
                "constraint: Member must have value greater than or equal to 1"
            ),
        ),
        ({"Marker": "toto"}, "Request is not valid."),
        ({"Marker": base64.b64encode(b"nobody").decode()}, "Request is not valid."),
    ],
)
def test_a_page_that_does_not_exist_is_refused(place, form, message):
    place.create()
    expected = (400, "ValidationError", message)
    assert refused(place, "DescribeLoadBalancers", **form) == expected


def test_proxy_protocol_is_shown_with_the_listener(place):
    place.active("lb", TCP, WEB)
    do(place, "CreateLoadBalancerPolicy", LoadBalancerName="lb", **PROXY)
    form = {"LoadBalancerName": "lb", "InstancePort": "6443"}
    do(
        place,
        "SetLoadBalancerPoliciesForBackendServer",
        **form,
        **{"PolicyNames.member.1": "proxy"},
    )
    result = do(place, "DescribeLoadBalancers").find("LoadBalancerDescriptions/member")
    assert texts(result, "Policies/OtherPolicies/member") == ["proxy"]
    assert texts(result, "BackendServerDescriptions/member/InstancePort") == ["6443"]
    assert texts(result, "BackendServerDescriptions/member/PolicyNames/member") == ["proxy"]
    listeners = result.findall("ListenerDescriptions/member")
    assert [texts(each, "PolicyNames/member") for each in listeners] == [[], ["proxy"]]
    shown = place.read()["Listeners"]
    assert [each.get("PolicyNames") for each in shown] == [None, ["proxy"]]
    # The AWS client for Go writes an empty list as an empty parameter.
    do(place, "SetLoadBalancerPoliciesForBackendServer", **form, PolicyNames="")
    assert "PolicyNames" not in place.read()["Listeners"][1]


def test_attributes_have_defaults(place):
    place.create()
    found = do(place, "DescribeLoadBalancerAttributes", LoadBalancerName="lb")
    expected = {
        "AccessLog/Enabled": "false",
        "AccessLog/EmitInterval": "60",
        "AccessLog/S3BucketName": None,
        "ConnectionDraining/Enabled": "false",
        "ConnectionSettings/IdleTimeout": "60",
        "AdditionalAttributes/member/Key": "SecuredCookies",
        "AdditionalAttributes/member/Value": "false",
    }
    attributes = found.find("LoadBalancerAttributes")
    assert {path: attributes.findtext(path) for path in expected} == expected


def test_attributes_that_are_not_named_stay(place):
    place.create()

    def modify(**attributes):
        named = {f"LoadBalancerAttributes.{key}": value for key, value in attributes.items()}
        do(place, "ModifyLoadBalancerAttributes", LoadBalancerName="lb", **named)

    modify(**{"ConnectionSettings.IdleTimeout": "123"})
    modify(**{"ConnectionDraining.Enabled": "true", "ConnectionDraining.Timeout": "456"})
    modify(
        **{
            "AccessLog.Enabled": "true",
            "AccessLog.EmitInterval": "5",
            "AccessLog.S3BucketName": "bucket",
            "AccessLog.S3BucketPrefix": "prefix",
        }
    )
    modify(
        **{
            "AdditionalAttributes.member.1.Key": "SecuredCookies",
            "AdditionalAttributes.member.1.Value": "true",
        }
    )
    found = do(place, "DescribeLoadBalancerAttributes", LoadBalancerName="lb")
    expected = {
        "AccessLog/Enabled": "true",
        "AccessLog/EmitInterval": "5",
        "AccessLog/S3BucketName": "bucket",
        "AccessLog/S3BucketPrefix": "prefix",
        "ConnectionDraining/Enabled": "true",
        "ConnectionDraining/Timeout": "456",
        "ConnectionSettings/IdleTimeout": "123",
        "AdditionalAttributes/member/Value": "true",
    }
    attributes = found.find("LoadBalancerAttributes")
    assert {path: attributes.findtext(path) for path in expected} == expected
    shown = place.read()
    assert shown["SecuredCookies"] is True
    assert shown["AccessLog"]["OsuBucketName"] == "bucket"


def missing(name):
    return "ValidationError", f"The request must contain the parameter {name}"


NOBODY = ("LoadBalancerNotFound", "There is no ACTIVE Load Balancer named 'nobody'")
ATTRIBUTES = "LoadBalancerAttributes."
UNKNOWN_TYPE = (
    "Value of parameter 'PolicyTypeName' is not valid: foo. "
    "Supported values: ProxyProtocolPolicyType"
)
REFUSALS = {
    "an unknown action": (
        "foo", {}, ("InvalidAction", "Action is not valid for this web service: foo")),
    "no action": ("", {}, ("InvalidAction", "Action is not valid for this web service: ")),
    "a policy without name": (
        "CreateLoadBalancerPolicy", {**PROXY, "PolicyName": ""}, missing("PolicyName")),
    "a policy without type": (
        "CreateLoadBalancerPolicy", {"PolicyName": "a"}, missing("PolicyTypeName")),
    "a policy of nobody": (
        "CreateLoadBalancerPolicy", {**PROXY, "LoadBalancerName": "nobody"}, NOBODY),
    "a policy type": (
        "CreateLoadBalancerPolicy", {**PROXY, "PolicyTypeName": "foo"},
        ("InvalidParameterValue", UNKNOWN_TYPE)),
    "a policy twice": (
        "CreateLoadBalancerPolicy", {**PROXY, "PolicyName": "taken"},
        ("DuplicatePolicyName", "There is a policy with name taken for load balancer lb")),
    "no backend port": (
        "SetLoadBalancerPoliciesForBackendServer", {}, missing("InstancePort")),
    "an unknown policy": (
        "SetLoadBalancerPoliciesForBackendServer",
        {"InstancePort": "6443", "PolicyNames.member.1": "foo"},
        ("PolicyNotFound", "There is no policy with name foo for load balancer lb")),
    "a backend port without listener": (
        "SetLoadBalancerPoliciesForBackendServer", {"InstancePort": "1"},
        ("InvalidConfigurationRequest", "No listener configured on this port")),
    "attributes of nobody": (
        "DescribeLoadBalancerAttributes", {"LoadBalancerName": "nobody"}, NOBODY),
    "attributes without name": (
        "DescribeLoadBalancerAttributes", {"LoadBalancerName": ""}, missing("LoadBalancerName")),
    "no attributes": (
        "ModifyLoadBalancerAttributes", {}, missing("LoadBalancerAttributes")),
    "logs without bucket": (
        "ModifyLoadBalancerAttributes", {ATTRIBUTES + "AccessLog.Enabled": "true"},
        ("InvalidConfigurationRequest", "Bucket is unavailable for access log")),
    "a number of letters": (
        "ModifyLoadBalancerAttributes",
        {ATTRIBUTES + "ConnectionSettings.IdleTimeout": "a"},
        ("ValidationError", "Request is not valid.")),
    "a boolean of letters": (
        "ModifyLoadBalancerAttributes", {ATTRIBUTES + "ConnectionDraining.Enabled": "a"},
        ("ValidationError", "Request is not valid.")),
    "a log interval": (
        "ModifyLoadBalancerAttributes", {ATTRIBUTES + "AccessLog.EmitInterval": "7"},
        ("InvalidParameterValue", "PublicationInterval is 7, but must be 5 or 60 minutes.")),
}  # fmt: skip


@pytest.mark.parametrize(("action", "form", "error"), REFUSALS.values(), ids=REFUSALS)
def test_what_is_wrong_is_refused(place, action, form, error):
    place.active()
    taken = {**PROXY, "PolicyName": "taken"}
    do(place, "CreateLoadBalancerPolicy", LoadBalancerName="lb", **taken)
    before = place.cloud.store(place.cloud.region).dump()
    assert refused(place, action, **{"LoadBalancerName": "lb", **form}) == (400, *error)
    assert place.cloud.store(place.cloud.region).dump() == before


def test_the_load_balancers_of_another_account_are_unknown(place):
    place.active()
    result = ask(place, "DescribeLoadBalancers", account=OTHER)[1]
    assert texts(result, ".//LoadBalancerDescriptions/member") == []
    form = {"account": OTHER, "LoadBalancerName": "lb"}
    assert refused(place, "DescribeLoadBalancerAttributes", **form)[1] == "LoadBalancerNotFound"


@pytest.mark.parametrize("text", ["<a>&", "\x00\x1f\ud800\ufffe"])
def test_any_text_is_written(place, text):
    status, code, message = refused(place, text)
    assert (status, code) == (400, "InvalidAction")
    assert len(message) == len("Action is not valid for this web service: ") + len(text)


@pytest.mark.parametrize(
    ("code", "is_signed", "expected"),
    [
        (1, False, (401, "AuthFailure")),
        (1, True, (403, "SignatureDoesNotMatch")),
        (4120, True, (401, "AuthFailure")),
        (5, True, (403, "AccessDenied")),
        (24, True, (503, "Throttling")),
        (2000, True, (500, "InternalFailure")),
    ],
)
def test_the_door_turns_away_in_xml(place, code, is_signed, expected):
    status, body = lbu.refuse(place.cloud, errors.refusal(code), is_signed=is_signed)
    root = ET.fromstring(body)  # noqa: S314 - our own answer
    assert (status, root.findtext(f"{NAMESPACE}Error/{NAMESPACE}Code")) == expected
    assert root.findtext(f"{NAMESPACE}RequestId")


# A service of type LoadBalancer, call by call, as the cloud controller manager makes them.


LISTENER = {**TCP, "BackendPort": 30080, "BackendProtocol": "TCP", "LoadBalancerPort": 80}
CHECK = {
    "CheckInterval": 10,
    "HealthyThreshold": 2,
    "Port": 30080,
    "Protocol": "TCP",
    "Timeout": 5,
    "UnhealthyThreshold": 3,
}


def come(place, node):
    """Create the load balancer of a service, and set it up at once, while it is provisioning."""
    cloud = place.cloud
    group = cloud.call(
        "CreateSecurityGroup", SecurityGroupName="k8s-elb-lb", Description="lb", NetId=place.net
    )["SecurityGroup"]["SecurityGroupId"]
    pool = cloud.call("CreatePublicIp")["PublicIp"]["PublicIp"]
    tags = [{"Key": "OscK8sClusterID/a", "Value": "owned"}]
    created = place.create("lb", LISTENER, SecurityGroups=[group], PublicIp=pool, Tags=tags)
    assert created["PublicIp"] == pool
    result = do(place, "DescribeLoadBalancers", **{"LoadBalancerNames.member.1": "lb"})
    assert texts(result, ".//ListenerDescriptions/member/PolicyNames/member") == []
    name = {"LoadBalancerName": "lb"}
    proxy = {**PROXY, "PolicyAttributes.member.1.AttributeName": "ProxyProtocol"}
    do(place, "CreateLoadBalancerPolicy", **name, **proxy)
    backend = {"InstancePort": "30080", "PolicyNames.member.1": "proxy"}
    do(place, "SetLoadBalancerPoliciesForBackendServer", **name, **backend)
    do(place, "DescribeLoadBalancerAttributes", **name)
    idle = {ATTRIBUTES + "ConnectionSettings.IdleTimeout": "120"}
    do(place, "ModifyLoadBalancerAttributes", **name, **idle)
    place.update(HealthCheck=CHECK)
    cloud.call("RegisterVmsInLoadBalancer", **name, BackendVmIds=[node])
    cloud.call("CreateSecurityGroupRule", **inbound(place, group))
    return group


def inbound(place, group):
    """Make the rule that lets the traffic of the load balancer reach the nodes."""
    node_group = place.cloud.call("ReadVms")["Vms"][0]["SecurityGroups"][0]["SecurityGroupId"]
    rule = {
        "IpProtocol": "tcp",
        "FromPortRange": 30080,
        "ToPortRange": 30080,
        "SecurityGroupsMembers": [{"SecurityGroupId": group}],
    }
    return {"SecurityGroupId": node_group, "Flow": "Inbound", "Rules": [rule]}


def test_a_service_gets_a_load_balancer_that_works(place):
    node = place.running_vm()
    come(place, node)
    place.cloud.clock.advance(60)
    shown = place.read()
    assert shown["State"] == "active"
    assert shown["HealthCheck"] == CHECK
    assert shown["Listeners"][0]["PolicyNames"] == ["proxy"]
    health = place.cloud.call("ReadVmsHealth", LoadBalancerName="lb")["BackendVmHealth"]
    assert health == [{"State": "UP", "VmId": node}]


def test_a_service_may_change_its_port(place):
    come(place, place.running_vm())
    name = {"LoadBalancerName": "lb"}
    backend = {"InstancePort": "30080", "PolicyNames": ""}
    do(place, "SetLoadBalancerPoliciesForBackendServer", **name, **backend)
    place.cloud.call("DeleteLoadBalancerListeners", **name, LoadBalancerPorts=[80])
    fresh = {**LISTENER, "LoadBalancerPort": 443, "BackendPort": 30443}
    place.cloud.call("CreateLoadBalancerListeners", **name, Listeners=[fresh])
    assert [each["LoadBalancerPort"] for each in place.read()["Listeners"]] == [443]


def test_a_service_that_goes_leaves_nothing_behind(place):
    cloud = place.cloud
    node = place.running_vm()
    group = come(place, node)
    cloud.call("DeregisterVmsInLoadBalancer", LoadBalancerName="lb", BackendVmIds=[node])
    cloud.call("DeleteLoadBalancer", LoadBalancerName="lb")
    cloud.call("DeleteSecurityGroupRule", **inbound(place, group))
    cloud.call("DeleteSecurityGroup", SecurityGroupId=group)
    cloud.clock.advance(60)
    assert place.read() is None
