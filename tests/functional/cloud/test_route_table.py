"""Route tables: which subnet uses which, and where their routes lead."""

import pytest

from fakecloud.cloud import FakeCloud
from fakecloud.errors import ApiError
from fakecloud.rules import routing

OTHER = "210987654321"
EVERYWHERE = "0.0.0.0/0"


class Place:
    """One Net with a subnet, a route table and an internet service."""

    def __init__(self):
        self.cloud = FakeCloud()
        self.client = self.cloud.client()
        self.net_id = self.client.CreateNet(IpRange="10.0.0.0/16")["Net"]["NetId"]
        self.main = self.tables()[0]["RouteTableId"]
        subnet = self.client.CreateSubnet(NetId=self.net_id, IpRange="10.0.1.0/24")
        self.subnet_id = subnet["Subnet"]["SubnetId"]
        table = self.client.CreateRouteTable(NetId=self.net_id)
        self.table_id = table["RouteTable"]["RouteTableId"]
        service = self.client.CreateInternetService()["InternetService"]
        self.service_id = service["InternetServiceId"]
        self.client.LinkInternetService(InternetServiceId=self.service_id, NetId=self.net_id)

    def tables(self, **filters):
        return self.client.ReadRouteTables(Filters=filters)["RouteTables"]

    def ids(self, **filters):
        return [table["RouteTableId"] for table in self.tables(**filters)]

    def link(self, table_id=""):
        table_id = table_id or self.table_id
        answer = self.client.LinkRouteTable(RouteTableId=table_id, SubnetId=self.subnet_id)
        return answer["LinkRouteTableId"]

    def route(self, destination, **target):
        request = {"RouteTableId": self.table_id, "DestinationIpRange": destination, **target}
        return self.client.CreateRoute(**request)["RouteTable"]["Routes"]

    def routes(self):
        return self.tables(RouteTableIds=[self.table_id])[0]["Routes"]

    def refused(self, action, **request):
        with pytest.raises(ApiError) as refused:
            getattr(self.client, action)(**request)
        return refused.value.code


@pytest.fixture
def place():
    return Place()


# Tables and links.


def test_a_table_is_born_with_the_local_route(place):
    (table,) = place.tables(RouteTableIds=[place.table_id])
    assert table == {
        "LinkRouteTables": [],
        "NetId": place.net_id,
        "RoutePropagatingVirtualGateways": [],
        "RouteTableId": place.table_id,
        "Routes": [
            {
                "CreationMethod": "CreateRouteTable",
                "DestinationIpRange": "10.0.0.0/16",
                "GatewayId": "local",
                "State": "active",
            }
        ],
        "Tags": [],
    }


def test_a_subnet_is_linked_to_one_table(place):
    link_id = place.link()
    (table,) = place.tables(LinkSubnetIds=[place.subnet_id])
    assert table["LinkRouteTables"] == [
        {
            "LinkRouteTableId": link_id,
            "Main": False,
            "NetId": place.net_id,
            "RouteTableId": place.table_id,
            "SubnetId": place.subnet_id,
        }
    ]
    code = place.refused("LinkRouteTable", RouteTableId=place.main, SubnetId=place.subnet_id)
    assert code == "9059"


def test_an_unlinked_subnet_uses_the_main_table_again(place):
    store = place.cloud.store("eu-west-2")
    subnet = store.row("Subnet", place.subnet_id)
    link_id = place.link()
    assert routing.table_of(store, subnet).id == place.table_id
    place.client.UnlinkRouteTable(LinkRouteTableId=link_id)
    assert routing.table_of(store, subnet).id == place.main
    assert place.refused("UnlinkRouteTable", LinkRouteTableId=link_id) == "5047"


def test_a_link_keeps_its_identifier_when_it_gets_another_table(place):
    link_id = place.link()
    update = place.client.UpdateRouteTableLink
    answer = update(LinkRouteTableId=link_id, RouteTableId=place.main)
    assert answer["LinkRouteTableId"] == link_id
    assert place.ids(LinkRouteTableLinkRouteTableIds=[link_id]) == [place.main]


def test_another_table_becomes_the_main_one(place):
    (table,) = place.tables(LinkRouteTableMain=True)
    link_id = table["LinkRouteTables"][0]["LinkRouteTableId"]
    place.client.UpdateRouteTableLink(LinkRouteTableId=link_id, RouteTableId=place.table_id)
    assert place.ids(LinkRouteTableMain=True) == [place.table_id]
    assert place.refused("DeleteRouteTable", RouteTableId=place.table_id) == "9066"
    place.client.DeleteRouteTable(RouteTableId=place.main)


def test_the_main_table_stays(place):
    (table,) = place.tables(LinkRouteTableMain=True)
    link_id = table["LinkRouteTables"][0]["LinkRouteTableId"]
    assert place.refused("DeleteRouteTable", RouteTableId=place.main) == "9066"
    assert place.refused("UnlinkRouteTable", LinkRouteTableId=link_id) == "9066"


