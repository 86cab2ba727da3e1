"""Drives reconciles without Kubernetes: objects in, outcomes applied, time stepped, faults set."""

import datetime as dt
import random
import threading

import msgspec

from fakecloud import FakeCloud
from fakecloud import errors as fake_errors
from provider import cluster
from provider.osc import errors
from provider.osc.shared import SharedReads

UID = "5f1c0c5e-0000-4000-8000-000000000001"
NOW = dt.datetime(2026, 11, 29, tzinfo=dt.UTC)


class Killed(BaseException):
    """The process ends here: nothing that is in memory stays."""


class Direct:
    """The cloud, called in process; counts calls and strikes at one of them."""

    def __init__(self, fake, account=""):
        self.fake = fake
        self._client = fake.client(account=account) if account else fake.client()
        self.region = "eu-west-2"
        self.alone = threading.Lock()
        self.calls = []
        self.strike_at = 0
        self.effect = ""

    def call(self, action, /, **request):
        request = {key: value for key, value in request.items() if value is not None}
        self.calls.append(action)
        effect = self.effect if len(self.calls) == self.strike_at else ""
        if effect == "refuse":
            raise errors.ApiError(action, status=500, code="2000", type="InternalError")
        if effect == "die before":
            raise Killed
        try:
            answer = getattr(self._client, action)(**request)
        except fake_errors.ApiError as error:
            raise errors.ApiError(
                action,
                status=error.status,
                code=str(error.code),
                type=error.type,
                details=error.details,
                request_id=error.request_id,
            ) from error
        except ConnectionError as error:
            raise errors.ApiError(action) from error
        if effect == "lose":
            raise errors.ApiError(action)
        if effect == "die after":
            raise Killed
        return answer

    def read(self, action, /, **request):
        rows, token = [], None
        while True:
            answer = self.call(action, **request, NextPageToken=token)
            name = action.removeprefix("Read")
            rows += answer[name]
            token = answer.get("NextPageToken")
            if not token:
                return rows


class Clouds:
    """Both sides, and the Reads that all of a process share."""

    def __init__(self, near, far=None, clock=None):
        self.near = near
        self.far = far or near
        self._clock = clock
        self.restart()

    def restart(self, calm_age_s=0.0):
        self._reads = SharedReads(self.near, self._clock, calm_age_s)

    def shared(self):
        return self.near, self._reads

    def workload(self):
        return self.near

    def management(self):
        return self.far


class FakeClock:
    """Kubernetes' clock, moved with the cloud's."""

    def __init__(self, fake):
        self._fake = fake
        self._began = fake.clock.now()

    def now(self):
        return NOW + dt.timedelta(seconds=self.monotonic_s())

    def monotonic_s(self):
        return self._fake.clock.now() - self._began

    def sleep(self, seconds):
        self._fake.clock.advance(seconds)


class Memory(dict):
    """What a process keeps of one object; when that is lost, so are the Reads it shared."""

    def __init__(self, clouds):
        super().__init__()
        self._clouds = clouds

    def clear(self):
        super().clear()
        self._clouds.restart()


def copied(value):
    """Copy what is plain JSON; anything else is refused."""
    return msgspec.json.decode(msgspec.json.encode(value))


def merge(target, patch):
    """Apply a JSON merge patch."""
    for key, value in patch.items():
        if value is None:
            target.pop(key, None)
        elif isinstance(value, dict) and isinstance(target.get(key), dict):
            merge(target[key], value)
        else:
            target[key] = copied(value)


def touch(written):
    """Give what was written another version, as Kubernetes does."""
    metadata = written["metadata"]
    metadata["resourceVersion"] = str(int(metadata.get("resourceVersion", 0)) + 1)


def osc_cluster(spec=None, name="demo", **metadata):
    return {
        "apiVersion": "infrastructure.cluster.x-k8s.io/v1beta2",
        "kind": "OscCluster",
        "metadata": {"name": name, "namespace": "default", "generation": 1, **metadata},
        "spec": spec or {},
    }


