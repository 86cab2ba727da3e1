"""The laws of the work queue, with time that jumps."""

import asyncio
import random

import hypothesis
from hypothesis import strategies

from provider.manager import queue
from tests.unit.provider.manager import jumping


class Job:
    """Work that is told how long it takes and how it ends; remembers when each key was served."""

    def __init__(self, takes_s=0.0, ends=()):
        self.served = []
        self.busy = set()
        self.busy_max = 0
        self.overlaps = 0
        self.waiting_max = 0
        self.retries = 0
        self._takes_s = takes_s
        self._ends = iter(ends)

    async def __call__(self, key):
        self.overlaps += key in self.busy
        self.busy.add(key)
        self.busy_max = max(self.busy_max, len(self.busy))
        self.served.append((asyncio.get_running_loop().time(), key))
        await asyncio.sleep(self._takes_s)
        self.busy.discard(key)
        end = next(self._ends, None)
        if isinstance(end, Exception):
            raise end
        return end

    def waiting(self, count):
        self.waiting_max = max(self.waiting_max, count)

    def retried(self):
        self.retries += 1

    @property
    def keys(self):
        return [key for _, key in self.served]

    @property
    def times(self):
        return [round(when, 3) for when, _ in self.served]


class Middle(random.Random):
    """Chance that always takes the longest pause."""

    def uniform(self, *bounds):
        return max(bounds)


def new(job, workers=2, lane=None, **backoff):
    lanes = {"lane": lane} if lane else {}
    backoff = queue.Backoff(**backoff)
    return queue.Queue(job, workers=workers, chance=Middle(), watcher=job, backoff=backoff, **lanes)


def run(job, scene, for_s=1000.0, **options):
    """Start a queue, play a scene on it, and let time pass."""

    async def play():
        made = new(job, **options)
        made.start()
        await scene(made)
        await asyncio.sleep(for_s)
        await made.stop(0)

    jumping.run(play())


def test_a_key_that_is_added_twice_is_served_once():
    async def scene(made):
        made.add("a")
        made.add("b")
        made.add("b")
        made.add("b")

    job = Job(takes_s=1)
    run(job, scene, workers=1)
    assert job.keys == ["a", "b"]


def test_a_key_that_is_added_while_it_is_served_is_served_once_more():
    async def scene(made):
        made.add("a")
        await asyncio.sleep(0.5)
        made.add("a")
        made.add("a")

    job = Job(takes_s=1)
    run(job, scene)
    assert job.times == [0, 1]
    assert job.overlaps == 0


def test_different_keys_are_served_at_the_same_time_by_as_many_workers_as_there_are():
    async def scene(made):
        for key in range(10):
            made.add(key)

    job = Job(takes_s=1)
    run(job, scene, workers=3)
    assert job.busy_max == 3
    assert job.times == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3]
    assert job.waiting_max == 7


def test_a_key_that_is_always_due_does_not_starve_the_others():
    async def scene(made):
        for key in ("greedy", "b", "c"):
            made.add(key)
        for _ in range(20):
            await asyncio.sleep(0.5)
            made.add("greedy")

    job = Job(takes_s=1)
    run(job, scene, workers=1)
    assert job.keys[:4] == ["greedy", "b", "c", "greedy"]


def test_no_lane_waits_for_another():
    async def scene(made):
        for key in ("a1", "a2", "a3", "b1", "c1", "b2"):
            made.add(key)

    job = Job(takes_s=1)
    run(job, scene, workers=1, lane=lambda key: key[0])
    assert job.served == [(0, "a1"), (0, "b1"), (0, "c1"), (1, "a2"), (1, "b2"), (2, "a3")]
    assert job.waiting_max == 3


def test_a_key_that_changes_its_lane_is_still_served_by_one_worker_at_a_time():
    lanes = {"a": 1}

    async def scene(made):
        made.add("a")
        await asyncio.sleep(0.5)
        lanes["a"] = 2
        made.add("a")
        made.add_after("a", 0)

    job = Job(takes_s=1)
    run(job, scene, lane=lanes.get)
    assert job.times == [0, 1]
    assert job.overlaps == 0


