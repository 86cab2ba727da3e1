"""The command ``fakekube``: a Kubernetes API server in memory on a port of this machine."""

from __future__ import annotations

import asyncio
import json
import os
import pathlib
import signal
import sys
from typing import Any

import click

from fakekube import authn, certificates, clock, manifests, server, serving, wire

Json = Any
ADMIN = "fakekube-admin"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option("--port", default=8001, show_default=True, help="0 lets the system choose one.")
@click.option("--tls/--no-tls", default=False, show_default=True, help="Serve HTTPS.")
@click.option("--token", default="", help="The bearer token of an administrator.")
@click.option("--rbac/--no-rbac", default=None, help="Ask RBAC; on with --tls or --token.")
@click.option(
    "--kubeconfig",
    type=click.Path(dir_okay=False, path_type=pathlib.Path),
    help="Write a kubeconfig of an administrator to this file.",
)
@click.option(
    "--state",
    type=click.Path(dir_okay=False, path_type=pathlib.Path),
    help="Read the state from this file, and write it back at the end.",
)
@click.option(
    "--crds",
    type=click.Path(exists=True, path_type=pathlib.Path),
    multiple=True,
    help="Apply the YAML of this file or folder at the start; may be repeated.",
)
@click.option("--service", multiple=True, help="Where a Service listens: NAMESPACE/NAME=HOST:PORT.")
@click.option("--rate", default=1.0, show_default=True, help="Seconds of the clock per second.")
@click.option("--seed", type=int, default=None, help="Make uids and generated names repeatable.")
def main(**options: Any) -> None:
    """Serve a Kubernetes API from memory."""
    try:
        kube = _kube(options)
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from None
    loop = wire.new_loop()
    try:
        loop.run_until_complete(_serve(kube, options))
    except OSError as error:
        raise click.ClickException(str(error)) from None
    finally:
        loop.close()
    if options["state"] is not None:
        _write(options["state"], json.dumps(kube.dump()).encode())


def _kube(options: Json) -> server.Kube:
    known = {}
    if options["token"]:
        known[options["token"]] = authn.known(ADMIN, [authn.MASTERS])
    use_rbac = options["rbac"]
    if use_rbac is None:
        use_rbac = options["tls"] or bool(options["token"])
    kube = server.Kube(
        time=clock.Clock(rate=options["rate"]),
        seed=options["seed"],
        use_rbac=use_rbac,
        tokens_known=known,
        services=dict(map(_service, options["service"])),
    )
    state = options["state"]
    if state is not None and state.exists():
        try:
            kube.load(json.loads(state.read_bytes()))
        except ValueError as error:
            raise ValueError(f"{state} holds no state. {error}") from None
    return kube


def _service(text: str) -> tuple[str, str]:
    name, _, address = text.partition("=")
    if name.count("/") != 1 or not address.rpartition(":")[2].isdigit():
        raise ValueError(f"--service {text} is not of the form NAMESPACE/NAME=HOST:PORT.")
    return name, address


async def _serve(kube: server.Kube, options: Json) -> None:
    for path in options["crds"]:
        for problem in await manifests.apply(kube, path):
            click.echo(f"fakekube: {problem}", err=True)
    host = options["host"]
    authority = certificates.Authority() if options["tls"] else None
    secure = authority.server_context([host, "localhost"]) if authority else None
    http = serving.Server(kube)
    try:
        port = await http.start(host, options["port"], secure)
    except OSError as error:
        raise click.ClickException(
            f"Port {options['port']} of {host} cannot be listened on: "
            f"{os.strerror(error.errno or 0)}. Choose another one with --port."
        ) from None
    url = f"{'https' if authority else 'http'}://{host}:{port}"
    try:
        if options["kubeconfig"] is not None:
            content = serving.kubeconfig(url, authority, options["token"])
            options["kubeconfig"].touch(mode=0o600)
            options["kubeconfig"].write_text(json.dumps(content, indent=2), encoding="utf-8")
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        click.echo(f"fakekube serves {url}", err=True)
        sys.stderr.flush()
        await stop.wait()
    finally:
        await http.stop()


def _write(path: pathlib.Path, content: bytes) -> None:
    # Written beside and moved, so that a full disk does not destroy the last good state.
    draft = path.with_name(path.name + ".new")
    draft.write_bytes(content)
    draft.replace(path)


if __name__ == "__main__":
    main()
