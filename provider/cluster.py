"""OscCluster: from the objects of a cluster, and what is in its cloud, to what is written.

https://cluster-api.sigs.k8s.io/developer/providers/contracts/infra-cluster
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

from provider import conditions, telling
from provider.api import v1beta2
from provider.clock import Clock
from provider.engine import act, intents, world
from provider.engine import plan as plans
from provider.engine.plan import Step, Verb
from provider.engine.resource import Refusal, Resource
from provider.osc import cloud as clouds_
from provider.osc import credentials, errors
from provider.outcome import Event, Outcome
from provider.resources import net_peering
from provider.resources.internet_service import InternetService
from provider.resources.load_balancer import LoadBalancer
from provider.resources.nat_service import NatService
from provider.resources.net import Net
from provider.resources.net_access_point import NetAccessPoint
from provider.resources.net_peering import NetPeering, PeerRoutes
from provider.resources.public_ip import PublicIp
from provider.resources.route_table import RouteTable
from provider.resources.security_group import SecurityGroup
from provider.resources.subnet import Subnet
from provider.resources.vm import Bastion
from provider.resources.want import Want
from provider.rules import names

KINDS: tuple[type[Resource], ...] = (
    # Each refers only to kinds before it, or to later ones by a name alone.
    Net,
    Subnet,
    InternetService,
    NatService,
    NetPeering,
    PeerRoutes,
    RouteTable,
    NetAccessPoint,
    SecurityGroup,
    LoadBalancer,
    Bastion,
    PublicIp,
)

RECENT_S = 120.0
"""How long what was seen of other kinds holds while one kind is waited for."""


@dataclasses.dataclass(frozen=True)
class ClusterObjects:
    """All that one reconcile of an OscCluster may know of Kubernetes."""

    osc_cluster: Mapping[str, Any]
    cluster: Mapping[str, Any] | None
    """The Cluster that owns it, or None when there is none (yet, or any more)."""
    machines: tuple[Mapping[str, Any], ...] = ()
    """The OscMachines of the cluster."""


Record = Callable[[dict[str, Any]], None]
Memory = MutableMapping[str, Any]


def reconcile(
    objects: ClusterObjects,
    clouds: clouds_.Clouds,
    clock: Clock,
    record: Record,
    memory: Memory | None = None,
) -> Outcome:
    """Bring the cloud closer to what an OscCluster asks for.

    ``record`` keeps a status before anything is created that could be lost. ``memory`` only saves
    Reads: without it, the outcome is the same.
    """
    return _Pass(objects, clouds, clock, record, {} if memory is None else memory).run()


def plan(
    osc_cluster: Mapping[str, Any], clouds: clouds_.Clouds, clock: Clock, *, is_new: bool = False
) -> tuple[list[Step], list[Resource]]:
    """Return what the next reconcile would do, and all that is wanted; change nothing.

    ``is_new`` says that nothing exists yet, so that nothing is read. Raise ``Refusal`` for a spec
    that cannot be carried out, ``errors.ApiError`` and ``credentials.CredentialsError``.
    """

    def record(_status: dict[str, Any]) -> None:
        raise AssertionError("A plan changes nothing.")

    objects = ClusterObjects(osc_cluster, None)
    return _Pass(objects, clouds, clock, record, {}).planned(is_new=is_new)


class _Pass:
    def __init__(
        self,
        objects: ClusterObjects,
        clouds: clouds_.Clouds,
        clock: Clock,
        record: Record,
        memory: Memory,
    ) -> None:
        self.objects = objects
        self.clouds = clouds
        self.clock = clock
        self.record = record
        self.memory = memory
        self.metadata = objects.osc_cluster["metadata"]
        self.status: Mapping[str, Any] = objects.osc_cluster.get("status") or {}
        self.is_going = "deletionTimestamp" in self.metadata
        self.finalizers = list(self.metadata.get("finalizers") or ())
        self.uid = (self.metadata.get("labels") or {}).get(names.CLUSTER_UID_LABEL, "")

    def run(self) -> Outcome:
        if conditions.is_externally_managed(self.metadata):
            return Outcome()
        paused = conditions.paused("OscCluster", self.objects.cluster, self.metadata)
        if paused.status == "True":
            self.memory.clear()
            return Outcome(status=self._with_conditions([paused], keep=True))
        if self.is_going:
            return self._going()
        if self.objects.cluster is None:
            return Outcome()
        if names.CLUSTER_FINALIZER not in self.finalizers or not self.uid:
            return self._adopt()
        return self._act(going=False)

    def _adopt(self) -> Outcome:
        """Keep the finalizer and the uid before anything is created under them."""
        others = [each for each in self.finalizers if each != names.CLUSTER_FINALIZER]
        patch: dict[str, Any] = {"finalizers": [*others, names.CLUSTER_FINALIZER]}
        if not self.label:
            patch["labels"] = {names.CLUSTER_UID_LABEL: self.uid}
        return Outcome(metadata=patch, again_s=0)

    def _going(self) -> Outcome:
        if names.CLUSTER_FINALIZER not in self.finalizers:
            return Outcome()
        if not self.uid:
            return self._gone()
        machines = sorted(each["metadata"]["name"] for each in self.objects.machines)
        if machines:
            some = ", ".join(machines[:5]) + (", ..." if len(machines) > 5 else "")
            waiting = f"waiting for {len(machines)} OscMachines to be deleted: {some}"
            return Outcome(status=self._with_conditions(conditions.deleting(waiting)), again_s=60)
        return self._act(going=True)

    def _gone(self) -> Outcome:
        left = [each for each in self.finalizers if each != names.CLUSTER_FINALIZER]
        self.memory.clear()
        return Outcome(
            metadata={"finalizers": left},
            events=(Event("Normal", "Deleted", "Everything in the cloud is gone."),),
        )

    def planned(self, *, is_new: bool) -> tuple[list[Step], list[Resource]]:
        cloud = net_peering.TwoSided(self.clouds)
        spec = v1beta2.OscClusterSpec.model_validate(self.objects.osc_cluster.get("spec") or {})
        seen = world.World()
        if not is_new:
            seen = world.snapshot(cloud, self._scope(spec), KINDS)
            seen.rebind()
        desired = [] if self.is_going else self._desired(cloud, spec, seen)
        steps = plans.plan(desired, seen.all(), going=self.is_going)
        return steps, plans.in_order(desired)

    # --- With the cloud --------------------------------------------------------------------------

    def _act(self, *, going: bool) -> Outcome:
        try:
            return self._planned(going=going)
        except credentials.CredentialsError as error:
            return self._refused("CredentialsReady", "CredentialsMissing", str(error))
        except Refusal as refusal:
            return self._refused("SpecReady", "Refused", str(refusal))
        except errors.ApiError as error:
            self.memory.clear()
            reason = conditions.CAUSES[error.cause]
            return self._refused("CloudReady", reason, str(error), is_ours=False)

    def _planned(self, *, going: bool) -> Outcome:
        cloud = net_peering.TwoSided(self.clouds)
        open_intents = intents.load(self.status)
        spec = v1beta2.OscClusterSpec.model_validate(self.objects.osc_cluster.get("spec") or {})
        scope = self._scope(spec)
        seen = self._look(cloud, scope, open_intents)
        desired = [] if going else self._desired(cloud, spec, seen)
        actor = act.Actor(cloud, scope, KINDS, self._record)
        report = actor.run(desired, seen, open_intents, going=going)
        self._remember(report)
        if going:
            ours = [each for each in report.world.all() if each.is_managed]
            if not ours and not report.intents and not report.failures:
                return self._gone()
            return self._still_going(report)
        return self._result(report, spec)

    def _look(
        self, cloud: clouds_.Cloud, scope: world.Scope, open_intents: intents.Intents
    ) -> world.World:
    def _is_new(
        self, cloud: clouds_.Cloud, scope: world.Scope, open_intents: intents.Intents
    ) -> bool:
        """Tell with one Read whether there is nothing yet of which there could be a Read each."""
        if self.status.get("resources") or open_intents or scope.existing:
            return False
        return not cloud.read("ReadTags", Filters={"Keys": [scope.owner[0]]})

    def _known(self) -> dict[str, dict[str, str]]:
        """Return the ids of what was ours; what the spec names is only used, whoever wrote it."""
        used = set(blueprint.named_ids(self.objects.osc_cluster.get("spec")))
        return {
            kind: {key: id_ for key, id_ in ids.items() if id_ not in used}
            for kind, ids in (self.status.get("resources") or {}).items()
        }

        """Return what is there: all of it, or only what was waited for a moment ago."""
        remembered = self.memory.get("world")
        if remembered is not None and self._memory_holds():
            kinds = [kind for kind in KINDS if kind.KIND in self.memory["waiting"]]
            seen = world.snapshot(cloud, scope, kinds, remembered)
        elif self._is_new(cloud, scope, open_intents):
            seen = world.World(is_new=True)
        else:
            seen = world.snapshot(cloud, scope, KINDS, known=self._known())
            world.mark_lost(cloud, scope, seen)
        seen.rebind()
        return seen

    def _memory_holds(self) -> bool:
        age_s = self.clock.monotonic_s() - self.memory["at_s"]
        same = (self.metadata.get("generation"), self.is_going, self.uid)
        return bool(age_s < RECENT_S and self.memory["of"] == same)

    def _remember(self, report: act.Report) -> None:
        """Keep what was seen while all that is left is to wait for some kinds."""
        waiting = {each.target.KIND for each in report.left if each.observed is not None}
        only_waits = all(each.verb is Verb.WAIT for each in report.left)
        if report.failures or report.intents or not waiting or not only_waits:
            self.memory.clear()
            return
        at_s = self.memory.get("at_s") if self.memory.get("world") is report.world else None
        self.memory.update(
            world=report.world,
            waiting=waiting,
            at_s=self.clock.monotonic_s() if at_s is None else at_s,
            of=(self.metadata.get("generation"), self.is_going, self.uid),
        )

    def _desired(
        self, cloud: net_peering.TwoSided, spec: v1beta2.OscClusterSpec, seen: world.World
    ) -> list[Resource]:
        network = spec.network
        want = Want(
            uid=self.uid,
            name=self.metadata["name"],
            region=cloud.region,
            network=network,
            subregions=_subregions(network, cloud.region),
            nat_ips=tuple(
                sorted(
                    address
                    for each in seen.of(NatService.KIND)
                    if isinstance(each, NatService)
                    for address in each.addresses
                )
            ),
            peer=self._peer(network.net_peering),
            kinds={kind.KIND: kind for kind in KINDS},
        )
        return [each for kind in KINDS for each in want.of(kind)]

    def _peer(self, spec: v1beta2.NetPeering) -> net_peering.Peer | None:
        if not spec.enable:
            return None
        remembered = self.memory.get("peer")
        if isinstance(remembered, net_peering.Peer):
            return remembered
        peer = net_peering.find_peer(
            self.clouds,
            spec.management_net_id,
            spec.management_account_id,
            spec.management_subnet_id,
        )
        if peer is None:
            missing = spec.management_subnet_id or spec.management_net_id or "not set"
            raise Refusal(
                "spec.network.netPeering.enable is true, but the other side is "
                f"{missing}, which the management credentials do not find. Set managementNetId to "
                "the Net of the management cluster."
            )
        return peer

    def _record(self, open_intents: intents.Intents) -> None:
        self.record({**self.status, "intents": intents.dump(open_intents)})

    # --- What is told ----------------------------------------------------------------------------

    def _result(self, report: act.Report, spec: v1beta2.OscClusterSpec) -> Outcome:
        types = [kind.CONDITION for kind in KINDS if report.world.of(kind.KIND)]
        types += [each.target.CONDITION for each in report.left]
        types += [each.condition for each in report.failures]
        parts = conditions.of_kinds(report, types)
        endpoint, patch = self._endpoint(report, spec)
        if not endpoint.is_set and report.is_converged:
            parts.append(
                conditions.Condition(
                    "EndpointReady",
                    "False",
                    "EndpointMissing",
                    "spec.network.disable has loadbalancer, so spec.controlPlaneEndpoint has to be "
                    "set. Set host and port to where the Kubernetes API is reached.",
                )
            )
        ready = conditions.summary(parts)
        done = self._is_provisioned or ready.status == "True"
        told = self._with_conditions([ready, *parts, *conditions.calm()])
        status = telling.status(told, report)
        if done:
            status["initialization"] = {"provisioned": True}
            status["failureDomains"] = _failure_domains(report.world, spec)
        return Outcome(
            spec=patch,
            status=status,
            events=telling.events(report),
            again_s=telling.again_s(report),
            retry=bool(report.failures),
        )

    @property
    def _is_provisioned(self) -> bool:
        return bool(self.status.get("initialization", {}).get("provisioned"))

    def _endpoint(
        self, report: act.Report, spec: v1beta2.OscClusterSpec
    ) -> tuple[v1beta2.Endpoint, dict[str, Any]]:
        """Return where the Kubernetes API is, and a patch that says so once."""
        endpoint = spec.control_plane_endpoint
        if endpoint.is_set:
            return endpoint, {}
        name = spec.network.load_balancer.name or names.load_balancer(
            self.metadata["name"], self.uid
        )
        found = report.world.places.get((LoadBalancer.KIND, name))
        if isinstance(found, LoadBalancer) and found.dns_name and found.is_ready:
            host, port = found.dns_name, spec.network.load_balancer.listener.port
            endpoint = v1beta2.Endpoint(host=host, port=port)
            return endpoint, {"controlPlaneEndpoint": {"host": host, "port": port}}
        return endpoint, {}

    def _still_going(self, report: act.Report) -> Outcome:
        told = self._with_conditions(conditions.deleting(telling.left(report)))
        return Outcome(
            status=telling.status(told, report),
            events=telling.events(report),
            again_s=telling.again_s(report),
            retry=any(not each.is_wait for each in report.failures),
        )

    def _refused(self, type_: str, reason: str, message: str, *, is_ours: bool = True) -> Outcome:
        status = "False" if is_ours else "Unknown"
        part = conditions.Condition(type_, status, reason, message)
        ready = conditions.summary([part])
        event = Event("Warning", reason, message)
        kept = [] if self.is_going else conditions.calm()
        return Outcome(
            status=self._with_conditions([ready, part, *kept], keep=self.is_going),
            events=(event,),
            retry=True,
        )

    def _with_conditions(
        self, new: list[conditions.Condition], *, keep: bool = False
    ) -> dict[str, Any]:
        """Return the status with these conditions, beside the others with ``keep``."""
        old = list(self.status.get("conditions") or ())
        generation = self.metadata.get("generation", 1)
        rows = conditions.merge(old, new, generation, self.clock.now())
        if keep:
            fresh = {each["type"] for each in rows}
            rows = [*rows, *(each for each in old if each["type"] not in fresh)]
        return {**self.status, "conditions": rows}


def _subregions(network: v1beta2.Network, region: str) -> tuple[str, ...]:
    named = tuple(dict.fromkeys(network.subregions))
    given = tuple(dict.fromkeys(each.subregion for each in network.subnets if each.subregion))
    return named or given or (f"{region}a",)


def _failure_domains(seen: world.World, spec: v1beta2.OscClusterSpec) -> list[dict[str, Any]]:
    """Return the subregions in which control planes, or at least workers, can be put."""
    roles = {each.resource_id: set(each.roles) for each in spec.network.subnets}
    domains: dict[str, bool] = {}
    for each in seen.of(Subnet.KIND):
        assert isinstance(each, Subnet)
        has = each.roles | roles.get(each.id, set())
        if has & {names.CONTROL_PLANE, names.WORKER}:
            holds = names.CONTROL_PLANE in has
            domains[each.subregion] = domains.get(each.subregion, False) or holds
    return [{"name": name, "controlPlane": holds} for name, holds in sorted(domains.items())]
