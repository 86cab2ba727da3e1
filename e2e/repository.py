"""A local repository of clusterctl: Cluster API's own providers, and ours, as releases hold them.

A release of Cluster API is what kustomize makes of the ``config`` folders of its module, and so it
is made here. https://cluster-api.sigs.k8s.io/clusterctl/configuration#provider-repositories
"""

from __future__ import annotations

import dataclasses
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import yaml

import tools
from tools import components

MAKE_WITHIN_S = 120.0


@dataclasses.dataclass(frozen=True)
class Provider:
    """One provider as clusterctl knows it, and the tool that is its manager."""

    name: str
    kind: str
    label: str
    """The folder of the repository, and the label on everything that is installed."""
    namespace: str
    tool: str = ""
    """The manager; without one it is ours."""
    source: str = ""
    """The folder of the module from which kustomize makes the components; that of the core is in
    the era."""

    @property
    def file_name(self) -> str:
        """Return the name that clusterctl expects of the components."""
        kind = re.sub(r"(?<!^)(?=[A-Z])", "-", self.kind.removesuffix("Provider")).lower()
        return f"{kind}-components.yaml"

    @property
    def flag(self) -> str:
        """Return the flag of ``clusterctl init`` that asks for it."""
        return f"--{self.file_name.removesuffix('-components.yaml')}"


@dataclasses.dataclass(frozen=True)
class Era:
    """A release of Cluster API, and what is different in it."""

    module: components.Module
    contract: str
    core: str
    """The folder of the module from which kustomize makes the core."""
    suffix: str = ""
    """What the names of its managers end in."""
    clusterctl: str = "clusterctl"
    """The tool that installs it."""
    ours: str = "v0.1.1"
    """Our release that is beside it."""

    def tools(self) -> tuple[str, ...]:
        """Return the names of its managers and of its clusterctl."""
        managers = [f"{each.tool}{self.suffix}" for each in PROVIDERS if each.tool]
        return (self.clusterctl, *managers)

    def version(self, provider: Provider) -> str:
        """Return which release of a provider it has."""
        return self.module.version if provider.tool else self.ours


NEWEST = Era(components.CLUSTER_API, "v1beta2", "core/config/default")
OLDER = Era(
    components.CLUSTER_API_1_10, "v1beta1", "config/default", "-1.10", "clusterctl-1.10", "v0.1.0"
)
"""The last one that knows no contract but v1beta1."""
BETWEEN = Era(components.CLUSTER_API_1_13, "v1beta2", "config/default", "-1.13", ours=OLDER.ours)
"""The newest one to which clusterctl upgrades the older one."""

CORE = Provider(
    "cluster-api",
    "CoreProvider",
    "cluster-api",
    "capi-system",
    "cluster-api-controller",
)
BOOTSTRAP = Provider(
    "kubeadm",
    "BootstrapProvider",
    "bootstrap-kubeadm",
    "capi-kubeadm-bootstrap-system",
    "kubeadm-bootstrap-controller",
    "bootstrap/kubeadm/config/default",
)
CONTROL_PLANE = Provider(
    "kubeadm",
    "ControlPlaneProvider",
    "control-plane-kubeadm",
    "capi-kubeadm-control-plane-system",
    "kubeadm-control-plane-controller",
    "controlplane/kubeadm/config/default",
)
OURS = Provider(
    "outscale",
    "InfrastructureProvider",
    "infrastructure-outscale",
    "cluster-api-provider-outscale-system",
)
PROVIDERS = (CORE, BOOTSTRAP, CONTROL_PLANE, OURS)
"""In the order in which they are installed."""


def write(folder: Path, variables: Mapping[str, str], era: Era = NEWEST) -> Path:
    """Write the releases of all providers; return the configuration of clusterctl.

    ``variables`` are what components and templates are filled in with. Releases that are there
    already stay as they are.
    """
    rows = []
    for each in PROVIDERS:
        place = folder / each.label / era.version(each)
        if not place.exists():
            _release(each, era, folder, place)
        rows.append({"name": each.name, "type": each.kind, "url": str(place / each.file_name)})
    config = folder / "clusterctl.yaml"
    content = {
        "providers": rows,
        # Nothing here issues certificates but ourselves: see management.py.
        "cert-manager": {"externallyProvisioned": "true"},
        **variables,
    }
    config.write_text(yaml.safe_dump(content, sort_keys=False))
    return config


def _release(provider: Provider, era: Era, folder: Path, place: Path) -> None:
    """Write one release of a provider to its place in the folder of a repository."""
    if not provider.tool:
        flags = [f"--output={folder}", f"--version={era.ours}", f"--contract={era.contract}"]
        _output([sys.executable, "-m", "provider", "manifests", *flags])
        return
    kubectl = tools.require("kubectl")["kubectl"]
    module = tools.source(era.module.folder)
    place.mkdir(parents=True)
    made = _output([str(kubectl), "kustomize", str(module / (provider.source or era.core))])
    (place / provider.file_name).write_text(made)
    shutil.copyfile(module / "metadata.yaml", place / "metadata.yaml")


def _output(command: list[str]) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=MAKE_WITHIN_S
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr}")
    return done.stdout
