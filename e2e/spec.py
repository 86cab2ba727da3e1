"""What a spec stands on: a namespace, the name of a cluster, and what that has in the cloud."""

from __future__ import annotations

import contextlib
import dataclasses
import re
import shutil
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TypeVar

import pytest

from e2e import artifacts, repository, waits
from e2e.cloud import Account, Footprint
from e2e.cluster import Cluster
from e2e.management import Local, Management
from e2e.repository import Era
from e2e.story import Story

Found = TypeVar("Found")

FAILURES = (Exception, SystemExit, pytest.fail.Exception)
"""What a spec fails with; pytest has exceptions that are no ``Exception``."""


@dataclasses.dataclass(frozen=True)
class Ground:
    """What all specs of a run share."""

    kind: str
    """That of the cloud, as ``--cloud`` says."""
    cloud: Account
    management: Management
    variables: Mapping[str, str]
    """What templates are filled in with."""
    before: frozenset[str]
    """What was in the cloud before the first spec."""
    kept: Path
    """The folder of what is kept of specs that failed."""
    scratch: Path
    writes_golden: bool
    """Whether what is compared with a file is written into that file, for somebody to read."""
    stop: threading.Event


@dataclasses.dataclass(frozen=True)
class Spec:
    """All that a spec stands on."""

    title: str
    ground: Ground
    cluster: Cluster
    waits: waits.Waits
    story: Story

    @property
    def management(self) -> Management:
        """Return where Cluster API runs."""
        return self.ground.management

    @property
    def cloud(self) -> Account:
        """Return the cloud, which other specs use as well."""
        return self.ground.cloud

    @property
    def footprint(self) -> Footprint:
        """Return what the cluster has in the cloud."""
        return self.cluster.footprint

    @property
    def scratch(self) -> Path:
        """Return a folder for whatever the spec has to write."""
        folder = self.ground.scratch / self.cluster.name
        folder.mkdir(exist_ok=True)
        return folder

    @staticmethod
    def leave_out(why: str) -> None:
        """Skip the spec, if there is a reason."""
        if why:
            pytest.skip(why)

    def step(self, sentence: str) -> AbstractContextManager[None]:
        """Tell a step of the story."""
        return self.story.step(sentence)

    def eventually(self, probe: Callable[[], Found], within: str) -> Found:
        """Wait for something; ``within`` is the name of a wait in config.yaml."""
        return self.waits[within].eventually(probe)

    def throughout(self, probe: Callable[[], object], for_: str) -> None:
        """See that something holds all the time."""
        self.waits[for_].throughout(probe)

    def untouched(self) -> Callable[[], None]:
        """Return a probe that finds in the cloud what is there now, and nobody asked for more."""
        has, writes = self.footprint.inventory(), len(self.footprint.writes())

        def probe() -> None:
            now, asked = self.footprint.inventory(), self.footprint.writes()[writes:]
            waits.need(now == has, saw=f"the cloud changed: {sorted(now ^ has)}")
            waits.need(not asked, saw=f"the cloud was asked to {asked}")

        return probe

    def nothing_is_left(self) -> None:
        """Find nothing of the cluster in the cloud."""
        left = self.footprint.inventory()
        waits.need(not left, saw=f"the cloud has {self.cloud.tell(left)}")

    def count(self, kind: str) -> int:
        """Return how many of a kind the cluster has in the cloud."""
        return sum(each.startswith(f"{kind} ") for each in self.footprint.inventory())

    @contextlib.contextmanager
    def elsewhere(
        self, era: Era = repository.NEWEST, place: str = "elsewhere"
    ) -> Iterator[Cluster]:
        """Run another management cluster; give the same cluster as it will be there."""
        with Local(
            self.scratch / place, self.cloud.environment, self.ground.variables, era
        ) as made:
            made.kubectl.run("create", "namespace", self.cluster.namespace)
            there = Cluster(made, self.cluster.namespace, self.cluster.name, self.footprint)
            try:
                yield there
            except FAILURES:
                keep(self, there, f"{self.title} {place}")
                raise


@contextlib.contextmanager
def opened(ground: Ground, module: str, title: str) -> Iterator[Spec]:
    """Give a spec its ground, named ``title``; keep what there was if it fails; clean up."""
    words = title.removeprefix("test_").replace("_", " ")
    name = f"e2e-{zlib.crc32(f'{module} {title}'.encode()):08x}"
    label = module + "".join(re.findall(r"\[.*\]", title))
    story = Story(f"{words[0].upper()}{words[1:]}. Its cluster is {name}.", label)
    ground.management.kubectl.run("create", "namespace", name)
    cluster = Cluster(ground.management, name, name, Footprint(ground.cloud, name))
    made = Spec(
        title, ground, cluster, waits.Waits(spec=module, cloud=ground.kind, stop=ground.stop), story
    )
    try:
        yield made
        _clean(made)
    except pytest.skip.Exception:
        _clean(made)
        raise
    except FAILURES:
        keep(made, cluster, title)
        # The last spec of a run sees whether it goes.
        _ask_to_go(made.cluster)
        raise


def _clean(spec: Spec) -> None:
    """Delete what a spec left, and see that the cloud has nothing of it any more."""
    with spec.step("Delete the namespace with all that is left"):
        _ask_to_go(spec.cluster)
        spec.eventually(spec.cluster.is_gone_itself, within="deleted")
        spec.management.kubectl.run("delete", "namespace", spec.cluster.namespace, "--wait=false")
    with spec.step("Nothing of it is left in the cloud"):
        spec.eventually(spec.nothing_is_left, within="deleted")


def _ask_to_go(cluster: Cluster) -> None:
    for each in cluster.objects("Cluster"):
        version, name = each["apiVersion"], each["metadata"]["name"]
        if each["spec"].get("paused"):
            cluster.kube.patch(version, "clusters", name, {"spec": {"paused": False}})
        cluster.kube.delete(version, "clusters", name)


def keep(spec: Spec, cluster: Cluster, title: str) -> None:
    """Keep what there is where a cluster is."""
    folder = spec.ground.kept / title
    shutil.rmtree(folder, ignore_errors=True)
    artifacts.keep(folder, cluster, spec.cloud, spec.story.lines, spec.scratch)
    spec.story.tell(f"What there was is kept in {folder}.")
