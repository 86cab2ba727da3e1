"""Tests that need tools are skipped with one sentence, or fail when one insists."""

import os
import pathlib
import subprocess
import sys

import pytest

from tools import components

ROOT = pathlib.Path(__file__).resolve().parents[2]
TESTS = """
import pytest

@pytest.mark.tools("etcd")
def test_marked():
    raise AssertionError("It must not run.")

def test_fixture(control_plane):
    raise AssertionError("It must not run.")

def test_free():
    pass
"""


@pytest.fixture(name="outcome")
def _outcome(tmp_path):
    """Run these tests where no tool is, and return what pytest prints."""
    (tmp_path / "test_it.py").write_text(TESTS, encoding="utf-8")
    given = {tool.variable for tool in components.TOOLS.values()} | {"KUBEBUILDER_ASSETS"}
    environment = {name: value for name, value in os.environ.items() if name not in given}
    environment |= {"CAPOSC_TOOLS_DIR": str(tmp_path / "cache"), "PYTHONPATH": str(ROOT)}

    def outcome(*flags):
        plugins = ["-p", "tools.pytest_plugin", "-p", "no:randomly", "-p", "no:cacheprovider"]
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-rs", *plugins, *flags, "test_it.py"],
            check=False,
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout

    return outcome


def test_what_is_missing_skips_with_one_sentence(outcome):
    printed = outcome()
    assert "1 passed, 2 skipped" in printed
    assert f"etcd {components.ETCD.version} is not built here. " in printed


def test_what_is_missing_fails_if_tools_are_required(outcome):
    printed = outcome("--require-tools")
    assert "1 failed, 1 passed, 1 error" in printed or "1 passed, 2 errors" in printed
    assert f"etcd {components.ETCD.version} is not built here. " in printed
