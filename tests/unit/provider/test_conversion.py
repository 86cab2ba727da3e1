"""Conversion between the two versions."""

import copy
import functools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakekube.schema import Structural
from provider.api import conversion, v1beta1, v1beta2
from provider.reasons import Reason
from tests.unit.provider import documents

OLD, NEW = v1beta1.API_VERSION, v1beta2.API_VERSION
OTHER = {OLD: NEW, NEW: OLD}
CONDITION = {
    "type": "Ready",
    "status": "False",
    "reason": "Waiting",
    "message": "Wait.",
    "lastTransitionTime": documents.TIME,
    "observedGeneration": 3,
}
KINDS = ("OscCluster", "OscClusterTemplate", "OscMachine", "OscMachineTemplate")


@functools.cache
def strategy(kind, version):
    return documents.objects(kind, version)


def anything():
    return st.one_of([strategy(kind, v) for kind in KINDS for v in ("v1beta1", "v1beta2")])


def old(kind="OscCluster", **parts):
    return {"apiVersion": OLD, "kind": kind, "metadata": {"name": "x"}, **parts}


def new(kind="OscCluster", **parts):
    return {"apiVersion": NEW, "kind": kind, "metadata": {"name": "x"}, **parts}


def there(obj):
    return conversion.convert(obj, OTHER[obj["apiVersion"]])


def network(**fields):
    """Convert a v1beta1 network, and return that of v1beta2."""
    return there(old(spec={"network": fields}))["spec"]["network"]


def said(obj):
    return {name: obj[name] for name in ("spec", "status") if name in obj}


class TestLossless:
    @given(anything())
    def test_there_and_back_is_the_same_object(self, obj):
        before = copy.deepcopy(obj)
        assert there(there(obj)) == before
        assert obj == before, "The object that was given has changed."

    @given(anything())
    def test_a_second_round_adds_nothing(self, obj):
        other = there(obj)
        assert there(there(other)) == other

    @given(anything())
    def test_the_server_takes_nothing_out_of_what_is_converted(self, obj):
        other = there(obj)
        schema = Structural(documents.SCHEMAS[obj["kind"], other["apiVersion"].split("/")[1]])
        assert schema.prune(copy.deepcopy(other)) == []

    @given(st.data())
    def test_what_somebody_changes_in_between_survives_in_both_versions(self, data):
        kind = data.draw(st.sampled_from(KINDS))
        first, second = data.draw(st.permutations(["v1beta1", "v1beta2"]))
        edited = there(data.draw(strategy(kind, first)))
        edit = data.draw(strategy(kind, second))
        section = data.draw(st.sampled_from(["spec", "status"]))
        edited.pop(section, None)
        edited |= {name: edit[name] for name in (section,) if name in edit}
        assert said(there(there(edited))) == said(edited)


