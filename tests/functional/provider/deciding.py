"""Reconcile functions that are as small as can be."""

import time

from provider.kube import kinds
from provider.outcome import Outcome

FINALIZER = "oscclusters.infrastructure.cluster.x-k8s.io"


def tiny(seen, _tools):
    """Add the finalizer, report in the status, and leave when the object goes; honour a pause."""
    metadata = seen.primary["metadata"]
    paused = bool((seen.cluster or {}).get("spec", {}).get("paused"))
    if paused:
        return Outcome(status={"phase": "paused"})
    if "deletionTimestamp" in metadata:
        return Outcome(metadata={"finalizers": []}, status={"phase": "gone"})
    names = [each["metadata"]["name"] for each in seen.osc_machines]
    bootstrap = (seen.bootstrap or {}).get("metadata", {}).get("name", "")
    status = {"phase": "there", "others": names, "bootstrap": bootstrap}
    if seen.osc_cluster is not None and seen.osc_cluster is not seen.primary:
        status["infrastructure"] = seen.osc_cluster["metadata"]["name"]
    return Outcome(metadata={"finalizers": [FINALIZER]}, status=status)


def deciding(**changes):
    """Return what a replica decides with: the tiny function, unless told otherwise."""
    names = {"OscCluster": "cluster", "OscMachine": "machine", "OscMachineTemplate": "template"}
    return {kind: changes.get(name, tiny) for kind, name in names.items()}


def phase(stage, kind=kinds.OSC_CLUSTER, name="demo"):
    """Return what the tiny function has reported."""
    return stage.status(kind, name).get("phase")


def settled(trial, for_s=0.5):
    """Wait until a function has not been called for a while, and return how often it was."""
    count = -1
    while count != len(trial):
        count = len(trial)
        time.sleep(for_s)  # noqa: TID251 - a real server takes real time
    return count
