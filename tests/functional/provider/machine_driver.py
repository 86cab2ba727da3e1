"""Drives reconciles of machines: a cluster that stands, and OscMachines on it."""

import base64
import dataclasses
import functools
import random

from fakecloud import FakeCloud
from provider import machine, machine_blueprint
from provider.osc.shared import SharedReads
from provider.rules import names
from tests.functional.provider import driver, worlds

CP_LABEL = {"cluster.x-k8s.io/control-plane": ""}
MD_LABEL = {"cluster.x-k8s.io/deployment-name": "md-0"}
SUBREGIONS = ["eu-west-2a", "eu-west-2b", "eu-west-2c"]
CANARY = "token-that-nobody-may-see"


class Clouds(driver.Clouds):
    """The cloud, and the Reads that all machines share."""

    def __init__(self, cloud, reads):
        super().__init__(cloud)
        self._reads = reads

    def shared(self):
        return self.near, self._reads


@functools.cache
def _standing(spec):
    """Return a cloud with a cluster in it as bytes, and what Kubernetes has of the cluster."""
    run = driver.ClusterDriver(eval(spec), FakeCloud(seed=1))  # noqa: S307 - our own repr
    worlds.neighbour(run.fake)
    worlds.keypair(run.fake)
    run.settle()
    assert run.is_ready, run.conditions
    return run.fake.save(), run.object, run.cluster


class Site:
    """A cluster that stands, and its machines; ``outside`` is how others call its cloud."""

    def __init__(self, spec=None):
        network = {"network": {"subregions": SUBREGIONS[:2]}}
        saved, osc_cluster, owner = _standing(repr(network if spec is None else spec))
        self.fake = FakeCloud(seed=1)
        self.fake.load(saved)
        self.cloud = driver.Direct(self.fake)
        self.outside = driver.Direct(self.fake)
        self.clock = driver.FakeClock(self.fake)
        self.osc_cluster = driver.copied(osc_cluster)
        self.cluster = driver.copied(owner)
        self.machines = {}
        self.chance = random.Random(1)
        self.restart()

    def restart(self):
        """Begin as a process does, with no memory."""
        self.clouds = Clouds(self.cloud, SharedReads(self.cloud, self.clock))
        for each in self.machines.values():
            each.memory = {}

    def machine(self, name="demo-md-0-abcde", **options):
        """Return the driver of a new machine."""
        self.machines[name] = MachineDriver(self, name, **options)
        return self.machines[name]

    def control_plane(self, name="demo-cp-abcde", **options):
        return self.machine(name, labels=CP_LABEL, **options)

    def settle(self, limit=80):
        """Reconcile all machines at the same pace until none asks for an early look."""
        for _ in range(limit):
            outcomes = [each.step() for each in self.machines.values() if not each.is_gone]
            pauses = [each.pause_s(outcome) for each, outcome in _pairs(self, outcomes)]
            if all(pause >= 300 for pause in pauses):
                return self
            self.fake.clock.advance(max(1, min(pauses)))
        raise AssertionError({each.name: each.conditions for each in self.machines.values()})

    @property
    def vms(self):
        return driver.inventory(self.fake)["Vms"]


def _pairs(site, outcomes):
    return zip([each for each in site.machines.values() if each.last], outcomes, strict=False)


def with_siblings(run, siblings):
    """Return what a machine sees whose cache is old."""
    return dataclasses.replace(MachineDriver.objects(run), siblings=siblings)