class TestKeeping:
    def test_ids_of_the_go_provider_are_never_lost(self):
        spec = {
            "network": {
                "net": {"resourceId": "vpc-1", "clusterName": "c"},
                "subnets": [{"resourceId": "subnet-1", "roles": ["worker"]}],
                "securityGroups": [{"resourceId": "sg-1", "roles": ["node"]}],
                "internetService": {"resourceId": "igw-1"},
                "natServices": [{"name": "n", "resourceId": "nat-1"}],
                "bastion": {"resourceId": "i-1"},
            }
        }
        status = {"network": {"netref": {"resourceMap": {"net": "vpc-1"}}}}
        converted = there(old(spec=spec, status=status))
        assert converted["spec"]["network"]["net"] == {"resourceId": "vpc-1"}
        assert said(there(converted)) == {"spec": spec, "status": status}

    def test_what_was_kept_comes_back_beside_a_change(self):
        converted = there(old(spec={"network": {"clusterName": "c", "net": {"clusterName": "c"}}}))
        converted["spec"]["network"]["net"]["name"] = "mine"
        back = there(converted)["spec"]["network"]
        assert back == {"clusterName": "c", "net": {"clusterName": "c", "name": "mine"}}

    def test_what_was_kept_of_a_removed_item_stays_away(self):
        services = [{"name": n, "resourceId": f"nat-{n}"} for n in "ab"]
        converted = there(old(spec={"network": {"natServices": services}}))
        del converted["spec"]["network"]["natServices"][0]
        assert there(converted)["spec"]["network"]["natServices"] == services[1:]

    def test_items_that_change_places_keep_what_is_theirs(self):
        services = [{"name": n, "resourceId": f"nat-{n}"} for n in "ab"]
        converted = there(old(spec={"network": {"natServices": services}}))
        converted["spec"]["network"]["natServices"].reverse()
        assert there(converted)["spec"]["network"]["natServices"] == services[::-1]

    def test_an_item_that_changes_keeps_what_is_its_own(self):
        rules = [{"name": "old", "flow": "Inbound", "ipProtocol": "tcp", "ipRange": "10.0.0.0/8"}]
        groups = [{"name": "g", "roles": ["worker"], "securityGroupRules": rules}]
        converted = there(old(spec={"network": {"securityGroups": groups}}))
        converted["spec"]["network"]["securityGroups"][0]["rules"][0]["fromPort"] = 22
        back = there(converted)["spec"]["network"]["securityGroups"][0]["securityGroupRules"]
        assert back == [{**rules[0], "fromPortRange": 22}]

    def test_a_moved_object_gets_no_status_from_before(self):
        moved = there(old(spec={}, status={"ready": True, "reconcilerGeneration": {"net": 7}}))
        del moved["status"]
        assert "status" not in there(moved)

    def test_what_v1beta1_cannot_say_survives_a_write_in_v1beta1(self):
        obj = new(spec={"credentials": {"identityRef": {"name": "id"}}})
        written = there(obj)
        written["spec"]["network"] = {"natPublicIpPool": "pool"}
        converted = there(written)
        assert converted["spec"] == {**obj["spec"], "network": {"natPublicIpPool": "pool"}}
        assert "annotations" not in converted["metadata"]

    @pytest.mark.parametrize(
        "text", ["{", "[]", '{"version": "infrastructure.cluster.x-k8s.io/v1beta1"}']
    )
    def test_an_edited_annotation_is_left_out(self, text):
        obj = new(spec={})
        obj["metadata"]["annotations"] = {conversion.ANNOTATION: text}
        assert there(obj) == old(spec={})

    def test_other_annotations_are_left_alone(self):
        obj = new(spec={})
        obj["metadata"]["annotations"] = {"a": "b"}
        assert there(obj)["metadata"]["annotations"] == {"a": "b"}