def test_a_linked_table_is_not_deleted(place):
    link_id = place.link()
    assert place.refused("DeleteRouteTable", RouteTableId=place.table_id) == "9059"
    place.client.UnlinkRouteTable(LinkRouteTableId=link_id)
    place.client.DeleteRouteTable(RouteTableId=place.table_id)
    assert place.ids() == [place.main]


def test_a_subnet_is_linked_inside_its_net_only(place):
    net_id = place.client.CreateNet(IpRange="10.1.0.0/16")["Net"]["NetId"]
    (table_id,) = place.ids(NetIds=[net_id])
    code = place.refused("LinkRouteTable", RouteTableId=table_id, SubnetId=place.subnet_id)
    assert code == "4086"


@pytest.mark.parametrize(
    ("action", "request_", "code"),
    [
        ("CreateRouteTable", {"NetId": "vpc-12345678"}, "5065"),
        ("CreateRouteTable", {"NetId": "vpc-toto"}, "4105"),
        ("DeleteRouteTable", {"RouteTableId": "rtb-12345678"}, "5046"),
        ("DeleteRouteTable", {"RouteTableId": "toto"}, "4104"),
        # Of two unknown ones, the table is reported.
        (
            "LinkRouteTable",
            {"RouteTableId": "rtb-12345678", "SubnetId": "subnet-12345678"},
            "5046",
        ),
        (
            "UpdateRouteTableLink",
            {"LinkRouteTableId": "rtbassoc-12345678", "RouteTableId": "rtb-12345678"},
            "5046",
        ),
        # But what is no identifier comes before what is unknown.
        ("LinkRouteTable", {"RouteTableId": "rtb-12345678", "SubnetId": "subnet-1"}, "4105"),
        ("UnlinkRouteTable", {"LinkRouteTableId": "rtbassoc-12345678"}, "5047"),
    ],
)
def test_a_bad_request_is_refused(place, action, request_, code):
    assert place.refused(action, **request_) == code


def test_another_account_sees_no_table(place):
    other = place.cloud.client(account=OTHER)
    assert other.ReadRouteTables()["RouteTables"] == []
    with pytest.raises(ApiError) as refused:
        other.DeleteRouteTable(RouteTableId=place.table_id)
    assert refused.value.details == f"The RouteTableId '{place.table_id}' doesn't exist."


# Routes.


def test_a_new_route_is_answered_last_but_read_in_order(place):
    internet = {
        "CreationMethod": "CreateRoute",
        "DestinationIpRange": EVERYWHERE,
        "GatewayId": place.service_id,
        "State": "active",
    }
    assert place.route(EVERYWHERE, GatewayId=place.service_id)[-1] == internet
    assert [route["DestinationIpRange"] for route in place.routes()] == [EVERYWHERE, "10.0.0.0/16"]
    assert place.routes()[0] == internet


def test_the_same_route_again_changes_nothing(place):
    first = place.route(EVERYWHERE, GatewayId=place.service_id)
    assert place.route(EVERYWHERE, GatewayId=place.service_id) == first


def test_a_destination_has_one_target(place):
    place.route(EVERYWHERE, GatewayId=place.service_id)
    gateway = place.client.CreateVirtualGateway(ConnectionType="ipsec.1")["VirtualGateway"]
    id_ = gateway["VirtualGatewayId"]
    place.client.LinkVirtualGateway(NetId=place.net_id, VirtualGatewayId=id_)
    request = {"RouteTableId": place.table_id, "DestinationIpRange": EVERYWHERE, "GatewayId": id_}
    assert place.refused("CreateRoute", **request) == "9052"
    changed = place.client.UpdateRoute(**request)["RouteTable"]["Routes"]
    assert changed[-1]["GatewayId"] == id_


def test_a_route_is_deleted(place):
    place.route(EVERYWHERE, GatewayId=place.service_id)
    request = {"RouteTableId": place.table_id, "DestinationIpRange": EVERYWHERE}
    left = place.client.DeleteRoute(**request)["RouteTable"]["Routes"]
    assert [route["GatewayId"] for route in left] == ["local"]
    assert place.refused("DeleteRoute", **request) == "9053"


def test_the_local_route_stays(place):
    request = {"RouteTableId": place.table_id, "DestinationIpRange": "10.0.0.0/16"}
    assert place.refused("DeleteRoute", **request) == "9053"
    assert place.refused("UpdateRoute", **request, GatewayId=place.service_id) == "9053"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"GatewayId": None}, "7000"),
        ({"NatServiceId": "nat-12345678"}, "3002"),
        ({"GatewayId": "nat-12345678"}, "4104"),
        ({"GatewayId": "igw-12345"}, "4105"),
        ({"GatewayId": "igw-12345678"}, "5001"),
        ({"GatewayId": "vgw-12345678"}, "5068"),
        ({"GatewayId": None, "NatServiceId": "nat-12345678"}, "5032"),
        ({"GatewayId": None, "NetPeeringId": "pcx-12345678"}, "5035"),
        ({"GatewayId": None, "NicId": "eni-12345678"}, "5036"),
        ({"GatewayId": None, "VmId": "i-12345678"}, "5063"),
        ({"GatewayId": None, "VmId": "i-123456"}, "4105"),
        ({"RouteTableId": "rtb-12345678", "GatewayId": "igw-12345678"}, "5046"),
        ({"RouteTableId": "toto"}, "4104"),
        ({"DestinationIpRange": "10.0.1.0/24"}, "4047"),
        ({"DestinationIpRange": "everywhere"}, "4047"),
    ],
)
def test_a_bad_route_is_refused(place, changed, code):
    request = {
        "RouteTableId": place.table_id,
        "DestinationIpRange": EVERYWHERE,
        "GatewayId": place.service_id,
        **changed,
    }
    request = {key: value for key, value in request.items() if value is not None}
    assert place.refused("CreateRoute", **request) == code


