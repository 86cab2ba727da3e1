"""OscCluster: from the objects of a cluster, and what is in its cloud, to what is written.

https://cluster-api.sigs.k8s.io/developer/providers/contracts/infra-cluster
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from typing import Any

from provider import account, blueprint, conditions, looking, telling
from provider.api import v1beta2
from provider.blueprint import KINDS
from provider.clock import Clock
from provider.engine import act, intents, world
from provider.engine import plan as plans
from provider.engine.plan import Step
from provider.engine.resource import Refusal, Resource
from provider.osc import cloud as clouds_
from provider.osc import credentials, errors, metadata, sharing
from provider.outcome import Event, Outcome
from provider.reasons import Reason
from provider.resources import net_peering
from provider.rules import names


@dataclasses.dataclass(frozen=True)
class ClusterObjects:
    """All that one reconcile of an OscCluster may know of Kubernetes."""

    osc_cluster: Mapping[str, Any]
    cluster: Mapping[str, Any] | None
    """The Cluster that owns it, or None when there is none (yet, or any more)."""
    machines: tuple[Mapping[str, Any], ...] = ()
    """The OscMachines of the cluster."""
    elder: Mapping[str, Any] | None = None
    """The OscCluster of which this is a copy: what is in the cloud is that one's."""


Record = Callable[[dict[str, Any]], None]
Memory = MutableMapping[str, Any]


def reconcile(
    objects: ClusterObjects,
    clouds: clouds_.SharedClouds,
    clock: Clock,
    record: Record,
    memory: Memory | None = None,
    here: blueprint.Here = metadata.here,
) -> Outcome:
    """Bring the cloud closer to what an OscCluster asks for.

    ``record`` keeps a status before anything is created that could be lost. ``memory`` only saves
    Reads: without it, the outcome is the same. ``here`` tells where the provider itself runs.
    """
    found = _Pass(objects, clouds, clock, record, {} if memory is None else memory, here)
    if memory is not None:
        found.shared = clouds.shared
    return found.run()


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
    return _Pass(objects, clouds, clock, record, {}, metadata.here).planned(is_new=is_new)


