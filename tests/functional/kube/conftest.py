"""A server over HTTP with a client, for what only a simulator can do."""

import pytest

from tests.contract.kube.client import Client


@pytest.fixture
def client(fakekube_server, tmp_path):
    """Return a client of the server of this test."""
    path = fakekube_server.write_kubeconfig(tmp_path / "kubeconfig")
    return Client("fakekube", fakekube_server.url, path)
