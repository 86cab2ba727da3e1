"""Faults, time, accounts and regions: what goes wrong on purpose, and who sees what."""

import pytest

from fakecloud import ApiError, Clock, ConnectionLost, FakeCloud, faults


@pytest.fixture
def cloud():
    return FakeCloud()


@pytest.fixture
def subnet(cloud):
    net = cloud.call("CreateNet", IpRange="10.0.0.0/16")["Net"]
    return cloud.call("CreateSubnet", NetId=net["NetId"], IpRange="10.0.1.0/24")["Subnet"]


def refusal(cloud, action, **request):
    with pytest.raises(ApiError) as caught:
        cloud.call(action, **request)
    return caught.value.code


def image(cloud):
    return cloud.call("ReadImages", Filters={"ImageNames": ["Ubuntu*"]})["Images"][0]["ImageId"]


def vm_state(cloud, vm):
    return cloud.call("ReadVms", Filters={"VmIds": [vm]})["Vms"][0]["State"]


def test_a_fault_hits_the_calls_that_it_names(cloud):
    cloud.fail("refuse", action="CreatePublicIp", calls=[2, 3], code=10011, details="No more.")
    cloud.call("CreatePublicIp")
    assert refusal(cloud, "CreatePublicIp") == "10011"
    assert refusal(cloud, "CreatePublicIp") == "10011"
    cloud.call("CreatePublicIp")


def test_a_fault_can_be_limited_to_some_times_and_an_account(cloud):
    cloud.fail("refuse", action="Read*", account="111122223333", times=1, code=2000)
    cloud.call("ReadNets")
    other = cloud.client(account="111122223333")
    with pytest.raises(ApiError):
        other.ReadNets()
    other.ReadNets()


def test_chances_come_from_the_seed():
    def outcomes(seed):
        cloud = FakeCloud(seed=seed)
        cloud.fail("refuse", action="ReadNets", probability=0.5, code=2000)
        found = []
        for _ in range(40):
            try:
                cloud.call("ReadNets")
                found.append(True)
            except ApiError:
                found.append(False)
        return found

    assert outcomes(3) == outcomes(3) != outcomes(4)
    assert 5 < sum(outcomes(3)) < 35


def test_a_lost_answer_can_be_found_again_by_its_client_token(cloud, subnet):
    cloud.fail("lose", action="CreateVms", times=1)
    request = {"ImageId": image(cloud), "SubnetId": subnet["SubnetId"], "ClientToken": "once"}
    with pytest.raises(ConnectionLost):
        cloud.call("CreateVms", **request)
    again = cloud.call("CreateVms", **request)["Vms"]
    assert [vm["VmId"] for vm in cloud.call("ReadVms")["Vms"]] == [again[0]["VmId"]]


def test_a_stale_read_shows_the_past_and_only_that_read(cloud):
    cloud.fail("stale", action="ReadNets", seconds=10, times=2)
    cloud.clock.advance(60)
    net = cloud.call("CreateNet", IpRange="10.0.0.0/16")["Net"]["NetId"]
    cloud.clock.advance(1)
    assert cloud.call("ReadNets")["Nets"] == []
    assert len(cloud.call("ReadSecurityGroups", Filters={"NetIds": [net]})["SecurityGroups"]) == 1
    cloud.clock.advance(10)
    assert len(cloud.call("ReadNets")["Nets"]) == 1
    cloud.call("DeleteNet", NetId=net)


def test_a_stale_fault_that_was_saved_still_shows_the_past(cloud):
    cloud.fail("stale", action="ReadNets", seconds=10)
    saved = cloud.save()
    again = FakeCloud()
    again.load(saved)
    again.clock.advance(60)
    again.call("CreateNet", IpRange="10.0.0.0/16")
    assert again.call("ReadNets")["Nets"] == []


def test_a_stuck_state_stays_until_the_fault_is_lifted(cloud, subnet):
    cloud.fail("stuck", kind="Vm", state="pending")
    created = cloud.call("CreateVms", ImageId=image(cloud), SubnetId=subnet["SubnetId"])
    vm = created["Vms"][0]["VmId"]
    cloud.clock.advance(3600)
    assert vm_state(cloud, vm) == "pending"
    cloud.faults.clear()
    cloud.clock.advance(60)
    assert vm_state(cloud, vm) == "running"


def test_a_delay_passes_virtual_time(cloud):
    cloud.fail("delay", action="ReadNets", seconds=7)
    before = cloud.clock.now()
    cloud.call("ReadNets")
    assert cloud.clock.now() == before + 7


