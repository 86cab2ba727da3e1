"""Fixtures for users of pytest: ``fakekube`` and ``fakekube_server``.

The plugin is found through its entry point; it imports the server only when a fixture is used.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from fakekube.server import Kube
    from fakekube.serving import ServerThread


def pytest_configure(config: pytest.Config) -> None:
    """Register the mark that sets the options of the server of a test."""
    config.addinivalue_line(
        "markers", "fakekube(**options): options of the server that the fixtures make."
    )


def _options(request: pytest.FixtureRequest) -> dict[str, Any]:
    mark = request.node.get_closest_marker("fakekube")
    return dict(mark.kwargs) if mark else {}


@pytest.fixture(name="fakekube")
def _fakekube(request: pytest.FixtureRequest) -> Kube:
    """Return a new server with a frozen clock; options come from ``@pytest.mark.fakekube``."""
    from fakekube.clock import Clock
    from fakekube.server import Kube

    options = {"time": Clock(rate=0), "seed": 0, **_options(request)}
    return Kube(**options)


@pytest.fixture(name="fakekube_server")
def _fakekube_server(fakekube: Kube) -> Iterator[ServerThread]:
    """Serve ``fakekube`` over HTTP on loopback; ``url`` is its address."""
    from fakekube.serving import ServerThread

    with ServerThread(fakekube) as server:
        yield server
