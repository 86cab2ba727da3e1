"""The admission webhook: what it refuses, lets through and fills in."""

import base64
import copy
import json

import pytest

from provider import admission
from provider.api import v1beta1, v1beta2

OLD, NEW = v1beta1.API_VERSION, v1beta2.API_VERSION
VM = {"keypairName": "k", "image": {"id": "ami-1234abcd"}, "role": "worker"}
UNSAID = {"keypairName": "k", "image": {"id": "ami-1234abcd"}}
ENDPOINT = {"host": "lb.example.com", "port": 6443}


def thing(kind, spec=None, version=NEW, **metadata):
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": "x", "namespace": "n", **metadata},
        "spec": spec or {},
    }


def template(kind, spec, **metadata):
    return thing(kind, {"template": {"metadata": metadata, "spec": spec}})


def ask(operation, obj, old=None, **more):
    """Return the response to an admission review."""
    before = copy.deepcopy(obj)
    request = {"uid": "u", "operation": operation, "object": obj, "oldObject": old, **more}
    answer = admission.review({"apiVersion": "admission.k8s.io/v1", "request": request})
    assert obj == before
    assert answer["kind"] == "AdmissionReview"
    assert answer["response"]["uid"] == "u"
    return answer["response"]


def create(obj, **more):
    return ask("CREATE", obj, **more)


def update(old, new, **more):
    return ask("UPDATE", new, old, **more)


def fields(response):
    assert not response["allowed"]
    return [each["field"] for each in response["status"]["details"]["causes"]]


def changed(old, new, kind="OscCluster"):
    """Return the fields for which a change of a spec is refused."""
    response = update(thing(kind, old), thing(kind, new))
    return [] if response["allowed"] else fields(response)


