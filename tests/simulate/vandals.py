"""Somebody with an access key who deletes and changes what is ours, outside of any process."""

from provider.osc import errors

FOREVER = "0.0.0.0/0"


def vandalise(chance, cloud, owner):
    """Do one thing to what bears a tag; return what was done, or nothing when it was refused."""
    act = chance.choice(ACTS)
    try:
        done = act(chance, cloud, owner)
    except errors.ApiError as error:
        return f"{act.__name__.strip('_')}: {error}"
    return f"{act.__name__.strip('_')}: {done}"


def rows(cloud, action, owner):
    """Return what bears the tag, ``key=value``, and was not made by the CCM."""
    return [
        row
        for row in cloud.read(action)
        if owner in (tags := {f"{tag['Key']}={tag['Value']}" for tag in row.get("Tags", ())})
        and not any("OscK8sService" in tag for tag in tags)
        and not row.get("SecurityGroupName", "").startswith("k8s-elb-")
    ]


def _one(chance, cloud, action, owner):
    found = rows(cloud, action, owner)
    return chance.choice(found) if found else None


# --- Deleting ------------------------------------------------------------------------------------

_DELETES = {
    "ReadNets": ("DeleteNet", "NetId"),
    "ReadSubnets": ("DeleteSubnet", "SubnetId"),
    "ReadNatServices": ("DeleteNatService", "NatServiceId"),
    "ReadPublicIps": ("DeletePublicIp", "PublicIpId"),
    "ReadSecurityGroups": ("DeleteSecurityGroup", "SecurityGroupId"),
    "ReadLoadBalancers": ("DeleteLoadBalancer", "LoadBalancerName"),
    "ReadNetAccessPoints": ("DeleteNetAccessPoint", "NetAccessPointId"),
    "ReadNetPeerings": ("DeleteNetPeering", "NetPeeringId"),
}


def _delete(chance, cloud, owner):
    return _delete_one(chance, cloud, owner, chance.choice(list(_DELETES)))


def _delete_one(chance, cloud, owner, read):
    action, key = _DELETES[read]
    row = _one(chance, cloud, read, owner)
    if row:
        cloud.call(action, **{key: row[key]})
        return row[key]
    return None


def _delete_vms(chance, cloud, owner):
    row = _one(chance, cloud, "ReadVms", owner)
    if row:
        cloud.call("DeleteVms", VmIds=[row["VmId"]])
        return row["VmId"]
    return None


def _delete_table(chance, cloud, owner):
    row = _one(chance, cloud, "ReadRouteTables", owner)
    if row:
        _unlink(cloud, row)
        cloud.call("DeleteRouteTable", RouteTableId=row["RouteTableId"])
        return row["RouteTableId"]
    return None


def _unlink(cloud, table):
    for link in table["LinkRouteTables"]:
        cloud.call("UnlinkRouteTable", LinkRouteTableId=link["LinkRouteTableId"])


def _delete_internet(chance, cloud, owner):
    row = _one(chance, cloud, "ReadInternetServices", owner)
    if not row:
        return None
    id_ = row["InternetServiceId"]
    if row.get("NetId"):
        cloud.call("UnlinkInternetService", InternetServiceId=id_, NetId=row["NetId"])
    if chance.random() < 0.7:
        cloud.call("DeleteInternetService", InternetServiceId=id_)
    return id_


def _raze(chance, cloud, owner):
    """Delete much, in an order in which it works."""
    done = 0
    for read in ("ReadLoadBalancers", "ReadNatServices", "ReadNetAccessPoints", "ReadPublicIps"):
        for _ in rows(cloud, read, owner):
            try:
                _delete_one(chance, cloud, owner, read)
                done += 1
            except errors.ApiError:
                continue
    return done


# --- Changing ------------------------------------------------------------------------------------


def _change_rules(chance, cloud, owner):
    row = _one(chance, cloud, "ReadSecurityGroups", owner)
    if not row:
        return None
    flow = chance.choice(["Inbound", "Outbound"])
    there = [each for each in row[f"{flow}Rules"] if each.get("IpRanges")]
    about = {"SecurityGroupId": row["SecurityGroupId"], "Flow": flow}
    if there and chance.random() < 0.6:
        rule = chance.choice(there)
        names = ("IpProtocol", "FromPortRange", "ToPortRange", "IpRanges")
        gone = {name: rule[name] for name in names if name in rule}
        cloud.call("DeleteSecurityGroupRule", **about, Rules=[gone])
    else:
        more = {"IpProtocol": "tcp", "FromPortRange": 23, "ToPortRange": 23}
        more["IpRanges"] = [f"203.0.113.{chance.randint(1, 9)}/32"]
        cloud.call("CreateSecurityGroupRule", **about, Rules=[more])
    return about


