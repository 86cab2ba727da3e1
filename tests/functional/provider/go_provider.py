"""What the Go provider v1.x leaves: cloud resources with its tags, and objects with its status.

https://github.com/outscale/cluster-api-provider-outscale
"""

from provider.api import conversion
from tests.functional.provider import clusters, driver, worlds

UID = driver.UID
HERE = "eu-west-2a"
PUBLIC, WORKER, CONTROL_PLANE = "10.0.2.0/24", "10.0.3.0/24", "10.0.4.0/24"
ROLES = {
    PUBLIC: ("Public", ["loadbalancer", "bastion", "nat"]),
    WORKER: ("Worker", ["worker"]),
    CONTROL_PLANE: ("Controlplane", ["controlplane"]),
}
NET, ANY = "10.0.0.0/16", "0.0.0.0/0"
RULES = {
    "lb": [("Inbound", "tcp", 6443, 6443, ANY), ("Outbound", "tcp", 6443, 6443, CONTROL_PLANE)],
    "worker": [
        ("Inbound", "tcp", 443, 443, CONTROL_PLANE),
        ("Inbound", "tcp", 1024, 65535, CONTROL_PLANE),
        ("Inbound", "tcp", 10250, 10250, WORKER),
        ("Inbound", "tcp", 10250, 10250, CONTROL_PLANE),
    ],
    "controlplane": [
        ("Inbound", "tcp", 6443, 6443, NET),
        ("Inbound", "tcp", 2378, 2380, CONTROL_PLANE),
        ("Inbound", "tcp", 10250, 10252, CONTROL_PLANE),
    ],
    "node": [
        ("Inbound", "tcp", 179, 179, NET),
        ("Inbound", "udp", 4789, 4789, NET),
        ("Inbound", "udp", 5473, 5473, NET),
        ("Inbound", "4", -1, -1, NET),
        ("Inbound", "icmp", 8, 8, NET),
        ("Inbound", "tcp", 30000, 32767, NET),
        ("Outbound", "-1", -1, -1, NET),
        ("Outbound", "-1", -1, -1, ANY),
    ],
    "bastion": [
        ("Inbound", "tcp", 22, 22, ANY),
        ("Outbound", "tcp", 22, 22, NET),
        ("Outbound", "-1", -1, -1, ANY),
    ],
}


