"""Acting: the only place that changes the cloud."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
from collections.abc import Callable, Mapping, Sequence

from provider.clock import Clock
from provider.engine import intents as intent_log
from provider.engine import plan as plans
from provider.engine import resource as resources
from provider.engine import world as worlds
from provider.engine.intents import Intent, Intents
from provider.engine.plan import Step, Verb
from provider.engine.resource import Refusal, Resource
from provider.osc import cloud as clouds
from provider.osc import errors

SETTLE_S = 10.0
"""How long others in the account may take to mark what they create, in seconds."""
_WAVES = 40
"""More waves than any graph of ours is deep: a limit on a loop that ends by itself."""


@dataclasses.dataclass(frozen=True)
class Failure:
    """A step that the cloud refused, or of which it did not say whether it was carried out."""

    verb: Verb
    target: str
    condition: str
    error: errors.ApiError | Refusal

    @classmethod
    def of(cls, step: Step, error: errors.ApiError | Refusal) -> Failure:
        """Return the failure of a step."""
        return cls(step.verb, str(step.target), step.target.CONDITION, error)

    def __str__(self) -> str:
        return f"{self.verb.value} {self.target}: {self.error}"

    @property
    def is_busy(self) -> bool:
        """Whether something cannot be deleted yet, as something else still holds it."""
        return self.verb is Verb.DELETE and self.error.cause is errors.Cause.BUSY

    @property
    def is_wait(self) -> bool:
        """Whether the same step works later without anybody doing anything."""
        return self.error.cause in {errors.Cause.BUSY, errors.Cause.THROTTLED}


class ContestedError(Refusal):
    """Two owners have marked the same; one of them looks again later."""

    cause = errors.Cause.BUSY


@dataclasses.dataclass
class Report:
    """What a pass came to."""

    world: worlds.World
    done: list[Step] = dataclasses.field(default_factory=list)
    left: list[Step] = dataclasses.field(default_factory=list)
    """What is still to be done, waited for or refused."""
    failures: list[Failure] = dataclasses.field(default_factory=list)
    intents: Intents = dataclasses.field(default_factory=dict)

    @property
    def is_converged(self) -> bool:
        """Whether what is there is what is wanted."""
        return not self.left and not self.failures


class Actor:
    """Brings what one owner has to what is wanted, in as many waves as it takes."""

    def __init__(
        self,
        cloud: clouds.Cloud,
        scope: worlds.Scope,
        kinds: Sequence[type[Resource]],
        record: Callable[[Intents], None],
        clock: Clock,
    ) -> None:
        """Take ``record``, which returns only when the intents it was given are safe."""
        self._cloud = cloud
        self._scope = scope
        self._kinds = {kind.KIND: kind for kind in kinds}
        self._record = record
        self._clock = clock
        self._made: set[tuple[str, str]] = set()
        self._adopted: set[tuple[str, str]] = set()
        self._earlier: frozenset[tuple[str, str]] = frozenset()
        self._tried: set[tuple[Verb, tuple[str, str], str]] = set()
        self._is_stopped = False

    def run(
        self,
        desired: Sequence[Resource],
        world: worlds.World,
        intents: Intents,
        *,
        going: bool = False,
    ) -> Report:
        """Carry out plan after plan until nothing is left that can be done now.

        Errors of the cloud stop the branch they happen in; the rest goes on, and all are reported.
        What ``record`` raises ends the pass before anything is created. So does ``NotNewError``,
        raised for a new ``world`` whose owner has something already, and in such a world an error
        of the first Reads.
        """
        report = Report(world, intents=dict(intents))
        wanted = {each.place for each in desired}
        self._earlier = frozenset(intents)
        self._finish_earlier(wanted, report)
        # Before anything is deleted: afterwards nobody knows that they were carried out.
        _close_intents(report)
        for _ in range(_WAVES):
            report.left = plans.plan(desired, world.all(), going=going)
            todo = [
                step
                for step in report.left
                if step.verb in plans.CHANGES and _attempt(step) not in self._tried
            ]
            if not todo or self._is_stopped:
                break
            self._wave(todo, report)
        else:
            raise AssertionError(f"{_WAVES} waves did not come to an end: {report.left}")
        _close_intents(report)
        asked = {place for verb, place, _ in self._tried if verb is Verb.CREATE}
        for place in report.intents.keys() - self._earlier - asked:
            del report.intents[place]  # The pass was stopped before that, so nothing was made.
        report.world.is_new = False
        return report

    def _finish_earlier(self, wanted: set[tuple[str, str]], report: Report) -> None:
        """Find what the creates of an earlier pass left, and mark it as the owner's.

        What looks alike is interchangeable: three intents for route tables of one Net are served
        by any three that were not there before.
        """
        groups: dict[str, list[Intent]] = {}
        for kind in self._kinds:
            for intent in report.intents.values():
                if intent.kind == kind and intent.place not in report.world.places:
                    groups.setdefault(f"{kind} {sorted(intent.filters.items())}", []).append(intent)
        for group in groups.values():
            # What was made for something else may have been found with that.
            alike = [each for each in group if each.place in report.intents]
            try:
                if alike:
                    self._finish(alike, wanted, report)
            except (errors.ApiError, Refusal) as error:
                condition = self._kinds[alike[0].kind].CONDITION
                for intent in alike:
                    self._tried.add((Verb.CREATE, intent.place, ""))
                names = ", ".join("/".join(intent.place) for intent in alike)
                report.failures.append(Failure(Verb.CREATE, names, condition, error))
                self._is_stopped |= error.cause is errors.Cause.THROTTLED
        self._look_again({kind for kind, _ in self._adopted}, report)

    def _look_again(self, kinds: set[str], report: Report) -> None:
        """See these kinds anew: what they refer to may not have been known when they were seen."""
        for kind in self._kinds.values():
            if kind.KIND in kinds and not self._is_stopped:
                worlds.snapshot(self._cloud, self._scope, [kind], report.world)
        report.world.rebind()

    def _finish(
        self, alike: Sequence[Intent], wanted: set[tuple[str, str]], report: Report
    ) -> None:
        """Adopt what was born of intents that look alike.

        What a create left has no tag at all, and goes without for a while. When there is too much
        of that, a person says which it is, by giving it the mark of the owner; until then nothing
        of it is taken.
        """
        found = intent_log.born(alike, self._kinds[alike[0].kind], self._cloud)
        named = {each.id for each in report.world.all() if each.key != each.id}
        mark = self._scope.marks({})
        chosen = [each for each in found if each.tags == mark and each.id not in named]
        for intent, each in zip(alike, chosen, strict=False):
            self._adopt(each, intent, report)
        rest = alike[len(chosen) :]
        free = [each for each in found if rest and not each.is_taken]
        is_open = intent_log.is_open(alike[0], self._kinds[alike[0].kind], report.world)
        if free and is_open:
            free = self._settled(alike, free)
        suspects = {id_ for intent in rest for id_ in intent.suspects}
        if len(free) > len(rest) or not suspects.isdisjoint(each.id for each in free):
            raise _unclear(rest, free, mark, report)
        for intent, each in itertools.zip_longest(rest, free):
            if each is not None:
                self._adopt(each, intent, report, is_sure=not is_open)
            elif intent.place not in wanted:
                del report.intents[intent.place]

    def _settled(self, alike: Sequence[Intent], free: Sequence[Resource]) -> list[Resource]:
        """Leave out what somebody marks a moment later: they were making it."""
        self._clock.sleep(SETTLE_S)
        ids = {each.id for each in free}
        found = intent_log.born(alike, self._kinds[alike[0].kind], self._cloud)
        return [each for each in found if each.id in ids and not each.is_taken]

    def _adopt(
        self, found: Resource, intent: Intent, report: Report, *, is_sure: bool = True
    ) -> None:
        """Mark it as the owner's, after what was made for it, which looks taken by now."""
        for part in resources.references(found):
            its = report.intents.get(part.place)
            if its and part.place not in report.world.places and part.id not in its.before:
                self._adopt(part, its, report)
        marks = self._scope.marks(intent.tags)
        tags = [{"Key": key, "Value": value} for key, value in sorted(marks.items())]
        self._cloud.call("CreateTags", ResourceIds=[found.id], Tags=tags)
        if not is_sure:
            self._yield(found, intent)
        after = {**found.tags, **marks}
        report.world.add(dataclasses.replace(found, key=intent.key, tags=after))
        report.world.rebind()
        self._adopted.add(intent.place)
        del report.intents[intent.place]

    def _yield(self, marked: Resource, intent: Intent) -> None:
        """Let go of what another owner has marked too; raise ``ContestedError`` then.

        Whoever looks last sees both marks, so that one at most keeps it.
        """
        rows = self._kinds[intent.kind].lookalikes(self._cloud, intent.filters, intent.key)
        tags = next((each.tags for each in rows if each.id == marked.id), {})
        rivals = worlds.rivals(tags, self._scope)
        if rivals:
            marks = [key for key in sorted(self._scope.marks(intent.tags)) if key in tags]
            mine = [{"Key": key, "Value": tags[key]} for key in marks]
            self._cloud.call("DeleteTags", ResourceIds=[marked.id], Tags=mine)
            raise ContestedError(
                f"{marked.id} has the tag {rivals[0]} as well, so it is left to that."
            )

    # --- One wave --------------------------------------------------------------------------------

    def _wave(self, todo: Sequence[Step], report: Report) -> None:
        self._open_intents([step for step in todo if step.verb is Verb.CREATE], report)
        untagged: list[tuple[Step, Resource]] = []
        touched: set[str] = set()
        for step in todo:
            if self._is_stopped or _attempt(step) in self._tried:
                continue
            self._tried.add(_attempt(step))
            # Were it cut short before its tag, others in the account would wonder whose it is.
            stands_alone = not any(resources.needs(step.target))
            is_born = stands_alone and step.verb is Verb.CREATE
            with self._cloud.alone if is_born else contextlib.nullcontext():
                began_s = self._clock.monotonic_s()
                try:
                    self._step(step, report, untagged)
                except (errors.ApiError, Refusal) as error:
                    if not (step.verb is Verb.DELETE and error.cause is errors.Cause.GONE):
                        self._fail(step, error, report)
                        continue
                    touched.add(step.target.KIND)
                if untagged and untagged[-1][0] is step and stands_alone:
                    self._tag([untagged.pop()], report)
            if step.verb is Verb.DELETE and not step.target.GOING:
                touched.add(step.target.KIND)
            if is_born and self._clock.monotonic_s() - began_s > SETTLE_S / 2:
                self._check_late(step, report)
            report.done.append(step)
        self._tag(untagged, report)
        self._look_again(touched, report)

    def _check_late(self, step: Step, report: Report) -> None:
        """Let go of what took so long to be marked that another owner may have taken it."""
        intent = report.intents.get(step.target.place)
        made = report.world.places.get(step.target.place)
        if intent is None or made is None:
            return
        try:
            self._yield(made, intent)
        except (errors.ApiError, Refusal) as error:
            self._fail(step, error, report)
            self._look_again({step.target.KIND}, report)

    def _fail(self, step: Step, error: errors.ApiError | Refusal, report: Report) -> None:
        report.failures.append(Failure.of(step, error))
        self._is_stopped |= error.cause is errors.Cause.THROTTLED
        # What an earlier create has made may be taken before a Read shows it.
        is_ours = error.cause is errors.Cause.TAKEN and step.target.place in self._earlier
        if step.verb is Verb.CREATE and error.cause is not errors.Cause.UNKNOWN and not is_ours:
            # It was refused for certain, so whatever looks alike from now on is somebody else's.
            report.intents.pop(step.target.place, None)

    def _open_intents(self, creates: Sequence[Step], report: Report) -> None:
        fresh: Intents = {}
        # Whether there is nothing yet shows in what looks like the first that are made.
        new_owner = self._scope.owner[0] if report.world.is_new and not self._made else None
        for step in creates:
            place = step.target.place
            if not step.target.NEEDS_INTENT or place in report.intents:
                continue
            bound = resources.bind(step.target, report.world.places)
            is_first = report.world.is_new
            if not bound.HAS_TOKEN:
                made = (each.place in self._made for each in resources.needs(bound))
                is_first = bound.IS_PART and any(made)
            try:
                fresh[place] = intent_log.form(
                    bound, self._cloud, is_first=is_first, new_owner=new_owner
                )
            except (errors.ApiError, Refusal) as error:
                if new_owner:
                    raise
                self._tried.add(_attempt(step))
                self._fail(step, error, report)
        if fresh:
            report.intents.update(fresh)
            self._record(dict(report.intents))

    def _step(self, step: Step, report: Report, untagged: list[tuple[Step, Resource]]) -> None:
        bound = resources.bind(step.target, report.world.places)
        if step.verb is Verb.DELETE:
            bound.delete(self._cloud)
            report.world.deleted.add(bound.id)
            if bound.GOING:
                report.world.add(dataclasses.replace(bound, state=bound.GOING))
            return
        if step.verb is Verb.CREATE:
            intent = report.intents.get(bound.place)
            bound = bound.recalled(intent.filters) if intent else bound
            after = bound.create(self._cloud)
            self._made.add(bound.place)
        else:
            assert step.observed is not None
            after = step.observed
            if bound.differences(after) or not bound.TAKES_TAGS:
                after = bound.update(self._cloud, after)
            after = self._without(bound.stale_tags(after), after)
        marks = self._scope.marks(step.target.tags)
        if bound.TAKES_TAGS and any(after.tags.get(key) != value for key, value in marks.items()):
            untagged.append((step, after))
        else:
            report.world.add(after)

    def _without(self, stale: Sequence[str], there: Resource) -> Resource:
        """Take away tags, and return what is there then."""
        if not stale:
            return there
        tags = [{"Key": key, "Value": there.tags[key]} for key in stale]
        self._cloud.call("DeleteTags", ResourceIds=[there.id], Tags=tags)
        kept = {key: value for key, value in there.tags.items() if key not in stale}
        return dataclasses.replace(there, tags=kept)

    def _tag(self, untagged: Sequence[tuple[Step, Resource]], report: Report) -> None:
        """Mark what was made: one call for all that get the same tags."""
        groups: dict[tuple[tuple[str, str], ...], list[tuple[Step, Resource]]] = {}
        for step, made in untagged:
            marks = tuple(sorted(self._scope.marks(step.target.tags).items()))
            groups.setdefault(marks, []).append((step, made))
        for marks, members in groups.items():
            tags = [{"Key": key, "Value": value} for key, value in marks]
            ids = [made.id for _, made in members]
            try:
                self._cloud.call("CreateTags", ResourceIds=ids, Tags=tags)
            except (errors.ApiError, Refusal) as error:
                report.failures += [Failure.of(step, error) for step, _ in members]
                self._is_stopped |= error.cause is errors.Cause.THROTTLED
                continue
            for _step, made in members:
                report.world.add(dataclasses.replace(made, tags={**made.tags, **dict(marks)}))


def _close_intents(report: Report) -> None:
    """Forget the intents of what is there."""
    for place in [place for place in report.intents if place in report.world.places]:
        del report.intents[place]


def _unclear(
    alike: Sequence[Intent], found: Sequence[Resource], mark: Mapping[str, str], report: Report
) -> Refusal:
    """Return why nothing is taken, and keep of which it may be any."""
    ids = tuple(each.id for each in found)
    for intent in alike:
        report.intents[intent.place] = dataclasses.replace(intent, suspects=ids)
    names = " and ".join("/".join(intent.place) for intent in alike)
    tags = " and ".join(f"{key}={value}" for key, value in mark.items())
    return Refusal(
        f"An earlier create of {names} was cut short, and any of {', '.join(ids)} may be what it "
        f"made. Tag the right one {tags}. Delete each other one, or give it any other tag."
    )


def _attempt(step: Step) -> tuple[Verb, tuple[str, str], str]:
    return step.verb, step.target.place, step.target.id
