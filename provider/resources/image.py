"""Images (OMIs): which one a VM is made from. They are only looked up, never made.

Identity: the id in the spec, or the name and the account that owns it. Anybody can publish an image
under any name, so a name alone means OUTSCALE's image, or that of the only account that has one.
https://docs.outscale.com/en/userguide/About-OMIs.html
"""

from __future__ import annotations

import dataclasses
from typing import Any

from provider.api import v1beta2
from provider.engine.resource import Refusal
from provider.osc import cloud as clouds

OPEN_SOURCE_ACCOUNTS = {
    "eu-west-2": "671899555720",
    "us-east-2": "852047997530",
    "cloudgouv-eu-west-1": "545146734248",
}
"""The accounts from which OUTSCALE publishes images of Kubernetes nodes, by region."""

ARCHITECTURE = "x86_64"

Row = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Image:
    """An image that VMs can be made from."""

    id: str
    root_device: str


def find(cloud: clouds.Cloud, spec: v1beta2.Image, path: str) -> Image:
    """Return the image that a spec names; raise ``Refusal`` when no VM can be made from it.

    ``path`` is where the spec stands, for messages.
    """
    owner = owner_of(cloud.region, spec, path) if spec.name else ""
    if spec.name:
        filters = {"ImageNames": [spec.name]} | ({"AccountIds": [owner]} if owner else {})
        rows = cloud.read("ReadImages", Filters=filters)
        what = f"{path}.name is {spec.name}" + (f", of the account {owner}" if owner else "")
    else:
        rows = cloud.read("ReadImages", Filters={"ImageIds": [spec.id]})
        what = f"{path}.id is {spec.id}"
    if not rows:
        raise Refusal(f"{what}, which does not exist in {cloud.region}. Set it to one that does.")
    rows.sort(key=lambda row: (row.get("CreationDate", ""), row["ImageId"]))
    fitting = [row for row in rows if row["State"] == "available"]
    if not fitting:
        raise Refusal(f"{what}, which is {rows[-1]['State']}. Wait until it is available.")
    if spec.name and not owner:
        fitting = _of_one_owner(fitting, cloud.region, path, what)
    row = fitting[-1]
    if row.get("Architecture", ARCHITECTURE) != ARCHITECTURE:
        raise Refusal(
            f"{what}, which is for {row['Architecture']}, but VMs are {ARCHITECTURE}. Set it to "
            f"an image for {ARCHITECTURE}."
        )
    return Image(row["ImageId"], row.get("RootDeviceName") or "/dev/sda1")


def _of_one_owner(rows: list[Row], region: str, path: str, what: str) -> list[Row]:
    """Return the images that one account owns, OUTSCALE if it can be; raise ``Refusal``."""
    owners = sorted({row["AccountId"] for row in rows})
    trusted = OPEN_SOURCE_ACCOUNTS.get(region)
    if len(owners) > 1 and trusted not in owners:
        raise Refusal(
            f"{what}, which the accounts {', '.join(owners)} have published. Set {path}.accountId "
            "to the one that you trust."
        )
    owner = trusted if trusted in owners else owners[0]
    return [row for row in rows if row["AccountId"] == owner]


def owner_of(region: str, spec: v1beta2.Image, path: str) -> str:
    """Return the account that has to own an image; raise ``Refusal`` when nobody knows it."""
    if not spec.outscale_open_source:
        return spec.account_id
    if region not in OPEN_SOURCE_ACCOUNTS:
        known = ", ".join(sorted(OPEN_SOURCE_ACCOUNTS))
        raise Refusal(
            f"{path}.outscaleOpenSource is true, but in {region} OUTSCALE publishes no such images "
            f"(it does in {known}). Set {path}.accountId instead."
        )
    return OPEN_SOURCE_ACCOUNTS[region]
