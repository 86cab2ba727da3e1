"""``caposc manager``: the operator as a process."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
from typing import Any

import click

from provider import clock
from provider.kube import auth
from provider.manager import logs, options, process, wiring
from provider.manager.metrics import Metrics

LAST_CALL_S = 1.0
"""How long the end of the process waits for a thread that is in a call of the cloud."""


@click.command()
@options.flags
def manager(**given: Any) -> None:
    """Run the operator. Every flag can also be set as CAPOSC_*."""
    chosen = options.Options(**given)
    redactor = logs.Redactor()
    logs.install(redactor, chosen.v, "json" if chosen.logging_format == "json" else "text")
    try:
        source = auth.source(chosen.kubeconfig, os.environ)
        world = wiring.world(
            source,
            os.environ,
            clock.SystemClock(),
            clock.chance(),
            Metrics(),
            redactor.learn,
            abort,
            chosen,
        )
        asyncio.run(_run(process.Manager(chosen, world)))
    except (auth.AccessError, ValueError) as problem:
        raise click.ClickException(str(problem)) from problem
    _leave()


def abort() -> None:
    """End the process at once, whatever its threads are doing."""
    logging.shutdown()
    os._exit(1)


async def _run(made: process.Manager) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, stop.set)
    await made.run(stop)


def _leave() -> None:
    """End the process although a call of the cloud may still hang in a thread."""
    for each in threading.enumerate():
        if each.name.startswith("reconcile"):
            each.join(LAST_CALL_S)
            if each.is_alive():
                logging.shutdown()
                sys.stderr.flush()
                os._exit(0)
