"""Shared Reads: one call for all who ask together, and nobody sees older than the own write."""

import concurrent.futures
import threading

import pytest

from provider.osc.errors import ApiError
from provider.osc.shared import KEPT_S, SharedReads
from tests.unit.provider.osc.manual_clock import ManualClock


class CountingCloud:
    """Answer each Read with its number; ``hold`` keeps Reads from being answered."""

    region = "eu-west-2"

    def __init__(self):
        self.reads = 0
        self.refuses = False
        self.entered = threading.Semaphore(0)
        self.hold = threading.Event()
        self.hold.set()
        self.takes = lambda: None

    def call(self, action, /, **_request):
        raise AssertionError(action)

    def read(self, action, /, **_request):
        self.reads += 1
        number = self.reads
        self.entered.release()
        assert self.hold.wait(10)
        self.takes()
        if self.refuses:
            raise ApiError(action, status=500, code="2000")
        return [{"Number": number}]


@pytest.fixture
def cloud():
    return CountingCloud()


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def shared(cloud, clock):
    return SharedReads(cloud, clock)


@pytest.fixture
def threads():
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        yield pool


def test_an_answer_serves_until_it_is_too_old(shared, clock):
    assert shared.read("ReadVms", max_age_s=5) == [{"Number": 1}]
    clock.sleep(5)
    assert shared.read("ReadVms", max_age_s=5) == [{"Number": 1}]
    clock.sleep(0.1)
    assert shared.read("ReadVms", max_age_s=5) == [{"Number": 2}]


@pytest.mark.parametrize(("takes_s", "serves_s"), [(1, 5), (20, 40), (50, KEPT_S)])
def test_an_answer_that_took_long_serves_for_as_long_again(shared, cloud, clock, takes_s, serves_s):
    cloud.takes = lambda: clock.sleep(takes_s)
    shared.read("ReadVms", max_age_s=5)
    clock.sleep(serves_s - takes_s)
    assert shared.read("ReadVms", max_age_s=5) == [{"Number": 1}]
    clock.sleep(0.1)
    assert shared.read("ReadVms", max_age_s=5) == [{"Number": 2}]


def test_an_answer_that_took_long_shows_nobody_less_than_the_own_write(shared, cloud, clock):
    cloud.takes = lambda: clock.sleep(20)
    shared.read("ReadVms", max_age_s=5)
    wrote_s = clock.monotonic_s()
    assert shared.read("ReadVms", max_age_s=5, since_s=wrote_s) == [{"Number": 2}]


def test_who_wants_no_age_reads_anew(shared):
    shared.read("ReadVms", max_age_s=0)
    assert shared.read("ReadVms", max_age_s=0) == [{"Number": 2}]


def test_other_filters_are_another_read(shared):
    shared.read("ReadVms", max_age_s=5, Filters={"NetIds": ["vpc-1"]})
    assert shared.read("ReadVms", max_age_s=5, Filters={"NetIds": ["vpc-2"]}) == [{"Number": 2}]


def test_the_list_is_the_callers_own(shared):
    shared.read("ReadVms", max_age_s=5).clear()
    assert shared.read("ReadVms", max_age_s=5) == [{"Number": 1}]


def test_many_threads_share_one_read(shared, cloud, threads):
    cloud.hold.clear()
    leader = threads.submit(shared.read, "ReadVms", max_age_s=5)
    assert cloud.entered.acquire(timeout=10)
    others = [threads.submit(shared.read, "ReadVms", max_age_s=5) for _ in range(15)]
    cloud.hold.set()
    assert [each.result(10) for each in [leader, *others]] == [[{"Number": 1}]] * 16
    assert cloud.reads == 1


def test_who_wrote_does_not_join_a_read_that_was_under_way(shared, cloud, clock, threads):
    cloud.hold.clear()
    early = threads.submit(shared.read, "ReadVms", max_age_s=5)
    assert cloud.entered.acquire(timeout=10)
    wrote_s = clock.monotonic_s()
    late = threads.submit(shared.read, "ReadVms", max_age_s=5, since_s=wrote_s)
    assert cloud.entered.acquire(timeout=10)
    cloud.hold.set()
    assert early.result(10) == [{"Number": 1}]
    assert late.result(10) == [{"Number": 2}]
    assert shared.read("ReadVms", max_age_s=5) == [{"Number": 2}]


def test_a_refusal_reaches_all_who_wait(shared, cloud, threads):
    cloud.hold.clear()
    cloud.refuses = True
    leader = threads.submit(shared.read, "ReadVms", max_age_s=5)
    assert cloud.entered.acquire(timeout=10)
    other = threads.submit(shared.read, "ReadVms", max_age_s=5)
    cloud.hold.set()
    assert isinstance(leader.exception(10), ApiError)
    assert isinstance(other.exception(10), ApiError)


def test_a_refusal_is_not_kept(shared, cloud):
    cloud.refuses = True
    with pytest.raises(ApiError):
        shared.read("ReadVms", max_age_s=5)
    cloud.refuses = False
    assert shared.read("ReadVms", max_age_s=5) == [{"Number": 2}]


def test_old_answers_are_dropped(shared, clock):
    for number in range(100):
        shared.read("ReadVms", max_age_s=5, Filters={"NetIds": [f"vpc-{number}"]})
        clock.sleep(KEPT_S / 10)
    assert len(shared._flights) <= 12
