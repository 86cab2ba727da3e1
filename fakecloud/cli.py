"""The command ``fakecloud``: serve a simulated OUTSCALE cloud on loopback."""

from __future__ import annotations

import asyncio
import gc
import os
import pathlib
import signal

import click

from fakecloud import clock, cloud, server


@click.command(context_settings={"auto_envvar_prefix": "FAKECLOUD", "show_default": True})
@click.option("--host", default="127.0.0.1", help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=4566,
    help="Port to listen on; 0 chooses a free one.",
)
@click.option("--region", default=cloud.DEFAULT_REGION, help="Region of the cloud.")
@click.option("--account", default=cloud.DEFAULT_ACCOUNT, help="Account of the default key.")
@click.option("--rate", default=1.0, help="Virtual seconds per real second; 0 freezes the clock.")
@click.option("--seed", default=0, help="Decides identifiers and chances.")
@click.option(
    "--state",
    type=click.Path(dir_okay=False, path_type=pathlib.Path),
    help="Load the state from this file if it exists, and save it there at the end.",
)
@click.option(
    "--auth",
    type=click.Choice(["none", "known-key", "verify"]),
    default="none",
    help="How credentials are checked.",
)
@click.option("--strict", is_flag=True, help="Let strict placement run out of capacity.")
def main(  # noqa: PLR0913, PLR0917 - one parameter per option
    host: str,
    port: int,
    region: str,
    account: str,
    rate: float,
    seed: int,
    state: pathlib.Path | None,
    auth: str,
    strict: bool,
) -> None:
    """Serve an OUTSCALE cloud in memory over HTTP.

    The access key is that of OSC_ACCESS_KEY and OSC_SECRET_KEY, the login that of OSC_LOGIN and
    OSC_PASSWORD, or built-in ones.
    Everything about time, faults and state: /_fakecloud/ (docs/fakecloud.md).
    """
    try:
        simulated = cloud.FakeCloud(
            region=region,
            account=account,
            clock=clock.Clock(rate=rate),
            seed=seed,
            strict=strict,
            access_key=os.environ.get("OSC_ACCESS_KEY") or cloud.DEFAULT_ACCESS_KEY,
            secret_key=os.environ.get("OSC_SECRET_KEY") or cloud.DEFAULT_SECRET_KEY,
            login=os.environ.get("OSC_LOGIN", ""),
            password=os.environ.get("OSC_PASSWORD", ""),
        )
        if state is not None:
            _read(state, simulated)
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    _run(simulated, host, port, auth)
    if state is not None:
        _write(state, simulated.save())


def _run(simulated: cloud.FakeCloud, host: str, port: int, auth: str) -> None:
    # The rows of a cloud live long and hold no cycles: looking through them again and again would
    # cost more than half of a CreateVms.
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
    loop = server.new_loop()
    http = server.Server(simulated, auth)
    try:
        found = loop.run_until_complete(http.start(host, port))
    except OSError as error:
        loop.close()
        raise click.ClickException(
            f"Port {port} of {host} cannot be listened on: {error.strerror}. "
            "Choose another one with --port."
        ) from None
    click.echo(f"fakecloud serves {simulated.region} at http://{host}:{found}/api/v1", err=True)
    login, _ = simulated.login_of(simulated.account)
    key, _ = simulated.accounts[simulated.account]
    click.echo(f"  access key {key}, login {login}, auth {auth}", err=True)
    try:
        loop.run_until_complete(_serve(http))
    finally:
        loop.close()


async def _serve(http: server.Server) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()
    await http.stop()


def _read(path: pathlib.Path, simulated: cloud.FakeCloud) -> None:
    if not os.access(path.parent, os.W_OK):
        raise ValueError(f"The state could not be saved in {path.parent}: is it a folder of yours?")
    if path.exists():
        try:
            simulated.load(path.read_bytes())
        except (OSError, ValueError) as error:
            raise ValueError(f"The state {path} cannot be loaded. {error}") from None


def _write(path: pathlib.Path, content: bytes) -> None:
    # Written beside and moved, so that a full disk does not destroy the last good state.
    draft = path.with_name(path.name + ".new")
    try:
        draft.write_bytes(content)
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise click.ClickException(
            f"The state cannot be saved to {path}: {error.strerror}. The file is as it was, and "
            "what happened since is lost. A running server also gives its state at "
            "GET /_fakecloud/state."
        ) from None


if __name__ == "__main__":
    main()