class _Pass:
    def __init__(
        self,
        objects: ClusterObjects,
        clouds: clouds_.Clouds,
        clock: Clock,
        record: Record,
        memory: Memory,
        here: blueprint.Here,
    ) -> None:
        self.objects = objects
        self.clouds = clouds
        self.clock = clock
        self.record = record
        self.memory = memory
        self.here = here
        self.metadata = objects.osc_cluster["metadata"]
        self.status: Mapping[str, Any] = objects.osc_cluster.get("status") or {}
        self.is_going = "deletionTimestamp" in self.metadata
        self.finalizers = list(self.metadata.get("finalizers") or ())
        self.name = names.cluster_of(objects.osc_cluster)
        self.label = (self.metadata.get("labels") or {}).get(names.CLUSTER_UID_LABEL, "")
        self.uid = self.label or _owner_uid(objects)
        self.wanted: list[Resource] = []
        self.shared: Callable[[], tuple[clouds_.Cloud, clouds_.Reads]] | None = None
        of = (self.metadata.get("generation"), self.is_going, self.uid)
        self.last = looking.LastLook(memory, clock, of, self.metadata.get("resourceVersion"))

    def run(self) -> Outcome:
        if conditions.is_externally_managed(self.metadata):
            return Outcome()
        paused = conditions.paused("OscCluster", self.objects.cluster, self.metadata)
        if paused.status == "True":
            self.last.forget()
            return Outcome(status=self._with_conditions([paused], keep=True))
        if self.is_going:
            return self._going()
        if self.objects.cluster is None:
            return self._alone()
        if names.CLUSTER_FINALIZER not in self.finalizers or not self.label:
            return self._adopt()
        return self._act()

    def _alone(self) -> Outcome:
        if telling.is_new(self.metadata, self.clock.now()):
            return Outcome(again_s=telling.OWNED_S)
        why = telling.alone("OscCluster", "Cluster", self.metadata)
        return Outcome(status=self._with_conditions(conditions.alone(why), keep=True))

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
        if self.objects.elder is not None:
            return self._gone(telling.untouched("OscCluster", self.objects.elder))
        if self.objects.machines:
            waiting = _for_machines(self.objects.machines)
            return Outcome(status=self._with_conditions(conditions.deleting(waiting)), again_s=60)
        if not self.uid:
            return self._gone()
        return self._act()

    def _gone(self, message: str = telling.ALL_GONE) -> Outcome:
        left = [each for each in self.finalizers if each != names.CLUSTER_FINALIZER]
        self.last.forget()
        return Outcome(
            metadata={"finalizers": left}, events=(Event("Normal", Reason.DELETED, message),)
        )

    def planned(self, *, is_new: bool) -> tuple[list[Step], list[Resource]]:
        cloud = net_peering.TwoSided(self.clouds)
        spec = None if self.is_going else blueprint.read(self.objects.osc_cluster)
        seen = world.World()
        if not is_new:
            scope = blueprint.scope_of_going(self.uid, self.objects.osc_cluster)
            if spec:
                scope = blueprint.scope(self.uid, self.name, spec)
                self.wanted = self._blueprint(spec, cloud)
            seen = world.snapshot(cloud, scope, KINDS, known=self._known())
            seen.rebind()
        desired = self._desired(spec, cloud, seen) if spec else []
        steps = plans.plan(desired, seen.all(), going=self.is_going)
        return steps, plans.in_order(desired)

    # --- With the cloud --------------------------------------------------------------------------

    def _act(self) -> Outcome:
        try:
            # Deletion never depends on a spec that somebody may have broken.
            return self._away() if self.is_going else self._towards()
        except credentials.CredentialsError as error:
            return self._refused("CredentialsReady", Reason.CREDENTIALS_MISSING, str(error))
        except Refusal as refusal:
            return self._refused("SpecReady", Reason.REFUSED, str(refusal))
        except looking.LateError as late:
            waiting = self._refused("CloudReady", Reason.WAITING, str(late), status="Unknown")
            return dataclasses.replace(waiting, events=(), retry=False, again_s=looking.AGAIN_S)
        except errors.ApiError as error:
            self.last.forget()
            part = conditions.of_error("CloudReady", error)
            return self._refused(part.type, part.reason, part.message, status=part.status)

    def _towards(self) -> Outcome:
        if self.objects.elder is not None:
            raise Refusal(telling.copied("OscCluster", self.objects.elder))
        spec = blueprint.read(self.objects.osc_cluster)
        blueprint.check(spec, self.status)
        scope = blueprint.scope(self.uid, self.name, spec)
        cloud = self._cloud(scope)
        # What cannot be is refused before anything is asked.
        self.wanted = self._blueprint(spec, cloud)
        open_intents = intents.load(self.status)
        seen = self._look(cloud, scope, open_intents)
        if seen.is_new:
            account.check(self.objects.osc_cluster, cloud)
        try:
            return self._bring(spec, cloud, scope, seen, open_intents)
        except intents.NotNewError:
            # The status was lost, or never written.
            return self._bring(spec, cloud, scope, self._look_at_all(cloud, scope), open_intents)

    def _bring(
        self,
        spec: v1beta2.OscClusterSpec,
        cloud: clouds_.Cloud,
        scope: world.Scope,
        seen: world.World,
        open_intents: intents.Intents,
    ) -> Outcome:
        blueprint.check_endpoint(spec, seen, self.name, self.uid)
        before = blueprint.nat_addresses(seen)
        actor = act.Actor(cloud, scope, KINDS, self._record, self.clock)
        report = actor.run(self._desired(spec, cloud, seen), seen, open_intents)
        self.last.keep(report)
        outcome = self._result(report, spec)
        if spec.network.allow_from_ip_ranges and blueprint.nat_addresses(report.world) != before:
            # Rules allow these addresses, and were planned without them.
            return dataclasses.replace(outcome, again_s=0)
        return outcome

    def _away(self) -> Outcome:
        scope = blueprint.scope_of_going(self.uid, self.objects.osc_cluster)
        cloud = self._cloud(scope)
        open_intents = intents.load(self.status)
        seen = self._look(cloud, scope, open_intents)
        actor = act.Actor(cloud, scope, KINDS, self._record, self.clock)
        report = actor.run([], seen, open_intents, going=True)
        self.last.keep(report)
        ours = [each for each in report.world.all() if each.is_managed]
        if ours or report.intents or report.failures:
            return self._still_going(report)
        account.check_label(self.objects.osc_cluster, report.world)
        account.check(self.objects.osc_cluster, cloud)
        return self._gone()

    def _cloud(self, scope: world.Scope) -> clouds_.Cloud:
        if self.shared is None:
            return net_peering.TwoSided(self.clouds)
        near = sharing.Sharing(
            *self.shared(),
            self.clock,
            self.memory,
            owner="=".join(scope.owner),
            is_calm=self.last.is_calm,
        )
        return net_peering.TwoSided(self.clouds, near)

    def _look(
        self, cloud: clouds_.Cloud, scope: world.Scope, open_intents: intents.Intents
    ) -> world.World:
        """Return what is there: all of it, or only what was waited for a moment ago.

        Of whom nothing is known nothing is there, until the first Reads of the pass say otherwise.
        """
        seen = self._look_at_some(cloud, scope)
        if seen is not None:
            world.mark_lost(cloud, scope, seen)
            seen.rebind()
            return seen
        is_known = self.status.get("resources") or open_intents or scope.existing or self.is_going
        return self._look_at_all(cloud, scope) if is_known else world.World(is_new=True)

    def _look_at_all(self, cloud: clouds_.Cloud, scope: world.Scope) -> world.World:
        known = self._known()
        seen = world.snapshot(cloud, scope, KINDS, known=known)
        if not any(each.is_managed for each in seen.all()):
            account.check_label(self.objects.osc_cluster, seen)
            account.check(self.objects.osc_cluster, cloud)
        self.last.expect(KINDS, known, seen)
        world.mark_lost(cloud, scope, seen)
        seen.rebind()
        return seen

    def _look_at_some(self, cloud: clouds_.Cloud, scope: world.Scope) -> world.World | None:
        """Look at what was waited for a moment ago; None when that is not enough."""
        seen = self.last.world
        if seen is None:
            return None
        before = {each.id for each in seen.all()}
        kinds = [kind for kind in KINDS if kind.KIND in self.last.waiting]
        world.snapshot(cloud, scope, kinds, seen, known=self._known())
        if self.is_going:  # What names something went before it.
            return seen
        # What is gone may still be named by what was not looked at.
        return seen if before <= {each.id for each in seen.all()} else None

    def _known(self) -> dict[str, dict[str, str]]:
        resources = self.status.get("resources") or {}
        return blueprint.known(self.objects.osc_cluster, resources, self.wanted)

    def _desired(
        self, spec: v1beta2.OscClusterSpec, cloud: clouds_.Cloud, seen: world.World
    ) -> list[Resource]:
        peer = blueprint.peer(spec.network, self.clouds, seen, self.here)
        return self._blueprint(spec, cloud, seen=seen, peer=peer)

    def _blueprint(
        self, spec: v1beta2.OscClusterSpec, cloud: clouds_.Cloud, **more: Any
    ) -> list[Resource]:
        of, region = self.objects.osc_cluster, cloud.region
        return blueprint.desired(spec, of, uid=self.uid, region=region, **more)

    def _record(self, open_intents: intents.Intents) -> None:
        # Whatever else is written in this pass must not forget them.
        self.status = {**self.status, "intents": intents.dump(open_intents)}
        self.record(dict(self.status))

    # --- What is told ----------------------------------------------------------------------------

    def _result(self, report: act.Report, spec: v1beta2.OscClusterSpec) -> Outcome:
        types = [kind.CONDITION for kind in KINDS if report.world.of(kind.KIND)]
        types += [each.target.CONDITION for each in report.left]
        types += [each.condition for each in report.failures]
        parts = conditions.of_kinds(report, types)
        parts = conditions.overdue(parts, report, self._old, self.clock.now())
        endpoint = blueprint.endpoint(report.world, spec, self.name, self.uid)
        if not endpoint.is_set and report.is_converged:
            parts.append(blueprint.NO_ENDPOINT)
        done = self._is_provisioned or conditions.summary(parts).status == "True"
        # The machines of a cluster whose endpoint is lost are there, and may be moved and deleted.
        lost = blueprint.lost_endpoint(report.world, spec, self.name, self.uid)
        parts = conditions.over(parts, lost)
        ready = conditions.summary(parts)
        told = self._with_conditions([ready, *parts, *conditions.calm()])
        status = telling.status(told, report, only_ours=True)
        status["vmState"] = blueprint.bastion_state(report.world)
        if done:
            status["initialization"] = {"provisioned": True}
            status["failureDomains"] = blueprint.failure_domains(report.world, spec)
        is_news = endpoint.is_set and endpoint != spec.control_plane_endpoint
        return Outcome(
            metadata=account.note(self.metadata, report.world),
            spec={"controlPlaneEndpoint": endpoint.model_dump()} if is_news else {},
            status={key: value for key, value in status.items() if key != "vmState" or value},
            events=(*telling.events(report), *conditions.news(self._old, lost)),
            again_s=telling.again_s(report),
            retry=bool(report.failures),
        )

    @property
    def _is_provisioned(self) -> bool:
        return bool(self.status.get("initialization", {}).get("provisioned"))

    def _still_going(self, report: act.Report) -> Outcome:
        told = self._with_conditions(conditions.deleting(telling.left(report)))
        return Outcome(
            status=telling.status(told, report, only_ours=True),
            events=telling.events(report),
            again_s=telling.again_s(report),
            retry=any(not each.is_wait for each in report.failures),
        )

    def _refused(
        self, type_: str, reason: Reason, message: str, *, status: str = "False"
    ) -> Outcome:
        part = conditions.Condition(type_, status, reason, message)
        told = [
            conditions.summary([part]),
            part,
            *conditions.refused(self._old, message, going=self.is_going),
        ]
        return Outcome(
            status=self._with_conditions(told, keep=True),
            events=(Event("Warning", reason, message),),
            retry=True,
        )

    @property
    def _old(self) -> list[Mapping[str, Any]]:
        return list(self.status.get("conditions") or ())

    def _with_conditions(
        self, new: list[conditions.Condition], *, keep: bool = False
    ) -> dict[str, Any]:
        return conditions.stored(self.status, self.metadata, new, self.clock.now(), keep=keep)


def _for_machines(machines: Sequence[Mapping[str, Any]]) -> str:
    """Return what a cluster that goes waits for: without it, nobody knew their credentials."""
    going = [each for each in machines if "deletionTimestamp" in each["metadata"]]
    found = sorted(each["metadata"]["name"] for each in machines)
    some = ", ".join(found[:5]) + (", ..." if len(found) > 5 else "")
    waiting = f"Waiting for {len(found)} OscMachines to be deleted: {some}"
    if stay := len(found) - len(going):
        waiting += f". {stay} of them are to stay so far. Delete the Cluster, or these Machines"
    return waiting


def _owner_uid(objects: ClusterObjects) -> str:
    """Return the uid of the Cluster, which may be gone; nothing when there never was one."""
    if objects.cluster is not None:
        return str(objects.cluster["metadata"]["uid"])
    found = names.owners(objects.osc_cluster["metadata"], "Cluster")
    return str(found[0]["uid"]) if found else ""
