"""Time that stands still, and chance that repeats itself."""

import re

import pytest

from fakekube import clock


def test_a_frozen_clock_only_moves_when_told():
    time = clock.Clock(rate=0)
    assert time.stamp() == "2026-01-01T00:00:00Z"
    time.advance(61.5)
    assert time.stamp() == "2026-01-01T00:01:01Z"


def test_a_running_clock_runs_at_its_rate():
    moments = iter([10.0, 12.0])
    time = clock.Clock(rate=60, start=0, monotonic=lambda: next(moments))
    assert time.now() == 120


@pytest.mark.parametrize("step", [-1, float("inf"), float("nan")])
def test_time_only_goes_forward(step):
    with pytest.raises(ValueError, match="Time only goes forward"):
        clock.Clock(rate=0).advance(step)
    with pytest.raises(ValueError, match="The rate of a clock"):
        clock.Clock(rate=step)


def test_a_moment_survives_being_written():
    assert clock.parse(clock.stamp(1_800_000_000)) == 1_800_000_000
    assert clock.micro_stamp(1.5) == "1970-01-01T00:00:01.500000Z"
    with pytest.raises(ValueError, match="no time zone"):
        clock.parse("2026-01-01T00:00:00")


def test_the_same_seed_makes_the_same_uids():
    one, other = clock.Chance(7), clock.Chance(7)
    found = [one.uid() for _ in range(10)]
    assert found == [other.uid() for _ in range(10)]
    assert len(set(found)) == 10
    assert all(
        re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab].{3}-.{12}", u) for u in found
    )
    assert re.fullmatch(r"[bcdfghjklmnpqrstvwxz2456789]{5}", one.suffix())
