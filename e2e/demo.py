"""The main job on screen: a cluster on a simulated cloud, from ``kubectl apply`` to nothing left.

Run it with ``make demo``. It starts fakecloud, fakekube and the manager as processes and needs no
account. Cluster API's own controllers are not part of it: what they do to the objects of a provider
(owners, bootstrap data, deletion of machines first) is done here, and said on screen.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import requests
import yaml

from e2e import processes
from e2e.kube import CORE, INFRASTRUCTURE, Kube, Object

RATE = 60
"""Virtual seconds of the cloud per real second: a VM that takes 20 s to boot is soon there."""
SYNC_S = 4
PATIENCE_S = 60.0
POLL_S = 0.1
TOKEN = "demo"  # noqa: S105 - of the server that this demo starts
KEYS = {
    "OSC_ACCESS_KEY": "DEMOACCESSKEY0000001",
    "OSC_SECRET_KEY": "demo-secret-key",
    "OSC_REGION": "eu-west-2",
}
NAME = "demo"
HERE = Path(__file__).parent
EVENTS = "events.k8s.io/v1"
MACHINES = {f"{NAME}-control-plane-0": "controlplane", f"{NAME}-md-0-a": "worker"} | {
    f"{NAME}-md-0-b": "worker"
}


class Story:
    """Prints what happens as it happens, with the time since the start."""

    def __init__(self) -> None:
        """Begin now."""
        self._start = time.monotonic()

    def chapter(self, title: str) -> None:
        """Print a headline."""
        print()
        self._print(f"{time.monotonic() - self._start:5.1f} s  {title}", 9)

    def tell(self, who: str, what: str) -> None:
        """Print one line."""
        took = time.monotonic() - self._start
        self._print(f"{took:5.1f} s    {who:<20} {what}", 32)

    def _print(self, line: str, indent: int) -> None:
        """Print a line; on a terminal, what does not fit goes below where the line began."""
        if sys.stdout.isatty():
            width = max(shutil.get_terminal_size().columns - 1, 2 * indent)
            line = textwrap.fill(
                line,
                width,
                subsequent_indent=" " * indent,
                break_on_hyphens=False,
                drop_whitespace=True,
                replace_whitespace=False,
            )
        print(line, flush=True)


class Cloud:
    """The simulated cloud, spoken to as anybody with an account does."""

    def __init__(self, url: str) -> None:
        """Use the API at this address."""
        self.url = url
        self._told = 0

    def news(self) -> list[str]:
        """Return the changes that were made since the last time, in the words of the API."""
        rows = requests.get(f"{self._root}/_fakecloud/journal", timeout=10).json()
        fresh = rows[self._told :]
        self._told = len(rows)
        return [_said(row) for row in fresh if not row["action"].startswith("Read")]

    @property
    def _root(self) -> str:
        return self.url.removesuffix("/api/v1")

    def call(self, action: str, **request: Any) -> dict[str, Any]:
        """Carry out an action."""
        answer = requests.post(f"{self.url}/{action}", json=request, timeout=10)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def count(self) -> dict[str, int]:
        """Return how many of each there are, without what every account has."""
        rows = {
            "Nets": self.call("ReadNets")["Nets"],
            "load balancers": self.call("ReadLoadBalancers")["LoadBalancers"],
            "public IPs": self.call("ReadPublicIps")["PublicIps"],
            "VMs": self.call("ReadVms")["Vms"],
        }
        over = ("terminated", "deleted")
        return {
            name: sum(row.get("State") not in over for row in found) for name, found in rows.items()
        }


_SUBJECTS = (
    "IpRange",
    "DestinationIpRange",
    "SecurityGroupName",
    "LoadBalancerName",
    "VmType",
    "SubnetId",
    "SecurityGroupId",
    "RouteTableId",
    "NetId",
    "PublicIpId",
    "NatServiceId",
    "InternetServiceId",
    "LinkRouteTableId",
)
"""What of a request says best what it is about, best first."""


def _said(row: dict[str, Any]) -> str:
    request = row["request"]
    about = next((str(request[each]) for each in _SUBJECTS if request.get(each)), "")
    several = request.get("ResourceIds") or request.get("VmIds") or ()
    about = about or ", ".join(several)
    refused = f"   refused: {row['code']}" if row.get("code") else ""
    return f"{row['action']} {about}{refused}".rstrip()


# --- What the user applies, and what Cluster API adds to it --------------------------------------


def install(kube: Kube, release: Path) -> int:
    """Install the definitions of the release, and of Cluster API's Cluster and Machine."""
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    components = release / "infrastructure-components.yaml"
    documents = [
        *yaml.safe_load_all((HERE / "core.yaml").read_text()),
        *yaml.safe_load_all(components.read_text()),
    ]
    definitions = [each for each in documents if each["kind"] == "CustomResourceDefinition"]
    for each in definitions:
        # Only one version is used here, so that nothing has to be converted.
        each["spec"].pop("conversion", None)
        kube.must("POST", path, each)
    for each in definitions:
        group, plural = each["spec"]["group"], each["spec"]["names"]["plural"]
        place = f"/apis/{group}/v1beta2/{plural}"
        wait(f"{plural} to be served", functools.partial(_is_served, kube, place))
    return len(definitions)


