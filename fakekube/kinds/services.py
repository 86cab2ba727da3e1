"""Services, Endpoints, EndpointSlices, Ingresses and NetworkPolicies."""

from __future__ import annotations

import hashlib
import ipaddress
from typing import Any, Final

from fakekube import names, status
from fakekube.kinds.checks import IP_TEXT, Checks, port_name
from fakekube.kinds.pod_checks import PROTOCOLS
from fakekube.status import Cause

Json = Any
Object = dict[str, Any]

NETWORK: Final = ipaddress.IPv4Network("10.96.0.0/16")
NODE_PORTS: Final = range(30000, 32768)
TYPES: Final = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
PATH_TYPES: Final = ("Exact", "ImplementationSpecific", "Prefix")
IP_FIELDS: Final = ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy")


def default_service(obj: Object) -> None:
    """Fill in the defaults of a Service."""
    spec = obj.setdefault("spec", {})
    for key, value in (("sessionAffinity", "None"), ("type", "ClusterIP")):
        if not spec.get(key):
            spec[key] = value
    if spec["sessionAffinity"] == "ClientIP":
        config = spec.setdefault("sessionAffinityConfig", {}).setdefault("clientIP", {})
        config.setdefault("timeoutSeconds", 10800)
    for port in spec.get("ports") or ():
        _default_port(port)
    kind = spec["type"]
    if kind in {"NodePort", "LoadBalancer"} and not spec.get("externalTrafficPolicy"):
        spec["externalTrafficPolicy"] = "Cluster"
    if kind != "ExternalName":
        spec.setdefault("internalTrafficPolicy", "Cluster")
    if kind == "LoadBalancer":
        spec.setdefault("allocateLoadBalancerNodePorts", True)
    if spec.get("clusterIP") and not spec.get("clusterIPs"):
        spec["clusterIPs"] = [spec["clusterIP"]]


def _default_port(port: Object) -> None:
    if not port.get("protocol"):
        port["protocol"] = "TCP"
    if port.get("targetPort") in {None, 0, ""}:
        port["targetPort"] = port.get("port", 0)


def _chosen(obj: Object, about: str) -> int:
    # The same Service gets the same numbers in every run; the real server takes random ones.
    meta = obj["metadata"]
    text = f"{meta.get('namespace', '')}/{meta.get('name', '')}/{about}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4])


def prepare_create(obj: Object) -> None:
    """Give a new Service what an apiserver alone gives it: addresses and node ports."""
    obj["status"] = {"loadBalancer": {}}
    _allocate(obj)


def prepare_update(new: Object, old: Object) -> None:
    """Keep the addresses that a Service has, and give or take what its new type asks."""
    spec, was = new["spec"], old["spec"]
    if spec["type"] == "ExternalName":
        for key in (*IP_FIELDS, "internalTrafficPolicy"):
            spec.pop(key, None)
    elif was.get("type") != "ExternalName":
        for key in IP_FIELDS:
            if not spec.get(key) and key in was:
                spec[key] = was[key]
    if spec["type"] in {"NodePort", "LoadBalancer"}:
        known = {(each["port"], each.get("protocol")): each for each in was.get("ports") or ()}
        for port in spec.get("ports") or ():
            same = known.get((port.get("port"), port.get("protocol")), {})
            if not port.get("nodePort") and same.get("nodePort"):
                port["nodePort"] = same["nodePort"]
    elif was.get("type") in {"NodePort", "LoadBalancer"}:
        _take_node_ports(spec, was)
    _allocate(new)


def _take_node_ports(spec: Object, was: Object) -> None:
    # Only ports that were not asked for anew vanish with the type.
    given = [port.get("nodePort") for port in spec.get("ports") or ()]
    if given == [port.get("nodePort") for port in was.get("ports") or ()]:
        for port in spec.get("ports") or ():
            port.pop("nodePort", None)
    for key in ("externalTrafficPolicy", "allocateLoadBalancerNodePorts"):
        spec.pop(key, None)


