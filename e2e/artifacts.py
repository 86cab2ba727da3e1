"""What is kept of a spec that failed: objects, events, logs, the plan, and the cloud.

Nothing secret is in it: of a Secret only the names of its keys, and of a VM no user data.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from e2e.cloud import Account
from e2e.cluster import Cluster, identity
from e2e.command import Refused, run
from e2e.kube import Object

HIDDEN = "(not kept)"
SECRET_NAMES = frozenset({"UserData", "SecretKey", "PrivateKey"})
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def keep(folder: Path, cluster: Cluster, cloud: Account, story: list[str]) -> None:
    """Write everything into a folder."""
    management = cluster.management
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "story.txt").write_text("\n".join(story) + "\n")
    for each in cluster.objects():
        path = folder / "objects" / f"{identity(each).replace('/', '.')}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(yaml.safe_dump(_open(each), sort_keys=False))
    events = management.kubectl.run(
        "get", "events", "-n", cluster.namespace, "--sort-by=.metadata.creationTimestamp"
    )
    (folder / "events.txt").write_text(events)
    logs = folder / "logs"
    logs.mkdir(exist_ok=True)
    for log in (*management.processes(), *cloud.logs()):
        shutil.copy(log, logs / log.name)
    for name, content in cloud.artifacts():
        (folder / name).write_text(json.dumps(redacted(content), indent=1))
    (folder / "plan.txt").write_text(_plan(cluster, cloud.environment))


def redacted(content: Any) -> Any:
    """Return content without what nobody may read."""
    if isinstance(content, dict):
        return {
            key: HIDDEN if key in SECRET_NAMES and each else redacted(each)
            for key, each in content.items()
        }
    return [redacted(each) for each in content] if isinstance(content, list) else content


def _open(of: Object) -> Object:
    metadata = {key: each for key, each in of["metadata"].items() if key != "managedFields"}
    (metadata.get("annotations") or {}).pop(LAST_APPLIED, None)
    shown = {**of, "metadata": metadata}
    if of["kind"] == "Secret":
        shown["data"] = dict.fromkeys(of.get("data") or {}, HIDDEN)
    return shown


def _plan(cluster: Cluster, environment: Mapping[str, str]) -> str:
    """Return what ``caposc plan`` says of the cluster."""
    given = "---\n".join(yaml.safe_dump(_open(each)) for each in cluster.objects("OscCluster"))
    if not given:
        return "There is no OscCluster.\n"
    command: list[str | Path] = [sys.executable, "-m", "provider", "plan", "-f", "-"]
    try:
        return run(command, environment=environment, given=given)
    except Refused as refusal:
        # It ends with 2 when there is something to do, which is no wonder here.
        return str(refusal)
