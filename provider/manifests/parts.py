"""Names and labels that all components share: those of the Go provider, so that it is replaced."""

from __future__ import annotations

from typing import Any

from provider.api import crd

Object = dict[str, Any]

NAMESPACE = "cluster-api-provider-outscale-system"
PREFIX = "cluster-api-provider-outscale"
LABELS = {"cluster.x-k8s.io/provider": crd.PROVIDER}
PODS = {"control-plane": "controller-manager"}
"""The label of our pods. A Deployment cannot change what it selects, so there is no other one."""

SERVICE_ACCOUNT = f"{PREFIX}-controller-manager"
WEBHOOK_SERVICE = f"{PREFIX}-webhook-service"
METRICS_SERVICE = f"{PREFIX}-metrics-service"
CERTIFICATE = f"{PREFIX}-serving-cert"
CERTIFICATE_SECRET = f"{PREFIX}-webhook-service-cert"
CREDENTIALS_SECRET = PREFIX
"""The Secret with the credentials of the provider itself; it may be absent."""

INJECT = {"cert-manager.io/inject-ca-from": f"{NAMESPACE}/{CERTIFICATE}"}
"""The annotation by which cert-manager writes the authority of our certificate into an object."""


def made(
    api_version: str,
    kind: str,
    name: str,
    *,
    is_namespaced: bool = True,
    labels: dict[str, str] | None = None,
    annotations: dict[str, str] | None = None,
    **content: Any,
) -> Object:
    """Return an object with the labels, and in the namespace, of all components."""
    metadata: Object = {"name": name, "labels": {**LABELS, **(labels or {})}}
    if is_namespaced:
        metadata["namespace"] = NAMESPACE
    if annotations:
        metadata["annotations"] = annotations
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **content}
