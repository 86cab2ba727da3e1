"""Tables in pages that are otherwise written by hand."""

from __future__ import annotations

import pathlib
from collections.abc import Iterable, Mapping, Sequence

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "docs"
BEGIN, END = "<!-- table: {} -->\n", "<!-- end -->"
"""Between these, a page has a table."""


def rows(titles: Sequence[str], cells: Iterable[Sequence[str]]) -> list[str]:
    """Return a table as lines of Markdown."""
    lines = [titles, ["---"] * len(titles), *cells]
    return [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in lines]


def filled(text: str, content: Mapping[str, Sequence[str]]) -> str:
    """Return a page with all of its tables as they have to be."""
    for name, lines in content.items():
        before, begin, rest = text.partition(BEGIN.format(name))
        _, end, after = rest.partition(END)
        assert end, f"The page has no place for the table {name}."
        text = "".join((before, begin, *(f"{line}\n" for line in lines), end, after))
    return text


def write(page: pathlib.Path, content: Mapping[str, Sequence[str]]) -> None:
    """Put the tables into a page."""
    page.write_text(filled(page.read_text(encoding="utf-8"), content), encoding="utf-8")
