"""The speed limit: never too many calls, fewer after a refusal, and back to full speed."""

import itertools
import random
import threading

import pytest

from provider.osc import limits
from provider.osc.limits import Bucket
from tests.unit.provider.osc.manual_clock import ManualClock


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def bucket(clock):
    return Bucket(clock, random.Random(7), rate_per_s=5, burst=5)


def test_a_burst_passes_at_once(bucket):
    assert [bucket.take() for _ in range(5)] == [0.0] * 5


def test_after_the_burst_calls_follow_at_the_rate(bucket):
    taken = [bucket.take() for _ in range(10)][5:]
    assert taken == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0], abs=1e-3)


def test_a_rest_fills_the_bucket_up_to_the_burst(bucket, clock):
    for _ in range(5):
        bucket.take()
    clock.sleep(3600)
    assert [bucket.take() for _ in range(6)][:5] == [3600.0] * 5
    assert clock.monotonic_s() > 3600


def test_many_threads_together_keep_the_limit(bucket):
    taken = []

    def call():
        for _ in range(25):
            taken.append(bucket.take())  # noqa: PERF401 - a comprehension would add at the end

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken.sort()
    assert len(taken) == 200
    for first, last in itertools.combinations(range(200), 2):
        assert last - first + 1 <= 5 + 5 * (taken[last] - taken[first]) + 1e-3


def test_a_refusal_stops_everybody_for_a_while(bucket):
    bucket.refused(bucket.take())
    again = bucket.take()
    assert 0.5 * limits.PAUSE_S <= again <= 1.5 * limits.PAUSE_S


def test_one_call_goes_ahead_after_a_pause(bucket):
    bucket.refused(bucket.take())
    first, second = bucket.take(), bucket.take()
    assert second - first == pytest.approx(1 / 2.5, abs=1e-3)


def test_refusals_in_a_row_make_the_pause_longer(bucket, clock):
    pauses = []
    for _ in range(12):
        taken = bucket.take()
        bucket.refused(taken)
        pauses.append(bucket._closed_until_s - clock.monotonic_s())
    assert pauses[3] > pauses[0]
    assert max(pauses) <= 1.5 * limits.PAUSE_MOST_S
    assert bucket.rate_per_s == 5 * limits.SLOWEST


def test_calls_that_were_under_way_together_are_refused_once(bucket):
    taken = [bucket.take() for _ in range(5)]
    for each in taken:
        bucket.refused(each)
    assert bucket.rate_per_s == 2.5


def test_an_older_call_that_passed_does_not_end_the_caution(bucket):
    taken = [bucket.take() for _ in range(2)]
    bucket.refused(taken[0])
    bucket.passed(taken[1])
    assert bucket.rate_per_s == 2.5


def test_calls_that_pass_bring_the_rate_back(bucket):
    bucket.refused(bucket.take())
    for _ in range(25):
        bucket.passed(bucket.take())
    assert bucket.rate_per_s == pytest.approx(5)
    bucket.passed(bucket.take())
    assert bucket.rate_per_s == 5


def test_the_pause_is_spread_by_chance(clock):
    starts = set()
    for seed in range(20):
        bucket = Bucket(clock, random.Random(seed))
        bucket.refused(bucket.take())
        starts.add(round(bucket._closed_until_s - clock.monotonic_s(), 2))
    assert len(starts) > 10
