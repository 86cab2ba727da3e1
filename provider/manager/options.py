"""The flags of the manager: those of the Go provider, and few more; each also as ``CAPOSC_*``."""

from __future__ import annotations

import dataclasses
import pathlib
import re
import tempfile
from collections.abc import Callable
from typing import Any

import click

from provider.osc import limits

CERTIFICATES = pathlib.Path(tempfile.gettempdir(), "k8s-webhook-server", "serving-certs")
"""Where controller-runtime, and so the Go provider, looks for the certificate of the webhooks."""

_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ms|us|µs|ns|h|m|s)")


@dataclasses.dataclass(frozen=True)
class Options:
    """How a manager runs; times are in seconds."""

    metrics_bind_address: str = ":8080"
    health_probe_bind_address: str = ":8081"
    diagnostics_address: str = ""
    insecure_diagnostics: bool = False
    leader_elect: bool = True
    leader_elect_lease_duration: float = 15.0
    leader_elect_renew_deadline: float = 10.0
    leader_elect_retry_period: float = 2.0
    leader_elect_namespace: str = ""
    namespace: str = ""
    watch_filter: str = ""
    sync_period: float = 300.0
    skip_metadata: bool = False
    reconcile_timeout: float = 5400.0
    osccluster_concurrency: int = 2
    oscmachine_concurrency: int = 2
    calls_per_second: float = limits.RATE_PER_S
    webhook_port: int = 9443
    webhook_cert_dir: str = str(CERTIFICATES)
    kubeconfig: str = ""
    shutdown_timeout: float = 8.0
    v: int = 0
    logging_format: str = "text"


class Duration(click.ParamType[float]):
    """A time as Go writes it: ``15s``, ``1m30s``, ``500ms``."""

    name = "duration"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return seconds."""
        parts = _PART.findall(value)
        seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
        if not value or _PART.sub("", value) not in {"", "0", "+"}:
            self.fail(f"{value!r} is no duration. Write one like 15s or 1m30s.", param, ctx)
        if seconds <= 0:
            self.fail(f"{value!r} is no time at all. Write one like 15s or 1m30s.", param, ctx)
        return seconds


def written(seconds: float) -> str:
    """Return a time as Go writes it, without the parts that are zero."""
    minutes, left = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "m"), (left, "s"))
    return "".join(f"{count:g}{unit}" for count, unit in parts if count)


class Level(click.ParamType[int]):
    """A verbosity; ``-v5``, ``-v=5`` and ``-v 5`` are all in use."""

    name = "integer"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number."""
        text = str(value).removeprefix("=")
        if not text.isdigit():
            self.fail(f"{value!r} is no number. Write one like 5.", param, ctx)
        return int(text)


_DURATION, _COUNT = Duration(), click.IntRange(min=1)
_HELP: dict[str, tuple[Any, str]] = {
    "metrics_bind_address": (str, "Where metrics are served; 0 for nowhere."),
    "health_probe_bind_address": (str, "Where /healthz and /readyz are served; 0 for nowhere."),
    "diagnostics_address": (
        str,
        "Where metrics are served over TLS to those who may read them (TokenReview).",
    ),
    "insecure_diagnostics": (bool, "Serve --diagnostics-address to everybody, without TLS."),
    "leader_elect": (bool, "Let only one replica work; the others stand by."),
    "leader_elect_lease_duration": (_DURATION, "How long others wait for a silent leader."),
    "leader_elect_renew_deadline": (_DURATION, "How long a leader goes on without renewal."),
    "leader_elect_retry_period": (_DURATION, "How long between two attempts."),
    "leader_elect_namespace": (str, "Where the lease lives; the namespace of the pod if not set."),
    "namespace": (str, "Watch only this namespace; all of them if not set."),
    "watch_filter": (
        str,
        "Reconcile only objects whose label cluster.x-k8s.io/watch-filter has this value.",
    ),
    "sync_period": (_DURATION, "How long at most until an object is looked at again."),
    "skip_metadata": (
        bool,
        "Accepted for compatibility: nothing but a peering asks the metadata server.",
    ),
    "reconcile_timeout": (_DURATION, "How long one reconcile may take."),
    "osccluster_concurrency": (
        _COUNT,
        "How many OscClusters with the same credentials are reconciled at once.",
    ),
    "oscmachine_concurrency": (
        _COUNT,
        "How many OscMachines with the same credentials are reconciled at once.",
    ),
    "calls_per_second": (
        click.FloatRange(0, min_open=True),
        "How often one access key calls the cloud; more only if OUTSCALE allows you more.",
    ),
    "webhook_port": (click.IntRange(0, 65535), "Where webhooks are served."),
    "webhook_cert_dir": (str, "The folder of tls.crt and tls.key for webhooks."),
    "kubeconfig": (str, "How to reach Kubernetes; KUBECONFIG or the pod's account if not set."),
    "shutdown_timeout": (_DURATION, "How long work in progress may take after SIGTERM."),
    "v": (Level(), "How much is told: 4 for details, 6 for those of the watches too."),
    "logging_format": (click.Choice(["text", "json"]), "How logs are written."),
}


_OF_GO = {
    "log-flush-frequency": "",
    "log-text-info-buffer-size": "",
    "log-json-info-buffer-size": "",
    "log-text-split-stream": "All lines go to standard error. Leave it out.",
    "log-json-split-stream": "All lines go to standard error. Leave it out.",
    "vmodule": "It names files of the Go provider, which are not here. Use -v.",
}
"""Flags of Go's logging, and why they cannot be obeyed; the first ones tell how long lines may be
held back, and here none is."""


def _obeyed(_: click.Context, param: click.Parameter, value: str) -> None:
    why = _OF_GO[str(param.opts[0]).removeprefix("--")]
    if why and value not in {"", "false"}:
        raise click.BadParameter(why)


def flags(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the flags of the manager."""
    for name in _OF_GO:
        command = click.option(
            f"--{name}",
            default="",
            is_flag=False,
            flag_value="true",
            hidden=True,
            expose_value=False,
            callback=_obeyed,
        )(command)
    for field in reversed(dataclasses.fields(Options)):
        kind, text = _HELP[field.name]
        name = field.name.replace("_", "-")
        # Go's flags take a value, as in --leader-elect=false, and need none.
        flag: dict[str, Any] = {"is_flag": False, "flag_value": "true"} if kind is bool else {}
        command = click.option(
            *(["-v", "--v"] if name == "v" else [f"--{name}"]),
            field.name,
            type=kind,
            default=written(field.default) if kind is _DURATION else field.default,
            show_default=True,
            envvar=f"CAPOSC_{field.name.upper()}",
            help=text,
            **flag,
        )(command)
    return command
