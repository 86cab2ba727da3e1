"""The metadata service: what a VM reads about itself."""

import base64
import zlib

import pytest

from fakecloud import metadata
from fakecloud.cloud import FakeCloud

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEeJ6wBhGN1HqJXgpWjZ5mZBJLqKmJ1cTjSNeQeVGVVl"
SECTION = b"""-----BEGIN OUTSCALE SECTION-----
filter_private_section=true
tags.OscK8sNodeName=node-1
tags.OscK8sClusterID/abc=owned
-----END OUTSCALE SECTION-----
"""


@pytest.fixture
def cloud():
    return FakeCloud()


def vm_of(cloud, **request):
    image = cloud.call("ReadImages")["Images"][0]["ImageId"]
    vm = cloud.call("CreateVms", ImageId=image, **request)["Vms"][0]["VmId"]
    cloud.clock.advance(60)
    return cloud.call("ReadVms", Filters={"VmIds": [vm]})["Vms"][0]


def in_net(cloud):
    net = cloud.call("CreateNet", IpRange="10.0.0.0/16")["Net"]["NetId"]
    subnet = cloud.call("CreateSubnet", NetId=net, IpRange="10.0.1.0/24")["Subnet"]
    return subnet["SubnetId"]


def get(cloud, vm, path):
    status, text = metadata.answer(cloud, vm["VmId"], "/latest/" + path)
    return text if status == 200 else status


def test_what_official_clients_ask_for_is_there(cloud):
    # goutils sdk/metadata asks for the first two; the CSI driver for all three.
    vm = vm_of(cloud)
    assert get(cloud, vm, "meta-data/instance-id") == vm["VmId"]
    assert get(cloud, vm, "meta-data/placement/availability-zone") == "eu-west-2a"
    assert get(cloud, vm, "meta-data/instance-type") == vm["VmType"]


def test_a_vm_in_a_net_reads_its_network(cloud):
    vm = vm_of(cloud, SubnetId=in_net(cloud))
    nic = vm["Nics"][0]
    mac = get(cloud, vm, "meta-data/mac")
    assert mac == nic["MacAddress"]
    assert get(cloud, vm, "meta-data/network/interfaces/macs/") == f"{mac}/"
    base = f"meta-data/network/interfaces/macs/{mac}/"
    expected = {
        "device-number": "0",
        "gateway-ipv4": "10.0.1.1",
        "interface-id": nic["NicId"],
        "local-hostname": vm["PrivateDnsName"],
        "local-ipv4s": vm["PrivateIp"],
        "mac": mac,
        "owner-id": cloud.account,
        "security-group-ids": vm["SecurityGroups"][0]["SecurityGroupId"],
        "security-groups": "default",
        "subnet-id": vm["SubnetId"],
        "subnet-ipv4-cidr-block": "10.0.1.0/24",
        "vpc-id": vm["NetId"],
        "vpc-ipv4-cidr-block": "10.0.0.0/16",
    }
    assert {name: get(cloud, vm, base + name) for name in expected} == expected
    assert sorted(get(cloud, vm, base).split("\n")) == sorted(expected)
    assert get(cloud, vm, "meta-data/public-ipv4") == 404


def test_a_vm_in_the_public_cloud_reads_its_public_ip(cloud):
    vm = vm_of(cloud)
    assert get(cloud, vm, "meta-data/public-ipv4") == vm["PublicIp"]
    assert get(cloud, vm, "meta-data/public-hostname") == vm["PublicDnsName"]
    mac = get(cloud, vm, "meta-data/mac")
    ips = get(cloud, vm, f"meta-data/network/interfaces/macs/{mac}/local-ipv4s")
    assert ips == vm["PrivateIp"]


