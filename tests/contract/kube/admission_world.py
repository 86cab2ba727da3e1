"""Webhook configurations for the objects of one namespace, and the webhooks that they name.

A test module takes the fixtures with ``world = admission_world.world``, and ``hooks`` likewise.
"""

import itertools

import pytest

from tests.contract.kube.guarded import eventually
from tests.contract.kube.hook_server import HookServer

ROOT = "/apis/admissionregistration.k8s.io/v1"
PLURALS = {
    "mutating": "mutatingwebhookconfigurations",
    "validating": "validatingwebhookconfigurations",
}
CONFIGMAPS = {
    "operations": ["*"],
    "apiGroups": [""],
    "apiVersions": ["v1"],
    "resources": ["configmaps"],
    "scope": "*",
}
_numbers = itertools.count()


@pytest.fixture(scope="module")
def hooks(tmp_path_factory):
    found = HookServer(tmp_path_factory.mktemp("hooks"))
    yield found
    found.stop()


class Admission:
    """Configures webhooks for the objects of one namespace."""

    def __init__(self, guarded, hooks, namespace):
        self.guarded = guarded
        self.hooks = hooks
        self.namespace = namespace
        self.made = []
        self.configmaps = f"/api/v1/namespaces/{namespace}/configmaps"

    def hook(self, name="one", **changes):
        """Return a webhook that is asked about this namespace, at a path of its name."""
        path = f"/{self.namespace}/{name}"
        own = {"key": "kubernetes.io/metadata.name", "operator": "In", "values": [self.namespace]}
        return {
            "name": f"{name}.example.com",
            "clientConfig": self.hooks.client(path),
            "admissionReviewVersions": ["v1"],
            "sideEffects": "None",
            "rules": [CONFIGMAPS],
            "namespaceSelector": {"matchExpressions": [own]},
        } | changes

    def configure(self, kind, *hooks):
        """Make a configuration, and wait until the server asks by it."""
        name = f"hooks-{next(_numbers)}"
        probe = self.hook(f"probe-{name}", objectSelector={"matchLabels": {"probe": name}})
        body = {"metadata": {"name": name}, "webhooks": [probe, *hooks]}
        self.guarded.must("POST", f"{ROOT}/{PLURALS[kind]}", body)
        self.made.append(f"{ROOT}/{PLURALS[kind]}/{name}")
        path = f"/{self.namespace}/probe-{name}"
        meta = {"generateName": "probe-", "labels": {"probe": name}}
        tried = {"metadata": meta, "data": {"a": "b"}}

        def is_asked():
            self.guarded.ask("POST", f"{self.configmaps}?dryRun=All", tried)
            return self.hooks.asked(path)

        assert eventually(is_asked)
        self.hooks.seen.clear()

    def on(self, name, answer):
        """Have a webhook answer like this."""
        make = answer if callable(answer) else lambda _: answer
        self.hooks.answers[f"/{self.namespace}/{name}"] = make

    def asked(self, name="one"):
        return self.hooks.asked(f"/{self.namespace}/{name}")

    def create(self, name="a", *, query="", **meta):
        body = {"metadata": {"name": name, **meta}, "data": {"a": "b"}}
        return self.guarded.ask("POST", self.configmaps + query, body)


@pytest.fixture
def world(guarded, hooks):
    with guarded.namespace() as namespace:
        found = Admission(guarded, hooks, namespace)
        yield found
        for path in found.made:
            guarded.ask("DELETE", path)
