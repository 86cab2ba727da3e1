"""Deployments, DaemonSets, ReplicaSets, StatefulSets, Jobs, CronJobs, autoscalers."""

from __future__ import annotations

from typing import Any, Final

from fakekube import store
from fakekube.kinds import pods

Json = Any
Object = dict[str, Any]

TEMPLATE_GENERATION: Final = "deprecated.daemonset.template.generation"


def _spec(obj: Object) -> Object:
    found: Object = obj.setdefault("spec", {})
    return found


# --- Defaults ------------------------------------------------------------------------------------


def default_deployment(obj: Object) -> None:
    """Fill in the defaults of a Deployment."""
    spec = _spec(obj)
    spec.setdefault("replicas", 1)
    spec.setdefault("selector", None)
    strategy = spec.setdefault("strategy", {})
    if not strategy.get("type"):
        strategy["type"] = "RollingUpdate"
    if strategy["type"] == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxUnavailable", "25%")
        rolling.setdefault("maxSurge", "25%")
    spec.setdefault("revisionHistoryLimit", 10)
    spec.setdefault("progressDeadlineSeconds", 600)
    pods.default_template(spec.setdefault("template", {}))


def default_daemon_set(obj: Object) -> None:
    """Fill in the defaults of a DaemonSet."""
    spec = _spec(obj)
    template = spec.setdefault("template", {})
    if spec.get("selector") is None:
        # What the first versions of the API did, and still do.
        spec["selector"] = None
    strategy = spec.setdefault("updateStrategy", {})
    if not strategy.get("type"):
        strategy["type"] = "RollingUpdate"
    if strategy["type"] == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxUnavailable", 1)
        rolling.setdefault("maxSurge", 0)
    spec.setdefault("revisionHistoryLimit", 10)
    pods.default_template(template)


def default_replica_set(obj: Object) -> None:
    """Fill in the defaults of a ReplicaSet."""
    spec = _spec(obj)
    spec.setdefault("replicas", 1)
    spec.setdefault("selector", None)
    pods.default_template(spec.setdefault("template", {}))


def default_stateful_set(obj: Object) -> None:
    """Fill in the defaults of a StatefulSet."""
    spec = _spec(obj)
    spec.setdefault("replicas", 1)
    spec.setdefault("selector", None)
    if not spec.get("podManagementPolicy"):
        spec["podManagementPolicy"] = "OrderedReady"
    strategy = spec.setdefault("updateStrategy", {})
    if not strategy.get("type"):
        strategy["type"] = "RollingUpdate"
    if strategy["type"] == "RollingUpdate":
        strategy.setdefault("rollingUpdate", {}).setdefault("partition", 0)
    spec.setdefault("revisionHistoryLimit", 10)
    retention = spec.setdefault("persistentVolumeClaimRetentionPolicy", {})
    for key in ("whenDeleted", "whenScaled"):
        if not retention.get(key):
            retention[key] = "Retain"
    for claim in spec.get("volumeClaimTemplates") or ():
        claim.setdefault("apiVersion", "v1")
        claim.setdefault("kind", "PersistentVolumeClaim")
        if not claim.setdefault("spec", {}).get("volumeMode"):
            claim["spec"]["volumeMode"] = "Filesystem"
        claim["status"] = {"phase": "Pending"}
    pods.default_template(spec.setdefault("template", {}))


def default_job(obj: Object) -> None:
    """Fill in the defaults of a Job."""
    spec = _spec(obj)
    if spec.get("completions") is None and spec.get("parallelism") is None:
        spec["completions"] = 1
    spec.setdefault("parallelism", 1)
    spec.setdefault("backoffLimit", 6)
    _default_job_spec(spec)
    spec.setdefault("completionMode", "NonIndexed")
    spec.setdefault("suspend", False)
    spec.setdefault("manualSelector", False)
    spec.setdefault("podReplacementPolicy", "TerminatingOrFailed")


def _default_job_spec(spec: Object) -> None:
    template = spec.setdefault("template", {})
    given = (template.get("spec") or {}).get("restartPolicy")
    pods.default_template(template)
    # A Job has to say it: the default of pods does not fit.
    template["spec"]["restartPolicy"] = given or "Always"


def default_cron_job(obj: Object) -> None:
    """Fill in the defaults of a CronJob."""
    spec = _spec(obj)
    if not spec.get("concurrencyPolicy"):
        spec["concurrencyPolicy"] = "Allow"
    spec.setdefault("suspend", False)
    spec.setdefault("successfulJobsHistoryLimit", 3)
    spec.setdefault("failedJobsHistoryLimit", 1)
    template = spec.setdefault("jobTemplate", {})
    template.setdefault("metadata", {})
    _default_job_spec(template.setdefault("spec", {}))


def default_autoscaler(obj: Object) -> None:
    """Fill in the defaults of a HorizontalPodAutoscaler."""
    spec = _spec(obj)
    spec.setdefault("minReplicas", 1)
    if not spec.get("metrics"):
        target = {"type": "Utilization", "averageUtilization": 80}
        spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]


# --- Before they are stored ----------------------------------------------------------------------


def prepare_daemon_set(obj: Object) -> None:
    """Count the templates of a DaemonSet in the way of its first versions."""
    obj["metadata"].setdefault("annotations", {})[TEMPLATE_GENERATION] = "1"


def prepare_job(obj: Object) -> None:
    """Make the selector of a Job, and the labels that it selects."""
    spec = obj["spec"]
    if spec.get("manualSelector"):
        return
    uid, name = obj["metadata"].get("uid", ""), obj["metadata"].get("name", "")
    labels = {
        "batch.kubernetes.io/controller-uid": uid,
        "batch.kubernetes.io/job-name": name,
        "controller-uid": uid,
        "job-name": name,
    }
    template = spec["template"].setdefault("metadata", {})
    template["labels"] = {**(template.get("labels") or {}), **labels}
    # The real server labels the Job itself by defaulting, from its template.
    obj["metadata"]["labels"] = obj["metadata"].get("labels") or dict(template["labels"])
    selector = spec.setdefault("selector", {})
    own = {"batch.kubernetes.io/controller-uid": uid}
    selector["matchLabels"] = {**(selector.get("matchLabels") or {}), **own}


def prepare_daemon_set_update(new: Object, old: Object) -> None:
    """Count a change of the template of a DaemonSet."""
    count = int((old["metadata"].get("annotations") or {}).get(TEMPLATE_GENERATION, "0"))
    if new["spec"].get("template") != old["spec"].get("template"):
        count += 1
    new["metadata"].setdefault("annotations", {})[TEMPLATE_GENERATION] = str(count)


def prepare_deployment_status(new: Object, old: Object) -> None:
    """Keep the labels of a Deployment when its status changes."""
    if "labels" in old["metadata"]:
        new["metadata"]["labels"] = store.clone(old["metadata"]["labels"])
    else:
        new["metadata"].pop("labels", None)
