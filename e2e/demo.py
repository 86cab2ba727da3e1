"""The main job on screen: an unmodified OUTSCALE client builds a small network and a VM.

Run it with ``make demo``. It starts ``fakecloud`` as a process of its own and needs no account.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import requests
from osc_sdk_python import Gateway
from osc_sdk_python.credentials import Endpoint

RATE = 30
"""Virtual seconds per real second: a VM that takes 20 s to boot does so while one watches."""
PATIENCE_S = 60.0
POLL_S = 0.1
REGION = "eu-west-2"


class Story:
    """Print what happens as it happens, with the time since the start."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    def tell(self, what: str, detail: str = "") -> None:
        """Print one line."""
        print(f"{time.monotonic() - self._start:6.1f} s  {what:<38} {detail}", flush=True)


@contextlib.contextmanager
def served() -> Iterator[str]:
    """Run a fakecloud server on a free port and yield its address."""
    command = [sys.executable, "-m", "fakecloud", "--port", "0", "--rate", str(RATE)]
    command += ["--auth", "verify", "--region", REGION]
    environment = {name: text for name, text in os.environ.items() if not name.startswith("OSC_")}
    environment |= {"OSC_ACCESS_KEY": "DEMOACCESSKEY0000001", "OSC_SECRET_KEY": "demo-secret-key"}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stderr is not None
        try:
            first = process.stderr.readline()
            found = re.search(r"http://\S+", first)
            if found is None:
                raise SystemExit(f"fakecloud did not start: {first}{process.stderr.read()}")
            yield found[0]
        finally:
            process.terminate()


def client(endpoint: str) -> Gateway:
    """Return osc-sdk-python's own Gateway, pointed at a server."""
    return Gateway(
        access_key="DEMOACCESSKEY0000001",
        secret_key="demo-secret-key",  # noqa: S106 - of the server that this demo starts
        region=REGION,
        endpoints=Endpoint(api=endpoint),
        limiter_max_requests=1000,
    )


def watch(
    story: Story, what: str, read: Callable[[], str], wanted: str, *, patience_s: float = PATIENCE_S
) -> None:
    """Print every state of a resource until it is the wanted one."""
    seen = ""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        state = read()
        if state != seen:
            story.tell(f"  {what} is {state}")
            seen = state
        if state == wanted:
            return
        time.sleep(POLL_S)
    raise SystemExit(f"{what} was {seen} after {patience_s} s, but should be {wanted}.")


def build(story: Story, gw: Gateway) -> dict[str, str]:
    """Build a Net with a subnet, a security group, a load balancer and a VM; return the ids."""
    net = gw.CreateNet(IpRange="10.0.0.0/16")["Net"]["NetId"]
    story.tell("CreateNet 10.0.0.0/16", net)
    subnet = gw.CreateSubnet(NetId=net, IpRange="10.0.1.0/24")["Subnet"]
    story.tell("CreateSubnet 10.0.1.0/24", f"{subnet['SubnetId']} in {subnet['SubregionName']}")
    internet = gw.CreateInternetService()["InternetService"]["InternetServiceId"]
    gw.LinkInternetService(InternetServiceId=internet, NetId=net)
    table = gw.ReadRouteTables(Filters={"NetIds": [net]})["RouteTables"][0]["RouteTableId"]
    gw.CreateRoute(RouteTableId=table, DestinationIpRange="0.0.0.0/0", GatewayId=internet)
    story.tell("CreateRoute 0.0.0.0/0", f"{table} -> {internet}")
    group = gw.CreateSecurityGroup(NetId=net, SecurityGroupName="web", Description="The web")
    group_id = group["SecurityGroup"]["SecurityGroupId"]
    gw.CreateSecurityGroupRule(
        SecurityGroupId=group_id,
        Flow="Inbound",
        IpProtocol="tcp",
        FromPortRange=80,
        ToPortRange=80,
        IpRange="0.0.0.0/0",
    )
    story.tell("CreateSecurityGroup web, tcp/80", group_id)
    balancer = gw.CreateLoadBalancer(
        LoadBalancerName="web",
        Subnets=[subnet["SubnetId"]],
        SecurityGroups=[group_id],
        Listeners=[
            {"BackendPort": 80, "LoadBalancerPort": 80, "LoadBalancerProtocol": "TCP"},
        ],
    )["LoadBalancer"]
    story.tell("CreateLoadBalancer web", balancer["DnsName"])
    image = gw.ReadImages(Filters={"ImageNames": ["Ubuntu*"]})["Images"][0]
    vm = gw.CreateVms(
        ImageId=image["ImageId"],
        VmType="tinav6.c2r4p2",
        SubnetId=subnet["SubnetId"],
        SecurityGroupIds=[group_id],
    )["Vms"][0]
    story.tell(f"CreateVms {vm['VmType']}", f"{vm['VmId']} {vm['PrivateIp']} {vm['State']}")
    return {
        "net": net, "subnet": subnet["SubnetId"], "group": group_id, "vm": vm["VmId"],
        "internet": internet, "table": table,
    }  # fmt: skip


