"""The quotas of an account: their names, limits, and the refusal when one is used up."""

from __future__ import annotations

from dataclasses import dataclass

from fakecloud.call import QUOTA_CODES


@dataclass(frozen=True)
class Quota:
    """One row of ReadQuotas.

    ``kind`` is whose live rows are counted; empty when what counts is written in a handler.
    ``code`` is the error for one more than ``maximum``.
    """

    name: str
    collection: str
    maximum: int
    code: int
    short: str
    description: str
    kind: str = ""


_ROWS = [
    Quota("vpc_limit", "VPC", 5, 10022, "VPC Limit", "Maximum number of Nets", "Net"),
    Quota("subnet_limit", "VPC", 50, 10033, "Subnet Limit", "Maximum number of subnets", "Subnet"),
]

QUOTAS: dict[str, Quota] = {row.name: row for row in _ROWS}
QUOTA_CODES.update({row.name: row.code for row in _ROWS})
