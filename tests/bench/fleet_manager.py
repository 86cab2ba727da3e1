"""The whole manager as a process in fast time: `fleet_manager.py KUBECONFIG ENDPOINT RATE`."""

import asyncio
import logging
import pathlib
import random
import signal
import sys

from provider.kube import auth
from provider.manager import logs, options, process, wiring
from provider.manager.metrics import Metrics
from provider.osc import pool
from tests.functional.provider import fast


def main(kubeconfig: str, endpoint: str, rate: float) -> None:
    """Run until SIGTERM; time passes ``rate`` times as fast."""
    logs.install(logs.Redactor(), 0, "text")
    logging.getLogger().setLevel(logging.WARNING)
    clock, metrics = fast.FastClock(rate), Metrics()
    world = process.World(
        source=auth.source(kubeconfig, {}),
        opener=pool.Clients(clock, random.Random(1), on_call=metrics.api_call, calm_age_s=30.0),
        decide=wiring.DECIDE,
        reviews=wiring.REVIEWS,
        environment={
            "OSC_ACCESS_KEY": "BENCH",
            "OSC_SECRET_KEY": "of-the-bench",
            "OSC_REGION": "eu-west-2",
            "OSC_ENDPOINT_API": endpoint,
        },
        clock=clock,
        chance=random.Random(1),
        learn=lambda _text: None,
        metrics=metrics,
        abort=sys.exit,
    )
    chosen = options.Options(
        metrics_bind_address="0",
        health_probe_bind_address="0",
        leader_elect=False,
        webhook_port=0,
        shutdown_timeout=2.0,
    )
    loop, stop = fast.FastLoop(rate), asyncio.Event()
    asyncio.set_event_loop(loop)
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.run_until_complete(process.Manager(chosen, world).run(stop))


if __name__ == "__main__":
    main(str(pathlib.Path(sys.argv[1])), sys.argv[2], float(sys.argv[3]))
