"""Tags of load balancers: Create, Delete and ReadLoadBalancerTags. They have names, not IDs.

https://docs.outscale.com/en/userguide/About-Tags.html
"""

from __future__ import annotations

from fakecloud.call import Call, action
from fakecloud.kinds import Data
from fakecloud.rules import load_balancing, parameters


@action
def CreateLoadBalancerTags(call: Call, LoadBalancerNames: list[str], Tags: list[Data]) -> Data:
    """Give tags to load balancers; a tag with a known key gets the new value."""
    parameters.required(LoadBalancerNames=LoadBalancerNames, Tags=Tags)
    fresh = load_balancing.tags(Tags)
    for balancer in [load_balancing.find(call, name) for name in LoadBalancerNames]:
        known = {tag["Key"]: tag["Value"] for tag in [*balancer["Tags"], *fresh]}
        call.edit(balancer)["Tags"] = [
            {"Key": name, "Value": value} for name, value in known.items()
        ]
    return {}


@action
def DeleteLoadBalancerTags(call: Call, LoadBalancerNames: list[str], Tags: list[Data]) -> Data:
    """Take tags away from load balancers; a key that is not there is passed over."""
    parameters.required(LoadBalancerNames=LoadBalancerNames, Tags=Tags)
    for tag in Tags:
        load_balancing.check_tag_key(tag["Key"])
    gone = {tag["Key"] for tag in Tags}
    for balancer in [load_balancing.find(call, name) for name in LoadBalancerNames]:
        kept = [tag for tag in balancer["Tags"] if tag["Key"] not in gone]
        call.edit(balancer)["Tags"] = kept
    return {}


@action
def ReadLoadBalancerTags(call: Call, LoadBalancerNames: list[str]) -> Data:
    """List the tags of load balancers."""
    parameters.required(LoadBalancerNames=LoadBalancerNames)
    found = [
        {"Key": tag["Key"], "LoadBalancerName": name, "Value": tag["Value"]}
        for name in dict.fromkeys(LoadBalancerNames)
        for tag in load_balancing.find(call, name)["Tags"]
    ]
    return {"Tags": found}
