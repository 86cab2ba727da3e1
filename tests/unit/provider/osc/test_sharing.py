"""A cloud for one of many: who wrote sees it, and the others share what they read."""

import pytest

from provider.osc.errors import ApiError
from provider.osc.shared import SharedReads
from provider.osc.sharing import MAX_AGE_S, Sharing
from tests.unit.provider.osc.manual_clock import ManualClock

TAGS = {"Tags": ["owner=me"]}


class Counting:
    """A cloud that numbers its Reads, and can lose the answer of a call."""

    region = "eu-west-2"

    def __init__(self):
        self.reads = 0
        self.loses = False

    def call(self, action, /, **_request):
        if self.loses:
            raise ApiError(action)
        return {}

    def read(self, _action, /, **_request):
        self.reads += 1
        return [{"Number": self.reads}]


@pytest.fixture
def cloud():
    return Counting()


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def both(cloud, clock):
    reads = SharedReads(cloud, clock)
    return [Sharing(cloud, reads, clock, {}) for _ in range(2)]


def test_what_all_ask_is_read_once(both, cloud):
    for each in both:
        assert each.read("ReadVms", Filters=TAGS) == [{"Number": 1}]
    assert cloud.reads == 1


def test_an_answer_serves_for_a_few_seconds(both, cloud, clock):
    both[0].read("ReadVms", Filters=TAGS)
    clock.sleep(MAX_AGE_S + 0.1)
    both[1].read("ReadVms", Filters=TAGS)
    assert cloud.reads == 2


@pytest.mark.parametrize("filters", [{}, {"VmIds": ["i-1"]}, {"ClientTokens": ["a"]}])
def test_what_one_asks_is_read_anew(both, cloud, filters):
    for each in both:
        each.read("ReadVms", Filters=filters)
    assert cloud.reads == 2


@pytest.mark.parametrize("loses", [False, True])
def test_who_wrote_sees_it(both, cloud, clock, loses):
    writer, other = both
    other.read("ReadVms", Filters=TAGS)
    clock.sleep(1)
    cloud.loses = loses
    if loses:
        with pytest.raises(ApiError):
            writer.call("CreateVms")
    else:
        writer.call("CreateVms")
    clock.sleep(1)
    assert writer.read("ReadVms", Filters=TAGS) == [{"Number": 2}]
    assert other.read("ReadVms", Filters=TAGS) == [{"Number": 2}]


def test_others_need_not_see_it_at_once(both, clock):
    writer, other = both
    other.read("ReadVms", Filters=TAGS)
    writer.call("CreateVms")
    clock.sleep(1)
    assert other.read("ReadVms", Filters=TAGS) == [{"Number": 1}]


def test_the_memory_tells_the_next_look_what_was_written(cloud, clock):
    reads, memory = SharedReads(cloud, clock), {}
    first = Sharing(cloud, reads, clock, memory)
    first.read("ReadVms", Filters=TAGS)
    first.call("CreateVms")
    clock.sleep(1)
    assert Sharing(cloud, reads, clock, memory).read("ReadVms", Filters=TAGS) == [{"Number": 2}]
