"""A management cluster to play with: ``make playground``.

It has what a laptop lacks, and nothing that a user does: Kubernetes as processes, a repository of
providers for clusterctl, a simulated cloud, and what a node does for a Deployment of a provider.
docs/start.md goes on from here; test_start.py follows it.
"""

from __future__ import annotations

import contextlib
import fcntl
import shlex
import shutil
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

import tools
from e2e import certify, repository
from e2e.cloud import Fake
from e2e.management import HERE, Local
from e2e.repository import Provider

FOLDER = Path("dist/playground")
LOOK_EVERY_S = 0.5
DEPLOYMENTS = "/apis/apps/v1/namespaces/{}/deployments"
COMMANDS = ("kubectl", "clusterctl")


class Playground(Local):
    """A management cluster on which nothing is installed yet; managers follow their Deployments."""

    def __init__(self, folder: Path) -> None:
        """Prepare it."""
        super().__init__(folder, {}, {})
        self._seen: dict[str, tuple[str, str]] = {}

    def serve(self, stop: threading.Event) -> None:
        """Run what Deployments of providers say, until it is time to stop."""
        while not stop.wait(LOOK_EVERY_S):
            for each in repository.PROVIDERS:
                self._follow(each)
            if self._ports:
                self._redirect(certify.WEBHOOKS)

    def _install(self) -> None:
        config = self._folder / "config" / "cluster-api"
        config.mkdir(parents=True)
        made = repository.write(self._folder / "repository", self._variables)
        made.rename(config / "clusterctl.yaml")
        self.kubectl.run("apply", "-f", HERE / "cert_manager.yaml")

    def _start_managers(self) -> None:
        folder = self._folder / "webhooks"
        folder.mkdir()
        self._authority = certify.issue(folder)
        (self._folder / "home").mkdir()

    def _follow(self, provider: Provider) -> None:
        """Start, replace or stop a manager, when its Deployment says so."""
        rows = self.kube.must("GET", DEPLOYMENTS.format(provider.namespace))["items"]
        made = {row["metadata"]["uid"]: row["spec"]["template"] for row in rows}
        now = next(((uid, repr(template)) for uid, template in made.items()), ("", ""))
        if now == self._seen.get(provider.label, ("", "")):
            return
        self._seen[provider.label] = now
        if provider.label in self._managers:
            self.kill(provider)
            click.echo(f"{provider.label} is stopped.")
        if rows:
            self._ports.setdefault(provider.label, self.free_ports())
            # Deployments are made after definitions, and before webhooks.
            self._redirect((certify.DEFINITIONS,))
            self.start(provider)
            self.wait_ready(provider)
            self._say_available(rows[0])
            click.echo(f"{provider.label} runs.")

    def _redirect(self, paths: tuple[str, ...]) -> None:
        known = {each.label: each.namespace for each in repository.PROVIDERS}
        ports = {known[label]: each.webhook for label, each in self._ports.items()}
        certify.redirect(self.kube, self._authority, ports, paths)

    def _say_available(self, deployment: Mapping[str, Any]) -> None:
        """Say of a Deployment what its controller says when its pod is ready."""
        metadata = deployment["metadata"]
        path = f"{DEPLOYMENTS.format(metadata['namespace'])}/{metadata['name']}/status"
        counts = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
        conditions = [{"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable"}]
        status = {
            **dict.fromkeys(counts, 1),
            "observedGeneration": metadata["generation"],
            "conditions": conditions,
        }
        merge = {"Content-Type": "application/merge-patch+json"}
        self.kube.must("PATCH", path, {"status": status}, **merge)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Have the folder for ourselves, empty; what an earlier playground left in it goes."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise click.ClickException(
                f"Another playground runs in {folder}. End it, or give another --folder."
            ) from None
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        yield


def _write_environment(playground: Playground, folder: Path, cloud: Mapping[str, str]) -> Path:
    """Write what a shell needs: where commands, clusters and the cloud are."""
    commands = folder / "bin"
    commands.mkdir()
    for name, path in tools.require(*COMMANDS).items():
        (commands / name).symlink_to(path)
    (commands / "caposc").symlink_to(Path(sys.executable).parent / "caposc")
    variables = {
        "KUBECONFIG": str(playground.kubeconfig),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "CLUSTERCTL_DISABLE_VERSIONCHECK": "true",
        **cloud,
    }
    lines = [f"export {name}={shlex.quote(text)}" for name, text in variables.items()]
    lines.append(f'export PATH={shlex.quote(str(commands))}:"$PATH"')
    path = folder / "env"
    path.touch(mode=0o600)
    path.write_text("\n".join(lines) + "\n")
    return path


@click.command()
@click.option(
    "--cloud",
    type=click.Choice(["fake", "own"]),
    default="fake",
    show_default=True,
    help="fake brings a simulated cloud; own leaves OSC_ACCESS_KEY and the like to you.",
)
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=FOLDER,
    show_default=True,
    help="Where everything is kept until the next start.",
)
def playground(*, cloud: str, folder: Path) -> None:
    """Run a management cluster to play with, until Ctrl-C."""
    stop = threading.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda *_: stop.set())
    folder = folder.absolute()
    with contextlib.ExitStack() as stack:
        stack.enter_context(_alone(folder))
        environment: Mapping[str, str] = {}
        if cloud == "fake":
            environment = stack.enter_context(Fake(folder / "cloud")).environment
        made = stack.enter_context(Playground(folder))
        path = _write_environment(made, folder, environment)
        click.echo(path.read_text())
        click.echo(f"Ready. In another terminal: . {_short(path)}   Ctrl-C ends all of it.")
        made.serve(stop)


def _short(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


if __name__ == "__main__":
    playground()
