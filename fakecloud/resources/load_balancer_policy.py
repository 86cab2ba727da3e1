"""Stickiness policies of load balancers: CreateLoadBalancerPolicy, DeleteLoadBalancerPolicy.

https://docs.outscale.com/en/userguide/About-Load-Balancers.html
"""

from __future__ import annotations

import re

from fakecloud import errors
from fakecloud.call import Call, action
from fakecloud.kinds import Data
from fakecloud.rules import load_balancing, parameters

TYPES = ("app", "load_balancer")
BROWSER_SESSION = 1
"""The expiration period that means: until the browser is closed."""
_NAME = re.compile(r"[A-Za-z0-9-]{1,32}")


@action
def CreateLoadBalancerPolicy(
    call: Call,
    LoadBalancerName: str,
    PolicyName: str,
    PolicyType: str,
    CookieExpirationPeriod: int | None = None,
    CookieName: str | None = None,
) -> Data:
    """Create a stickiness policy; UpdateLoadBalancer enables it on a listener."""
    parameters.required(
        LoadBalancerName=LoadBalancerName, PolicyName=PolicyName, PolicyType=PolicyType
    )
    if PolicyType not in TYPES:
        raise errors.refusal(
            4128, f"PolicyType is '{PolicyType}', but must be one of {', '.join(TYPES)}."
        )
    _check_cookie(PolicyType, CookieName, CookieExpirationPeriod)
    if not _NAME.fullmatch(PolicyName):
        raise errors.refusal(
            4067, f"PolicyName is '{PolicyName}', but must be 1 to 32 letters, digits and dashes."
        )
    balancer = load_balancing.find(call, LoadBalancerName)
    if PolicyName in load_balancing.policies(balancer.data):
        raise errors.refusal(
            9021, f"The load balancer '{LoadBalancerName}' has a policy '{PolicyName}' already."
        )
    data = call.edit(balancer)
    if PolicyType == "app":
        data["ApplicationStickyCookiePolicies"].append(
            {"CookieName": CookieName, "PolicyName": PolicyName}
        )
    else:
        period = BROWSER_SESSION if CookieExpirationPeriod is None else CookieExpirationPeriod
        data["LoadBalancerStickyCookiePolicies"].append(
            {"CookieExpirationPeriod": period, "PolicyName": PolicyName}
        )
    return {"LoadBalancer": balancer}


def _check_cookie(type_: str, name: str | None, period: int | None) -> None:
    if (type_ == "app") != (name is not None):
        raise errors.refusal(
            3002, "CookieName is for PolicyType 'app', which requires it, and for no other."
        )
    if type_ == "app" and period is not None:
        raise errors.refusal(
            3002, "CookieExpirationPeriod is for PolicyType 'load_balancer'. Leave it out."
        )
    if name is not None and not 1 <= len(name) <= 255:
        raise errors.refusal(
            4065, f"CookieName has {len(name)} characters, but must have between 1 and 255."
        )
    if period is not None and period < 1:
        raise errors.refusal(
            4066, f"CookieExpirationPeriod is {period}, but must be at least 1 second."
        )


@action
def DeleteLoadBalancerPolicy(call: Call, LoadBalancerName: str, PolicyName: str) -> Data:
    """Delete a policy that no listener uses; raise 9055 when one does."""
    parameters.required(LoadBalancerName=LoadBalancerName, PolicyName=PolicyName)
    balancer = load_balancing.find(call, LoadBalancerName)
    if PolicyName not in load_balancing.policies(balancer.data):
        raise errors.refusal(5056, name=LoadBalancerName, policy=PolicyName)
    for listener in balancer["Listeners"]:
        if PolicyName in load_balancing.enabled_policies(balancer.data, listener):
            raise errors.refusal(
                9055,
                f"The policy '{PolicyName}' is enabled on the listener on port "
                f"{listener['LoadBalancerPort']}. Disable it first.",
            )
    data = call.edit(balancer)
    for field in ("ApplicationStickyCookiePolicies", "LoadBalancerStickyCookiePolicies"):
        data[field] = [each for each in data[field] if each["PolicyName"] != PolicyName]
    data["_OtherPolicies"] = [name for name in data["_OtherPolicies"] if name != PolicyName]
    return {"LoadBalancer": balancer}
