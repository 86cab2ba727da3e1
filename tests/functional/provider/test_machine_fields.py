"""A change of any field of an OscMachine is refused, healed, or told to come too late."""

import pytest

from provider.api import v1beta2
from tests.functional.provider import driver, fields, machine_driver
from tests.functional.provider.fields import healed, refused

SPEC = {
    "vm": {
        "rootDisk": {"type": "io1", "size": 20, "iops": 500},
        "privateIps": ["10.0.3.77"],
        "publicIp": True,
    },
    "volumes": [{"device": "/dev/xvdb", "size": 10, "type": "io1", "iops": 200}],
}
"""A machine with something in every list."""

LIFE = "a machine is one VM for its whole life"
BORN = "a machine gets its volumes when it is made"


def _groups(run):
    return {each["SecurityGroupName"] for each in run.vm["SecurityGroups"]}


CASES = {
    "providerID": refused("aws:///eu-west-2a/i-12345678", said=LIFE),
    "vm.role": refused("controlplane"),
    "vm.vmType": refused("tinav4.c2r4p1"),
    "vm.keypairName": refused("other"),
    "vm.image.id": refused("ami-12345678"),
    "vm.image.name": refused("mine"),
    "vm.image.accountId": refused("123456789012"),
    "vm.image.outscaleOpenSource": refused(new=True),
    "vm.rootDisk.size": refused(40),
    "vm.rootDisk.type": refused("gp2"),
    "vm.rootDisk.iops": refused(100),
    "vm.subregions": refused(["eu-west-2b"]),
    "vm.subregionMode": refused("random"),
    "vm.subnetName": refused("other"),
    "vm.securityGroupNames": healed(
        ["demo-node"], lambda run: _groups(run) == {f"demo-node-{driver.UID}"}
    ),
    "vm.privateIps": refused(["10.0.3.78"]),
    "vm.publicIp": refused(new=False),
    "vm.publicIpPool": refused("edge"),
    "vm.flexibleGpu.model": refused("nvidia-p6"),
    "vm.tags": refused({"team": "blue"}),
    "vm.placement.repulseServer": refused("far"),
    "vm.placement.attractServer": refused("near"),
    "vm.placement.serverStrict": refused(new=True),
    "vm.placement.repulseCluster": refused("far"),
    "vm.placement.attractCluster": refused("near"),
    "vm.placement.clusterStrict": refused(new=True),
    "vm.sourceDestCheck": healed(new=False, seen=lambda run: not run.vm["IsSourceDestChecked"]),
    "vm.resourceId": refused("i-12345678"),
    "volumes[].name": refused("data", said=BORN),
    "volumes[].device": refused("/dev/xvdc", said=BORN),
    "volumes[].size": refused(20, said=BORN),
    "volumes[].type": refused("gp2", said=BORN),
    "volumes[].iops": refused(100, said=BORN),
    "volumes[].fromSnapshot": refused("snap-12345678", said=BORN),
}


def test_every_field_is_in_the_table():
    assert set(CASES) == set(fields.leaves(v1beta2.OscMachineSpec))


@pytest.mark.parametrize("path", CASES)
def test_a_change_of_a_field_is_never_ignored(path):
    case = CASES[path]
    run = machine_driver.Site().machine(spec=SPEC, failure_domain="eu-west-2a").settle()
    assert run.is_ready, run.conditions
    new = driver.copied(run.object)
    fields.put(new["spec"], path, case.value(run))
    problems = fields.problems(run.object, new)
    if case.said:
        where = f"spec.{path.partition('[]')[0]}"
        assert [each for each in problems if each.startswith(where) and case.said in each], problems
        return
    assert problems == []
    run.object = new
    run.settle()
    assert run.is_ready, run.conditions
    assert case.seen(run)
