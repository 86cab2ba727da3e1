"""Two managers on one API: one works, the other stands by."""

import contextlib
import time

import pytest

from provider.kube import kinds
from provider.manager import election
from provider.outcome import Outcome
from tests.contract.kube.client import eventually
from tests.functional.provider.deciding import deciding, phase
from tests.functional.provider.stage import Replica, Trial

QUICK = {
    "leader_elect": True,
    "leader_elect_lease_duration": 1.5,
    "leader_elect_renew_deadline": 1.0,
    "leader_elect_retry_period": 0.2,
}


def candidate(stage, name="", **changes):
    """Return a replica that wants to lead, and says in the status who worked."""
    decide = deciding(cluster=lambda seen, tools: Outcome(status={"phase": name}))
    options = {**QUICK, "leader_elect_namespace": stage.namespace, **changes}
    return Replica(stage, decide, **options)


@contextlib.contextmanager
def pair(stage):
    """Run a leader and one that stands by."""
    with candidate(stage, "first") as first:
        eventually(lambda: first.is_leader)
        with candidate(stage, "second") as second:
            yield first, second


def lease(stage):
    return stage.get(kinds.LEASE, election.LEASE)["spec"]


def test_only_one_of_two_works(plain):
    with pair(plain) as (first, second):
        plain.cluster()
        eventually(lambda: phase(plain) == "first")
        assert (first.is_leader, second.is_leader) == (True, False)
        assert (first.value("caposc_leader"), second.value("caposc_leader")) == (1, 0)


def test_the_other_takes_over_at_once_when_the_leader_stops(plain):
    with pair(plain) as (first, second):
        first.stop()
        began = time.monotonic()
        eventually(lambda: second.is_leader)
        assert time.monotonic() - began < 1
        plain.cluster()
        eventually(lambda: phase(plain) == "second")
        assert lease(plain)["leaseTransitions"] >= 1


def test_the_lease_is_renewed(plain):
    with candidate(plain) as only:
        eventually(lambda: only.is_leader)
        renewed = lease(plain)["renewTime"]
        eventually(lambda: lease(plain)["renewTime"] != renewed)
        assert only.is_leader


def test_a_lease_that_somebody_took_ends_the_process_at_once(plain):
    with candidate(plain) as robbed:
        eventually(lambda: robbed.is_leader)
        plain.patch(kinds.LEASE, election.LEASE, spec={"holderIdentity": "somebody"})
        eventually(lambda: robbed.is_aborted)
        eventually(lambda: not robbed.is_leader)


def test_a_leader_that_cannot_renew_ends_before_another_may_start(faulty):
    with pair(faulty) as (first, second):
        faulty.fault("refuse", verb="patch", resource="leases", code=503)
        eventually(lambda: first.is_aborted)
        assert not second.is_leader
        faulty.heal()
        eventually(lambda: second.is_leader)


def test_a_silent_leader_is_replaced_after_its_lease(faulty):
    """The clocks of the two need not agree: the lease has to be seen unchanged for its time."""
    spec = {
        "holderIdentity": "a machine that burnt",
        "leaseDurationSeconds": 1,
        "renewTime": "2099-01-01T00:00:00.000000Z",
    }
    faulty.create(kinds.LEASE, election.LEASE, spec=spec)
    began = time.monotonic()
    with candidate(faulty) as heir:
        eventually(lambda: heir.is_leader)
        assert time.monotonic() - began > 1
        assert lease(faulty)["leaseTransitions"] == 1


@pytest.mark.parametrize("change", [None, {"holderIdentity": ""}, {"leaseDurationSeconds": None}])
def test_a_lease_that_somebody_spoiled_is_taken_again(plain, change):
    with candidate(plain) as only:
        eventually(lambda: only.is_leader)
        before = lease(plain)
        if change is None:
            plain.delete(kinds.LEASE, election.LEASE)
        else:
            plain.patch(kinds.LEASE, election.LEASE, spec=change)
        wanted = {each: before[each] for each in ("holderIdentity", "leaseDurationSeconds")}
        eventually(lambda: plain.get(kinds.LEASE, election.LEASE))
        eventually(lambda: wanted.items() <= lease(plain).items())
        assert only.is_leader


def test_a_leader_survives_a_short_absence_of_the_server(faulty):
    with candidate(faulty) as only:
        eventually(lambda: only.is_leader)
        with faulty.away():
            time.sleep(0.3)  # noqa: TID251 - a real server takes real time
        time.sleep(1.5)  # noqa: TID251 - as above
        assert only.is_leader


def test_a_leader_stops_although_the_server_is_silent(faulty):
    """It would be killed otherwise, after the time that Kubernetes gives it."""
    with candidate(
        faulty, leader_elect_renew_deadline=30.0, leader_elect_lease_duration=40.0
    ) as it:
        eventually(lambda: it.is_leader)
        faulty.fault("delay", resource="leases", seconds=60.0)
        it.stop(within_s=10)


def test_one_that_stands_by_stops_when_told(plain):
    with pair(plain) as (first, second):
        second.stop(2)
        assert first.is_leader


def test_work_that_was_going_on_is_not_finished_after_the_loss(plain):
    reached = []

    def slow(_seen, tools):
        reached.append("started")
        while not robbed.is_aborted:
            time.sleep(0.05)  # noqa: TID251 - it waits for another thread
        tools.record({"phase": "too late"})
        return Outcome(status={"phase": "too late"})

    trial = Trial(slow)
    options = {**QUICK, "leader_elect_namespace": plain.namespace}
    with Replica(plain, deciding(cluster=trial), **options) as robbed:
        plain.cluster()
        eventually(lambda: reached)
        plain.patch(kinds.LEASE, election.LEASE, spec={"holderIdentity": "somebody"})
        eventually(lambda: robbed.is_aborted)
    assert phase(plain) is None


@pytest.mark.parametrize("times", [(10, 10, 2), (15, 2, 2), (15, 10, 0)])
def test_times_that_cannot_work_are_refused(times):
    with pytest.raises(ValueError, match="has to be longer than the next"):
        election.Terms(*times)
