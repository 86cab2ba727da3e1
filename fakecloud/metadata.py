"""The metadata service: what a VM reads about itself at http://169.254.169.254/.

The paths are a tree of directories and texts, made anew for each request. Whoever listens for a
VM passes its requests on to :func:`answer`.

https://docs.outscale.com/en/userguide/Accessing-the-Metadata-and-User-Data-of-a-VM.html
"""

from __future__ import annotations

import hashlib
import urllib.parse
from typing import TYPE_CHECKING, Any

from fakecloud.kinds import Data
from fakecloud.rows import Row
from fakecloud.rules import addresses, nics, user_data
from fakecloud.store import Store

if TYPE_CHECKING:
    from fakecloud.cloud import FakeCloud

Tree = dict[str, Any]
NOT_FOUND = (404, "")
VERSIONS = ("2007-01-19", "2008-02-01", "2009-04-04", "latest")
"""The first part of a path. All versions have the same content."""


class Labelled(Tree):
    """A directory that its parent lists with a label instead of its name and a slash."""

    def __init__(self, label: str, entries: Tree) -> None:
        super().__init__(entries)
        self.label = label


def answer(cloud: FakeCloud, vm_id: str, path: str) -> tuple[int, str]:
    """Return the HTTP status and the text of a path, as a VM gets it.

    200 with one line per entry for a directory; 404 for anything that is not there, and for a VM
    that is unknown or terminated. User data that is no UTF-8 comes with surrogate escapes:
    ``text.encode("utf-8", "surrogateescape")`` gives its bytes back.
    """
    with cloud.lock:
        for store in cloud.regions.values():
            store.settle()
            vm = store.row("Vm", vm_id)
            if vm is not None and vm.is_live:
                return _walk(_tree(store, vm), path)
    return NOT_FOUND


def _walk(tree: Tree, path: str) -> tuple[int, str]:
    names = [urllib.parse.unquote(name) for name in path.partition("?")[0].split("/") if name]
    if not names:
        return 200, "\n".join(VERSIONS)
    version, *names = names
    if version not in VERSIONS:
        return NOT_FOUND
    found: Any = tree
    for depth, name in enumerate(names):
        if name == "tags" and depth == 1 and len(names) > depth + 1:
            # The key of a tag may hold slashes.
            value = found.get("tags", {}).get("/".join(names[depth + 1 :]))
            return NOT_FOUND if value is None else (200, value)
        if not isinstance(found, dict) or name not in found:
            return NOT_FOUND
        found = found[name]
    return 200, _listing(found) if isinstance(found, dict) else found


def _listing(directory: Tree) -> str:
    lines = []
    for name, inside in directory.items():
        if isinstance(inside, Labelled):
            lines.append(inside.label)
        else:
            lines.append(f"{name}/" if isinstance(inside, dict) else name)
    return "\n".join(lines)


def _tree(store: Store, vm: Row) -> Tree:
    """Return everything that a VM may read; what it has not is left out."""
    shown = store.view(vm)
    tree: Tree = {"meta-data": _meta_data(store, vm, shown)}
    if shown.get("UserData"):
        raw = user_data.public_part(shown["UserData"])
        tree["user-data"] = raw.decode("utf-8", "surrogateescape")
    return tree


