"""Every rule about machines and identities, as a row: what is written, and what is said."""

import pytest

from provider.api import v1beta2
from provider.rules import validation

IMAGE = {"id": "ami-1234abcd"}
NAMED = {"name": "ubuntu", "accountId": "671899555720"}


def model_of(vm=None, **spec):
    """Return the spec of a machine, which is good but for what is given."""
    return v1beta2.OscMachineSpec.model_validate(
        {"vm": {"keypairName": "k", "image": IMAGE, **(vm or {})}, **spec}
    )


def machine(vm=None, **spec):
    """Return what is wrong with such a spec."""
    return [(each.path, each.message) for each in validation.problems(model_of(vm, **spec))]


def cluster(network=None, **spec):
    return v1beta2.OscClusterSpec.model_validate({"network": network or {}, **spec})


GOOD_VMS = {
    "nothing more": {},
    "a type without performance": {"vmType": "tinav5.c2r4"},
    "a type with a GPU": {"vmType": "inference7-h100.2xlarge"},
    "a type by its old name": {"vmType": "t2.small"},
    "a small io1 disk, whose IOPS fit it": {"rootDisk": {"size": 4}},
    "an image by name and owner": {"image": NAMED},
    "an image of OUTSCALE": {"image": {"name": "ubuntu", "outscaleOpenSource": True}},
    "a pool of public IPs": {"publicIp": True, "publicIpPool": "p"},
    "no repulsion": {"placement": {"repulseServer": ""}},
}

VMS = {
    "role": ({"role": "master"}, "role", '"master" is not known.'),
    "type": ({"vmType": "tinav7.c4r8p4"}, "vmType", '"tinav7.c4r8p4" is no type of VM.'),
    "keypair": ({"keypairName": ""}, "keypairName", "No keypair is given."),
    "no image": ({"image": {}}, "image", "No image is given."),
    "two images": (
        {"image": {"id": "ami-1", **NAMED}},
        "image",
        "id is ami-1 and name is ubuntu. Keep one of the two.",
    ),
    "image of two owners": (
        {"image": {**NAMED, "outscaleOpenSource": True}},
        "image.accountId",
        "outscaleOpenSource means another account",
    ),
    "owner of an image": (
        {"image": {"name": "ubuntu", "accountId": "me"}},
        "image.accountId",
        '"me" is no account id.',
    ),
    "id of an image": ({"image": {"id": "ubuntu"}}, "image.id", "is no id of an image"),
    "type of the root disk": (
        {"rootDisk": {"type": "gp3"}},
        "rootDisk.type",
        '"gp3" is not known. Did you mean "gp2"?',
    ),
    "size of the root disk": (
        {"rootDisk": {"type": "gp2", "size": 20000}},
        "rootDisk.size",
        "20000 is not between 1 and 14901",
    ),
    "IOPS that are too many": (
        {"rootDisk": {"size": 100, "iops": 13001}},
        "rootDisk.iops",
        "13001 is not between 1 and 13000",
    ),
    "IOPS that are too many for the size": (
        {"rootDisk": {"size": 4, "iops": 1500}},
        "rootDisk.iops",
        "1500 IOPS are too many for 4 GiB. Use 1200 at most (300 per GiB), or a size of 5 GiB",
    ),
    "subregion": ({"subregions": ["a"]}, "subregions[0]", "is no subregion"),
    "mode": ({"subregionMode": "first"}, "subregionMode", '"first" is not known.'),
    "address": ({"privateIps": ["10.0.0.256"]}, "privateIps[0]", "is no IPv4 address"),
    "address twice": (
        {"privateIps": ["10.0.0.4", "10.0.0.4"]},
        "privateIps[1]",
        "stands in spec.vm.privateIps[0] already",
    ),
    "security group twice": (
        {"securityGroupNames": ["a", "a"]},
        "securityGroupNames[1]",
        "already",
    ),
    "together and apart": (
        {"placement": {"repulseServer": "a", "attractServer": "b"}},
        "placement",
        "Keep one of the two.",
    ),
    "id of a VM": ({"resourceId": "vm-1"}, "resourceId", "is no id of a VM"),
    "long tag": ({"tags": {"k": "v" * 256}}, "tags[k]", "The key has 1 characters, the value 256."),
    "tag of two lines": ({"tags": {"k": "a\nb"}}, "tags[k]", "nor value has a line break"),
    "tag with an equals sign": ({"tags": {"a=b": "c"}}, "tags[a=b]", "has no '='"),
    "tag without a name": ({"tags": {"tags.": "c"}}, "tags", "A tag has no name."),
    "tag of the provider, as in user data": (
        {"tags": {"tags.OscK8sMachine": "other"}},
        "tags[tags.OscK8sMachine]",
        "OscK8sMachine is set by the provider",
    ),
    "tag of the provider": (
        {"tags": {"OscK8sClusterID/x": "owned"}},
        "tags[OscK8sClusterID/x]",
        "is set by the provider",
    ),
    "GPU of a control plane": (
        {"role": "controlplane", "flexibleGpu": {"model": "nvidia-h100"}},
        "flexibleGpu",
        "A control plane has no use for a GPU",
    ),
}

