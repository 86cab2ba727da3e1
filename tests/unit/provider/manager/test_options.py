"""The flags of the manager, as the Go provider's users write them."""

import dataclasses

import click
import pytest
from click import testing

from provider.manager import options


@click.command()
@options.flags
def show(**given):
    click.echo(repr(options.Options(**given)))


def parsed(*arguments, **environment):
    answer = testing.CliRunner().invoke(show, arguments, env=environment)
    assert answer.exit_code == 0, answer.output
    return answer.output.strip()


def expected(**changes):
    return repr(options.Options(**changes))


GO = [
    ("--metrics-bind-address=127.0.0.1:8080", {"metrics_bind_address": "127.0.0.1:8080"}),
    ("--health-probe-bind-address=:8081", {}),
    ("--leader-elect", {}),
    ("--leader-elect=false", {"leader_elect": False}),
    ("--leader-elect-lease-duration=1m30s", {"leader_elect_lease_duration": 90.0}),
    ("--leader-elect-renew-deadline=500ms", {"leader_elect_renew_deadline": 0.5}),
    ("--leader-elect-retry-period=2s", {}),
    ("--namespace=a", {"namespace": "a"}),
    ("--watch-filter=x", {"watch_filter": "x"}),
    ("--sync-period=10m", {"sync_period": 600.0}),
    ("--skip-metadata=true", {"skip_metadata": True}),
    ("--reconcile-timeout=1h", {"reconcile_timeout": 3600.0}),
    ("--osccluster-concurrency=5", {"osccluster_concurrency": 5}),
    ("--oscmachine-concurrency=5", {"oscmachine_concurrency": 5}),
    ("-v5", {"v": 5}),
    ("-v=5", {"v": 5}),
    ("--v=5", {"v": 5}),
    ("--logging-format=json", {"logging_format": "json"}),
    ("--sync-period=1.5h", {"sync_period": 5400.0}),
    ("--log-flush-frequency=5s", {}),
    ("--log-json-info-buffer-size=1Mi", {}),
    ("--log-text-split-stream=false", {}),
    ("--vmodule=", {}),
]


@pytest.mark.parametrize(("flag", "changes"), GO)
def test_flags_of_the_go_provider(flag, changes):
    assert parsed(flag) == expected(**changes)


def test_every_flag_has_a_variable():
    assert parsed(CAPOSC_SYNC_PERIOD="2m", CAPOSC_LEADER_ELECT="false") == expected(
        sync_period=120.0, leader_elect=False
    )
    names = {each.name for each in dataclasses.fields(options.Options)}
    assert {each.name for each in show.params if each.expose_value} == names


def test_the_cloud_can_be_called_more_often():
    assert parsed("--calls-per-second=7.5") == expected(calls_per_second=7.5)


def test_the_help_shows_times_as_they_are_written():
    told = " ".join(testing.CliRunner().invoke(show, ["--help"]).output.split())
    assert "until an object is looked at again. [default: 5m]" in told
    assert "How long one reconcile may take. [default: 1h30m]" in told


def test_what_is_not_said_has_its_default():
    assert parsed() == expected()


@pytest.mark.parametrize(
    "flag",
    [
        "--sync-period=5",
        "--sync-period=0",
        "--sync-period=0s",
        "--sync-period=-5m",
        "--sync-period=",
        "--reconcile-timeout=0",
        "--vmodule=main=5",
        "--log-text-split-stream",
        "--sync-period=x",
        "-vx",
        "--logging-format=xml",
        "--webhook-port=99999",
        "--calls-per-second=0",
    ],
)
def test_nonsense_is_refused(flag):
    answer = testing.CliRunner().invoke(show, [flag])
    assert answer.exit_code == 2
    assert "Error" in answer.output
