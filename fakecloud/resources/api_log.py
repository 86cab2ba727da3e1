"""Logs of API calls: ReadApiLogs, from the journal of the cloud.

https://docs.outscale.com/en/userguide/About-OMS.html
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Any

import msgspec

from fakecloud import clock, document, errors, faults, reads
from fakecloud.call import Call, action
from fakecloud.kinds import Data
from fakecloud.rows import values

SPAN_S = 48 * 3600.0
"""How long an interval is when only one of its ends is given."""

PAST_S = 32 * 86400.0
"""How long logs are kept."""

ALWAYS = ("AccountId", "RequestId")
# Filter -> key of a log.
FILTERS = {
    "QueryAccessKeys": "QueryAccessKey",
    "QueryApiNames": "QueryApiName",
    "QueryCallNames": "QueryCallName",
    "QueryIpAddresses": "QueryIpAddress",
    "QueryUserAgents": "QueryUserAgent",
    "RequestIds": "RequestId",
    "ResponseStatusCodes": "ResponseStatusCode",
}
_encode = msgspec.json.Encoder().encode


@action
def ReadApiLogs(
    call: Call,
    Filters: Data | None = None,
    NextPageToken: str | None = None,
    ResultsPerPage: int = 100,
    With: Data | None = None,
) -> Data:
    """List the calls of the account in this region, oldest first.

    Calls show at once, and those of unknown actions never. Raise 4113 for a page outside 1..1000,
    4110 for what is no date, 4098 for an interval that ends before it begins, and 4112 for what is
    no IP.
    """
    asked = Filters or {}
    if not 1 <= ResultsPerPage <= 1000:
        raise errors.refusal(
            4113, f"ResultsPerPage is {ResultsPerPage}, but must be between 1 and 1000."
        )
    for address in asked.get("QueryIpAddresses", ()):
        _check_address(address)
    start, end = _interval(call, asked)
    tests = _tests(asked)
    entries = call.world.journal_of(call.account)[:-1]  # The last one is this very call.
    found = []
    for entry in entries:
        if entry.region != call.region or entry.status == 404:
            continue
        if start <= entry.at <= end:
            log = _log(call, entry)
            if all(test(log) for test in tests):
                found.append(_chosen(log, With))
    request: Data = {"ResultsPerPage": ResultsPerPage, "Filters": Filters}
    if NextPageToken is not None:
        request["NextPageToken"] = NextPageToken
    return reads.page(call, "ReadApiLogs", "Logs", found, request)


def _check_address(text: str) -> None:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        raise errors.refusal(4112, f"QueryIpAddresses has '{text}', which is no IP.") from None


def _interval(call: Call, asked: Data) -> tuple[float, float]:
    after, before = asked.get("QueryDateAfter"), asked.get("QueryDateBefore")
    start = None if after is None else _moment("QueryDateAfter", after)
    end = None if before is None else _moment("QueryDateBefore", before)
    if before is not None and end is not None and len(before) == len("2017-05-10"):
        end += 86400 - 0.001  # A date means all of its day.
    if start is None:
        end = call.now if end is None else end
        start = end - SPAN_S
    elif end is None:
        end = start + SPAN_S
    elif start > end:
        raise errors.refusal(
            4098, f"QueryDateAfter is {after}, but must not come after QueryDateBefore {before}."
        )
    return max(start, call.now - PAST_S), end


def _moment(parameter: str, text: str) -> float:
    if len(text) < len("2017-05-10"):
        raise errors.refusal(4110, parameter=f"Filters.{parameter}", type="date")
    try:
        return clock.parse(text)
    except ValueError:
        raise errors.refusal(4110, parameter=f"Filters.{parameter}", type="date") from None


def _tests(asked: Data) -> list[Callable[[Data], bool]]:
    return [_test(key, asked[name]) for name, key in FILTERS.items() if name in asked]


def _test(key: str, wanted: list[Any]) -> Callable[[Data], bool]:
    return reads.Filter(key, lambda log: values(log, key)).matcher(wanted)


def _log(call: Call, entry: faults.Entry) -> Data:
    """Write an entry of the journal as a log; a call from inside the process has no HTTP facts."""
    host = f"api.{call.region}.outscale.com"
    payload = _encode(faults.redact(entry.request)).decode()
    agent = entry.agent or "fakecloud"
    header = (
        f"Host: {host}\\nUser-Agent: {agent}\\nContent-Type: application/json\\n"
        f"Authorization: *****\\nContent-Length: {len(payload)}"
    )
    return {
        "AccountId": entry.account,
        "CallDuration": 0,
        "QueryAccessKey": entry.access_key or call.world.accounts[call.account][0],
        "QueryApiName": "oapi",
        "QueryApiVersion": document.load().version.rpartition(".")[0],
        "QueryCallName": entry.action,
        "QueryDate": clock.stamp(entry.at),
        "QueryHeaderRaw": header,
        "QueryHeaderSize": len(header),
        "QueryIpAddress": entry.source or "127.0.0.1",
        "QueryPayloadRaw": payload,
        "QueryPayloadSize": len(payload),
        "QueryUserAgent": agent,
        "RequestId": entry.request_id,
        "ResponseSize": entry.size,
        "ResponseStatusCode": entry.status,
    }


def _chosen(log: Data, wanted: Data | None) -> Data:
    if wanted is None:
        return log
    return {key: value for key, value in log.items() if key in ALWAYS or wanted.get(key)}
