"""Waiting says what was seen, and ends with the run."""

import threading

import pytest

from e2e import waits


def wait(within_s, stop=None):
    return waits.Wait("noticed", within_s, 0.001, stop or threading.Event())


def unmet():
    waits.need("", saw="a red light")


def test_what_is_too_late_says_what_was_seen_last():
    with pytest.raises(waits.TooLate, match=r"After 0 s \(noticed\): a red light"):
        wait(0).eventually(unmet)


def test_what_is_found_is_returned():
    looks = iter([waits.Unmet("a red light"), "green"])

    def probe():
        if isinstance(found := next(looks), waits.Unmet):
            raise found
        return found

    assert wait(60).eventually(probe) == "green"


def test_the_first_look_that_is_unmet_ends_what_has_to_hold():
    with pytest.raises(AssertionError, match="a red light"):
        wait(60).throughout(unmet)


def test_nobody_waits_when_the_run_is_over():
    stop = threading.Event()
    stop.set()
    with pytest.raises(waits.Stopped):
        wait(60, stop).eventually(unmet)
