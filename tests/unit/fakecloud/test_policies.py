"""EIM policies: which documents are refused, and what the others allow."""

import json

import pytest

from fakecloud.cloud import FakeCloud
from fakecloud.errors import ApiError
from fakecloud.rules import policies


def statement(effect="Allow", resource=("*",), **rest):
    return {"Effect": effect, "Resource": list(resource), **rest}


def document(*statements):
    return json.dumps({"Statement": list(statements)})


def allow(*actions):
    return statement(Action=list(actions))


def deny(*actions):
    return statement("Deny", Action=list(actions))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no JSON",
        "[]",
        "{}",
        '{"Statement": {}}',
        '{"Statement": []}',
        '{"statement": []}',
        document("x"),
        document({"Effect": "Allow", "Action": ["api:*"]}),
        document(statement(effect="allow", Action=["api:*"])),
        document(statement()),
        document(statement(Action=[])),
        document(statement(Action=[1])),
        document(statement(Action=["api:*"], NotAction=["api:*"])),
        document(statement(Action=["api:*"], Principal="*")),
        document(statement(Action=["api:*"], resource=["vm"])),
    ],
)
def test_what_is_no_policy_document_is_refused(text):
    with pytest.raises(ApiError) as error:
        policies.read(text)
    assert (error.value.code, error.value.type) == ("4047", "InvalidParameterValue")
    assert error.value.details.startswith("The policy document ")


def test_a_document_may_have_5120_characters_without_white_space():
    size = len(policies._SPACE.sub("", document(allow(""))))
    fits = document(allow("x" * (5120 - size))).replace(",", ", \n\t")
    policies.read(fits)
    with pytest.raises(ApiError) as error:
        policies.read(fits.replace("x", "xx", 1))
    assert error.value.code == "4106"


@pytest.mark.parametrize(
    ("statements", "allowed", "refused"),
    [
        ([allow("*")], ["CreateVms", "ReadVms"], []),
        ([allow("api:*")], ["CreateVms", "ReadVms"], []),
        ([allow("api:Read*")], ["ReadVms", "ReadNets"], ["CreateVms"]),
        ([allow("api:*Vms")], ["ReadVms", "CreateVms"], ["ReadNets"]),
        ([allow("api:ReadVms")], ["ReadVms"], ["ReadVmsState", "CreateVms"]),
        ([statement(Action="api:ReadVms")], ["ReadVms"], ["ReadNets"]),
        ([allow("api:readvms", "ec2:*", "ReadVms", "api.ReadVms")], [], ["ReadVms"]),
        ([statement(NotAction=["api:Delete*"])], ["ReadVms", "CreateVms"], ["DeleteVms"]),
        ([allow("api:*"), deny("api:Delete*")], ["ReadVms"], ["DeleteVms"]),
        ([deny("api:Delete*"), allow("api:*")], ["ReadVms"], ["DeleteVms"]),
        ([deny("api:Delete*")], [], ["ReadVms", "DeleteVms"]),
    ],
)
def test_a_policy_allows_what_it_says(statements, allowed, refused):
    cloud = FakeCloud()
    cloud.call("CreateUser", UserName="ada")
    text = document(*statements)
    cloud.call("PutUserPolicy", UserName="ada", PolicyName="p", PolicyDocument=text)
    store = cloud.store(cloud.region)
    for expected, names in ((True, allowed), (False, refused)):
        for name in names:
            assert policies.allows(store, cloud.account, "ada", f"api:{name}") is expected


def may(cloud, action="api:ReadVms", user="ada"):
    return policies.allows(cloud.store(cloud.region), cloud.account, user, action)


def test_a_policy_reaches_a_user_on_four_ways():
    cloud = FakeCloud()
    cloud.call("CreateUser", UserName="ada")
    cloud.call("CreateUserGroup", UserGroupName="admins")
    cloud.call("AddUserToUserGroup", UserGroupName="admins", UserName="ada")
    text = document(allow("api:*"))
    orn = cloud.call("CreatePolicy", PolicyName="all", Document=text)["Policy"]["Orn"]
    user, group = {"UserName": "ada"}, {"UserGroupName": "admins"}
    inline = {"PolicyName": "mine"}
    managed = {"PolicyOrn": orn}
    for give, take, rest in [
        ("PutUserPolicy", "DeleteUserPolicy", {**user, **inline}),
        ("PutUserGroupPolicy", "DeleteUserGroupPolicy", {**group, **inline}),
        ("LinkPolicy", "UnlinkPolicy", {**user, **managed}),
        ("LinkManagedPolicyToUserGroup", "UnlinkManagedPolicyFromUserGroup", {**group, **managed}),
    ]:
        assert not may(cloud)
        cloud.call(give, **rest, **({"PolicyDocument": text} if give.startswith("Put") else {}))
        assert may(cloud)
        cloud.call(take, **rest)
    assert not may(cloud)


def test_only_the_default_version_of_a_policy_counts():
    cloud = FakeCloud()
    cloud.call("CreateUser", UserName="ada")
    text = document(allow("api:Read*"))
    orn = cloud.call("CreatePolicy", PolicyName="p", Document=text)["Policy"]["Orn"]
    cloud.call("LinkPolicy", PolicyOrn=orn, UserName="ada")
    cloud.call("CreatePolicyVersion", PolicyOrn=orn, Document=document(allow("api:Create*")))
    assert (may(cloud), may(cloud, "api:CreateVms")) == (True, False)
    cloud.call("SetDefaultPolicyVersion", PolicyOrn=orn, VersionId="v2")
    assert (may(cloud), may(cloud, "api:CreateVms")) == (False, True)


def test_a_user_that_is_gone_may_do_nothing():
    cloud = FakeCloud()
    assert not may(cloud, user="nobody")


def test_a_user_of_another_account_is_somebody_else():
    cloud = FakeCloud()
    other = cloud.client(account="222222222222")
    other.CreateUser(UserName="ada")
    text = document(allow("api:*"))
    other.PutUserPolicy(UserName="ada", PolicyName="p", PolicyDocument=text)
    assert not may(cloud)
