"""The API access policy of an account: ReadApiAccessPolicy, UpdateApiAccessPolicy.

https://docs.outscale.com/en/userguide/About-Your-API-Access-Policy.html
"""

from __future__ import annotations

from fakecloud import errors
from fakecloud.call import Call, action, welcome
from fakecloud.kinds import Data, kind

kind("ApiAccessPolicy")

SECONDS_MAX = 3_153_600_000


@welcome
def default_policy(call: Call) -> None:
    """Start an account with a policy that asks for nothing; its identifier is the account."""
    data = {"MaxAccessKeyExpirationSeconds": 0, "RequireTrustedEnv": False}
    call.create("ApiAccessPolicy", data, id_=call.account)


@action
def ReadApiAccessPolicy(call: Call) -> Data:
    """Show the policy of the account."""
    return {"ApiAccessPolicy": call.get("ApiAccessPolicy", call.account)}


@action
def UpdateApiAccessPolicy(
    call: Call, MaxAccessKeyExpirationSeconds: int, RequireTrustedEnv: bool
) -> Data:
    """Set how long access keys may live, and whether sessions are trusted.

    Raise 4110 for a negative time and 4118 for one that is too long, for one that an access key
    exceeds, and for trusted sessions without their conditions: a limited lifetime, a CA in an API
    access rule, and an expiration date on every access key.
    """
    longest = MaxAccessKeyExpirationSeconds
    if longest < 0:
        raise errors.refusal(4110, parameter="MaxAccessKeyExpirationSeconds", type="integer")
    if longest > SECONDS_MAX:
        raise errors.refusal(
            4118, f"MaxAccessKeyExpirationSeconds is {longest}, but at most {SECONDS_MAX}."
        )
    if RequireTrustedEnv and not longest:
        raise errors.refusal(
            4118, "RequireTrustedEnv needs MaxAccessKeyExpirationSeconds to be more than 0."
        )
    if RequireTrustedEnv and not any(rule["CaIds"] for rule in call.find("ApiAccessRule")):
        raise errors.refusal(4118, "RequireTrustedEnv needs an API access rule with a CA.")
    for key in call.find("AccessKey"):
        expires = key.get("_Expires")
        if expires is None and RequireTrustedEnv:
            raise errors.refusal(
                4118, f"RequireTrustedEnv needs an expiration date on the access key '{key.id}'."
            )
        if expires is not None and longest and expires - call.now > longest:
            raise errors.refusal(
                4118,
                f"The access key '{key.id}' lives until {key['ExpirationDate']}, which is longer "
                f"than {longest} seconds.",
            )
    policy = call.get("ApiAccessPolicy", call.account)
    call.edit(policy).update(
        MaxAccessKeyExpirationSeconds=longest, RequireTrustedEnv=RequireTrustedEnv
    )
    return {"ApiAccessPolicy": policy}
