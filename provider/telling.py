"""What is told of a pass beside its conditions: events, ids, and when to look again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from provider import conditions
from provider.engine import act, intents
from provider.engine.plan import Verb
from provider.osc import errors
from provider.outcome import Event
from provider.reasons import Reason
from provider.rules import names

ALWAYS_S = 600.0
"""How often what is converged is looked at: what changes in the cloud tells nobody."""
SOON_S = 15.0
"""When to look again at what is left for another reason than waiting."""
BUSY_S = 30.0
"""When to try again to delete what something still holds: a VM that is gone, for 90 s."""
OWNED_S = 10.0
"""How long Cluster API may take to own what is new, before that is told."""

ALL_GONE = "Everything in the cloud is gone."

_DONE = {
    Verb.CREATE: Reason.CREATED,
    Verb.UPDATE: Reason.UPDATED,
    Verb.DELETE: Reason.DELETED,
}


def status(
    old: Mapping[str, Any], report: act.Report, *, only_ours: bool = False
) -> dict[str, Any]:
    """Return a status with the ids of what is there, and the intents that are open.

    ``only_ours`` leaves out what is only used, which must never be taken for ours later.
    """
    found: dict[str, dict[str, str]] = {}
    for each in sorted(report.world.places.values(), key=lambda each: each.place):
        if each.is_managed or not only_ours:
            found.setdefault(each.KIND, {})[each.key] = each.id
    new = {**old, "resources": found, "intents": intents.dump(report.intents)}
    # No intents and an empty list of them mean the same.
    return {key: value for key, value in new.items() if key != "intents" or value}


def left(report: act.Report) -> str:
    """Return what is still there of something that goes, line by line."""
    lines = [f"{each.target}: {each.why}" for each in report.left]
    lines += [str(each.error) for each in report.failures]
    return "\n".join(f"* {line}" for line in lines)


def events(report: act.Report) -> tuple[Event, ...]:
    """Return what was done, what went wrong, and what is refused."""
    done = [
        Event("Normal", _DONE[each.verb], f"{_DONE[each.verb]} {each.target}: {each.why}.")
        for each in report.done
    ]
    wrong = [
        Event("Warning", conditions.CAUSES[each.error.cause], str(each))
        for each in report.failures
        if not each.is_wait
    ]
    refused = [
        Event("Warning", Reason.REFUSED, f"{each.target}: {each.why}.")
        for each in report.left
        if each.verb is Verb.REFUSE
    ]
    return (*done, *wrong, *refused)


def no_room(report: act.Report, vm_type: str, tried: Sequence[str]) -> bool:
    """Tell whether a create found no room, and let its error say where it was tried."""
    full = [
        each.error
        for each in report.failures
        if each.verb is Verb.CREATE
        and isinstance(each.error, errors.ApiError)
        and each.error.cause is errors.Cause.CAPACITY
    ]
    for error in full:
        error.explain(
            f"There is no room for {vm_type} in {', '.join(tried)}. Wait, let the machine be "
            "elsewhere too, or use another vmType."
        )
    return bool(full)


def again_s(report: act.Report) -> float:
    """Return when to look again: soon at what changes by itself, seldom at what is converged."""
    waits = [each.target.POLL_S for each in report.left if each.verb is Verb.WAIT and each.moves]
    if waits:
        return min(waits)
    if report.failures and all(each.is_busy for each in report.failures):
        return BUSY_S
    # What is refused stays so until a person changes something, and the rest waits for that.
    idle = all(each.verb in (Verb.WAIT, Verb.REFUSE) for each in report.left)
    return ALWAYS_S if idle and not report.failures else SOON_S


def is_new(metadata: Mapping[str, Any], now: dt.datetime) -> bool:
    """Tell whether an object was created a moment ago."""
    since = metadata.get("creationTimestamp")
    age = now - dt.datetime.fromisoformat(since) if since else dt.timedelta.max
    return age < dt.timedelta(seconds=OWNED_S)


def alone(
    kind: str, owner: str, metadata: Mapping[str, Any], there: Mapping[str, Any] | None = None
) -> str:
    """Return why nothing is done for an object that has no owner that exists.

    Or whose owner is ``there``, but not the Cluster of that.
    """
    if there is not None:
        name = there.get("spec", {}).get("clusterName", "")
        return (
            f"The Machine {there['metadata']['name']} is of the Cluster {name}, which does not "
            "exist, so nothing is done. Create that, or delete the Machine."
        )
    why = f"No {owner} owns this {kind}"
    if owners := names.owners(metadata, owner):
        why = f"The {owner} {owners[0]['name']}, which owns this {kind}, does not exist"
    return (
        f"{why}, so nothing is done. Cluster API makes that {owner} the owner whose "
        f"spec.infrastructureRef names this {kind}, but not while the Cluster is paused. Create "
        f"such a {owner}, or delete this {kind}."
    )


def copied(kind: str, elder: Mapping[str, Any]) -> str:
    """Return why nothing is done for an object that is a copy of another one."""
    return (
        f"The label {names.CLUSTER_UID_LABEL} is {_uid(elder)}, and so is that of the {kind} "
        f"{_place(elder)}, which was there first: this is a copy of it, and what is in the cloud "
        "is not its own. Delete the copy: nothing in the cloud is touched. To make another one "
        "like it, leave out this label, the status and whatever the provider fills in: "
        "spec.controlPlaneEndpoint, spec.providerID."
    )


def untouched(kind: str, elder: Mapping[str, Any]) -> str:
    """Return what is told of a copy that goes."""
    return f"This was a copy of the {kind} {_place(elder)}. Nothing in the cloud was touched."


def _uid(obj: Mapping[str, Any]) -> str:
    return str(obj["metadata"]["labels"][names.CLUSTER_UID_LABEL])


def _place(obj: Mapping[str, Any]) -> str:
    return f"{obj['metadata'].get('namespace', '')}/{obj['metadata']['name']}"