def test_an_internet_service_that_is_not_linked_is_no_target(place):
    loose = place.client.CreateInternetService()["InternetService"]["InternetServiceId"]
    request = {"RouteTableId": place.table_id, "DestinationIpRange": EVERYWHERE}
    assert place.refused("CreateRoute", **request, GatewayId=loose) == "9027"


def test_a_route_whose_target_has_gone_is_a_black_hole(place):
    place.route(EVERYWHERE, GatewayId=place.service_id)
    link = {"InternetServiceId": place.service_id, "NetId": place.net_id}
    place.client.UnlinkInternetService(**link)
    assert place.routes()[0]["State"] == "blackhole"
    place.client.LinkInternetService(**link)
    assert place.routes()[0]["State"] == "active"


def test_a_route_leads_to_a_nic(place):
    nic_id = place.client.CreateNic(SubnetId=place.subnet_id)["Nic"]["NicId"]
    route = place.route("192.0.2.0/24", NicId=nic_id)[-1]
    assert (route["NicId"], route["State"]) == (nic_id, "active")
    assert place.ids(RouteDestinationIpRanges=["192.0.2.*"]) == [place.table_id]
    place.client.DeleteNic(NicId=nic_id)
    assert place.routes()[-1]["State"] == "blackhole"


def test_a_route_leads_through_an_active_peering_only(place):
    other = place.client.CreateNet(IpRange="10.1.0.0/16")["Net"]["NetId"]
    asked = place.client.CreateNetPeering(SourceNetId=place.net_id, AccepterNetId=other)
    id_ = asked["NetPeering"]["NetPeeringId"]
    request = {
        "RouteTableId": place.table_id,
        "DestinationIpRange": "10.1.0.0/16",
        "NetPeeringId": id_,
    }
    assert place.refused("CreateRoute", **request) == "6004"
    place.client.AcceptNetPeering(NetPeeringId=id_)
    place.client.CreateRoute(**request)
    assert place.ids(RouteNetPeeringIds=[id_]) == [place.table_id]
    place.client.DeleteNetPeering(NetPeeringId=id_)
    assert [route["State"] for route in place.routes()] == ["active", "blackhole"]


def test_a_subnet_is_public_by_its_route_to_the_internet(place):
    store = place.cloud.store("eu-west-2")
    subnet = store.row("Subnet", place.subnet_id)
    place.route(EVERYWHERE, GatewayId=place.service_id)
    assert not routing.is_public(store, subnet)
    place.link()
    assert routing.is_public(store, subnet)
    assert routing.has_internet(store, place.net_id)
    place.client.UnlinkInternetService(InternetServiceId=place.service_id, NetId=place.net_id)
    assert not routing.is_public(store, subnet)
    assert not routing.has_internet(store, place.net_id)


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"LinkRouteTableMain": True}, ["main"]),
        ({"LinkRouteTableMain": False}, ["own"]),
        ({"LinkRouteTableIds": ["own"]}, ["own"]),
        ({"LinkRouteTableIds": ["main", "own"]}, ["main", "own"]),
        ({"RouteGatewayIds": ["local"]}, ["main", "own"]),
        ({"RouteGatewayIds": ["service"]}, ["own"]),
        ({"RouteGatewayIds": ["igw-12345"]}, []),
        ({"RouteCreationMethods": ["CreateRoute"]}, ["own"]),
        ({"RouteDestinationIpRanges": [EVERYWHERE]}, ["own"]),
        ({"RouteStates": ["blackhole"]}, []),
        ({"RouteNatServiceIds": ["nat-12345678"]}, []),
        ({"RouteVmIds": ["i-12345678"]}, []),
        ({"NetIds": ["net"], "RouteTableIds": ["own"]}, ["own"]),
    ],
)
def test_tables_are_filtered(place, filters, found):
    place.link()
    place.route(EVERYWHERE, GatewayId=place.service_id)
    known = {
        "main": place.main,
        "net": place.net_id,
        "own": place.table_id,
        "service": place.service_id,
    }

    def meant(value):
        return [known.get(each, each) for each in value] if isinstance(value, list) else value

    wanted = {name: meant(value) for name, value in filters.items()}
    assert place.ids(**wanted) == [known[each] for each in found]
