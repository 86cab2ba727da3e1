"""The manager when Kubernetes is slow, forgetful, contradictory or away."""

import asyncio
import errno
import threading

import pytest

from provider.kube import auth, kinds
from provider.manager import watches
from provider.manager.cache import CLUSTER_LABEL
from provider.outcome import Outcome
from tests.contract.kube.client import eventually
from tests.functional.provider.deciding import FINALIZER, deciding, phase, settled, tiny
from tests.functional.provider.stage import Replica, Trial


@pytest.mark.parametrize("expired", [False, True])
def test_a_watch_that_breaks_is_taken_up_again(faulty, expired):
    with Replica(faulty, deciding()):
        faulty.cluster("before")
        eventually(lambda: phase(faulty, name="before") == "there")
        faulty.server.control("drop-watches", {"expired": expired})
        faulty.cluster("after")
        eventually(lambda: phase(faulty, name="after") == "there")


def hits(faulty):
    """Return how often the first fault has struck."""
    return faulty.server.control("faults", method="GET")[0]["hits"]


def refuse_the_list(faulty, **facts):
    """Break the watch of Clusters, and refuse the list with which it is taken up again."""
    faulty.fault("refuse", verb="list", resource="clusters", **facts)

    def is_refused():
        # A watch that has not begun yet is not dropped.
        faulty.server.control("drop-watches", {"expired": True})
        return hits(faulty)

    eventually(is_refused)


@pytest.mark.parametrize("code", [400, 404])
def test_a_refused_list_ends_no_watch_for_good(faulty, code):
    """Kopf gives up, and for all kinds, when the list of one is refused; it is started again."""
    with Replica(faulty, deciding()):
        faulty.cluster()
        eventually(lambda: phase(faulty) == "there")
        refuse_the_list(faulty, code=code)
        faulty.heal()
        faulty.patch(kinds.CLUSTER, "demo", spec={"paused": True})
        eventually(lambda: phase(faulty) == "paused")


def test_starting_kopf_again_and_again_leaves_no_threads_behind(faulty, monkeypatch):
    """It would keep one for each start, and take five seconds to end."""
    monkeypatch.setattr(watches, "AGAIN_S", (0.01,))
    with Replica(faulty, deciding()):
        faulty.cluster()
        eventually(lambda: phase(faulty) == "there")
        count = threading.active_count()
        refuse_the_list(faulty, code=400)
        eventually(lambda: hits(faulty) > 8)
        assert threading.active_count() <= count
        faulty.heal()
        faulty.patch(kinds.CLUSTER, "demo", spec={"paused": True})
        eventually(lambda: phase(faulty) == "paused")


def test_what_is_lacking_to_start_kopf_ends_no_watch_for_good(faulty, monkeypatch):
    calls, new_event_loop = [], asyncio.new_event_loop

    def lacking():
        calls.append(threading.current_thread().name)
        if len(calls) == 1:
            raise OSError(errno.EMFILE, "Too many open files")
        return new_event_loop()

    with Replica(faulty, deciding()):
        faulty.cluster()
        eventually(lambda: phase(faulty) == "there")
        monkeypatch.setattr(asyncio, "new_event_loop", lacking)
        refuse_the_list(faulty, code=400, times=1)
        eventually(lambda: calls == ["watches"] * 2)
        faulty.patch(kinds.CLUSTER, "demo", spec={"paused": True})
        eventually(lambda: phase(faulty) == "paused")


class Forgetful:
    """A source that knows nothing when it is asked a second time, which is by kopf."""

    def __init__(self, source):
        self._source = source
        self.asked = 0

    def access(self):
        self.asked += 1
        if self.asked == 2:
            raise auth.AccessError("The file is being written.")
        return self._source.access()


def test_credentials_that_are_missing_for_a_moment_stop_no_watch_for_a_minute(faulty):
    source = Forgetful(faulty.source)
    with Replica(faulty, deciding(), source=source):
        eventually(lambda: source.asked >= 2)
        faulty.cluster()
        eventually(lambda: phase(faulty) == "there")


def test_a_list_after_a_break_wakes_only_what_has_changed(faulty):
    trial = Trial(tiny)
    with Replica(faulty, deciding(cluster=trial)) as replica:
        for number in range(20):
            faulty.cluster(f"c{number}")
        eventually(lambda: all(phase(faulty, name=f"c{n}") == "there" for n in range(20)))
        count = settled(trial)
        faulty.server.control("compact")
        faulty.server.control("drop-watches", {"expired": True})
        faulty.cluster("new")
        eventually(lambda: phase(faulty, name="new") == "there")
        settled(trial)
        names = {each.primary["metadata"]["name"] for each in trial.seen[count:]}
        assert names == {"new"}
        assert replica.problem is None


