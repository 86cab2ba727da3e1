"""What is wrong with Deployments, DaemonSets, ReplicaSets, StatefulSets, Jobs and autoscalers."""

from __future__ import annotations

import re
from typing import Any, Final

from fakekube import names
from fakekube.kinds import pod_checks
from fakekube.kinds.checks import IMMUTABLE, Checks, at, selects
from fakekube.status import Cause

Json = Any
Object = dict[str, Any]

SET_FIELDS: Final = (
    *("replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit"),
    *("persistentVolumeClaimRetentionPolicy", "minReadySeconds"),
)
SET_TEXT: Final = (
    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', "
    "'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and "
    "'minReadySeconds' are forbidden"
)
CRON_FIELDS: Final = 5


def _check_selector(found: Checks, spec: Object, word: str = "") -> None:
    selector = spec.get("selector")
    if selector is None:
        found.require("spec.selector", None)
    else:
        found.selector("spec.selector", selector)
        if not selector and word:
            found.invalid("spec.selector", {}, f"empty selector is invalid for {word}")


def _check_template(found: Checks, spec: Object, *, only_always: bool = True) -> None:
    template = spec.get("template") or {}
    labels = at(template, "metadata", "labels")
    selector = spec.get("selector")
    if selector != {} and not selects(selector, labels):
        text = "`selector` does not match template `labels`"
        found.invalid("spec.template.metadata.labels", labels or None, text)
    check_template(found, "spec.template", template)
    if not only_always:
        return
    pod = template.get("spec") or {}
    policy = pod.get("restartPolicy")
    if policy in pod_checks.RESTART_POLICIES and policy != "Always":
        found.unsupported("spec.template.spec.restartPolicy", policy, ["Always"])
    if pod.get("activeDeadlineSeconds") is not None:
        text = "activeDeadlineSeconds in ReplicaSet is not Supported"
        found.forbid("spec.template.spec.activeDeadlineSeconds", text)


def check_template(found: Checks, path: str, template: Object) -> None:
    """Check a pod template."""
    # The real server leaves "metadata" out of these paths.
    found.labels(f"{path}.labels", at(template, "metadata", "labels"))
    pod_checks.check_spec(found, f"{path}.spec", template.get("spec") or {})


def _check_counts(found: Checks, spec: Object, *keys: str) -> None:
    for key in keys:
        found.not_negative(f"spec.{key}", spec.get(key))


def _check_selector_change(found: Checks, new: Object, old: Object | None) -> None:
    if old is not None:
        found.immutable("spec.selector", new["spec"].get("selector"), old["spec"].get("selector"))


STATUS_COUNTS: Final = ("updatedReplicas", "readyReplicas", "availableReplicas")


def _check_status(found: Checks, new: Object, old: Object | None) -> None:
    state = new.get("status") or {}
    if old is None or state == (old.get("status") or {}):
        return
    found.not_negative("status.replicas", state.get("replicas"))
    total = state.get("replicas", 0)
    for key in STATUS_COUNTS:
        if state.get(key, 0) > total:
            text = "cannot be greater than status.replicas"
            found.invalid(f"status.{key}", state.get(key, 0), text)


def check_deployment(new: Object, old: Object | None) -> list[Cause]:
    """Check a Deployment."""
    found, spec = Checks(), new["spec"]
    _check_counts(found, spec, "replicas")
    _check_selector(found, spec, "deployment")
    _check_template(found, spec)
    _check_strategy(found, spec.get("strategy") or {})
    _check_counts(found, spec, "minReadySeconds", "revisionHistoryLimit")
    deadline = spec.get("progressDeadlineSeconds")
    if deadline is not None:
        found.not_negative("spec.progressDeadlineSeconds", deadline)
        if deadline <= spec.get("minReadySeconds", 0):
            text = "must be greater than minReadySeconds"
            found.invalid("spec.progressDeadlineSeconds", deadline, text)
    _check_selector_change(found, new, old)
    _check_status(found, new, old)
    return found.found