def test_devices_are_numbered_after_the_root(cloud):
    vm = vm_of(cloud, BlockDeviceMappings=[{"DeviceName": "/dev/sdb", "Bsu": {"VolumeSize": 1}}])
    base = "meta-data/block-device-mapping/"
    assert get(cloud, vm, base) == "ami\nebs1\nroot"
    assert [get(cloud, vm, base + name) for name in ("ami", "root", "ebs1")] == [
        "/dev/sda1", "/dev/sda1", "/dev/sdb"
    ]  # fmt: skip


def test_directories_are_listed_with_a_slash(cloud):
    vm = vm_of(cloud)
    assert metadata.answer(cloud, vm["VmId"], "/")[1].split("\n")[-1] == "latest"
    assert get(cloud, vm, "") == "meta-data/"
    listing = get(cloud, vm, "meta-data/").split("\n")
    assert listing == sorted(listing)
    assert {"ami-id", "block-device-mapping/", "network/", "placement/"} <= set(listing)
    assert get(cloud, vm, "meta-data/placement") == "availability-zone\ncluster\nserver"
    for path in ("meta-data/ami-id", "meta-data/ami-launch-index", "meta-data/hostname",
                 "meta-data/local-hostname", "meta-data/local-ipv4", "meta-data/reservation-id",
                 "meta-data/security-groups", "meta-data/placement/cluster",
                 "meta-data/placement/server"):  # fmt: skip
        assert get(cloud, vm, path), path


def test_the_public_key_is_that_of_the_keypair(cloud):
    cloud.call("CreateKeypair", KeypairName="mine", PublicKey=KEY)
    vm = vm_of(cloud, KeypairName="mine")
    assert get(cloud, vm, "meta-data/public-keys") == "0=mine"
    assert get(cloud, vm, "meta-data/public-keys/0/") == "openssh-key"
    assert get(cloud, vm, "meta-data/public-keys/0/openssh-key") == f"{KEY} mine"
    assert get(cloud, vm_of(cloud), "meta-data/public-keys") == 404


def test_a_private_section_sets_tags_and_is_hidden(cloud):
    script = b"#!/bin/sh\necho hello\n"
    vm = vm_of(cloud, UserData=base64.b64encode(SECTION + script).decode())
    assert get(cloud, vm, "user-data") == script.decode()
    assert get(cloud, vm, "meta-data/tags/OscK8sNodeName") == "node-1"
    assert get(cloud, vm, "meta-data/tags/OscK8sClusterID/abc") == "owned"
    assert get(cloud, vm, "meta-data/tags/OscK8sClusterID%2Fabc") == "owned"
    assert get(cloud, vm, "meta-data/tags/other") == 404
    assert get(cloud, vm, "meta-data/tags/") == "OscK8sNodeName\nOscK8sClusterID/abc"


def test_user_data_that_is_no_text_keeps_its_bytes(cloud):
    raw = zlib.compress(b"#cloud-config\n")
    vm = vm_of(cloud, UserData=base64.b64encode(raw).decode())
    assert get(cloud, vm, "user-data").encode("utf-8", "surrogateescape") == raw


@pytest.mark.parametrize(
    "path",
    ["nothing", "meta-data/nothing", "meta-data/ami-id/more", "user-data", "meta-data/tags"],
)
def test_what_a_vm_has_not_is_not_found(cloud, path):
    assert get(cloud, vm_of(cloud), path) == 404


def test_a_vm_that_is_gone_reads_nothing(cloud):
    vm = vm_of(cloud)
    cloud.call("DeleteVms", VmIds=[vm["VmId"]])
    cloud.clock.advance(60)
    assert get(cloud, vm, "meta-data/instance-id") == 404
    assert metadata.answer(cloud, "i-99999999", "/latest/meta-data/instance-id") == (404, "")
    assert metadata.answer(cloud, vm["VmId"], "/2001-01-01/meta-data/") == (404, "")


def test_asking_changes_nothing(cloud):
    vm = vm_of(cloud, SubnetId=in_net(cloud))
    before = cloud.state()
    get(cloud, vm, "meta-data/")
    assert cloud.state() == before
