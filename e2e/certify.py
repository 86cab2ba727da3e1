"""What cert-manager and Services do for webhooks, where managers are processes on loopback.

One authority issues one certificate for all of them. Every webhook, and the conversion of every
definition, is pointed from the Service of a provider to the port where its manager listens.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path

from e2e.kube import MERGE, Kube, Object
from tools import certificates

HOST = "127.0.0.1"
CONFLICT = 409
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
PROVIDER = "cluster.x-k8s.io/provider"
"""The label by which clusterctl marks what belongs to a provider."""
WEBHOOKS = tuple(
    f"/apis/admissionregistration.k8s.io/v1/{kind}webhookconfigurations"
    for kind in ("mutating", "validating")
)


def issue(folder: Path) -> Path:
    """Write ``tls.crt`` and ``tls.key`` for loopback into a folder; return their authority."""
    authority = certificates.Authority(folder, "webhooks")
    authority.server("tls", [HOST])
    return authority.certificate


def redirect(
    kube: Kube,
    authority: Path,
    ports: Mapping[str, int],
    paths: Sequence[str] = (DEFINITIONS, *WEBHOOKS),
) -> int:
    """Point webhooks to the managers; ``ports`` are by namespace. Return how many there were."""
    bundle = base64.b64encode(authority.read_bytes()).decode()
    return sum(
        _redirected(kube, f"{path}/{each['metadata']['name']}", each, bundle, ports)
        for path in paths
        for each in kube.must("GET", path)["items"]
    )


def release(kube: Kube, label: str, namespace: str) -> None:
    """Point the conversions of a provider's definitions to a Service, as its components do.

    clusterctl merges those into what is there, and a webhook that has an address may have no
    Service beside it. Until it does, there is none of that name.
    """
    service = {"namespace": namespace, "name": "none-yet"}
    patch = {
        "spec": {"conversion": {"webhook": {"clientConfig": {"url": None, "service": service}}}}
    }
    for each in kube.must("GET", f"{DEFINITIONS}?labelSelector={PROVIDER}={label}")["items"]:
        if _clients(each):
            path = f"{DEFINITIONS}/{each['metadata']['name']}"
            kube.must("PATCH", path, patch, **{"Content-Type": MERGE})


def _redirected(kube: Kube, place: str, of: Object, bundle: str, ports: Mapping[str, int]) -> int:
    """Point the webhooks of one object, as it is stored, to the managers."""
    while found := _point(of, bundle, ports):
        answer = kube.ask("PUT", place, of)
        if answer.status_code != CONFLICT:
            kube.require(answer)
            return found
        # Cluster API was faster: it migrates its own definitions when it starts.
        of = kube.must("GET", place)
    return 0


def _point(of: Object, bundle: str, ports: Mapping[str, int]) -> int:
    """Point the webhooks of one object to the managers; return how many there were."""
    clients = [each for each in _clients(of) if each.get("service", {}).get("namespace") in ports]
    for each in clients:
        service = each.pop("service")
        place = f"https://{HOST}:{ports[service['namespace']]}{service.get('path', '/')}"
        each.update({"url": place, "caBundle": bundle})
    return len(clients)


def _clients(of: Object) -> list[Object]:
    """Return all that say where a webhook is; they are part of the object."""
    if "webhooks" in of:
        return [each["clientConfig"] for each in of["webhooks"]]
    webhook = (of["spec"].get("conversion") or {}).get("webhook")
    return [webhook["clientConfig"]] if webhook else []
