"""A label that says under which uid something is in the cloud, and that somebody has changed."""

import pytest

from provider.rules import names
from tests.functional.provider import clusters, driver, machine_driver

LABEL = names.CLUSTER_UID_LABEL


def relabel(run, uid):
    run.object["metadata"]["labels"][LABEL] = uid
    driver.touch(run.object)


@pytest.mark.parametrize("is_going", [False, True])
def test_a_cluster_is_neither_made_again_nor_gone_under_another_label(is_going):
    run = clusters.ready()
    net = clusters.one(run, "Nets")["NetId"]
    relabel(run, "another-uid")
    if is_going:
        run.delete()
    assert clusters.changes(run, run.step) == []
    assert not run.is_gone
    status, reason, message = run.conditions["SpecReady"]
    assert (status, reason) == ("False", "Refused")
    said = f"{LABEL} is another-uid, but the Net {net}, which status.resources names, has the tag "
    assert f"{said}OscK8sClusterID/{driver.UID}. Put the label back." in message
    relabel(run, driver.UID)
    if not is_going:
        assert clusters.changes(run, run.settle) == []
        assert run.is_ready
        return
    run.settle()
    assert run.is_gone
    assert clusters.live(run, "Nets") == []


@pytest.mark.parametrize("is_going", [False, True])
def test_a_machine_is_neither_lost_nor_gone_under_another_label(is_going):
    site = machine_driver.Site()
    run = site.machine().settle()
    vm = run.vm["VmId"]
    relabel(run, "another-uid")
    if is_going:
        run.delete()
    run.step()
    assert not run.is_gone
    status, reason, message = run.conditions["SpecReady"]
    assert (status, reason) == ("False", "Refused")
    said = f"{LABEL} is another-uid, but the VM {vm} of this machine has the tag "
    assert f"{said}OscK8sClusterID/{driver.UID}. Put the label back." in message
    assert run.vm["State"] == "running"
    relabel(run, driver.UID)
    run.settle()
    assert run.is_gone if is_going else run.is_ready
