"""The admission webhook: what of a write is wrong, and what is filled in. Pure.

One function answers both kinds of webhook: the API server uses the patch of a mutating webhook
only, and the verdict of either. Only what the definitions cannot say is decided here.
"""

from __future__ import annotations

import base64
import dataclasses
import json
from collections.abc import Iterator
from typing import Any

import pydantic

from provider.api import common, conversion, mapping, v1beta1, v1beta2
from provider.problem import Problem
from provider.rules import names, validation, validation_change, validation_metadata

Json = Any

DRY_RUN = "topology.cluster.x-k8s.io/dry-run"
"""The annotation with which Cluster API asks what a change of a template would come to."""
CONTROL_PLANE = "cluster.x-k8s.io/control-plane"
"""The label that Cluster API gives to machines of a control plane."""

WARNING_MAX = 250
"""The API server cuts longer warnings."""

MODELS: dict[str, type[common.Object]] = {
    "OscCluster": v1beta2.OscCluster,
    "OscClusterTemplate": v1beta2.OscClusterTemplate,
    "OscMachine": v1beta2.OscMachine,
    "OscMachineTemplate": v1beta2.OscMachineTemplate,
    "OscClusterIdentity": v1beta2.OscClusterIdentity,
}


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What is said about a write; without problems, it is let through."""

    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    patch: tuple[dict[str, Json], ...] = ()
    """A JSON patch of the object as it was sent."""


def review(request: dict[str, Json]) -> dict[str, Json]:
    """Answer an AdmissionReview.

    What cannot be read is let through: either it is none of ours, or the schema refuses it, and
    says more exactly why.
    """
    asked = request.get("request") or {}
    try:
        verdict = judge(asked)
    except (conversion.Unconvertible, pydantic.ValidationError, TypeError, AttributeError):
        verdict = Verdict()
    response: dict[str, Json] = {"uid": asked.get("uid", ""), "allowed": not verdict.problems}
    if verdict.problems:
        response["status"] = _status(asked, verdict.problems)
    elif verdict.patch:
        text = json.dumps(verdict.patch).encode()
        response |= {"patchType": "JSONPatch", "patch": base64.b64encode(text).decode()}
    if verdict.warnings:
        response["warnings"] = [str(each)[:WARNING_MAX] for each in verdict.warnings]
    return {
        "apiVersion": request.get("apiVersion", "admission.k8s.io/v1"),
        "kind": "AdmissionReview",
        "response": response,
    }


def _status(asked: dict[str, Json], problems: tuple[Problem, ...]) -> dict[str, Json]:
    obj = asked.get("object") or {}
    kind, name = obj.get("kind"), mapping.dig(obj, ("metadata", "name")) or "(unnamed)"
    lines = [f"{kind} {name} cannot be accepted:", *(f"  {each}" for each in problems)]
    return {
        "status": "Failure",
        "code": 422,
        "reason": "Invalid",
        "message": "\n".join(lines),
        "details": {
            "group": common.GROUP,
            "kind": kind,
            "name": name,
            "causes": [
                {"reason": "FieldValueInvalid", "field": each.path, "message": each.message}
                for each in problems
            ],
        },
    }


def judge(asked: dict[str, Json]) -> Verdict:
    """Return what is said about the write of an admission request.

    Deletions are always let through, and so is any write to an object that is being deleted, or
    that leaves the spec as it is: finalizers have to come off, however odd a spec is. Of an update
    only that is said which was not wrong before.
    """
    sent = asked.get("object") or {}
    if asked.get("operation") not in ("CREATE", "UPDATE") or asked.get("subResource"):
        return Verdict()
    if sent.get("kind") not in MODELS or mapping.dig(sent, ("metadata", "deletionTimestamp")):
        return Verdict()
    new = conversion.convert(sent, v1beta2.API_VERSION)
    old = None
    if asked["operation"] == "UPDATE":
        old = conversion.convert(asked.get("oldObject") or {}, v1beta2.API_VERSION)
        if old.get("spec") == new.get("spec"):
            return Verdict()
    model = MODELS[new["kind"]]
    now = model.model_validate(new)
    problems, warnings = _of_spec(now)
    patch = () if old else _defaults(new, sent)
    if old is not None:
        before = model.model_validate(old)
        stale, heard = _of_spec(before)
        problems = [each for each in problems if each not in stale]
        warnings = [each for each in warnings if each not in heard]
        problems += _of_change(before, now, is_dry_run=_is_dry_run(asked))
    is_old = sent.get("apiVersion") == v1beta1.API_VERSION
    return Verdict(
        tuple(_renamed(new["kind"], problems) if is_old else problems),
        tuple(_renamed(new["kind"], warnings) if is_old else warnings),
        patch,
    )


def _renamed(kind: str, problems: list[Problem]) -> Iterator[Problem]:
    """Name fields as the version does in which the object was sent."""
    for each in problems:
        yield Problem(mapping.old_path(kind, each.path), each.message)


# --- What is wrong -------------------------------------------------------------------------------


def _of_spec(obj: common.Object) -> tuple[list[Problem], list[Problem]]:
    """Return the problems and the warnings of a spec."""
    match obj:
        case v1beta2.OscClusterTemplate() | v1beta2.OscMachineTemplate():
            template, path = obj.spec.template, "spec.template.spec"
            found = list(validation_metadata.problems(template.metadata, "spec.template.metadata"))
            found += validation.problems(template.spec, path)
            if isinstance(template.spec, v1beta2.OscMachineSpec) and template.spec.provider_id:
                found.append(
                    Problem(
                        f"{path}.providerID",
                        f"It is {template.spec.provider_id}, but that is one VM, and a template "
                        "is for many. Remove it.",
                    )
                )
            return found, validation.warnings(template.spec, path)
        case v1beta2.OscCluster() | v1beta2.OscMachine() | v1beta2.OscClusterIdentity():
            return validation.problems(obj.spec), validation.warnings(obj.spec)
    return [], []


def _of_change(old: common.Object, new: common.Object, *, is_dry_run: bool) -> Iterator[Problem]:
    """Return what of a change cannot be made."""
    match old, new:
        case v1beta2.OscCluster(), v1beta2.OscCluster():
            uid = (old.metadata.get("labels") or {}).get(names.CLUSTER_UID_LABEL, "")
            default = names.load_balancer(names.cluster_of({"metadata": old.metadata}), uid)
            yield from validation_change.of_cluster(old.spec, new.spec, default)
        case v1beta2.OscMachine(), v1beta2.OscMachine():
            yield from validation_change.of_machine(old.spec, new.spec)
        case v1beta2.OscClusterTemplate(), v1beta2.OscClusterTemplate() if not is_dry_run:
            yield from _of_template(old.spec.template.spec, new.spec.template.spec)
        case v1beta2.OscMachineTemplate(), v1beta2.OscMachineTemplate() if not is_dry_run:
            yield from _of_template(old.spec.template.spec, new.spec.template.spec)


def _of_template(old: common.Part, new: common.Part) -> Iterator[Problem]:
    before, after = (each.model_dump(by_alias=True) for each in (old, new))
    yield from validation_change.of_template(before, after)


def _is_dry_run(asked: dict[str, Json]) -> bool:
    """Tell whether Cluster API only asks what a change of a template would come to."""
    annotations = mapping.dig(asked, ("object", "metadata", "annotations")) or {}
    return bool(asked.get("dryRun")) and DRY_RUN in annotations


# --- What is filled in ---------------------------------------------------------------------------


def _defaults(new: dict[str, Json], sent: dict[str, Json]) -> tuple[dict[str, Json], ...]:
    """Say the role of a machine, which Cluster API says in a label.

    Nothing is ever filled in in templates: the topology controller compares them with its own.
    """
    vm = mapping.dig(new, ("spec", "vm"))
    if new["kind"] != "OscMachine" or not isinstance(vm, dict) or vm.get("role"):
        return ()
    labels = mapping.dig(new, ("metadata", "labels")) or {}
    role = names.CONTROL_PLANE if CONTROL_PLANE in labels else names.WORKER
    path = "/spec/node/vm/role" if sent["apiVersion"] == v1beta1.API_VERSION else "/spec/vm/role"
    return ({"op": "add", "path": path, "value": role},)
