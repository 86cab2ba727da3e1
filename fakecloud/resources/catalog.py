"""Prices, consumption and CO2: right in shape, made up in content.

What is consumed follows from the VMs and volumes that exist; what was deleted is not counted.

https://docs.outscale.com/en/userguide/About-the-Catalog.html
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

from fakecloud import clock, errors
from fakecloud.call import Call, prune, shape_only
from fakecloud.kinds import Data
from fakecloud.rows import Row
from fakecloud.rules import prices, vm_types

HOUR_S = 3600.0
MONTH_H = 730.0
CATALOG_START = "2025-01-01T00:00:00.000Z"
CO2_KG_PER_VM_MONTH = 1.2345
FLAGS = {"highest": "p1", "high": "p2", "medium": "p3"}
DEFAULT_GENERATION = 5


def _entries(call: Call) -> list[Data]:
    return [price.entry(call.region) for price in prices.PRICES]


@shape_only("The prices are made up.")
def ReadCatalog(call: Call) -> Data:
    """Answer the prices of the region."""
    return {"Catalog": {"Entries": _entries(call)}}


@shape_only("The prices are made up.")
def ReadPublicCatalog(call: Call) -> Data:
    """Answer the prices of the region to anybody."""
    return {"Catalog": {"Entries": _entries(call)}}


@shape_only("The prices are made up, and there are no past ones.")
def ReadCatalogs(call: Call, Filters: Data | None = None) -> Data:
    """Answer the one catalog there is, when the dates asked for reach it."""
    wanted = Filters or {}
    if ("FromDate" in wanted) != ("ToDate" in wanted):
        raise errors.refusal(7000, parameters="Filters.FromDate, Filters.ToDate", least="2")
    if "ToDate" in wanted:
        _, until = _period(wanted["FromDate"], wanted["ToDate"])
        if until <= clock.parse(CATALOG_START):
            return {"Catalogs": []}
    catalog = {"Entries": _entries(call), "FromDate": CATALOG_START, "State": "CURRENT"}
    return {"Catalogs": [catalog]}


@shape_only("The prices are made up.")
def ReadUnitPrice(call: Call, Operation: str, Service: str, Type: str) -> Data:
    """Answer one price."""
    found = prices.find(operation=Operation, service=Service, type=Type)
    if found is None:
        raise errors.refusal(
            4047, f"There is no price for {Service}, {Operation}, {Type}. See ReadCatalog."
        )
    return {"UnitPriceEntry": found.unit_entry(call.region)}


@shape_only("Only VMs and volumes that exist are counted, at made-up prices.")
def ReadConsumptionAccount(
    call: Call,
    FromDate: str,
    ToDate: str,
    Overall: bool = False,  # noqa: ARG001 - an account pays for itself and for no other
    ShowPrice: bool = False,
    ShowResourceDetails: bool = False,
) -> Data:
    """Answer what the VMs and volumes of the account consumed between two dates."""
    since, until = _period(FromDate, ToDate)
    dates = {"FromDate": clock.stamp(since), "ToDate": clock.stamp(until)}
    totals: dict[tuple[str, ...], tuple[prices.Price, float]] = {}
    for row, price, amount in _consumed(call, since, min(until, call.now)):
        subregion = row.get("SubregionName") or row["Placement"]["SubregionName"]
        key = (price.type, subregion, row.id if ShowResourceDetails else "")
        totals[key] = price, totals.get(key, (price, 0.0))[1] + amount
    entries = []
    for (type_, subregion, resource_id), (price, value) in totals.items():
        cost = {"UnitPrice": price.price, "Price": round(price.price * value, 6)}
        entries.append(
            {
                "AccountId": call.account,
                "Category": price.category,
                "Operation": price.operation,
                "PayingAccountId": call.account,
                "Service": price.service,
                "SubregionName": subregion,
                "Title": price.title,
                "Type": type_,
                "Value": round(value, 6),
                **dates,
                **(cost if ShowPrice else {}),
                **prune(ResourceId=resource_id or None),
            }
        )
    currency = prices.currency(call.region) if ShowPrice else None
    return {"ConsumptionEntries": entries, **prune(Currency=currency)}


def _consumed(call: Call, since: float, until: float) -> Iterator[tuple[Row, prices.Price, float]]:
    """Return what each VM and volume consumed: core hours, GiB hours and GiB months."""
    for vm in call.find("Vm"):
        hours = _hours(vm, since, until)
        if hours <= 0:
            continue
        vm_type = vm_types.parse(vm["VmType"])
        generation = min(max(vm_type.generation or DEFAULT_GENERATION, 3), 7)
        core = prices.find(type=f"CustomCore:v{generation}-{FLAGS[vm['Performance']]}")
        memory = prices.find(type="CustomRam")
        assert core is not None
        assert memory is not None
        yield vm, core, vm_type.cores * hours
        yield vm, memory, vm_type.memory_gib * hours
    for volume in call.find("Volume"):
        hours = _hours(volume, since, until)
        space = prices.find(type=f"BSU:VolumeUsage:{volume['VolumeType']}")
        if hours > 0 and space is not None:
            yield volume, space, volume["Size"] * hours / MONTH_H


def _hours(row: Row, since: float, until: float) -> float:
    return (until - max(since, clock.parse(row["CreationDate"]))) / HOUR_S


@shape_only("The emission is made up: the same for every VM that exists.")
def ReadCO2EmissionAccount(
    call: Call,
    FromMonth: str,
    ToMonth: str,
    Overall: bool = False,  # noqa: ARG001 - an account pays for itself and for no other
) -> Data:
    """Answer an emission per month, from the first day of one to that of another."""
    since, until = _period(FromMonth, ToMonth)
    for text in (FromMonth, ToMonth):
        if datetime.fromtimestamp(clock.parse(text), UTC).day != 1:
            raise errors.refusal(4047, f"'{text}' is not the first day of a month.")
    value = round(len(call.find("Vm")) * CO2_KG_PER_VM_MONTH, 4)
    entries = [
        {
            "AccountId": call.account,
            "CategoryDistribution": [{"Category": "compute", "Value": value}],
            "FactorDistribution": [{"Factor": "electricity", "Value": value}],
            "Month": month,
            "PayingAccountId": call.account,
            "Value": value,
        }
        for month in _months(since, until)
    ]
    return {
        "CO2EmissionEntries": entries,
        "Unit": "KG",
        "Value": round(value * len(entries), 4),
    }


def _months(since: float, until: float) -> Iterator[str]:
    month = datetime.fromtimestamp(since, UTC).date()
    end = datetime.fromtimestamp(until, UTC).date()
    while month < end:
        yield month.isoformat()
        following = month.month % 12 + 1
        month = date(month.year + (following == 1), following, 1)


def _period(start: str, end: str) -> tuple[float, float]:
    """Read the two dates of a period; raise 4047 when they are none or in the wrong order."""
    try:
        since, until = clock.parse(start), clock.parse(end)
    except ValueError:
        raise errors.refusal(
            4047, f"'{start}' and '{end}' are not both in the ISO 8601 format."
        ) from None
    if until <= since:
        raise errors.refusal(4047, f"The period ends on {end}, but must do so after {start}.")
    return since, until
