"""A Kubernetes API with our kinds and Cluster API's, and managers that run on it in threads."""

import asyncio
import contextlib
import dataclasses
import gc
import itertools
import random
import threading
import urllib.error
import urllib.request
from typing import ClassVar

from fakekube.serving import ServerThread
from provider.api import crd
from provider.kube import auth, kinds
from provider.manager import options, process, wiring
from provider.manager.cache import CLUSTER_LABEL
from provider.manager.metrics import Metrics
from provider.osc import pool
from tests.contract.kube.client import eventually
from tests.functional.provider import fast

WITHIN_S = 15.0
FAST = {
    "metrics_bind_address": "127.0.0.1:0",
    "health_probe_bind_address": "127.0.0.1:0",
    "leader_elect": False,
    "webhook_port": 0,
    "shutdown_timeout": 2.0,
}
RATE = 10.0
"""Seconds of managers and clouds in a second, where a whole cluster comes and goes."""
_names = itertools.count()


# --- Kubernetes ----------------------------------------------------------------------------------


def _definition(kind, *, versions, singular):
    """Return a definition that takes any spec and status."""
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    schema = {"type": "object", "properties": {"spec": anything, "status": anything}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind.plural}.{kind.group}"},
        "spec": {
            "group": kind.group,
            "scope": "Namespaced" if kind.is_namespaced else "Cluster",
            "names": {"plural": kind.plural, "singular": singular, "kind": kind.name},
            "versions": [
                {
                    "name": each,
                    "served": True,
                    "storage": each == versions[0],
                    "schema": {"openAPIV3Schema": schema},
                    "subresources": {"status": {}},
                }
                for each in versions
            ],
        },
    }


def core_definitions(versions=("v1beta2", "v1beta1")):
    """Return definitions of Cluster API's own kinds, as far as a manager reads them."""
    return [
        _definition(each, versions=versions, singular=each.name.lower())
        for each in (kinds.CLUSTER, kinds.MACHINE)
    ]


def our_definitions():
    """Return the definitions of our kinds, without the conversion that needs a webhook."""
    made = crd.definitions("webhooks", "caposc-system")
    for each in made:
        each["spec"].pop("conversion", None)
    return made


def plain_definitions(versions=("v1beta2",)):
    """Return definitions of our kinds that take anything, for managers that decide little."""
    ours = (
        kinds.OSC_CLUSTER,
        kinds.OSC_MACHINE,
        kinds.OSC_MACHINE_TEMPLATE,
        kinds.OSC_CLUSTER_IDENTITY,
    )
    return [_definition(each, versions=versions, singular=each.name.lower()) for each in ours]


class Stage:
    """One API server and one namespace on it, as a user sees them.

    server: fakekube, with its faults; None when it is a real one.
    """

    def __init__(self, client, server=None):
        self.client = client
        self.server = server
        self.namespace = f"stage-{next(_names)}"
        self.client.must("POST", "/api/v1/namespaces", {"metadata": {"name": self.namespace}})

    @property
    def source(self):
        return auth.Kubeconfig(self.client.kubeconfig, {})

    def fault(self, effect, **facts):
        """Let something go wrong from now on."""
        self.server.control("faults", {"effect": effect, **facts})

    def heal(self):
        """Let nothing go wrong any more."""
        self.server.control("faults", {}, method="DELETE")

    @contextlib.contextmanager
    def away(self):
        """Take the server away for a while; it comes back at the same place, with its objects."""
        self.server.__exit__(None, None, None)
        yield
        self.server = ServerThread(self.server.kube, port=self.server.port)
        self.server.__enter__()

    def install(self, definitions):
        for each in definitions:
            path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
            name = each["metadata"]["name"]
            if self.client.ask("GET", f"{path}/{name}").code == 404:
                self.client.must("POST", path, each)
            else:
                # Parts of a conversion by a webhook that is gone would stay beside the new one.
                for spec in ({"conversion": None}, each["spec"]):
                    self.client.must("PATCH", f"{path}/{name}", {"spec": spec})
            group, plural = each["spec"]["group"], each["spec"]["names"]["plural"]
            for version in filter(lambda one: one["served"], each["spec"]["versions"]):
                place = f"/apis/{group}/{version['name']}/{plural}"
                eventually(lambda place=place: self.client.ask("GET", place).code == 200)

    def _path(self, kind, name="", subresource=""):
        return kind.path(self.namespace, name, subresource)

    def create(self, kind, name, **body):
        metadata = {"name": name, **body.pop("metadata", {})}
        whole = {"apiVersion": kind.api_version, "kind": kind.name, "metadata": metadata, **body}
        return self.client.must("POST", self._path(kind), whole)

    def get(self, kind, name):
        """Return an object, or None."""
        answer = self.client.ask("GET", self._path(kind, name))
        return answer.body if answer.code == 200 else None

    def list(self, kind):
        return self.client.must("GET", self._path(kind))["items"]

    def patch(self, kind, name, subresource="", **body):
        return self.client.must("PATCH", self._path(kind, name, subresource), body)

    def delete(self, kind, name):
        return self.client.must("DELETE", self._path(kind, name))

    def status(self, kind, name):
        """Return the status of an object, empty when there is none."""
        return (self.get(kind, name) or {}).get("status") or {}

    def cluster(self, name="demo", **spec):
        """Create a Cluster with its OscCluster, as a user and the core do; return the latter."""
        reference = {"apiGroup": kinds.INFRASTRUCTURE, "kind": "OscCluster", "name": name}
        made = self.create(kinds.CLUSTER, name, spec={"infrastructureRef": reference, **spec})
        return self.create(
            kinds.OSC_CLUSTER, name, metadata=self._owned(name, made, "Cluster"), spec={}
        )

    def machine(self, name, cluster="demo", bootstrap="", **spec):
        """Create a Machine with its OscMachine; return the latter."""
        reference = {"apiGroup": kinds.INFRASTRUCTURE, "kind": "OscMachine", "name": name}
        data = {"dataSecretName": bootstrap} if bootstrap else {}
        made = self.create(
            kinds.MACHINE,
            name,
            metadata={"labels": {CLUSTER_LABEL: cluster}},
            spec={"clusterName": cluster, "bootstrap": data, "infrastructureRef": reference},
        )
        metadata = self._owned(cluster, made, "Machine")
        spec = {"vm": {"keypairName": "ops"}, **spec}
        return self.create(kinds.OSC_MACHINE, name, metadata=metadata, spec=spec)

    def secret(self, name, labels=None, **data):
        metadata = {"labels": labels or {}}
        return self.create(kinds.SECRET, name, metadata=metadata, stringData=data)

    @staticmethod
    def _owned(cluster, owner, kind):
        reference = {
            "apiVersion": owner["apiVersion"],
            "kind": kind,
            "name": owner["metadata"]["name"],
            "uid": owner["metadata"]["uid"],
            "controller": True,
        }
        return {"labels": {CLUSTER_LABEL: cluster}, "ownerReferences": [reference]}


