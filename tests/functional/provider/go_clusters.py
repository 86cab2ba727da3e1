"""What the Go provider v1.5 does with an OscCluster, call by call, as far as it leaves traces.

It keeps what it knows in the status, which it writes once, when a pass ends: one that is killed
leaves what it made and nothing of it in Kubernetes. Names, tokens, tags and the order of its calls
are those of its sources.

https://github.com/outscale/cluster-api-provider-outscale
"""

import base64
import contextlib
import ipaddress

from provider.api import conversion
from provider.osc import errors
from tests.functional.provider import driver, go_groups

UID = driver.UID
GROUP = "infrastructure.cluster.x-k8s.io"
FINALIZER = "oscclusters.infrastructure.cluster.x-k8s.io"
REGION = "eu-west-2"
ANY = "0.0.0.0/0"
PUBLIC = go_groups.PUBLIC


class NotYetError(Exception):
    """What ends a pass of the Go provider, which then tries again."""


class GoCluster:
    """One OscCluster of the Go provider; ``object`` is what it has written, in v1beta1."""

    def __init__(self, fake, spec, *, name="demo", cluster="", far=None):
        self.fake = fake
        self.cloud = driver.Direct(fake)
        self.far = far or self.cloud
        self.name, self.cluster = name, cluster or name
        self.object = {
            "apiVersion": f"{GROUP}/v1beta1",
            "kind": "OscCluster",
            "metadata": {
                "name": name,
                "namespace": "default",
                "generation": 1,
                "labels": {"cluster.x-k8s.io/cluster-name": self.cluster},
                "ownerReferences": [{"kind": "Cluster", "name": self.cluster, "uid": UID}],
            },
            "spec": driver.copied(spec),
        }
        self.resources = {}

    @property
    def network(self):
        return self.object["spec"].get("network", {})

    def call(self, action, **request):
        return self.cloud.call(action, **request)

    def read(self, action, **filters):
        return self.cloud.read(action, Filters=filters)

    # --- Passes ----------------------------------------------------------------------------------

    def run(self, limit=40):
        """Reconcile until it is ready, or is killed, which leaves nothing in Kubernetes."""
        for _ in range(limit):
            before = driver.copied(self.resources)
            try:
                self._pass()
            except driver.Killed:
                self.resources = before
                return self
            except (errors.ApiError, NotYetError):
                self._write(ready=False)
                self.fake.clock.advance(15)
            else:
                self._write(ready=True)
                self.fake.clock.advance(60)
                return self
        raise AssertionError(f"The Go provider has not made it: {self.cloud.calls[-5:]}")

    def _pass(self):
        self._net()
        self._subnets()
        if not self._uses_net:
            self._internet_service()
            self._route_tables(only_public=True)
            self._nat_services()
            self._route_tables()
            self._peering()
            self._access_points()
        self._groups()
        self._balancer()
        if not self._uses_net:
            self._bastion()

    def _write(self, *, ready):
        metadata = self.object["metadata"]
        metadata["finalizers"] = [FINALIZER]
        metadata["labels"]["outscale.com/clusterUID"] = UID
        old = self.object.get("status") or {}
        types = ["NetReady", "SubnetsReady", "InternetServiceReady", "SecurityGroupsReady"]
        self.object["status"] = {
            "ready": ready or old.get("ready", False),
            "failureDomains": {
                each["subregionName"]: {"controlPlane": True}
                for each in self._all_subnets()
                if "controlplane" in each["roles"]
            },
            "resources": driver.copied(self.resources),
            "reconcilerGeneration": {"net": 1, "subnet": 1, "securityGroup": 1},
            "conditions": [
                {"type": each, "status": "True", "lastTransitionTime": "2026-01-02T03:04:05Z"}
                for each in types
            ],
        }

    def _kept(self, kind, key, id_):
        self.resources.setdefault(kind, {})[key] = id_
        return id_

    def _known(self, kind, key):
        return self.resources.get(kind, {}).get(key, "")

    def _tag(self, id_, name="", roles=(), **more):
        tags = {f"OscK8sRole/{role}": "" for role in roles}
        tags |= ({"Name": name} if name else {}) | {f"OscK8sClusterID/{UID}": "owned"} | more
        pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
        self.call("CreateTags", ResourceIds=[id_], Tags=pairs)

    # --- Network ---------------------------------------------------------------------------------

    @property
    def _uses_net(self):
        return self.network.get("useExisting", {}).get("net", False)

    @property
    def _range(self):
        return self.network.get("net", {}).get("ipRange") or "10.0.0.0/16"

    @property
    def _subregions(self):
        return self.network.get("subregions") or [self.network["subregionName"]]

    def _net(self):
        given = self.network.get("net", {})
        if id_ := given.get("resourceId") or self._known("net", "default"):
            self.net = id_
            return
        found = self.read("ReadNets", Tags=[f"OscK8sClusterID/{UID}=owned"])
        if found:
            self.net = self._kept("net", "default", found[0]["NetId"])
            return
        self.net = self.call("CreateNet", IpRange=self._range)["Net"]["NetId"]
        self._tag(self.net, given.get("name") or f"Net for {self.name}")
        self._kept("net", "default", self.net)

    def _all_subnets(self):
        if self.network.get("subnets"):
            return [self._legacy(each) for each in self.network["subnets"]]
        found, third = [], ipaddress.ip_network(self._range).network_address.packed[2] + 1
        head = ".".join(self._range.split(".")[:2])
        for subregion in self._subregions:
            for roles in (PUBLIC, ("worker",), ("controlplane",)):
                third += 1
                found.append(
                    {
                        "ipSubnetRange": f"{head}.{third}.0/24",
                        "roles": list(roles),
                        "subregionName": subregion,
                    }
                )
        return found

    def _legacy(self, subnet):
        subnet = {"subregionName": self._subregions[0], **subnet}
        name = subnet.get("name", "")
        if subnet.get("roles"):
            return subnet
        if name in self.network.get("controlPlaneSubnets", ()) or "kcp" in name:
            return {**subnet, "roles": ["controlplane"]}
        if name and name == self.network.get("loadBalancer", {}).get("subnetname"):
            return {**subnet, "roles": list(PUBLIC)}
        return {**subnet, "roles": ["worker"]}

    def _subnet_name(self, subnet):
        roles = subnet["roles"]
        kind = "Public" if set(roles) & set(PUBLIC) else roles[0].title()
        return subnet.get("name") or f"{kind} subnet for {self.name}/{subnet['subregionName']}"

    def _subnets(self):
        for each in self._all_subnets():
            ip_range = each.get("ipSubnetRange", "")
            if each.get("resourceId") or self._known("subnet", ip_range):
                continue
            found = self.read("ReadSubnets", NetIds=[self.net], IpRanges=[ip_range])
            if found:
                self._kept("subnet", ip_range, found[0]["SubnetId"])
                continue
            made = self.call(
                "CreateSubnet",
                NetId=self.net,
                IpRange=ip_range,
                SubregionName=each["subregionName"],
            )["Subnet"]["SubnetId"]
            self._tag(made, self._subnet_name(each), each["roles"])
            self._kept("subnet", ip_range, made)

    def _subnet_id(self, subnet):
        return subnet.get("resourceId") or self._known("subnet", subnet["ipSubnetRange"])

    def _find(self, role, name="", subregion=""):
        subregion = subregion or self._subregions[0]
        for each in self._all_subnets():
            if (name and each.get("name") == name) or (
                role in each["roles"] and each["subregionName"] == subregion
            ):
                return each
        raise NotYetError(role)

    @property
    def _has_internet(self):
        return "internet" not in self.network.get("disable", ())

    def _internet_service(self):
        if not self._has_internet or self._known("internetService", "default"):
            return
        found = self.read("ReadInternetServices", LinkNetIds=[self.net])
        if found:
            self._kept("internetService", "default", found[0]["InternetServiceId"])
            return
        gate = self.call("CreateInternetService")["InternetService"]["InternetServiceId"]
        given = self.network.get("internetService", {}).get("name")
        self._tag(gate, given or f"Internet Service for {self.name}")
        self.call("LinkInternetService", InternetServiceId=gate, NetId=self.net)
        self._kept("internetService", "default", gate)

    def _tables(self):
        if self.network.get("routeTables"):
            return [
                (self._find(each.get("role"), name, each.get("subregionName", "")), each["routes"])
                for each in self.network["routeTables"]
                for name in each.get("subnets") or [""]
            ]
        target = {True: "gateway", False: "nat"}
        return [
            (each, [{"destination": ANY, "targetType": target[bool({*each["roles"]} & {*PUBLIC})]}])
            for each in self._all_subnets()
        ]

    def _route_tables(self, *, only_public=False):
        rows = self.read("ReadRouteTables", NetIds=[self.net], LinkRouteTableMain=False)
        linked = {link["SubnetId"]: row for row in rows for link in row["LinkRouteTables"]}
        for subnet, routes in self._tables():
            if only_public and "nat" not in subnet["roles"]:
                continue
            id_ = self._subnet_id(subnet)
            row = linked.get(id_)
            if row is None:
                row = self.call("CreateRouteTable", NetId=self.net)["RouteTable"]
                self._tag(row["RouteTableId"], self._subnet_name(subnet))
                self.call("LinkRouteTable", RouteTableId=row["RouteTableId"], SubnetId=id_)
            there = {each.get("DestinationIpRange") for each in row["Routes"]}
            for route in routes if self._has_internet else ():
                if route["destination"] not in there:
                    aim = {"DestinationIpRange": route["destination"], **self._aim(route, subnet)}
                    self.call("CreateRoute", RouteTableId=row["RouteTableId"], **aim)

    def _aim(self, route, subnet):
        if route["targetType"] == "gateway":
            return {"GatewayId": self._known("internetService", "default")}
        token, *_ = next(
            each
            for each in self._nat_specs()
            if each[1] == route.get("targetName")
            or each[2]["subregionName"] == subnet["subregionName"]
        )
        return {"NatServiceId": self._known("natService", token)}

    # --- Ways out --------------------------------------------------------------------------------

    def _nat_specs(self):
        """Return token, name and subnet of each NAT service."""
        given = self.network.get("natServices") or []
        given = given or [each for each in [self.network.get("natService")] if each]
        given = given or [
            {"subregionName": each["subregionName"], "subnetname": each.get("name", "")}
            for each in self._all_subnets()
            if "nat" in each["roles"]
        ]
        found = []
        for each in given:
            name, subregion = each.get("name", ""), each.get("subregionName", "")
            called = name or f"Nat service for {self.name}" + (f"/{subregion}" if subregion else "")
            place = self._find("nat", each.get("subnetname", ""), subregion)
            found.append((f"{name or subregion}-{UID}"[-64:], called, place))
        return found

    def _nat_services(self):
        for token, name, place in self._nat_specs() if self._has_internet else ():
            if self._known("natService", token):
                continue
            found = self.read("ReadNatServices", ClientTokens=[token])
            if found:
                self._kept("natService", token, found[0]["NatServiceId"])
                self._kept("publicIps", token, found[0]["PublicIps"][0]["PublicIpId"])
                continue
            address = self._address(token, name, self.network.get("natPublicIpPool", ""))
            nat = self.call(
                "CreateNatService",
                PublicIpId=address["PublicIpId"],
                SubnetId=self._subnet_id(place),
                ClientToken=token,
            )["NatService"]["NatServiceId"]
            self._tag(nat, name)
            self._kept("natService", token, nat)

    def _address(self, key, name, pool=""):
        if id_ := self._known("publicIps", key):
            return self.read("ReadPublicIps", PublicIpIds=[id_])[0]
        if pool:
            rows = self.read("ReadPublicIps", Tags=[f"OscK8sIPPool={pool}"])
            made = next(row for row in rows if not row.get("LinkPublicIpId"))
        else:
            made = self.call("CreatePublicIp")["PublicIp"]
            self._tag(made["PublicIpId"], name)
        self._kept("publicIps", key, made["PublicIpId"])
        return made

    def _peering(self):
        spec = self.network.get("netPeering", {})
        if not spec.get("enable"):
            return
        id_ = self._known("netPeering", "default")
        if not id_:
            id_ = self.call(
                "CreateNetPeering",
                SourceNetId=self.net,
                AccepterNetId=spec["managementNetId"],
                AccepterOwnerId=spec["managementAccountId"],
            )["NetPeering"]["NetPeeringId"]
            self._tag(id_)
            self._kept("netPeering", "default", id_)
            self.far.call("AcceptNetPeering", NetPeeringId=id_)
        there = self.far.read("ReadNets", Filters={"NetIds": [spec["managementNetId"]]})
        for cloud, net, destination in (
            (self.far, spec["managementNetId"], self._range),
            (self.cloud, self.net, there[0]["IpRange"]),
        ):
            inside = {"NetIds": [net], "LinkRouteTableMain": False}
            for row in cloud.read("ReadRouteTables", Filters=inside):
                known = {each.get("DestinationIpRange") for each in row["Routes"]}
                if destination not in known:
                    aim = {"DestinationIpRange": destination, "NetPeeringId": id_}
                    cloud.call("CreateRoute", RouteTableId=row["RouteTableId"], **aim)

    def _access_points(self):
        wanted = self.network.get("netAccessPoints", ())
        rows = self.read("ReadRouteTables", NetIds=[self.net], LinkRouteTableMain=False)
        table = {link["SubnetId"]: row for row in rows for link in row["LinkRouteTables"]}
        ids = [
            table[self._subnet_id(each)]["RouteTableId"]
            for each in self._all_subnets()
            if {*each["roles"]} & {"worker", "controlplane"}
        ]
        for service in wanted:
            if self._known("netAccessPoint", service):
                continue
            full = f"com.outscale.{REGION}.{service}"
            found = self.read("ReadNetAccessPoints", NetIds=[self.net], ServiceNames=[full])
            if found:
                self._kept("netAccessPoint", service, found[0]["NetAccessPointId"])
                continue
            made = self.call(
                "CreateNetAccessPoint", NetId=self.net, ServiceName=full, RouteTableIds=ids
            )["NetAccessPoint"]["NetAccessPointId"]
            self._tag(made)
            self._kept("netAccessPoint", service, made)

    # --- Security groups -------------------------------------------------------------------------

    def _specs(self):
        if self.network.get("securityGroups"):
            return go_groups.manual(self.network, self.cluster)
        return go_groups.automatic(self.network, self.cluster, self._range, self._all_subnets())

    def _group_id(self, name):
        found = [
            each for each in self.network.get("securityGroups", ()) if each.get("name") == name
        ]
        used = found[0].get("resourceId") if found else ""
        return used or self._known("securityGroup", f"{name}-{UID}")

    def _groups(self):
        if self.network.get("useExisting", {}).get("securityGroups"):
            return
        for name, description, roles, rules, is_authoritative, is_main in self._specs():
            full = f"{name}-{UID}"
            id_ = self._known("securityGroup", full)
            row = None
            if not id_ and (rows := self.read("ReadSecurityGroups", SecurityGroupNames=[full])):
                id_ = self._kept("securityGroup", full, rows[0]["SecurityGroupId"])
            if not id_:
                row = self.call(
                    "CreateSecurityGroup",
                    NetId=self.net,
                    SecurityGroupName=full,
                    Description=description,
                )["SecurityGroup"]
                id_ = row["SecurityGroupId"]
                self._tag(id_, roles=roles)
                if is_main:
                    main = [{"Key": f"OscK8sMainSG/{UID}", "Value": "True"}]
                    self.call("CreateTags", ResourceIds=[id_], Tags=main)
                self._kept("securityGroup", full, id_)
            row = row or self.read("ReadSecurityGroups", SecurityGroupIds=[id_])[0]
            if "loadbalancer" in roles and self.network.get("allowFromIPRanges"):
                rows = self.read("ReadNatServices", NetIds=[self.net])
                ips = [f"{ip['PublicIp']}/32" for nat in rows for ip in nat["PublicIps"]]
                self._rules(row, [*rules, ("Inbound", "tcp", 6443, 6443, ips)], is_authoritative)
            else:
                self._rules(row, rules, is_authoritative)

    def _rules(self, row, rules, is_authoritative):
        there = {
            (flow, each["IpProtocol"], each["FromPortRange"], each["ToPortRange"], ip_range)
            for flow in ("Inbound", "Outbound")
            for each in row[f"{flow}Rules"]
            for ip_range in each.get("IpRanges", ())
        }
        wanted = [(*head, ip_range) for *head, ranges in rules for ip_range in ranges]
        for each in dict.fromkeys(wanted):
            if each not in there:
                self._rule("Create", row["SecurityGroupId"], each)
        for each in sorted(there - set(wanted)) if is_authoritative else ():
            self._rule("Delete", row["SecurityGroupId"], each)

    def _rule(self, verb, id_, rule):
        flow, protocol, first, last, ip_range = rule
        ports = {"FromPortRange": first, "ToPortRange": last}
        rows = [{"IpProtocol": protocol, **ports, "IpRanges": [ip_range]}]
        self.call(f"{verb}SecurityGroupRule", SecurityGroupId=id_, Flow=flow, Rules=rows)

    def groups_of(self, role):
        """Return the ids of the groups that a machine of a role is made with."""
        return [self._group_id(name) for name, _, roles, *_ in self._specs() if role in roles]

    # --- Load balancer and bastion ---------------------------------------------------------------

    def _balancer(self):
        if "loadbalancer" in self.network.get("disable", ()):
            return
        spec = self.network.get("loadBalancer", {})
        name = spec.get("loadbalancername") or f"{self.cluster}-k8s"
        mark = f"{name}-{UID}"
        found = self.read("ReadLoadBalancers", LoadBalancerNames=[name])
        if found and not any(each["Value"] == mark for each in found[0]["Tags"]):
            raise NotYetError("A load balancer of this name exists already.")
        if found:
            self._endpoint(found[0])
            return
        port = 6443
        listener = {
            "LoadBalancerPort": port,
            "LoadBalancerProtocol": "TCP",
            "BackendPort": port,
            "BackendProtocol": "TCP",
        }
        groups = self.groups_of("loadbalancer")
        made = self.call(
            "CreateLoadBalancer",
            LoadBalancerName=name,
            LoadBalancerType=spec.get("loadbalancertype") or "internet-facing",
            Listeners=[listener],
            SecurityGroups=groups[:1],
            Subnets=[self._subnet_id(self._find("loadbalancer", spec.get("subnetname", "")))],
        )["LoadBalancer"]
        check = {
            "Protocol": "TCP",
            "Port": port,
            "CheckInterval": 10,
            "Timeout": 10,
            "HealthyThreshold": 2,
            "UnhealthyThreshold": 3,
        }
        self.call("UpdateLoadBalancer", LoadBalancerName=name, HealthCheck=check)
        tags = [{"Key": "Name", "Value": mark}]
        self.call("CreateLoadBalancerTags", LoadBalancerNames=[name], Tags=tags)
        self._endpoint(made)

    def _endpoint(self, row):
        self.object["spec"]["controlPlaneEndpoint"] = {"host": row["DnsName"], "port": 6443}

    def _bastion(self):
        spec = self.network.get("bastion", {})
        if not spec.get("enable"):
            return
        token = f"{spec.get('name') or 'bastion'}-{UID}"[-64:]
        rows = []
        if id_ := self._known("bastion", "default"):
            rows = self.read("ReadVms", VmIds=[id_])
        elif rows := self.read("ReadVms", ClientTokens=[token]):
            self._kept("bastion", "default", rows[0]["VmId"])
        if rows:
            if rows[0]["State"] != "running":
                raise NotYetError("The bastion is not running.")
            return
        name = spec.get("name") or f"Bastion for {self.cluster}"
        address = self._address("bastion", name)
        vm = self.call(
            "CreateVms",
            ImageId=spec["imageId"],
            VmType=spec.get("vmType", "tinav7.c1r1p2"),
            KeypairName=spec["keypairName"],
            SubnetId=self._subnet_id(self._find("bastion", spec.get("subnetName", ""))),
            SecurityGroupIds=self.groups_of("bastion"),
            BlockDeviceMappings=[
                {"DeviceName": "/dev/sda1", "Bsu": {"VolumeType": "gp2", "VolumeSize": 15}}
            ],
            UserData=user_data({"osc.fcu.eip.auto-attach": address["PublicIp"]}),
            ClientToken=token,
        )["Vms"][0]["VmId"]
        tags = [{"Key": "Name", "Value": name}]
        self.call("CreateTags", ResourceIds=[vm], Tags=tags)
        self._kept("bastion", "default", vm)
        raise NotYetError("The bastion is not running.")

    # --- Deletion --------------------------------------------------------------------------------

    def delete(self):
        """Delete it in one pass, which is killed, or fails at what takes its time."""
        with contextlib.suppress(driver.Killed, errors.ApiError):
            self._go()
        self.object["metadata"]["deletionTimestamp"] = "2026-11-29T01:00:00Z"
        return self

    def _go(self):
        if id_ := self._known("bastion", "default"):
            self.call("DeleteVms", VmIds=[id_])
        name = self.network.get("loadBalancer", {}).get("loadbalancername")
        name = name or f"{self.cluster}-k8s"
        if self.read("ReadLoadBalancers", LoadBalancerNames=[name]):
            self.call("DeleteLoadBalancer", LoadBalancerName=name)
        if self._uses_net:
            return
        for row in self.read("ReadNatServices", NetIds=[self.net]):
            self.call("DeleteNatService", NatServiceId=row["NatServiceId"])
        self.fake.clock.advance(120)
        for id_ in self.resources.get("publicIps", {}).values():
            row = self.read("ReadPublicIps", PublicIpIds=[id_])[0]
            if not any(each["Key"] == "OscK8sIPPool" for each in row["Tags"]):
                self.call("DeletePublicIp", PublicIpId=id_)
        self._go_on()

    def _go_on(self):
        for row in self.read("ReadNetAccessPoints", NetIds=[self.net]):
            self.call("DeleteNetAccessPoint", NetAccessPointId=row["NetAccessPointId"])
        for row in self.read("ReadRouteTables", NetIds=[self.net], LinkRouteTableMain=False):
            for link in row["LinkRouteTables"]:
                self.call("UnlinkRouteTable", LinkRouteTableId=link["LinkRouteTableId"])
            self.call("DeleteRouteTable", RouteTableId=row["RouteTableId"])
        for row in self.read("ReadSecurityGroups", NetIds=[self.net]):
            if row["SecurityGroupName"] != "default":
                self.call("DeleteSecurityGroup", SecurityGroupId=row["SecurityGroupId"])
        if gate := self._known("internetService", "default"):
            self.call("UnlinkInternetService", InternetServiceId=gate, NetId=self.net)
            self.call("DeleteInternetService", InternetServiceId=gate)
        for id_ in self.resources["subnet"].values():
            self.call("DeleteSubnet", SubnetId=id_)
        self.call("DeleteNet", NetId=self.net)

    # --- Taking over -----------------------------------------------------------------------------

    def taken_over(self):
        """Return a driver whose object is the one that the Go provider left."""
        run = driver.ClusterDriver({}, self.fake, name=self.cluster, far=self.far)
        run.object = conversion.convert(driver.copied(self.object), f"{GROUP}/v1beta2")
        return run


def user_data(tags, rest=""):
    """Return user data with the section that OUTSCALE reads."""
    lines = [f"tags.{key}={value}" for key, value in tags.items()]
    head = ["-----BEGIN OUTSCALE SECTION-----", "filter_private_section=true", *lines]
    text = "\n".join([*head, "-----END OUTSCALE SECTION-----", rest]) if tags else rest
    return base64.b64encode(text.encode()).decode()
