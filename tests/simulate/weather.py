"""Our side under bad weather: calls that fail, answers that are lost, processes that die."""

import dataclasses
import random

from fakecloud import errors as refusals
from provider import machine_blueprint, machine_lost
from provider.osc import errors, shared, sharing
from provider.reasons import Reason
from tests.functional.provider import driver, machine_driver
from tests.simulate import ground as grounds

CODES = (1, 6, 14, 24, 25, 1018, 2000, 5065, 6003, 9013, 9029, 10001, 10022)
"""Refusals that are made whatever the call: they are lies, and have to be survived as well."""
CALM_S = 300.0
"""Who wants to look again after this time or later has nothing to do."""
CALM_AGE_S = sharing.CALM_PART * CALM_S
"""How old an answer may be for who had nothing to do, as in a manager with a sync period."""
EFFECTS = ("refuse", "lose", "die before", "die after")


@dataclasses.dataclass(frozen=True)
class Fate:
    """What becomes of one call."""

    effect: str
    code: int
    seed: int
    """Of what others do at that moment."""

    @property
    def is_done(self):
        """Whether the call is carried out all the same."""
        return self.effect in ("lose", "die after")

    def error(self, action):
        """Return what the caller sees."""
        if self.effect.startswith("die"):
            return driver.Killed()
        if self.effect == "lose":
            return errors.ApiError(action)
        type_, status = refusals.classify(self.code)
        about = {"code": str(self.code), "type": type_, "details": "a lie"}
        return errors.ApiError(action, status=status, **about)


class NoKubernetes(Exception):
    """The API server did not confirm a write."""


class Weather(driver.Direct):
    """The cloud as our process sees it: fates wait at some of the calls to come."""

    def __init__(self, ground, account=""):
        super().__init__(ground.fake, account)
        self._ground = ground
        self.fates = {}
        self.is_kept = lambda: True
        """Tells whether our next writes to Kubernetes will be kept."""
        self.tell = lambda _text: None

    def brew(self, chance):
        """Let some of the next calls go wrong, or only one of them."""
        span = chance.choice([3, 10, 40])
        for _ in range(chance.choice([1, 1, 2, 5])):
            effect = chance.choice(EFFECTS)
            code = chance.choice(CODES) if effect == "refuse" else 0
            fate = Fate(effect, code, chance.getrandbits(32))
            self.fates[len(self.calls) + chance.randint(1, span)] = fate

    def call(self, action, /, **request):
        self._ground.neighbour.guard(action, request)
        fate = self.fates.pop(len(self.calls) + 1, None)
        if fate is None:
            return super().call(action, **request)
        if fate.is_done:
            super().call(action, **request)
        else:
            self.calls.append(action)
        error = fate.error(action)
        self._meanwhile(action, fate, error)
        raise error

    def _meanwhile(self, action, fate, error):
        """Let the neighbour use the moment in which nobody knows what became of a create.

        What he leaves without a tag can be told from ours when ours was made, or surely was not,
        and nothing else goes wrong before that is written down.
        """
        chance = random.Random(fate.seed)
        known = isinstance(error, errors.ApiError) and (
            fate.is_done or error.cause is not errors.Cause.UNKNOWN
        )
        can_leave = known and self.is_kept()
        with self._ground.in_peace():
            done = self._ground.neighbour.interfere(chance, action, can_leave=can_leave)
        if done == "make":
            self.fates.clear()
        self.tell(f"    {action}: {fate}; the neighbour: {done}")


class Fallible:
    """A driver whose process can die, and whose writes can be lost."""

    can_record = True
    can_write = True

    def record(self, status):
        if not self.can_record:
            self.can_record = True
            raise NoKubernetes
        super().record(status)

    def apply(self, outcome):
        if not self.can_write:
            self.can_write = True
            raise NoKubernetes
        super().apply(outcome)

    def step(self):
        if self.is_gone:
            return None
        try:
            return super().step()
        except NoKubernetes:
            return None

    @property
    def is_calm(self):
        """Whether the last pass asked for no early look."""
        last = self.last
        if self.is_gone or last is None:
            return self.is_gone
        return not last.retry and (last.again_s is None or last.again_s >= CALM_S)

    @property
    def wait_s(self):
        """How long until it wants to look again."""
        if self.last is None or self.last.retry or not self.last.again_s:
            return 5.0  # What waits for something else is woken when that comes.
        return min(max(self.last.again_s, 1.0), CALM_S)


class Ours(Fallible, driver.ClusterDriver):
    """One of our clusters, with its machines; one process cares for all of them."""

    def __init__(self, ground, number, spec):
        super().__init__(spec, ground.fake, grounds.UIDS[number], grounds.NAMES[number])
        self.ground = ground
        self.number = number
        self.uid = grounds.UIDS[number]
        self.name = grounds.NAMES[number]
        self.cloud = Weather(ground)
        self.far = Weather(ground, grounds.FAR)
        self.crew = {}
        self.cloud.is_kept = lambda: all(each.can_write for each in (self, *self.crew.values()))
        self.chance = random.Random(number)
        self.restart()

    def restart(self):
        """Begin as a process does, with no memory."""
        reads = shared.SharedReads(self.cloud, self.clock, CALM_AGE_S)
        self.clouds = Clouds(self.cloud, self.far, reads)
        for each in (self, *self.crew.values()):
            each.memory = {}

    def die(self):
        self.restart()

    def step(self):
        self.machines = tuple(each.object for each in self.hands)
        return super().step()

    def clear_up(self):
        """Let nothing go wrong from now on."""
        self.cloud.fates.clear()
        self.far.fates.clear()
        for each in (self, *self.crew.values()):
            each.can_record = each.can_write = True
        self.cluster["spec"].pop("paused", None)

    # --- Machines --------------------------------------------------------------------------------

    @property
    def hands(self):
        """Its machines that are not gone."""
        return [each for each in self.crew.values() if not each.is_gone]

    def hire(self, name, **facts):
        """Add a machine."""
        asked = driver.copied(facts["spec"])
        self.crew[name] = Hand(self, name, **facts)
        self.crew[name].asked = asked


class Clouds(driver.Clouds):
    """Both sides, and the Reads that all machines share."""

    def __init__(self, near, far, reads):
        super().__init__(near, far)
        self._reads = reads

    def shared(self):
        return self.near, self._reads


class Hand(Fallible, machine_driver.MachineDriver):
    """One of our machines."""

    image = {}  # noqa: RUF012 - its spec names one

    def objects(self):
        others = [each.object for each in self.site.hands if each is not self]
        has_vm = self.object["spec"].get("providerID")
        return machine_blueprint.MachineObjects(
            driver.copied(self.object),
            machine=self.machine,
            cluster=self.site.cluster,
            osc_cluster=self.site.object,
            bootstrap=None if has_vm else self.bootstrap,
            siblings=tuple(others),
        )

    @property
    def is_lost(self):
        """Whether its VM does not work any more, so that somebody has to delete it."""
        return self.conditions.get("VmReady", ("", "", ""))[1] in {
            *machine_lost.LOST.values(),
            Reason.VM_GONE,
        }


@dataclasses.dataclass(frozen=True)
class Event:
    """Something that happens; its seed decides the rest, whatever happened before."""

    number: int
    kind: str
    seed: int

    def __str__(self):
        return f"{self.number} {self.kind}"
