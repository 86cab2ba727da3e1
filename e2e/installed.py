"""A management cluster that is there already: kind, or whatever a kubeconfig names.

Its providers were installed by somebody else, with the credentials of the account of the run.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Self

import tools
from e2e import management, repository
from e2e.command import Clusterctl, Kubectl, Refused
from e2e.kube import Kube

NEEDED = ("kubectl", "clusterctl")
LABEL = "cluster.x-k8s.io/provider"
AVAILABLE_WITHIN = "120s"


class Installed:
    """A management cluster of which nothing is started and nothing ends with the ``with`` block."""

    def __init__(self, kubeconfig: Path, folder: Path, variables: Mapping[str, str]) -> None:
        """Prepare what users need; it goes into ``folder``."""
        self._paths = tools.require(*NEEDED)
        self._folder = folder
        self._variables = {"CLUSTER_TOPOLOGY": "true", **variables}
        self._stack = contextlib.ExitStack()
        self.ended: tuple[str, ...] = ()
        self.core = f"cluster.x-k8s.io/{repository.NEWEST.contract}"
        self.kubeconfig = kubeconfig.absolute()
        self.kubectl = Kubectl(self._paths["kubectl"], self.kubeconfig)
        self.clusterctl: Clusterctl
        self.kube: Kube

    def __enter__(self) -> Self:
        """Find that it answers as a cluster does on which all providers run."""
        home = self._folder / "home"
        home.mkdir(parents=True)
        config = repository.write(self._folder / "repository", self._variables)
        self.clusterctl = Clusterctl(self._paths["clusterctl"], config, self.kubeconfig, home)
        self._check()
        proxy = management.served(self._paths["kubectl"], self.kubeconfig, self._folder)
        self.kube = self._stack.enter_context(proxy)
        return self

    def __exit__(self, *_: object) -> None:
        """Leave it as it is."""
        self._stack.close()

    @property
    def cannot_crash(self) -> str:
        """Return why nothing can be killed here."""
        if self._pods("--output=name"):
            return ""
        return f"Our manager is no Pod in {self.kubeconfig}, so that nobody can kill it from there."

    def crash(self) -> None:
        """Delete the pods of our manager without any grace, and wait for others."""
        namespace = repository.OURS.namespace
        self.kubectl.run(
            *("delete", "pods", "-n", namespace, f"--selector={_selector()}"),
            *("--grace-period=0", "--force"),
        )
        self.kubectl.run(
            *("wait", "deployments", "-n", namespace, f"--selector={_selector()}"),
            *("--for=condition=Available", f"--timeout={AVAILABLE_WITHIN}"),
        )

    def processes(self) -> Iterator[Path]:
        """Give the log of our manager, where it is a Pod."""
        path = self._folder / f"{repository.OURS.label}.log"
        if self._pods("--output=name"):
            namespace = repository.OURS.namespace
            words = ("logs", "-n", namespace, f"--selector={_selector()}", "--tail=-1")
            path.write_text(self.kubectl.run(*words))
            yield path

    def _pods(self, *flags: str) -> str:
        namespace = repository.OURS.namespace
        return self.kubectl.run("get", "pods", "-n", namespace, f"--selector={_selector()}", *flags)

    def _check(self) -> None:
        """Ask all webhooks about a cluster that is not made; raise ``SystemExit``."""
        words = ("generate", "cluster", "e2e-probe", "--target-namespace=default")
        try:
            manifest = self.clusterctl.run(*words)
            self.kubectl.run("apply", "--dry-run=server", "-f", "-", given=manifest)
        except Refused as refusal:
            raise SystemExit(
                f"--management={self.kubeconfig} would not take a cluster. Install all providers "
                "there, with the credentials of this account, as docs/start.md says under 3: "
                f"clusterctl init --infrastructure=outscale. {refusal}"
            ) from None


def _selector() -> str:
    return f"{LABEL}={repository.OURS.label}"
