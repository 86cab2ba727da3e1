"""The plan: what has to be done so that what is there becomes what is wanted, and why."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Collection, Iterable, Mapping, Sequence

from provider.engine import resource as resources
from provider.engine.resource import Resource


class Verb(enum.Enum):
    """What a step does."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    WAIT = "wait"
    REFUSE = "refuse"


@dataclasses.dataclass(frozen=True)
class Step:
    """One line of a plan."""

    verb: Verb
    target: Resource
    """What is wanted, or, for a delete, what was observed."""
    why: str
    observed: Resource | None = None

    @property
    def moves(self) -> bool:
        """Whether what is left of it is over some time later, without any other step."""
        there = self.observed
        if there is None or self.verb is Verb.DELETE:
            return self.verb is Verb.DELETE
        return there.state in there.LEAVING | there.BUSY or not there.is_ready

    def __str__(self) -> str:
        return f"{self.verb.value:<8}{self.target!s:<35} {self.why}"


CHANGES = frozenset({Verb.CREATE, Verb.UPDATE, Verb.DELETE})


def plan(desired: Sequence[Resource], observed: Iterable[Resource], *, going: bool) -> list[Step]:
    """Return the steps that lead from what is there to what is wanted; pure.

    A step is a change only when all that it builds on is ready, so steps of one plan can be carried
    out in any order. ``going`` says that the owner itself goes: then what stays goes as well.
    """
    there: dict[tuple[str, str], Resource] = {}
    surplus = []
    # In whatever order it was seen, the same is told of it.
    for each in sorted(observed, key=lambda each: each.place):
        if each.place in there:
            surplus.append(each)
        else:
            there[each.place] = each
    steps: list[Step] = []
    unready: set[tuple[str, str]] = set()
    for wanted in in_order(desired):
        step = _towards(wanted, there.get(wanted.place), unready)
        if step is not None:
            steps.append(step)
            unready.add(wanted.place)
    leftover = _leftover(desired, there, surplus, going=going)
    if leftover:
        steps += _all_away(leftover, [*there.values(), *surplus], steps)
    return [_held(step) for step in steps] if any(map(_is_slip, steps)) else steps


def _is_slip(step: Step) -> bool:
    """Tell whether a step refuses to change what cannot be changed."""
    there = step.observed
    return step.verb is Verb.REFUSE and there is not None and not there.refusal


def _held(step: Step) -> Step:
    """Hold back what is made or deleted: what is refused may be a slip of the pen."""
    there = step.target
    ends = step.observed is there and step.verb is not Verb.REFUSE
    if step.verb is Verb.CREATE or (ends and there.state not in there.LEAVING):
        return Step(Verb.WAIT, there, f"{step.why}, but something is refused")
    return step


def _leftover(
    desired: Sequence[Resource],
    there: Mapping[tuple[str, str], Resource],
    surplus: Sequence[Resource],
    *,
    going: bool,
) -> list[Resource]:
    """Return what is there and ours, but not wanted."""
    places = {each.place for each in desired}
    first = [
        each
        for each in there.values()
        if each.place not in places and each.is_managed and (going or not each.stays)
    ]
    return first + [each for each in surplus if each.is_managed]


def _all_away(
    leftover: Sequence[Resource], everything: Sequence[Resource], steps: Sequence[Step]
) -> list[Step]:
    """Return the steps for what is not wanted: each goes once nothing refers to it."""
    holders: dict[str, list[Resource]] = {}
    for each in everything:
        for held in resources.references(each):
            holders.setdefault(held.id, []).append(each)
    moving = {each.id for each in leftover}
    changing = {step.target.place for step in steps}
    moving |= {each.id for each in everything if each.place in changing}
    return [_away(each, holders.get(each.id, []), moving) for each in leftover]


def in_order(wanted: Sequence[Resource]) -> list[Resource]:
    """Return resources so that each comes after those that it refers to; else in the given order.

    Raise ``AssertionError`` for a circle, which only a mistake of ours can make.
    """
    by_place = {each.place: each for each in wanted}
    done: dict[tuple[str, str], Resource] = {}
    path: list[tuple[str, str]] = []

    def visit(each: Resource) -> None:
        if each.place in done:
            return
        assert each.place not in path, f"These wait for each other: {[*path, each.place]}."
        path.append(each.place)
        for reference in resources.references(each):
            if reference.place in by_place:
                visit(by_place[reference.place])
        path.pop()
        done[each.place] = each

    for each in wanted:
        visit(each)
    return list(done.values())


def _towards(
    wanted: Resource, there: Resource | None, unready: set[tuple[str, str]]
) -> Step | None:
    if there is not None and there.state in there.LEAVING:
        return Step(Verb.WAIT, wanted, f"the old one ({there.id}) is {there.state}", there)
    if there is not None and there.refusal:
        return Step(Verb.REFUSE, wanted, there.refusal, there)
    if not wanted.is_managed:
        return _used(wanted, there)
    parts = resources.needs(wanted) if there is None else resources.references(wanted)
    missing = [str(each) for each in parts if each.place in unready] if unready else []
    wait = Step(Verb.WAIT, wanted, f"waiting for {', '.join(dict.fromkeys(missing))}")
    if there is None:
        return wait if missing else Step(Verb.CREATE, wanted, "does not exist")
    if not there.is_ready:
        return Step(Verb.WAIT, wanted, f"{there.id} is {there.state}", there)
    differences = wanted.differences(there)
    fixed = [each for each in differences if each.field not in wanted.MUTABLE]
    if fixed:
        why = "; ".join(str(each) for each in fixed)
        return Step(
            Verb.REFUSE, wanted, f"{why}, and that cannot be changed. Put the old value back", there
        )
    changes = [str(each) for each in differences] + _of_tags(wanted, there)
    if changes:
        if there.state in there.BUSY:
            return Step(Verb.WAIT, wanted, f"{there.id} is {there.state}", there)
        return wait if missing else Step(Verb.UPDATE, wanted, "; ".join(changes), there)
    return None


def _of_tags(wanted: Resource, there: Resource) -> list[str]:
    changes = []
    for name, value in wanted.tags.items():
        if name not in there.tags:
            changes.append(f"tag {name} is missing")
        elif there.tags[name] != value:
            changes.append(f"tag {name} is {there.tags[name]}, the spec wants {value}")
    return changes + [f"tag {name} is not wanted" for name in wanted.stale_tags(there)]


def _used(wanted: Resource, there: Resource | None) -> Step | None:
    if there is None:
        what = wanted.id or wanted.key
        return Step(Verb.REFUSE, wanted, f"{what} does not exist. Name one that does")
    if not there.is_ready:
        return Step(Verb.WAIT, wanted, f"{there.id} is {there.state}", there)
    return None


def _away(there: Resource, holders: Sequence[Resource], moving: Collection[str]) -> Step:
    users = ", ".join(dict.fromkeys(str(each) for each in holders))
    if there.state in there.LEAVING:
        return Step(Verb.WAIT, there, f"{there.id} is {there.state}", there)
    if any(each.id not in moving for each in holders):
        why = f"is not wanted, but {users} cannot be without it. Put it back, or remove that first"
        return Step(Verb.REFUSE, there, why, there)
    if holders:
        return Step(Verb.WAIT, there, f"in use by {users}", there)
    return Step(Verb.DELETE, there, "is not wanted", there)
