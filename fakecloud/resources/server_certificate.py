"""Server certificates: Create, Delete, Update, ReadServerCertificates.

https://docs.outscale.com/en/userguide/About-Server-Certificates-in-EIM.html
"""

from __future__ import annotations

import re

from fakecloud import clock, errors
from fakecloud.call import Call, action
from fakecloud.kinds import Data, kind
from fakecloud.rows import Row
from fakecloud.rules import identities, parameters, pem

kind(
    "ServerCertificate",
    id="Id",
    index=("Name", "Orn"),
    absent=4122,
    parameter="Name",
    read="ReadServerCertificates",
    answer="ServerCertificates",
)

_NAME = re.compile(r"[A-Za-z0-9+=,.@_-]{1,128}")
_PATH = re.compile(r"/([!-.0-~]+/)*")
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
ID_LENGTH = 30


@action
def CreateServerCertificate(
    call: Call,
    Body: str,
    PrivateKey: str,
    Name: str,
    Chain: str | None = None,
    Path: str = "/",
) -> Data:
    """Keep a certificate with its private key, for listeners that speak HTTPS or SSL.

    Raise 3001 for what is no certificate, key, chain, name or path, and 9073 for a name that is
    taken.
    """
    parameters.required(Body=Body, Name=Name, PrivateKey=PrivateKey)
    _check_names(Name, Path)
    try:
        expires = pem.check_pair(Body, PrivateKey, Chain)
    except ValueError as error:
        raise errors.refusal(3001, str(error)) from None
    _check_free(call, Name)
    certificate = call.create(
        "ServerCertificate",
        {
            "ExpirationDate": clock.stamp(expires),
            "Name": Name,
            "Orn": _orn(call, Path, Name),
            "Path": Path,
            "UploadDate": call.today,
        },
        id_=_mint(call),
    )
    return {"ServerCertificate": certificate}


def _check_names(name: str | None, path: str | None) -> None:
    if name is not None and not _NAME.fullmatch(name):
        raise errors.refusal(
            3001,
            f"The name of the certificate is '{name}', but must be 1 to 128 letters, digits and "
            "+=,.@-_ characters.",
        )
    if path is not None and (len(path) > 512 or not _PATH.fullmatch(path)):
        raise errors.refusal(
            3001, f"The path of the certificate is '{path}', but must start and end with a slash."
        )


def _check_free(call: Call, name: str) -> None:
    if call.find("ServerCertificate", "Name", name):
        raise errors.refusal(9073, f"The server certificate '{name}' already exists.")


def _orn(call: Call, path: str, name: str) -> str:
    return identities.orn(call.account, "server-certificate", path, name)


def _mint(call: Call) -> str:
    number = int(call.world.token(48), 16)
    letters = []
    for _ in range(ID_LENGTH):
        number, position = divmod(number, len(_LETTERS))
        letters.append(_LETTERS[position])
    return "".join(letters)


def _named(call: Call, name: str) -> Row:
    for certificate in call.find("ServerCertificate", "Name", name):
        return certificate
    raise errors.refusal(4122, f"You have no server certificate '{name}'.")


@action
def UpdateServerCertificate(
    call: Call, Name: str, NewName: str | None = None, NewPath: str | None = None
) -> Data:
    """Rename a certificate or move it to another path; its ORN changes with it."""
    _check_names(NewName, NewPath)
    certificate = _named(call, Name)
    if NewName is not None and NewName != Name:
        _check_free(call, NewName)
    name, path = NewName or Name, NewPath or certificate["Path"]
    call.edit(certificate).update(Name=name, Orn=_orn(call, path, name), Path=path)
    return {"ServerCertificate": certificate}


@action
def DeleteServerCertificate(call: Call, Name: str) -> Data:
    """Delete a certificate; the listeners that have it go on with it."""
    parameters.required(Name=Name)
    call.delete(_named(call, Name))
    return {}
