"""Client certificate authorities: CreateCa, DeleteCa, UpdateCa, ReadCas.

https://docs.outscale.com/en/userguide/About-API-Access-Rules.html
"""

from __future__ import annotations

import hashlib
import re

from fakecloud import errors
from fakecloud.call import Call, action, prune
from fakecloud.kinds import Data, kind
from fakecloud.rows import Row

# The filters take any text, so they are not declared as identifiers, which would be checked.
kind(
    "Ca",
    id="CaId",
    prefix="ca",
    digits=32,
    absent=4122,
    in_use=9002,
    read="ReadCas",
    answer="Cas",
    filters={"CaIds": lambda view: [view["CaId"]]},
)

FORMAT = re.compile(r"ca-[0-9a-f]{32}")


def _ca(call: Call, id_: str) -> Row:
    if not FORMAT.fullmatch(id_):
        raise errors.refusal(4118, f"CaId is '{id_}', but must be ca- and 32 hexadecimal digits.")
    return call.get("Ca", id_)


@action
def CreateCa(call: Call, CaPem: str, Description: str | None = None) -> Data:
    """Make a certificate in the PEM format known as a CA; the same one may come twice."""
    if not CaPem:
        raise errors.refusal(7000, parameters="CaPem", least="1")
    fields = prune(CaFingerprint=_fingerprint(CaPem), Description=Description)
    return {"Ca": call.create("Ca", fields)}


def _fingerprint(pem: str) -> str:
    from cryptography import x509  # Only needed by those who use certificates.
    from cryptography.hazmat.primitives.serialization import Encoding

    try:
        der = x509.load_pem_x509_certificate(pem.encode()).public_bytes(Encoding.DER)
    except ValueError:
        raise errors.refusal(
            4124, "CaPem is no certificate in the PEM format. Send the whole file of the CA."
        ) from None
    return hashlib.sha1(der, usedforsecurity=False).hexdigest()


@action
def UpdateCa(call: Call, CaId: str, Description: str | None = None) -> Data:
    """Change the description of a CA."""
    ca = _ca(call, CaId)
    if Description is not None:
        call.edit(ca)["Description"] = Description
    return {"Ca": ca}


@action
def DeleteCa(call: Call, CaId: str) -> Data:
    """Delete a CA that no API access rule asks for."""
    call.delete(_ca(call, CaId))
    return {}
