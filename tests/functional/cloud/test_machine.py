"""Random lives of a network, step by step beside a reference model.

Hypothesis makes and links and deletes, with good references and bad ones; the model says what
should come of it and what every Read should show.
"""

import itertools

import hypothesis
from hypothesis import stateful
from hypothesis import strategies as st

from fakecloud import ApiError, FakeCloud
from tests.functional.cloud import laws
from tests.functional.cloud.model import NETS_MAX, Model

VM_NICS_MAX = 3
"""Of a VM of the default type, t2.small."""

NUMBER = st.integers(0, 11)
SETTLE_S = 200
"""Longer than anything takes: VMs and load balancers come and go, groups are released."""

READS = {
    "Net": ("ReadNets", "Nets", "NetId"),
    "Subnet": ("ReadSubnets", "Subnets", "SubnetId"),
    "InternetService": ("ReadInternetServices", "InternetServices", "InternetServiceId"),
    "RouteTable": ("ReadRouteTables", "RouteTables", "RouteTableId"),
    "NatService": ("ReadNatServices", "NatServices", "NatServiceId"),
    "PublicIp": ("ReadPublicIps", "PublicIps", "PublicIpId"),
    "SecurityGroup": ("ReadSecurityGroups", "SecurityGroups", "SecurityGroupId"),
    "Nic": ("ReadNics", "Nics", "NicId"),
    "Vm": ("ReadVms", "Vms", "VmId"),
    "Volume": ("ReadVolumes", "Volumes", "VolumeId"),
    "LoadBalancer": ("ReadLoadBalancers", "LoadBalancers", "LoadBalancerName"),
}
OVER = ("terminated", "deleted", "deleting")


def outcome_of(refusal):
    """Return the class of a refusal."""
    code = int(refusal.code)
    if code // 1000 == 5:
        return "absent"
    if code // 1000 in (1, 6, 8, 9) or code in (4045, 4086, 5022):
        return "conflict"
    return "quota" if code // 1000 == 10 else f"unexpected {refusal}"


def has(*kinds):
    """Return the condition that there is something of each kind."""
    return lambda self: all(self.model.things[kind] for kind in kinds)


