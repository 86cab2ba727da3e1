"""The speed limit: never too many calls, fewer after a refusal, and back to full speed."""

import random
import threading

import pytest

from provider.osc import limits
from provider.osc.limits import Limiter
from tests.unit.provider.osc.manual_clock import ManualClock

PACE_S = 1 / (5 * limits.SHARE)


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def limiter(clock):
    return Limiter(clock, random.Random(7), rate_per_s=5, burst=5)


def test_a_burst_passes_at_once(limiter):
    assert [limiter.take() for _ in range(5)] == [0.0] * 5


def test_after_the_burst_calls_follow_at_the_pace_of_the_limit(limiter):
    taken = [limiter.take() for _ in range(10)][5:]
    begun = 1 / limits.SHARE
    assert taken == pytest.approx([begun + each * PACE_S for each in range(5)], abs=1e-3)


def test_after_a_rest_there_may_be_a_burst_again(limiter, clock):
    for _ in range(7):
        limiter.take()
    clock.sleep(3600)
    begun = clock.monotonic_s()
    assert [limiter.take() for _ in range(6)][:5] == [begun] * 5
    assert clock.monotonic_s() >= begun + 1


def most(taken, window_s):
    """Return how many calls the busiest window holds."""
    return max(
        sum(first <= each <= first + window_s for each in taken[number:])
        for number, first in enumerate(taken)
    )


@pytest.mark.parametrize(("rate_per_s", "minute"), [(5, 288), (20, 1145), (2, 116), (1, 58)])
def test_no_second_and_no_minute_has_more_calls_than_the_limit_says(clock, rate_per_s, minute):
    limiter = Limiter(clock, random.Random(7), rate_per_s=rate_per_s)
    rests, taken = random.Random(3), []
    for _ in range(40 * rate_per_s):
        taken.append(limiter.take())
        if rests.random() < 0.05:
            clock.sleep(rests.uniform(0, 3))
    taken += [limiter.take() for _ in range(70 * rate_per_s)]
    assert most(taken, 1.0) <= rate_per_s
    assert most(taken, 60.0) <= minute < 60 * rate_per_s


def test_many_threads_together_keep_the_limit(limiter):
    taken = []

    def call():
        for _ in range(25):
            taken.append(limiter.take())  # noqa: PERF401 - a comprehension would add at the end

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken.sort()
    assert len(taken) == 200
    assert most(taken, 1.0) <= 5


def test_a_refusal_stops_everybody_for_a_while(limiter):
    limiter.refused(limiter.take())
    again = limiter.take()
    assert 0.5 * limits.PAUSE_S <= again <= 1.5 * limits.PAUSE_S


def test_one_call_goes_ahead_after_a_pause(limiter):
    limiter.refused(limiter.take())
    first, second = limiter.take(), limiter.take()
    assert second - first == pytest.approx(2 * PACE_S, abs=1e-3)


def test_refusals_in_a_row_make_the_pause_longer(limiter, clock):
    pauses = []
    for _ in range(12):
        taken = limiter.take()
        limiter.refused(taken)
        pauses.append(limiter._closed_until_s - clock.monotonic_s())
    assert pauses[3] > pauses[0]
    assert max(pauses) <= 1.5 * limits.PAUSE_MOST_S
    assert limiter.rate_per_s == 5 * limits.SLOWEST


def test_calls_that_were_under_way_together_are_refused_once(limiter):
    taken = [limiter.take() for _ in range(5)]
    for each in taken:
        limiter.refused(each)
    assert limiter.rate_per_s == 2.5


def test_an_older_call_that_passed_does_not_end_the_caution(limiter):
    taken = [limiter.take() for _ in range(2)]
    limiter.refused(taken[0])
    limiter.passed(taken[1])
    assert limiter.rate_per_s == 2.5


def test_calls_that_pass_bring_the_rate_back(limiter):
    limiter.refused(limiter.take())
    for _ in range(25):
        limiter.passed(limiter.take())
    assert limiter.rate_per_s == pytest.approx(5)
    limiter.passed(limiter.take())
    assert limiter.rate_per_s == 5


def test_the_pause_is_spread_by_chance(clock):
    starts = set()
    for seed in range(20):
        limiter = Limiter(clock, random.Random(seed))
        limiter.refused(limiter.take())
        starts.add(round(limiter._closed_until_s - clock.monotonic_s(), 2))
    assert len(starts) > 10