def test_a_list_after_a_break_wakes_nobody_for_a_secret_that_is_as_it_was(faulty):
    trial = Trial(tiny)
    with Replica(faulty, deciding(machine=trial)):
        faulty.cluster()
        faulty.secret("boot", labels={CLUSTER_LABEL: "demo"}, value="one")
        faulty.machine("one", bootstrap="boot")
        eventually(lambda: faulty.status(kinds.OSC_MACHINE, "one").get("bootstrap") == "boot")
        count = settled(trial)
        faulty.server.control("compact")
        faulty.server.control("drop-watches", {"expired": True})
        faulty.cluster("new")
        eventually(lambda: phase(faulty, name="new") == "there")
        assert settled(trial) == count
        faulty.patch(kinds.SECRET, "boot", stringData={"value": "two"})
        eventually(lambda: len(trial) > count)


def test_an_object_that_went_during_a_break_is_forgotten(faulty):
    with Replica(faulty, deciding(), sync_period=0.3):
        faulty.cluster()
        faulty.machine("one")
        eventually(lambda: faulty.status(kinds.OSC_CLUSTER, "demo").get("others") == ["one"])
        with faulty.away():
            pass
        faulty.server.control("compact")
        faulty.delete(kinds.OSC_MACHINE, "one")
        eventually(lambda: faulty.status(kinds.OSC_CLUSTER, "demo").get("others") == [])


def test_what_others_write_between_two_of_our_steps_during_a_break_is_looked_at(faulty):
    """A list shows the last write only, which is ours; the manager begins with such a break."""
    has_begun, may_go_on = threading.Event(), threading.Event()

    def slow(seen, _tools):
        if seen.primary["metadata"]["name"] == "demo":
            has_begun.set()
            may_go_on.wait(10)
        return Outcome(status={"phase": seen.primary["spec"].get("wish", "none")})

    with Replica(faulty, deciding(cluster=slow)):
        faulty.create(kinds.OSC_CLUSTER, "other", spec={})
        eventually(lambda: phase(faulty, name="other"))
        faulty.create(kinds.OSC_CLUSTER, "demo", spec={})
        has_begun.wait(10)
        faulty.fault("refuse", verb="watch", resource="oscclusters", code=500)
        faulty.server.control("drop-watches", {})
        faulty.patch(kinds.OSC_CLUSTER, "demo", spec={"wish": "new"})
        may_go_on.set()
        eventually(lambda: phase(faulty) == "none")
        faulty.server.control("compact")
        faulty.heal()
        eventually(lambda: phase(faulty) == "new")


def test_what_is_remembered_of_an_object_is_not_told_of_its_successor(faulty):
    remembered = []

    def remembering(seen, tools):
        remembered.append(dict(tools.memory))
        tools.memory["uid"] = seen.primary["metadata"]["uid"]
        return Outcome(status={"phase": seen.primary["metadata"]["uid"]})

    with Replica(faulty, deciding(cluster=remembering)):
        for _ in range(2):
            made = faulty.create(kinds.OSC_CLUSTER, "demo", spec={})["metadata"]["uid"]
            eventually(lambda made=made: phase(faulty) == made)
            assert {each.get("uid", made) for each in remembered} == {made}
            remembered.clear()
            faulty.delete(kinds.OSC_CLUSTER, "demo")


def test_a_reference_without_a_name_does_no_harm(faulty):
    """Older cores accept one, and whoever writes it must not end the work for all others."""
    for name in ({}, {"name": ""}):
        of = {"infrastructureRef": {"kind": "OscCluster", **name}}
        faulty.create(kinds.CLUSTER, f"odd-{len(name)}", spec=of)
        of = {"infrastructureRef": {"kind": "OscMachine", **name}}
        faulty.create(kinds.MACHINE, f"odd-{len(name)}", spec=of)
        labels = {CLUSTER_LABEL: f"odd-{len(name)}"}
        faulty.create(kinds.OSC_MACHINE, f"odd-{len(name)}", metadata={"labels": labels}, spec={})
    trial = Trial(tiny)
    with Replica(faulty, deciding(machine=trial)) as replica:
        faulty.cluster()
        eventually(lambda: phase(faulty) == "there")
        eventually(lambda: len(trial) >= 2)
        assert {each.osc_cluster for each in trial.seen} == {None}
        assert not replica.value("caposc_reconciles_total", kind="OscCluster", end="error")