def _check_strategy(found: Checks, strategy: Object) -> None:
    path, kind = "spec.strategy", strategy.get("type", "")
    rolling = strategy.get("rollingUpdate")
    if kind == "Recreate":
        if rolling is not None:
            text = "may not be specified when strategy `type` is 'Recreate'"
            found.forbid(f"{path}.rollingUpdate", text)
    elif kind == "RollingUpdate":
        rolling = rolling or {}
        for key in ("maxUnavailable", "maxSurge"):
            found.count_or_percent(f"{path}.rollingUpdate.{key}", rolling.get(key, 0))
        if _is_none(rolling.get("maxUnavailable")) and _is_none(rolling.get("maxSurge")):
            text = "may not be 0 when `maxSurge` is 0"
            where = f"{path}.rollingUpdate.maxUnavailable"
            found.invalid(where, rolling.get("maxUnavailable", 0), text)
    else:
        found.unsupported(path, _as_struct(strategy), ("Recreate", "RollingUpdate"))


def _as_struct(strategy: Object) -> Object:
    # The internal struct of the real server, as its messages print it.
    return {"Type": strategy.get("type", ""), "RollingUpdate": strategy.get("rollingUpdate")}


def _is_none(value: Json) -> bool:
    return value in (None, 0, "0%")


def check_replica_set(new: Object, old: Object | None) -> list[Cause]:
    """Check a ReplicaSet."""
    found, spec = Checks(), new["spec"]
    _check_counts(found, spec, "replicas", "minReadySeconds")
    _check_selector(found, spec, "deployment")
    _check_template(found, spec)
    _check_selector_change(found, new, old)
    return found.found


def check_daemon_set(new: Object, old: Object | None) -> list[Cause]:
    """Check a DaemonSet."""
    found, spec = Checks(), new["spec"]
    if spec.get("selector") is not None:
        _check_selector(found, spec, "daemonset")
    _check_template(found, spec)
    _check_counts(found, spec, "minReadySeconds")
    strategy = spec.get("updateStrategy") or {}
    path = "spec.updateStrategy"
    if strategy.get("type") == "RollingUpdate":
        _check_daemon_rolling(found, f"{path}.rollingUpdate", strategy.get("rollingUpdate") or {})
    elif strategy.get("type") != "OnDelete":
        found.unsupported(path, _as_struct(strategy), ("RollingUpdate", "OnDelete"))
    _check_counts(found, spec, "revisionHistoryLimit")
    _check_selector_change(found, new, old)
    return found.found


def _check_daemon_rolling(found: Checks, path: str, rolling: Object) -> None:
    unavailable, surge = rolling.get("maxUnavailable", 1), rolling.get("maxSurge", 0)
    for key, value in (("maxUnavailable", unavailable), ("maxSurge", surge)):
        found.count_or_percent(f"{path}.{key}", value)
    if _is_none(unavailable) and _is_none(surge):
        found.require(f"{path}.maxUnavailable", None, "cannot be 0 when maxSurge is 0")
    elif not _is_none(unavailable) and not _is_none(surge):
        text = "may not be set when maxUnavailable is non-zero"
        found.invalid(f"{path}.maxSurge", surge, text)


def check_stateful_set(new: Object, old: Object | None) -> list[Cause]:
    """Check a StatefulSet."""
    found, spec = Checks(), new["spec"]
    policy = spec.get("podManagementPolicy", "")
    if policy not in {"OrderedReady", "Parallel"}:
        text = "must be 'OrderedReady' or 'Parallel'"
        found.invalid("spec.podManagementPolicy", policy, text)
    strategy = spec.get("updateStrategy") or {}
    if strategy.get("type") not in {"RollingUpdate", "OnDelete"}:
        text = "must be 'RollingUpdate' or 'OnDelete'"
        found.invalid("spec.updateStrategy", _as_struct(strategy), text)
    partition = at(strategy, "rollingUpdate", "partition")
    found.not_negative("spec.updateStrategy.rollingUpdate.partition", partition)
    _check_counts(found, spec, "replicas", "minReadySeconds", "revisionHistoryLimit")
    if spec.get("serviceName"):
        found.named("spec.serviceName", spec["serviceName"], names.label)
    _check_selector(found, spec, "statefulset")
    _check_template(found, spec)
    if old is not None:
        fixed = [
            {key: value for key, value in each["spec"].items() if key not in SET_FIELDS}
            for each in (new, old)
        ]
        if fixed[0] != fixed[1]:
            found.forbid("spec", SET_TEXT)
    return found.found