def _allocate(obj: Object) -> None:
    spec = obj["spec"]
    kind = spec["type"]
    if kind == "ExternalName":
        return
    if not spec.get("clusterIP"):
        chosen = NETWORK[256 + _chosen(obj, "ip") % (NETWORK.num_addresses - 512)]
        spec["clusterIP"] = str(chosen)
    if not spec.get("clusterIPs"):
        spec["clusterIPs"] = [spec["clusterIP"]]
    if not spec.get("ipFamilies"):
        is_any = spec["clusterIP"] == "None" and not spec.get("selector")
        spec["ipFamilies"] = ["IPv4", "IPv6"] if is_any else ["IPv4"]
        if not spec.get("ipFamilyPolicy"):
            spec["ipFamilyPolicy"] = "RequireDualStack" if is_any else "SingleStack"
    if kind in {"NodePort", "LoadBalancer"} and spec.get("allocateLoadBalancerNodePorts", True):
        for port in spec.get("ports") or ():
            if not port.get("nodePort"):
                number = _chosen(obj, f"{port.get('protocol')}/{port.get('port')}")
                port["nodePort"] = NODE_PORTS[number % len(NODE_PORTS)]


def check_service(new: Object, old: Object | None) -> list[Cause]:
    """Check a Service."""
    found, spec = Checks(), new["spec"]
    kind, address = spec.get("type", ""), spec.get("clusterIP", "")
    ports = spec.get("ports") or ()
    is_headless = address == "None"
    if not ports and not is_headless and kind != "ExternalName":
        found.require("spec.ports", None)
    _check_type(found, spec, kind)
    names_seen: set[str] = set()
    for number, port in enumerate(ports):
        _check_port(found, f"spec.ports[{number}]", port, names_seen, is_alone=len(ports) == 1)
    found.labels("spec.selector", spec.get("selector"))
    found.one_of("spec.sessionAffinity", spec.get("sessionAffinity"), ("ClientIP", "None"))
    if kind != "ExternalName":
        _check_address(found, spec, old)
    found.one_of("spec.type", kind, TYPES)
    if kind == "ClusterIP":
        for number, port in enumerate(ports):
            if port.get("nodePort"):
                text = "may not be used when `type` is 'ClusterIP'"
                found.forbid(f"spec.ports[{number}].nodePort", text)
    return found.found


def _check_type(found: Checks, spec: Object, kind: str) -> None:
    if kind in {"LoadBalancer", "NodePort"} and spec.get("clusterIP") == "None":
        text = f"may not be set to 'None' for {kind} services"
        found.invalid("spec.clusterIPs[0]", "None", text)
    elif kind == "ExternalName":
        if spec.get("clusterIPs"):
            found.forbid("spec.clusterIPs", "may not be set for ExternalName services")
        if found.require("spec.externalName", spec.get("externalName")):
            found.named("spec.externalName", spec["externalName"].rstrip("."), names.subdomain)


def _check_port(found: Checks, path: str, port: Object, seen: set[str], *, is_alone: bool) -> None:
    name = port.get("name", "")
    if not name and not is_alone:
        found.require(f"{path}.name", None)
    elif name:
        before = len(found.found)
        found.named(f"{path}.name", name, names.label)
        if name in seen and len(found.found) == before:
            found.duplicate(f"{path}.name", name)
        seen.add(name)
    found.port(f"{path}.port", port.get("port", 0))
    found.one_of(f"{path}.protocol", port.get("protocol"), PROTOCOLS)
    found.port_or_name(f"{path}.targetPort", port.get("targetPort", 0))