class Networks(stateful.RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.cloud = FakeCloud()
        self.model = Model()
        self.names = (f"lb-{number}" for number in itertools.count())
        self.image = self.cloud.call("ReadImages")["Images"][0]["ImageId"]
        self.bare = self.listing()

    def attempt(self, expected, action, **request):
        """Make a call, which must come out as the model says; return the answer, or None."""
        outcome, answer = "fine", None
        try:
            answer = self.cloud.call(action, **request)
        except ApiError as refusal:
            outcome = outcome_of(refusal)
        assert outcome in expected, f"{action} {request}"
        if answer is not None:
            self.cloud.clock.advance(SETTLE_S)
        return answer

    def listing(self):
        """Return kind -> identifiers of what can be read and is not over."""
        return {
            kind: {
                item[id_]
                for item in self.cloud.call(read)[key]
                if not isinstance(item.get("State"), str) or item["State"] not in OVER
            }
            for kind, (read, key, id_) in READS.items()
        }

    @stateful.initialize(with_vm=st.booleans())
    def begin_with_a_public_subnet(self, with_vm):
        # Random steps seldom come this far.
        self.create_net()
        self.create_subnet(0, 0)
        self.create_internet_service()
        self.link_internet_service(0, 0)
        self.create_route_table(0)
        self.create_route(0, 0)
        self.link_route_table(0, 0)
        self.create_security_group(0)
        if with_vm:
            self.create_vm(0, 0)
            self.create_nic(0, 0)
            self.create_volume()
            self.create_public_ip()

    # Nets and subnets.

    @stateful.rule()
    def create_net(self):
        full = len(self.model.things["Net"]) >= NETS_MAX
        answer = self.attempt({"quota"} if full else {"fine"}, "CreateNet", IpRange="10.0.0.0/16")
        if answer:
            net = answer["Net"]["NetId"]
            self.model.add("Net", net)
            # What is born with a Net goes with it, and is not counted.
            filters = {"NetIds": [net]}
            groups = self.cloud.call("ReadSecurityGroups", Filters=filters)["SecurityGroups"]
            tables = self.cloud.call("ReadRouteTables", Filters=filters)["RouteTables"]
            assert [group["SecurityGroupName"] for group in groups] == ["default"]
            assert [link["Main"] for link in tables[0]["LinkRouteTables"]] == [True]
            self.model.get("Net", net).facts.update(
                SecurityGroup=groups[0]["SecurityGroupId"], RouteTable=tables[0]["RouteTableId"]
            )

    @stateful.rule(net=NUMBER)
    def delete_net(self, net):
        net = self.model.choose("Net", net)
        verdict = self.model.verdict(("Net", net), conflict=bool(self.model.users(net)))
        if self.attempt(verdict, "DeleteNet", NetId=net):
            self.model.remove("Net", net)

    @stateful.rule(net=NUMBER, third=st.integers(0, 3))
    def create_subnet(self, net, third):
        net, range_ = self.model.choose("Net", net), f"10.0.{third}.0/24"
        taken = any(thing.facts["range"] == range_ for thing in self.model.users(net, "Subnet"))
        verdict = self.model.verdict(("Net", net), conflict=taken)
        if answer := self.attempt(verdict, "CreateSubnet", NetId=net, IpRange=range_):
            self.model.add("Subnet", answer["Subnet"]["SubnetId"], {"range": range_}, net=net)

    @stateful.rule(subnet=NUMBER)
    def delete_subnet(self, subnet):
        subnet = self.model.choose("Subnet", subnet)
        used = bool(self.model.users(subnet))
        if self.attempt(
            self.model.verdict(("Subnet", subnet), conflict=used), "DeleteSubnet", SubnetId=subnet
        ):
            self.model.remove("Subnet", subnet)

    # The way to the internet.

    @stateful.precondition(lambda self: len(self.model.things["InternetService"]) < 4)
    @stateful.rule()
    def create_internet_service(self):
        made = self.attempt({"fine"}, "CreateInternetService")["InternetService"]
        assert "NetId" not in made
        self.model.add("InternetService", made["InternetServiceId"])

    @stateful.rule(gateway=NUMBER, net=NUMBER)
    def link_internet_service(self, gateway, net):
        gateway, net = self.model.choose("InternetService", gateway), self.model.choose("Net", net)
        known = self.model.get("InternetService", gateway)
        taken = bool(known and known.uses) or self.model.gateway_of(net) is not None
        verdict = self.model.verdict(("InternetService", gateway), ("Net", net), conflict=taken)
        request = {"InternetServiceId": gateway, "NetId": net}
        if self.attempt(verdict, "LinkInternetService", **request):
            known.uses["net"] = net

    @stateful.rule(gateway=NUMBER, net=NUMBER)
    def unlink_internet_service(self, gateway, net):
        gateway, net = self.model.choose("InternetService", gateway), self.model.choose("Net", net)
        bad = self.model.gateway_of(net) != gateway or self.model.has_public_addresses(net)
        verdict = self.model.verdict(("InternetService", gateway), ("Net", net), conflict=bad)
        request = {"InternetServiceId": gateway, "NetId": net}
        if self.attempt(verdict, "UnlinkInternetService", **request):
            del self.model.get("InternetService", gateway).uses["net"]

    @stateful.rule(gateway=NUMBER)
    def delete_internet_service(self, gateway):
        gateway = self.model.choose("InternetService", gateway)
        known = self.model.get("InternetService", gateway)
        verdict = self.model.verdict(
            ("InternetService", gateway), conflict=bool(known and known.uses)
        )
        if self.attempt(verdict, "DeleteInternetService", InternetServiceId=gateway):
            self.model.remove("InternetService", gateway)

    @stateful.rule(net=NUMBER)
    def create_route_table(self, net):
        net = self.model.choose("Net", net)
        verdict = self.model.verdict(("Net", net))
        if answer := self.attempt(verdict, "CreateRouteTable", NetId=net):
            self.model.add("RouteTable", answer["RouteTable"]["RouteTableId"], net=net)

    @stateful.rule(table=NUMBER, gateway=NUMBER)
    def create_route(self, table, gateway):
        table = self.model.choose("RouteTable", table)
        gateway = self.model.choose("InternetService", gateway)
        known = self.model.get("RouteTable", table)
        # The same route once more is fine.
        bad = known is not None and (
            known.facts.get("default", gateway) != gateway
            or self.model.gateway_of(known.uses["net"]) != gateway
        )
        verdict = self.model.verdict(
            ("RouteTable", table), ("InternetService", gateway), conflict=bad
        )
        request = {"RouteTableId": table, "GatewayId": gateway, "DestinationIpRange": "0.0.0.0/0"}
        if self.attempt(verdict, "CreateRoute", **request):
            known.facts["default"] = gateway

    @stateful.rule(table=NUMBER)
    def delete_route(self, table):
        table = self.model.choose("RouteTable", table)
        known = self.model.get("RouteTable", table)
        bad = known is not None and "default" not in known.facts
        verdict = self.model.verdict(("RouteTable", table), conflict=bad)
        request = {"RouteTableId": table, "DestinationIpRange": "0.0.0.0/0"}
        if self.attempt(verdict, "DeleteRoute", **request):
            del known.facts["default"]

    @stateful.rule(table=NUMBER, subnet=NUMBER)
    def link_route_table(self, table, subnet):
        table, subnet = self.model.choose("RouteTable", table), self.model.choose("Subnet", subnet)
        verdict = self.model.verdict(("RouteTable", table), ("Subnet", subnet))
        if verdict == {"fine"}:
            other = self.model.get("RouteTable", table).uses["net"] != self.model.net_of(subnet)
            if other or self.model.users(subnet, "RouteTableLink"):
                verdict = {"conflict"}
        request = {"RouteTableId": table, "SubnetId": subnet}
        if answer := self.attempt(verdict, "LinkRouteTable", **request):
            link = answer["LinkRouteTableId"]
            self.model.add("RouteTableLink", link, table=table, subnet=subnet)

    @stateful.rule(link=NUMBER)
    def unlink_route_table(self, link):
        link = self.model.choose("RouteTableLink", link)
        verdict = self.model.verdict(("RouteTableLink", link))
        if self.attempt(verdict, "UnlinkRouteTable", LinkRouteTableId=link):
            self.model.remove("RouteTableLink", link)

    @stateful.rule(table=NUMBER)
    def delete_route_table(self, table):
        table = self.model.choose("RouteTable", table)
        used = bool(self.model.users(table, "RouteTableLink"))
        verdict = self.model.verdict(("RouteTable", table), conflict=used)
        if self.attempt(verdict, "DeleteRouteTable", RouteTableId=table):
            self.model.remove("RouteTable", table)

    # Public IPs and NAT services.

    @stateful.precondition(lambda self: len(self.model.things["PublicIp"]) < 5)
    @stateful.rule()
    def create_public_ip(self):
        made = self.attempt({"fine"}, "CreatePublicIp")["PublicIp"]
        self.model.add("PublicIp", made["PublicIpId"], {"ip": made["PublicIp"]})

    @stateful.rule(public_ip=NUMBER)
    def delete_public_ip(self, public_ip):
        public_ip = self.model.choose("PublicIp", public_ip)
        known = self.model.get("PublicIp", public_ip)
        verdict = self.model.verdict(("PublicIp", public_ip), conflict=bool(known and known.uses))
        if self.attempt(verdict, "DeletePublicIp", PublicIpId=public_ip):
            self.model.remove("PublicIp", public_ip)

    @stateful.precondition(has("PublicIp", "Nic"))
    @stateful.rule(public_ip=NUMBER, nic=NUMBER)
    def link_public_ip(self, public_ip, nic):
        public_ip, nic = self.model.choose("PublicIp", public_ip), self.model.choose("Nic", nic)
        verdict = self.model.verdict(("PublicIp", public_ip), ("Nic", nic))
        if verdict == {"fine"}:
            net = self.model.net_of(self.model.get("Nic", nic).uses["subnet"])
            others = self.model.users(nic, "PublicIp")
            if self.model.gateway_of(net) is None or others:
                verdict = {"conflict"}
            if self.model.get("PublicIp", public_ip).uses:
                verdict = {"conflict"}
        request = {"PublicIpId": public_ip, "NicId": nic, "AllowRelink": False}
        if self.attempt(verdict, "LinkPublicIp", **request):
            self.model.get("PublicIp", public_ip).uses["nic"] = nic

    @stateful.rule(public_ip=NUMBER)
    def unlink_public_ip(self, public_ip):
        known = self.model.live("PublicIp", public_ip)
        if known is None:
            return
        verdict = {"fine"} if "nic" in known.uses else {"absent", "conflict"}
        if self.attempt(verdict, "UnlinkPublicIp", PublicIp=known.facts["ip"]):
            del known.uses["nic"]

    @stateful.rule(subnet=NUMBER, public_ip=NUMBER)
    def create_nat_service(self, subnet, public_ip):
        subnet = self.model.choose("Subnet", subnet)
        public_ip = self.model.choose("PublicIp", public_ip)
        verdict = self.model.verdict(("Subnet", subnet), ("PublicIp", public_ip))
        if verdict == {"fine"}:
            used = self.model.get("PublicIp", public_ip).uses
            there = self.model.users(subnet, "NatService")
            if used or there or not self.model.is_public(subnet):
                verdict = {"conflict"}
        request = {"SubnetId": subnet, "PublicIpId": public_ip}
        if answer := self.attempt(verdict, "CreateNatService", **request):
            nat = answer["NatService"]["NatServiceId"]
            self.model.add("NatService", nat, subnet=subnet)
            self.model.get("PublicIp", public_ip).uses["nat"] = nat

    @stateful.rule(nat=NUMBER)
    def delete_nat_service(self, nat):
        known = self.model.live("NatService", nat)
        if known and self.attempt({"fine"}, "DeleteNatService", NatServiceId=known.id):
            for public_ip in self.model.users(known.id, "PublicIp"):
                del public_ip.uses["nat"]
            self.model.remove("NatService", known.id)

    # VMs and what they use.

    @stateful.rule(net=NUMBER)
    def create_security_group(self, net):
        net = self.model.choose("Net", net)
        request = {"SecurityGroupName": next(self.names), "Description": "a group", "NetId": net}
        if answer := self.attempt(
            self.model.verdict(("Net", net)), "CreateSecurityGroup", **request
        ):
            self.model.add("SecurityGroup", answer["SecurityGroup"]["SecurityGroupId"], net=net)

    @stateful.rule(group=NUMBER)
    def delete_security_group(self, group):
        group = self.model.choose("SecurityGroup", group)
        used = bool(self.model.users(group))
        verdict = self.model.verdict(("SecurityGroup", group), conflict=used)
        if self.attempt(verdict, "DeleteSecurityGroup", SecurityGroupId=group):
            self.model.remove("SecurityGroup", group)

    def place(self, subnet, group):
        """Return a subnet, a security group, and whether something can be put there."""
        subnet = self.model.choose("Subnet", subnet)
        group = self.model.choose("SecurityGroup", group)
        verdict = self.model.verdict(("Subnet", subnet), ("SecurityGroup", group))
        if verdict == {"fine"}:
            net = self.model.get("SecurityGroup", group).uses["net"]
            if net != self.model.net_of(subnet):
                verdict = {"conflict", "absent"}
        return subnet, group, verdict

    @stateful.rule(subnet=NUMBER, group=NUMBER)
    def create_nic(self, subnet, group):
        subnet, group, verdict = self.place(subnet, group)
        request = {"SubnetId": subnet, "SecurityGroupIds": [group]}
        if answer := self.attempt(verdict, "CreateNic", **request):
            self.model.add("Nic", answer["Nic"]["NicId"], subnet=subnet, group=group)

    @stateful.rule(nic=NUMBER)
    def delete_nic(self, nic):
        nic = self.model.choose("Nic", nic)
        known = self.model.get("Nic", nic)
        linked = known is not None and "vm" in known.uses
        verdict = self.model.verdict(("Nic", nic), conflict=linked)
        if self.attempt(verdict, "DeleteNic", NicId=nic):
            self.forget_nic(nic)

    def forget_nic(self, nic):
        for public_ip in self.model.users(nic, "PublicIp"):
            del public_ip.uses["nic"]
        self.model.remove("Nic", nic)

    @stateful.precondition(has("Nic", "Vm"))
    @stateful.rule(nic=NUMBER, vm=NUMBER)
    def link_nic(self, nic, vm):
        nic, vm = self.model.choose("Nic", nic), self.model.choose("Vm", vm)
        verdict = self.model.verdict(("Nic", nic), ("Vm", vm))
        device = 1
        if verdict == {"fine"}:
            known = self.model.get("Nic", nic)
            there = self.model.users(vm, "Nic")
            net = self.model.net_of(there[0].uses["subnet"])
            taken = {other.facts["device"] for other in there}
            device = min(set(range(1, 9)) - taken)
            if "vm" in known.uses or self.model.net_of(known.uses["subnet"]) != net:
                verdict = {"conflict"}
            elif len(there) >= VM_NICS_MAX:
                verdict = {"quota"}
        request = {"NicId": nic, "VmId": vm, "DeviceNumber": device}
        if answer := self.attempt(verdict, "LinkNic", **request):
            known = self.model.get("Nic", nic)
            known.uses["vm"] = vm
            known.facts.update(device=device, link=answer["LinkNicId"])

    @stateful.rule(nic=NUMBER)
    def unlink_nic(self, nic):
        known = self.model.live("Nic", nic)
        if known is None or "vm" not in known.uses:
            return
        primary = known.facts["device"] == 0
        verdict = {"conflict"} if primary else {"fine"}
        if self.attempt(verdict, "UnlinkNic", LinkNicId=known.facts["link"]):
            del known.uses["vm"]

    @stateful.precondition(lambda self: len(self.model.things["Vm"]) < 4)
    @stateful.rule(subnet=NUMBER, group=NUMBER)
    def create_vm(self, subnet, group):
        subnet, group, verdict = self.place(subnet, group)
        request = {"ImageId": self.image, "SubnetId": subnet, "SecurityGroupIds": [group]}
        if answer := self.attempt(verdict, "CreateVms", **request):
            vm = answer["Vms"][0]
            assert vm["State"] == "pending"
            vm_id, nic = vm["VmId"], vm["Nics"][0]
            self.model.add("Vm", vm_id)
            facts = {"device": 0, "link": nic["LinkNic"]["LinkNicId"]}
            self.model.add("Nic", nic["NicId"], facts, subnet=subnet, group=group, vm=vm_id)
            root = vm["BlockDeviceMappings"][0]["Bsu"]["VolumeId"]
            self.model.add("Volume", root, {"device": "/dev/sda1"}, vm=vm_id)

    @stateful.rule(vm=NUMBER)
    def delete_vm(self, vm):
        vm = self.model.choose("Vm", vm)
        verdict = self.model.verdict(("Vm", vm))
        if vm in self.model.gone["Vm"][1:]:
            verdict = {"fine", "absent"}  # One that is terminated can still be named for a while.
        if not self.attempt(verdict, "DeleteVms", VmIds=[vm]) or not self.model.get("Vm", vm):
            return
        for nic in self.model.users(vm, "Nic"):
            if nic.facts["device"] == 0:
                self.forget_nic(nic.id)
            else:
                del nic.uses["vm"]
        for volume in self.model.users(vm, "Volume"):
            if volume.facts["device"] == "/dev/sda1":
                self.model.remove("Volume", volume.id)
            else:
                del volume.uses["vm"]
        self.model.remove("Vm", vm)

    @stateful.rule()
    def create_volume(self):
        request = {"SubregionName": "eu-west-2a", "Size": 1}
        made = self.attempt({"fine"}, "CreateVolume", **request)["Volume"]
        assert made["State"] == "creating"
        self.model.add("Volume", made["VolumeId"])

    @stateful.precondition(has("Volume", "Vm"))
    @stateful.rule(volume=NUMBER, vm=NUMBER, letter=st.sampled_from("bcd"))
    def link_volume(self, volume, vm, letter):
        volume, vm = self.model.choose("Volume", volume), self.model.choose("Vm", vm)
        device = f"/dev/xvd{letter}"
        verdict = self.model.verdict(("Volume", volume), ("Vm", vm))
        if verdict == {"fine"}:
            taken = {other.facts["device"] for other in self.model.users(vm, "Volume")}
            if device in taken or self.model.get("Volume", volume).uses:
                verdict = {"conflict"}
        request = {"VolumeId": volume, "VmId": vm, "DeviceName": device}
        if self.attempt(verdict, "LinkVolume", **request):
            known = self.model.get("Volume", volume)
            known.uses["vm"] = vm
            known.facts["device"] = device

    @stateful.rule(volume=NUMBER)
    def unlink_volume(self, volume):
        volume = self.model.choose("Volume", volume)
        known = self.model.get("Volume", volume)
        if known is not None and known.facts.get("device") == "/dev/sda1":
            return
        bad = known is not None and not known.uses
        verdict = self.model.verdict(("Volume", volume), conflict=bad)
        if self.attempt(verdict, "UnlinkVolume", VolumeId=volume):
            del known.uses["vm"]

    @stateful.rule(volume=NUMBER)
    def delete_volume(self, volume):
        volume = self.model.choose("Volume", volume)
        known = self.model.get("Volume", volume)
        verdict = self.model.verdict(("Volume", volume), conflict=bool(known and known.uses))
        if self.attempt(verdict, "DeleteVolume", VolumeId=volume):
            self.model.remove("Volume", volume)

    @stateful.rule(subnet=NUMBER, group=NUMBER)
    def create_load_balancer(self, subnet, group):
        subnet, group, verdict = self.place(subnet, group)
        name = next(self.names)
        answer = self.attempt(
            verdict,
            "CreateLoadBalancer",
            LoadBalancerName=name,
            LoadBalancerType="internal",
            Subnets=[subnet],
            SecurityGroups=[group],
            Listeners=[{"BackendPort": 80, "LoadBalancerPort": 80, "LoadBalancerProtocol": "TCP"}],
        )
        if answer:
            self.model.add("LoadBalancer", name, subnet=subnet, group=group)

    @stateful.rule(balancer=NUMBER)
    def delete_load_balancer(self, balancer):
        known = self.model.live("LoadBalancer", balancer)
        if known and self.attempt({"fine"}, "DeleteLoadBalancer", LoadBalancerName=known.id):
            self.model.remove("LoadBalancer", known.id)

    # Time, and what is always true.

    @stateful.rule(seconds=st.sampled_from([0, 1, 30, 3600, 86_400]))
    def wait(self, seconds):
        self.cloud.clock.advance(seconds)

    @stateful.rule()
    def save_and_load(self):
        saved = self.cloud.save()
        self.cloud = FakeCloud()
        self.cloud.load(saved)
        assert self.cloud.save() == saved

    @stateful.invariant()
    def every_read_shows_what_the_model_has(self):
        shown = self.listing()
        for kind, ids in shown.items():
            wanted = set(self.model.things[kind]) | self.bare[kind]
            if kind in ("SecurityGroup", "RouteTable"):
                wanted |= {net.facts[kind] for net in self.model.things["Net"].values()}
            assert ids == wanted, kind

    @stateful.invariant()
    def every_address_is_counted_once(self):
        subnets = self.cloud.call("ReadSubnets")["Subnets"]
        for subnet in subnets:
            free = self.model.free_addresses(subnet["SubnetId"])
            assert subnet["AvailableIpsCount"] == free, subnet
        nics = self.cloud.call("ReadNics")["Nics"]
        given = [(nic["SubnetId"], ip["PrivateIp"]) for nic in nics for ip in nic["PrivateIps"]]
        assert len(given) == len(set(given))

    @stateful.invariant()
    def every_link_is_shown_at_both_ends(self):
        for nic in self.cloud.call("ReadNics")["Nics"]:
            linked = self.model.get("Nic", nic["NicId"]).uses.get("vm")
            assert nic.get("LinkNic", {}).get("VmId") == linked
            assert nic["State"] == ("in-use" if linked else "available")
        for volume in self.cloud.call("ReadVolumes")["Volumes"]:
            linked = self.model.get("Volume", volume["VolumeId"]).uses.get("vm")
            assert [each["VmId"] for each in volume["LinkedVolumes"]] == (
                [linked] if linked else []
            )
        for public_ip in self.cloud.call("ReadPublicIps")["PublicIps"]:
            uses = self.model.get("PublicIp", public_ip["PublicIpId"]).uses
            assert public_ip.get("NicId") == uses.get("nic")
            assert public_ip.get("NatServiceId") == uses.get("nat")

    @stateful.invariant()
    def kept_answers_are_true(self):
        assert laws.stale_answers(self.cloud, of=self.cloud.account) == []

    def teardown(self):
        """Everything can be taken down again, whatever it has come to."""
        for vm in list(self.model.things["Vm"]):
            self.delete_vm(list(self.model.things["Vm"]).index(vm))
        ends = {
            "NatService": self.delete_nat_service,
            "LoadBalancer": self.delete_load_balancer,
            "Nic": self.delete_nic,
            "PublicIp": self.delete_public_ip,
            "Volume": self.delete_volume,
            "SecurityGroup": self.delete_security_group,
            "RouteTableLink": self.unlink_route_table,
            "RouteTable": self.delete_route_table,
            "Subnet": self.delete_subnet,
        }
        for kind, delete in ends.items():
            while self.model.things[kind]:
                delete(0)
        for gateway in list(self.model.things["InternetService"].values()):
            if gateway.uses:
                net = list(self.model.things["Net"]).index(gateway.uses["net"])
                index = list(self.model.things["InternetService"]).index(gateway.id)
                self.unlink_internet_service(index, net)
        for kind, delete in (
            ("InternetService", self.delete_internet_service),
            ("Net", self.delete_net),
        ):
            while self.model.things[kind]:
                delete(0)
        assert self.listing() == self.bare


TestNetworks = Networks.TestCase
TestNetworks.settings = hypothesis.settings(max_examples=100, stateful_step_count=40)