def check_job(new: Object, old: Object | None) -> list[Cause]:
    """Check a Job."""
    found, spec = Checks(), new["spec"]
    _check_counts(found, spec, "parallelism", "completions", "activeDeadlineSeconds")
    _check_counts(found, spec, "backoffLimit", "ttlSecondsAfterFinished")
    found.one_of("spec.completionMode", spec.get("completionMode"), ("NonIndexed", "Indexed"))
    selector = spec.get("selector")
    uid = new["metadata"].get("uid", "")
    own = {"batch.kubernetes.io/controller-uid": uid}
    legacy = {"controller-uid": uid}
    if not spec.get("manualSelector") and at(selector, "matchLabels") not in (own, legacy):
        found.invalid("spec.selector", selector, "`selector` not auto-generated")
    _check_template(found, spec, only_always=False)
    _check_job_policy(found, "spec.template", spec.get("template") or {})
    if old is not None:
        was = old["spec"]
        # The real server says it twice.
        found.found += [each for each in found.found if each.field.endswith(".metadata.labels")]
        if spec.get("completionMode") != "Indexed":
            found.immutable("spec.completions", spec.get("completions"), was.get("completions"))
        found.immutable("spec.selector", selector, was.get("selector"))
        if spec.get("template") != was.get("template") and not was.get("suspend"):
            found.invalid("spec.template", spec.get("template"), IMMUTABLE)
        mode = "completionMode"
        found.immutable(f"spec.{mode}", spec.get(mode), was.get(mode))
    return found.found


def _check_job_policy(found: Checks, path: str, template: Object) -> None:
    policy = at(template, "spec", "restartPolicy")
    if policy == "Always":
        # It is what pods default to, so nobody has said it.
        text = 'valid values: "OnFailure", "Never"'
        found.require(f"{path}.spec.restartPolicy", None, text)


def check_cron_job(new: Object, _: Object | None) -> list[Cause]:
    """Check a CronJob."""
    found, spec = Checks(), new["spec"]
    schedule = spec.get("schedule", "")
    if found.require("spec.schedule", schedule):
        fields = schedule.split()
        if not schedule.startswith("@") and len(fields) != CRON_FIELDS:
            text = (
                f"expected exactly {CRON_FIELDS} fields, found {len(fields)}: [{' '.join(fields)}]"
            )
            found.invalid("spec.schedule", schedule, text)
    policies = ("Allow", "Forbid", "Replace")
    found.one_of("spec.concurrencyPolicy", spec.get("concurrencyPolicy"), policies)
    _check_counts(found, spec, "startingDeadlineSeconds")
    zone = spec.get("timeZone")
    if zone is not None and not re.fullmatch(r"UTC|Etc/\w+|[A-Z]\w+(/[\w+-]+)+", zone):
        found.invalid("spec.timeZone", zone, f"unknown time zone {zone}")
    _check_counts(found, spec, "successfulJobsHistoryLimit", "failedJobsHistoryLimit")
    template = at(spec, "jobTemplate", "spec", "template") or {}
    check_template(found, "spec.jobTemplate.spec.template", template)
    _check_job_policy(found, "spec.jobTemplate.spec.template", template)
    return found.found


def check_autoscaler(new: Object, _: Object | None) -> list[Cause]:
    """Check a HorizontalPodAutoscaler."""
    found, spec = Checks(), new["spec"]
    least, most = spec.get("minReplicas", 1), spec.get("maxReplicas", 0)
    if least < 1:
        text = "must be greater than or equal to 1"
        found.invalid("spec.minReplicas", least, text)
    if most < 1:
        found.invalid("spec.maxReplicas", most, "must be greater than 0")
    if most < least:
        text = "must be greater than or equal to `minReplicas`"
        found.invalid("spec.maxReplicas", most, text)
    target = spec.get("scaleTargetRef") or {}
    for key in ("kind", "name"):
        found.require(f"spec.scaleTargetRef.{key}", target.get(key))
    version = target.get("apiVersion", "")
    if "/" not in version and version != "v1":
        text = "apiVersion must specify API group"
        found.invalid("spec.scaleTargetRef.apiVersion", version, text)
    return found.found
