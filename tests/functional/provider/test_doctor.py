"""The doctor finds what is wrong with an account, and says what to do."""

import random

import pytest
from click.testing import CliRunner

from fakecloud import FakeCloud, FakeCloudAdapter
from provider import cli, doctor
from provider.api import v1beta2
from provider.osc.client import Client
from provider.osc.credentials import Credentials
from provider.osc.limits import Limiter
from provider.permissions import PERMISSIONS, text
from tests.functional.provider.test_osc_client import ADDRESS, CloudClock

REGION = "eu-west-2"
QUICK = doctor.Asked(has_trials=False)


@pytest.fixture(name="cloud")
def _cloud():
    return FakeCloud()


def client(cloud, key=None, **facts):
    """Return the provider's own client of a simulated cloud, as the user with a key."""
    access_key, secret_key = key or cloud.accounts[cloud.account]
    given = {"region": cloud.region, "endpoint": f"{ADDRESS}/api/v1", **facts}
    clock, chance = CloudClock(cloud), random.Random(7)
    made = Client(
        Credentials(access_key, secret_key, **given), Limiter(clock, chance), clock, chance
    )
    made.wire.session.mount(ADDRESS, FakeCloudAdapter(cloud, "verify"))
    return made


def findings(cloud, asked=QUICK, **facts):
    made = client(cloud, **facts)
    try:
        return {each.what: each for each in doctor.examine(made, asked)}
    finally:
        made.close()


def user(cloud, document):
    """Make an EIM user with a policy, and return the access key."""
    cloud.call("CreateUser", UserName="caposc")
    made = cloud.call("CreatePolicy", PolicyName="caposc", Document=document)["Policy"]
    cloud.call("LinkPolicy", UserName="caposc", PolicyOrn=made["Orn"])
    key = cloud.call("CreateAccessKey", UserName="caposc")["AccessKey"]
    return key["AccessKeyId"], key["SecretKey"]


def image(cloud):
    return cloud.call("ReadImages")["Images"][0]


# --- A healthy account ---------------------------------------------------------------------------


def test_a_new_account_is_fine(cloud):
    found = findings(cloud, doctor.Asked())
    assert list(found) == ["region", "quotas", "permissions"]
    assert not any(each.remedy for each in found.values())


def test_nothing_is_left_behind(cloud):
    before = {each: cloud.call(f"Read{each}")[each] for each in ("Nets", "PublicIps", "Vms")}
    findings(cloud, doctor.Asked())
    assert {each: cloud.call(f"Read{each}")[each] for each in before} == before


def test_the_policy_that_we_print_allows_all_that_is_tried(cloud):
    found = findings(cloud, doctor.Asked(), key=user(cloud, text()))
    assert found["permissions"].told == f"All {len(PERMISSIONS)} actions are allowed."


def test_what_is_asked_for_and_there_is_fine(cloud):
    cloud.call("CreateKeypair", KeypairName="ops")
    wanted = v1beta2.Image(id=image(cloud)["ImageId"])
    found = findings(cloud, doctor.Asked(wanted, "ops", ("eu-west-2a",), has_trials=False))
    assert list(found) == ["region", "quotas", "image", "keypair"]
    assert not any(each.remedy for each in found.values())


# --- What can be wrong ---------------------------------------------------------------------------


def test_an_action_that_is_not_allowed_is_named_with_its_use(cloud):
    document = text().replace('        "api:DeleteNet",\n', "")
    found = findings(cloud, doctor.Asked(), key=user(cloud, document))
    assert found["permissions"].told == "Not allowed: api:DeleteNet, which deletes the Net."
    assert "caposc permissions" in found["permissions"].remedy


def test_a_wrong_key_ends_the_examination(cloud):
    access_key, _ = cloud.accounts[cloud.account]
    found = findings(cloud, doctor.Asked(), key=(access_key, "wrong" * 8))
    assert list(found) == ["region"]
    assert found["region"].remedy.startswith("Check the access key")


def test_a_region_that_the_endpoint_does_not_serve_is_told(cloud):
    found = findings(cloud, region="eu-west-9")
    assert found["region"].remedy


def test_a_subregion_that_does_not_exist_is_told(cloud):
    found = findings(cloud, doctor.Asked(subregions=("eu-west-2z",), has_trials=False))
    assert "no subregion eu-west-2z" in found["region"].told
    assert "eu-west-2a" in found["region"].remedy


def test_a_quota_that_is_used_up_is_told_with_both_numbers():
    cloud = FakeCloud(quota={"vpc_limit": 1, "lb_limit": 0})
    cloud.call("CreateNet", IpRange="10.0.0.0/16")
    told = findings(cloud)["quotas"].told
    assert "Nets (1 of 1 are used, and a cluster needs 1)" in told
    assert "load balancers (0 of 0 are used, and a cluster needs 1)" in told


def test_an_image_that_does_not_exist_is_told(cloud):
    wanted = v1beta2.Image(name="none", account_id="012345678901")
    found = findings(cloud, doctor.Asked(wanted, has_trials=False))
    assert "does not exist in eu-west-2" in found["image"].remedy


def test_a_keypair_that_does_not_exist_is_told_with_those_that_do(cloud):
    cloud.call("CreateKeypair", KeypairName="ops")
    found = findings(cloud, doctor.Asked(keypair="oops", has_trials=False))
    assert found["keypair"].remedy.endswith("choose from those that exist: ops.")


def test_a_refusal_in_one_place_leaves_the_others_to_be_looked_at(cloud):
    cloud.call("CreateKeypair", KeypairName="ops")
    document = text().replace('        "api:ReadQuotas",\n', "")
    asked = doctor.Asked(keypair="ops", has_trials=False)
    found = findings(cloud, asked, key=user(cloud, document))
    assert "ReadQuotas" in found["quotas"].told
    assert found["quotas"].remedy
    assert not found["keypair"].remedy


# --- The command ---------------------------------------------------------------------------------


def run(environment, *arguments):
    cleared = {"OSC_CONFIG_FILE": None, "OSC_PROFILE": None, "HOME": "/nonexistent"}
    return CliRunner().invoke(
        cli.main, ["doctor", "--no-permissions", *arguments], env={**cleared, **environment}
    )


def test_the_command_examines_the_account_of_the_environment(fakecloud, fakecloud_server):
    access_key, secret_key = fakecloud.accounts[fakecloud.account]
    environment = {
        "OSC_ENDPOINT_API": f"{fakecloud_server.url}/api/v1",
        "OSC_ACCESS_KEY": access_key,
        "OSC_SECRET_KEY": secret_key,
        "OSC_REGION": REGION,
    }
    done = run(environment)
    assert done.exit_code == 0, done.output
    lines = done.output.splitlines()
    assert [line.split()[:2] for line in lines] == [
        ["OK", "credentials"],
        ["OK", "region"],
        ["OK", "quotas"],
    ]
    assert secret_key not in done.output
    assert access_key not in done.output
    done = run(environment, "--keypair=none", "--image=ami-00000000")
    assert done.exit_code == 1
    failed = [line.split()[1] for line in done.output.splitlines() if line.startswith("FAIL")]
    assert failed == ["image", "keypair"]


def test_the_command_says_which_credentials_are_missing():
    names = ("OSC_ACCESS_KEY", "OSC_SECRET_KEY", "OSC_REGION")
    done = run(dict.fromkeys(names))
    assert done.exit_code == 1
    assert done.output.startswith("FAIL  credentials")
    assert "OSC_ACCESS_KEY" in done.output
