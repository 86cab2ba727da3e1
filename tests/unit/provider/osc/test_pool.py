"""The clients of a process: one for each credentials, and one speed limit for each access key."""

import concurrent.futures
import dataclasses
import random

import pytest

from provider.osc.credentials import Credentials
from provider.osc.pool import IDLE_S, Clients
from tests.unit.provider.osc.manual_clock import ManualClock

KEY = Credentials("AK1", "old", "eu-west-2", "https://api.eu-west-2.outscale.com/api/v1")
ROTATED = dataclasses.replace(KEY, secret_key="new")
OTHER = dataclasses.replace(KEY, access_key="AK2")


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def clients(clock):
    pool = Clients(clock, random.Random(7))
    yield pool
    pool.close()


def test_equal_credentials_share_a_client(clients):
    same = dataclasses.replace(KEY, source="the Secret team/osc")
    assert clients.client(KEY) is clients.client(same)
    assert clients.reads(KEY) is clients.reads(same)


def test_threads_that_come_together_get_one_client(clients):
    with concurrent.futures.ThreadPoolExecutor(16) as threads:
        found = set(threads.map(lambda _: clients.client(KEY), range(64)))
    assert len(found) == 1


def test_new_credentials_get_a_new_client(clients):
    assert clients.client(KEY) is not clients.client(ROTATED)
    assert clients.reads(KEY) is not clients.reads(ROTATED)


def test_a_rotated_secret_keeps_the_speed_limit(clients):
    assert clients.client(KEY)._limiter is clients.client(ROTATED)._limiter
    assert clients.client(KEY)._limiter is not clients.client(OTHER)._limiter


def test_a_client_that_nobody_asks_for_is_dropped(clients, clock):
    old = clients.client(KEY)
    for _ in range(4):
        clock.sleep(IDLE_S / 2)
        clients.client(ROTATED)
    assert set(clients._entries) == {ROTATED}
    assert clients.client(KEY) is not old


def test_a_client_that_is_asked_for_stays(clients, clock):
    client = clients.client(KEY)
    for _ in range(10):
        clock.sleep(IDLE_S / 2)
        assert clients.client(KEY) is client
