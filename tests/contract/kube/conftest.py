"""The two servers that every case of this folder runs on: fakekube, and a real kube-apiserver."""

import pytest

from fakekube.server import Kube
from fakekube.serving import ServerThread
from tests.contract.kube.client import REAL, Client, real_client


@pytest.fixture(scope="session")
def _fake(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fakekube")
    with ServerThread(Kube()) as server:
        yield Client("fakekube", server.url, server.write_kubeconfig(folder / "kubeconfig"))


@pytest.fixture(scope="session", params=["fakekube", REAL])
def kube(request):
    """Be a client of one of the two servers; the real one is skipped when its tools are missing."""
    if request.param == "fakekube":
        return request.getfixturevalue("_fake")
    return real_client(request.getfixturevalue("control_plane"))


@pytest.fixture
def namespace(kube):
    """Return the name of a new namespace.

    The real server keeps it: its controller takes long for each, and the server ends soon.
    """
    name = kube.new_namespace()
    yield name
    if not kube.is_real:
        kube.ask("DELETE", f"/api/v1/namespaces/{name}")


@pytest.fixture
def maps(namespace):
    """Return the path of the ConfigMaps of a new namespace."""
    return f"/api/v1/namespaces/{namespace}/configmaps"
