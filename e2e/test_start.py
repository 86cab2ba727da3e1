"""docs/start.md and the README are true: their commands run as they stand, and print that."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e import cloud as clouds
from e2e.spec import Spec
from tools.service import Service

pytestmark = pytest.mark.stage(1)

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "start.md"
README = ROOT / "README.md"
REAL = "## On a real account"
FENCE = re.compile(r"^```(sh|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
READY_WITHIN_S = 300.0
STOP_S = 60.0
STORY_WITHIN_S = 900.0
MARK = "--- end of block"
CHECKED = """\
trap 'code=$?; [[ $code == 2 && $BASH_COMMAND == *"caposc plan"* ]] || exit $code' ERR
set -o pipefail
"""
"""The first command that goes wrong ends the story; a plan ends with 2 when it has steps."""

Block = tuple[str, list[str]]
"""Commands, and the lines that they print according to the page."""


def test_the_page_is_true(spec: Spec) -> None:
    """Follow it literally, from a management cluster to nothing left."""
    (opening, _), *story = _page()[0]
    with _played(opening, spec.scratch) as checkout:
        cloud = clouds.Fake.at(_address(checkout), spec.scratch)
        before = cloud.inventory()
        printed = _follow(story, checkout, {})
        assert cloud.inventory() == before, "The cluster was deleted, but the cloud has changed."
    for (commands, expected), told in zip(story, printed, strict=True):
        _compare(commands, expected, told)


def test_three_variables_lead_to_a_real_account(spec: Spec) -> None:
    """Follow it to the installed provider; the only difference to a real account is where it is."""
    (_, _, *story), ((opening, _), variables) = _page()
    installed = next(n for n, (commands, _) in enumerate(story) if "clusterctl init" in commands)
    with (
        clouds.Fake(spec.scratch / "cloud", auth="none") as cloud,
        _played(opening, spec.scratch) as checkout,
    ):
        assert not _address(checkout), "A simulated cloud was started."
        blocks = [variables, *story[: installed + 1]]
        _follow(blocks, checkout, {"OSC_ENDPOINT_API": cloud.url})
        asked = {each.action for each in cloud.writes()}
        assert "CreateKeypair" in asked, "Another account was used."


def test_the_quick_start_of_the_readme_is_true(spec: Spec) -> None:
    """Follow it literally."""
    text = README.read_text(encoding="utf-8")
    (story,) = [each for each in _blocks(text) if "clusterctl init" in each[0]]
    assert "`make playground`" in text, "This is where it begins."
    with _played("make playground", spec.scratch) as checkout:
        cloud = clouds.Fake.at(_address(checkout), spec.scratch)
        before = cloud.inventory()
        (told,) = _follow([story], checkout, {})
        assert "osccluster.infrastructure.cluster.x-k8s.io/first condition met" in told
        assert cloud.inventory() == before, "The cluster was deleted, but the cloud has changed."


def _page() -> tuple[list[Block], list[Block]]:
    """Return the blocks of the story, and those for a real account."""
    text = PAGE.read_text(encoding="utf-8")
    story, found, account = text.partition(REAL)
    assert found, f"{PAGE.name} has no section {REAL}."
    return list(_blocks(story)), list(_blocks(account))


def _blocks(text: str) -> Iterator[Block]:
    commands, expected = "", list[str]()
    for kind, content in FENCE.findall(text):
        if kind == "text":
            expected.extend(content.splitlines())
            continue
        if commands:
            yield commands, expected
        commands, expected = content, []
    yield commands, expected


def _checkout(folder: Path) -> Path:
    """Make a checkout of links, so that what is written stays out of the real one."""
    folder.mkdir()
    for each in ROOT.iterdir():
        if each.name != "dist":
            (folder / each.name).symlink_to(each)
    return folder


def _environment() -> dict[str, str]:
    return {key: text for key, text in os.environ.items() if not key.startswith("OSC_")}


@contextlib.contextmanager
def _played(command: str, folder: Path) -> Iterator[Path]:
    """Run ``make playground``; what it depends on is there, or this test would be skipped."""
    words = command.split()
    assert words[:2] == ["make", "playground"], f"The page begins with {command}."
    make = [_command("make"), "--old-file=setup", "--old-file=tools", *words[1:]]
    checkout = _checkout(folder / "checkout")
    log = folder / "playground.log"
    made = Service("playground", make, folder=checkout, log=log, environment=_environment())
    try:
        made.wait_until(lambda: "Ready." in log.read_text(), READY_WITHIN_S)
        yield checkout
    finally:
        made.stop(STOP_S)


def _address(checkout: Path) -> str:
    """Return where the simulated cloud of a playground is; empty when it has none."""
    text = (checkout / "dist" / "playground" / "env").read_text()
    found = re.search(r"^export OSC_ENDPOINT_API=(.+)$", text, re.MULTILINE)
    return found[1] if found else ""


def _command(name: str) -> str:
    found = shutil.which(name)
    assert found, f"{PAGE.name} needs {name}."
    return found


def _follow(blocks: list[Block], checkout: Path, given: dict[str, str]) -> list[str]:
    """Run all commands in one shell; return what each block printed."""
    script = CHECKED + "".join(f"{commands}echo '{MARK}'\n" for commands, _ in blocks)
    shell = ["timeout", f"{STORY_WITHIN_S:.0f}", _command("bash"), "-c", script]
    done = subprocess.run(
        [_command(shell[0]), *shell[1:]],
        cwd=checkout,
        env={**_environment(), **given},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    *printed, last = done.stdout.split(f"{MARK}\n")
    if done.returncode:
        commands, _ = blocks[len(printed)]
        pytest.fail(f"One of these ended with {done.returncode}:\n{commands}\n{last}")
    return printed


def _compare(commands: str, expected: list[str], told: str) -> None:
    """Find the expected lines in their order; an ellipsis stands for anything."""
    lines = [" ".join(line.split()) for line in told.splitlines()]
    for each in expected:
        words = " ".join(each.split())
        pattern = re.compile(".*".join(map(re.escape, words.split("…"))))
        while lines and not pattern.fullmatch(lines[0]):
            lines.pop(0)
        assert lines, f"{each!r} is not printed by\n{commands}\nbut\n{told}"
        lines.pop(0)