class TestCreate:
    @pytest.mark.parametrize(
        "obj",
        [
            thing("OscCluster"),
            thing("OscMachine", {"vm": VM}),
            template("OscMachineTemplate", {"vm": VM}),
            template("OscClusterTemplate", {}),
            thing("OscClusterIdentity", {"secretRef": {"name": "s", "namespace": "n"}}),
            thing("OscMachine", {"node": {"vm": {"keypairName": "k", "imageId": "ami-1"}}}, OLD),
        ],
        ids=lambda obj: obj["kind"],
    )
    def test_a_good_object_is_let_through(self, obj):
        response = create(obj)
        assert response["allowed"]
        assert "warnings" not in response

    def test_all_problems_are_said_at_once(self):
        response = create(thing("OscMachine", {"vm": {**VM, "vmType": "x", "subregions": ["y"]}}))
        assert fields(response) == ["spec.vm.vmType", "spec.vm.subregions[0]"]
        status = response["status"]
        assert (status["code"], status["reason"]) == (422, "Invalid")
        assert status["message"].startswith(
            'OscMachine x cannot be accepted:\n  spec.vm.vmType: "x" is no type of VM.'
        )

    def test_problems_of_a_template_stand_where_its_spec_does(self):
        bad = template("OscMachineTemplate", {"vm": {**VM, "vmType": "x"}})
        assert fields(create(bad)) == ["spec.template.spec.vm.vmType"]

    @pytest.mark.parametrize(
        ("spec", "field"),
        [
            ({"node": {"vm": {"keypairName": "k", "imageId": "x"}}}, "spec.node.vm.imageId"),
            (
                {"node": {"vm": {"keypairName": "k"}, "image": {"name": "u", "accountId": "me"}}},
                "spec.node.image.accountId",
            ),
            (
                {
                    "node": {
                        "vm": {"keypairName": "k", "imageId": "ami-1"},
                        "volumes": [{"device": "/dev/xvdb", "size": 1, "volumeType": "ssd"}],
                    }
                },
                "spec.node.volumes[0].volumeType",
            ),
        ],
    )
    def test_fields_of_v1beta1_are_named_as_they_were_written(self, spec, field):
        assert fields(create(thing("OscMachine", spec, OLD))) == [field]

    def test_what_templates_of_the_go_provider_say_is_accepted_with_warnings(self):
        disk = {"rootDiskSize": 30, "rootDiskType": "gp2", "rootDiskIops": 1500}
        node = {"vm": {"keypairName": "k", "rootDisk": disk}, "image": {"name": "u"}}
        spec = {"template": {"spec": {"node": node}}}
        response = create(thing("OscMachineTemplate", spec, OLD))
        assert response["allowed"]
        image, iops = response["warnings"]
        assert image.startswith("spec.template.spec.node.image.accountId: The image is named")
        assert iops.startswith("spec.template.spec.node.vm.rootDisk.rootDiskIops: iops is 1500")

    def test_a_subnet_of_v1beta1_is_checked_too(self):
        spec = {"network": {"subnets": [{"ipSubnetRange": "10.9.0.0/24", "roles": ["worker"]}]}}
        response = create(thing("OscCluster", spec, OLD))
        assert fields(response) == ["spec.network.subnets[0].ipSubnetRange"]

    def test_what_may_not_be_meant_is_a_warning(self):
        response = create(thing("OscCluster", {"network": {"disable": ["loadbalancer"]}}))
        assert response["allowed"]
        [warning] = response["warnings"]
        assert warning.startswith("spec.controlPlaneEndpoint: It is not set")

    def test_a_template_names_no_vm(self):
        spec = {"vm": VM, "providerID": "aws:///eu-west-2a/i-1234abcd"}
        response = create(template("OscMachineTemplate", spec))
        assert fields(response) == ["spec.template.spec.providerID"]

    @pytest.mark.parametrize(
        ("metadata", "field"),
        [
            ({"labels": {"a b": "c"}}, "labels"),
            ({"labels": {"-/b": "c"}}, "labels"),
            ({"labels": {"a" * 64: "c"}}, "labels"),
            ({"labels": {"a": "c d"}}, "labels[a]"),
            ({"labels": {"a": "c" * 64}}, "labels[a]"),
            ({"annotations": {"": "c"}}, "annotations"),
            ({"annotations": {"a": "c" * 300000}}, "annotations"),
        ],
    )
    def test_metadata_of_a_template_has_the_syntax_of_kubernetes(self, metadata, field):
        response = create(template("OscMachineTemplate", {"vm": VM}, **metadata))
        assert fields(response) == [f"spec.template.metadata.{field}"]

    def test_good_metadata_of_a_template_is_let_through(self):
        labels = {"example.com/team": "a.b_c-d", "empty": ""}
        good = template("OscClusterTemplate", {}, labels=labels, annotations={"a": "any thing"})
        assert create(good)["allowed"]


class TestLetThrough:
    BAD = thing("OscMachine", {"vm": {**VM, "vmType": "x"}})

    def test_a_deletion(self):
        assert ask("DELETE", None, self.BAD)["allowed"]

    def test_a_status(self):
        assert update(self.BAD, self.BAD, subResource="status")["allowed"]

    def test_an_object_that_is_being_deleted(self):
        leaving = thing("OscMachine", {"vm": {**VM, "vmType": "y"}}, deletionTimestamp="now")
        assert update(self.BAD, leaving)["allowed"]

    def test_a_change_of_finalizers_only(self):
        kept = thing("OscMachine", self.BAD["spec"], finalizers=["f"])
        assert update(kept, self.BAD)["allowed"]

    def test_a_problem_that_was_there_before(self):
        network = {"loadBalancer": {"name": "with space"}}
        old, new = (
            {"network": network},
            {"network": {**network, "allowFromIPRanges": ["192.0.2.0/24"]}},
        )
        assert changed(old, new) == []

    def test_a_kind_of_somebody_else(self):
        assert create(thing("Pod", {"a": 1}, "v1"))["allowed"]

    @pytest.mark.parametrize("spec", [{"vm": 4}, {"vm": {**VM, "tags": [1]}}])
    def test_what_the_schema_refuses(self, spec):
        assert create(thing("OscMachine", spec))["allowed"]
        assert create(thing("OscMachine", {"node": spec}, OLD))["allowed"]

    def test_an_empty_request(self):
        assert admission.review({})["response"]["allowed"]


BASTION = {"enable": True, "image": {"id": "ami-1"}, "keypairName": "k"}


