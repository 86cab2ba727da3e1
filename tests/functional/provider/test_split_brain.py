"""Two managers at work on one OscCluster, as for the time of a lease that one has lost unnoticed.

Their calls are interleaved at random. Kubernetes takes a write only of who has seen the last one.
"""

import random
import threading

import pytest

from fakecloud import FakeCloud
from tests.functional.provider import clusters, driver

PAUSES_S = (1, 5, 15, 30)


class Conflict(Exception):
    """Somebody else has written meanwhile."""


class Turns:
    """Lets one of several threads go on at a time."""

    def __init__(self, chance, threads):
        self._chance = chance
        self._changed = threading.Condition()
        self._alive = set(range(threads))
        self._next = 0

    def wait(self, me):
        with self._changed:
            self._pass_on()
            self._changed.wait_for(lambda: self._next == me)

    def leave(self, me):
        with self._changed:
            self._alive.discard(me)
            self._pass_on()

    def _pass_on(self):
        if self._alive:
            self._next = self._chance.choice(sorted(self._alive))
        self._changed.notify_all()


class Cloud(driver.Direct):
    """A cloud in which every call waits for its turn."""

    def call(self, action, /, **request):
        self.turns.wait(self.me)
        return super().call(action, **request)


class Manager(driver.ClusterDriver):
    """One of the managers; ``server`` holds the object as Kubernetes has it."""

    def __init__(self, server, fake, me):
        super().__init__(fake=fake)
        self.server, self.me = server, me
        self.cloud = Cloud(fake)
        self.cloud.me = me
        self.clouds = driver.Clouds(self.cloud, None, self.clock)
        self.memory = driver.Memory(self.clouds)

    def record(self, status):
        self.cloud.turns.wait(self.me)
        self._check()
        super().record(status)
        self._write()

    def apply(self, outcome):
        self._check()
        super().apply(outcome)
        self._write()

    def _check(self):
        if self.server["version"] != self.version:
            raise Conflict

    def _write(self):
        if self.object != self.server["object"]:
            self.version += 1
            self.server |= {"object": driver.copied(self.object), "version": self.version}

    def look(self, turns, broken):
        try:
            self.cloud.turns = turns
            turns.wait(self.me)
            self.step()
        except Conflict:
            pass
        except Exception as problem:  # noqa: BLE001 - it is raised in the thread of the test
            broken.append(problem)
        finally:
            turns.leave(self.me)


def together(managers, chance):
    """Let each manager look once, at the same time; return what went wrong."""
    turns, broken = Turns(chance, len(managers)), []
    for each in managers:
        each.object = driver.copied(each.server["object"])
        each.version = each.server["version"]
    threads = [threading.Thread(target=each.look, args=(turns, broken)) for each in managers]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return broken


def counted(fake):
    return {kind: len(rows) for kind, rows in driver.inventory(fake).items()}


@pytest.mark.parametrize("seed", [1, 2])
def test_two_managers_at_once_double_and_leak_nothing(seed):
    chance = random.Random(seed)
    fake, alone = FakeCloud(seed=seed), FakeCloud(seed=seed)
    spec = {"network": {"bastion": clusters.bastion(fake)}}
    before = driver.shape(fake)
    clusters.ready({"bastion": clusters.bastion(alone)}, alone)
    server = {"object": driver.osc_cluster(spec), "version": 0}
    pair = [Manager(server, fake, me) for me in range(2)]

    for _ in range(40):
        assert together(pair, chance) == []
        fake.clock.advance(chance.choice(PAUSES_S))
    for _ in range(20):
        assert together(pair[:1], chance) == []
        fake.clock.advance(60)
    assert pair[0].is_ready, pair[0].conditions
    assert counted(fake) == counted(alone)

    server["object"]["metadata"]["deletionTimestamp"] = "2026-11-29T01:00:00Z"
    server["version"] += 1
    for _ in range(80):
        if server["object"]["metadata"].get("finalizers") == []:
            break
        assert together(pair, chance) == []
        fake.clock.advance(chance.choice(PAUSES_S))
    assert server["object"]["metadata"]["finalizers"] == []
    assert driver.shape(fake) == before
