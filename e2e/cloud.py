"""A cloud to run on, seen from outside: what is there, what was asked, and whether it leaks.

``Account`` is any account, through the API only. ``Fake`` is one of fakecloud, which it starts.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import requests
from osc_sdk_python.call import Call
from osc_sdk_python.credentials import Endpoint, Profile

from tools.service import Service

READY_WITHIN_S = 30.0
STOP_S = 10.0
TIMEOUT_S = 30.0
RATE = 60
"""Virtual seconds per real second: what takes a cloud minutes takes seconds here."""
KEYS = {
    "OSC_ACCESS_KEY": "E2EACCESSKEY00000001",
    "OSC_SECRET_KEY": "e2e-secret-key",
    "OSC_REGION": "eu-west-2",
}
QUOTA = {"vpc_limit": 100, "igw_limit": 100, "nat_gateway_limit": 100, "lb_limit": 100}
"""Who has many clusters in an account has asked for more than everybody has."""
ENDPOINT = "https://api.{}.outscale.com/api/v1"
KINDS = {
    "FlexibleGpus": "FlexibleGpuId",
    "InternetServices": "InternetServiceId",
    "LoadBalancers": "LoadBalancerName",
    "NatServices": "NatServiceId",
    "NetAccessPoints": "NetAccessPointId",
    "NetPeerings": "NetPeeringId",
    "Nets": "NetId",
    "Nics": "NicId",
    "PublicIps": "PublicIpId",
    "RouteTables": "RouteTableId",
    "SecurityGroups": "SecurityGroupId",
    "Subnets": "SubnetId",
    "Vms": "VmId",
    "Volumes": "VolumeId",
}
"""All that a cluster may have in a cloud, and what identifies one."""
OWNED = "OscK8sClusterID/"
"""How the key of the tag begins by which a cluster owns something."""
OVER = ("terminated", "deleted", "rejected")
"""States of what is shown for a while after its end."""
WORD = re.compile(r"[\w-]+")

Row = dict[str, Any]


class _Wire(Call):  # type: ignore[misc]
    """The SDK's signed call, without the profiles that a user may have."""

    def update_profile(self, **facts: Any) -> None:
        self.profile = Profile(**facts)


class Write:
    """A call that changed something, as the cloud logs it."""

    def __init__(self, row: Row) -> None:
        """Read a row of ReadApiLogs."""
        request = json.loads(row["QueryPayloadRaw"] or "{}")
        self.request: Row = request
        self.date: str = row["QueryDate"]
        self.action: str = row["QueryCallName"]
        self.words = set(WORD.findall(row["QueryPayloadRaw"]))
        self.names = {*request.get("ResourceIds", ()), request.get("LoadBalancerName", "")} - {""}
        """What of it is a name for something that it made or marked."""


class Account:
    """An account of a cloud; all that is known of it is what its API says. Threads may share it."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Take the variables by which a program reaches it."""
        self.environment = dict(environment)
        region = environment["OSC_REGION"]
        self._wire = _Wire(
            access_key=environment["OSC_ACCESS_KEY"],
            secret_key=environment["OSC_SECRET_KEY"],
            region=region,
            endpoints=Endpoint(api=environment.get("OSC_ENDPOINT_API") or ENDPOINT.format(region)),
        )
        self._lock = threading.Lock()
        self._seen: set[str] = set()
        self._writes: list[Write] = []
        self._since = _stamp(dt.datetime.now(dt.UTC))

    def __enter__(self) -> Self:
        """Return itself: it is there."""
        return self

    def __exit__(self, *_: object) -> None:
        """Leave it as it is."""

    @classmethod
    def of_environment(cls) -> Account:
        """Take the usual variables; raise ``SystemExit`` when one is missing."""
        missing = sorted(name for name in KEYS if not os.environ.get(name))
        if missing:
            raise SystemExit(
                f"--cloud=account needs {', '.join(missing)}. Set what your account has."
            )
        return cls({name: text for name, text in os.environ.items() if name.startswith("OSC_")})

    def call(self, action: str, **request: Any) -> Row:
        """Carry out an action as anybody with an account does."""
        found: Row = self._wire.api(action, **request)
        return found

    def rows(self, kind: str) -> list[Row]:
        """Return what is there of a kind, without what is over."""
        rows: list[Row] = self.call(f"Read{kind}")[kind]
        return [row for row in rows if row.get("State") not in OVER]

    def everything(self) -> Iterator[tuple[str, str, Row]]:
        """Give all that is there, as ``(kind, id, row)``."""
        for kind, key in KINDS.items():
            for row in self.rows(kind):
                yield kind, row[key], row

    def inventory(self) -> set[str]:
        """Return all that belongs to any cluster, as ``Kind id``: the rest may be anybody's."""
        return {f"{kind} {id_}" for kind, id_, row in self.everything() if owners(row)}

    def tell(self, which: set[str]) -> str:
        """Return a sentence about some of all that is there: whose it is by its tags, and how."""
        rows = {f"{kind} {id_}": row for kind, id_, row in self.everything()}
        return "; ".join(f"{each} ({_whose(rows.get(each, {}))})" for each in sorted(which))

    def writes(self, after: int = 0) -> list[Write]:
        """Return the calls that changed something, or tried to, without the first ``after``.

        They are those that the cloud has logged by now, in the order of the log.
        """
        with self._lock:
            date = self._since
            for row in self._logged():
                if row["RequestId"] not in self._seen:
                    self._seen.add(row["RequestId"])
                    date = max(date, row["QueryDate"])
                    if not row["QueryCallName"].startswith("Read"):
                        self._writes.append(Write(row))
            # A call may be logged after one that came later: the last second is read again.
            last = dt.datetime.fromisoformat(date) - dt.timedelta(seconds=1)
            self._since = max(self._since, _stamp(last))
            return self._writes[after:]

    def artifacts(self) -> Iterator[tuple[str, Any]]:
        """Give the names and contents of what helps to understand a failure."""
        # The log holds requests as text, in which nobody would find what has to be left out.
        yield (
            "cloud-writes.json",
            [[each.date, each.action, each.request] for each in self.writes()],
        )

    def logs(self) -> Iterator[Path]:
        """Give what the cloud itself wrote."""
        yield from ()

    def _logged(self) -> Iterator[Row]:
        request: Row = {"Filters": {"QueryDateAfter": self._since}, "ResultsPerPage": 1000}
        while True:
            answer = self.call("ReadApiLogs", **request)
            yield from answer["Logs"]
            if not answer.get("NextPageToken"):
                return
            request["NextPageToken"] = answer["NextPageToken"]


