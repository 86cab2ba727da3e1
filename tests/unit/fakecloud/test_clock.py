"""The virtual clock: frozen, stepped, running, and the dates that it writes."""

import pytest

from fakecloud import clock


class Real:
    """Real time, moved by hand."""

    def __init__(self):
        self.now = 1_000.0

    def __call__(self):
        return self.now


def test_a_frozen_clock_moves_only_when_told():
    real = Real()
    frozen = clock.Clock(monotonic=real)
    start = frozen.now()
    real.now += 50
    assert frozen.now() == start
    assert frozen.advance(30) == start + 30


def test_two_frozen_clocks_start_at_the_same_moment():
    assert clock.Clock().now() == clock.Clock().now() == clock.FROZEN_START


def test_a_running_clock_multiplies_real_time():
    real = Real()
    running = clock.Clock(rate=60, start=0, monotonic=real)
    real.now += 2
    assert running.now() == 120
    running.run(0)
    real.now += 100
    assert running.now() == 120
    running.run(1)
    real.now += 5
    assert running.now() == 125


def test_a_running_clock_starts_at_the_present():
    assert clock.Clock(rate=1, wall=lambda: 777.0, monotonic=lambda: 0.0).now() == 777.0


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf")])
def test_time_goes_only_forward(seconds):
    with pytest.raises(ValueError, match="only goes forward"):
        clock.Clock().advance(seconds)


def test_a_negative_rate_is_refused():
    with pytest.raises(ValueError, match="can neither go backwards"):
        clock.Clock(rate=-1)
    with pytest.raises(ValueError, match="can neither go backwards"):
        clock.Clock().run(-1)


def test_dates_are_written_as_the_api_writes_them():
    assert clock.stamp(1286001296.789) == "2010-10-02T06:34:56.789Z"
    assert clock.day(0) == "1970-01-01"
    assert clock.parse(clock.stamp(1286001296.5)) == 1286001296.5
    assert clock.parse("2010-10-01") == clock.parse("2010-10-01T00:00:00Z")
