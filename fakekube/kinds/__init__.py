"""The built-in resources: what the tables say about them, and what is done with their objects.

Names, verbs and columns are those of a real kube-apiserver (``resources.json``, which
``python -m fakekube.generate`` writes); the logic of the kinds is in the modules beside.
"""

from __future__ import annotations

import functools
import pathlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import msgspec

from fakekube import builtin, crd, names
from fakekube.builtin import normal
from fakekube.kinds import (
    autoscaling,
    checks,
    config,
    pod_changes,
    pod_checks,
    pods,
    policy,
    services,
    storage,
    typed,
    webhooks,
    workload_checks,
    workloads,
)
from fakekube.resource import Column, Resource, Scale, Strategy
from fakekube.status import Cause

Json = Any
Object = dict[str, Any]

VERBS: Final = {
    "c": "create",
    "d": "delete",
    "D": "deletecollection",
    "g": "get",
    "l": "list",
    "p": "patch",
    "u": "update",
    "w": "watch",
}
EVENTS_S: Final = 3600
EVENTS: Final = ("", "events")
AUTOSCALERS: Final = ("autoscaling", "horizontalpodautoscalers")


@dataclass(frozen=True)
class Subresource:
    """What discovery says about a subresource: the kind of its body, and its verbs."""

    group: str
    version: str
    kind: str
    verbs: tuple[str, ...]


@dataclass(frozen=True)
class Kind:
    """The logic of a resource; what is left out is as most kinds have it."""

    default: Callable[[Object], None] | None = None
    create: Callable[[Object], None] | None = None
    update: Callable[[Object, Object], None] | None = None
    status: Callable[[Object, Object], None] | None = None
    check: Callable[[Object, Object | None], list[Cause]] | None = None
    name: Callable[[str], list[str]] | None = None
    grace_s: Callable[[Object, int | None], int] | None = None
    counts: bool = False
    """Whether ``metadata.generation`` counts changes."""
    more: Mapping[str, Any] = field(default_factory=dict)
    """More fields of ``Resource``."""


def _check_pod(new: Object, old: Object | None) -> list[Cause]:
    found = checks.Checks()
    pod_checks.check_spec(found, "spec", new["spec"])
    if old is not None:
        pod_changes.check_change(found, new["spec"], old["spec"])
    return found.found


def _check_template(new: Object, _: Object | None) -> list[Cause]:
    found = checks.Checks()
    workload_checks.check_template(found, "template", new.get("template") or {})
    return found.found


def _fields(*paths: str) -> Mapping[str, Callable[[Object], str]]:
    return {path: functools.partial(_field, tuple(path.split("."))) for path in paths}


def _field(path: tuple[str, ...], obj: Object) -> str:
    found = checks.at(obj, *path)
    if found is None:
        # A boolean that is left out is false; of all others, nothing is the empty text.
        return "false" if path[-1] in {"unschedulable", "hostNetwork"} else ""
    return str(found).lower() if isinstance(found, bool) else str(found)


def _event_fields(about: str, by: str) -> Mapping[str, Callable[[Object], str]]:
    parts = ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
    found = dict(_fields(*(f"{about}.{part}" for part in parts), "reason", "type", by))
    if about == "involvedObject":
        found["source"] = lambda obj: checks.at(obj, "source", "component") or obj.get(by, "")
    return found


POD_FIELDS: Final = _fields(
    *("spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName"),
    *("spec.hostNetwork", "status.phase", "status.podIP", "status.nominatedNodeName"),
)
RETURNS: Final[Mapping[str, Any]] = {"returns_deleted": True}
CREATES: Final[Mapping[str, Any]] = {"creates_on_update": True}
GUARDED: Final[Mapping[str, Any]] = {"unconditional_update": False}
SCALES: Final[Mapping[str, Any]] = {"scale": Scale(selector_path=".spec.selector")}
ROLE: Final = Kind(
    policy.default_role, check=policy.check_role, name=names.path_segment, more=CREATES
)
BINDING: Final = Kind(
    policy.default_binding, check=policy.check_binding, name=names.path_segment, more=CREATES
)
WEBHOOKS: Final = Kind(
    webhooks.default_webhooks, check=webhooks.check_webhooks, counts=True, more=GUARDED
)

