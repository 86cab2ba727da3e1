"""DHCP options: CreateDhcpOptions, DeleteDhcpOptions, ReadDhcpOptions.

https://docs.outscale.com/en/userguide/About-DHCP-Options.html
"""

from __future__ import annotations

from fakecloud import errors
from fakecloud.call import Call, action, prune, welcome
from fakecloud.kinds import Data, kind
from fakecloud.rules import addresses

kind(
    "DhcpOptionsSet",
    id="DhcpOptionsSetId",
    prefix="dopt",
    index=("_DefaultOf",),
    absent=5018,
    in_use=9029,
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
            "_DefaultOf": call.account,
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
    """Create a set of DHCP options with at least one option.

    Raise 7000 for none, 4133 for a name server and 4047 for another server that is no address.
    """
    if not (DomainName or DomainNameServers or LogServers or NtpServers):
        raise errors.refusal(
            7000, parameters="DomainName, DomainNameServers, LogServers, NtpServers", least="1"
        )
    for server in DomainNameServers or ():
        if server != PROVIDED:
            addresses.address(server)
    for server in [*(LogServers or ()), *(NtpServers or ())]:
        addresses.private(server)
    options = call.create(
        "DhcpOptionsSet",
        {
            "Default": False,
            "DomainName": DomainName or f"{call.region}.compute.internal",
            "DomainNameServers": DomainNameServers or [PROVIDED],
            **prune(LogServers=LogServers or None, NtpServers=NtpServers or None),
        },
    )
    return {"DhcpOptionsSet": options}


@action
def DeleteDhcpOptions(call: Call, DhcpOptionsSetId: str) -> Data:
    """Delete a set of DHCP options that no Net uses; the default set stays."""
    options = call.own("DhcpOptionsSet", DhcpOptionsSetId)
    if options["Default"]:
        raise errors.refusal(9029, "The default set of DHCP options cannot be deleted.")
    for net in call.find("Net", "DhcpOptionsSetId", options.id):
        raise errors.refusal(9029, f"{options.id} is used by the Net {net.id}. Update the Net.")
    call.delete(options)
    return {}
