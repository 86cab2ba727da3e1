"""What the manager takes from outside."""

import random

from provider import clock
from provider.manager import metrics, options, wiring
from provider.osc.credentials import Credentials

KEY = Credentials("AK1", "secret", "eu-west-2", "https://api.eu-west-2.outscale.com/api/v1")


def made(**flags):
    chosen = options.Options(**flags)
    time, chance = clock.SystemClock(), random.Random(1)
    return wiring.world(None, {}, time, chance, metrics.Metrics(), str, list, chosen)


def test_the_cloud_is_called_as_often_as_the_flag_says():
    world = made(calls_per_second=20.0)
    client = world.opener.client(KEY)
    assert client._limiter.rate_per_s == 20.0
    client.close()


def test_what_is_calm_may_be_seen_a_tenth_of_the_period_late():
    world = made(sync_period=300.0)
    assert world.opener.reads(KEY).calm_age_s == 30.0
    world.opener.close()
