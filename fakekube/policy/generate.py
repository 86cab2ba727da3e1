"""Write ``table.json`` anew: ``python -m fakekube.policy.generate URL CERTIFICATE KEY``.

The server is a real kube-apiserver that has no roles but those it has made itself.
"""

from __future__ import annotations

import http.client
import json
import pathlib
import ssl
import sys
from typing import Any
from urllib import parse

from fakekube import policy

Json = Any

TABLE = pathlib.Path(__file__).parent / "table.json"
ROOT = f"/apis/{policy.API_VERSION}/"


def read(url: str, certificate: str, key: str) -> dict[str, list[Json]]:
    """Return all first roles and bindings of the server."""
    context = ssl._create_unverified_context()  # noqa: S323, SLF001 — nothing secret is asked.
    context.load_cert_chain(certificate, key)
    connection = http.client.HTTPSConnection(parse.urlsplit(url).netloc, context=context)
    found = {}
    for plural in ("clusterroles", "clusterrolebindings", "roles", "rolebindings"):
        connection.request("GET", ROOT + plural)
        items = json.loads(connection.getresponse().read())["items"]
        found[plural] = [each for each in items if _is_first(each)]
    return found


def _is_first(obj: Json) -> bool:
    labels = obj["metadata"].get("labels") or {}
    return policy.LABELS.items() <= labels.items()


def row(role: Json) -> Json:
    """Return a cluster role: its rules, and how it takes part in aggregation."""
    labels = role["metadata"]["labels"]
    to = [key.removeprefix(policy.AGGREGATE) for key in sorted(labels) if policy.AGGREGATE in key]
    found: Json = {"to": to} if to else {}
    if "aggregationRule" in role:
        (wanted,) = role["aggregationRule"]["clusterRoleSelectors"]
        (label,) = wanted["matchLabels"]
        return {"from": label.removeprefix(policy.AGGREGATE), **found}
    return {**found, "rules": [policy.spelled(rule) for rule in role["rules"] or ()]}


def binding(obj: Json) -> list[str]:
    """Return a binding: its role, then its subjects."""
    found = [f"{obj['roleRef']['kind']} {obj['roleRef']['name']}"]
    for subject in obj.get("subjects") or ():
        place = f"{subject['namespace']}/" if "namespace" in subject else ""
        found.append(f"{subject['kind']} {place}{subject['name']}")
    return found


def name(obj: Json) -> str:
    """Return namespace and name of an object."""
    meta = obj["metadata"]
    return f"{meta['namespace']}/{meta['name']}" if "namespace" in meta else str(meta["name"])


def main(arguments: list[str]) -> None:
    """Ask and write."""
    found = read(*arguments)
    table = {
        "clusterroles": {name(each): row(each) for each in found["clusterroles"]},
        "roles": {
            name(each): [policy.spelled(rule) for rule in each["rules"] or ()]
            for each in found["roles"]
        },
        "clusterrolebindings": {name(e): binding(e) for e in found["clusterrolebindings"]},
        "rolebindings": {name(each): binding(each) for each in found["rolebindings"]},
    }
    TABLE.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(f"{TABLE}: {sum(map(len, table.values()))} objects\n")


if __name__ == "__main__":
    main(sys.argv[1:])
