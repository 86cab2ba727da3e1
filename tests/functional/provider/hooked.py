"""The webhooks of the provider on loopback, and definitions and configurations that call them."""

import contextlib

from provider import admission
from provider.api import conversion, crd
from tests.contract.kube.hook_server import HookServer

ROOT = "/apis/admissionregistration.k8s.io/v1"


@contextlib.contextmanager
def serving(folder):
    """Serve the webhooks; their certificate is written into a folder."""
    found = HookServer(folder)
    found.answers["/convert"] = lambda review: _response(conversion.review(review))
    found.answers["/validate"] = lambda review: _response(admission.review(review))
    found.answers["/mutate"] = found.answers["/validate"]
    try:
        yield found
    finally:
        found.stop()


def definitions(hooks):
    """Return the definitions of our kinds, converted by these webhooks."""
    made = crd.definitions("unused", "unused")
    for each in made:
        if hook := each["spec"]["conversion"].get("webhook"):
            hook["clientConfig"] = hooks.client("/convert")
    return made


def configurations(hooks):
    """Give path and content of the configurations by which writes are judged."""
    for kind, path in (("Mutating", "/mutate"), ("Validating", "/validate")):
        yield f"{ROOT}/{kind.lower()}webhookconfigurations", _webhook(kind, hooks.client(path))


def _response(review):
    return {name: value for name, value in review["response"].items() if name != "uid"}


def _webhook(kind, client):
    rule = {
        "apiGroups": ["infrastructure.cluster.x-k8s.io"],
        "apiVersions": ["v1beta1", "v1beta2"],
        "operations": ["CREATE", "UPDATE"],
        "resources": ["*"],
    }
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": f"{kind}WebhookConfiguration",
        "metadata": {"name": "outscale"},
        "webhooks": [
            {
                "name": f"{kind.lower()}.infrastructure.cluster.x-k8s.io",
                "clientConfig": client,
                "rules": [rule],
                "admissionReviewVersions": ["v1"],
                "sideEffects": "None",
            }
        ],
    }
