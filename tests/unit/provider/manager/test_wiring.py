"""What the manager takes from outside."""

import random

from provider import clock
from provider.manager import metrics, wiring
from provider.osc.credentials import Credentials

KEY = Credentials("AK1", "secret", "eu-west-2", "https://api.eu-west-2.outscale.com/api/v1")


def test_the_cloud_is_called_as_often_as_the_flag_says():
    world = wiring.world(
        None, {}, clock.SystemClock(), random.Random(1), metrics.Metrics(), str, list, 20.0
    )
    client = world.opener.client(KEY)
    assert client._limiter.rate_per_s == 20.0
    client.close()