def _is_served(kube: Kube, place: str) -> bool:
    return kube.ask("GET", place).ok


def apply(kube: Kube) -> None:
    """Create what the manifest has, and play the owner of each object."""
    documents = list(yaml.safe_load_all((HERE / "demo.yaml").read_text()))
    plurals = {"Cluster": "clusters", "OscCluster": "oscclusters"}
    owner: Object = {}
    for each in documents:
        if each["kind"] == "OscCluster":
            each["metadata"]["ownerReferences"] = [_owner(owner)]
        made = kube.create(plurals[each["kind"]], each)
        owner = made if each["kind"] == "Cluster" else owner


def _owner(of: Object) -> Object:
    metadata = of["metadata"]
    names = {"name": metadata["name"], "uid": metadata["uid"]}
    return {"apiVersion": of["apiVersion"], "kind": of["kind"], **names}


def add_machines(kube: Kube, image: str) -> None:
    """Create machines with their bootstrap data, as the providers of both do."""
    labels = {"cluster.x-k8s.io/cluster-name": NAME}
    for name, role in MACHINES.items():
        data = base64.b64encode(b"#cloud-config\n{}\n").decode()
        secret = {"apiVersion": "v1", "kind": "Secret", "type": "cluster.x-k8s.io/secret"}
        kube.create(
            "secrets",
            {**secret, "metadata": {"name": name, "labels": labels}, "data": {"value": data}},
        )
        marks = {"cluster.x-k8s.io/control-plane": ""} if role == "controlplane" else {}
        reference = {"apiGroup": "infrastructure.cluster.x-k8s.io", "kind": "OscMachine"}
        machine = kube.create(
            "machines",
            {
                "apiVersion": CORE,
                "kind": "Machine",
                "metadata": {"name": name, "labels": {**labels, **marks}},
                "spec": {
                    "clusterName": NAME,
                    "bootstrap": {"dataSecretName": name},
                    "infrastructureRef": {**reference, "name": name},
                },
            },
        )
        vm = {"role": role, "keypairName": "demo", "image": {"id": image}}
        kube.create(
            "oscmachines",
            {
                "apiVersion": INFRASTRUCTURE,
                "kind": "OscMachine",
                "metadata": {
                    "name": name,
                    "labels": {**labels, **marks},
                    "ownerReferences": [_owner(machine)],
                },
                "spec": {"vm": {**vm, "rootDisk": {"size": 20, "type": "gp2"}}},
            },
        )


# --- Watching ------------------------------------------------------------------------------------


class Watcher:
    """Tells what the manager reports, and how the conditions of an object change."""

    def __init__(self, kube: Kube, cloud: Cloud, story: Story) -> None:
        """Begin with nothing told."""
        self._kube = kube
        self._cloud = cloud
        self._story = story
        self._told: set[str] = set()
        self._ready: dict[str, str] = {}

    def look(self) -> None:
        """Tell what is new: calls of the cloud, warnings, and what objects say of themselves."""
        for line in self._cloud.news():
            self._story.tell("  cloud", line)
        for event in self._kube.items(EVENTS, "events"):
            name = event["metadata"]["name"]
            if name not in self._told:
                self._told.add(name)
                if event["type"] == "Warning":
                    note = event["note"].splitlines()[0]
                    self._story.tell(event["regarding"]["name"], f"{event['reason']}: {note}")
        for plural in ("oscclusters", "oscmachines"):
            for each in self._kube.items(INFRASTRUCTURE, plural):
                self._conditions(each)

    def _conditions(self, each: Object) -> None:
        rows = (each.get("status") or {}).get("conditions") or ()
        for row in (row for row in rows if row["type"] == "Ready"):
            key = f"{each['kind']}/{each['metadata']['name']}"
            said = f"Ready is {row['status']}, {row['reason']}"
            if self._ready.get(key) != said:
                self._ready[key] = said
                self._story.tell(each["metadata"]["name"], f"{each['kind']}: {said}")


