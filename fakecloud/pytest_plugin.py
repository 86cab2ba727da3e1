"""Fixtures for users of pytest: ``fakecloud``, ``outscale`` and ``fakecloud_server``.

The plugin is found through its entry point; it imports the simulator only when a fixture is used.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from fakecloud.cloud import FakeCloud
    from fakecloud.server import ServerThread


def pytest_configure(config: pytest.Config) -> None:
    """Register the mark that sets the options of the cloud of a test."""
    config.addinivalue_line(
        "markers",
        "fakecloud(rate=0, **options): options of the FakeCloud that the fixtures make, and the "
        "rate of its clock.",
    )


def _options(request: pytest.FixtureRequest) -> dict[str, Any]:
    mark = request.node.get_closest_marker("fakecloud")
    options = dict(mark.kwargs) if mark else {}
    if "rate" in options:
        from fakecloud.clock import Clock

        options["clock"] = Clock(rate=options.pop("rate"))
    return options


@pytest.fixture(name="fakecloud")
def _fakecloud(request: pytest.FixtureRequest) -> FakeCloud:
    """Return a new cloud, frozen unless ``@pytest.mark.fakecloud`` says a rate."""
    from fakecloud.cloud import FakeCloud

    return FakeCloud(**_options(request))


@pytest.fixture(name="outscale")
def _outscale(fakecloud: FakeCloud) -> Iterator[FakeCloud]:
    """Answer all OUTSCALE calls of the test from the ``fakecloud``, and return it."""
    from fakecloud.mock import mock_outscale

    with mock_outscale(cloud=fakecloud):
        yield fakecloud


@pytest.fixture(name="osc_gateway")
def _osc_gateway(fakecloud: FakeCloud) -> Any:
    """Return an osc-sdk-python Gateway that talks to the ``fakecloud``."""
    from fakecloud.sdk import gateway

    return gateway(fakecloud)


@pytest.fixture(name="fakecloud_server")
def _fakecloud_server(fakecloud: FakeCloud) -> Iterator[ServerThread]:
    """Serve the ``fakecloud`` over HTTP on loopback; ``url`` is its address."""
    from fakecloud.server import ServerThread

    with ServerThread(fakecloud) as server:
        yield server
