"""Tests that need real components: marked, skipped with one sentence, or failed if one insists.

    @pytest.mark.tools("etcd", "kube-apiserver")    This test needs these tools.
    pytest --require-tools                          What is missing fails, and is not skipped.

The fixture ``control_plane`` is a real one, with controllers, shared by all tests of a run.
"""

from __future__ import annotations

import pathlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tools import cache

if TYPE_CHECKING:
    from tools.control_plane import ControlPlane

OPTION = "--require-tools"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that makes a missing tool a failure."""
    parser.addoption(
        OPTION,
        action="store_true",
        help="fail tests whose real components are missing, instead of skipping them",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the mark."""
    config.addinivalue_line("markers", "tools(*names): the real components that a test needs.")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Look for the tools of a test before any fixture of it does work."""
    names = [name for mark in item.iter_markers("tools") for name in mark.args]
    if names:
        require(item.config, *names)


def require(config: pytest.Config, *names: str) -> dict[str, pathlib.Path]:
    """Return the paths of tools; skip the test when one is missing, or fail it if told so."""
    try:
        return cache.require(*names)
    except cache.Missing as missing:
        if config.getoption(OPTION, default=False):
            pytest.fail(str(missing), pytrace=False)
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def control_plane(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ControlPlane]:
    """Return a running control plane with controllers, shared by all tests of a run."""
    require(request.config, "etcd", "kube-apiserver", "kube-controller-manager")
    from tools.control_plane import ControlPlane

    folder = tmp_path_factory.mktemp("control-plane")
    with ControlPlane(folder, controller_manager=True) as plane:
        yield plane
