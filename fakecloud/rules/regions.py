"""The regions of OUTSCALE, their subregions, and where a DirectLink can be set up.

https://docs.outscale.com/en/userguide/About-Regions-and-Subregions.html
"""

from __future__ import annotations

REGIONS: dict[str, tuple[str, ...]] = {
    # Region: the physical zone of each subregion, which are called a, b, c in this order.
    "ap-northeast-1": ("JPN1", "JPN2"),
    "cloudgouv-eu-west-1": ("SEC1", "SEC2", "SEC3"),
    "eu-west-2": ("PAR1", "PAR4", "PAR7"),
    "us-east-2": ("NJ1", "NJ2"),
    "us-west-1": ("SV1", "SV2"),
}

LOCATIONS: dict[str, tuple[tuple[str, str], ...]] = {
    # Region: code and name of the sites of a DirectLink. Only the two of eu-west-2 are documented;
    # the other regions offer their physical zones.
    "eu-west-2": (("PAR1", "Telehouse 3, France"), ("PAR4", "Equinix Pantin, France")),
}


def subregions(region: str) -> dict[str, str]:
    """Return the subregions of a region and the physical zone of each."""
    return {region + letter: zone for letter, zone in zip("abc", REGIONS[region], strict=False)}


def locations(region: str) -> list[dict[str, str]]:
    """Return the sites of a region where a DirectLink can be set up, as the API shows them."""
    sites = LOCATIONS.get(region) or [(zone, f"{zone}, {region}") for zone in REGIONS[region]]
    return [{"Code": code, "Name": name} for code, name in sites]


def endpoint(region: str) -> str:
    """Return the host name of the API in a region."""
    return f"api.{region}.outscale.com"
