"""What the manager decides with: the reconcile functions and the webhooks of the provider."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

from provider import admission, cluster, machine, machine_blueprint, machine_template
from provider.api import conversion
from provider.clock import Clock
from provider.kube import auth, kinds
from provider.manager import process, web
from provider.manager.gather import Seen
from provider.manager.metrics import Metrics
from provider.manager.options import Options
from provider.manager.reconciler import Decide, Tools
from provider.osc import pool, shared, sharing
from provider.outcome import Outcome


def _cluster(seen: Seen, tools: Tools) -> Outcome:
    objects = cluster.ClusterObjects(seen.primary, seen.cluster, seen.osc_machines, seen.elder)
    return cluster.reconcile(objects, tools.clouds, tools.clock, tools.record, tools.memory)


def _machine(seen: Seen, tools: Tools) -> Outcome:
    objects = machine_blueprint.MachineObjects(
        osc_machine=seen.primary,
        machine=seen.machine,
        cluster=seen.cluster,
        osc_cluster=seen.osc_cluster,
        bootstrap=seen.bootstrap,
        siblings=seen.osc_machines,
        elder=seen.elder,
    )
    return machine.reconcile(
        objects, tools.clouds, tools.clock, tools.chance, tools.record, tools.memory
    )


def _machine_template(seen: Seen, tools: Tools) -> Outcome:
    return machine_template.reconcile(seen.primary, tools.clock)


DECIDE: Mapping[str, Decide] = {
    kinds.OSC_CLUSTER.name: _cluster,
    kinds.OSC_MACHINE.name: _machine,
    kinds.OSC_MACHINE_TEMPLATE.name: _machine_template,
}
REVIEWS: Mapping[str, web.Review] = {
    "/convert": conversion.review,
    "/mutate": admission.review,
    "/validate": admission.review,
}


def world(
    source: auth.Source,
    environment: Mapping[str, str],
    clock: Clock,
    chance: random.Random,
    metrics: Metrics,
    learn: Callable[[str], None],
    abort: Callable[[], None],
    chosen: Options,
) -> process.World:
    """Return all that the manager takes from outside."""
    opener = pool.Clients(
        clock,
        chance,
        on_call=metrics.api_call,
        rate_per_s=chosen.calls_per_second,
        calm_age_s=min(shared.KEPT_S, sharing.CALM_PART * chosen.sync_period),
    )
    return process.World(
        source=source,
        opener=opener,
        decide=DECIDE,
        reviews=REVIEWS,
        environment=environment,
        clock=clock,
        chance=chance,
        learn=learn,
        metrics=metrics,
        abort=abort,
    )