def owner(uid=UID, name="demo", **spec):
    return {
        "apiVersion": "cluster.x-k8s.io/v1beta2",
        "kind": "Cluster",
        "metadata": {"name": name, "namespace": "default", "uid": uid},
        "spec": spec,
    }


class ClusterDriver:
    """One OscCluster on one cloud."""

    def __init__(self, spec=None, fake=None, uid=UID, name="demo", far=None):
        self.fake = fake or FakeCloud(seed=1)
        self.cloud = Direct(self.fake)
        self.clock = FakeClock(self.fake)
        self.clouds = Clouds(self.cloud, far, self.clock)
        self.object = osc_cluster(spec, name)
        self.cluster = owner(uid, name)
        self.machines = ()
        self.elder = None
        self.here = lambda: None
        self.memory = Memory(self.clouds)
        self.writes = 0
        self.events = []
        self.is_gone = False
        self.last = None

    # --- Kubernetes ------------------------------------------------------------------------------

    def record(self, status):
        self.writes += 1
        self.object["status"] = copied(status)
        touch(self.object)

    def apply(self, outcome):
        before = copied(self.object)
        merge(self.object["metadata"], outcome.metadata)
        merge(self.object["spec"], outcome.spec)
        if outcome.status is not None:
            self.object["status"] = copied(outcome.status)
        if self.object != before:
            self.writes += 1
            touch(self.object)
        self.events += outcome.events
        metadata = self.object["metadata"]
        if "deletionTimestamp" in metadata and not metadata.get("finalizers"):
            self.is_gone = True

    def set(self, spec):
        self.object["spec"] = spec
        self.object["metadata"]["generation"] += 1
        touch(self.object)

    # --- Passes ----------------------------------------------------------------------------------

    def step(self):
        """One reconcile; a killed one leaves nothing but what was written."""
        objects = cluster.ClusterObjects(
            copied(self.object), self.cluster, tuple(self.machines), self.elder
        )
        try:
            outcome = cluster.reconcile(
                objects, self.clouds, self.clock, self.record, self.memory, self.here
            )
        except Killed:
            self.die()
            return None
        self.apply(outcome)
        self.last = outcome
        return outcome

    def die(self):
        """Lose what a process has in its memory."""
        self.memory.clear()

    def settle(self, limit=80):
        """Reconcile until it asks for no early look, or the object is gone."""
        for _ in range(limit):
            outcome = self.step()
            if self.is_gone:
                return self
            if outcome is None:
                continue
            calm = not outcome.retry and (outcome.again_s is None or outcome.again_s >= 300)
            if calm:
                self.fake.clock.advance(60)  # What was changed last becomes active again.
                return self
            self.fake.clock.advance(max(outcome.again_s or 0, 5 if outcome.retry else 0))
        raise AssertionError(f"Not settled after {limit} passes: {self.conditions}")

    def delete(self):
        self.object["metadata"]["deletionTimestamp"] = "2026-11-29T01:00:00Z"
        return self

    # --- What is seen ----------------------------------------------------------------------------

    @property
    def status(self):
        return self.object.get("status", {})

    @property
    def conditions(self):
        rows = self.status.get("conditions", ())
        return {each["type"]: (each["status"], each["reason"], each["message"]) for each in rows}

    @property
    def is_ready(self):
        return self.conditions.get("Ready", ("",))[0] == "True"

    @property
    def has_lost_endpoint(self):
        """Whether the endpoint is the name of a load balancer that is no more."""
        host = self.object["spec"].get("controlPlaneEndpoint", {}).get("host", "")
        names = {row["DnsName"] for row in inventory(self.fake)["LoadBalancers"]}
        return host.endswith(".lbu.outscale.com") and host not in names

    @property
    def is_whole(self):
        """Whether all is told to be there; all but the endpoint, when that is lost."""
        if not self.has_lost_endpoint:
            return self.is_ready
        told = {name: row[:2] for name, row in self.conditions.items() if row[0] != "True"}
        lost = ("False", "EndpointLost")
        return told == {
            "Ready": lost,
            "LoadBalancerReady": lost,
            "Paused": ("False", "NotPaused"),
            "Deleting": ("False", "NotDeleting"),
        }


