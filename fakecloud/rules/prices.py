"""What things cost: made-up prices in the shape of the public price list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fakecloud.kinds import Data

COMPUTE = "TinaOS-FCU"
CURRENCIES = {"ap-northeast-1": "JPY", "us-east-2": "USD", "us-west-1": "USD"}


@dataclass(frozen=True)
class Price:
    """One row of the price list; ``unit`` is per hour when it is empty."""

    category: str
    operation: str
    type: str
    title: str
    price: float
    service: str = COMPUTE
    unit: str = ""

    def entry(self, region: str) -> Data:
        """Return the row as the catalogs show it."""
        shown: Data = {
            "Category": self.category,
            "Operation": self.operation,
            "Service": self.service,
            "SubregionName": region,
            "Title": self.title,
            "Type": self.type,
            "UnitPrice": self.price,
        }
        if self.unit:
            shown["Flags"] = "PER_MONTH"
        return shown

    def unit_entry(self, region: str) -> Data:
        """Return the row as ReadUnitPrice shows it."""
        return {
            "Currency": currency(region),
            "Operation": self.operation,
            "Service": self.service,
            "Type": self.type,
            "Unit": self.unit or "PER_HOUR",
            "UnitPrice": self.price,
        }


def _cores() -> list[Price]:
    rates = (("p1", "highest", 0.04), ("p2", "high", 0.035), ("p3", "medium", 0.03))
    return [
        Price(
            "compute",
            "RunInstances-OD",
            f"CustomCore:v{generation}-{flag}",
            f"Instance - On demand - vCore of a tinav{generation} VM, performance {name} - hourly",
            price,
        )
        for generation in range(3, 8)
        for flag, name, price in rates
    ]


PRICES: tuple[Price, ...] = (
    *_cores(),
    Price("compute", "RunInstances-OD", "CustomRam", "Instance - On demand - GiB - hourly", 0.005),
    Price("storage", "CreateVolume", "BSU:VolumeUsage:standard", "BSU - standard - GiB - monthly",
          0.055, unit="PER_GB_PER_MONTH"),
    Price("storage", "CreateVolume", "BSU:VolumeUsage:gp2", "BSU - gp2 - GiB - monthly",
          0.11, unit="PER_GB_PER_MONTH"),
    Price("storage", "CreateVolume", "BSU:VolumeUsage:io1", "BSU - io1 - GiB - monthly",
          0.13, unit="PER_GB_PER_MONTH"),
    Price("storage", "CreateVolume", "BSU:VolumeIOPS:io1", "BSU - io1 - IOPS - monthly",
          0.01, unit="PER_IOPS_PER_MONTH"),
    Price("storage", "CreateSnapshot", "Snapshot:Usage", "Snapshot - GiB - monthly",
          0.05, unit="PER_GB_PER_MONTH"),
    Price("network", "AssociateAddressVPC", "ElasticIP:AdditionalAddress", "Public IP - hourly",
          0.005),
    Price("network", "CreateNatGateway", "NatGatewayUsage", "NAT service - hourly", 0.05),
    Price("network", "CreateVpnConnection", "ConnectionUsage", "VPN connection - hourly", 0.05),
    Price("network", "CreateLoadBalancer", "LBU:Usage", "Load balancer - hourly", 0.03,
          service="TinaOS-LBU"),
)  # fmt: skip


def currency(region: str) -> str:
    """Return the currency of a region's prices."""
    return CURRENCIES.get(region, "EUR")


def find(**wanted: Any) -> Price | None:
    """Return the first price whose fields are the wanted ones."""
    for each in PRICES:
        if all(getattr(each, name) == value for name, value in wanted.items()):
            return each
    return None