class TestChangeOfCluster:
    @pytest.mark.parametrize(
        ("old", "new", "field"),
        [
            ({}, {"net": {"ipRange": "10.1.0.0/16"}}, "net.ipRange"),
            (
                {"net": {"resourceId": "vpc-1", "ipRange": "10.0.0.0/16"}},
                {"net": {"ipRange": "10.0.0.0/16"}},
                "net.resourceId",
            ),
            ({}, {"useExisting": {"loadBalancer": True}, "loadBalancer": {"name": "x-k8s"}},
             "useExisting.loadBalancer"),
            (
                {"subnets": [{"name": "s", "ipRange": "10.0.1.0/24"}]},
                {"subnets": [{"name": "s", "ipRange": "10.0.2.0/24"}]},
                "subnets[0].ipRange",
            ),
            (
                {"subnets": [{"ipRange": "10.0.1.0/24"}]},
                {"subnets": [{"ipRange": "10.0.2.0/24"}]},
                "subnets[0].ipRange",
            ),
            (
                {"subnets": [{"name": "s", "ipRange": "10.0.1.0/24", "subregion": "eu-west-2a"}]},
                {"subnets": [{"name": "s", "ipRange": "10.0.1.0/24", "subregion": "eu-west-2b"}]},
                "subnets[0].subregion",
            ),
            ({}, {"loadBalancer": {"name": "other"}}, "loadBalancer.name"),
            ({}, {"loadBalancer": {"type": "internal"}}, "loadBalancer.type"),
            ({}, {"loadBalancer": {"subnetName": "s"}}, "loadBalancer.subnetName"),
            (
                {"loadBalancer": {"publicIpId": "eipalloc-1"}}, {}, "loadBalancer.publicIpId",
            ),
            ({"loadBalancer": {"publicIpPool": "p"}}, {}, "loadBalancer.publicIpPool"),
            ({}, {"natPublicIpPool": "p"}, "natPublicIpPool"),
            ({"bastion": BASTION}, {"bastion": BASTION | {"vmType": "tinav7.c2r4p1"}},
             "bastion.vmType"),
            ({"bastion": BASTION}, {"bastion": BASTION | {"resourceId": "i-1"}},
             "bastion.resourceId"),
            (
                {"netPeering": {"enable": True, "managementNetId": "vpc-1"}},
                {"netPeering": {"enable": True, "managementNetId": "vpc-2"}},
                "netPeering.managementNetId",
            ),
        ],
    )  # fmt: skip
    def test_what_a_cloud_cannot_change_is_refused(self, old, new, field):
        assert changed({"network": old}, {"network": new}) == [f"spec.network.{field}"]

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ({}, {"loadBalancer": {"name": "x-k8s"}}),
            ({}, {"loadBalancer": {"type": "internet-facing"}}),
            ({}, {"net": {"ipRange": "10.0.0.0/16"}}),
            ({}, {"loadBalancer": {"healthCheck": {"checkInterval": 30}}}),
            ({}, {"bastion": {"enable": True, "image": {"id": "ami-1"}, "keypairName": "k"}}),
            ({}, {"disable": ["loadbalancer"]}),
            ({"bastion": BASTION}, {"bastion": BASTION | {"enable": False, "vmType": "t2.nano"}}),
            (
                {"bastion": {"enable": True, "resourceId": "i-1"}},
                {"bastion": {"enable": True, "resourceId": "i-1", "vmType": "t2.nano"}},
            ),
            ({"bastion": BASTION}, {"bastion": BASTION | {"publicIpPool": "p", "name": "b"}}),
            (
                {"netPeering": {"enable": True}},
                {"netPeering": {"enable": True, "managementNetId": "vpc-2"}},
            ),
            (
                {"loadBalancer": {"publicIpId": "eipalloc-1"}},
                {"loadBalancer": {"publicIpPool": "p"}},
            ),
            (
                {"subnets": [{"name": "s", "ipRange": "10.0.1.0/24"}]},
                {
                    "subnets": [
                        {"name": "t", "ipRange": "10.0.2.0/24"},
                        {"name": "s", "ipRange": "10.0.1.0/24"},
                    ]
                },
            ),
            (
                {"subnets": [{"ipRange": "10.0.1.0/24"}, {"ipRange": "10.0.2.0/24"}]},
                {"subnets": [{"ipRange": "10.0.2.0/24"}, {"ipRange": "10.0.1.0/24"}]},
            ),
        ],
    )
    def test_what_can_be_changed_is_let_through(self, old, new):
        assert changed({"network": old}, {"network": new}) == []

    @pytest.mark.parametrize(
        ("host", "refused"),
        [
            ("x-k8s-1234567.eu-west-2.lbu.outscale.com", ["spec.network.disable"]),
            ("y-k8s-1234567.eu-west-2.lbu.outscale.com", []),
            ("192.0.2.1", []),
        ],
    )
    def test_the_way_to_the_api_is_not_switched_off(self, host, refused):
        old = {"controlPlaneEndpoint": {"host": host, "port": 6443}, "network": {}}
        assert changed(old, {**old, "network": {"disable": ["loadbalancer"]}}) == refused

    def test_a_refusal_says_both_values_and_what_to_do(self):
        response = update(
            thing("OscCluster"),
            thing("OscCluster", {"network": {"net": {"ipRange": "10.0.0.0/17"}}}),
        )
        [cause] = response["status"]["details"]["causes"]
        assert cause["message"] == (
            'It is "10.0.0.0/16" and would become "10.0.0.0/17", but a cluster cannot change '
            "that. Make another cluster, or put the old value back."
        )

    def test_an_endpoint_is_set_once(self):
        assert changed({}, {"controlPlaneEndpoint": ENDPOINT}) == []
        other = {**ENDPOINT, "host": "other.example.com"}
        set_, moved = {"controlPlaneEndpoint": ENDPOINT}, {"controlPlaneEndpoint": other}
        assert changed(set_, moved) == ["spec.controlPlaneEndpoint.host"]
        assert changed(set_, {}) == [
            "spec.controlPlaneEndpoint.host",
            "spec.controlPlaneEndpoint.port",
        ]

    def test_the_port_of_a_set_endpoint_stays(self):
        old = {"controlPlaneEndpoint": ENDPOINT}
        new = {**old, "network": {"loadBalancer": {"listener": {"port": 443}}}}
        assert changed(old, new) == ["spec.network.loadBalancer.listener.port"]

    def test_a_change_in_v1beta1_is_named_as_it_was_written(self):
        old = thing("OscCluster", {"network": {"loadBalancer": {"loadbalancername": "a"}}}, OLD)
        new = thing("OscCluster", {"network": {"loadBalancer": {"loadbalancername": "b"}}}, OLD)
        assert fields(update(old, new)) == ["spec.network.loadBalancer.loadbalancername"]


