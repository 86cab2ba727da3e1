"""The command ``python -m tools``: build the tools, or show them."""

from __future__ import annotations

import signal
import sys

import click

from tools import build, cache, components, progress, toolchain


@click.group()
def main() -> None:
    """Build the real components that tests compare with."""


@main.command("build")
@click.argument("names", nargs=-1, metavar="[TOOL|MODULE]...")
def build_command(names: tuple[str, ...]) -> None:
    """Build what is missing: these tools, or all that are in usual use."""
    shown = progress.Progress(sys.stdout)
    # Ended like this, it must end Go as well: as an interrupt does.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        build.build(components.selected(names), shown)
    except (ValueError, cache.Missing, build.Failed) as error:
        raise click.ClickException(str(error)) from None


@main.command("list")
def list_command() -> None:
    """Show each tool, its version, and where it is or what to do."""
    rows = [(tool.name, tool.version, _place(tool)) for tool in components.TOOLS.values()]
    names, versions, _ = zip(*rows, strict=True)
    for name, version, place in rows:
        name_column = name.ljust(max(map(len, names)))
        click.echo(f"{name_column}  {version.ljust(max(map(len, versions)))}  {place}")


def _place(tool: components.Tool) -> str:
    try:
        if path := cache.given(tool):
            return f"{path} (given by the environment)"
    except cache.Missing as missing:
        return str(missing)
    return str(cache.built(tool) or f"missing. {cache.remedy([tool], toolchain.installed())}")


if __name__ == "__main__":
    main(prog_name="python -m tools")