class Footprint:
    """What one cluster has in a cloud, and what was asked for it.

    It is found by words: the cluster's name and uid, and the ids of what was found so far.
    """

    def __init__(self, account: Account, name: str) -> None:
        """Begin with the name of a cluster that is not there yet."""
        self._account = account
        self._words = {name}
        self._lock = threading.Lock()
        self._looked = 0
        self._writes: list[str] = []

    def learn(self, word: str) -> None:
        """Know one more word of the cluster."""
        self._words.add(word)

    def inventory(self) -> set[str]:
        """Return what the cluster has, as ``Kind id``, and also what it had and left behind."""
        there = {f"{kind} {id_}": _words(row) for kind, id_, row in self._account.everything()}
        found: set[str] = set()
        # What is in the Net of a cluster is known as soon as the Net is, and so on.
        while new := {each for each, words in there.items() if words & self._words} - found:
            found |= new
            self._words.update(each.split()[1] for each in new)
        return found

    def rows(self, kind: str) -> list[Row]:
        """Return what the cluster has of a kind."""
        has = self.inventory()
        return [row for row in self._account.rows(kind) if f"{kind} {row[KINDS[kind]]}" in has]

    def writes(self) -> list[str]:
        """Return the calls that changed something of it, or tried to, in their order.

        A call that makes something in nothing, such as the Net, is known by the tag that follows.
        """
        with self._lock:
            new = self._account.writes(self._looked)
            self._looked += len(new)
            for each in new:
                if not self._words.isdisjoint(each.words):
                    self._words |= each.names
                    self._writes.append(each.action)
            return list(self._writes)


class Fake(Account):
    """An account of fakecloud, which runs as a process until the ``with`` block ends."""

    def __init__(
        self,
        folder: Path,
        keypair: str = "",
        auth: str = "verify",
        region: str = KEYS["OSC_REGION"],
    ) -> None:
        """Prepare it; its log goes into ``folder``, and into the account a keypair."""
        self._folder = folder
        self._auth = auth
        self._keypair = keypair
        self._keys = {**KEYS, "OSC_REGION": region}
        self.log = folder / "fakecloud.log"
        self.url = ""

    @classmethod
    def at(cls, url: str, folder: Path) -> Self:
        """Return one that somebody else runs."""
        made = cls(folder)
        made._open(url)
        return made

    def __enter__(self) -> Self:
        """Start it, and return when it serves."""
        self._folder.mkdir(parents=True)
        flags = ["--port=0", f"--rate={RATE}", f"--auth={self._auth}"]
        flags += [f"--region={self._keys['OSC_REGION']}"]
        command = [sys.executable, "-m", "fakecloud", *flags]
        inherited = {k: text for k, text in os.environ.items() if not k.startswith("OSC_")}
        environment = {**inherited, **self._keys}
        self._service = Service(
            "fakecloud", command, folder=self._folder, log=self.log, environment=environment
        )
        self._service.wait_until(lambda: bool(self._address()), READY_WITHIN_S)
        self._open(self._address().rstrip("/"))
        self._control("quota", {"quota": QUOTA})
        if self._keypair:
            self.call("CreateKeypair", KeypairName=self._keypair)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        self._service.stop(STOP_S)

    def _open(self, url: str) -> None:
        self.url = url
        super().__init__({**self._keys, "OSC_ENDPOINT_API": url})

    def inventory(self) -> set[str]:
        """Return all that is there, as ``Kind id``: nobody else is here."""
        return {f"{kind} {id_}" for kind, id_, _ in self.everything()}

    def artifacts(self) -> Iterator[tuple[str, Any]]:
        """Give the names and contents of what helps to understand a failure."""
        yield "cloud-journal.json", self._control("journal")
        yield "cloud-state.json", self._control("state")

    def logs(self) -> Iterator[Path]:
        """Give what the cloud itself wrote."""
        yield self.log

    def _control(self, what: str, body: Row | None = None) -> Any:
        place = f"{self.url.removesuffix('/api/v1')}/_fakecloud/{what}"
        method = "GET" if body is None else "POST"
        answer = requests.request(method, place, json=body, timeout=TIMEOUT_S)
        answer.raise_for_status()
        return answer.json()

    def _address(self) -> str:
        found = re.search(r"https?://[^\s,]+", self.log.read_text())
        return found[0].rstrip(".") if found else ""


def owners(row: Row) -> list[str]:
    """Return the tags by which clusters say that something is theirs."""
    return [tag["Key"] for tag in row.get("Tags") or () if tag["Key"].startswith(OWNED)]


def _whose(row: Row) -> str:
    tags = [f"{tag['Key']}={tag['Value']}" for tag in row.get("Tags") or ()]
    return ", ".join([row.get("State", "there"), *(tags or ["without tags"])])


def _stamp(moment: dt.datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _words(row: Row) -> set[str]:
    return set(WORD.findall(json.dumps(row)))