class TestChangeOfMachine:
    def change(self, **vm):
        return changed({"vm": VM}, {"vm": {**VM, **vm}}, "OscMachine")

    @pytest.mark.parametrize(
        ("vm", "field"),
        [
            ({"vmType": "tinav7.c1r1p1"}, "vmType"),
            ({"keypairName": "other"}, "keypairName"),
            ({"image": {"id": "ami-2"}}, "image.id"),
            ({"rootDisk": {"size": 61}}, "rootDisk.size"),
            ({"subregions": ["eu-west-2a"]}, "subregions"),
            ({"subnetName": "s"}, "subnetName"),
            ({"tags": {"a": "b"}}, "tags.a"),
            ({"placement": {"attractServer": "a"}}, "placement.attractServer"),
            ({"role": "controlplane"}, "role"),
            ({"publicIp": True}, "publicIp"),
        ],
    )
    def test_what_a_vm_cannot_change_is_refused(self, vm, field):
        assert self.change(**vm) == [f"spec.vm.{field}"]

    @pytest.mark.parametrize(
        "vm",
        [
            {"securityGroupNames": ["g"]},
            {"sourceDestCheck": False},
            {"vmType": "tinav4.c4r8p1"},
            {"rootDisk": {"size": 60, "type": "io1", "iops": 1500}},
        ],
    )
    def test_what_it_can_change_is_let_through(self, vm):
        assert self.change(**vm) == []

    def test_its_volumes_stay(self):
        volumes = [{"device": "/dev/xvdb", "size": 1}]
        assert changed({"vm": VM}, {"vm": VM, "volumes": volumes}, "OscMachine") == ["spec.volumes"]

    def test_a_provider_id_is_set_once(self):
        one, other = (f"aws:///eu-west-2a/i-{each}234abcd" for each in "12")
        assert changed({"vm": VM}, {"vm": VM, "providerID": one}, "OscMachine") == []
        for new in ({"vm": VM, "providerID": other}, {"vm": VM}):
            assert changed({"vm": VM, "providerID": one}, new, "OscMachine") == ["spec.providerID"]


