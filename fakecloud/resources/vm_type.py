"""VM types: ReadVmTypes.

https://docs.outscale.com/en/userguide/VM-Types.html
"""

from __future__ import annotations

import functools

from fakecloud import reads
from fakecloud.call import PUBLIC_ACCOUNT, Call, action
from fakecloud.kinds import KINDS, Data, kind
from fakecloud.rows import Row
from fakecloud.rules import vm_types


def _visible(row: Row, account: str) -> bool:  # noqa: ARG001 - as every kind's
    return True


kind("VmType", id="VmTypeName", visible=_visible)


@functools.cache
def _rows() -> list[Row]:
    """Return the types as rows. They are the same for every cloud, so no store holds them."""
    return [
        Row(KINDS["VmType"], vm_type.name, PUBLIC_ACCOUNT, serial, vm_type.shown())
        for serial, vm_type in enumerate(vm_types.listed())
    ]


@action
def ReadVmTypes(
    call: Call,
    Filters: Data | None = None,
    NextPageToken: str | None = None,
    ResultsPerPage: int | None = None,
) -> Data:
    """List VM types; types `tinavW.cXrYpZ` with other numbers exist as well."""
    rows = reads.select(call, KINDS["VmType"], "ReadVmTypes", Filters, candidates=_rows())
    request: Data = {
        "Filters": Filters, "NextPageToken": NextPageToken, "ResultsPerPage": ResultsPerPage
    }  # fmt: skip
    return reads.page(call, "ReadVmTypes", "VmTypes", rows, request)