def test_a_kind_that_is_not_served_for_a_moment_says_nothing_of_its_objects(faulty):
    """A Cluster that cannot be read may be paused, and is not one that is gone."""
    with Replica(faulty, deciding()) as replica:
        faulty.cluster(paused=True)
        eventually(lambda: phase(faulty) == "paused")
        faulty.patch(kinds.OSC_CLUSTER, "demo", metadata={"finalizers": [FINALIZER]})
        faulty.fault("refuse", verb="get", resource="clusters", code=404)
        faulty.delete(kinds.OSC_CLUSTER, "demo")
        eventually(lambda: replica.value("caposc_reconciles_total", kind="OscCluster", end="error"))
        assert faulty.get(kinds.OSC_CLUSTER, "demo")
        faulty.heal()
        faulty.patch(kinds.CLUSTER, "demo", spec={"paused": False})
        eventually(lambda: faulty.get(kinds.OSC_CLUSTER, "demo") is None)


def test_an_object_of_a_kind_that_is_not_served_for_a_moment_is_looked_at_again(faulty):
    trial = Trial(tiny)
    with Replica(faulty, deciding(cluster=trial), sync_period=0.3) as replica:
        faulty.cluster()
        eventually(lambda: phase(faulty) == "there")
        faulty.fault("refuse", verb="get", resource="oscclusters", code=404)
        eventually(lambda: replica.value("caposc_reconciles_total", kind="OscCluster", end="error"))
        faulty.heal()
        count = len(trial)
        eventually(lambda: len(trial) > count)


def test_a_storm_of_conflicts_passes(faulty):
    faulty.fault("conflict", verb="patch", probability=0.6)
    with Replica(faulty, deciding()) as replica:
        for number in range(5):
            faulty.cluster(f"c{number}")
        eventually(lambda: all(phase(faulty, name=f"c{n}") == "there" for n in range(5)))
        assert replica.value("caposc_reconciles_total", kind="OscCluster", end="error") == 0


def test_an_endless_storm_of_conflicts_ends_the_reconcile_and_not_the_manager(faulty):
    faulty.fault("conflict", verb="patch")
    with Replica(faulty, deciding()) as replica:
        faulty.cluster()
        eventually(
            lambda: replica.value("caposc_reconciles_total", kind="OscCluster", end="conflict")
        )
        faulty.heal()
        eventually(lambda: phase(faulty) == "there")


@pytest.mark.parametrize("effect", ["lose", "drop", "refuse", "throttle"])
def test_a_server_with_problems_is_asked_again(faulty, effect):
    faulty.fault(effect, verb="patch", resource="oscclusters*", probability=0.5)
    with Replica(faulty, deciding()):
        faulty.cluster()
        eventually(lambda: phase(faulty) == "there")


def test_an_intent_that_cannot_be_kept_ends_the_reconcile(faulty):
    went_on = []

    def recording(_seen, tools):
        tools.record({"intents": [{"kind": "net", "key": "default"}]})
        went_on.append(True)
        return Outcome(status={"phase": "there"})

    faulty.fault("refuse", verb="patch", resource="oscclusters/status", code=403)
    with Replica(faulty, deciding(cluster=recording)) as replica:
        faulty.cluster()
        eventually(lambda: replica.value("caposc_queue_retries_total", kind="OscCluster"))
        assert not went_on
        faulty.heal()
        eventually(lambda: phase(faulty) == "there")


def test_an_intent_is_not_written_over_one_of_another_manager(faulty):
    started = threading.Event()
    changed = threading.Event()

    def recording(seen, tools):
        if "intents" not in (seen.primary.get("status") or {}):
            started.set()
            changed.wait(10)
            tools.record({"intents": [{"kind": "net", "key": "mine"}]})
        return Outcome(status={"phase": "there"})

    trial = Trial(recording)
    with Replica(faulty, deciding(cluster=trial)) as replica:
        faulty.cluster()
        started.wait(10)
        theirs = {"intents": [{"kind": "net", "key": "theirs"}]}
        faulty.patch(kinds.OSC_CLUSTER, "demo", "status", status=theirs)
        changed.set()
        eventually(
            lambda: replica.value("caposc_reconciles_total", kind="OscCluster", end="conflict")
        )
        eventually(lambda: phase(faulty) == "there")
    assert trial.seen[1].primary["status"] == theirs


def test_a_server_that_comes_back_finds_the_manager_at_work(faulty):
    with Replica(faulty, deciding()) as replica:
        faulty.cluster("before")
        eventually(lambda: phase(faulty, name="before") == "there")
        with faulty.away():
            threading.Event().wait(2)
        faulty.cluster("after")
        eventually(lambda: phase(faulty, name="after") == "there")
        assert replica.problem is None


def test_a_manager_that_starts_before_its_server_waits_for_it(faulty):
    replica = Replica(faulty, deciding())
    with faulty.away():
        replica.start()
        threading.Event().wait(0.5)
    faulty.cluster()
    eventually(lambda: phase(faulty) == "there")
    replica.stop()


def test_definitions_that_come_later_are_followed(bare, request):
    with Replica(bare, deciding()):
        plain = request.getfixturevalue("plain")
        plain.cluster()
        eventually(lambda: phase(plain) == "there")