def _meta_data(store: Store, vm: Row, shown: Data) -> Tree:
    interfaces = _interfaces(store, vm, shown)
    tree: Tree = {
        "ami-id": shown["ImageId"],
        "ami-launch-index": str(shown["LaunchNumber"]),
        "block-device-mapping": _devices(shown),
        "hostname": shown["PrivateDnsName"],
        "instance-id": vm.id,
        "instance-type": shown["VmType"],
        "local-hostname": shown["PrivateDnsName"],
        "local-ipv4": shown["PrivateIp"],
        "mac": next(iter(interfaces)),
        "network": {"interfaces": {"macs": interfaces}},
        "placement": {
            "availability-zone": shown["Placement"]["SubregionName"],
            "cluster": vm["_Cluster"],
            "server": vm["_Server"],
        },
    }
    if "PublicIp" in shown:
        tree["public-hostname"] = shown["PublicDnsName"]
        tree["public-ipv4"] = shown["PublicIp"]
    key = _public_key(store, vm)
    if key:
        name = shown["KeypairName"]
        tree["public-keys"] = {"0": Labelled(f"0={name}", {"openssh-key": f"{key} {name}"})}
    tree["reservation-id"] = shown["ReservationId"]
    tree["security-groups"] = _names(shown["SecurityGroups"])
    if shown["Tags"]:
        tree["tags"] = {tag["Key"]: tag["Value"] for tag in shown["Tags"]}
    return tree


def _devices(shown: Data) -> Tree:
    """Return the devices: the root twice, under its two names, then the others by number."""
    root = shown["RootDeviceName"]
    others = [item["DeviceName"] for item in shown["BlockDeviceMappings"]]
    others = [name for name in others if name != root]
    numbered = {f"ebs{number}": name for number, name in enumerate(others, 1)}
    return {"ami": root, **numbered, "root": root}


def _interfaces(store: Store, vm: Row, shown: Data) -> Tree:
    """Return the network interfaces by MAC address, the primary one first."""
    if not shown.get("Nics"):
        digits = hashlib.sha256(vm.id.encode()).hexdigest()
        mac = nics.mac(digits[:8])
        return {mac: _interface(mac, 0, vm.account, shown, [shown["PrivateIp"]])}
    found = {}
    for nic in shown["Nics"]:
        ips = [each["PrivateIp"] for each in nic["PrivateIps"]]
        number = nic["LinkNic"]["DeviceNumber"]
        mac = nic["MacAddress"]
        link = nic.get("LinkPublicIp", {})
        entry = _interface(mac, number, vm.account, {**nic, **link}, ips)
        found[mac] = {**entry, **_network(store, nic)}
    return found


def _interface(mac: str, number: int, account: str, shown: Data, ips: list[str]) -> Tree:
    entry: Tree = {
        "device-number": str(number),
        "local-hostname": shown["PrivateDnsName"],
        "local-ipv4s": "\n".join(ips),
        "mac": mac,
        "owner-id": account,
        "security-group-ids": "\n".join(
            group["SecurityGroupId"] for group in shown["SecurityGroups"]
        ),
        "security-groups": _names(shown["SecurityGroups"]),
    }
    if "PublicIp" in shown:
        entry["public-hostname"] = shown["PublicDnsName"]
        entry["public-ipv4s"] = shown["PublicIp"]
    return entry


def _network(store: Store, nic: Data) -> Tree:
    """Return what an interface tells of its subnet and Net."""
    subnet, net = store.row("Subnet", nic["SubnetId"]), store.row("Net", nic["NetId"])
    assert subnet is not None, f"the subnet of {nic['NicId']} is held by it"
    assert net is not None, f"the Net of {nic['NicId']} is held by it"
    gateway = addresses.network(subnet["IpRange"]).network_address + 1
    return {
        "gateway-ipv4": str(gateway),
        "interface-id": nic["NicId"],
        "subnet-id": subnet.id,
        "subnet-ipv4-cidr-block": subnet["IpRange"],
        "vpc-id": net.id,
        "vpc-ipv4-cidr-block": net["IpRange"],
    }


def _names(groups: list[Data]) -> str:
    return "\n".join(group["SecurityGroupName"] for group in groups)


def _public_key(store: Store, vm: Row) -> str:
    """Return the public key of a VM's keypair, as long as the account has that keypair."""
    for keypair in store.rows("Keypair", "KeypairName", vm.get("KeypairName")):
        if keypair.account == vm.account:
            return str(keypair["_PublicKey"])
    return ""
