"""Regions, subregions and the sites of DirectLinks."""

import pytest

from fakecloud.cloud import FakeCloud
from fakecloud.rules import regions


@pytest.mark.parametrize("region", regions.REGIONS)
def test_a_region_lists_its_own_subregions(region):
    found = FakeCloud(region=region).call("ReadSubregions")["Subregions"]
    assert [each["LocationCode"] for each in found] == list(regions.REGIONS[region])
    assert {each["RegionName"] for each in found} == {region}
    assert {each["State"] for each in found} == {"available"}
    assert found[0]["SubregionName"] == f"{region}a"


def test_the_table_knows_the_regions_of_the_document():
    assert set(regions.REGIONS) == set(FakeCloud().document.regions)


def test_subregions_are_filtered():
    read = FakeCloud().client().ReadSubregions
    found = read(Filters={"SubregionNames": ["eu-west-2b", "eu-west-9z"]})["Subregions"]
    assert [each["LocationCode"] for each in found] == ["PAR4"]
    assert read(Filters={"States": ["unavailable"]})["Subregions"] == []


def test_every_region_has_an_endpoint():
    found = FakeCloud().call("ReadRegions")["Regions"]
    assert {"Endpoint": "api.eu-west-2.outscale.com", "RegionName": "eu-west-2"} in found
    assert len({each["Endpoint"] for each in found}) == len(regions.REGIONS)


def test_locations_come_in_pages():
    read = FakeCloud().client().ReadLocations
    first = read(ResultsPerPage=1)
    second = read(ResultsPerPage=1, NextPageToken=first["NextPageToken"])
    assert first["Locations"] + second["Locations"] == read()["Locations"]
    assert "NextPageToken" not in second
