"""The LBU gateway: what the cloud controller manager calls with the AWS client."""

import base64
import xml.etree.ElementTree as ET

import pytest

from fakecloud import lbu
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
    status, body = lbu.answer(cloud, form, account or cloud.account, cloud.region)
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
            "1 validation error detected: Value '-1' at 'pageSize' failed to satisfy constraint: "
            "Member must have value greater than or equal to 1",
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
        ("InvalidParameterValue", "Value of parameter 'PolicyTypeName' is not valid: foo. "
         "Supported values: ProxyProtocolPolicyType")),
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


def test_text_is_escaped(place):
    status, code, message = refused(place, "<a>&")
    assert (status, code) == (400, "InvalidAction")
    assert message.endswith("<a>&")


def test_the_cloud_controller_manager_gets_what_it_needs(place):
    """A service of type LoadBalancer comes, changes and goes, call by call."""
    cloud = place.cloud
    node = place.running_vm()
    node_group = cloud.call("ReadVms")["Vms"][0]["SecurityGroups"][0]["SecurityGroupId"]
    group = cloud.call(
        "CreateSecurityGroup", SecurityGroupName="k8s-elb-lb", Description="lb", NetId=place.net
    )["SecurityGroup"]["SecurityGroupId"]
    pool = cloud.call("CreatePublicIp")["PublicIp"]["PublicIp"]
    tags = [{"Key": "OscK8sClusterID/a", "Value": "owned"}]
    listener = {**TCP, "BackendPort": 30080, "BackendProtocol": "TCP", "LoadBalancerPort": 80}
    assert place.read() is None
    created = place.create("lb", listener, SecurityGroups=[group], PublicIp=pool, Tags=tags)
    assert created["PublicIp"] == pool

    # Right after that, while it is provisioning:
    name = {"LoadBalancerNames.member.1": "lb"}
    result = do(place, "DescribeLoadBalancers", **name)
    assert texts(result, ".//ListenerDescriptions/member/PolicyNames/member") == []
    proxy = {**PROXY, "PolicyAttributes.member.1.AttributeName": "ProxyProtocol"}
    do(place, "CreateLoadBalancerPolicy", LoadBalancerName="lb", **proxy)
    do(
        place,
        "SetLoadBalancerPoliciesForBackendServer",
        LoadBalancerName="lb",
        InstancePort="30080",
        **{"PolicyNames.member.1": "proxy"},
    )
    do(place, "DescribeLoadBalancerAttributes", LoadBalancerName="lb")
    idle = {ATTRIBUTES + "ConnectionSettings.IdleTimeout": "120"}
    do(place, "ModifyLoadBalancerAttributes", LoadBalancerName="lb", **idle)
    check = {"CheckInterval": 10, "HealthyThreshold": 2, "Port": 30080, "Protocol": "TCP",
             "Timeout": 5, "UnhealthyThreshold": 3}  # fmt: skip
    place.update(HealthCheck=check)
    cloud.call("RegisterVmsInLoadBalancer", LoadBalancerName="lb", BackendVmIds=[node])
    rule = {"IpProtocol": "tcp", "FromPortRange": 30080, "ToPortRange": 30080,
            "SecurityGroupsMembers": [{"SecurityGroupId": group}]}  # fmt: skip
    inbound = {"SecurityGroupId": node_group, "Flow": "Inbound", "Rules": [rule]}
    cloud.call("CreateSecurityGroupRule", **inbound)
    cloud.clock.advance(60)
    shown = place.read()
    assert shown["State"] == "active"
    assert shown["Listeners"][0]["PolicyNames"] == ["proxy"]
    assert cloud.call("ReadVmsHealth", LoadBalancerName="lb")["BackendVmHealth"] == [
        {"State": "UP", "VmId": node}
    ]

    # Another port:
    form = {"LoadBalancerName": "lb", "InstancePort": "30080", "PolicyNames": ""}
    do(place, "SetLoadBalancerPoliciesForBackendServer", **form)
    gone = {"LoadBalancerName": "lb", "LoadBalancerPorts": [80]}
    cloud.call("DeleteLoadBalancerListeners", **gone)
    fresh = {**listener, "LoadBalancerPort": 443, "BackendPort": 30443}
    cloud.call("CreateLoadBalancerListeners", LoadBalancerName="lb", Listeners=[fresh])
    assert [each["LoadBalancerPort"] for each in place.read()["Listeners"]] == [443]

    # The service goes:
    cloud.call("DeregisterVmsInLoadBalancer", LoadBalancerName="lb", BackendVmIds=[node])
    cloud.call("DeleteLoadBalancer", LoadBalancerName="lb")
    cloud.call("DeleteSecurityGroupRule", **inbound)
    cloud.call("DeleteSecurityGroup", SecurityGroupId=group)
    cloud.clock.advance(60)
    assert place.read() is None