KINDS: Final[Mapping[str, Kind]] = {
    "/configmaps": Kind(check=config.check_config_map),
    "/endpoints": Kind(services.default_endpoints, check=services.check_endpoints, more=CREATES),
    "/events": Kind(
        check=config.check_event,
        more={**CREATES, "ttl_s": EVENTS_S, "convert": config.convert_event, "versions": ("v1",),
              "selectable": _event_fields("involvedObject", "reportingComponent")},
    ),
    "/limitranges": Kind(check=config.check_limit_range, more=CREATES),
    "/namespaces": Kind(
        config.default_namespace, config.prepare_namespace, config.prepare_namespace_update,
        check=config.check_namespace, name=config.namespace_name,
        more={**RETURNS, "selectable": _fields("status.phase")},
    ),
    "/nodes": Kind(
        config.default_node, config.prepare_node, check=config.check_node,
        more={"selectable": _fields("spec.unschedulable")},
    ),
    "/persistentvolumeclaims": Kind(
        storage.default_claim, storage.prepare_claim, check=storage.check_claim, more=RETURNS
    ),
    "/persistentvolumes": Kind(
        storage.default_volume, storage.prepare_volume, status=storage.prepare_volume_status,
        check=storage.check_volume, more=RETURNS,
    ),
    "/pods": Kind(
        pods.default_pod, pods.prepare_create, status=pods.prepare_status, check=_check_pod,
        grace_s=pods.grace_s, counts=True,
        more={**RETURNS, "selectable": POD_FIELDS},
    ),
    "/resourcequotas": Kind(config.default_quota, check=config.check_quota, more=RETURNS),
    "/secrets": Kind(
        config.default_secret, check=config.check_secret, more={"selectable": _fields("type")}
    ),
    "/serviceaccounts": Kind(more=RETURNS),
    "/services": Kind(
        services.default_service, services.prepare_create, services.prepare_update,
        check=services.check_service, name=checks.dns_1035,
        more={**RETURNS, **CREATES, "selectable": _fields("spec.clusterIP", "spec.type")},
    ),
    "events.k8s.io/events": Kind(
        check=config.check_new_event,
        more={**CREATES, "ttl_s": EVENTS_S, "convert": config.convert_event, "stored_as": EVENTS,
              "storage_version": "v1",
              "selectable": _event_fields("regarding", "reportingController")},
    ),
    "apps/controllerrevisions": Kind(check=config.check_revision),
    "apps/daemonsets": Kind(
        workloads.default_daemon_set, workloads.prepare_daemon_set,
        workloads.prepare_daemon_set_update, check=workload_checks.check_daemon_set, counts=True,
    ),
    "apps/deployments": Kind(
        workloads.default_deployment, status=workloads.prepare_deployment_status,
        check=workload_checks.check_deployment, counts=True, more=SCALES,
    ),
    "apps/replicasets": Kind(
        workloads.default_replica_set, check=workload_checks.check_replica_set, counts=True,
        more={**SCALES, "selectable": _fields("status.replicas")},
    ),
    "apps/statefulsets": Kind(
        workloads.default_stateful_set, check=workload_checks.check_stateful_set, counts=True,
        more=SCALES,
    ),
    "autoscaling/horizontalpodautoscalers": Kind(
        workloads.default_autoscaler, check=workload_checks.check_autoscaler
    ),
    "batch/cronjobs": Kind(
        workloads.default_cron_job, check=workload_checks.check_cron_job, counts=True
    ),
    "batch/jobs": Kind(
        workloads.default_job, workloads.prepare_job, check=workload_checks.check_job, counts=True
    ),
    "certificates.k8s.io/certificatesigningrequests": Kind(
        update=policy.keep_signing_spec, check=policy.check_signing,
        more={"selectable": _fields("spec.signerName")},
    ),
    "coordination.k8s.io/leases": Kind(
        check=config.check_lease, more={**GUARDED, **CREATES}
    ),
    "discovery.k8s.io/endpointslices": Kind(
        services.default_slice, check=services.check_slice, counts=True
    ),
    "networking.k8s.io/ingresses": Kind(check=services.check_ingress, counts=True),
    "networking.k8s.io/ingressclasses": Kind(check=services.check_ingress_class, counts=True),
    "networking.k8s.io/networkpolicies": Kind(
        services.default_policy, check=services.check_policy, counts=True
    ),
    "node.k8s.io/runtimeclasses": Kind(check=policy.check_runtime, more={**GUARDED, **CREATES}),
    "policy/poddisruptionbudgets": Kind(check=policy.check_budget, counts=True, more=GUARDED),
    "rbac.authorization.k8s.io/clusterrolebindings": BINDING,
    "rbac.authorization.k8s.io/clusterroles": ROLE,
    "rbac.authorization.k8s.io/rolebindings": BINDING,
    "rbac.authorization.k8s.io/roles": ROLE,
    "scheduling.k8s.io/priorityclasses": Kind(
        policy.default_priority, check=policy.check_priority, counts=True
    ),
    "storage.k8s.io/csidrivers": Kind(
        storage.default_driver, check=storage.check_driver, more={**RETURNS, **GUARDED}
    ),
    "storage.k8s.io/csinodes": Kind(check=storage.check_csi_node, more={**RETURNS, **GUARDED}),
    "storage.k8s.io/csistoragecapacities": Kind(more=GUARDED),
    "storage.k8s.io/storageclasses": Kind(
        storage.default_class, check=storage.check_class, more=RETURNS
    ),
    "storage.k8s.io/volumeattributesclasses": Kind(more=RETURNS),
    "storage.k8s.io/volumeattachments": Kind(
        check=storage.check_attachment, more={**RETURNS, **GUARDED}
    ),
    "admissionregistration.k8s.io/mutatingwebhookconfigurations": WEBHOOKS,
    "admissionregistration.k8s.io/validatingwebhookconfigurations": WEBHOOKS,
    "admissionregistration.k8s.io/validatingadmissionpolicies": Kind(
        webhooks.default_policy, check=webhooks.check_policy, counts=True, more=GUARDED
    ),
    "admissionregistration.k8s.io/validatingadmissionpolicybindings": Kind(
        webhooks.default_policy_binding, check=webhooks.check_policy_binding, counts=True,
        more=GUARDED,
    ),
    "apiextensions.k8s.io/customresourcedefinitions": Kind(counts=True, more=GUARDED),
}  # fmt: skip


