"""Keypairs: CreateKeypair, DeleteKeypair, ReadKeypairs.

https://docs.outscale.com/en/userguide/About-Keypairs.html
"""

from __future__ import annotations

import re

from fakecloud import errors
from fakecloud.call import Call, absent, action
from fakecloud.kinds import KINDS, Data, kind
from fakecloud.rows import Row
from fakecloud.rules import parameters, ssh

_NAME = re.compile(r"[ -~]+")
NAME_MAX = 255

kind(
    "Keypair",
    id="KeypairId",
    prefix="key",
    digits=32,
    index=("KeypairName",),
    absent=5071,
    resource_type="keypair",
    read="ReadKeypairs",
    answer="Keypairs",
)


@action
def CreateKeypair(call: Call, KeypairName: str, PublicKey: str | None = None) -> Data:
    """Create a keypair, whose private key is answered once and not kept, or import one."""
    if len(KeypairName) > NAME_MAX:
        raise errors.refusal(
            4106, parameter="KeypairName", length=len(KeypairName), expected=f"1-{NAME_MAX}"
        )
    if not _NAME.fullmatch(KeypairName):
        raise errors.refusal(
            4035, "The keypair name holds something else than printable ASCII characters."
        )
    if call.find("Keypair", "KeypairName", KeypairName):
        raise errors.refusal(9011)
    private = None
    if PublicKey is None:
        private, key = ssh.generate()
    else:
        key = ssh.read(PublicKey)
    keypair = call.create(
        "Keypair",
        {
            "KeypairFingerprint": key.fingerprint,
            "KeypairName": KeypairName,
            "KeypairType": key.kind,
            "_PublicKey": key.line,
        },
    )
    if private is None:
        return {"Keypair": keypair}
    return {"Keypair": {**call.view(keypair), "PrivateKey": private}}


@action
def DeleteKeypair(call: Call, KeypairId: str | None = None, KeypairName: str | None = None) -> Data:
    """Delete a keypair by its identifier or its name; VMs that use it keep its public key."""
    call.delete(_named(call, KeypairId, KeypairName))
    return {}


def _named(call: Call, keypair_id: str | None, name: str | None) -> Row:
    if keypair_id:
        return call.get("Keypair", keypair_id)
    parameters.some(KeypairId=keypair_id, KeypairName=name)
    found = call.find("Keypair", "KeypairName", name)
    if not found:
        raise absent(KINDS["Keypair"], str(name))
    return found[0]
