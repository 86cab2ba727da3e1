"""Where the provider's functional tests run: fakekube, or a real API with ``--kube=real``."""

import pathlib

import pytest

from fakecloud import FakeCloud
from fakecloud.clock import Clock
from fakecloud.server import ServerThread as CloudThread
from fakekube.server import Kube
from fakekube.serving import ServerThread
from tests.contract.kube.client import Client, real_client
from tests.functional.provider import stage as stages


def pytest_collection_modifyitems(items):
    """Let kopf leave connections open when it is stopped; only a process that ends stops it."""
    here = pathlib.Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"))


@pytest.fixture(name="bare")
def _bare(request, tmp_path):
    """Be a new namespace of an API server that knows Cluster API, but none of our kinds.

    ``CORE`` of a module says in which versions Cluster API's own kinds are served there.
    """
    core = getattr(request.module, "CORE", ("v1beta2", "v1beta1"))
    if request.config.getoption("--kube") == "real":
        if len(core) == 1:
            pytest.skip("The real server is shared, and its core serves all versions.")
        made = stages.Stage(real_client(request.getfixturevalue("control_plane")))
        made.install(stages.core_definitions())
        yield made
        return
    server = ServerThread(Kube()).__enter__()
    client = Client("fakekube", server.url, server.write_kubeconfig(tmp_path / "kubeconfig"))
    made = stages.Stage(client, server)
    made.install(stages.core_definitions(core))
    yield made
    # A test may have taken the server away and put another one in its place.
    made.server.__exit__(None, None, None)


@pytest.fixture(name="stage")
def _stage(bare):
    """Be a stage with our kinds as they are."""
    bare.install(stages.our_definitions())
    return bare


@pytest.fixture(name="plain")
def _plain(bare):
    """Be a stage whose kinds take anything, for managers that decide little."""
    bare.install(stages.plain_definitions())
    return bare


@pytest.fixture(name="faulty")
def _faulty(plain):
    """Be a plain stage on which things can go wrong; a real server cannot be told to."""
    if plain.server is None:
        pytest.skip("Only fakekube makes mistakes on demand.")
    return plain


@pytest.fixture(name="sky")
def _sky():
    """Be a cloud over HTTP in which time flies; ``sky.cloud`` is the simulator itself."""
    cloud = FakeCloud(clock=Clock(rate=10 * stages.RATE))
    with CloudThread(cloud) as server:
        yield server


@pytest.fixture(name="replica")
def _replica(stage, sky):
    """Run the whole manager of the provider on the stage, with the cloud above it."""
    with stages.Replica(stage, environment=stages.keys(sky), rate=stages.RATE) as made:
        yield made
