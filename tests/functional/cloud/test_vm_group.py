"""VM templates and VM groups: VMs that come and go together."""

import pytest

from fakecloud.cloud import FakeCloud
from fakecloud.errors import ApiError


@pytest.fixture
def cloud():
    return FakeCloud()


@pytest.fixture
def image(cloud):
    return cloud.call("ReadImages")["Images"][0]["ImageId"]


@pytest.fixture
def template(cloud, image):
    return template_of(cloud, image)["VmTemplateId"]


@pytest.fixture
def net(cloud):
    net = cloud.call("CreateNet", IpRange="10.0.0.0/16")["Net"]["NetId"]
    subnet = cloud.call("CreateSubnet", NetId=net, IpRange="10.0.0.0/24")["Subnet"]["SubnetId"]
    groups = cloud.call("ReadSecurityGroups", Filters={"NetIds": [net]})["SecurityGroups"]
    return {"SubnetId": subnet, "SecurityGroupIds": [groups[0]["SecurityGroupId"]]}


def template_of(cloud, image, **request):
    request = {
        "CpuCores": 2,
        "CpuGeneration": "v5",
        "ImageId": image,
        "Ram": 4,
        "VmTemplateName": "collector",
        **request,
    }
    return cloud.call("CreateVmTemplate", **request)["VmTemplate"]


def group_of(cloud, template, net, count=2, **request):
    made = cloud.call(
        "CreateVmGroup",
        VmGroupName="logs",
        VmTemplateId=template,
        VmCount=count,
        **net,
        **request,
    )["VmGroup"]
    assert made["State"] == "pending"
    cloud.clock.advance(60)
    return made["VmGroupId"]


def shown(cloud, group):
    found = cloud.call("ReadVmGroups", Filters={"VmGroupIds": [group]})["VmGroups"]
    return found[0] if found else None


def vms_of(cloud, group):
    filters = {"VmIds": shown(cloud, group)["VmIds"]}
    return cloud.call("ReadVms", Filters=filters)["Vms"]


def refused(cloud, code, action, **request):
    with pytest.raises(ApiError) as error:
        cloud.call(action, **request)
    assert error.value.code == str(code)


def test_a_template_has_defaults(cloud, image):
    made = template_of(cloud, image)
    assert made == {
        "CpuCores": 2,
        "CpuGeneration": "v5",
        "CpuPerformance": "high",
        "CreationDate": "2026-01-01T00:00:00.000Z",
        "Description": "",
        "ImageId": image,
        "Ram": 4,
        "Tags": [],
        "VmTemplateId": made["VmTemplateId"],
        "VmTemplateName": "collector",
    }


@pytest.mark.parametrize(
    ("code", "request_"),
    [
        (4047, {"CpuGeneration": "5"}),
        (4047, {"CpuCores": 0}),
        (4047, {"Ram": 0}),
        (4047, {"CpuPerformance": "best"}),
        (5071, {"KeypairName": "none"}),
        (5023, {"ImageId": "ami-99999999"}),
    ],
)
def test_an_impossible_template_is_refused(cloud, image, code, request_):
    with pytest.raises(ApiError) as error:
        template_of(cloud, image, **request_)
    assert error.value.code == str(code)


def test_there_are_at_most_fifty_templates(cloud, image):
    for _ in range(50):
        template_of(cloud, image)
    with pytest.raises(ApiError, match="10010"):
        template_of(cloud, image)


def test_a_group_makes_its_vms_from_its_template(cloud, template, net):
    group = group_of(cloud, template, net)
    after = shown(cloud, group)
    assert (after["State"], after["VmCount"], len(after["VmIds"])) == ("available", 2, 2)
    for vm in vms_of(cloud, group):
        assert (vm["VmType"], vm["State"]) == ("tinav5.c2r4p2", "running")
        assert vm["SubnetId"] == net["SubnetId"]


@pytest.mark.parametrize(("strategy", "servers"), [("repulse", 3), ("attract", 1)])
def test_a_strategy_places_the_vms(cloud, template, net, strategy, servers):
    group = group_of(cloud, template, net, 3, PositioningStrategy=strategy)
    store = cloud.store(cloud.region)
    rows = [store.row("Vm", vm_id) for vm_id in shown(cloud, group)["VmIds"]]
    assert len({row["_Server"] for row in rows}) == servers


