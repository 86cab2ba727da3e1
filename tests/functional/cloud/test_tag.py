"""Tags: set, read and taken away on resources of every kind."""

import pytest

from tests.functional.cloud import nets


@pytest.fixture
def world():
    return nets.make()


def tag(world, *ids, **tags):
    pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
    world.call("CreateTags", ResourceIds=list(ids), Tags=pairs)


def read(world, **filters):
    found = world.call("ReadTags", Filters=filters)["Tags"]
    return [(each["ResourceId"], each["Key"], each["Value"]) for each in found]


def test_a_tag_is_on_its_resource(world):
    vm = world.launch()
    tag(world, vm, world.net, role="lab")
    assert world.vm(vm)["Tags"] == [{"Key": "role", "Value": "lab"}]
    assert world.call("ReadTags")["Tags"] == [
        {"Key": "role", "ResourceId": world.net, "ResourceType": "vpc", "Value": "lab"},
        {"Key": "role", "ResourceId": vm, "ResourceType": "instance", "Value": "lab"},
    ]


def test_a_known_key_gets_the_new_value(world):
    tag(world, world.net, a="1", b="2")
    tag(world, world.net, a="3")
    assert read(world) == [(world.net, "a", "3"), (world.net, "b", "2")]


def test_a_tag_with_a_value_goes_only_where_it_has_that_value(world):
    tag(world, world.net, a="1", b="2")
    gone = [{"Key": "a", "Value": "other"}, {"Key": "c", "Value": "1"}]
    world.call("DeleteTags", ResourceIds=[world.net, world.subnet], Tags=gone)
    assert len(read(world)) == 2
    world.call("DeleteTags", ResourceIds=[world.net], Tags=[{"Key": "a", "Value": "1"}])
    assert read(world) == [(world.net, "b", "2")]
    world.call("DeleteTags", ResourceIds=[world.net], Tags=[{"Key": "b", "Value": ""}])
    assert read(world) == []


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"Keys": ["a"]}, ["net a", "subnet a"]),
        ({"Values": ["1"]}, ["net a", "subnet b"]),
        ({"Keys": ["a"], "Values": ["1"]}, ["net a"]),
        ({"Keys": ["a", "b"], "ResourceTypes": ["subnet"]}, ["subnet a", "subnet b"]),
        ({"Keys": ["?"], "Values": ["2*"]}, ["subnet a"]),
        ({"ResourceTypes": ["volume"]}, []),
        ({"Keys": ["c"]}, []),
    ],
)
def test_filters_find_tags(world, filters, found):
    tag(world, world.net, a="1")
    tag(world, world.subnet, a="2", b="1")
    names = {world.net: "net", world.subnet: "subnet"}
    assert [f"{names[id_]} {key}" for id_, key, _ in read(world, **filters)] == found


def test_tags_are_found_by_resource(world):
    tag(world, world.net, world.subnet, a="1")
    assert read(world, ResourceIds=[world.subnet]) == [(world.subnet, "a", "1")]
    assert read(world, ResourceIds=["subnet-12345678", "toto"]) == []
    assert read(world, ResourceIds=[world.net], ResourceTypes=["subnet"]) == []


def test_tags_come_in_pages(world):
    tag(world, world.net, a="1", b="2", c="3")
    one = world.call("ReadTags", ResultsPerPage=2)
    two = world.call("ReadTags", ResultsPerPage=2, NextPageToken=one["NextPageToken"])
    assert [each["Key"] for each in one["Tags"] + two["Tags"]] == ["a", "b", "c"]
    assert "NextPageToken" not in two


@pytest.mark.parametrize(
    ("code", "request_"),
    [
        (7000, {"ResourceIds": []}),
        (7000, {"Tags": []}),
        (4025, {"ResourceIds": ["toto"]}),
        (4105, {"ResourceIds": ["vpc-1234567"]}),
        (5063, {"ResourceIds": ["i-12345678"]}),
        (5065, {"ResourceIds": ["vpc-12345678"]}),
        (4069, {"Tags": [{"Key": "", "Value": "1"}]}),
        (4069, {"Tags": [{"Key": "a" * 256, "Value": "1"}]}),
    ],
)
@pytest.mark.parametrize("action", ["CreateTags", "DeleteTags"])
def test_what_does_not_fit_is_refused(world, action, code, request_):
    whole = {"ResourceIds": [world.net], "Tags": [{"Key": "a", "Value": "1"}]}
    world.refused(code, action, **{**whole, **request_})


def test_a_value_has_a_longest_length(world):
    tag(world, world.net, a="1" * 255)
    pairs = [{"Key": "a", "Value": "1" * 256}]
    world.refused(4071, "CreateTags", ResourceIds=[world.net], Tags=pairs)


def test_one_unknown_resource_spares_the_others(world):
    pairs = [{"Key": "a", "Value": "1"}]
    world.refused(5057, "CreateTags", ResourceIds=[world.net, "subnet-12345678"], Tags=pairs)
    assert read(world) == []


def test_a_resource_has_a_most_of_tags(world):
    tag(world, world.net, **{f"k{number}": "" for number in range(50)})
    pairs = [{"Key": "one more", "Value": ""}]
    world.refused(10041, "CreateTags", ResourceIds=[world.net], Tags=pairs)


def test_another_account_has_other_tags(world):
    tag(world, world.net, a="1")
    assert world.call("ReadTags", account=nets.OTHER)["Tags"] == []
    pairs = [{"Key": "a", "Value": "1"}]
    request = {"ResourceIds": [world.net], "Tags": pairs, "account": nets.OTHER}
    world.refused(5044, "DeleteTags", **request)


def test_a_terminated_vm_has_no_tags_to_find(world):
    vm = world.launch()
    tag(world, vm, a="1")
    world.call("DeleteVms", VmIds=[vm])
    world.wait(nets.UNTIL_TERMINATED_S)
    assert read(world) == []
    world.refused(5063, "CreateTags", ResourceIds=[vm], Tags=[{"Key": "a", "Value": "1"}])


@pytest.mark.parametrize(
    ("action", "answer", "request_"),
    [
        ("CreatePublicIp", "PublicIp", {}),
        ("CreateInternetService", "InternetService", {}),
        ("CreateVolume", "Volume", {"SubregionName": "eu-west-2a", "Size": 1}),
    ],
)
def test_every_kind_takes_tags(world, action, answer, request_):
    made = world.call(action, **request_)[answer]
    id_ = made[f"{answer}Id"]
    tag(world, id_, a="1")
    assert read(world, ResourceIds=[id_]) == [(id_, "a", "1")]
