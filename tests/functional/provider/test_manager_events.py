"""Events: told once, counted afterwards, never a flood."""

import asyncio
import datetime as dt
import random

import pytest

from provider.kube import client, kinds
from provider.manager import events
from provider.outcome import Event
from tests.contract.kube.client import eventually

GONE = None
FULL = Event("Warning", "QuotaReached", "There is no more room.")


class ByHand:
    """A clock that is moved by hand."""

    def __init__(self):
        self.seconds = 0.0

    def now(self):
        return dt.datetime(2026, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=self.seconds)

    def monotonic_s(self):
        return self.seconds


@pytest.fixture
def clock():
    return ByHand()


def play(stage, clock, *steps):
    """Publish events, each after some seconds, or delete what was told; return what is there."""
    body = stage.get(kinds.OSC_CLUSTER, "demo") or stage.cluster()

    async def scene():
        async with client.Client(stage.source, random.Random(1)) as kube:
            recorder = events.Recorder(kube, clock, random.Random(2), "here")
            task = asyncio.create_task(recorder.run())
            for after_s, event in steps:
                clock.seconds += after_s
                if event is GONE:
                    stage.delete(kinds.EVENT, stage.list(kinds.EVENT)[0]["metadata"]["name"])
                    continue
                recorder.publish(kinds.OSC_CLUSTER, body, event)
                await recorder.flush()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(scene())
    return eventually(lambda: stage.list(kinds.EVENT))


def test_a_repeated_event_is_counted_once_a_minute(plain, clock):
    (told,) = play(plain, clock, (0, FULL), (30, FULL), (30, FULL), (10, FULL))
    assert told["series"]["count"] == 3
    assert told["series"]["lastObservedTime"].startswith("2026-01-01T00:01:00")


def test_an_event_that_somebody_deleted_is_told_anew(plain, clock):
    (told,) = play(plain, clock, (0, FULL), (30, FULL), (10, GONE), (60, FULL))
    assert "series" not in told


def test_the_same_refusal_of_another_request_is_no_other_event(plain, clock):
    error = "CreateNet: TooManyResources 10022 No more Nets. (request {}-4f3c)"
    many = [Event("Warning", "QuotaReached", error.format(number)) for number in range(5)]
    (told,) = play(plain, clock, *((30, each) for each in many))
    assert told["note"] == error.format(0)
    assert told["series"]["count"] == 5


def test_a_long_refusal_that_is_cut_within_the_request_id_is_no_other_event(plain, clock):
    error = f"CreateNet: {'x' * (events.NOTE_MOST - 22)} (request {{}}-4f3c)"
    many = [Event("Warning", "QuotaReached", error.format(number)) for number in range(3)]
    (told,) = play(plain, clock, *((30, each) for each in many))
    assert told["note"].endswith(" (request 0")


def test_an_event_that_comes_back_after_long_is_told_anew(plain, clock):
    assert len(play(plain, clock, (0, FULL), (events.SERIES_S + 1, FULL))) == 2


def test_different_events_of_one_object_are_no_flood(plain, clock):
    many = [(0, Event("Normal", "Created", f"Net {number}.")) for number in range(40)]
    later = (3 * events.REFILL_S, Event("Normal", "Created", "Later."))
    notes = [each["note"] for each in play(plain, clock, *many, later)]
    assert len(notes) == events.BURST + 1
    assert "Later." in notes


def test_a_long_message_is_cut(plain, clock):
    (told,) = play(plain, clock, (0, Event("Normal", "Created", "x" * 5000)))
    assert len(told["note"]) == events.NOTE_MOST


def test_an_event_that_cannot_be_written_stops_nothing(faulty, clock):
    faulty.fault("refuse", verb="create", resource="events", code=403, times=1)
    other = Event("Normal", "Created", "Net.")
    (told,) = play(faulty, clock, (0, FULL), (0, other))
    assert told["note"] == "Net."