def test_a_failing_key_comes_back_after_pauses_that_double_up_to_a_limit():
    async def scene(made):
        made.add("a")

    job = Job(ends=[ValueError()] * 6)
    run(job, scene, first_s=1, most_s=10)
    assert job.times == [0, 1, 3, 7, 15, 25, 35]
    assert job.retries == 6


def test_a_success_starts_the_pauses_anew():
    async def scene(made):
        made.add("a")

    job = Job(ends=[ValueError(), ValueError(), 100.0, ValueError(), None])
    run(job, scene, first_s=1, most_s=10)
    assert job.times == [0, 1, 3, 103, 104]


def test_a_thousand_failures_in_a_row_are_no_overflow():
    assert queue.Backoff(1, 300).pause_s(100_000, Middle()) == 300


@hypothesis.given(strategies.integers(1, 100), strategies.integers())
def test_a_pause_lies_between_half_of_the_whole_and_the_whole(failures, seed):
    whole = min(2.0 ** (failures - 1), 300.0)
    assert whole / 2 <= queue.Backoff().pause_s(failures, random.Random(seed)) <= whole


def test_work_says_when_the_key_is_due_again():
    async def scene(made):
        made.add("a")

    job = Job(takes_s=1, ends=[10.0, 20.0, None])
    run(job, scene)
    assert job.times == [0, 11, 32]


def test_an_event_brings_a_later_date_forward():
    async def scene(made):
        made.add("a")
        await asyncio.sleep(5)
        made.add("a")

    job = Job(ends=[100.0, 200.0])
    run(job, scene, for_s=250)
    assert job.times == [0, 5, 205]


def test_the_earlier_of_two_dates_counts():
    async def scene(made):
        made.add_after("a", 50)
        made.add_after("a", 20)
        made.add_after("a", 30)

    job = Job()
    run(job, scene)
    assert job.times == [20]


def test_a_failing_key_does_not_hold_up_another():
    async def scene(made):
        made.add("bad")
        made.add("good")

    job = Job(ends=[ValueError()])
    run(job, scene, for_s=0.5, workers=1)
    assert job.keys == ["bad", "good"]


def test_keys_that_come_before_the_start_wait_for_it():
    async def play(job):
        made = new(job)
        made.add("a")
        await asyncio.sleep(5)
        assert len(made) == 1
        made.start()
        await asyncio.sleep(1)
        await made.stop(0)

    job = Job()
    jumping.run(play(job))
    assert job.times == [5]


def test_a_stop_lets_the_work_finish_but_starts_nothing():
    async def play(job):
        made = new(job, workers=1)
        made.start()
        made.add("a")
        made.add("b")
        made.add_after("c", 2)
        await asyncio.sleep(0.5)
        assert await made.stop(5) == 0
        assert asyncio.get_running_loop().time() == 1
        await asyncio.sleep(100)

    job = Job(takes_s=1, ends=[1.0])
    jumping.run(play(job))
    assert job.keys == ["a"]


def test_a_stop_cuts_off_work_that_takes_too_long():
    async def play(job):
        made = new(job)
        made.start()
        made.add("a")
        await asyncio.sleep(0.5)
        assert await made.stop(5) == 1
        return asyncio.get_running_loop().time()

    assert jumping.run(play(Job(takes_s=60))) == 5.5


@hypothesis.given(strategies.data())
def test_every_key_is_served_after_its_last_addition_and_never_twice_at_once(data):
    keys = strategies.sampled_from("abcd")
    script = data.draw(strategies.lists(strategies.tuples(keys, strategies.floats(0, 3))))
    fails = data.draw(strategies.lists(strategies.booleans(), max_size=20))
    last = {}

    async def scene(made):
        for key, pause_s in script:
            made.add(key)
            last[key] = asyncio.get_running_loop().time()
            await asyncio.sleep(pause_s)

    job = Job(takes_s=1, ends=[ValueError() if each else None for each in fails])
    run(job, scene, first_s=1, most_s=10)
    assert job.overlaps == 0
    for key, when in last.items():
        assert any(served >= when for served, name in job.served if name == key)
    assert job.retries == sum(fails[: len(job.served)])
