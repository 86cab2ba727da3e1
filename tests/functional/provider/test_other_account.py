"""Credentials that become those of another account or region, under a cluster that stands."""

import pytest

from fakecloud import FakeCloud
from provider.rules import names
from tests.functional.provider import clusters, driver, machine_driver, worlds

HOME = "eu-west-2/123456789012"


def elsewhere(fake, where):
    """Return the cloud that other credentials open."""
    if where == "another account":
        fake.add_account(worlds.FAR)
        return driver.Direct(fake, worlds.FAR)
    other = driver.Direct(FakeCloud(seed=2, region="us-east-2"))
    other.region = "us-east-2"
    return other


def move(run, cloud):
    """Let a cluster be called with other credentials from now on."""
    run.cloud = cloud
    run.clouds = driver.Clouds(cloud, None, run.clock)
    run.memory = driver.Memory(run.clouds)


WHERE = pytest.mark.parametrize("where", ["another account", "another region"])


@WHERE
def test_a_cluster_is_not_made_again_elsewhere(where):
    run = clusters.ready()
    assert run.object["metadata"]["annotations"][names.ACCOUNT_ANNOTATION] == HOME
    home, other = run.cloud, elsewhere(run.fake, where)
    move(run, other)
    assert clusters.changes(run, run.step) == []
    status, reason, message = run.conditions["CredentialsReady"]
    assert (status, reason) == ("False", "CredentialsMissing")
    assert HOME in message
    assert f"{other.region}/" in message
    move(run, home)
    assert run.settle().is_ready, run.conditions


@WHERE
def test_a_cluster_without_its_status_is_not_made_again_elsewhere(where):
    run = clusters.ready()
    del run.object["status"]
    move(run, elsewhere(run.fake, where))
    assert clusters.changes(run, run.step) == []
    assert "CredentialsReady" in run.conditions


@WHERE
def test_a_cluster_is_not_told_to_be_gone_elsewhere(where):
    run = clusters.ready()
    home, other = run.cloud, elsewhere(run.fake, where)
    move(run, other)
    run.delete()
    for _ in range(3):
        run.step()
    assert not run.is_gone
    assert "CredentialsReady" in run.conditions
    move(run, home)
    run.settle()
    assert run.is_gone
    assert clusters.live(run, "Nets") == []


def test_credentials_that_change_in_the_middle_of_a_deletion_do_not_end_it():
    run = clusters.ready().delete()
    run.step()
    assert run.last.again_s, "There is something to wait for."
    home, other = run.cloud, elsewhere(run.fake, "another account")
    run.clouds.near = other
    run.clouds.restart()
    for _ in range(5):
        run.fake.clock.advance(60)
        run.step()
        assert not run.is_gone
    move(run, home)
    run.settle()
    assert run.is_gone
    assert clusters.live(run, "Nets") == []


def test_what_is_really_gone_can_be_told_so():
    run = clusters.ready()
    move(run, elsewhere(run.fake, "another account"))
    del run.object["metadata"]["annotations"]
    run.delete().settle()
    assert run.is_gone


def test_a_machine_is_neither_lost_nor_gone_elsewhere():
    site = machine_driver.Site()
    run = site.machine().settle()
    home, site.cloud = site.cloud, elsewhere(site.fake, "another account")
    site.restart()
    run.step()
    assert run.conditions["CredentialsReady"][1] == "CredentialsMissing"
    run.delete().step()
    assert not run.is_gone
    site.cloud = home
    site.restart()
    run.settle()
    assert run.is_gone
    assert run.vm["State"] == "terminated"