VOLUMES = {
    "device": ({"device": "xvdb"}, "device", "is no device of a volume"),
    "root device": ({"device": "/dev/sda1"}, "device", "is the root volume"),
    "no size": ({"size": 0}, "size", "0 is not between 1 and 14901"),
    "type": ({"type": "ssd"}, "type", "is not known"),
    "io1 without IOPS": ({"type": "io1"}, "iops", "An io1 volume needs iops."),
    "IOPS that are too many": ({"type": "io1", "iops": 3001}, "iops", "too many for 10 GiB"),
    "snapshot": ({"fromSnapshot": "vol-1"}, "fromSnapshot", "is no id of a snapshot"),
}


@pytest.mark.parametrize("vm", GOOD_VMS.values(), ids=GOOD_VMS)
def test_a_good_vm_has_no_problem(vm):
    assert machine(vm) == []


@pytest.mark.parametrize(("vm", "path", "message"), VMS.values(), ids=VMS)
def test_a_problem_of_a_vm_is_the_only_one_and_says_where_it_stands(vm, path, message):
    [(found, text)] = machine(vm)
    assert found == f"spec.vm.{path}"
    assert message in text


def test_a_volume_may_have_the_size_of_its_snapshot():
    assert machine(volumes=[{"device": "/dev/xvdb", "fromSnapshot": "snap-1234abcd"}]) == []


@pytest.mark.parametrize(("volume", "path", "message"), VOLUMES.values(), ids=VOLUMES)
def test_a_problem_of_a_volume_is_the_only_one_and_says_where_it_stands(volume, path, message):
    [(found, text)] = machine(volumes=[{"device": "/dev/xvdb", "size": 10, **volume}])
    assert found == f"spec.volumes[0].{path}"
    assert message in text


def test_one_device_is_not_given_twice():
    [(path, text)] = machine(
        volumes=[{"device": "/dev/xvdb", "size": 1}, {"device": "/dev/sdb", "size": 1}]
    )
    assert path == "spec.volumes[1].device"
    assert "is taken by /dev/xvdb already" in text


def test_a_provider_id_names_a_vm():
    assert machine(providerID="aws:///eu-west-2a/i-1234abcd") == []
    [(path, text)] = machine(providerID="vm")
    assert path == "spec.providerID"
    assert text == '"vm" names no VM. Leave it out: it is set when the VM exists.'


def test_all_problems_are_said_at_once():
    assert len(machine({"role": "x", "vmType": "y", "subregions": ["z"]})) == 3


def test_paths_begin_where_the_spec_stands():
    model = v1beta2.OscMachineSpec.model_validate({"vm": {"keypairName": "k"}})
    [problem] = validation.problems(model, "spec.template.spec")
    assert problem.path == "spec.template.spec.vm.image"


