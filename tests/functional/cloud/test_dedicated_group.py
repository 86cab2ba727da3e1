"""Dedicated groups, product types, prices and consumption."""

import pytest

from fakecloud.call import SHAPE_ONLY
from fakecloud.cloud import FakeCloud
from fakecloud.errors import ApiError


@pytest.fixture
def cloud():
    return FakeCloud()


@pytest.fixture
def group(cloud):
    made = cloud.call(
        "CreateDedicatedGroup", CpuGeneration=4, Name="mine", SubregionName="eu-west-2a"
    )["DedicatedGroup"]
    assert (made["NetIds"], made["VmIds"]) == ([], [])
    return made["DedicatedGroupId"]


def vm_of(cloud, **request):
    image = cloud.call("ReadImages")["Images"][0]["ImageId"]
    vm = cloud.call("CreateVms", ImageId=image, **request)["Vms"][0]["VmId"]
    cloud.clock.advance(60)
    return vm


def refused(cloud, code, action, **request):
    with pytest.raises(ApiError) as error:
        cloud.call(action, **request)
    assert error.value.code == str(code)


def test_a_dedicated_group_knows_its_vms(cloud, group):
    vm = vm_of(cloud, Placement={"Tenancy": group})
    vm_of(cloud)
    filters = {"CpuGenerations": [4], "Names": ["mi*"], "SubregionNames": ["eu-west-2a"]}
    (found,) = cloud.call("ReadDedicatedGroups", Filters=filters)["DedicatedGroups"]
    assert found["VmIds"] == [vm]
    refused(cloud, 9002, "DeleteDedicatedGroup", DedicatedGroupId=group)
    cloud.call("DeleteDedicatedGroup", DedicatedGroupId=group, Force=True)
    cloud.clock.advance(60)
    assert cloud.call("ReadDedicatedGroups")["DedicatedGroups"] == []
    (state,) = cloud.call("ReadVms", Filters={"VmIds": [vm]})["Vms"]
    assert state["State"] == "terminated"


def test_a_dedicated_group_is_renamed(cloud, group):
    answer = cloud.call("UpdateDedicatedGroup", DedicatedGroupId=group, Name="other")
    assert answer["DedicatedGroup"]["Name"] == "other"
    cloud.call("DeleteDedicatedGroup", DedicatedGroupId=group)
    refused(cloud, 5044, "UpdateDedicatedGroup", DedicatedGroupId=group, Name="x")


def test_an_impossible_dedicated_group_is_refused(cloud):
    request = {"Name": "x", "SubregionName": "eu-west-2a"}
    refused(cloud, 4047, "CreateDedicatedGroup", CpuGeneration=0, **request)
    request["SubregionName"] = "alpha"
    refused(cloud, 5009, "CreateDedicatedGroup", CpuGeneration=4, **request)


# Product types.


def test_public_product_types_are_there_and_own_ones_come_and_go(cloud):
    found = cloud.call("ReadProductTypes", Filters={"ProductTypeIds": ["0001"]})["ProductTypes"]
    assert found == [{"Description": "Linux", "ProductTypeId": "0001"}]
    own = cloud.call("CreateProductType", Description="mine", Vendor="me")["ProductType"]
    code = own["ProductTypeId"]
    filters = {"ProductTypeIds": [code]}
    assert cloud.call("ReadProductTypes", Filters=filters)["ProductTypes"] == [own]
    other = {"account": "987654321098"}
    assert cloud.call("ReadProductTypes", Filters=filters, **other)["ProductTypes"] == []
    cloud.call("CreateImage", ImageName="x-y", FileLocation="x", ProductCodes=[code])
    refused(cloud, 9002, "DeleteProductType", ProductTypeId=code)
    cloud.call("DeleteProductType", ProductTypeId=code, Force=True)
    refused(cloud, 5059, "DeleteProductType", ProductTypeId=code)
    refused(cloud, 4104, "DeleteProductType", ProductTypeId="0001")


# Prices and consumption.


def test_made_up_answers_are_marked_as_such():
    assert {
        "ReadCO2EmissionAccount", "ReadCatalog", "ReadCatalogs", "ReadConsumptionAccount",
        "ReadPublicCatalog", "ReadUnitPrice",
    } <= set(SHAPE_ONLY)  # fmt: skip


def test_every_price_of_the_catalog_is_found_by_itself(cloud):
    entries = cloud.call("ReadCatalog")["Catalog"]["Entries"]
    assert entries == cloud.call("ReadPublicCatalog")["Catalog"]["Entries"]
    (current,) = cloud.call("ReadCatalogs")["Catalogs"]
    assert current["Entries"] == entries
    for entry in entries:
        key = {name: entry[name] for name in ("Operation", "Service", "Type")}
        price = cloud.call("ReadUnitPrice", **key)["UnitPriceEntry"]
        assert (price["UnitPrice"], price["Currency"]) == (entry["UnitPrice"], "EUR")
    refused(cloud, 4047, "ReadUnitPrice", Operation="x", Service="y", Type="z")


def test_catalogs_are_read_for_a_period(cloud):
    refused(cloud, 7000, "ReadCatalogs", Filters={"FromDate": "2025-01-01"})
    past = {"FromDate": "2020-01-01", "ToDate": "2021-01-01"}
    assert cloud.call("ReadCatalogs", Filters=past)["Catalogs"] == []


def test_consumption_grows_with_time_and_ends_with_the_period(cloud):
    vm = vm_of(cloud, VmType="tinav5.c2r4p1")
    cloud.clock.advance(36000 - 60)
    period = {"FromDate": "2026-01-01", "ToDate": "2026-02-01"}
    answer = cloud.call("ReadConsumptionAccount", **period, ShowPrice=True)
    assert answer["Currency"] == "EUR"
    by_type = {entry["Type"]: entry for entry in answer["ConsumptionEntries"]}
    assert by_type["CustomCore:v5-p1"]["Value"] == 20
    assert by_type["CustomRam"]["Value"] == 40
    assert by_type["CustomRam"]["Price"] == 0.2
    detailed = cloud.call("ReadConsumptionAccount", **period, ShowResourceDetails=True)
    assert "Currency" not in detailed
    assert vm in {entry["ResourceId"] for entry in detailed["ConsumptionEntries"]}
    before = {"FromDate": "2025-01-01", "ToDate": "2025-02-01"}
    assert cloud.call("ReadConsumptionAccount", **before)["ConsumptionEntries"] == []


def test_emissions_are_listed_by_month(cloud):
    vm_of(cloud)
    answer = cloud.call("ReadCO2EmissionAccount", FromMonth="2025-11-01", ToMonth="2026-02-01")
    months = [entry["Month"] for entry in answer["CO2EmissionEntries"]]
    assert months == ["2025-11-01", "2025-12-01", "2026-01-01"]
    assert answer["Value"] == round(sum(e["Value"] for e in answer["CO2EmissionEntries"]), 4) > 0


@pytest.mark.parametrize(
    ("start", "end"),
    [("2026-01-02", "2026-02-01"), ("2026-02-01", "2026-01-01"), ("soon", "2026-01-01")],
)
def test_an_impossible_period_is_refused(cloud, start, end):
    refused(cloud, 4047, "ReadCO2EmissionAccount", FromMonth=start, ToMonth=end)
