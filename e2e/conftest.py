"""The ground of every spec: one management cluster and one cloud for the run, a namespace each."""

from __future__ import annotations

import dataclasses
import os
import shutil
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TypeVar

import pytest
import yaml

from e2e import artifacts, management, waits
from e2e.cloud import Fake
from e2e.cluster import Cluster
from e2e.management import Local
from e2e.story import Story

Found = TypeVar("Found")

pytest_plugins = ("tools.pytest_plugin",)
FAILED = pytest.StashKey[bool]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options by which the ground is chosen."""
    group = parser.getgroup("e2e")
    group.addoption(
        "--management",
        default="local",
        choices=["local"],
        help="where Cluster API runs: local is a real control plane of processes",
    )
    group.addoption(
        "--cloud", default="fake", choices=["fake"], help="the cloud: fake is fakecloud"
    )
    group.addoption(
        "--write-golden",
        action="store_true",
        help="write what is compared with a file into that file, for you to read",
    )
    group.addoption(
        "--seeds", type=int, default=2, help="how many lives of a manager that is killed are lived"
    )
    group.addoption(
        "--artifacts",
        type=Path,
        default=Path("dist/e2e"),
        help="folder for what is kept of specs that failed",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Keep a report for machines beside the artifacts, unless another place is named."""
    place: Path = config.getoption("--artifacts")
    config.option.xmlpath = config.option.xmlpath or str(place / "junit.xml")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Live as many lives as are asked for."""
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", range(metafunc.config.getoption("--seeds")))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Say of every spec which tools it needs."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.tools(*management.NEEDED))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print a line for each spec, with how long it took."""
    terminalreporter.section("specs")
    for outcome in ("passed", "failed", "error", "skipped"):
        for report in terminalreporter.stats.get(outcome, ()):
            if report.when == "call" or outcome != "passed":
                name = report.nodeid.removeprefix("e2e/")
                terminalreporter.write_line(f"{outcome:<8}{report.duration:6.0f} s  {name}")


@dataclasses.dataclass(frozen=True)
class Spec:
    """All that a spec stands on."""

    management: Local
    cloud: Fake
    cluster: Cluster
    waits: waits.Waits
    story: Story
    before: frozenset[str]
    """What was in the cloud before."""

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
        """Return a probe that finds the cloud as it is now, with nobody having asked for more."""
        has, writes = self.cloud.inventory(), len(self.cloud.writes())

        def probe() -> None:
            now, asked = self.cloud.inventory(), self.cloud.writes()[writes:]
            waits.need(now == has, saw=f"the cloud changed: {sorted(now ^ has)}")
            waits.need(not asked, saw=f"the cloud was asked to {asked}")

        return probe

    def cloud_is_as_before(self) -> None:
        """Find in the cloud what was there before the spec, and nothing else."""
        now = self.cloud.inventory()
        left, lost = sorted(now - self.before), sorted(self.before - now)
        waits.need(not lost, saw=f"the cloud lost {', '.join(lost)}, which is not ours")
        waits.need(not left, saw=f"the cloud still has {', '.join(left)}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember for fixtures whether the spec failed."""
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    return report


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fake]:
    """Run a cloud with what an account has before any cluster."""
    with Fake(tmp_path_factory.mktemp("e2e") / "cloud") as made:
        made.call("CreateKeypair", KeypairName=variables()["OSC_KEYPAIR_NAME"])
        yield made


@pytest.fixture(scope="session")
def local(cloud: Fake, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    """Run a management cluster with all providers."""
    folder = tmp_path_factory.mktemp("management")
    with Local(folder, cloud.environment, variables()) as made:
        yield made


@pytest.fixture
def elsewhere(cloud: Fake, tmp_path: Path) -> Iterator[Local]:
    """Run a second management cluster."""
    with Local(tmp_path / "elsewhere", cloud.environment, variables()) as made:
        yield made


@pytest.fixture
def spec(request: pytest.FixtureRequest, cloud: Fake, local: Local) -> Iterator[Spec]:
    """Give a namespace and the name of a cluster; see at the end that nothing is left."""
    module = Path(str(request.path)).stem.removeprefix("test_")
    sentence = request.node.name.removeprefix("test_").replace("_", " ")
    name = f"e2e-{zlib.crc32(request.node.nodeid.encode()):08x}"
    story = Story(f"{sentence[0].upper()}{sentence[1:]}.")
    local.kubectl.run("create", "namespace", name)
    cluster = Cluster(local, name, name)
    table = waits.Waits(spec=module)
    made = Spec(local, cloud, cluster, table, story, frozenset(cloud.inventory()))
    yield made
    if request.node.stash.get(FAILED, False):
        folder: Path = request.config.getoption("--artifacts") / request.node.name
        shutil.rmtree(folder, ignore_errors=True)
        artifacts.keep(folder, cluster, local, cloud, story.lines)
        story.tell(f"What there was is kept in {folder}.")
    _clean(made)


def _clean(spec: Spec) -> None:
    """Delete what a spec left, and see that the cloud is as it was before."""
    with spec.step("Delete the namespace with all that is left"):
        for each in spec.cluster.objects("clusters"):
            spec.cluster.pause(paused=False)
            spec.cluster.kube.delete(each["apiVersion"], "clusters", each["metadata"]["name"])
        spec.eventually(
            lambda: waits.need(not spec.cluster.objects("clusters"), saw="a Cluster"),
            within="deleted",
        )
        spec.management.kubectl.run("delete", "namespace", spec.cluster.namespace, "--wait=false")
    with spec.step("The cloud is as it was before"):
        spec.eventually(spec.cloud_is_as_before, within="deleted")


def variables() -> dict[str, str]:
    """Return what components and templates are filled in with."""
    content = yaml.safe_load(waits.CONFIG.read_text())["variables"]
    return {name: os.environ.get(name, text) for name, text in content.items()}
