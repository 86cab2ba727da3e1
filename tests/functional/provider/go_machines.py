"""What the Go provider v1.5 does with an OscMachine, call by call, as far as it leaves traces.

https://github.com/outscale/cluster-api-provider-outscale
"""

from provider.api import conversion
from provider.osc import errors
from tests.functional.provider import driver, go_clusters, machine_driver

UID, GROUP, REGION = go_clusters.UID, go_clusters.GROUP, go_clusters.REGION
FINALIZER = "oscmachine.infrastructure.cluster.x-k8s.io"
BOOTSTRAP = f"#cloud-config\n# {machine_driver.CANARY}\n"


class GoMachine:
    """One OscMachine of the Go provider on a cluster of its own; ``object`` is in v1beta1."""

    def __init__(self, go, name, vm=None, *, labels=None, volumes=(), subregion=""):
        self.go = go
        self.name = name
        self.labels = {"cluster.x-k8s.io/cluster-name": go.cluster, **(labels or {})}
        self.subregion = subregion or go.network["subregionName"]
        image = go.read("ReadImages")[0]["ImageId"]
        disk = {"rootDiskSize": 40, "rootDiskType": "gp2"}
        given = {"imageId": image, "keypairName": "ops", "vmType": "tinav6.c4r8p1", **(vm or {})}
        self.vm = {"rootDisk": disk, **given}
        self.object = {
            "apiVersion": f"{GROUP}/v1beta1",
            "kind": "OscMachine",
            "metadata": {"name": name, "namespace": "default", "labels": {**self.labels}},
            "spec": {"node": {"vm": self.vm, "volumes": list(volumes)}},
        }
        self.resources = {}

    @property
    def role(self):
        return self.vm.get("role", "worker")

    @property
    def token(self):
        return f"{self.name}-{UID}"[-64:]

    def call(self, action, **request):
        return self.go.cloud.call(action, **request)

    def run(self, limit=20):
        """Reconcile until it is ready, or is killed, which leaves nothing in Kubernetes."""
        for _ in range(limit):
            before = driver.copied([self.resources, self.object["spec"]])
            try:
                is_ready = self._pass()
            except driver.Killed:
                self.resources, self.object["spec"] = before
                return self
            except errors.ApiError:
                is_ready = False
            self._write(is_ready=is_ready)
            self.go.fake.clock.advance(30)
            if is_ready:
                break
        return self

    def _write(self, *, is_ready):
        self.object["metadata"]["finalizers"] = [FINALIZER]
        status = {"resources": driver.copied(self.resources)}
        if is_ready:
            row = self._row
            status |= {
                "ready": True,
                "failureDomain": self.subregion,
                "addresses": [{"type": "InternalIP", "address": row["PrivateIp"]}],
                "reconcilerGeneration": {"vm": 1},
            }
        if "vm" in self.resources:
            status["vmState"] = self._row["State"]
        self.object["status"] = status

    @property
    def _row(self):
        ids = [self.resources["vm"]["default"]]
        return self.go.read("ReadVms", VmIds=ids)[0]

    def _pass(self):
        gpu = self._gpu()
        if "vm" not in self.resources:
            rows = self.go.read("ReadVms", ClientTokens=[self.token])
            row = rows[0] if rows else self._create()
            self.resources["vm"] = {"default": row["VmId"]}
            disks = row.get("BlockDeviceMappings") or ()
            self.resources["volumes"] = {
                each["DeviceName"]: each["Bsu"]["VolumeId"] for each in disks
            }
            self.object["spec"]["providerID"] = f"aws:///{self.subregion}/{row['VmId']}"
        row = self._row
        if gpu and gpu["State"] == "allocated":
            if row["State"] == "stopped":
                ids = {"FlexibleGpuId": gpu["FlexibleGpuId"], "VmId": row["VmId"]}
                self.call("LinkFlexibleGpu", **ids)
            return False
        if row["State"] == "stopped":
            self.call("StartVms", VmIds=[row["VmId"]])
        if row["State"] != "running":
            return False
        self._register(row)
        return True

    def _gpu(self):
        model = self.vm.get("fGPU", {}).get("model")
        if not model or "cluster.x-k8s.io/control-plane" in self.labels:
            return None
        known = self.resources.get("fGPU", {}).get("default")
        if not known:
            made = self.call(
                "CreateFlexibleGpu",
                ModelName=model,
                SubregionName=self.subregion,
                DeleteOnVmDeletion=True,
                Generation=self.vm["vmType"].removeprefix("tina").partition(".")[0],
            )["FlexibleGpu"]["FlexibleGpuId"]
            self._tag(made, Name=self.name)
            known = self.resources.setdefault("fGPU", {})["default"] = made
        return self.go.read("ReadFlexibleGpus", FlexibleGpuIds=[known])[0]

    def _tag(self, id_, **tags):
        pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
        self.call("CreateTags", ResourceIds=[id_], Tags=pairs)

    def _create(self):
        place = next(
            each
            for each in self.go._all_subnets()
            if self.role in each["roles"] and each["subregionName"] == self.subregion
        )
        tags = dict(self.vm.get("tags", {}))
        if self.vm.get("publicIp"):
            tags["osc.fcu.eip.auto-attach"] = self._address()["PublicIp"]
        self.resources["image"] = {"default": self.vm["imageId"]}
        disk = self.vm["rootDisk"]
        disks = [
            {
                "DeviceName": "/dev/sda1",
                "Bsu": {"VolumeType": disk["rootDiskType"], "VolumeSize": disk["rootDiskSize"]},
            }
        ]
        disks += [
            {
                "DeviceName": each["device"],
                "Bsu": {"VolumeType": each["volumeType"], "VolumeSize": each["size"]},
            }
            for each in self.object["spec"]["node"]["volumes"]
        ]
        row = self.call(
            "CreateVms",
            ImageId=self.vm["imageId"],
            KeypairName=self.vm["keypairName"],
            VmType=self.vm["vmType"],
            SubnetId=self.go._subnet_id(place),
            SecurityGroupIds=self.go.groups_of(self.role),
            BlockDeviceMappings=disks,
            UserData=go_clusters.user_data(tags, BOOTSTRAP),
            ClientToken=self.token,
            BootOnCreation=False if self.vm.get("fGPU") else None,
        )["Vms"][0]
        self._tag(row["VmId"], Name=self.name)
        return row

    def _address(self):
        known = self.resources.get("publicIps", {}).get("default")
        if known:
            return self.go.read("ReadPublicIps", PublicIpIds=[known])[0]
        if pool := self.vm.get("publicIpPool"):
            rows = self.go.read("ReadPublicIps", Tags=[f"OscK8sIPPool={pool}"])
            made = next(row for row in rows if not row.get("LinkPublicIpId"))
        else:
            made = self.call("CreatePublicIp")["PublicIp"]
            owner = {f"OscK8sClusterID/{UID}": "owned"}
            self._tag(made["PublicIpId"], Name=self.name, **owner)
        self.resources["publicIps"] = {"default": made["PublicIpId"]}
        return made

    def _register(self, row):
        disabled = "loadbalancer" in self.go.network.get("disable", ())
        if self.role == "controlplane" and not disabled:
            name = self.go.network.get("loadBalancer", {}).get("loadbalancername")
            name = name or f"{self.go.cluster}-k8s"
            balancer = self.go.read("ReadLoadBalancers", LoadBalancerNames=[name])[0]
            if row["VmId"] not in balancer["BackendVmIds"]:
                ids = {"LoadBalancerName": name, "BackendVmIds": [row["VmId"]]}
                self.call("LinkLoadBalancerBackendMachines", **ids)
        if not any(each["Key"] == "OscK8sNodeName" for each in row["Tags"]):
            owner = {f"OscK8sClusterID/{UID}": "owned"}
            self._tag(row["VmId"], OscK8sNodeName=row["PrivateDnsName"], **owner)


class Site:
    """A cluster of the Go provider and its machines, taken over together."""

    def __init__(self, go):
        self.go = go
        self.run = go.taken_over()
        self.fake = go.fake
        self.cloud = driver.Direct(self.fake)
        self.outside = driver.Direct(self.fake)
        self.clock = driver.FakeClock(self.fake)
        self.cluster = self.run.cluster
        self.machines = {}
        self.chance = machine_driver.random.Random(1)
        machine_driver.Site.restart(self)

    restart = machine_driver.Site.restart
    settle = machine_driver.Site.settle

    @property
    def osc_cluster(self):
        return self.run.object

    def take(self, machine):
        """Return the driver of a machine, with the object that the Go provider left."""
        run = machine_driver.MachineDriver(self, machine.name, labels=machine.labels)
        run.object = conversion.convert(driver.copied(machine.object), f"{GROUP}/v1beta2")
        run.object["metadata"].setdefault("generation", 1)
        self.machines[machine.name] = run
        return run
