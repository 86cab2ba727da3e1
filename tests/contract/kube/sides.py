"""Both servers at once, with certificates and RBAC, for cases that compare what the two say."""

import base64
import json
import re
import ssl

import pytest

from fakekube.server import Kube
from fakekube.serving import ServerThread
from tests.contract.kube.client import TOOLS, Client, eventually, real_client

__all__ = ["TOOLS", "both", "differences", "eventually_serves", "normal", "without_descriptions"]


def _trusting(kubeconfig, folder):
    """Return the context of a client that has what the kubeconfig says."""
    content = json.loads(kubeconfig.read_text())
    cluster, user = content["clusters"][0]["cluster"], content["users"][0]["user"]
    pair = folder / "pair.pem"
    pair.write_bytes(
        base64.b64decode(user["client-certificate-data"])
        + base64.b64decode(user["client-key-data"])
    )
    authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
    context = ssl.create_default_context(cadata=authority)
    context.load_cert_chain(pair)
    return context


@pytest.fixture(scope="module")
def both(request, tmp_path_factory):
    """Return clients of fakekube and of the real server, in this order."""
    folder = tmp_path_factory.mktemp("both")
    real = real_client(request.getfixturevalue("control_plane"))
    with ServerThread(Kube(use_rbac=True), tls=True) as server:
        kubeconfig = server.write_kubeconfig(folder / "kubeconfig")
        context = _trusting(kubeconfig, folder)
        yield Client("fakekube", server.url, kubeconfig, context), real


def without_descriptions(document):
    """Return a document without the texts for people, which only the real server has."""
    if isinstance(document, dict):
        return {
            key: without_descriptions(value)
            for key, value in document.items()
            if not (key == "description" and isinstance(value, str))
        }
    if isinstance(document, list):
        return [without_descriptions(each) for each in document]
    return document


def eventually_serves(client):
    """Wait until the custom resources are in all documents, for which the real server is late."""
    eventually(lambda: client.has("/apis/shop.example.com/v1alpha1"))
    eventually(lambda: client.has("/apis/alpha.example.com/v1beta1"))
    eventually(
        lambda: all(
            f"apis/{each}" in client.ask("GET", "/openapi/v3").text
            for each in ("shop.example.com/v1beta1", "alpha.example.com/v1beta1")
        )
    )
    eventually(lambda: "Lamp" in client.ask("GET", "/openapi/v3/apis/shop.example.com/v1").text)


UID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")


def normal(obj):
    """Return an object without what no two servers have in common."""
    text = UID.sub("UID", json.dumps(obj))
    text = re.sub(r"20[2-9]\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME", text)
    return json.loads(text)


def differences(ours, theirs, path=""):
    """Return where two documents differ."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        found = []
        for key in sorted(ours.keys() | theirs.keys()):
            where = f"{path}.{key}"
            if key not in ours or key not in theirs:
                found.append(f"{where} is only on {'fakekube' if key in ours else 'the real one'}")
            else:
                found += differences(ours[key], theirs[key], where)
        return found
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        pairs = enumerate(zip(ours, theirs, strict=True))
        return [each for n, (a, b) in pairs for each in differences(a, b, f"{path}[{n}]")]
    return [] if ours == theirs else [f"{path}: {ours!r}, not {theirs!r}"]
