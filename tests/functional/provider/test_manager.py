"""The manager on a Kubernetes API, with reconcile functions that are as small as can be."""

import io
import json
import logging
import time

from provider.kube import kinds
from provider.manager import logs
from provider.manager.subject import BLOCK_MOVE
from provider.outcome import Event, Outcome
from tests.contract.kube.client import eventually
from tests.functional.provider.deciding import FINALIZER, deciding, phase, settled, tiny
from tests.functional.provider.stage import Replica, Trial


def test_a_new_object_has_a_status_soon(plain):
    with Replica(plain, deciding()):
        plain.cluster("warm")
        eventually(lambda: phase(plain, name="warm"))
        began = time.monotonic()
        plain.cluster()
        eventually(lambda: phase(plain) == "there")
        assert time.monotonic() - began < 1
        assert plain.get(kinds.OSC_CLUSTER, "demo")["metadata"]["finalizers"] == [FINALIZER]


def test_an_object_that_was_there_before_is_looked_at(plain):
    plain.cluster()
    with Replica(plain, deciding()):
        eventually(lambda: phase(plain) == "there")


def test_nothing_is_written_when_nothing_changes(plain):
    trial = Trial(tiny)
    with Replica(plain, deciding(cluster=trial), sync_period=0.2):
        plain.cluster()
        eventually(lambda: len(trial) >= 3)
        version = plain.get(kinds.OSC_CLUSTER, "demo")["metadata"]["resourceVersion"]
        count = len(trial)
        eventually(lambda: len(trial) >= count + 5)
        assert plain.get(kinds.OSC_CLUSTER, "demo")["metadata"]["resourceVersion"] == version


def test_every_line_of_a_reconcile_says_what_it_is_about(plain):
    log = logging.getLogger("caposc.test")
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(logs.Json(logs.Redactor()))

    def decide(seen, tools):
        log.warning("A call of the cloud.")
        return tiny(seen, tools)

    log.addHandler(handler)
    with Replica(plain, deciding(cluster=decide)):
        plain.cluster()
        eventually(lambda: phase(plain) == "there")
    log.removeHandler(handler)
    found = json.loads(written.getvalue().splitlines()[0])
    assert found["message"] == "A call of the cloud."
    assert (found["kind"], found["namespace"], found["name"]) == (
        "OscCluster",
        plain.namespace,
        "demo",
    )


def test_our_own_writes_wake_nobody(plain):
    trial = Trial(lambda seen, tools: Outcome(status={"count": len(trial)}))
    with Replica(plain, deciding(cluster=trial)):
        plain.cluster()
        eventually(lambda: plain.status(kinds.OSC_CLUSTER, "demo"))
        # Each pass writes something new, so that a loop would never settle.
        assert settled(trial) <= 2


def test_an_object_is_gone_when_its_finalizer_goes(plain):
    with Replica(plain, deciding()):
        plain.cluster()
        eventually(lambda: phase(plain) == "there")
        plain.delete(kinds.OSC_CLUSTER, "demo")
        eventually(lambda: plain.get(kinds.OSC_CLUSTER, "demo") is None)


def test_a_cluster_that_goes_on_wakes_its_objects(plain):
    with Replica(plain, deciding()):
        plain.cluster(paused=True)
        plain.machine("one")
        eventually(lambda: phase(plain) == "paused")
        eventually(lambda: phase(plain, kinds.OSC_MACHINE, "one") == "paused")
        plain.patch(kinds.CLUSTER, "demo", spec={"paused": False})
        eventually(lambda: phase(plain) == "there")
        eventually(lambda: phase(plain, kinds.OSC_MACHINE, "one") == "there")


def test_a_machine_sees_its_cluster_with_its_bootstrap_data(plain):
    with Replica(plain, deciding()):
        plain.cluster()
        plain.machine("one", bootstrap="one-data")
        eventually(lambda: phase(plain, kinds.OSC_MACHINE, "one") == "there")
        plain.secret("one-data", {"cluster.x-k8s.io/cluster-name": "demo"}, value="x")
        eventually(lambda: plain.status(kinds.OSC_MACHINE, "one")["bootstrap"] == "one-data")
        assert plain.status(kinds.OSC_MACHINE, "one")["infrastructure"] == "demo"


def test_a_machine_sees_its_siblings_when_it_is_looked_at_again(plain):
    with Replica(plain, deciding(), sync_period=0.3):
        plain.cluster()
        plain.machine("one")
        plain.machine("two")
        eventually(lambda: plain.status(kinds.OSC_MACHINE, "one").get("others") == ["two"])
        eventually(lambda: plain.status(kinds.OSC_MACHINE, "two").get("others") == ["one"])


def test_a_machine_with_a_provider_id_needs_no_bootstrap_data(plain):
    plain.secret("one-data", {"cluster.x-k8s.io/cluster-name": "demo"}, value="x")
    with Replica(plain, deciding()):
        plain.cluster()
        plain.machine("one", bootstrap="one-data", providerID="aws:///eu-west-2a/i-12345678")
        eventually(lambda: phase(plain, kinds.OSC_MACHINE, "one") == "there")
        assert plain.status(kinds.OSC_MACHINE, "one")["bootstrap"] == ""


