"""``caposc doctor``: can clusters be made with these credentials, and if not, what to do."""

from __future__ import annotations

import dataclasses
import itertools
import os
from collections.abc import Callable, Iterator

import click

from provider import clock as clocks
from provider import doctor_secrets
from provider.api import v1beta2
from provider.engine.resource import Refusal
from provider.finding import Finding
from provider.osc import credentials, pool
from provider.osc.cloud import Cloud
from provider.osc.errors import ApiError, Cause
from provider.permissions import PERMISSIONS
from provider.resources import image

NEEDED = {
    "vpc_limit": (1, "Nets"),
    "igw_limit": (1, "internet services"),
    "nat_gateway_limit": (1, "NAT services"),
    "ip_limit": (1, "public IPs"),
    "lb_limit": (1, "load balancers"),
    "sg_limit": (5, "security groups"),
    "vm_limit": (2, "VMs"),
}
"""What the smallest cluster uses of each quota: one subregion, one control plane, one worker."""

REMEDIES = {
    Cause.DENIED: (
        "Check the access key and its secret, the time of this machine, which is signed, the API "
        "access rules of the account, and the policy of the user "
        "('caposc permissions' prints the one that is needed)."
    ),
    Cause.THROTTLED: "Somebody else uses up the speed limit of the account. Try again later.",
    Cause.UNKNOWN: "Check the region, the endpoint, and the way to it: proxy, firewall, DNS.",
}


@dataclasses.dataclass(frozen=True)
class Asked:
    """What the clusters are to be made from; what is empty is not looked at."""

    image: v1beta2.Image = dataclasses.field(default_factory=v1beta2.Image)
    keypair: str = ""
    subregions: tuple[str, ...] = ()
    has_trials: bool = True
    """Whether every action is tried with DryRun, which takes a while."""


def examine(cloud: Cloud, asked: Asked) -> Iterator[Finding]:
    """Look at an account, and give each finding as soon as it is there."""
    region = list(_guarded("region", lambda: _region(cloud, asked.subregions)))
    yield from region
    if any(each.remedy for each in region):
        return  # Nothing else would be found out.
    yield from _guarded("quotas", lambda: _quotas(cloud))
    if asked.image.id or asked.image.name:
        yield from _guarded("image", lambda: _image(cloud, asked.image))
    if asked.keypair:
        yield from _guarded("keypair", lambda: _keypair(cloud, asked.keypair))
    if asked.has_trials:
        yield from _guarded("permissions", lambda: _permissions(cloud))