def keys(sky):
    """Return the environment in which a manager finds credentials for a simulated cloud."""
    return {
        "OSC_ACCESS_KEY": "AK",
        "OSC_SECRET_KEY": "canary-of-the-manager",
        "OSC_REGION": "eu-west-2",
        "OSC_ENDPOINT_API": sky.endpoint,
    }


# --- Managers ------------------------------------------------------------------------------------


class Replica:
    """A manager in a thread with a loop of its own; ``with Replica(...) as replica``.

    decide: what it decides with; the provider's own functions if not given.
    environment: where it finds its own credentials.
    rate: how many seconds pass for it in one.
    source: what says who it is; the kubeconfig of the stage if not given.
    """

    _running: ClassVar = set()

    def __init__(
        self,
        stage,
        decide=None,
        *,
        reviews=None,
        environment=None,
        rate=1,
        source=None,
        **changes,
    ):
        self.metrics = Metrics()
        self.secrets = []
        self.is_aborted = False
        self.problem = None
        time = fast.FastClock(rate)
        chosen = options.Options(**{**FAST, "namespace": stage.namespace, **changes})
        world = process.World(
            source=source or stage.source,
            opener=pool.Clients(time, random.Random(1), on_call=self.metrics.api_call),
            decide=decide or wiring.DECIDE,
            reviews=reviews or wiring.REVIEWS,
            environment=environment or {},
            clock=time,
            chance=random.Random(),
            learn=self.secrets.append,
            metrics=self.metrics,
            abort=self._abort,
        )
        self.manager = process.Manager(chosen, world)
        self._loop = fast.FastLoop(rate)
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _abort(self):
        self.is_aborted = True

    def _run(self):
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self.manager.run(self._stop))
        except Exception as problem:  # noqa: BLE001 - a test looks at it
            self.problem = problem
        finally:
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            self._loop.close()

    def start(self):
        self._thread.start()
        self._running.add(self)
        eventually(lambda: self.manager.ports or self.problem)
        return self

    def stop(self, within_s=WITHIN_S):
        """Stop as SIGTERM does."""
        with contextlib.suppress(RuntimeError):  # It has ended by itself.
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(within_s)
        assert not self._thread.is_alive(), "The manager does not stop."
        self._running.discard(self)
        for each in threading.enumerate():
            if each.name == "watches" and not self._running:
                each.join(WITHIN_S)
        # What kopf leaves open is found now, and not in the middle of another test.
        gc.collect()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()
        if self.problem is not None and not self.is_aborted:
            raise self.problem

    @property
    def is_leader(self):
        return self.manager.is_leader

    @property
    def is_ready(self):
        """Tell what the replica says of itself."""
        try:
            return self.read("health", "/readyz") == "ok"
        except urllib.error.HTTPError as refused:
            refused.close()
            return False

    def read(self, name, path):
        """Return what the replica serves on one of its ports."""
        url = f"http://127.0.0.1:{self.manager.ports[name]}{path}"
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.read().decode()

    def value(self, name, **labels):
        """Return the value of a metric, 0 when it was never touched."""
        return self.metrics.registry.get_sample_value(name, labels) or 0


@dataclasses.dataclass
class Trial:
    """A reconcile function for tests: remembers what it saw, and answers what it is told."""

    answer: object
    seen: list = dataclasses.field(default_factory=list)

    def __call__(self, seen, tools):
        self.seen.append(seen)
        return self.answer(seen, tools)

    def __len__(self):
        return len(self.seen)