def test_a_group_grows_with_its_new_template_and_shrinks_from_the_oldest(
    cloud, template, net, image
):
    group = group_of(cloud, template, net)
    first, second = shown(cloud, group)["VmIds"]
    bigger = template_of(cloud, image, CpuCores=8)["VmTemplateId"]
    answer = cloud.call("UpdateVmGroup", VmGroupId=group, VmTemplateId=bigger, Description="more")
    assert answer["VmGroup"]["Description"] == "more"
    cloud.call("ScaleUpVmGroup", VmGroupId=group, VmAddition=1)
    assert shown(cloud, group)["State"] == "scaling up"
    refused(cloud, 6003, "ScaleDownVmGroup", VmGroupId=group, VmSubtraction=1)
    cloud.clock.advance(60)
    types = [vm["VmType"] for vm in vms_of(cloud, group)]
    assert types == ["tinav5.c2r4p2", "tinav5.c2r4p2", "tinav5.c8r4p2"]
    cloud.call("ScaleDownVmGroup", VmGroupId=group, VmSubtraction=2)
    assert shown(cloud, group)["State"] == "scaling down"
    cloud.clock.advance(60)
    after = shown(cloud, group)
    assert (after["State"], after["VmCount"], len(after["VmIds"])) == ("available", 1, 1)
    assert not {first, second} & set(after["VmIds"])
    refused(cloud, 4047, "ScaleDownVmGroup", VmGroupId=group, VmSubtraction=2)
    refused(cloud, 4047, "ScaleUpVmGroup", VmGroupId=group, VmAddition=0)


def test_a_vm_that_somebody_deletes_leaves_its_group(cloud, template, net):
    group = group_of(cloud, template, net)
    first, second = shown(cloud, group)["VmIds"]
    cloud.call("DeleteVms", VmIds=[first])
    cloud.clock.advance(60)
    assert shown(cloud, group)["VmIds"] == [second]


def test_a_template_is_held_by_its_groups(cloud, template, net):
    group = group_of(cloud, template, net, 1)
    (vm,) = shown(cloud, group)["VmIds"]
    refused(cloud, 9002, "DeleteVmTemplate", VmTemplateId=template)
    cloud.call("DeleteVmGroup", VmGroupId=group)
    assert shown(cloud, group)["State"] == "deleting"
    cloud.clock.advance(20)
    assert shown(cloud, group)["State"] == "deleted"
    (state,) = cloud.call("ReadVms", Filters={"VmIds": [vm]})["Vms"]
    assert state["State"] == "terminated"
    cloud.call("DeleteVmTemplate", VmTemplateId=template)
    cloud.clock.advance(60)
    assert shown(cloud, group) is None


def test_a_group_that_cannot_be_made_leaves_nothing(cloud, template, net):
    with pytest.raises(ApiError):
        group_of(cloud, template, {**net, "SecurityGroupIds": ["sg-99999999"]})
    with pytest.raises(ApiError):
        group_of(cloud, template, net, 100_000)
    assert cloud.call("ReadVmGroups")["VmGroups"] == []
    assert cloud.call("ReadVms")["Vms"] == []


def test_an_update_changes_what_it_names(cloud, template):
    tags = [{"Key": "env", "Value": "test"}]
    answer = cloud.call("UpdateVmTemplate", VmTemplateId=template, Tags=tags, VmTemplateName="new")
    assert answer["VmTemplate"]["VmTemplateName"] == "new"
    assert answer["VmTemplate"]["Description"] == ""
    for name, value in {
        "CpuCores": 2, "CpuGenerations": "v5", "CpuPerformances": "high", "Descriptions": "",
        "Rams": 4, "TagKeys": "env", "TagValues": "test", "Tags": "env=test",
        "VmTemplateIds": template, "VmTemplateNames": "n*",
    }.items():  # fmt: skip
        found = cloud.call("ReadVmTemplates", Filters={name: [value]})["VmTemplates"]
        assert [each["VmTemplateId"] for each in found] == [template], name
    assert cloud.call("ReadVmTemplates", Filters={"CpuCores": [3]})["VmTemplates"] == []