class TestCluster:
    def test_one_subregion_becomes_a_list(self):
        assert network(subregionName="eu-west-2a") == {"subregions": ["eu-west-2a"]}

    def test_the_list_of_subregions_wins(self):
        assert network(subregionName="x", subregions=["y"]) == {"subregions": ["y"]}

    def test_the_single_nat_service_becomes_a_list(self):
        assert network(natService={"subnetname": "public"}) == {
            "natServices": [{"subnetName": "public"}]
        }

    def test_a_nat_service_that_says_nothing_becomes_none(self):
        assert network(natService={"clusterName": "c"}) == {}

    @pytest.mark.parametrize(
        ("name", "roles"),
        [
            ("x-kcp", ["controlplane"]),
            ("listed", ["controlplane"]),
            ("public", ["loadbalancer", "bastion", "nat"]),
            ("other", ["worker"]),
        ],
    )
    def test_roles_of_subnets_are_said_where_they_were_guessed(self, name, roles):
        converted = network(
            subnets=[{"name": name, "ipSubnetRange": "10.0.1.0/24", "subregionName": "a"}],
            controlPlaneSubnets=["listed"],
            loadBalancer={"subnetname": "public"},
        )
        assert converted["subnets"] == [
            {"name": name, "ipRange": "10.0.1.0/24", "subregion": "a", "roles": roles}
        ]

    @pytest.mark.parametrize(
        ("name", "roles"),
        [
            ("x-kcp", ["controlplane"]),
            ("x-kw", ["worker"]),
            ("x-node", ["controlplane", "worker"]),
            ("x-lb", None),
        ],
    )
    def test_roles_of_security_groups_are_said_where_they_were_guessed(self, name, roles):
        assert network(securityGroups=[{"name": name}])["securityGroups"][0].get("roles") == roles

    def test_one_ip_range_becomes_a_list(self):
        rule = {"ipRange": "0.0.0.0/0", "fromPortRange": 0, "toPortRange": 8}
        converted = network(additionalSecurityRules=[{"rules": [rule]}])
        assert converted["additionalSecurityRules"] == [
            {"rules": [{"ipRanges": ["0.0.0.0/0"], "fromPort": 0, "toPort": 8}]}
        ]

    def test_the_load_balancer_is_said_in_camel_case(self):
        converted = network(
            loadBalancer={
                "loadbalancername": "lb",
                "loadbalancertype": "internal",
                "listener": {"loadbalancerport": 443, "backendport": 6443},
                "healthCheck": {"checkinterval": 30, "healthythreshold": 4},
            }
        )
        assert converted["loadBalancer"] == {
            "name": "lb",
            "type": "internal",
            "listener": {"port": 443, "backendPort": 6443},
            "healthCheck": {"checkInterval": 30, "healthyThreshold": 4},
        }

    def test_empty_strings_and_zeros_are_absent(self):
        spec = {"controlPlaneEndpoint": {"host": "", "port": 0}}
        assert there(old(spec=spec))["spec"] == {"controlPlaneEndpoint": {}}

    def test_the_target_that_the_documents_name_becomes_the_one_that_works(self):
        routes = [{"targetType": "nat-service", "destination": "0.0.0.0/0"}]
        converted = network(routeTables=[{"name": "r", "role": "worker", "routes": routes}])
        assert converted["routeTables"][0]["routes"][0]["targetType"] == "nat"

    def test_the_empty_string_that_forbids_all_stays(self):
        assert network(allowToIPRanges=[""]) == {"allowToIPRanges": [""]}


class TestMachine:
    def converted(self, **node):
        return there(old("OscMachine", spec={"node": node}))["spec"]

    def test_the_node_is_split_up(self):
        assert self.converted(
            vm={
                "keypairName": "k",
                "fGPU": {"model": "nvidia-h100"},
                "privateIps": [{"name": "x", "privateIp": "10.0.0.4"}],
                "securityGroupNames": [{"name": "sg"}],
                "rootDisk": {"rootDiskSize": 20, "rootDiskType": "gp2"},
                "subregionName": "eu-west-2b",
            },
            volumes=[{"device": "/dev/xvdb", "volumeType": "gp2", "size": 10}],
            keypair={"name": "dead"},
        ) == {
            "vm": {
                "keypairName": "k",
                "flexibleGpu": {"model": "nvidia-h100"},
                "privateIps": ["10.0.0.4"],
                "securityGroupNames": ["sg"],
                "rootDisk": {"size": 20, "type": "gp2"},
                "subregions": ["eu-west-2b"],
            },
            "volumes": [{"device": "/dev/xvdb", "type": "gp2", "size": 10}],
        }

    def test_the_name_of_an_image_wins_over_its_id(self):
        converted = self.converted(vm={"imageId": "ami-1"}, image={"name": "n", "accountId": "1"})
        assert converted["vm"]["image"] == {"name": "n", "accountId": "1"}

    def test_the_id_of_an_image_is_used_without_a_name(self):
        assert self.converted(vm={"imageId": "ami-1"})["vm"]["image"] == {"id": "ami-1"}

    def test_the_empty_string_that_switches_off_repulsion_stays(self):
        placement = {"repulseServer": ""}
        assert self.converted(vm={"placement": placement})["vm"]["placement"] == placement