@functools.cache
def rows() -> list[tuple[str, str, list[Json]]]:
    """Return group, version and rows of the table, in the order of discovery."""
    path = pathlib.Path(__file__).parent / "resources.json"
    return [
        (group, version, each) for group, version, each in msgspec.json.decode(path.read_bytes())
    ]


def subresources(row: Json) -> dict[str, Subresource]:
    """Return the subresources of a row."""
    return {
        name: Subresource(group, version, kind, verbs(letters))
        for name, (group, version, kind, letters) in row[6].items()
    }


def verbs(letters: str) -> tuple[str, ...]:
    """Return the verbs that are written in letters."""
    return tuple(VERBS[letter] for letter in letters if letter != "N")


@functools.cache
def find_row(group: str, version: str, plural: str) -> Json:
    """Return the row of a resource; None if it is not built in."""
    for a_group, a_version, found in rows():
        if (a_group, a_version) == (group, version):
            for row in found:
                if row[0] == plural:
                    return row
    return None


@functools.cache
def resources() -> tuple[Resource, ...]:
    """Return all built-in resources, in the order of discovery."""
    return tuple(
        _resource(group, version, row) for group, version, found in rows() for row in found
    )


def _resource(group: str, version: str, row: Json) -> Resource:
    plural, singular, kind, letters, short, categories, parts, columns = row
    found = KINDS.get(f"{group}/{plural}", Kind())
    more = dict(found.more)
    if (group, plural) == AUTOSCALERS:
        more |= {"storage_version": "v2", "versions": ("v2", "v1"), "convert": autoscaling.convert}
    api_version = f"{group}/{version}" if group else version
    default = found.default
    if (group, plural, version) == (*AUTOSCALERS, "v1"):
        default = autoscaling.default
    strategy = Strategy(
        default=default,
        prepare_create=_preparer(found.create, api_version, kind, resets="status" in parts),
        prepare_update=found.update,
        prepare_status=found.status,
        validate=found.check,
        grace_s=found.grace_s,
        name=found.name,
        unknown=functools.partial(typed.decode, api_version=api_version, kind=kind),
    )
    if plural == "customresourcedefinitions":
        strategy = replace(crd.STRATEGY, unknown=strategy.unknown)
    return Resource(
        group, version, plural, kind, singular,
        namespaced=letters.startswith("N"),
        short_names=tuple(short),
        categories=tuple(categories),
        verbs=verbs(letters),
        subresources=frozenset(parts),
        columns=tuple(Column(name, type_, "", form, "", priority)
                      for name, type_, form, priority in columns),
        has_generation=found.counts,
        strategy=strategy,
        **({"storage_version": version, "versions": (version,)} | more),
    )  # fmt: skip


def _preparer(
    own: Callable[[Object], None] | None, api_version: str, kind: str, *, resets: bool
) -> Callable[[Object], None] | None:
    # What a kubelet reports when it registers its node is taken at once.
    if not resets or kind == "Node":
        return own

    def prepare(obj: Object) -> None:
        field = builtin.struct(builtin.name_of(api_version, kind)).fields["status"]
        if field.mode in {"+", "-"}:
            obj["status"] = normal.zero(field.kind)
        else:
            obj.pop("status", None)
        if own is not None:
            own(obj)

    return prepare
