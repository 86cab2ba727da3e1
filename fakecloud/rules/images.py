"""The public images of a region, and the snapshots behind them.

Names follow those of OUTSCALE: ``Ubuntu-24.04-2025.12.08-0`` for official images, and
``ubuntu-2204-kubernetes-v1.33.6-2025-11-17`` for Kubernetes nodes. Their identifiers depend only
on the name and the region, so that they stay the same from release to release.

https://docs.outscale.com/en/userguide/Official-OMIs-Reference.html
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from fakecloud.call import PUBLIC_ACCOUNT
from fakecloud.kinds import Data

OFFICIAL_ACCOUNT = "100000000001"
"""Who owns the official images; the real number is not documented."""

KUBERNETES_ACCOUNTS = {
    "cloudgouv-eu-west-1": "545146734248",
    "eu-west-2": "671899555720",
    "us-east-2": "852047997530",
}
"""Who owns the images for Kubernetes nodes, where it is known (cluster-api-provider-outscale)."""

PRODUCTS = {
    "0001": "Linux",
    "0002": "Windows",
    "0003": "MapR",
    "0004": "Oracle",
    "0005": "Windows 10",
    "0006": "RHEL",
    "0007": "SQL Server Web",
    "0008": "SQL Server Standard",
    "0009": "SQL Server Enterprise",
}
"""Product code -> description; of the public product types."""

ROOT_DEVICE = "/dev/sda1"
LINUX_GIB = 10
WINDOWS_GIB = 50
_RELEASE = "2025.12.08"

_LINUX = (
    "AlmaLinux-8",
    "AlmaLinux-9",
    "AlmaLinux-10",
    "CentOS-Stream-9",
    "CentOS-Stream-10",
    "Debian-11",
    "Debian-12",
    "Debian-13",
    "RockyLinux-8",
    "RockyLinux-9",
    "RockyLinux-10",
    "Ubuntu-20.04",
    "Ubuntu-22.04",
    "Ubuntu-24.04",
)
_WINDOWS = ("Windows-Server-2019", "Windows-Server-2022", "Windows-Server-2025")
_KUBERNETES = (
    ("v1.28.5", "2024-01-10", "ubuntu-2204-2204-kubernetes"),
    ("v1.30.14", "2025-07-02", "ubuntu-2204-kubernetes"),
    ("v1.31.12", "2025-08-27", "ubuntu-2204-kubernetes"),
    ("v1.32.10", "2025-11-17", "ubuntu-2204-kubernetes"),
    ("v1.33.6", "2025-11-17", "ubuntu-2204-kubernetes"),
    ("v1.34.3", "2025-12-12", "ubuntu-2204-kubernetes"),
)


@dataclass(frozen=True)
class Release:
    """One public image: its name, date, owner and what differs from a small Linux."""

    name: str
    date: str
    account: str
    description: str
    size_gib: int = LINUX_GIB
    product: str = "0001"
    boot_modes: tuple[str, ...] = ("legacy", "uefi")

    def image_id(self, region: str) -> str:
        """Return the identifier of the image in a region."""
        return f"ami-{_digits('image', region, self.name)}"

    def snapshot_id(self, region: str) -> str:
        """Return the identifier of the snapshot behind the image in a region."""
        return f"snap-{_digits('snapshot', region, self.name)}"

    def snapshot(self) -> Data:
        """Return the data of the snapshot, which only its owner sees."""
        return {
            "AccountAlias": PUBLIC_ACCOUNT,
            "AccountId": self.account,
            "CreationDate": self.date,
            "Description": self.name,
            "PermissionsToCreateVolume": {"AccountIds": [], "GlobalPermission": False},
            "Progress": 100,
            "VolumeId": "vol-ffffffff",
            "VolumeSize": self.size_gib,
        }

    def image(self, region: str) -> Data:
        """Return the data of the image, which everybody may launch."""
        return {
            "AccountAlias": PUBLIC_ACCOUNT,
            "AccountId": self.account,
            "Architecture": "x86_64",
            "BlockDeviceMappings": [
                {
                    "Bsu": {
                        "DeleteOnVmDeletion": True,
                        "SnapshotId": self.snapshot_id(region),
                        "VolumeSize": self.size_gib,
                        "VolumeType": "standard",
                    },
                    "DeviceName": ROOT_DEVICE,
                }
            ],
            "BootModes": list(self.boot_modes),
            "CreationDate": self.date,
            "Description": self.description,
            "FileLocation": f"{PUBLIC_ACCOUNT}/{self.name}",
            "ImageName": self.name,
            "ImageType": "machine",
            "PermissionsToLaunch": {"AccountIds": [], "GlobalPermission": True},
            "ProductCodes": [self.product],
            "RootDeviceName": ROOT_DEVICE,
            "RootDeviceType": "bsu",
            "SecureBoot": False,
            "StateComment": {"StateCode": "active", "StateMessage": "active"},
            "TpmMandatory": False,
        }


def releases(region: str) -> Iterator[Release]:
    """Return the public images of a region, oldest first."""
    official_date = f"{_RELEASE.replace('.', '-')}T09:00:00.000Z"
    kubernetes_account = KUBERNETES_ACCOUNTS.get(region, OFFICIAL_ACCOUNT)
    for version, day, start in _KUBERNETES:
        name = f"{start}-{version}-{day}"
        yield Release(
            name, f"{day}T09:00:00.000Z", kubernetes_account, f"Kubernetes {version} node"
        )
    for system in _LINUX:
        name = f"{system}-{_RELEASE}-0"
        yield Release(name, official_date, OFFICIAL_ACCOUNT, system.replace("-", " "))
    for system in _WINDOWS:
        name = f"{system}-{_RELEASE}-0"
        yield Release(
            name, official_date, OFFICIAL_ACCOUNT, system.replace("-", " "), WINDOWS_GIB, "0002"
        )


def _digits(*parts: str) -> str:
    return hashlib.sha256("/".join(parts).encode()).hexdigest()[:8]
