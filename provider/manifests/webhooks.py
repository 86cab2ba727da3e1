"""Definitions, webhooks, and the certificate that the API server knows them by.

No object has a ``caBundle``: cert-manager writes it where the annotation asks for it, and a
placeholder is refused by Kubernetes 1.31 and later.
"""

from __future__ import annotations

from provider.api import common, crd
from provider.manifests import parts

VALIDATE, MUTATE = "/validate", "/mutate"
WITHIN_S = 10
DEFAULTED = ("OscMachine",)
"""The kinds of which something is filled in that depends on other fields: see admission."""
MOVES = {"clusterctl.cluster.x-k8s.io/move-hierarchy": ""}
"""clusterctl moves objects of a kind with this label, and what they own, to the new cluster."""


def definitions() -> list[parts.Object]:
    """Return the definitions of our kinds; those with several versions need an authority."""
    out = crd.definitions(parts.WEBHOOK_SERVICE, parts.NAMESPACE)
    for each in out:
        if each["spec"]["conversion"]["strategy"] == "Webhook":
            each["metadata"]["annotations"] = parts.INJECT
        if each["spec"]["scope"] == "Cluster":
            each["metadata"]["labels"].update(MOVES)
    return out


def certificate() -> list[parts.Object]:
    """Return what makes cert-manager issue the certificate of webhooks and metrics."""
    services = (parts.WEBHOOK_SERVICE, parts.METRICS_SERVICE)
    names = [f"{each}.{parts.NAMESPACE}.svc" for each in services]
    issuer = f"{parts.PREFIX}-selfsigned-issuer"
    return [
        parts.made("cert-manager.io/v1", "Issuer", issuer, spec={"selfSigned": {}}),
        parts.made(
            "cert-manager.io/v1",
            "Certificate",
            parts.CERTIFICATE,
            spec={
                "dnsNames": [*names, *(f"{each}.cluster.local" for each in names)],
                "issuerRef": {"kind": "Issuer", "name": issuer},
                "secretName": parts.CERTIFICATE_SECRET,
            },
        ),
    ]


def configurations() -> list[parts.Object]:
    """Return what makes the API server ask us before it stores an object."""
    filled_in = [kind for kind in crd.KINDS if kind.name in DEFAULTED]
    return [
        _configuration(
            "Validating",
            [_webhook("validation", VALIDATE, kind, ["CREATE", "UPDATE"]) for kind in crd.KINDS],
        ),
        _configuration(
            "Mutating", [_webhook("default", MUTATE, kind, ["CREATE"]) for kind in filled_in]
        ),
    ]


def _configuration(sort: str, webhooks: list[parts.Object]) -> parts.Object:
    return parts.made(
        "admissionregistration.k8s.io/v1",
        f"{sort}WebhookConfiguration",
        f"{parts.PREFIX}-{sort.lower()}-webhook-configuration",
        is_namespaced=False,
        annotations=parts.INJECT,
        webhooks=webhooks,
    )


def _webhook(does: str, path: str, kind: crd.Kind, operations: list[str]) -> parts.Object:
    service = {
        "name": parts.WEBHOOK_SERVICE,
        "namespace": parts.NAMESPACE,
        "path": path,
        "port": 443,
    }
    return {
        "name": f"{does}.{kind.plural}.{common.GROUP}",
        "admissionReviewVersions": ["v1"],
        "clientConfig": {"service": service},
        "failurePolicy": "Fail",
        "matchPolicy": "Equivalent",
        "sideEffects": "None",
        "timeoutSeconds": WITHIN_S,
        "rules": [
            {
                "apiGroups": [common.GROUP],
                # All of them, so that we see what was sent and name its own fields.
                "apiVersions": [*kind.models],
                "operations": operations,
                "resources": [kind.plural],
                "scope": "Namespaced" if kind.is_namespaced else "Cluster",
            }
        ],
    }
