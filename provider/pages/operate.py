"""Write the tables of ``docs/operate.md``: the flags of the manager, and its metrics."""

from __future__ import annotations

import tempfile

import click

from provider.manager import options
from provider.manager.metrics import Metrics
from provider.pages import tables

PAGE = tables.FOLDER / "operate.md"


def content() -> dict[str, list[str]]:
    """Return the tables of the page, by name."""
    return {"FLAGS": _flags(), "METRICS": _metrics()}


def _flags() -> list[str]:
    @click.command()
    @options.flags
    def command() -> None:
        """Have all flags."""

    known = [each for each in command.params if isinstance(each, click.Option)]
    found = [each for each in known if not each.hidden]
    cells = [
        (f"`{each.opts[-1]}`", f"`{_default(each)}`", each.help or "")
        for each in sorted(found, key=lambda each: each.opts[-1])
    ]
    return tables.rows(("flag", "default", "what it says"), cells)


def _default(option: click.Option) -> str:
    """Return a default as one writes it."""
    value = option.default
    if isinstance(value, bool):
        return str(value).lower()
    # Where temporary files are is a matter of the machine.
    return str(value).replace(tempfile.gettempdir(), "$TMPDIR") or '""'


def _metrics() -> list[str]:
    cells = []
    for each in Metrics().registry.collect():
        suffix = "_total" if each.type == "counter" else ""
        cells.append((f"`{each.name}{suffix}`", each.type, each.documentation))
    return tables.rows(("metric", "type", "what it is"), sorted(cells))


if __name__ == "__main__":
    tables.write(PAGE, content())