def follow(story: Story, gw: Gateway, vm: str) -> None:
    """Wait for the VM and the load balancer, and put the one behind the other."""

    def vm_state() -> str:
        return str(gw.ReadVms(Filters={"VmIds": [vm]})["Vms"][0]["State"])

    def balancer_state() -> str:
        found = gw.ReadLoadBalancers(Filters={"LoadBalancerNames": ["web"]})["LoadBalancers"][0]
        return str(found.get("State", "active"))

    def health() -> str:
        found = gw.ReadVmsHealth(LoadBalancerName="web")["BackendVmHealth"]
        return str(found[0]["State"])

    watch(story, vm, vm_state, "running")
    watch(story, "load balancer web", balancer_state, "active")
    gw.LinkLoadBalancerBackendMachines(LoadBalancerName="web", BackendVmIds=[vm])
    story.tell("LinkLoadBalancerBackendMachines", f"{vm} behind web")
    watch(story, "backend", health, "UP")


def refuse(story: Story, gw: Gateway, ids: dict[str, str]) -> None:
    """Show that what is in use is not deleted."""
    try:
        gw.DeleteNet(NetId=ids["net"])
    except requests.HTTPError as error:
        found = error.response.json()["Errors"][0]
        story.tell("DeleteNet is refused, as it should be", f"{found['Type']} {found['Code']}")
    else:
        raise SystemExit("DeleteNet deleted a Net that is in use.")


def tear_down(story: Story, gw: Gateway, ids: dict[str, str]) -> None:
    """Delete everything, in the order that the cloud asks for."""
    gw.DeleteLoadBalancer(LoadBalancerName="web")
    gw.DeleteVms(VmIds=[ids["vm"]])
    story.tell("DeleteLoadBalancer, DeleteVms")

    def vm_state() -> str:
        return str(gw.ReadVms(Filters={"VmIds": [ids["vm"]]})["Vms"][0]["State"])

    def group_state() -> str:
        return _attempt(lambda: gw.DeleteSecurityGroup(SecurityGroupId=ids["group"]))

    watch(story, ids["vm"], vm_state, "terminated")
    watch(story, ids["group"], group_state, "deleted")
    gw.DeleteRoute(RouteTableId=ids["table"], DestinationIpRange="0.0.0.0/0")
    watch(
        story,
        ids["internet"],
        lambda: _attempt(
            lambda: gw.UnlinkInternetService(InternetServiceId=ids["internet"], NetId=ids["net"])
        ),
        "deleted",
    )
    gw.DeleteInternetService(InternetServiceId=ids["internet"])
    gw.DeleteSubnet(SubnetId=ids["subnet"])
    gw.DeleteNet(NetId=ids["net"])
    left = gw.ReadNets(Filters={"States": ["available"]})["Nets"]
    story.tell("DeleteSubnet, DeleteNet", f"{len(left)} Nets left")


def _attempt(call: Callable[[], Any]) -> str:
    try:
        call()
    except requests.HTTPError as error:
        found = error.response.json()["Errors"][0]
        return f"still in use ({found['Code']})"
    return "deleted"


def main() -> None:
    """Tell the whole story."""
    story = Story()
    story.tell("Starting fakecloud", f"{RATE} virtual seconds per second, signatures verified")
    with served() as endpoint:
        story.tell("fakecloud serves", endpoint)
        story.tell("Starting osc-sdk-python", "it reads its 1 MB document, which takes seconds")
        gw = client(endpoint)
        ids = build(story, gw)
        follow(story, gw, ids["vm"])
        refuse(story, gw, ids)
        tear_down(story, gw, ids)
    story.tell("Done", "the cloud is empty again")


if __name__ == "__main__":
    main()
