"""The ground of every spec: one management cluster and one cloud for the run, a namespace each."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import requests
import yaml

from e2e import management, together, waits
from e2e.cloud import Account, Fake
from e2e.installed import Installed
from e2e.management import Local, Management
from e2e.spec import Ground, Spec
from e2e.together import Run, Runs, Usual

__all__ = ["Spec"]

pytest_plugins = ("tools.pytest_plugin",)
BEGIN_S = time.monotonic()
RUNS = pytest.StashKey[Runs]()
RUN = pytest.StashKey[Run]()
LOCAL = "local"
AT_ONCE = {"fake": 12, "account": 4}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options by which ground and specs are chosen."""
    group = parser.getgroup("e2e")
    group.addoption(
        "--management",
        default=LOCAL,
        help="where Cluster API runs: local is a real control plane of processes; else the path "
        "of a kubeconfig, of a cluster on which all providers are installed",
    )
    group.addoption(
        "--cloud",
        default="fake",
        choices=["fake", "account"],
        help="the cloud: fakecloud, or the account that OSC_ACCESS_KEY, OSC_SECRET_KEY, "
        "OSC_REGION and, if need be, OSC_ENDPOINT_API name",
    )
    group.addoption("--specs", default="", help="only these, as in quick_start,deletion")
    group.addoption(
        "--minutes", type=float, help="begin no spec that would usually end after these"
    )
    group.addoption(
        "--at-once",
        type=int,
        help="how many specs live at the same time: 12 on fakecloud, and 4 in an account, where "
        "each takes a Net of five",
    )
    group.addoption(
        "--write-golden",
        action="store_true",
        help="write what is compared with a file into that file, for you to read",
    )
    group.addoption(
        "--seeds", type=int, default=10, help="how many lives of a manager that is killed are lived"
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
    if config.getoption("--management") != LOCAL and config.getoption("--cloud") == "fake":
        raise pytest.UsageError(
            "The provider of an existing --management has credentials of its own: add "
            "--cloud=account, and set OSC_ACCESS_KEY, OSC_SECRET_KEY and OSC_REGION to the same."
        )
    config.addinivalue_line("markers", "stage(number): this spec comes after those before it.")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Live as many lives as are asked for."""
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", range(metafunc.config.getoption("--seeds")))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Choose specs, say of each which tools it needs, and put them into their order."""
    ours = [each for each in items if Path(__file__).parent in each.path.parents]
    together.check(ours)
    asked = {name for name in str(config.getoption("--specs")).split(",") if name}
    known = {together.module_of(each) for each in ours}
    if asked - known:
        raise pytest.UsageError(
            f"There is no spec {', '.join(sorted(asked - known))}. "
            f"There are {', '.join(sorted(known))}."
        )
    chosen = asked | {together.ALWAYS} if asked else known
    dropped = [each for each in ours if together.module_of(each) not in chosen]
    items[:] = [each for each in items if each not in dropped]
    config.hook.pytest_deselected(items=dropped)
    items.sort(key=together.stage_of)
    for each in ours:
        each.add_marker(pytest.mark.tools(*management.NEEDED))


@pytest.fixture(scope="session")
def ground(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Ground]:
    """Run a cloud and a management cluster with all providers."""
    config, folder = request.config, tmp_path_factory.mktemp("e2e")
    given, stop = variables(), threading.Event()
    kept: Path = config.getoption("--artifacts")
    kind: str = config.getoption("--cloud")
    writes_golden: bool = config.getoption("--write-golden")
    with contextlib.ExitStack() as stack:
        try:
            cloud = stack.enter_context(_cloud(config, folder, given))
            before = frozenset(cloud.inventory())
            made = stack.enter_context(_management(config, folder, cloud, given))
        except (SystemExit, requests.RequestException) as why:
            pytest.exit(f"There is no ground for specs. {why}", pytest.ExitCode.USAGE_ERROR)
        yield Ground(kind, cloud, made, given, before, kept, folder, writes_golden, stop)
        stop.set()
        config.stash[RUNS].close()


@pytest.fixture
def spec(request: pytest.FixtureRequest, ground: Ground) -> None:
    """Let a spec live, and all others of its stage."""
    config = request.config
    if RUNS not in config.stash:
        minutes: float | None = config.getoption("--minutes")
        usual = Usual(config.getoption("--artifacts") / "durations.json")
        config.stash[RUNS] = Runs(
            request.session.items,
            usual,
            at_once=config.getoption("--at-once") or AT_ONCE[config.getoption("--cloud")],
            end_s=None if minutes is None else BEGIN_S + 60 * minutes,
        )
    request.node.stash[RUN] = config.stash[RUNS].of(request.node, ground)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Wait for the end of a spec, instead of calling it."""
    run = pyfuncitem.stash.get(RUN, None)
    if run is None:
        return None
    run.join()
    return True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Tell of a spec how long it took itself, and of one that failed its story."""
    report = yield
    run = item.stash.get(RUN, None)
    if run is not None and call.when == "call":
        report.duration = run.took_s
        if report.failed:
            report.sections.append(("story", "\n".join(run.lines)))
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print a line for each spec: how it ended, how long it took, and why it failed or not ran."""
    terminalreporter.section("specs")
    for outcome in ("passed", "failed", "error", "skipped"):
        for report in terminalreporter.stats.get(outcome, ()):
            if report.when == "call" or outcome != "passed":
                name = report.nodeid.removeprefix("e2e/")
                line = f"{outcome:<8}{report.duration:6.0f} s  {name}{_why(report)}"
                terminalreporter.write_line(line)
    if terminalreporter.stats:
        terminalreporter.write_line(f"All of it took {time.monotonic() - BEGIN_S:.0f} s.")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run of which nothing is left but skips: it has shown nothing."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    ran = [kind for kind in ("passed", "failed", "error") if reporter and reporter.stats.get(kind)]
    if session.testscollected and not ran and not session.exitstatus:
        session.exitstatus = pytest.ExitCode.NO_TESTS_COLLECTED


def _why(report: pytest.TestReport) -> str:
    """Return the first line of what ended a spec; nothing when it passed."""
    told = report.longrepr
    if isinstance(told, tuple):
        return f": {told[2].removeprefix('Skipped: ')}"
    crash = getattr(told, "reprcrash", None)
    return f": {crash.message.splitlines()[0]}" if crash and crash.message else ""


def _cloud(config: pytest.Config, folder: Path, given: dict[str, str]) -> Fake | Account:
    if config.getoption("--cloud") == "account":
        return Account.of_environment()
    return Fake(folder / "cloud", keypair=given["OSC_KEYPAIR_NAME"], region=given["OSC_REGION"])


def _management(
    config: pytest.Config, folder: Path, cloud: Account, given: dict[str, str]
) -> AbstractContextManager[Management]:
    place = config.getoption("--management")
    if place == LOCAL:
        return Local(folder / "management", cloud.environment, given)
    return Installed(Path(place), folder / "management", given)


def variables() -> dict[str, str]:
    """Return what components and templates are filled in with; one may name those before it."""
    content: dict[str, str] = yaml.safe_load(waits.CONFIG.read_text())["variables"]
    found: dict[str, str] = {}
    for name, text in content.items():
        found[name] = os.environ.get(name) or text.format_map(found)
    return found
