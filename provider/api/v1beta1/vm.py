"""What VMs of machines and the bastion share, as the Go provider spells it."""

from __future__ import annotations

from typing import Annotated

import pydantic

from provider.api.common import Part, field

RECONCILERS = (
    "bastion",
    "net",
    "netPeering",
    "netPeering/routes",
    "subnet",
    "internetService",
    "netAccessPoint",
    "natService",
    "routeTable",
    "securityGroup",
    "loadbalancer",
    "vm",
    "*",
)

Reconciler = Annotated[str, pydantic.Field(json_schema_extra={"enum": [*RECONCILERS]})]


class OscImage(Part):
    """An image (OMI) by name."""

    name: str = ""
    """The name of the image."""
    account_id: str = ""
    """The account that owns the image."""
    outscale_open_source: bool = False
    """The image is owned by the open-source account of OUTSCALE in the region."""
    resource_id: str = ""
    """Not used."""


class OscRootDisk(Part):
    """The root volume of a VM."""

    root_disk_iops: int = 0
    """I/O operations per second, for io1 only."""
    root_disk_size: int = field(60, suggested=True)
    """The size in GiB. Default: 60."""
    root_disk_type: str = field("io1", suggested=True)
    """standard, gp2 or io1. Default: io1."""


class OscBastionRootDisk(OscRootDisk):
    """The root volume of the bastion."""

    root_disk_size: int = field(15, suggested=True)
    """The size in GiB. Default: 15."""
    root_disk_type: str = field("gp2", suggested=True)
    """standard, gp2 or io1. Default: gp2."""


class OscPrivateIpElement(Part):
    """A private address."""

    name: str = ""
    """Not used."""
    private_ip: str = ""
    """The address."""


class OscSecurityGroupElement(Part):
    """A reference to a security group."""

    name: str = ""
    """The name of the security group."""


class OscBastion(Part):
    """A VM through which the machines are reached with SSH."""

    name: str = ""
    """The name of the VM."""
    image_id: str = ""
    """The id of the image; imageName wins."""
    image_name: str = ""
    """The name of the image."""
    image_account_id: str = ""
    """The account that owns the image."""
    keypair_name: str = ""
    """The keypair that may log in."""
    vm_type: str = field("tinav7.c1r1p2", suggested=True)
    """The type of the VM. Default: tinav7.c1r1p2."""
    device_name: str = ""
    """Not used."""
    subnet_name: str = ""
    """The subnet to put it into. Deprecated: give a subnet the role bastion."""
    root_disk: OscBastionRootDisk = OscBastionRootDisk()
    """Its root volume. Default: 15 GiB of gp2."""
    public_ip_name: str = ""
    """Not used."""
    public_ip_id: str = field("", alias="PublicIpId")
    """The id of the public IP to use."""
    subregion_name: str = ""
    """Not used."""
    private_ips: list[OscPrivateIpElement] = []
    """Its private addresses."""
    security_group_names: list[OscSecurityGroupElement] = []
    """Its security groups. Deprecated: give security groups the role bastion."""
    resource_id: str = ""
    """The id of a VM to use as it is."""
    cluster_name: str = ""
    """Not used."""
    enable: bool = False
    """Whether there is a bastion."""


class OscReconciliationRule(Part):
    """When the Go provider looks again. This provider looks at everything on every pass."""

    applies_to: list[Reconciler] = []
    """To what it applies."""
    mode: str = field("", enum=["onChange", "always", "random"])
    """When to look again."""
    reconciliation_chance: int = 0
    """The chance in percent, for random."""
