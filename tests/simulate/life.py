"""One life: a random world, random events, and what has to be true when it calms down."""

import hashlib
import json
import random

from provider.osc import errors
from tests.functional.provider import driver, machine_driver
from tests.simulate import ground as grounds
from tests.simulate import laws, specs, vandals, weather
from tests.simulate.broken import Broken

PASSES_MOST = 100
"""How often what is due is looked at, at most, until all is well again."""

_CALM_TWICE = 2
_CREW_MOST = 3

KINDS = {
    # What happens: how often, while the cluster lives.
    "pass": 30,
    "time": 6,
    "trouble": 9,
    "death": 2,
    "lost write": 2,
    "no record": 2,
    "throttle": 1,
    "stale": 1,
    "stuck": 1,
    "quota": 1,
    "change": 4,
    "wipe": 1,
    "pause": 1,
    "hire": 4,
    "fire": 1,
    "vandal": 12,
    "disown": 2,
    "redirect": 1,
    "neighbour": 5,
    "ccm": 1,
}
_GROWTH = {"change", "ccm", "wipe", "hire", "fire"}
ENDING = {kind: often for kind, often in KINDS.items() if kind not in _GROWTH}


class Life:
    """The life of a seed: build it, and ``run`` it once."""

    def __init__(self, seed, keep=None, tell=None):
        """Take ``keep``, the numbers of the events that happen; None for all of them."""
        self.seed = seed
        self.tell = tell or (lambda _text: None)
        chance = random.Random(seed)
        self.ground = grounds.Ground(seed)
        self.ours = [
            weather.Ours(self.ground, number, specs.spec(chance, self.ground, number))
            for number in range(chance.choice([1, 1, 2]))
        ]
        numbers = iter(range(10_000))
        self.rounds = [
            _script(chance, kinds, count, numbers)
            for kinds, count in ((KINDS, 16), (KINDS, chance.choice([0, 16])), (ENDING, 10))
        ]
        if keep is not None:
            self.rounds = [[e for e in each if e.number in keep] for each in self.rounds]
        for one in self.ours:
            one.cloud.tell = self.tell
        self.retags = []
        self.is_short = False
        self.services = []
        """For each load balancer that the CCM made, the number of the cluster that it is of."""
        self.before = {}
        self.helps = 0

    @property
    def everything(self):
        """Our clusters and machines that are not gone."""
        return [each for one in self.ours for each in (one, *one.hands) if not each.is_gone]

    @property
    def known(self):
        """The ids that ours has in its status, by which it finds what has lost its tag."""
        everything = [each for one in self.ours for each in (one, *one.crew.values())]
        resources = [each.status.get("resources") or {} for each in everything]
        return {id_ for kinds in resources for ids in kinds.values() for id_ in ids.values()}

    @property
    def is_watched(self):
        """Whether a create of ours was cut short, and nobody knows yet what became of it."""
        everything = [each for one in self.ours for each in (one, *one.crew.values())]
        return any(each.status.get("intents") for each in everything)

    @property
    def events(self):
        return [event for each in self.rounds for event in each]

    def run(self):
        """Live to the end; raise ``Broken`` when a law is."""
        self.before = laws.look(self.ground)
        first, second, ending = self.rounds
        for script in (first, second):
            if script or script is first:
                self._play(script)
                self._calm()
                laws.living(self)
        laws.as_in_peace(self)
        for one in self.ours:
            for each in (one, *one.hands):
                each.delete()
        self._play(ending)
        self._calm()
        laws.gone(self)
        return self

    @property
    def digest(self):
        """What two lives of the same seed have in common, which is everything."""
        entries = [(e.action, e.request, e.code) for e in self.ground.fake.journal]
        told = [each.status for one in self.ours for each in (one, *one.crew.values())]
        text = json.dumps([entries, told], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()

    def _play(self, script):
        for event in script:
            chance = random.Random(event.seed)
            one = chance.choice(self.ours)
            self.tell(f"{event} ({one.name})")
            if event.kind in _OF_OTHERS:
                with self.ground.in_peace():
                    EVENTS[event.kind](self, chance, one)
            else:
                EVENTS[event.kind](self, chance, one)

    def step(self, one, each):
        """Let a cluster or one of its machines look, and tell what it did."""
        calls = len(one.cloud.calls)
        each.step()
        laws.always(one, calls)
        changes = [action for action in one.cloud.calls[calls:] if not action.startswith("Read")]
        self.tell(f"    {each.name}: {' '.join(changes) or 'no change'}")

    def _calm(self):
        """Let nothing go wrong any more, and wait until all is well."""
        self.tell("--- calm")
        self.clear_up()
        calm, clock, due = 0, self.ground.fake.clock, {}
        for _ in range(PASSES_MOST):
            for one in self.ours:
                for each in (one, *one.hands):
                    if due.get(each.name, 0) <= clock.now():
                        self.step(one, each)
                        due[each.name] = clock.now() + each.wait_s
            if all(each.is_calm for each in self.everything) and not self._replace():
                calm += 1
                clock.advance(600)  # What was changed last is active again.
                due = {}
            else:
                calm = 0
                self._help()
                soonest = min(due.get(each.name, 0) for each in self.everything)
                clock.advance(max(soonest - clock.now(), 1))
            # The first time, it may still trust what it saw before a vandal came.
            if calm == _CALM_TWICE:
                return
        told = [text for each in self.everything for text in laws.told(each)]
        raise Broken(f"All is not well after {PASSES_MOST} passes: {told}")

    def clear_up(self):
        """Undo what no controller can: faults, quotas, tags that say whose something is."""
        fake, call = self.ground.fake, self.ground.near.call
        fake.faults.clear()
        for name, limit in grounds.QUOTA.items():
            fake.set_quota(name, limit)
        self.is_short = False
        for one in self.ours:
            one.clear_up()
        for request in self.retags:
            if request["ResourceIds"][0] in self.known:
                continue  # Ours knows it without its tag.
            try:
                call("CreateTags", **request)
            except errors.ApiError as error:
                self.tell(f"    CreateTags: {error}")
        self.retags = []
        self.ground.neighbour.leave()

    def _replace(self):
        """Delete the machines that say that they are lost; tell whether there are any."""
        lost = [each for one in self.ours for each in one.hands if each.is_lost]
        for each in lost:
            each.delete()
        return bool(lost)

    def _help(self):
        """Do what an ambiguity asks a person for: delete what it names and is nobody else's."""
        for each in self.everything:
            for text in laws.told(each):
                if "Tag the right one" not in text:
                    continue
                self.helps += 1
                laws.tidy_up(self, text)


def _script(chance, kinds, count, numbers):
    names = chance.choices(list(kinds), list(kinds.values()), k=chance.randint(count // 4, count))
    return [weather.Event(next(numbers), name, chance.getrandbits(32)) for name in names]


# --- Events --------------------------------------------------------------------------------------


def _pass(life, chance, one):
    each = chance.choice([one, *one.hands])
    life.step(one, each)
    life.ground.fake.clock.advance(chance.choice([0, 1, 5, 15, each.wait_s]))


def _time(life, chance, _one):
    life.ground.fake.clock.advance(chance.choice([1, 30, 90, 700, 5000]))


def _trouble(_life, chance, one):
    side = one.far if chance.random() < 0.1 else one.cloud
    side.brew(chance)


def _death(_life, _chance, one):
    one.restart()


def _lost_write(_life, chance, one):
    chance.choice([one, *one.hands]).can_write = False


def _no_record(_life, chance, one):
    chance.choice([one, *one.hands]).can_record = False


def _throttle(life, chance, _one):
    code = chance.choice([6, 24, 25])
    life.ground.fake.fail("throttle", limit=chance.choice([1, 5]), seconds=10, code=code, times=20)


def _stale(life, chance, _one):
    read = chance.choice([*driver.READS])
    life.ground.fake.fail("stale", action=read, seconds=chance.choice([2, 20]), times=3)


def _stuck(life, chance, _one):
    kind, state = chance.choice(
        [
            ("NatService", "deleting"),
            ("Vm", "pending"),
            ("Vm", "shutting-down"),
            ("LoadBalancer", "provisioning"),
        ]
    )
    life.ground.fake.fail("stuck", kind=kind, state=state)


def _quota(life, chance, _one):
    name = chance.choice(list(grounds.QUOTA))
    life.ground.fake.set_quota(name, 1)
    life.is_short = True


def _change(life, chance, one):
    if "deletionTimestamp" not in one.object["metadata"]:
        one.set(specs.changed(chance, one.object["spec"], life.ground, one.number))
        life.tell(f"    {one.object['spec']}")


def _wipe(_life, chance, one):
    each = chance.choice([one, *one.hands])
    if not each.status.get("intents"):
        each.object.pop("status", None)
        one.restart()


def _pause(life, chance, one):
    one.cluster["spec"]["paused"] = not one.cluster["spec"].get("paused", False)
    if chance.random() < 0.5:
        life.step(one, chance.choice([one, *one.hands]))


def _hire(life, chance, one):
    if len(one.hands) < _CREW_MOST:
        leads, spec = specs.machine(chance, life.ground, one.object["spec"])
        labels = machine_driver.CP_LABEL if leads else machine_driver.MD_LABEL
        one.hire(f"{one.name}-{len(one.crew)}", labels=labels, spec=spec)


def _fire(_life, chance, one):
    if one.hands:
        chance.choice(one.hands).delete()


def _vandal(life, chance, one):
    life.tell(f"    {vandals.vandalise(chance, life.ground.near, laws.owner(one))}")


def _disown(life, chance, one):
    request = vandals.disown(chance, life.ground.near, laws.owner(one))
    if request:
        life.retags.append(request)
        life.tell(f"    {request}")


def _redirect(life, chance, _one):
    try:
        done = vandals.redirect(chance, life.ground.far, life.ground.peer)
    except errors.ApiError as error:
        done = error
    life.tell(f"    {done}")


def _neighbour(life, chance, one):
    if not life.is_short:
        done = life.ground.neighbour.act(chance, one, is_watched=life.is_watched)
        life.tell(f"    {done}")


def _ccm(life, _chance, one):
    if not life.is_short and laws.serve(life.ground, one):
        life.services.append(one.number)


EVENTS = {
    "pass": _pass,
    "time": _time,
    "trouble": _trouble,
    "death": _death,
    "lost write": _lost_write,
    "no record": _no_record,
    "throttle": _throttle,
    "stale": _stale,
    "stuck": _stuck,
    "quota": _quota,
    "change": _change,
    "wipe": _wipe,
    "pause": _pause,
    "hire": _hire,
    "fire": _fire,
    "vandal": _vandal,
    "disown": _disown,
    "redirect": _redirect,
    "neighbour": _neighbour,
    "ccm": _ccm,
}
_OF_OTHERS = {"vandal", "disown", "redirect", "neighbour", "ccm"}