class Left:
    """A cluster that the Go provider made, in a cloud; ``has_bastion`` says with a bastion."""

    def __init__(self, fake, *, has_bastion=False):
        self.fake = fake
        self.cloud = driver.Direct(fake)
        self.has_bastion = has_bastion
        self.resources = {}
        self._network()
        self._groups()
        self._balancer()
        if has_bastion:
            self._bastion()
        fake.clock.advance(300)

    def call(self, action, **request):
        return self.cloud.call(action, **request)

    def _tag(self, id_, name, roles=(), **more):
        tags = {clusters.OWNED: "owned", "Name": name} | {f"OscK8sRole/{r}": "" for r in roles}
        pairs = [{"Key": key, "Value": value} for key, value in {**tags, **more}.items()]
        self.call("CreateTags", ResourceIds=[id_], Tags=pairs)

    def _kept(self, kind, key, id_):
        self.resources.setdefault(kind, {})[key] = id_
        return id_

    def _network(self):
        net = self.call("CreateNet", IpRange=NET)["Net"]["NetId"]
        self.net = self._kept("net", "default", net)
        self._tag(net, "Net for demo")
        self.subnets, names = {}, {}
        for ip_range, (kind, roles) in ROLES.items():
            made = self.call("CreateSubnet", NetId=net, IpRange=ip_range, SubregionName=HERE)
            self.subnets[ip_range] = self._kept("subnet", ip_range, made["Subnet"]["SubnetId"])
            names[ip_range] = f"{kind} subnet for demo/{HERE}"
            self._tag(self.subnets[ip_range], names[ip_range], roles)
        gate = self.call("CreateInternetService")["InternetService"]["InternetServiceId"]
        self._tag(self._kept("internetService", "default", gate), "Internet Service for demo")
        self.call("LinkInternetService", InternetServiceId=gate, NetId=net)
        self._table(names[PUBLIC], PUBLIC, GatewayId=gate)
        address = self.call("CreatePublicIp")["PublicIp"]["PublicIpId"]
        token = f"{HERE}-{UID}"
        self._tag(self._kept("publicIps", token, address), f"Nat service for demo/{HERE}")
        nat = self.call(
            "CreateNatService",
            PublicIpId=address,
            SubnetId=self.subnets[PUBLIC],
            ClientToken=token,
        )["NatService"]["NatServiceId"]
        self._tag(self._kept("natService", token, nat), f"Nat service for demo/{HERE}")
        self.fake.clock.advance(60)
        for ip_range in (WORKER, CONTROL_PLANE):
            self._table(names[ip_range], ip_range, NatServiceId=nat)

    def _table(self, name, ip_range, **aim):
        table = self.call("CreateRouteTable", NetId=self.net)["RouteTable"]["RouteTableId"]
        self._tag(table, name)
        self.call("LinkRouteTable", RouteTableId=table, SubnetId=self.subnets[ip_range])
        self.call("CreateRoute", RouteTableId=table, DestinationIpRange=ANY, **aim)

    def _groups(self):
        self.groups = {}
        roles = {"lb": ["loadbalancer"], "node": ["controlplane", "worker"]}
        for key, rules in RULES.items():
            if key == "bastion" and not self.has_bastion:
                continue
            name = f"demo-{key}-{UID}"
            id_ = self.call(
                "CreateSecurityGroup",
                NetId=self.net,
                SecurityGroupName=name,
                Description=f"{key} securityGroup for demo",
            )["SecurityGroup"]["SecurityGroupId"]
            self.groups[key] = self._kept("securityGroup", name, id_)
            more = {f"OscK8sMainSG/{UID}": "True"} if key == "node" else {}
            self._tag(id_, f"demo-{key}", roles.get(key, [key]), **more)
            if ("Outbound", "-1", -1, -1, ANY) not in rules:
                self._rule("Delete", id_, "Outbound", "-1", -1, -1, ANY)
            for rule in rules:
                if rule != ("Outbound", "-1", -1, -1, ANY):
                    self._rule("Create", id_, *rule)

    def _rule(self, verb, group, flow, protocol, first, last, ip_range):
        ports = {"FromPortRange": first, "ToPortRange": last}
        rule = {"IpProtocol": protocol, **ports, "IpRanges": [ip_range]}
        self.call(f"{verb}SecurityGroupRule", SecurityGroupId=group, Flow=flow, Rules=[rule])

    def _balancer(self):
        made = self.create_balancer()
        self.host = made["DnsName"]
        self.fake.clock.advance(60)
        check = {
            "Protocol": "TCP",
            "Port": 6443,
            "CheckInterval": 10,
            "Timeout": 10,
            "HealthyThreshold": 2,
            "UnhealthyThreshold": 3,
        }
        self.call("UpdateLoadBalancer", LoadBalancerName="demo-k8s", HealthCheck=check)
        name = [{"Key": "Name", "Value": f"demo-k8s-{UID}"}]
        self.call("CreateLoadBalancerTags", LoadBalancerNames=["demo-k8s"], Tags=name)

    def create_balancer(self):
        listener = {
            "LoadBalancerPort": 6443,
            "LoadBalancerProtocol": "TCP",
            "BackendPort": 6443,
            "BackendProtocol": "TCP",
        }
        return self.call(
            "CreateLoadBalancer",
            LoadBalancerName="demo-k8s",
            LoadBalancerType="internet-facing",
            Listeners=[listener],
            SecurityGroups=[self.groups["lb"]],
            Subnets=[self.subnets[PUBLIC]],
        )["LoadBalancer"]

    def _bastion(self):
        if not self.cloud.read("ReadKeypairs"):
            worlds.keypair(self.fake)
        address = self.call("CreatePublicIp")["PublicIp"]
        self._tag(self._kept("publicIps", "bastion", address["PublicIpId"]), "Bastion for demo")
        self.image = self.cloud.read("ReadImages")[0]["ImageId"]
        vm = self.call(
            "CreateVms",
            ImageId=self.image,
            VmType="tinav7.c1r1p2",
            KeypairName="ops",
            SubnetId=self.subnets[PUBLIC],
            SecurityGroupIds=[self.groups["bastion"]],
            ClientToken=f"bastion-{UID}",
        )["Vms"][0]["VmId"]
        # A bastion gets no tag but its name; its address is linked by its user data.
        name = [{"Key": "Name", "Value": "Bastion for demo"}]
        self.call("CreateTags", ResourceIds=[self._kept("bastion", "default", vm)], Tags=name)
        self.fake.clock.advance(60)
        self.call("LinkPublicIp", VmId=vm, PublicIpId=address["PublicIpId"])

    # --- Kubernetes ------------------------------------------------------------------------------

    def object(self):
        """Return the OscCluster, as version v1beta2 shows it."""
        network = {"subregionName": HERE, "loadBalancer": {"loadbalancername": "demo-k8s"}}
        if self.has_bastion:
            network["bastion"] = {"enable": True, "imageId": self.image, "keypairName": "ops"}
        types = ("NetReady", "SubnetsReady", "VmReady")
        old = {
            "apiVersion": "infrastructure.cluster.x-k8s.io/v1beta1",
            "kind": "OscCluster",
            "metadata": {
                "name": "demo",
                "namespace": "default",
                "generation": 3,
                "finalizers": ["oscclusters.infrastructure.cluster.x-k8s.io"],
                "labels": {
                    "cluster.x-k8s.io/cluster-name": "demo",
                    "outscale.com/clusterUID": UID,
                },
            },
            "spec": {
                "controlPlaneEndpoint": {"host": self.host, "port": 6443},
                "network": network,
            },
            "status": {
                "ready": True,
                "failureDomains": {HERE: {"controlPlane": True}},
                "resources": self.resources,
                "reconcilerGeneration": {"net": 3, "subnet": 3},
                "conditions": [
                    {
                        "type": each,
                        "status": "True",
                        "lastTransitionTime": "2026-01-02T03:04:05Z",
                    }
                    for each in types
                ],
            },
        }
        return conversion.convert(old, "infrastructure.cluster.x-k8s.io/v1beta2")

    def taken_over(self):
        """Return a driver whose object is the one that the Go provider left."""
        run = driver.ClusterDriver({}, self.fake)
        run.object = self.object()
        return run
