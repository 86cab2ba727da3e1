"""``caposc plan``: what would be done for a cluster, and why, without doing it."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pydantic
import yaml

from provider import blueprint, cluster, picture
from provider import clock as clocks
from provider.api import conversion, crd, mapping, v1beta2
from provider.engine import plan as plans
from provider.engine.resource import Refusal, Resource
from provider.osc import cloud as clouds
from provider.osc import credentials, errors, pool
from provider.problem import Problem
from provider.rules import names

NOTHING, FAILED, CHANGES = 0, 1, 2
"""Exit codes: nothing to do, something is wrong, there are changes."""
KIND = "OscCluster"


class Unreadable(Exception):
    """The file holds no cluster that can be planned for."""


@dataclasses.dataclass
class _Account:
    """The clouds of whoever runs the command; asked for only when something is read."""

    region: str
    is_new: bool

    def workload(self) -> clouds.Cloud:
        """Return the account of the environment or the profile, or none for a new cluster."""
        if self.is_new:
            return _Nowhere(self.region)
        clock = clocks.SystemClock()
        found = credentials.of_environment(os.environ)
        return pool.Clients(clock, clocks.chance()).client(found)

    def management(self) -> clouds.Cloud:
        """Return the same account: a plan only looks."""
        return self.workload()


@dataclasses.dataclass
class _Nowhere:
    """The cloud before anything is in it."""

    region: str
    alone: contextlib.AbstractContextManager[Any] = dataclasses.field(
        default_factory=contextlib.nullcontext
    )

    def call(self, action: str, /, **_request: Any) -> dict[str, Any]:
        """Refuse: a plan calls nothing."""
        raise _no_account(action)

    def read(self, action: str, /, **_request: Any) -> list[dict[str, Any]]:
        """Refuse: there is no account to read from."""
        raise _no_account(action)


def _no_account(action: str) -> Refusal:
    return Refusal(
        f"{action} needs an account. Set OSC_ACCESS_KEY, and give --uid instead of --new, with any "
        "text for a cluster that is not there yet."
    )


def load(text: str) -> dict[str, Any]:
    """Return the one OscCluster of a manifest, in the version that is worked with.

    Raise ``Unreadable`` when there is none, or more than one.
    """
    try:
        documents = [each for each in yaml.safe_load_all(text) if isinstance(each, dict)]
    except yaml.YAMLError as error:
        raise Unreadable(f"The file is not YAML: {_where(error)}. Correct it.") from error
    found = [each for each in documents if each.get("kind") == KIND]
    if len(found) != 1:
        kinds = ", ".join(str(each.get("kind")) for each in documents) or "nothing"
        raise Unreadable(
            f"The file has {len(found)} OscClusters, and a plan is for one (it has {kinds}). "
            "Give a file with one OscCluster."
        )
    given = {**found[0], "metadata": {"name": "cluster", **_object(found[0], "metadata")}}
    _object(given["metadata"], "metadata.labels")
    _object(given, "spec")
    _object(_object(given, "status"), "status.resources")
    _refuse([*_misfits(given)])
    try:
        made = conversion.convert(given, v1beta2.API_VERSION)
    except conversion.Unconvertible as error:
        raise Unreadable(str(error)) from error
    _refuse([*_wrong(made, is_old=made is not given)])
    return made


def _where(error: yaml.YAMLError) -> str:
    """Return what is wrong and where, without the line: it may be that of a Secret."""
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return str(error)
    mark = error.problem_mark
    return f"{error.problem} in line {mark.line + 1}, column {mark.column + 1}"


def _refuse(problems: list[Problem]) -> None:
    if problems:
        raise Unreadable("\n".join(["the spec has these problems:", *(f"  {p}" for p in problems)]))


def _object(document: dict[str, Any], path: str) -> dict[str, Any]:
    found = document.get(path.rpartition(".")[2]) or {}
    if not isinstance(found, dict):
        raise Unreadable(f"{path} is {found!r}, but has to be an object. Correct it.")
    return found


def _misfits(given: dict[str, Any]) -> Iterator[Problem]:
    """Give the fields that the version of a cluster does not know, or knows as another type."""
    version = str(given.get("apiVersion")).rpartition("/")[2]
    model = next(kind for kind in crd.KINDS if kind.name == KIND).models.get(version)
    if model is None:
        return
    spec = {"spec": given.get("spec") or {}}
    for path in crd.unknown(spec, crd.structural(model)):
        yield Problem(path, "There is no such field. Correct or remove it.")
    try:
        model.model_validate(spec)
    except pydantic.ValidationError as error:
        for each in error.errors(include_url=False):
            names_ = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in each["loc"])
            yield Problem("".join(names_).removeprefix("."), f"{each['msg']}. Correct it.")


def _wrong(made: dict[str, Any], *, is_old: bool) -> Iterator[Problem]:
    """Give what is wrong with a cluster, in the words of the version that it was written in."""
    spec = v1beta2.OscClusterSpec.model_validate(made.get("spec") or {})
    for each in blueprint.problems(spec, made.get("status") or {}):
        path = mapping.old_path(KIND, each.path) if is_old else each.path
        yield Problem(path, each.message)


def _identify(osc_cluster: dict[str, Any], given: str, filename: str) -> None:
    """Let a cluster say which one it is; raise ``Unreadable`` when nobody knows."""
    labels = dict(osc_cluster["metadata"].get("labels") or {})
    known = labels.get(names.CLUSTER_UID_LABEL) or given
    if not known:
        raise Unreadable(
            f"{filename} does not say which cluster it is: the label {names.CLUSTER_UID_LABEL} is "
            "missing. Give --uid, or --new for a new cluster."
        )
    osc_cluster["metadata"]["labels"] = {**labels, names.CLUSTER_UID_LABEL: known}


def _region(osc_cluster: dict[str, Any]) -> str:
    """Return the region that a cluster is written for."""
    network = v1beta2.OscClusterSpec.model_validate(osc_cluster.get("spec") or {}).network
    named = (*network.subregions, *(each.subregion for each in network.subnets))
    return next((names.region(each) for each in named if each), "eu-west-2")


class _Misuse(click.UsageError):
    """The command was called wrongly, which must not look like changes."""

    exit_code = FAILED


class _Command(click.Command):
    """A command whose exit code 2 does not mean that it was called wrongly."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments."""
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            raise _Misuse(error.format_message(), ctx) from error


