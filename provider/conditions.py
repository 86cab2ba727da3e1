"""Conditions: what users and Cluster API are told of an object, printed from steps.

True means done and has an empty message, Unknown means in progress, False means that a person has
to act, or that the object is going.

https://cluster-api.sigs.k8s.io/developer/providers/contracts/infra-cluster
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from provider.engine import act
from provider.engine.plan import Step, Verb
from provider.osc import errors
from provider.outcome import Event
from provider.reasons import Reason

MESSAGE_MAX = 2000

_VERBS = {
    Verb.CREATE: Reason.CREATING,
    Verb.UPDATE: Reason.UPDATING,
    Verb.DELETE: Reason.DELETING,
    Verb.WAIT: Reason.WAITING,
    Verb.REFUSE: Reason.REFUSED,
}
CAUSES = {
    errors.Cause.GONE: Reason.GONE,
    errors.Cause.BUSY: Reason.WAITING,
    errors.Cause.THROTTLED: Reason.THROTTLED,
    errors.Cause.QUOTA: Reason.QUOTA_REACHED,
    errors.Cause.CAPACITY: Reason.NO_CAPACITY,
    errors.Cause.DENIED: Reason.DENIED,
    errors.Cause.TAKEN: Reason.NAME_TAKEN,
    errors.Cause.OURS: Reason.REFUSED,
    errors.Cause.UNKNOWN: Reason.CLOUD_UNAVAILABLE,
}
GATES = {"SpecReady", "CredentialsReady", "CloudReady"}
"""What stops a pass before it knows anything else, so that it tells one of them at most."""
_LONG = 20
"""How many times the usual time something is waited for before that is told."""
PASSING = {errors.Cause.BUSY, errors.Cause.THROTTLED, errors.Cause.UNKNOWN, errors.Cause.GONE}
"""Causes that end without anybody doing anything."""


@dataclasses.dataclass(frozen=True)
class Condition:
    """One condition, without the times that the stored one has."""

    type: str
    status: str
    reason: Reason
    message: str = ""


def true(type_: str, reason: Reason = Reason.READY) -> Condition:
    """Return a condition that says all is well."""
    return Condition(type_, "True", reason)


def merge(
    old: Iterable[Mapping[str, Any]],
    new: Iterable[Condition],
    generation: int,
    now: dt.datetime,
) -> list[dict[str, Any]]:
    """Return conditions as they are stored; a time changes only where a status changes.

    A message stays the same while the cause does. Request ids are in the Events and in the log.
    """
    before = {each["type"]: each for each in old}
    stamp = now.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    rows = []
    for each in sorted(new, key=lambda each: (each.type != "Ready", each.type)):
        known = before.get(each.type, {})
        same = known.get("status") == each.status
        rows.append(
            {
                "type": each.type,
                "status": each.status,
                "reason": str(each.reason),
                "message": shorten(errors.lasting(each.message)),
                "observedGeneration": generation,
                "lastTransitionTime": known.get("lastTransitionTime", stamp) if same else stamp,
            }
        )
    return rows


def stored(
    status: Mapping[str, Any],
    metadata: Mapping[str, Any],
    new: Iterable[Condition],
    now: dt.datetime,
    *,
    keep: bool = False,
) -> dict[str, Any]:
    """Return the status of an object with these conditions, beside the others with ``keep``.

    Of gates, only the newest still holds.
    """
    old = list(status.get("conditions") or ())
    rows = merge(old, new, metadata.get("generation", 1), now)
    if keep:
        fresh = {each["type"] for each in rows}
        fresh |= GATES if fresh & GATES else set()
        rows += [dict(each) for each in old if each["type"] not in fresh]
    return {**status, "conditions": rows}


def shorten(message: str) -> str:
    """Return a message that fits, cut at the end."""
    return message if len(message) <= MESSAGE_MAX else message[: MESSAGE_MAX - 3] + "..."


def of_kinds(report: act.Report, types: Iterable[str]) -> list[Condition]:
    """Return a condition for each of ``types``, from what is left and what went wrong."""
    found = []
    for type_ in dict.fromkeys(types):
        failures = [each for each in report.failures if each.condition == type_]
        left = [each for each in report.left if type_ == each.target.CONDITION]
        found.append(_of_kind(type_, failures, left))
    return found


def _of_kind(type_: str, failures: list[act.Failure], left: list[Step]) -> Condition:
    if not failures and not left:
        return true(type_)
    lasting = [each for each in failures if each.error.cause not in PASSING]
    refused = [each for each in left if each.verb is Verb.REFUSE]
    lines = [str(each.error).rstrip(".") + "." for each in failures]
    if lasting:
        return Condition(type_, "False", CAUSES[lasting[0].error.cause], _lines(lines))
    lines += [_sentence(each) for each in left if each.verb is Verb.REFUSE]
    if refused:
        return Condition(type_, "False", Reason.REFUSED, _lines(lines))
    if failures:
        return Condition(type_, "Unknown", CAUSES[failures[0].error.cause], _lines(lines))
    waits = [_sentence(each) for each in left]
    return Condition(type_, "Unknown", _VERBS[left[0].verb], _lines(waits))


def of_error(type_: str, error: errors.ApiError) -> Condition:
    """Return the condition of a call without which nothing can be told."""
    status = "Unknown" if error.cause in PASSING else "False"
    return Condition(type_, status, CAUSES[error.cause], str(error).rstrip(".") + ".")


def overdue(
    parts: Iterable[Condition],
    report: act.Report,
    old: Iterable[Mapping[str, Any]],
    now: dt.datetime,
) -> list[Condition]:
    """Return conditions that say of what is waited for since long that this is unusual."""
    since = {each["type"]: each for each in old if each.get("status") == "Unknown"}
    slow = {
        each.target.CONDITION: each.target.USUAL_S
        for each in report.left
        if each.verb is Verb.WAIT and each.observed is not None
    }
    return [_if_overdue(each, slow.get(each.type), since.get(each.type), now) for each in parts]


def _if_overdue(
    part: Condition, usual_s: float | None, known: Mapping[str, Any] | None, now: dt.datetime
) -> Condition:
    if part.status != "Unknown" or usual_s is None or known is None:
        return part
    began = dt.datetime.fromisoformat(known["lastTransitionTime"])
    if (now - began).total_seconds() <= _LONG * usual_s:
        return part
    message = (
        f"{part.message.rstrip('.')}. This takes more than {_LONG * usual_s:.0f} s, and usually "
        f"{usual_s:.0f} s. Look at it in Cockpit: what is deleted there is made again."
    )
    return dataclasses.replace(part, message=message)


def _sentence(step: Step) -> str:
    return f"{step.target}: {step.why}."


def _lines(lines: list[str]) -> str:
    distinct = list(dict.fromkeys(lines))
    return distinct[0] if len(distinct) == 1 else "\n".join(f"* {line}" for line in distinct)


def over(parts: Iterable[Condition], graver: Condition | None) -> list[Condition]:
    """Return conditions with a graver one in its place; what was told there is told after it."""
    if graver is None:
        return list(parts)
    said = [each.message for each in parts if each.type == graver.type and each.message]
    whole = dataclasses.replace(graver, message=_lines([graver.message, *said]))
    return [*(each for each in parts if each.type != graver.type), whole]


def news(old: Iterable[Mapping[str, Any]], new: Condition | None) -> Iterator[Event]:
    """Give a warning of a condition that does not say this yet."""
    if new and not any(new.message in each.get("message", "") for each in old):
        yield Event("Warning", new.reason, new.message)


def summary(parts: Iterable[Condition], *, is_alive: bool = False) -> Condition:
    """Return ``Ready`` of all parts: the worst one decides, and all that are not True are told.

    ``is_alive`` tells of a machine that its VM lives, for all that is known: then it is not False,
    for which a MachineHealthCheck would replace it.
    """
    parts = list(parts)
    for status in ("False", "Unknown"):
        worst = [each for each in parts if each.status == status]
        if worst:
            lines = [f"{each.type}: {each.message or each.reason}" for each in worst]
            reason = worst[0].reason if len(worst) == 1 else Reason.NOT_READY
            return Condition("Ready", "Unknown" if is_alive else status, reason, _lines(lines))
    return true("Ready")


def deleting(message: str) -> list[Condition]:
    """Return the conditions of what goes; ``message`` says what is left of it."""
    return [
        Condition("Ready", "False", Reason.DELETING, message),
        Condition("Deleting", "True", Reason.DELETING, message),
        Condition("Paused", "False", Reason.NOT_PAUSED),
    ]


def calm() -> list[Condition]:
    """Return the conditions of what is neither paused nor going."""
    return [
        Condition("Paused", "False", Reason.NOT_PAUSED),
        Condition("Deleting", "False", Reason.NOT_DELETING),
    ]


def alone(message: str) -> list[Condition]:
    """Return the conditions of what has no owner; ``message`` says what it waits for."""
    return [Condition("Ready", "Unknown", Reason.WAITING_FOR_OWNER, message), *calm()]


def refused(old: Iterable[Mapping[str, Any]], message: str, *, going: bool) -> list[Condition]:
    """Return what else is true of what was refused: it may go, and it is not paused.

    What was said to be left of it, in ``old``, is left still.
    """
    if not going:
        return calm()
    known = any(each["type"] == "Deleting" and each["status"] == "True" for each in old)
    rows = [] if known else [Condition("Deleting", "True", Reason.DELETING, message)]
    return [*rows, Condition("Paused", "False", Reason.NOT_PAUSED)]


def paused(kind: str, cluster: Mapping[str, Any] | None, metadata: Mapping[str, Any]) -> Condition:
    """Return ``Paused``, worded as Cluster API's own controllers word it."""
    why = []
    if cluster and cluster.get("spec", {}).get("paused"):
        why.append("Cluster spec.paused is set to true")
    if "cluster.x-k8s.io/paused" in (metadata.get("annotations") or {}):
        why.append(f"{kind} has the cluster.x-k8s.io/paused annotation")
    if why:
        return Condition("Paused", "True", Reason.PAUSED, ", ".join(why))
    return Condition("Paused", "False", Reason.NOT_PAUSED)


def is_externally_managed(metadata: Mapping[str, Any]) -> bool:
    """Tell whether somebody else looks after an object."""
    marks = {**(metadata.get("labels") or {}), **(metadata.get("annotations") or {})}
    return "cluster.x-k8s.io/managed-by" in marks
