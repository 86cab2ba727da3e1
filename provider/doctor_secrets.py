"""What ``caposc doctor`` looks at in a management cluster: the Secrets with credentials.

``clusterctl move`` takes a Secret along that has the move label or an owner that moves. We own none
of them: a Secret of a user would be deleted with the last cluster that uses it.
https://cluster-api.sigs.k8s.io/developer/providers/contracts/clusterctl
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

from provider import clock as clocks
from provider.finding import Finding
from provider.kube import auth, errors, kinds
from provider.kube import client as kube
from provider.manager.tenants import MOVE_LABEL
from provider.osc import credentials

Object = Mapping[str, Any]
WHAT = "secrets"


def examine(environment: Mapping[str, str]) -> list[Finding]:
    """Look at each Secret that a cluster or an identity of the management cluster names."""
    try:
        return asyncio.run(_examine(auth.source("", environment)))
    except (auth.AccessError, errors.KubeError) as problem:
        return [Finding(WHAT, f"{problem}", "Correct the kubeconfig, or the rights of its user.")]


async def _examine(source: auth.Source) -> list[Finding]:
    async with kube.Client(source, clocks.chance()) as client:
        users: dict[tuple[str, str], str] = {}
        for each in await client.list(kinds.OSC_CLUSTER):
            for name in _of_cluster(each):
                users.setdefault((each["metadata"]["namespace"], name), _title(each))
        for each in await client.list(kinds.OSC_CLUSTER_IDENTITY):
            found = (each.get("spec") or {}).get("secretRef") or {}
            users.setdefault((found.get("namespace", ""), found.get("name", "")), _title(each))
        findings = [await _secret(client, *place, user) for place, user in sorted(users.items())]
    return findings or [Finding(WHAT, "No cluster names a Secret.")]


def _of_cluster(osc_cluster: Object) -> Iterator[str]:
    """Return the names of the Secrets of an OscCluster, in its namespace."""
    spec = osc_cluster.get("spec") or {}
    peering = (spec.get("network") or {}).get("netPeering") or {}
    for place in (spec.get("credentials"), peering.get("managementCredentials")):
        if name := (place or {}).get("fromSecret"):
            yield str(name)


def _title(each: Object) -> str:
    return f"{each['kind']} {each['metadata']['name']}"


async def _secret(client: kube.Client, namespace: str, name: str, user: str) -> Finding:
    try:
        secret = await client.get(kinds.SECRET, namespace, name)
        credentials.of_secret(secret)
    except errors.NotFound:
        told = f"{namespace}/{name}, which the {user} names, does not exist."
        return Finding(WHAT, told, "Create it with the keys access_key, secret_key and region.")
    except credentials.CredentialsError as problem:
        return Finding(WHAT, "", str(problem))
    metadata = secret["metadata"]
    if MOVE_LABEL in (metadata.get("labels") or {}) or metadata.get("ownerReferences"):
        return Finding(WHAT, f"{namespace}/{name} is there, and moves with the {user}.")
    return Finding(
        WHAT,
        f"{namespace}/{name}, which the {user} names, would stay behind in a clusterctl move.",
        f"Label it: kubectl label secret -n {namespace} {name} {MOVE_LABEL}=",
        is_grave=False,
    )