class TestChangeOfTemplate:
    OLD = template("OscMachineTemplate", {"vm": VM})
    NEW = template("OscMachineTemplate", {"vm": {**VM, "vmType": "tinav7.c1r1p1"}})

    def asked(self, *, dry_run, annotated):
        new = copy.deepcopy(self.NEW)
        if annotated:
            new["metadata"]["annotations"] = {admission.DRY_RUN: ""}
        return update(self.OLD, new, dryRun=dry_run)

    @pytest.mark.parametrize(
        ("dry_run", "annotated", "allowed"),
        [(False, False, False), (True, False, False), (False, True, False), (True, True, True)],
    )
    def test_it_changes_only_when_the_topology_controller_asks(self, dry_run, annotated, allowed):
        assert self.asked(dry_run=dry_run, annotated=annotated)["allowed"] == allowed

    def test_the_refusal_says_what_to_do(self):
        [cause] = update(self.OLD, self.NEW)["status"]["details"]["causes"]
        assert cause["field"] == "spec.template.spec.vm.vmType"
        assert cause["message"].startswith("A template does not change once it is there")

    def test_templates_of_clusters_stay_too(self):
        old = template("OscClusterTemplate", {})
        new = template("OscClusterTemplate", {"network": {"natPublicIpPool": "p"}})
        assert fields(update(old, new)) == ["spec.template.spec.network.natPublicIpPool"]

    def test_a_default_that_is_written_down_is_no_change(self):
        new = template("OscMachineTemplate", {"vm": {**VM, "vmType": "tinav4.c4r8p1"}})
        assert update(self.OLD, new)["allowed"]

    def test_its_metadata_may_change(self):
        new = template("OscMachineTemplate", {"vm": VM}, labels={"a": "b"})
        assert update(self.OLD, new)["allowed"]

    def test_its_dry_run_is_validated_all_the_same(self):
        bad = template("OscMachineTemplate", {"vm": {**VM, "vmType": "x"}})
        bad["metadata"]["annotations"] = {admission.DRY_RUN: ""}
        assert fields(update(self.OLD, bad, dryRun=True)) == ["spec.template.spec.vm.vmType"]


class TestDefaults:
    def patch(self, obj):
        response = create(obj)
        assert response["allowed"]
        return json.loads(base64.b64decode(response["patch"])) if "patch" in response else []

    @pytest.mark.parametrize(
        ("labels", "role"),
        [({"cluster.x-k8s.io/control-plane": ""}, "controlplane"), ({}, "worker")],
    )
    def test_the_role_of_a_machine_is_what_cluster_api_says(self, labels, role):
        obj = thing("OscMachine", {"vm": UNSAID}, labels=labels)
        assert self.patch(obj) == [{"op": "add", "path": "/spec/vm/role", "value": role}]

    def test_the_role_is_said_in_v1beta1_too(self):
        spec = {"node": {"vm": {"keypairName": "k", "imageId": "ami-1"}}}
        [step] = self.patch(thing("OscMachine", spec, OLD))
        assert step["path"] == "/spec/node/vm/role"

    def test_a_role_that_is_said_stays(self):
        assert self.patch(thing("OscMachine", {"vm": VM})) == []

    def test_a_template_is_left_as_it_is(self):
        assert self.patch(template("OscMachineTemplate", {"vm": UNSAID})) == []