READS = {
    "ReadNets": "NetId",
    "ReadSubnets": "SubnetId",
    "ReadInternetServices": "InternetServiceId",
    "ReadNatServices": "NatServiceId",
    "ReadPublicIps": "PublicIpId",
    "ReadRouteTables": "RouteTableId",
    "ReadSecurityGroups": "SecurityGroupId",
    "ReadLoadBalancers": "LoadBalancerName",
    "ReadNetPeerings": "NetPeeringId",
    "ReadNetAccessPoints": "NetAccessPointId",
    "ReadVms": "VmId",
    "ReadVolumes": "VolumeId",
    "ReadFlexibleGpus": "FlexibleGpuId",
}
_OVER = {"deleted", "terminated", "expired", "rejected"}


def inventory(fake, account=""):
    """Return all that lives in an account: kind to rows."""
    cloud = Direct(fake, account)
    found = {}
    for action in READS:
        rows = cloud.read(action)
        live = [row for row in rows if _state(row) not in _OVER]
        found[action.removeprefix("Read")] = live
    return found


def _state(row):
    state = row.get("State", "")
    return state["Name"] if isinstance(state, dict) else state


def shape(fake, *accounts, but=frozenset()):
    """Return what lives in some accounts in a form that two runs can be compared in.

    What has one of the ids in ``but``, or is in a Net that has, is left out.
    """
    rows = {}
    for account in accounts or ("",):
        for kind, each in inventory(fake, account).items():
            rows.setdefault(kind, []).extend(each)
    numbers = {}
    for action, key in READS.items():
        kind = action.removeprefix("Read")
        rows[kind] = [row for row in rows[kind] if but.isdisjoint((row[key], row.get("NetId")))]
        for row in rows[kind]:
            label = _label(action, row)
            numbers[row[key]] = label
            if action == "ReadPublicIps":
                numbers[f"{row['PublicIp']}/32"] = label
    return {
        kind: sorted((_plain(row, numbers) for row in each), key=repr)
        for kind, each in rows.items()
        if each
    }


def _label(action, row):
    names = [each["Value"] for each in row.get("Tags", ()) if each["Key"] == "Name"]
    return f"{action}:{row.get('SecurityGroupName') or row.get('IpRange') or names}"


_VOLATILE = {
    "PublicIp", "DnsName", "PrivateIp", "LinkPublicIpId", "LinkRouteTableId", "PrivateIps",
    "ExpirationDate", "SecurityGroupRuleId", "PublicDnsName", "PrivateDnsName", "MacAddress",
    "CreationDate", "Nics", "BlockDeviceMappings", "ReservationId", "AvailableIpsCount",
    "LaunchNumber", "NicId", "Passphrase", "LinkPublicIp", "ClientToken", "UserData", "_",
}  # fmt: skip

_TAGS_OF_ADDRESSES = {"OscK8sNodeName", "osc.fcu.eip.auto-attach"}


def _plain(value, numbers):
    if isinstance(value, dict):
        if value.get("Key") in _TAGS_OF_ADDRESSES:
            return {"Key": value["Key"]}
        return {k: _plain(v, numbers) for k, v in sorted(value.items()) if k not in _VOLATILE}
    if isinstance(value, list):
        return sorted((_plain(each, numbers) for each in value), key=repr)
    if isinstance(value, str):
        if value in numbers:
            return numbers[value]
        if "-" in value and value.split("-")[0] in {"rtbassoc", "eipassoc", "eipalloc", "sgr"}:
            return value.split("-")[0]
    return value


__all__ = ["ClusterDriver", "Direct", "inventory", "random", "shape"]