class MachineDriver:
    """One OscMachine of a cluster that stands."""

    def __init__(self, site, name, *, spec=None, labels=MD_LABEL, failure_domain="", **metadata):
        self.site = site
        self.name = name
        self.object = {
            "apiVersion": "infrastructure.cluster.x-k8s.io/v1beta2",
            "kind": "OscMachine",
            "metadata": {"name": name, "namespace": "default", "generation": 1, **metadata},
        }
        given = driver.copied(spec or {})
        vm = {"keypairName": "ops", **self.image, **given.pop("vm", {})}
        self.object["spec"] = {"vm": vm, **given}
        self.object["metadata"]["labels"] = {**labels, **metadata.get("labels", {})}
        self.machine = {
            "apiVersion": "cluster.x-k8s.io/v1beta2",
            "kind": "Machine",
            "metadata": {"name": name, "namespace": "default", "labels": dict(labels)},
            "spec": {"bootstrap": {"dataSecretName": name}, "failureDomain": failure_domain},
        }
        value = base64.b64encode(f"#cloud-config\n# {CANARY}\n".encode()).decode()
        self.bootstrap = {"metadata": {"name": name}, "data": {"value": value}}
        self.memory = {}
        self.elder = None
        self.writes = 0
        self.records = []
        self.events = []
        self.is_gone = False
        self.last = None

    @functools.cached_property
    def image(self):
        return {"image": {"id": self.site.outside.read("ReadImages")[0]["ImageId"]}}

    # --- Kubernetes ------------------------------------------------------------------------------

    def record(self, status):
        self.writes += 1
        self.records.append(driver.copied(status))
        self.object["status"] = driver.copied(status)
        driver.touch(self.object)

    def apply(self, outcome):
        before = driver.copied(self.object)
        driver.merge(self.object["metadata"], outcome.metadata)
        driver.merge(self.object["spec"], outcome.spec)
        if outcome.status is not None:
            self.object["status"] = driver.copied(outcome.status)
        if self.object != before:
            self.writes += 1
            driver.touch(self.object)
        self.events += outcome.events
        metadata = self.object["metadata"]
        self.is_gone = "deletionTimestamp" in metadata and not metadata.get("finalizers")

    def objects(self):
        others = [each for each in self.site.machines.values() if each is not self]
        has_vm = self.object["spec"].get("providerID")
        return machine_blueprint.MachineObjects(
            driver.copied(self.object),
            machine=self.machine,
            cluster=self.site.cluster,
            osc_cluster=self.site.osc_cluster,
            bootstrap=None if has_vm else self.bootstrap,
            siblings=tuple(driver.copied(each.object) for each in others if not each.is_gone),
            elder=self.elder,
        )

    # --- Passes ----------------------------------------------------------------------------------

    def step(self):
        """One reconcile; a killed one leaves nothing but what was written."""
        try:
            outcome = machine.reconcile(
                self.objects(),
                self.site.clouds,
                self.site.clock,
                self.site.chance,
                self.record,
                self.memory,
            )
        except driver.Killed:
            self.site.restart()
            return None
        self.apply(outcome)
        self.last = outcome
        return outcome

    @staticmethod
    def pause_s(outcome):
        """Return how long the manager would wait before the next look."""
        if outcome is None:
            return 0
        if outcome.retry:
            return 5
        return 600 if outcome.again_s is None else outcome.again_s

    def settle(self, limit=80):
        """Reconcile until it asks for no early look, or the object is gone."""
        for _ in range(limit):
            pause_s = self.pause_s(self.step())
            if self.is_gone or pause_s >= 300:
                return self
            self.site.fake.clock.advance(pause_s)
        raise AssertionError(f"Not settled after {limit} passes: {self.conditions}")

    def delete(self):
        self.object["metadata"]["deletionTimestamp"] = "2026-11-29T01:00:00Z"
        return self

    # --- What is seen ----------------------------------------------------------------------------

    @property
    def spec(self):
        return self.object["spec"]

    @property
    def status(self):
        return self.object.get("status", {})

    @property
    def conditions(self):
        rows = self.status.get("conditions", ())
        return {each["type"]: (each["status"], each["reason"], each["message"]) for each in rows}

    @property
    def ready(self):
        return self.conditions.get("Ready", ("", "", ""))[:2]

    @property
    def is_ready(self):
        return self.ready[0] == "True"

    @property
    def vms(self):
        """The VMs of this machine, terminated ones included."""
        rows = self.site.outside.read("ReadVms")
        return [row for row in rows if self._is_mine(row)]

    def _is_mine(self, row):
        tags = {each["Key"]: each["Value"] for each in row.get("Tags", ())}
        token = names.machine_token(self.name, driver.UID)
        return tags.get("Name") == self.name or row.get("ClientToken") == token

    @property
    def vm(self):
        (row,) = self.vms
        return row

    @property
    def tags(self):
        return {each["Key"]: each["Value"] for each in self.vm["Tags"]}