def wait(what: str, done: Callable[[], bool], look: Callable[[], None] = lambda: None) -> None:
    """Look again and again until something is done; raise ``SystemExit`` when it takes too long."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        look()
        if done():
            look()
            return
        time.sleep(POLL_S)
    raise SystemExit(f"Waited {PATIENCE_S:.0f} s for {what}.")


def provisioned(kube: Kube, plural: str, name: str) -> bool:
    """Tell whether an object says that it is there."""
    status = (kube.get(INFRASTRUCTURE, plural, name) or {}).get("status") or {}
    return bool((status.get("initialization") or {}).get("provisioned"))


def ready(kube: Kube, plural: str, name: str) -> Object:
    """Return the condition Ready of an object."""
    status = (kube.get(INFRASTRUCTURE, plural, name) or {}).get("status") or {}
    rows = [row for row in status.get("conditions") or () if row["type"] == "Ready"]
    return rows[0] if rows else {}


# --- The chapters --------------------------------------------------------------------------------


def grow(kube: Kube, story: Story, watcher: Watcher, cloud: Cloud) -> None:
    """From ``kubectl apply`` to a cluster with three machines."""
    story.chapter("kubectl apply -f e2e/demo.yaml   (a Cluster and an OscCluster)")
    apply(kube)
    wait("the cluster", lambda: provisioned(kube, "oscclusters", NAME), watcher.look)
    endpoint = (kube.get(INFRASTRUCTURE, "oscclusters", NAME) or {})["spec"]["controlPlaneEndpoint"]
    story.tell(NAME, f"the Kubernetes API is reached at {endpoint['host']}:{endpoint['port']}")
    story.chapter("A control plane machine and two workers   (as Cluster API creates them)")
    cloud.call("CreateKeypair", KeypairName="demo")
    add_machines(kube, cloud.call("ReadImages")["Images"][0]["ImageId"])
    wait(
        "the machines",
        lambda: all(provisioned(kube, "oscmachines", name) for name in MACHINES),
        watcher.look,
    )
    for name in MACHINES:
        found = kube.get(INFRASTRUCTURE, "oscmachines", name) or {}
        story.tell(name, f"is {found['spec']['providerID']}")


def show(kube: Kube, story: Story, cloud: Cloud) -> None:
    """Draw what is there, as ``caposc plan`` sees it."""
    story.chapter("caposc plan -f -   (the network as it is, and what is left to do)")
    found = kube.get(INFRASTRUCTURE, "oscclusters", NAME)
    command = [sys.executable, "-m", "provider", "plan", "-f", "-"]
    environment = {**KEYS, "OSC_ENDPOINT_API": cloud.url}
    answer = subprocess.run(
        command,
        input=yaml.safe_dump(found),
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    print("\n" + (answer.stdout or answer.stderr), flush=True)
    if answer.returncode:
        raise SystemExit("The cluster is said to be ready, but the plan has something to do.")


def lose_a_vm(kube: Kube, story: Story, watcher: Watcher, cloud: Cloud) -> None:
    """Somebody terminates the VM of a worker."""
    name = list(MACHINES)[-1]
    found = kube.get(INFRASTRUCTURE, "oscmachines", name) or {}
    vm_id = found["spec"]["providerID"].rsplit("/", 1)[-1]
    story.chapter(f"Somebody terminates {vm_id} behind our back")
    cloud.call("DeleteVms", VmIds=[vm_id])
    wait("the report", lambda: _reports(kube, name), watcher.look)
    story.tell(name, ready(kube, "oscmachines", name)["message"])
    running = sum(row["State"] == "running" for row in cloud.call("ReadVms")["Vms"])
    told = f"no second VM is made for it ({running} run): a MachineHealthCheck replaces it"
    story.tell(name, told)


def _reports(kube: Kube, name: str) -> bool:
    """Tell whether a machine says that it is not ready.

    Nothing tells a controller what happens in the cloud, so it looks once a minute or so. A changed
    object makes it look now.
    """
    if ready(kube, "oscmachines", name)["status"] == "False":
        return True
    look = {"metadata": {"annotations": {"demo/look": f"{time.monotonic():.0f}"}}}
    kube.patch(INFRASTRUCTURE, "oscmachines", name, look)
    return False


def go(kube: Kube, story: Story, watcher: Watcher, cloud: Cloud) -> None:
    """Delete the cluster as Cluster API does: machines first."""
    story.chapter("kubectl delete cluster demo   (machines first, as Cluster API deletes them)")
    for name in MACHINES:
        kube.delete(INFRASTRUCTURE, "oscmachines", name)
    wait("the machines to go", lambda: not kube.items(INFRASTRUCTURE, "oscmachines"), watcher.look)
    kube.delete(INFRASTRUCTURE, "oscclusters", NAME)
    wait("the cluster to go", lambda: not kube.items(INFRASTRUCTURE, "oscclusters"), watcher.look)
    left = cloud.count()
    story.tell("cloud", ", ".join(f"{count} {name}" for name, count in left.items()))
    if any(left.values()):
        raise SystemExit("Something was left in the cloud.")


@contextlib.contextmanager
def stage(story: Story, folder: Path) -> Iterator[tuple[Kube, Cloud]]:
    """Run the cloud, the Kubernetes API and the manager."""
    story.chapter("Starting fakecloud, fakekube and the manager")
    release = folder / "infrastructure-outscale" / "v0.1.0"
    write = [sys.executable, "-m", "provider", "manifests"]
    write += ["--output", str(folder), "--version", "v0.1.0"]
    subprocess.run(write, check=True, stdout=subprocess.DEVNULL)
    cloud_log, kube_log = folder / "fakecloud.log", folder / "fakekube.log"
    kubeconfig = folder / "kubeconfig"
    serve_cloud = ["fakecloud", "--port", "0", "--rate", str(RATE), "--auth", "none"]
    serve_kube = ["fakekube", "--port", "0", "--token", TOKEN, "--kubeconfig", str(kubeconfig)]
    with (
        processes.running("fakecloud", serve_cloud, cloud_log, KEYS) as cloud_process,
        processes.running("fakekube", serve_kube, kube_log) as kube_process,
    ):
        cloud = Cloud(processes.address("fakecloud", cloud_process, cloud_log))
        url = processes.address("fakekube", kube_process, kube_log)
        kube = Kube(url, TOKEN)
        story.tell("fakecloud", f"{cloud.url}, {RATE} virtual seconds per second")
        story.tell("fakekube", f"{url}, {install(kube, release)} definitions installed")
        manage = [
            "provider",
            "manager",
            "--kubeconfig",
            str(kubeconfig),
            "--leader-elect=false",
            # The cloud lives faster than others do, so that it is looked at more often.
            f"--sync-period={SYNC_S}s",
            "--webhook-port=0",
        ]
        manage += ["--metrics-bind-address=127.0.0.1:0", "--health-probe-bind-address=127.0.0.1:0"]
        environment = {**KEYS, "OSC_ENDPOINT_API": cloud.url}
        with processes.running("manager", manage, folder / "manager.log", environment):
            story.tell("caposc manager", f"its log is {folder / 'manager.log'}")
            yield kube, cloud


def main() -> None:
    """Tell the whole story."""
    story = Story()
    folder = Path(tempfile.mkdtemp(prefix="caposc-demo-"))
    try:
        tell(story, folder)
    except KeyboardInterrupt:
        raise SystemExit("\nStopped. Nothing runs any more.") from None
    except BrokenPipeError:
        # Whoever read this has seen enough, and nothing more can be told.
        os._exit(1)


def tell(story: Story, folder: Path) -> None:
    """Let all of it happen."""
    with stage(story, folder) as (kube, cloud):
        watcher = Watcher(kube, cloud, story)
        grow(kube, story, watcher, cloud)
        show(kube, story, cloud)
        lose_a_vm(kube, story, watcher, cloud)
        go(kube, story, watcher, cloud)
    story.chapter("Done: everything is gone, and nothing else was touched.")


if __name__ == "__main__":
    main()
