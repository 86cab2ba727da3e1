"""DHCP options: CreateDhcpOptions, DeleteDhcpOptions, ReadDhcpOptions.

https://docs.outscale.com/en/userguide/About-DHCP-Options.html
"""

from __future__ import annotations

from fakecloud import errors
from fakecloud.call import Call, action, prune, welcome
from fakecloud.rules import addresses
from fakecloud.store import Data, kind

kind(
    "DhcpOptionsSet",
    id="DhcpOptionsSetId",
    prefix="dopt",
    absent=5018,
    in_use=9002,
    parameter="DhcpOptionsId",
    resource_type="dhcpoptions",
    read="ReadDhcpOptions",
    answer="DhcpOptionsSets",
)

PROVIDED = "OutscaleProvidedDNS"


@welcome
def default_options(call: Call) -> None:
    """Give an account its default set of DHCP options."""
    call.create(
        "DhcpOptionsSet",
        {
            "Default": True,
            "DomainName": f"{call.region}.compute.internal",
            "DomainNameServers": [PROVIDED],
        },
    )


@action
def CreateDhcpOptions(
    call: Call,
    DomainName: str | None = None,
    DomainNameServers: list[str] | None = None,
    LogServers: list[str] | None = None,
    NtpServers: list[str] | None = None,
) -> Data:
    """Create a set of DHCP options with at least one option."""
    lists = {
        "DomainNameServers": DomainNameServers,
        "LogServers": LogServers,
        "NtpServers": NtpServers,
    }
    if DomainName is None and not any(lists.values()):
        raise errors.refusal(
            7000, parameters="DomainName, DomainNameServers, LogServers, NtpServers", least="1"
        )
    for servers in lists.values():
        for server in servers or ():
            if server != PROVIDED:
                addresses.address(server)
    if not DomainNameServers:
        lists["DomainNameServers"] = [PROVIDED]
    options = call.create(
        "DhcpOptionsSet", {"Default": False, **prune(DomainName=DomainName, **lists)}
    )
    return {"DhcpOptionsSet": options}


@action
def DeleteDhcpOptions(call: Call, DhcpOptionsSetId: str) -> Data:
    """Delete a set of DHCP options that no Net uses; the default set stays."""
    options = call.get("DhcpOptionsSet", DhcpOptionsSetId)
    if options["Default"] or call.find("Net", "DhcpOptionsSetId", options.id):
        raise errors.refusal(9002)
    call.delete(options)
    return {}