def test_a_fault_that_makes_no_sense_is_refused(cloud):
    with pytest.raises(ValueError, match="must be one of refuse"):
        cloud.fail("explode")
    with pytest.raises(ValueError, match="from 0 to 1"):
        cloud.fail("refuse", probability=7)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"effect": "refuse", "action": "CreateNets"}, "No action is called"),
        ({"effect": "refuse", "action": 5}, "No action is called"),
        ({"effect": "refuse", "code": 99999}, "no errors with codes like"),
        ({"effect": "refuse", "code": "24"}, "Expected `int`"),
        ({"effect": "delay", "seconds": "long"}, "Expected `float`"),
        ({"effect": "delay", "seconds": -1}, "Use 0 or more"),
        ({"effect": "throttle"}, "Give both"),
        ({"effect": "stuck", "kind": "Nat"}, "There is no kind"),
        ({"effect": "stuck", "kind": "NatService", "state": "gone"}, "gets stuck in"),
    ],
)
def test_a_fault_that_could_never_strike_is_refused(cloud, facts, said):
    with pytest.raises(ValueError, match=said):
        cloud.fail(**facts)
    assert not cloud.faults
    cloud.call("ReadNets")


def test_a_fault_has_no_other_facts(cloud):
    with pytest.raises(TypeError, match="has no actions"):
        cloud.fail("refuse", actions="ReadNets")


def test_a_throttle_without_a_code_answers_24(cloud):
    cloud.fail("throttle", action="ReadNets", limit=0, seconds=1)
    assert refusal(cloud, "ReadNets") == "24"


def test_a_quota_is_enforced_and_can_be_changed(cloud):
    for _ in range(5):
        cloud.call("CreateNet", IpRange="10.0.0.0/16")
    assert refusal(cloud, "CreateNet", IpRange="10.0.0.0/16") == "10022"
    cloud.set_quota("vpc_limit", 6, cloud.account)
    cloud.call("CreateNet", IpRange="10.0.0.0/16")
    assert refusal(cloud, "CreateNet", IpRange="10.0.0.0/16") == "10022"


def test_a_subregion_without_capacity_refuses_vms(cloud, subnet):
    cloud.set_capacity("eu-west-2a", ["*"])
    code = refusal(cloud, "CreateVms", ImageId=image(cloud), SubnetId=subnet["SubnetId"])
    assert code == "10001"
    assert cloud.call("ReadVms")["Vms"] == []


def test_capacity_is_that_of_a_known_subregion(cloud):
    with pytest.raises(ValueError, match="There is no subregion 'mars'"):
        cloud.set_capacity("mars", ["*"])


def test_an_account_has_twelve_digits(cloud):
    with pytest.raises(ValueError, match="Use 12 digits"):
        cloud.call("ReadNets", account="me")


def test_accounts_do_not_see_each_other(cloud, subnet):
    other = cloud.client(account="111122223333")
    assert other.ReadSubnets()["Subnets"] == []
    with pytest.raises(ApiError) as caught:
        other.DeleteSubnet(SubnetId=subnet["SubnetId"])
    assert caught.value.code == "5057"


def test_regions_do_not_see_each_other(cloud, subnet):
    elsewhere = cloud.client(region="us-east-2")
    assert elsewhere.ReadSubnets(Filters={"SubnetIds": [subnet["SubnetId"]]})["Subnets"] == []
    names = [each["SubregionName"] for each in elsewhere.ReadSubregions()["Subregions"]]
    assert names
    assert all(name.startswith("us-east-2") for name in names)
    with pytest.raises(ValueError, match="the document knows only"):
        cloud.call("ReadNets", region="mars-north-1")


def test_a_running_clock_brings_states_forward():
    real = [0.0]
    cloud = FakeCloud(clock=Clock(rate=60, start=0, monotonic=lambda: real[0]))
    volume = cloud.call("CreateVolume", SubregionName="eu-west-2a", Size=10)["Volume"]
    assert volume["State"] == "creating"
    real[0] += 1
    assert cloud.call("ReadVolumes")["Volumes"][0]["State"] == "available"


def test_a_state_that_is_no_state_is_refused_and_nothing_is_lost(cloud, subnet):
    for bad in (b"", b"{", b"[]", b'{"version": 1}', b'{"version": 99}'):
        with pytest.raises(ValueError, match="state"):
            cloud.load(bad)
    assert cloud.call("ReadSubnets")["Subnets"] == [subnet]


def test_the_journal_tells_no_secret(cloud, subnet):
    data = "c2VjcmV0LXVzZXItZGF0YQ=="
    cloud.call("CreateVms", ImageId=image(cloud), SubnetId=subnet["SubnetId"], UserData=data)
    assert data not in str(cloud.journal.dump())
    assert "CreateVms" in cloud.journal.actions()


def test_an_action_of_the_document_is_never_answered_by_silence(cloud, monkeypatch):
    from fakecloud import call

    monkeypatch.delitem(call.ACTIONS, "ReadCas")
    with pytest.raises(ApiError, match="does not simulate the action ReadCas") as caught:
        cloud.call("ReadCas")
    assert caught.value.status == 501


def test_the_journal_keeps_neither_too_many_calls_nor_too_much_text():
    journal = faults.Journal(limit=3, room=10)
    for length in (1, 4, 4, 4, 11, 2):
        request = {"UserData": "x" * length, "VmIds": []}
        journal.add(faults.Entry(length, 0.0, "", "", "CreateVms", request))
    assert [entry.number for entry in journal] == [2]
    for _ in range(5):
        journal.add(faults.Entry(1, 0.0, "", "", "ReadVms", {}))
    assert len(journal) == 3