def test_a_cluster_that_is_deleted_sees_the_machines_that_the_server_has(plain):
    trial = Trial(tiny)
    with Replica(plain, deciding(cluster=trial)):
        plain.cluster()
        for name in ("one", "two"):
            plain.machine(name)
        eventually(lambda: phase(plain) == "there")
        plain.delete(kinds.OSC_CLUSTER, "demo")
        eventually(lambda: plain.get(kinds.OSC_CLUSTER, "demo") is None)
    names = [each["metadata"]["name"] for each in trial.seen[-1].osc_machines]
    assert names == ["one", "two"]


def test_a_status_that_somebody_wiped_comes_back(plain):
    with Replica(plain, deciding()):
        plain.cluster()
        eventually(lambda: phase(plain) == "there")
        plain.patch(kinds.OSC_CLUSTER, "demo", "status", status={"phase": None})
        eventually(lambda: phase(plain) == "there")


def test_a_failure_is_tried_again(plain):
    def failing(seen, tools):
        if len(trial) < 3:
            raise RuntimeError("a mistake")
        return tiny(seen, tools)

    trial = Trial(failing)
    with Replica(plain, deciding(cluster=trial)) as replica:
        plain.cluster()
        eventually(lambda: phase(plain) == "there")
        assert replica.value("caposc_queue_retries_total", kind="OscCluster") >= 2
        assert replica.value("caposc_reconciles_total", kind="OscCluster", end="error") >= 2


def test_what_is_told_to_be_tried_again_is_written_first(plain):
    trial = Trial(lambda seen, tools: Outcome(status={"phase": "there"}, retry=len(trial) < 3))
    with Replica(plain, deciding(cluster=trial)) as replica:
        plain.cluster()
        eventually(lambda: phase(plain) == "there")
        eventually(lambda: len(trial) >= 3)
        assert replica.value("caposc_reconciles_total", kind="OscCluster", end="retry") == 2


def test_an_object_without_the_label_of_the_watch_filter_is_left_alone(plain):
    with Replica(plain, deciding(), watch_filter="mine"):
        plain.cluster("theirs")
        plain.cluster("ours")
        labels = {"cluster.x-k8s.io/watch-filter": "mine"}
        plain.patch(kinds.OSC_CLUSTER, "ours", metadata={"labels": labels})
        eventually(lambda: phase(plain, name="ours") == "there")
        assert plain.status(kinds.OSC_CLUSTER, "theirs") == {}


def test_an_intent_is_kept_before_the_reconcile_goes_on(plain):
    kept = []

    def recording(_seen, tools):
        tools.record({"intents": [{"kind": "net", "key": "default"}]})
        kept.append(plain.get(kinds.OSC_CLUSTER, "demo"))
        return Outcome(status={"phase": "there"})

    with Replica(plain, deciding(cluster=recording)):
        plain.cluster()
        eventually(lambda: phase(plain) == "there")
        assert kept[0]["status"] == {"intents": [{"kind": "net", "key": "default"}]}
        assert BLOCK_MOVE in kept[0]["metadata"]["annotations"]
        eventually(
            lambda: (
                BLOCK_MOVE
                not in plain.get(kinds.OSC_CLUSTER, "demo")["metadata"].get("annotations", {})
            )
        )
        assert plain.status(kinds.OSC_CLUSTER, "demo") == {"phase": "there"}


def test_an_event_is_told_once_however_often_it_happens(plain):
    event = Event("Warning", "QuotaReached", "There is no more room. Ask for more.")
    trial = Trial(lambda seen, tools: Outcome(events=(event,), again_s=0.05))
    with Replica(plain, deciding(cluster=trial)):
        plain.cluster()
        eventually(lambda: len(trial) > 5)
        (told,) = eventually(lambda: plain.list(kinds.EVENT))
        assert (told["reason"], told["type"], told["note"]) == (
            event.reason,
            event.type,
            event.message,
        )
        assert told["regarding"]["name"] == "demo"


def test_metadata_of_others_survives_our_writes(plain):
    with Replica(plain, deciding()):
        plain.cluster()
        plain.patch(kinds.OSC_CLUSTER, "demo", metadata={"labels": {"theirs": "yes"}})
        eventually(lambda: phase(plain) == "there")
        assert plain.get(kinds.OSC_CLUSTER, "demo")["metadata"]["labels"]["theirs"] == "yes"


def test_templates_are_looked_at_too(plain):
    trial = Trial(lambda seen, tools: Outcome(status={"capacity": {"cpu": "4"}}))
    with Replica(plain, deciding(template=trial)):
        spec = {"template": {"spec": {"vm": {"keypairName": "ops"}}}}
        plain.create(kinds.OSC_MACHINE_TEMPLATE, "small", spec=spec)
        eventually(lambda: plain.status(kinds.OSC_MACHINE_TEMPLATE, "small"))