def _check_address(found: Checks, spec: Object, old: Object | None) -> None:
    for number, address in enumerate(spec.get("clusterIPs") or ()):
        if address == "None":
            continue
        path = f"spec.clusterIPs[{number}]"
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            found.invalid(path, address, IP_TEXT)
            continue
        was = (old or {}).get("spec", {}).get("clusterIPs")
        if was and was[:1] != spec["clusterIPs"][:1]:
            found.invalid("spec.clusterIPs[0]", spec["clusterIPs"], "may not change once set")
        elif isinstance(parsed, ipaddress.IPv4Address) and parsed not in NETWORK:
            text = (
                f"failed to allocate IP {address}: the provided IP ({address}) is not in the "
                f"valid range. The range of valid IPs is {NETWORK}"
            )
            found.invalid("spec.clusterIPs", spec["clusterIPs"], text)


# --- Endpoints -----------------------------------------------------------------------------------


def default_endpoints(obj: Object) -> None:
    """Fill in the defaults of Endpoints."""
    for subset in obj.get("subsets") or ():
        for port in subset.get("ports") or ():
            if not port.get("protocol"):
                port["protocol"] = "TCP"


def check_endpoints(new: Object, _: Object | None) -> list[Cause]:
    """Check Endpoints."""
    found = Checks()
    for number, subset in enumerate(new.get("subsets") or ()):
        path = f"subsets[{number}]"
        if not subset.get("addresses") and not subset.get("notReadyAddresses"):
            text = "must specify `addresses` or `notReadyAddresses`"
            found.require(path, None, text)
        for kind in ("addresses", "notReadyAddresses"):
            for index, address in enumerate(subset.get(kind) or ()):
                where = f"{path}.{kind}[{index}].ip"
                before = len(found.found)
                found.ip(where, address.get("ip", ""))
                if len(found.found) > before:
                    # Two checks of the real server say it, each in its own words.
                    found.invalid(where, address.get("ip", ""), "must be a valid IP address")
        for index, port in enumerate(subset.get("ports") or ()):
            where = f"{path}.ports[{index}]"
            found.port(f"{where}.port", port.get("port", 0))
            found.one_of(f"{where}.protocol", port.get("protocol"), PROTOCOLS)
    return found.found


def default_slice(obj: Object) -> None:
    """Fill in the defaults of an EndpointSlice."""
    for port in obj.get("ports") or ():
        port.setdefault("name", "")
        port.setdefault("protocol", "TCP")


def check_slice(new: Object, old: Object | None) -> list[Cause]:
    """Check an EndpointSlice."""
    found = Checks()
    kind = new.get("addressType", "")
    if found.require("addressType", kind):
        found.one_of("addressType", kind, ("FQDN", "IPv4", "IPv6"))
    for number, endpoint in enumerate(new.get("endpoints") or ()):
        text = "must contain at least 1 address"
        found.require(f"endpoints[{number}].addresses", endpoint.get("addresses"), text)
    for number, port in enumerate(new.get("ports") or ()):
        if port.get("name"):
            found.named(f"ports[{number}].name", port["name"], names.label)
        found.one_of(f"ports[{number}].protocol", port.get("protocol"), PROTOCOLS)
    if old is not None:
        found.immutable("addressType", kind, old.get("addressType"))
    return found.found


# --- Ingress -------------------------------------------------------------------------------------


def check_ingress(new: Object, _: Object | None) -> list[Cause]:
    """Check an Ingress."""
    found, spec = Checks(), new.get("spec") or {}
    rules = spec.get("rules")
    if not rules and spec.get("defaultBackend") is None:
        text = "either `defaultBackend` or `rules` must be specified"
        found.invalid("spec", rules, text)
    if spec.get("defaultBackend") is not None:
        _check_backend(found, "spec.defaultBackend", spec["defaultBackend"])
    for number, rule in enumerate(rules or ()):
        path = f"spec.rules[{number}]"
        host = rule.get("host", "")
        if host:
            found.named(f"{path}.host", host.removeprefix("*."), names.subdomain)
        http = rule.get("http")
        if http is None:
            continue
        found.require(f"{path}.http.paths", http.get("paths"))
        for index, each in enumerate(http.get("paths") or ()):
            _check_path(found, f"{path}.http.paths[{index}]", each)
    return found.found