def _change_routes(chance, cloud, owner):
    row = _one(chance, cloud, "ReadRouteTables", owner)
    if not row:
        return None
    id_ = row["RouteTableId"]
    ours = [each for each in row["Routes"] if each.get("CreationMethod") == "CreateRoute"]
    ours = [each for each in ours if each.get("DestinationIpRange")]
    choice = chance.choice(["unlink", "swap", "delete", "add"])
    if choice == "unlink":
        _unlink(cloud, row)
    elif choice == "swap":
        other = _one(chance, cloud, "ReadRouteTables", owner)
        for link in other["LinkRouteTables"]:
            about = {"LinkRouteTableId": link["LinkRouteTableId"], "RouteTableId": id_}
            cloud.call("UpdateRouteTableLink", **about)
    elif choice == "delete" and ours:
        destination = chance.choice(ours)["DestinationIpRange"]
        cloud.call("DeleteRoute", RouteTableId=id_, DestinationIpRange=destination)
    elif gate := _one(chance, cloud, "ReadInternetServices", owner):
        aim = {"GatewayId": gate["InternetServiceId"]}
        action = "UpdateRoute" if any(_is_way_out(each) for each in ours) else "CreateRoute"
        cloud.call(action, RouteTableId=id_, DestinationIpRange=FOREVER, **aim)
    return choice, id_


def _is_way_out(route):
    return route["DestinationIpRange"] == FOREVER


def _change_balancer(chance, cloud, owner):
    row = _one(chance, cloud, "ReadLoadBalancers", owner)
    if not row:
        return None
    about = {"LoadBalancerName": row["LoadBalancerName"]}
    choice = chance.choice(["close", "open", "check", "groups"])
    if choice == "close":
        ports = [each["LoadBalancerPort"] for each in row["Listeners"]]
        cloud.call("DeleteLoadBalancerListeners", **about, LoadBalancerPorts=ports)
    elif choice == "open":
        more = {"LoadBalancerPort": 2000, "LoadBalancerProtocol": "TCP", "BackendPort": 2000}
        cloud.call("CreateLoadBalancerListeners", **about, Listeners=[more])
    elif choice == "check":
        check = {**row["HealthCheck"], "CheckInterval": 77}
        cloud.call("UpdateLoadBalancer", **about, HealthCheck=check)
    else:
        groups = [each["SecurityGroupId"] for each in rows(cloud, "ReadSecurityGroups", owner)]
        cloud.call("UpdateLoadBalancer", **about, SecurityGroups=groups[:1])
    return choice


def _change_vm(chance, cloud, owner):
    row = _one(chance, cloud, "ReadVms", owner)
    if not row:
        return None
    is_machine = any(tag["Key"] == "OscK8sMachine" for tag in row["Tags"])
    # Whoever gives the VM of a machine other groups may have reasons: that is left alone.
    choice = chance.choice(["stop", "address"] if is_machine else ["stop", "address", "groups"])
    if choice == "stop":
        cloud.call("StopVms", VmIds=[row["VmId"]])
    elif choice == "groups":
        groups = [each["SecurityGroupId"] for each in rows(cloud, "ReadSecurityGroups", owner)]
        cloud.call("UpdateVm", VmId=row["VmId"], SecurityGroupIds=groups[:1])
    elif row.get("PublicIp"):
        cloud.call("UnlinkPublicIp", PublicIp=row["PublicIp"])
    return choice, row["VmId"]


_TAGGED = {
    "ReadNets": "NetId",
    "ReadSubnets": "SubnetId",
    "ReadSecurityGroups": "SecurityGroupId",
    "ReadNatServices": "NatServiceId",
    "ReadInternetServices": "InternetServiceId",
    "ReadRouteTables": "RouteTableId",
    "ReadPublicIps": "PublicIpId",
    "ReadNetPeerings": "NetPeeringId",
    "ReadNetAccessPoints": "NetAccessPointId",
    "ReadVms": "VmId",
}


def _strip_tags(chance, cloud, owner):
    """Take away all tags but the one that says whose it is."""
    read = chance.choice(list(_TAGGED))
    row = _one(chance, cloud, read, owner)
    if not row:
        return None
    tags = [each for each in row["Tags"] if f"{each['Key']}={each['Value']}" != owner]
    # Those are what a VM says of itself when it starts, and have no effect after that.
    tags = [each for each in tags if not each["Key"].startswith("osc.fcu.")]
    if tags:
        cloud.call("DeleteTags", ResourceIds=[row[_TAGGED[read]]], Tags=tags)
    return row[_TAGGED[read]]


ACTS = [
    _delete,
    _delete,
    _delete_vms,
    _delete_table,
    _delete_internet,
    _raze,
    _change_rules,
    _change_routes,
    _change_balancer,
    _change_vm,
    _strip_tags,
]


def redirect(chance, far, net_id):
    """Take away a route of the other side of a peering, or let it lead nowhere."""
    tables = far.read("ReadRouteTables", Filters={"NetIds": [net_id]})
    found = [(t, r) for t in tables for r in t["Routes"] if r.get("NetPeeringId")]
    if not found:
        return None
    table, route = chance.choice(found)
    about = {"RouteTableId": table["RouteTableId"]}
    if chance.random() < 0.6:
        far.call("DeleteRoute", **about, DestinationIpRange=route["DestinationIpRange"])
    else:
        far.call("DeleteNetPeering", NetPeeringId=route["NetPeeringId"])
    return route


def disown(chance, cloud, owner):
    """Take away the tag that says whose something is; return how to put it back, or None."""
    read = chance.choice(list(_TAGGED))
    row = _one(chance, cloud, read, owner)
    if not row:
        return None
    key, value = owner.split("=")
    request = {
        "ResourceIds": [row[_TAGGED[read]]],
        "Tags": [{"Key": key, "Value": value}],
    }
    try:
        cloud.call("DeleteTags", **request)
    except errors.ApiError:
        return None  # It is gone, or nearly.
    return request
