"""VPN tunnels: their one type, the numbers of autonomous systems, and the client's configuration.

https://docs.outscale.com/en/userguide/About-VPN-Connections.html
"""

from __future__ import annotations

import hashlib
import ipaddress

import msgspec

from fakecloud import errors
from fakecloud.kinds import Data
from fakecloud.rules import addresses

TYPE = "ipsec.1"
ASN_MAX = 4294967295
TAKEN_ASNS = (50624, 53306, 132418)
INSIDE = addresses.network("169.254.254.0/24")
INSIDE_DEFAULT = "169.254.254.0/30"
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def check_type(connection_type: str) -> None:
    """Refuse a connection type that is not IPsec (4047)."""
    if connection_type != TYPE:
        raise errors.refusal(
            4047, f"The ConnectionType is '{connection_type}', but must be '{TYPE}'."
        )


def check_asn(asn: int) -> None:
    """Refuse the number of no autonomous system (4010), or of one of OUTSCALE's own (4009)."""
    if not 0 <= asn <= ASN_MAX:
        raise errors.refusal(4010, f"The BgpAsn is {asn}, but must be between 1 and {ASN_MAX}.")
    if asn in TAKEN_ASNS:
        raise errors.refusal(4009, f"The BgpAsn {asn} is one of OUTSCALE's own. Use another.")


def check_inside(text: str) -> ipaddress.IPv4Network:
    """Return the inside range of a tunnel; raise 4047 for one that is no /30 of its range."""
    block = addresses.network(text)
    if block.prefixlen != 30 or not block.subnet_of(INSIDE):
        raise errors.refusal(
            4047, f"The TunnelInsideIpRange is '{text}', but must be a /30 block of {INSIDE}."
        )
    return block


def shared_key(salt: str) -> str:
    """Return a pre-shared key of 26 letters, the same for the same salt."""
    digest = hashlib.sha256(salt.encode()).digest()
    return "".join(LETTERS[byte % len(LETTERS)] for byte in digest[:26])


def outside_ip(salt: str) -> str:
    """Return the address of OUTSCALE's end of a tunnel, of the range for documentation."""
    return f"203.0.113.{1 + hashlib.sha256(salt.encode()).digest()[0] % 254}"


def configuration(connection: Data, client: Data, options: Data) -> str:
    """Return the example configuration of the client gateway, a JSON text."""
    block = check_inside(options.get("TunnelInsideIpRange", INSIDE_DEFAULT))
    ours, theirs = (str(block.network_address + step) for step in (1, 2))
    id_ = connection["VpnConnectionId"]
    key = options.get("Phase2Options", {}).get("PreSharedKey") or shared_key(id_)
    tunnel = {
        "ClientGateway": {
            "TunnelInside": {"IpRange": f"{theirs}/30"},
            "TunnelOutside": {"IpAddress": client["PublicIp"]},
        },
        "Ike": {
            "AuthenticationProtocole": "hmac-sha1-96",
            "EncryptionProtocol": "aes-128-cbc",
            "Lifetime": 28800,
            "Mode": "main",
            "PerfectForwardSecrecyGroup": 2,
            "PreSharedKey": key,
        },
        "Ipsec": {
            "AuthenticationProtocol": "sha1",
            "ClearDfBit": True,
            "DeadPeerDetection": {"Interval": 30, "Retries": 3},
            "EncryptionProtocol": "aes-128-cbc",
            "FragmentationBeforeEncryption": True,
            "Lifetime": 3600,
            "Mode": "tunnel",
            "PerfectForwardSecercyGroup": 2,  # Spelled so by the API.
            "Protocol": "esp",
            "TcpMssAdjustment": 1387,
        },
        "VirtualGateway": {
            "TunnelInside": {"IpRange": f"{ours}/30"},
            "TunnelOutside": {"IpAddress": outside_ip(id_)},
        },
    }
    named = ("ClientGatewayId", "ConnectionType")
    text = {
        **{name: connection[name] for name in named},
        "Tunnels": [tunnel],
        "VirtualGatewayId": connection["VirtualGatewayId"],
    }
    return msgspec.json.encode(text).decode()
