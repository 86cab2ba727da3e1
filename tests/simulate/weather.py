"""Our side under bad weather: calls that fail, answers that are lost, processes that die."""

import dataclasses
import random

from fakecloud import errors as refusals
from provider import machine, machine_blueprint
from provider.osc import errors, shared
from provider.reasons import Reason
from tests.functional.provider import driver, machine_driver
from tests.simulate import ground as grounds

CODES = (1, 6, 14, 24, 25, 1018, 2000, 5065, 6003, 9013, 9029, 10001, 10022)
"""Refusals that are made whatever the call: they are lies, and have to be survived as well."""
CALM_S = 300.0
"""Who wants to look again after this time or later has nothing to do."""
EFFECTS = ("refuse", "lose", "die before", "die after")


class NoKubernetes(Exception):
    """The API server did not confirm a write."""


class Weather(driver.Direct):
    """The cloud as our process sees it: fates wait at some of the calls to come."""

    def __init__(self, fake, account=""):
        super().__init__(fake, account)
        self.fates = {}

    def brew(self, chance):
        """Let some of the next calls go wrong, or only one of them."""
        span = chance.choice([3, 10, 40])
        for _ in range(chance.choice([1, 1, 2, 5])):
            effect = chance.choice(EFFECTS)
            code = chance.choice(CODES) if effect == "refuse" else 0
            self.fates[len(self.calls) + chance.randint(1, span)] = effect, code

    def call(self, action, /, **request):
        effect, code = self.fates.pop(len(self.calls) + 1, ("", 0))
        if not effect or effect.endswith(("after", "lose")):
            answer = super().call(action, **request)
            if effect == "lose":
                raise errors.ApiError(action)
            if effect:
                raise driver.Killed
            return answer
        self.calls.append(action)
        if effect == "die before":
            raise driver.Killed
        type_, status = refusals.classify(code)
        raise errors.ApiError(action, status=status, code=str(code), type=type_, details="a lie")


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
        self.number = number
        self.name = grounds.NAMES[number]
        self.cloud = Weather(ground.fake)
        self.far = Weather(ground.fake, grounds.FAR)
        self.crew = {}
        self.chance = random.Random(number)
        self.restart()

    def restart(self):
        """Begin as a process does, with no memory."""
        reads = shared.SharedReads(self.cloud, self.clock)
        self.clouds = Clouds(self.cloud, self.far, reads)
        for each in (self, *self.crew.values()):
            each.memory = {}

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
            *machine.LOST.values(),
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
