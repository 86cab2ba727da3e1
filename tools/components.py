"""What can be built: one row for each tool, and the module that pins its version."""

from __future__ import annotations

import dataclasses
import pathlib
import re
from collections.abc import Iterator

HERE = pathlib.Path(__file__).resolve().parent

# Nothing here is built from a git tree, so no commit can be named. "archive" is upstream's own word
# for such a tree.
STAMPS = {"gitCommit": "module", "gitTreeState": "archive"}


@dataclasses.dataclass(frozen=True)
class Module:
    """A folder with a go.mod of its own: its graph of dependencies is shared by its tools."""

    folder: str
    path: str
    """The Go module whose version counts."""
    stamped: tuple[str, ...] = ()
    """Packages whose variables gitVersion, gitMajor and so on are set while linking."""
    stamps: tuple[tuple[str, str], ...] = ()
    """Other variables that are set while linking, with their values."""
    is_default: bool = True
    """Whether it is built without being named."""

    @property
    def directory(self) -> pathlib.Path:
        """Return the folder that holds go.mod and go.sum."""
        return HERE / self.folder

    @property
    def version(self) -> str:
        """Read the pinned version."""
        return pinned(self._text("go.mod"), self.path)

    @property
    def go(self) -> str:
        """Read the oldest Go that can build it."""
        return go_line(self._text("go.mod"))

    @property
    def definition(self) -> str:
        """Return all that decides what is built, besides Go itself."""
        return "\n".join([self._text("go.mod"), self._text("go.sum"), *self.link_flags])

    @property
    def link_flags(self) -> list[str]:
        """Return the flags of the linker: no symbols, and the version where it is looked for."""
        variables = dict(self.stamps)
        for package in self.stamped:
            for name, value in version_stamps(self.version).items():
                variables[f"{package}.{name}"] = value
        return ["-s", "-w", *(f"-X={name}={value}" for name, value in variables.items())]

    def _text(self, name: str) -> str:
        return (self.directory / name).read_text(encoding="utf-8")


@dataclasses.dataclass(frozen=True)
class Tool:
    """One binary."""

    name: str
    module: Module
    package: str
    """The Go package of its main function."""
    version_arguments: tuple[str, ...] = ("--version",)
    """What makes it print its version, if anything does; its exit status does not count."""
    binary: str = ""
    """The name of its file, where that is not its own name."""

    @property
    def version(self) -> str:
        """Read the pinned version."""
        return self.module.version

    @property
    def file_name(self) -> str:
        """Return the name of its file."""
        return self.binary or self.name

    @property
    def variable(self) -> str:
        """Return the environment variable with which a user gives an own binary."""
        return "CAPOSC_" + re.sub(r"[^A-Z0-9]", "_", self.name.upper())

    def __str__(self) -> str:
        """Return name and version, as they stand in messages."""
        return f"{self.name} {self.version}"


def pinned(go_mod: str, path: str) -> str:
    """Find the version that a go.mod requires of a module."""
    found = re.search(rf"^(?:require)?\s+{re.escape(path)} (v\S+)", go_mod, re.MULTILINE)
    assert found, f"The go.mod does not require {path}."
    return found[1]


def go_line(go_mod: str) -> str:
    """Find the version in the go line of a go.mod."""
    found = re.search(r"^go (\S+)$", go_mod, re.MULTILINE)
    assert found, "The go.mod has no go line."
    return found[1]


def version_stamps(version: str) -> dict[str, str]:
    """Return the variables that Kubernetes' way of stating a version wants, with their values."""
    major, minor, *_ = version.removeprefix("v").split(".")
    return {"gitVersion": version, "gitMajor": major, "gitMinor": minor, **STAMPS}


ETCD = Module(
    "etcd",
    "go.etcd.io/etcd/server/v3",
    # The version itself is a constant of the module.
    stamps=(("go.etcd.io/etcd/api/v3/version.GitSHA", "module"),),
)
KUBERNETES = Module(
    "kubernetes",
    "k8s.io/kubernetes",
    stamped=("k8s.io/component-base/version", "k8s.io/client-go/pkg/version"),
)
CLUSTER_API = Module(
    "cluster-api",
    "sigs.k8s.io/cluster-api",
    stamped=("sigs.k8s.io/cluster-api/version",),
)
CLUSTER_API_1_10 = Module(
    "cluster-api-1.10",
    "sigs.k8s.io/cluster-api",
    stamped=("sigs.k8s.io/cluster-api/version",),
    is_default=False,
)
CLUSTER_API_1_13 = Module(
    "cluster-api-1.13",
    "sigs.k8s.io/cluster-api",
    stamped=("sigs.k8s.io/cluster-api/version",),
    is_default=False,
)
MODULES = (ETCD, KUBERNETES, CLUSTER_API, CLUSTER_API_1_10, CLUSTER_API_1_13)

# The managers have no flag for it, but log their version before they look for a cluster. Those of
# 1.10 do so only afterwards; their clusterctl is stamped by the same flags, and can be asked.
_NOWHERE = ("--kubeconfig=/nonexistent/kubeconfig",)


def _managers(module: Module, core: str, suffix: str, asks: tuple[str, ...]) -> Iterator[Tool]:
    packages = {
        "cluster-api-controller": core,
        "kubeadm-bootstrap-controller": "/bootstrap/kubeadm",
        "kubeadm-control-plane-controller": "/controlplane/kubeadm",
    }
    for name, package in packages.items():
        yield Tool(name + suffix, module, module.path + package, asks, name)


def _clusterctl(module: Module, suffix: str) -> Tool:
    package = module.path + "/cmd/clusterctl"
    return Tool("clusterctl" + suffix, module, package, ("version",), "clusterctl")


TOOLS = {
    tool.name: tool
    for tool in (
        Tool("etcd", ETCD, "go.etcd.io/etcd/server/v3"),
        Tool("kube-apiserver", KUBERNETES, "k8s.io/kubernetes/cmd/kube-apiserver"),
        Tool(
            "kube-controller-manager",
            KUBERNETES,
            "k8s.io/kubernetes/cmd/kube-controller-manager",
        ),
        Tool("kubectl", KUBERNETES, "k8s.io/kubernetes/cmd/kubectl", ("version", "--client")),
        *_managers(CLUSTER_API, "/core", "", _NOWHERE),
        _clusterctl(CLUSTER_API, ""),
        *_managers(CLUSTER_API_1_10, "", "-1.10", ()),
        _clusterctl(CLUSTER_API_1_10, "-1.10"),
        *_managers(CLUSTER_API_1_13, "", "-1.13", _NOWHERE),
    )
}


def tool(name: str) -> Tool:
    """Return the tool of that name."""
    if name not in TOOLS:
        raise ValueError(f"There is no tool '{name}'. Choose from: {', '.join(TOOLS)}.")
    return TOOLS[name]


def selected(names: tuple[str, ...]) -> list[Tool]:
    """Return the tools with these names or of modules with these names; without any, the usual."""
    if not names:
        return [row for row in TOOLS.values() if row.module.is_default]
    known = {row.folder for row in MODULES} | set(TOOLS)
    for name in names:
        if name not in known:
            raise ValueError(
                f"There is no tool and no module '{name}'. Choose from: {', '.join(sorted(known))}."
            )
    return [row for row in TOOLS.values() if {row.name, row.module.folder} & set(names)]
