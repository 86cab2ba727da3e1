"""What is kept of a spec that failed: objects, events, logs, the plan, and the cloud.

Nothing secret is in it: of a Secret only the names of its keys, and of a VM no user data.
"""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from e2e.cloud import Account
from e2e.cluster import Cluster, identity
from e2e.command import Refused, run
from e2e.kube import Object
from e2e.waits import Unmet

HIDDEN = "(not kept)"
SECRET_NAMES = frozenset(
    # Of the API of OUTSCALE, and of KubeadmConfigs: what they have is in user data too.
    {"UserData", "SecretKey", "PrivateKey", "Password", "AdminPassword", "PreSharedKey", "CaPem"}
    | {"token", "certificateKey", "passwd", "content"}
)
SECRET_KEY = re.compile(r"key|token|pass|secret", re.IGNORECASE)
"""What the key of a Secret is called whose text is found nowhere else either."""
UNKEPT = (AssertionError, OSError, SystemExit, subprocess.SubprocessError, Unmet, ValueError)
"""What is raised by what cannot be asked any more."""
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def keep(folder: Path, cluster: Cluster, cloud: Account, story: list[str], own: Path) -> None:
    """Write everything into a folder; ``own`` is where the spec itself may have written logs."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "story.txt").write_text("\n".join(story) + "\n")
    parts: dict[str, Callable[[], object]] = {
        "logs": lambda: _keep_logs(folder, cluster, cloud, own),
        "objects": lambda: _keep_objects(folder, cluster),
        "events": lambda: _keep_events(folder, cluster),
        "cloud": lambda: _keep_cloud(folder, cloud),
        "plan": lambda: (folder / "plan.txt").write_text(_plan(cluster, cloud.environment)),
        "secrets": lambda: _hide(folder, set(_secrets(cluster))),
    }
    for name, part in parts.items():
        try:
            part()
        except UNKEPT as why:
            # What could be asked for it may be what came to grief; the rest is needed all the more.
            with (folder / "missing.txt").open("a") as missing:
                missing.write(f"{name}: {type(why).__name__}: {why}\n")
    _hide(folder, {cloud.environment["OSC_SECRET_KEY"]})


def _keep_logs(folder: Path, cluster: Cluster, cloud: Account, own: Path) -> None:
    logs = folder / "logs"
    logs.mkdir(exist_ok=True)
    for log in (*cloud.logs(), *cluster.management.processes()):
        shutil.copy(log, logs / log.name)
    for log in own.rglob("*.log"):
        shutil.copy(log, logs / "-".join(log.relative_to(own).parts))


def _keep_objects(folder: Path, cluster: Cluster) -> None:
    for each in cluster.objects():
        path = folder / "objects" / f"{identity(each).replace('/', '.')}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(yaml.safe_dump(_open(each), sort_keys=False))


def _keep_events(folder: Path, cluster: Cluster) -> None:
    events = cluster.management.kubectl.run(
        "get", "events", "-n", cluster.namespace, "--sort-by=.metadata.creationTimestamp"
    )
    (folder / "events.txt").write_text(events)


def _keep_cloud(folder: Path, cloud: Account) -> None:
    for name, content in cloud.artifacts():
        (folder / name).write_text(json.dumps(redacted(content), indent=1))


def _secrets(cluster: Cluster) -> Iterator[str]:
    for each in cluster.objects("Secret"):
        for key, text in (each.get("data") or {}).items():
            if SECRET_KEY.search(key) and text:
                yield text
                yield base64.b64decode(text).decode(errors="replace")


def _hide(folder: Path, secrets: set[str]) -> None:
    """Take secrets out of all that was written, whoever wrote them there."""
    for path in (each for each in folder.rglob("*") if each.is_file()):
        text = path.read_text(errors="replace")
        hidden = text
        for each in filter(None, secrets):
            hidden = hidden.replace(each, HIDDEN)
        if hidden != text:
            path.write_text(hidden)


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
    shown: Object = redacted({**of, "metadata": metadata})
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
