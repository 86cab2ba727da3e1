"""What cert-manager and Services do for webhooks, where managers are processes on loopback.

One authority issues one certificate for all of them. Every webhook, and the conversion of every
definition, is pointed from the Service of a provider to the port where its manager listens.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path

from e2e.kube import Kube, Object
from tools import certificates

HOST = "127.0.0.1"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
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
    count = 0
    for path in paths:
        for each in kube.must("GET", path)["items"]:
            clients = [
                client
                for client in _clients(each)
                if client.get("service", {}).get("namespace") in ports
            ]
            for client in clients:
                service = client.pop("service")
                place = f"https://{HOST}:{ports[service['namespace']]}{service.get('path', '/')}"
                client.update({"url": place, "caBundle": bundle})
            if clients:
                kube.must("PUT", f"{path}/{each['metadata']['name']}", each)
            count += len(clients)
    return count


def _clients(of: Object) -> list[Object]:
    """Return all that say where a webhook is; they are part of the object."""
    if "webhooks" in of:
        return [each["clientConfig"] for each in of["webhooks"]]
    webhook = (of["spec"].get("conversion") or {}).get("webhook")
    return [webhook["clientConfig"]] if webhook else []