class TestClusterBesideItsNetwork:
    @pytest.mark.parametrize(
        ("spec", "path", "message"),
        [
            (
                {"controlPlaneEndpoint": {"host": "h"}},
                "spec.controlPlaneEndpoint",
                'host is "h" and port is 0. Set both, or leave both out.',
            ),
            (
                {"controlPlaneEndpoint": {"host": "h", "port": 70000}},
                "spec.controlPlaneEndpoint.port",
                "70000 is not between 0 and 65535. Choose one that is.",
            ),
            (
                {"credentials": {"fromSecret": "s", "identityRef": {"name": "i"}}},
                "spec.credentials",
                "identityRef is i, and there is also a Secret or a file. Keep one of them.",
            ),
        ],
    )
    def test_a_problem_is_said_in_words(self, spec, path, message):
        [problem] = validation.problems(cluster(**spec))
        assert (problem.path, problem.message) == (path, message)

    @pytest.mark.parametrize(
        ("network", "spec", "start"),
        [
            (
                {"disable": ["loadbalancer"]},
                {},
                "spec.controlPlaneEndpoint: It is not set, and the load balancer is disabled.",
            ),
            (
                {
                    "securityGroups": [{"name": "g"}],
                    "additionalSecurityRules": [{"roles": ["worker"]}],
                },
                {},
                "spec.network.additionalSecurityRules: They are only added to automatic",
            ),
            (
                {},
                {"credentials": {"fromFile": "f", "fromSecret": "s"}},
                "spec.credentials.fromSecret: It is s, but there is also a file",
            ),
            (
                {"useExisting": {"net": True}, "netAccessPoints": ["api"]},
                {},
                "spec.network.netAccessPoints: It is ignored, because useExisting.net is true",
            ),
            (
                {"bastion": {"enable": True, "image": {"name": "ubuntu"}}},
                {},
                'spec.network.bastion.image.accountId: The image is named "ubuntu", but anybody',
            ),
        ],
    )
    def test_what_may_not_be_meant_is_a_warning(self, network, spec, start):
        [warning] = validation.warnings(cluster(network, **spec))
        assert str(warning).startswith(start)

    def test_an_ordinary_cluster_needs_no_warning(self):
        assert validation.warnings(cluster()) == []


class TestIdentity:
    def problems(self, **spec):
        model = v1beta2.OscClusterIdentitySpec.model_validate(
            {"secretRef": {"name": "s", "namespace": "n"}, **spec}
        )
        return [(each.path, each.message) for each in validation.problems(model)]

    def test_a_good_identity_has_no_problem(self):
        labels = {"matchExpressions": [{"key": "team", "operator": "Exists"}]}
        assert self.problems(allowedNamespaces={"list": ["a"], "selector": labels}) == []

    def test_it_says_where_its_secret_is(self):
        assert self.problems(secretRef={"name": "s"}) == [
            ("spec.secretRef.namespace", "It is empty. Say where the Secret is.")
        ]

    @pytest.mark.parametrize(
        ("operator", "values", "message"),
        [
            ("In", [], "In compares with values, but there are none. Add some."),
            ("Exists", ["a"], "Exists takes no values. Remove them."),
        ],
    )
    def test_a_selector_makes_sense(self, operator, values, message):
        each = {"key": "team", "operator": operator, "values": values}
        [(path, text)] = self.problems(allowedNamespaces={"selector": {"matchExpressions": [each]}})
        assert path == "spec.allowedNamespaces.selector.matchExpressions[0].values"
        assert text == message


class TestWarningsOfMachines:
    """What templates of the Go provider say, and its webhook let through."""

    @pytest.mark.parametrize(
        ("vm", "path", "message"),
        [
            ({"image": {"name": "ubuntu"}}, "image.accountId", "anybody can publish one of that"),
            (
                {"rootDisk": {"type": "gp2", "size": 30, "iops": 1500}},
                "rootDisk.iops",
                "iops is 1500, but a gp2 volume has none, so that it is ignored.",
            ),
            (
                {"publicIpPool": "p"},
                "publicIpPool",
                'publicIpPool is "p", but publicIp is false, so there will be no public IP.',
            ),
        ],
    )
    def test_what_has_no_effect_or_is_unsafe_is_a_warning(self, vm, path, message):
        assert machine(vm) == []
        [warning] = validation.warnings(model_of(vm))
        assert warning.path == f"spec.vm.{path}"
        assert message in warning.message

    def test_it_is_said_of_further_volumes_too(self):
        volume = {"device": "/dev/xvdb", "size": 10, "iops": 100}
        assert machine(volumes=[volume]) == []
        [warning] = validation.warnings(model_of(volumes=[volume]))
        assert warning.path == "spec.volumes[0].iops"
        assert "a standard volume has none" in warning.message

    @pytest.mark.parametrize("vm", GOOD_VMS.values(), ids=GOOD_VMS)
    def test_a_good_vm_needs_no_warning(self, vm):
        assert validation.warnings(model_of(vm)) == []
