"""Net access points: one for each service of a Net, with routes in its tables."""

import pytest

from fakecloud.cloud import FakeCloud
from fakecloud.errors import ApiError

OOS = "com.outscale.eu-west-2.oos"


class Place:
    """One Net with a route table."""

    def __init__(self):
        self.cloud = FakeCloud()
        self.client = self.cloud.client()
        self.net_id = self.client.CreateNet(IpRange="10.0.0.0/16")["Net"]["NetId"]
        table = self.client.CreateRouteTable(NetId=self.net_id)["RouteTable"]
        self.table_id = table["RouteTableId"]

    def make(self, **changed):
        request = {"NetId": self.net_id, "ServiceName": OOS, **changed}
        return self.client.CreateNetAccessPoint(**request)["NetAccessPoint"]

    def read(self, **filters):
        return self.client.ReadNetAccessPoints(Filters=filters)["NetAccessPoints"]

    def routes(self):
        by_id = {"RouteTableIds": [self.table_id]}
        (table,) = self.client.ReadRouteTables(Filters=by_id)["RouteTables"]
        return [route for route in table["Routes"] if "NetAccessPointId" in route]


@pytest.fixture
def place():
    return Place()


def refused_with(action, **request):
    with pytest.raises(ApiError) as refused:
        action(**request)
    return refused.value.code


def test_every_region_has_its_services():
    for region in ("eu-west-2", "us-east-2"):
        services = FakeCloud(region=region).call("ReadNetAccessPointServices")["Services"]
        names = {service["ServiceName"].rpartition(".")[2] for service in services}
        assert {"api", "directlink", "eim", "fcu", "icu", "kms", "lbu", "oos"} <= names
        assert all(f".{region}." in service["ServiceName"] for service in services)
        assert all(service["ServiceId"].startswith("pl-") for service in services)
        assert all(service["IpRanges"] for service in services)


def test_services_are_filtered(place):
    read = place.client.ReadNetAccessPointServices
    (service,) = read(Filters={"ServiceNames": [OOS]})["Services"]
    assert read(Filters={"ServiceIds": [service["ServiceId"]]})["Services"] == [service]
    assert read(Filters={"ServiceIds": ["pl-12345678"]})["Services"] == []


def test_an_access_point_becomes_available(place):
    point = place.make()
    assert point == {
        "NetAccessPointId": point["NetAccessPointId"],
        "NetId": place.net_id,
        "RouteTableIds": [],
        "ServiceName": OOS,
        "State": "pending",
        "Tags": [],
    }
    place.cloud.clock.advance(10)
    assert place.read() == [{**point, "State": "available"}]


def test_an_access_point_adds_a_route_to_its_tables(place):
    point = place.make(RouteTableIds=[place.table_id])
    by_name = {"ServiceNames": [OOS]}
    (service,) = place.client.ReadNetAccessPointServices(Filters=by_name)["Services"]
    assert place.routes() == [
        {
            "CreationMethod": "CreateRoute",
            "DestinationServiceId": service["ServiceId"],
            "NetAccessPointId": point["NetAccessPointId"],
            "State": "active",
        }
    ]
    by_service = {"RouteDestinationServiceIds": [service["ServiceId"]]}
    assert len(place.client.ReadRouteTables(Filters=by_service)["RouteTables"]) == 1
    place.client.DeleteNetAccessPoint(NetAccessPointId=point["NetAccessPointId"])
    assert place.routes() == []


def test_tables_come_and_go(place):
    id_ = place.make()["NetAccessPointId"]
    update = place.client.UpdateNetAccessPoint
    for _ in range(2):
        point = update(NetAccessPointId=id_, AddRouteTableIds=[place.table_id])["NetAccessPoint"]
        assert point["RouteTableIds"] == [place.table_id]
        assert len(place.routes()) == 1
    point = update(NetAccessPointId=id_, RemoveRouteTableIds=[place.table_id])["NetAccessPoint"]
    assert point["RouteTableIds"] == []
    assert place.routes() == []


def test_a_deleted_access_point_stays_readable(place):
    id_ = place.make()["NetAccessPointId"]
    for state, wait in (("deleting", 10), ("deleted", 3600)):
        place.client.DeleteNetAccessPoint(NetAccessPointId=id_)
        assert [point["State"] for point in place.read()] == [state]
        place.cloud.clock.advance(wait)
    assert place.read() == []
    assert refused_with(place.client.DeleteNetAccessPoint, NetAccessPointId=id_) == "5034"


def test_a_net_has_one_access_point_for_a_service(place):
    point = place.make()
    assert refused_with(place.make) == "9038"
    place.make(ServiceName="com.outscale.eu-west-2.api")
    place.client.DeleteNetAccessPoint(NetAccessPointId=point["NetAccessPointId"])
    place.make()


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"NetId": "tata"}, "4104"),
        ({"NetId": "vpc-1234567"}, "4105"),
        ({"NetId": "vpc-12345678"}, "5065"),
        ({"ServiceName": "com.outscale.eu-west-2.nope"}, "5040"),
        ({"ServiceName": "nope", "RouteTableIds": ["tata"]}, "4104"),
        ({"ServiceName": "nope", "RouteTableIds": ["rtb-1234567"]}, "4105"),
        ({"RouteTableIds": ["rtb-12345678"]}, "5046"),
    ],
)
def test_a_bad_access_point_is_refused(place, changed, code):
    assert refused_with(place.make, **changed) == code


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({"NetAccessPointId": "tata"}, "4104"),
        ({"NetAccessPointId": "vpce-1234567", "AddRouteTableIds": ["rtb-12345678"]}, "4105"),
        ({"NetAccessPointId": "vpce-12345678", "AddRouteTableIds": ["rtb-12345678"]}, "5034"),
        ({"NetAccessPointId": "vpce-12345678"}, "7000"),
    ],
)
def test_a_bad_update_is_refused(place, request_, code):
    assert refused_with(place.client.UpdateNetAccessPoint, **request_) == code


def test_a_table_of_another_net_is_refused(place):
    net_id = place.client.CreateNet(IpRange="10.1.0.0/16")["Net"]["NetId"]
    table = place.client.CreateRouteTable(NetId=net_id)["RouteTable"]
    assert refused_with(place.make, RouteTableIds=[table["RouteTableId"]]) == "4086"


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"NetIds": ["vpc-12345678"]}, False),
        ({"ServiceNames": ["*.oos"]}, True),
        ({"States": ["pending", "available"]}, True),
        ({"States": ["deleted"]}, False),
        ({"NetAccessPointIds": ["vpce-12345678"]}, False),
    ],
)
def test_access_points_are_filtered(place, filters, found):
    point = place.make()
    assert place.read(**filters) == ([point] if found else [])


def test_an_access_point_of_another_account_is_unknown(place):
    id_ = place.make()["NetAccessPointId"]
    other = place.cloud.client(account="210987654321")
    assert other.ReadNetAccessPoints()["NetAccessPoints"] == []
    assert refused_with(other.DeleteNetAccessPoint, NetAccessPointId=id_) == "5034"


def test_an_access_point_forgets_a_table_that_is_deleted(place):
    place.make(RouteTableIds=[place.table_id])
    place.client.DeleteRouteTable(RouteTableId=place.table_id)
    assert [point["RouteTableIds"] for point in place.read()] == [[]]
