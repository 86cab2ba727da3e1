"""OscMachine: from the objects of a machine, and what is in its cloud, to what is written.

A machine has one VM for life. Once that is lost, the machine says so, and a new Machine is needed:
a MachineHealthCheck sees to that.

https://cluster-api.sigs.k8s.io/developer/providers/contracts/infra-machine
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

from provider import account, conditions, looking, machine_blueprint, machine_lost, telling
from provider.clock import Clock
from provider.engine import act, intents, world
from provider.engine.resource import Refusal, Resource
from provider.osc import cloud as clouds_
from provider.osc import credentials, errors, sharing
from provider.outcome import Event, Outcome
from provider.reasons import Reason
from provider.resources import machine_groups, machine_site
from provider.resources.machine_scope import MachineScope
from provider.resources.machine_vm import MachineVm
from provider.rules import names

GROUPS = "SecurityGroupsReady"
"""The condition that tells why a VM has other security groups than it should."""

_CALM = "calm"

Record = Callable[[dict[str, Any]], None]
Memory = MutableMapping[str, Any]


def reconcile(
    objects: machine_blueprint.MachineObjects,
    clouds: clouds_.SharedClouds,
    clock: Clock,
    chance: random.Random,
    record: Record,
    memory: Memory | None = None,
) -> Outcome:
    """Bring the cloud closer to what an OscMachine asks for.

    ``record`` keeps a status before anything is created that could be lost. ``memory`` lets Reads
    be shared with other machines: without it, the outcome is the same.
    """
    return _Pass(objects, clouds, clock, chance, record, memory).run()


class _Pass:
    def __init__(
        self,
        objects: machine_blueprint.MachineObjects,
        clouds: clouds_.SharedClouds,
        clock: Clock,
        chance: random.Random,
        record: Record,
        memory: Memory | None,
    ) -> None:
        self.objects = objects
        self.clouds = clouds
        self.clock = clock
        self.chance = chance
        self.record = record
        self.memory = memory
        self.blueprint = machine_blueprint.Blueprint(objects)
        self.metadata = objects.osc_machine["metadata"]
        self.status: Mapping[str, Any] = objects.osc_machine.get("status") or {}
        self.is_going = self.blueprint.is_going
        self.finalizers = list(self.metadata.get("finalizers") or ())
        self.notes: list[Event] = []
        self.waits: list[conditions.Condition] = []

    def run(self) -> Outcome:
        if conditions.is_externally_managed(self.metadata):
            return Outcome()
        paused = conditions.paused("OscMachine", self.objects.cluster, self.metadata)
        if paused.status == "True":
            return Outcome(status=self._with_conditions([paused], keep=True))
        if self.is_going:
            return self._going()
        if self.objects.machine is None or self.objects.cluster is None:
            return self._alone()
        waiting = self.blueprint.waits_for_cluster
        if not self.blueprint.uid:
            return self._waits(Reason.WAITING_FOR_CLUSTER, waiting)
        if names.MACHINE_FINALIZER not in self.finalizers or not self.blueprint.kept_uid:
            return self._adopt()
        if not self.blueprint.known_vm:
            if waiting:
                return self._waits(Reason.WAITING_FOR_CLUSTER, waiting)
            if not self.objects.bootstrap:
                return self._waits(*self._for_bootstrap())
        return self._act()

    # --- Gates -----------------------------------------------------------------------------------

    def _alone(self) -> Outcome:
        if telling.is_new(self.metadata, self.clock.now()):
            return Outcome(again_s=telling.OWNED_S)
        why = telling.alone("OscMachine", "Machine", self.metadata, self.objects.machine)
        return Outcome(status=self._with_conditions(conditions.alone(why), keep=True))

    def _adopt(self) -> Outcome:
        """Keep the finalizer and the uid of the cluster before anything is created under them.

        The uid is kept because the OscCluster may be gone when the machine goes.
        """
        others = [each for each in self.finalizers if each != names.MACHINE_FINALIZER]
        patch = {
            "finalizers": [*others, names.MACHINE_FINALIZER],
            "labels": {names.CLUSTER_UID_LABEL: self.blueprint.uid},
        }
        return Outcome(metadata=patch, again_s=0)

    def _for_bootstrap(self) -> tuple[Reason, str]:
        bootstrap = (self.objects.machine or {}).get("spec", {}).get("bootstrap") or {}
        name = bootstrap.get("dataSecretName")
        what = f"the Secret {name}" if name else "the Machine to have bootstrap data"
        return Reason.WAITING_FOR_BOOTSTRAP, f"Waiting for {what}"

    def _waits(self, reason: Reason, message: str) -> Outcome:
        part = conditions.Condition(MachineVm.CONDITION, "Unknown", reason, message)
        ready = conditions.summary([part])
        return Outcome(status=self._with_conditions([ready, part, *conditions.calm()]))

    def _going(self) -> Outcome:
        if names.MACHINE_FINALIZER not in self.finalizers:
            return Outcome()
        if self.objects.elder is not None:
            return self._gone(telling.untouched("OscMachine", self.objects.elder))
        if not self.blueprint.uid and not self.blueprint.known_vm:
            # Nothing is created before the uid of the cluster is known.
            return self._gone()
        return self._act()

    def _gone(self, message: str = telling.ALL_GONE) -> Outcome:
        left = [each for each in self.finalizers if each != names.MACHINE_FINALIZER]
        return Outcome(
            metadata={"finalizers": left}, events=(Event("Normal", Reason.DELETED, message),)
        )

    # --- With the cloud --------------------------------------------------------------------------

    def _act(self) -> Outcome:
        try:
            return self._delete() if self.is_going else self._bring()
        except credentials.CredentialsError as error:
            return self._refused("CredentialsReady", Reason.CREDENTIALS_MISSING, str(error))
        except Refusal as refusal:
            return self._refused("SpecReady", Reason.REFUSED, str(refusal))
        except looking.LateError as late:
            waiting = self._refused("CloudReady", Reason.WAITING, str(late), is_ours=False)
            return dataclasses.replace(waiting, events=(), retry=False, again_s=looking.AGAIN_S)
        except errors.ApiError as error:
            reason = conditions.CAUSES[error.cause]
            return self._refused("CloudReady", reason, str(error), is_ours=False)

    def _cloud(self, scope: MachineScope) -> clouds_.Cloud:
        if self.memory is None:
            return self.clouds.workload()
        cloud, reads = self.clouds.shared()
        return sharing.SharingSites(
            cloud,
            reads,
            self.clock,
            self.memory,
            owner="=".join(scope.owner),
            is_calm=self.memory.get(_CALM) == self._version,
        )

    def _delete(self) -> Outcome:
        scope, kinds = self.blueprint.scope(), self.blueprint.kinds()
        cloud = self._cloud(scope)
        open_intents = intents.load(self.status)
        seen = world.snapshot(cloud, scope, kinds)
        machine_lost.expect(kinds, self.status, seen, self.memory, self.clock)
        seen.rebind()
        actor = act.Actor(cloud, scope, kinds, self._record, self.clock)
        report = actor.run([], seen, open_intents, going=True)
        ours = [
            each
            for each in report.world.all()
            if each.is_managed and not (each.KIND == MachineVm.KIND and each.state == "terminated")
        ]
        if not ours and not report.intents and not report.failures:
            if _vm(seen) is None and (known := self.blueprint.known_vm):
                account.check(self.objects.osc_cluster, cloud)
                machine_lost.check_label(cloud, scope, known)
                if self._is_late(None):
                    part = conditions.deleting(machine_lost.not_shown(known))
                    return Outcome(status=self._with_conditions(part), again_s=looking.AGAIN_S)
            return self._gone()
        told = self._with_conditions(conditions.deleting(telling.left(report)))
        return Outcome(
            status={**telling.status(told, report), **_facts(report.world)},
            events=telling.events(report),
            again_s=telling.again_s(report),
            retry=any(not each.is_wait for each in report.failures),
        )

    def _bring(self) -> Outcome:
        if self.objects.elder is not None:
            raise Refusal(telling.copied("OscMachine", self.objects.elder))
        if self.blueprint.problems:
            raise Refusal("\n".join(self.blueprint.problems))
        scope, kinds = self.blueprint.scope(), self.blueprint.kinds()
        cloud = self._cloud(scope)
        seen = world.snapshot(cloud, scope, kinds)
        machine_lost.expect(kinds, self.status, seen, self.memory, self.clock)
        seen.rebind()
        vm = _vm(seen)
        if vm is None and (known := self.blueprint.known_vm):
            account.check(self.objects.osc_cluster, cloud)
            machine_lost.check_label(cloud, scope, known)
        if lost := self._lost(vm):
            return lost
        report = self._run(cloud, scope, kinds, seen)
        self._remember(is_calm=report.is_converged and not report.done)
        vm = _vm(report.world)
        return self._lost(vm) or self._result(report, vm)

    @property
    def _version(self) -> tuple[object, bool]:
        # Whoever sets an annotation wants a look at what is there now.
        return self.metadata.get("resourceVersion"), self.is_going

    def _remember(self, *, is_calm: bool) -> None:
        """Keep whether nothing was to be done, so that an older answer will do the next time."""
        if self.memory is not None:
            self.memory[_CALM] = self._version if is_calm else None

    def _is_late(self, vm: MachineVm | None) -> bool:
        return machine_lost.may_be_late(vm, self.status, self.memory, self.clock)

    def _lost(self, vm: MachineVm | None) -> Outcome | None:
        """Tell that the VM does not work any more, and will not; None when it does.

        Nothing is done about it: another VM would be another Node under the name of this one.
        """
        known = self.blueprint.known_vm
        if vm is None and (not known or self.blueprint.spec.vm.resource_id):
            return None
        if self._is_late(vm):
            waiting = self._waits(Reason.WAITING, machine_lost.not_shown(known))
            return dataclasses.replace(waiting, again_s=looking.AGAIN_S)
        if (found := machine_lost.why(vm, known)) is None:
            return None
        reason, message = found
        part = conditions.Condition(MachineVm.CONDITION, "False", reason, message)
        rows = [conditions.summary([part]), part, *conditions.calm()]
        status = self._with_conditions(rows)
        state = vm.state if vm is not None else machine_lost.GONE
        return Outcome(
            spec=self._provider_id(vm),
            status={**status, "vmState": state},
            events=(Event("Warning", reason, message),),
            again_s=telling.ALWAYS_S,
        )

    # --- Towards what is wanted ------------------------------------------------------------------

    def _run(
        self,
        cloud: clouds_.Cloud,
        scope: MachineScope,
        kinds: list[type[Resource]],
        seen: world.World,
    ) -> act.Report:
        """Act; when a subregion has no room for a new VM, act again in another one."""
        open_intents = intents.load(self.status)
        vm = _vm(seen)
        if vm is not None or self.blueprint.spec.vm.resource_id:
            desired = self._beside(cloud, vm)
            return act.Actor(cloud, scope, kinds, self._record, self.clock).run(
                desired, seen, open_intents
            )
        self.blueprint.check()
        site, role, spec = self.blueprint.site, self.blueprint.role, self.blueprint.spec.vm
        places = machine_site.subnets(cloud, site, role, spec.subnet_name)
        groups = machine_groups.of_new(cloud, site, role, spec.security_group_names)
        choice = self.blueprint.choice(
            places,
            [*open_intents, *seen.places],
            memory={} if self.memory is None else self.memory,
            clock=self.clock,
            chance=self.chance,
        )
        report = act.Report(seen, intents=open_intents)
        tried: list[str] = []
        for place in choice:
            self.notes += telling.events(report)
            self._keep_place(place)
            launch = self.blueprint.launch(place)
            desired = self.blueprint.desired(None, place.subregion, launch, groups)
            actor = act.Actor(cloud, scope, kinds, self._record, self.clock)
            report = actor.run(desired, report.world, report.intents)
            tried.append(place.subregion)
            if not telling.no_room(report, spec.vm_type, tried):
                break
            choice.exhausted(place)
        return report

    def _beside(self, cloud: clouds_.Cloud, vm: MachineVm | None) -> list[Resource]:
        """Return what is wanted beside a VM, which keeps its groups until it is clear which."""
        if vm is None:
            return self.blueprint.desired(None, "", None, frozenset())
        groups = vm.security_groups
        if vm.is_managed and self.objects.osc_cluster is not None:
            site, role = self.blueprint.site, self.blueprint.role
            wanted = self.blueprint.spec.vm.security_group_names
            try:
                groups = machine_groups.of_running(cloud, site, role, wanted, groups)
            except Refusal as refusal:
                # It works as it is: nothing here is worth a machine, which False may cost it.
                self.waits.append(
                    conditions.Condition(GROUPS, "Unknown", Reason.WAITING, str(refusal))
                )
        return self.blueprint.desired(vm, vm.subregion, None, groups)

    def _keep_place(self, place: machine_site.Subnet) -> None:
        """Keep the choice before anything is created there, for siblings and for later passes."""
        if self.status.get("failureDomain") != place.subregion:
            self.status = {**self.status, "failureDomain": place.subregion}
            self.record(dict(self.status))

    def _record(self, open_intents: intents.Intents) -> None:
        self.record({**self.status, "intents": intents.dump(open_intents)})

    # --- What is told ----------------------------------------------------------------------------

    def _result(self, report: act.Report, vm: MachineVm | None) -> Outcome:
        types = [each.CONDITION for each in report.world.all()]
        types += [each.target.CONDITION for each in report.left]
        types += [each.condition for each in report.failures]
        parts = [*conditions.of_kinds(report, types), *self.waits]
        ready = conditions.summary(parts, is_alive=vm is not None and self._is_provisioned)
        told = self._with_conditions([ready, *parts, *conditions.calm()])
        status = {**telling.status(told, report), **_facts(report.world)}
        if self._is_provisioned or ready.status == "True":
            status["initialization"] = {"provisioned": True}
        again_s = telling.again_s(report)
        if any(step.target.KIND == MachineVm.KIND for step in report.done):
            # What has become of it, such as its addresses, is seen at the next look.
            again_s = min(again_s, MachineVm.POLL_S)
        return Outcome(
            spec=self._provider_id(vm),
            status=status,
            events=(*self.notes, *telling.events(report)),
            again_s=again_s,
            retry=bool(report.failures),
        )

    @property
    def _is_provisioned(self) -> bool:
        return bool((self.status.get("initialization") or {}).get("provisioned"))

    def _provider_id(self, vm: MachineVm | None) -> dict[str, Any]:
        """Return a patch with the provider id of the VM; once it is set, it stays."""
        if vm is None or self.blueprint.spec.provider_id:
            return {}
        return {"providerID": names.provider_id(vm.subregion, vm.id)}

    def _refused(
        self, type_: str, reason: Reason, message: str, *, is_ours: bool = True
    ) -> Outcome:
        part = conditions.Condition(type_, "False" if is_ours else "Unknown", reason, message)
        # What cannot be asked may work as well as ever.
        has_vm = self._is_provisioned or bool(self.blueprint.known_vm)
        ready = conditions.summary([part], is_alive=has_vm and not self.is_going)
        old = list(self.status.get("conditions") or ())
        others = conditions.refused(old, message, going=self.is_going)
        return Outcome(
            status=self._with_conditions([ready, part, *others], keep=self.is_going),
            events=(*self.notes, Event("Warning", reason, message)),
            retry=True,
        )

    def _with_conditions(
        self, new: list[conditions.Condition], *, keep: bool = False
    ) -> dict[str, Any]:
        return conditions.stored(self.status, self.metadata, new, self.clock.now(), keep=keep)


def _vm(seen: world.World) -> MachineVm | None:
    found = seen.places.get((MachineVm.KIND, "default"))
    return found if isinstance(found, MachineVm) else None


def _facts(seen: world.World) -> dict[str, Any]:
    vm = _vm(seen)
    return {} if vm is None else vm.facts()
