"""Linking public IPs to VMs and NICs, for every action that does it."""

from __future__ import annotations

from fakecloud.kinds import Data
from fakecloud.rows import Row
from fakecloud.rules import addresses
from fakecloud.store import Store

LINK = ("LinkPublicIpId", "NicAccountId", "NicId", "PrivateIp", "VmId", "NatServiceId")


def unlink(store: Store, public_ip: Row) -> None:
    """Make a public IP linked to nothing."""
    data = store.edit(public_ip)
    for name in LINK:
        data.pop(name, None)


def link_to_nic(store: Store, public_ip: Row, link_id: str, nic: Row, private_ip: str) -> None:
    """Link a public IP to a private IP of a NIC, and so to the NIC's VM."""
    links = store.rows("LinkNic", "NicId", nic.id)
    unlink(store, public_ip)
    data = store.edit(public_ip)
    data.update(
        LinkPublicIpId=link_id, NicAccountId=nic.account, NicId=nic.id, PrivateIp=private_ip
    )
    for link in links:
        data["VmId"] = link["VmId"]


def link_to_vm(store: Store, public_ip: Row, link_id: str, vm: Row) -> None:
    """Link a public IP to a VM of the public cloud."""
    unlink(store, public_ip)
    store.edit(public_ip).update(LinkPublicIpId=link_id, PrivateIp=vm["PrivateIp"], VmId=vm.id)


def shown(public_ip: Row, region: str) -> Data:
    """Return the link of a public IP as its NIC shows it."""
    return {
        "LinkPublicIpId": public_ip["LinkPublicIpId"],
        "PublicDnsName": addresses.public_name(public_ip["PublicIp"], region),
        "PublicIp": public_ip["PublicIp"],
        "PublicIpAccountId": public_ip.account,
        "PublicIpId": public_ip.id,
    }