def _guarded(what: str, look: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    try:
        yield from look()
    except ApiError as error:
        remedy = REMEDIES.get(error.cause, "Look the error up in the documents of the API.")
        yield Finding(what, f"{error}.", remedy)


def _region(cloud: Cloud, wanted: tuple[str, ...]) -> Iterator[Finding]:
    rows = cloud.read("ReadSubregions")
    known = sorted(row["SubregionName"] for row in rows if row["RegionName"] == cloud.region)
    if not known:
        others = ", ".join(sorted({row["RegionName"] for row in rows})) or "none"
        yield Finding(
            "region",
            f"The region is {cloud.region}, but the endpoint serves {others}.",
            "Correct OSC_REGION or OSC_ENDPOINT_API.",
        )
    elif missing := [each for each in wanted if each not in known]:
        yield Finding(
            "region",
            f"{cloud.region} has no subregion {', '.join(missing)}.",
            f"Choose from {', '.join(known)}.",
        )
    else:
        yield Finding("region", f"{cloud.region} answers, with {', '.join(known)}.")


def _quotas(cloud: Cloud) -> Iterator[Finding]:
    rows = {
        row["Name"]: row
        for group in cloud.read("ReadQuotas")
        if group["QuotaType"] == "global"
        for row in group["Quotas"]
    }
    short = []
    for name, (needed, things) in NEEDED.items():
        if name not in rows:
            continue  # Not every region has every quota.
        used, most = rows[name].get("UsedValue", 0), rows[name]["MaxValue"]
        if most - used < needed:
            short.append(f"{things} ({used} of {most} are used, and a cluster needs {needed})")
    if short:
        yield Finding(
            "quotas",
            f"There is no room for a cluster: {'; '.join(short)}.",
            "Delete what is not used, or ask the support of OUTSCALE for more.",
        )
    else:
        yield Finding("quotas", "There is room for a cluster.")


def _image(cloud: Cloud, wanted: v1beta2.Image) -> Iterator[Finding]:
    try:
        found = image.find(cloud, wanted, "image")
    except Refusal as refusal:
        yield Finding("image", "", str(refusal))
    else:
        yield Finding("image", f"{wanted.name or wanted.id} is {found.id}, and available.")


def _keypair(cloud: Cloud, name: str) -> Iterator[Finding]:
    if cloud.read("ReadKeypairs", Filters={"KeypairNames": [name]}):
        yield Finding("keypair", f"{name} exists.")
        return
    known = ", ".join(sorted(row["KeypairName"] for row in cloud.read("ReadKeypairs"))) or "none"
    yield Finding(
        "keypair",
        f"{name} does not exist in {cloud.region}.",
        f"Create or import it, or choose from those that exist: {known}.",
    )


def _permissions(cloud: Cloud) -> Iterator[Finding]:
    """Try each action with DryRun: that something does not exist is said only to who may ask."""
    denied = []
    for each in PERMISSIONS:
        try:
            cloud.call(each.action, **each.trial, DryRun=True)
        except ApiError as error:
            if error.cause is Cause.DENIED:
                denied.append(each)
            elif error.cause in (Cause.THROTTLED, Cause.UNKNOWN):
                raise
    if denied:
        listed = "; ".join(f"api:{each.action}, which {each.why}" for each in denied)
        yield Finding(
            "permissions",
            f"Not allowed: {listed}.",
            "Add it to the policy of the user ('caposc permissions' prints the one needed).",
        )
    else:
        yield Finding("permissions", f"All {len(PERMISSIONS)} actions are allowed.")


@click.command()
@click.option("--image", "name", default="", help="The image of machines: its id, or its name.")
@click.option("--image-account", default="", help="The account that owns the image of that name.")
@click.option("--image-open-source", is_flag=True, help="OUTSCALE publishes the image.")
@click.option("--keypair", default="", help="The keypair of machines.")
@click.option("--subregion", multiple=True, help="Where clusters are to be; may be repeated.")
@click.option(
    "--permissions/--no-permissions",
    "has_trials",
    default=True,
    help="Try every action with DryRun, which takes about 15 s.",
)
@click.option(
    "--management/--no-management",
    "has_management",
    default=False,
    help="Look at the Secrets that clusters name, in the management cluster of KUBECONFIG.",
)
@click.pass_context
def doctor(
    ctx: click.Context,
    *,
    name: str,
    image_account: str,
    image_open_source: bool,
    keypair: str,
    subregion: tuple[str, ...],
    has_trials: bool,
    has_management: bool,
) -> None:
    """Look whether clusters can be made with the credentials of the environment.

    Prints OK, WARN or FAIL, and what to do, line by line. Exits with 1 when anything fails.
    """
    wanted = v1beta2.Image(
        id=name if name.startswith("ami-") else "",
        name="" if name.startswith("ami-") else name,
        account_id=image_account,
        outscale_open_source=image_open_source,
    )
    findings = _of_environment(Asked(wanted, keypair, subregion, has_trials))
    if has_management:
        findings = itertools.chain(findings, doctor_secrets.examine(os.environ))
    failures = 0
    for finding in findings:
        click.echo(str(finding))
        failures += finding.state == "FAIL"
    ctx.exit(1 if failures else 0)


def _of_environment(asked: Asked) -> Iterator[Finding]:
    try:
        found = credentials.of_environment(os.environ)
    except credentials.CredentialsError as problem:
        yield Finding("credentials", "", str(problem))
        return
    yield Finding(
        "credentials",
        f"{found.access_key[:4]}..., from {found.source}, for {found.endpoint}.",
    )
    clients = pool.Clients(clocks.SystemClock(), clocks.chance())
    try:
        yield from examine(clients.client(found), asked)
    finally:
        clients.close()