@click.command(cls=_Command)
@click.option("-f", "--filename", required=True, help="A manifest with an OscCluster; - for stdin.")
@click.option("--uid", default="", help="The uid of the Cluster, where the manifest has no label.")
@click.option("--new", "is_new", is_flag=True, help="Plan a new cluster; no account is needed.")
@click.option("--region", default="", help="The region of a new cluster. Default: its subregions'.")
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text")
def plan(*, filename: str, uid: str, is_new: bool, region: str, output: str) -> None:
    """Show what would be done for a cluster, and why.

    Exits with 0 when there is nothing to do, with 2 when there are changes, and with 1 when
    something is wrong.
    """
    try:
        osc_cluster = load(_text(filename))
        _identify(osc_cluster, uid or ("new" if is_new else ""), filename)
        account = _Account(region or _region(osc_cluster), is_new)
        steps, wanted = _plan(osc_cluster, account, is_new=is_new)
    except (Unreadable, Refusal, OSError, errors.OscError) as error:
        click.echo(f"caposc plan: {error}", err=True)
        sys.exit(FAILED)
    (_as_json if output == "json" else _as_text)(steps, wanted)
    if any(step.verb is plans.Verb.REFUSE for step in steps):
        sys.exit(FAILED)
    sys.exit(CHANGES if steps else NOTHING)


def _text(filename: str) -> str:
    given = sys.stdin.buffer.read() if filename == "-" else Path(filename).read_bytes()
    try:
        return given.decode()
    except UnicodeDecodeError as error:
        raise Unreadable(f"The file is not UTF-8: {error}. Correct it.") from error


def _plan(
    osc_cluster: dict[str, Any], account: _Account, *, is_new: bool
) -> tuple[list[plans.Step], list[Resource]]:
    return cluster.plan(osc_cluster, account, clocks.SystemClock(), is_new=is_new)


def _as_json(steps: list[plans.Step], wanted: list[Resource]) -> None:
    rows = [
        {
            "step": step.verb.value,
            "kind": step.target.KIND,
            "key": step.target.key,
            "id": step.observed.id if step.observed else step.target.id,
            "why": step.why,
        }
        for step in steps
    ]
    click.echo(json.dumps({"steps": rows, "resources": len(wanted)}, indent=2))


def _as_text(steps: list[plans.Step], wanted: list[Resource]) -> None:
    click.echo(picture.draw(wanted))
    click.echo()
    for step in steps:
        click.echo(str(step))
    if not steps:
        click.echo("Nothing to do: the cloud is as the spec wants it.")
        return
    counts = {verb: sum(step.verb is verb for step in steps) for verb in plans.Verb}
    said = ", ".join(f"{count} to {verb.value}" for verb, count in counts.items() if count)
    click.echo(f"\n{len(steps)} step{'s' * (len(steps) > 1)}: {said}.", err=True)
