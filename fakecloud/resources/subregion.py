"""Places: ReadRegions, ReadSubregions, ReadLocations.

https://docs.outscale.com/en/userguide/About-Regions-and-Subregions.html
"""

from __future__ import annotations

from fakecloud import reads
from fakecloud.call import Call, action, prune, seed
from fakecloud.kinds import Data, kind
from fakecloud.rules import regions

kind(
    "Subregion",
    id="SubregionName",
    absent=5009,
    visible=lambda _row, _account: True,
    read="ReadSubregions",
    answer="Subregions",
)


@seed
def subregions(call: Call) -> None:
    """Give a region its subregions."""
    for name, zone in regions.subregions(call.region).items():
        data = {"LocationCode": zone, "RegionName": call.region}
        call.create("Subregion", data, id_=name, state="available")


@action
def ReadRegions(call: Call) -> Data:  # noqa: ARG001 - every account sees the same regions
    """List all regions."""
    return {
        "Regions": [
            {"Endpoint": regions.endpoint(region), "RegionName": region}
            for region in regions.REGIONS
        ]
    }


@action
def ReadLocations(
    call: Call, NextPageToken: str | None = None, ResultsPerPage: int | None = None
) -> Data:
    """List the sites of the region where a DirectLink can be set up."""
    request = prune(NextPageToken=NextPageToken, ResultsPerPage=ResultsPerPage)
    sites = regions.locations(call.region)
    return reads.page(call, "ReadLocations", "Locations", sites, request)