def _check_path(found: Checks, path: str, rule: Object) -> None:
    kind, place = rule.get("pathType"), rule.get("path", "")
    if kind is None:
        found.require(f"{path}.pathType", None, "pathType must be specified")
    elif kind in {"Exact", "Prefix"}:
        if not place.startswith("/"):
            found.invalid(f"{path}.path", place, "must be an absolute path")
    elif kind == "ImplementationSpecific":
        if place and not place.startswith("/"):
            found.invalid(f"{path}.path", place, "must be an absolute path")
    else:
        found.unsupported(f"{path}.pathType", kind, PATH_TYPES)
    _check_backend(found, f"{path}.backend", rule.get("backend") or {})


def _check_backend(found: Checks, path: str, backend: Object) -> None:
    service, resource = backend.get("service"), backend.get("resource")
    if service is None and resource is None:
        found.invalid(path, "", "resource or service backend is required")
    elif service is not None and resource is not None:
        found.invalid(path, "", "cannot set both resource and service backends")
    elif service is not None:
        if found.require(f"{path}.service.name", service.get("name")):
            found.named(f"{path}.service.name", service["name"], names.label)
        port = service.get("port") or {}
        if port.get("name"):
            found.named(f"{path}.service.port.name", port["name"], port_name)
        elif port.get("number"):
            found.port(f"{path}.service.port.number", port["number"])
        else:
            found.found.append(status.field_required(path, "port name or number is required"))


def check_ingress_class(new: Object, old: Object | None) -> list[Cause]:
    """Check an IngressClass."""
    found, spec = Checks(), new.get("spec") or {}
    controller = spec.get("controller", "")
    was = ((old or {}).get("spec") or {}).get("controller", controller)
    if found.require("spec.controller", controller) and "/" not in controller:
        text = 'must be a domain-prefixed path (such as "acme.io/foo")'
        found.invalid("spec.controller", controller, text)
    found.immutable("spec.controller", controller, was)
    return found.found


# --- NetworkPolicy -------------------------------------------------------------------------------


def default_policy(obj: Object) -> None:
    """Fill in the defaults of a NetworkPolicy."""
    spec = obj.setdefault("spec", {})
    if not spec.get("policyTypes"):
        spec["policyTypes"] = ["Ingress", *(["Egress"] if spec.get("egress") else [])]
    for rule in [*(spec.get("ingress") or ()), *(spec.get("egress") or ())]:
        for port in rule.get("ports") or ():
            port.setdefault("protocol", "TCP")


def check_policy(new: Object, _: Object | None) -> list[Cause]:
    """Check a NetworkPolicy."""
    found, spec = Checks(), new["spec"]
    found.selector("spec.podSelector", spec.get("podSelector"))
    for kind, side in (("ingress", "from"), ("egress", "to")):
        for number, rule in enumerate(spec.get(kind) or ()):
            path = f"spec.{kind}[{number}]"
            for index, port in enumerate(rule.get("ports") or ()):
                where = f"{path}.ports[{index}]"
                found.one_of(f"{where}.protocol", port.get("protocol"), ("TCP", "UDP", "SCTP"))
                if port.get("port") is not None:
                    found.port_or_name(f"{where}.port", port["port"])
            for index, peer in enumerate(rule.get(side) or ()):
                where = f"{path}.{side}[{index}]"
                for key in ("podSelector", "namespaceSelector"):
                    found.selector(f"{where}.{key}", peer.get(key))
                if not peer:
                    found.require(where, None, "must specify a peer")
    for number, kind in enumerate(spec.get("policyTypes") or ()):
        found.one_of(f"spec.policyTypes[{number}]", kind, ("Ingress", "Egress"))
    return found.found