class TestStatus:
    def test_a_cluster_is_ready_when_it_is_provisioned(self):
        obj = new(
            status={
                "initialization": {"provisioned": True},
                "failureDomains": [{"name": "a", "controlPlane": True}],
                "resources": {"publicIp": {"bastion": "eipalloc-1"}},
            }
        )
        assert there(obj)["status"] == {
            "ready": True,
            "failureDomains": {"a": {"controlPlane": True}},
            "resources": {"publicIps": {"bastion": "eipalloc-1"}},
        }

    def test_conditions_are_said_in_both_forms(self):
        good = {**CONDITION, "type": "NetReady", "status": "True", "reason": "Ready"}
        paused = {**CONDITION, "type": "Paused"}
        obj = new("OscMachine", status={"conditions": [CONDITION, good, paused]})
        time = {"lastTransitionTime": documents.TIME}
        assert there(obj)["status"] == {
            "v1beta2": {"conditions": [CONDITION, good, paused]},
            "conditions": [
                {
                    "type": "Ready",
                    "status": "False",
                    "severity": "Warning",
                    "reason": "Waiting",
                    "message": "Wait.",
                    **time,
                },
                {"type": "NetReady", "status": "True", **time},
            ],
        }

    def test_conditions_of_the_go_provider_get_what_they_lack(self):
        obj = old(status={"conditions": [{"type": "NetReady", "status": "True"}]})
        assert there(obj)["status"]["conditions"] == [
            {
                "type": "NetReady",
                "status": "True",
                "reason": "NoReasonReported",
                "message": "",
                "lastTransitionTime": "1970-01-01T00:00:00Z",
            }
        ]

    def test_a_machine_without_its_vm_has_failed_for_good(self):
        """Health checks of cores that speak v1beta1 act on that, and on no condition."""
        ready = {**CONDITION, "reason": Reason.VM_TERMINATED, "message": "It is terminated."}
        status = there(new("OscMachine", status={"conditions": [ready]}))["status"]
        assert status["failureReason"] == "VmTerminated"
        assert status["failureMessage"] == "It is terminated."

    @pytest.mark.parametrize("reason", [Reason.VM_GONE, Reason.VM_QUARANTINED, Reason.REFUSED])
    def test_what_may_come_back_is_no_failure(self, reason):
        obj = new("OscMachine", status={"conditions": [{**CONDITION, "reason": reason}]})
        assert "failureReason" not in there(obj)["status"]

    @pytest.mark.parametrize("kept", [{}, {"failureReason": "Theirs", "failureMessage": "Why."}])
    def test_a_failure_that_somebody_else_says_is_neither_lost_nor_made_up(self, kept):
        condition = {"type": "Ready", "status": "False", "reason": "VmTerminated"}
        obj = old("OscMachine", status={"conditions": [condition], **kept})
        assert there(there(obj)) == obj


class TestReview:
    def review(self, *objects, version=NEW):
        request = {"uid": "u", "desiredAPIVersion": version, "objects": list(objects)}
        return conversion.review(
            {"apiVersion": "apiextensions.k8s.io/v1", "kind": "ConversionReview"}
            | {"request": request}
        )["response"]

    def test_all_objects_are_answered_in_order(self):
        response = self.review(old(spec={}), new("OscMachine", spec={}))
        assert response == {
            "uid": "u",
            "result": {"status": "Success"},
            "convertedObjects": [new(spec={}), new("OscMachine", spec={})],
        }

    def test_an_unknown_version_is_refused_in_words(self):
        response = self.review(old(), version="infrastructure.cluster.x-k8s.io/v1")
        assert response["convertedObjects"] == []
        assert response["result"] == {
            "status": "Failure",
            "message": "OscCluster cannot be converted from "
            "infrastructure.cluster.x-k8s.io/v1beta1 to infrastructure.cluster.x-k8s.io/v1. "
            "Use infrastructure.cluster.x-k8s.io/v1beta2.",
        }

    def test_an_unknown_kind_is_refused_in_words(self):
        response = self.review(old("OscClusterIdentity"))
        assert "OscClusterIdentity cannot be converted" in response["result"]["message"]

    def test_a_field_of_another_type_is_refused_in_words(self):
        response = self.review(old(spec={"network": {"bastion": {"privateIps": 4}}}))
        message = response["result"]["message"]
        assert message.startswith("OscCluster x has a field of another type than its schema says.")
