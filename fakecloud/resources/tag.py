"""Tags of every kind of resource: CreateTags, DeleteTags, ReadTags.

https://docs.outscale.com/en/userguide/About-Tags.html
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator

from fakecloud import errors, reads
from fakecloud.call import Call, absent, action, check_id
from fakecloud.kinds import KINDS, Data, Kind
from fakecloud.rows import Row

KEY_LENGTH_MAX = 255
VALUE_LENGTH_MAX = 255
TAGS_MAX = 50
"""Tags of one resource. The real limit is not documented; this is that of the AWS API."""

Test = Callable[[str], bool]


@functools.cache
def _kinds() -> dict[str, Kind]:
    """Return the kinds that take tags, by the prefix of their identifiers."""
    return {
        kind.prefix: kind
        for kind in KINDS.values()
        if kind.resource_type is not None and kind.prefix
    }


def _kind(id_: str) -> Kind | None:
    """Return the kind of the resource that an identifier may name."""
    return _kinds().get(id_.rpartition("-")[0])


def _resource(call: Call, id_: str) -> Row:
    """Return a resource of the caller's; raise 4025 for an identifier of nothing that has tags.

    Raise 5044 for another account's resource, and the error of the kind for an unknown one.
    """
    kind = _kind(id_)
    if kind is None:
        raise errors.refusal(4025, f"'{id_}' is not the ID of a resource that has tags.")
    check_id(kind, id_)
    row = call.store.row(kind.name, id_)
    if row is None or not row.is_live:
        raise absent(kind, id_)
    if row.account != call.account:
        raise errors.refusal(5044)
    return row


def _check_key(key: str) -> None:
    if not 1 <= len(key) <= KEY_LENGTH_MAX:
        raise errors.refusal(
            4069, f"The key of a tag has {len(key)} characters, but needs 1 to {KEY_LENGTH_MAX}."
        )


@action
def CreateTags(call: Call, ResourceIds: list[str], Tags: list[Data]) -> Data:
    """Set tags on resources of any kinds; a tag with a known key gets the new value."""
    for tag in Tags:
        _check_key(tag.get("Key", ""))
        value = tag.get("Value", "")
        if len(value) > VALUE_LENGTH_MAX:
            raise errors.refusal(
                4071,
                f"The value of the tag '{tag['Key']}' has {len(value)} characters, but "
                f"{VALUE_LENGTH_MAX} are the most.",
            )
    rows = [_resource(call, id_) for id_ in dict.fromkeys(ResourceIds)]
    for row in rows:
        merged = {tag["Key"]: tag["Value"] for tag in row.get("Tags", ())}
        merged.update((tag["Key"], tag.get("Value", "")) for tag in Tags)
        if len(merged) > TAGS_MAX:
            raise errors.refusal(10041, f"{row.id} would have more than {TAGS_MAX} tags.")
        call.edit(row)["Tags"] = [{"Key": key, "Value": value} for key, value in merged.items()]
    return {}


@action
def DeleteTags(call: Call, ResourceIds: list[str], Tags: list[Data]) -> Data:
    """Take tags from resources; one with a value goes only where it has that value."""
    for tag in Tags:
        _check_key(tag.get("Key", ""))
    rows = [_resource(call, id_) for id_ in dict.fromkeys(ResourceIds)]
    for row in rows:
        kept = [tag for tag in row.get("Tags", ()) if not any(_means(t, tag) for t in Tags)]
        if len(kept) < len(row.get("Tags", ())):
            call.edit(row)["Tags"] = kept
    return {}


def _means(wanted: Data, tag: Data) -> bool:
    return wanted["Key"] == tag["Key"] and wanted.get("Value", "") in ("", tag["Value"])


# Reading.


@action
def ReadTags(
    call: Call,
    Filters: Data | None = None,
    NextPageToken: str | None = None,
    ResultsPerPage: int | None = None,
) -> Data:
    """List tags, the oldest resource first."""
    filters = Filters or {}
    is_key = _test(filters.get("Keys"))
    is_value = _test(filters.get("Values"))
    is_id = _test(filters.get("ResourceIds"))
    rows = {row.id: row for row in _candidates(call, filters)}
    found = [
        {
            "Key": tag["Key"],
            "ResourceId": row.id,
            "ResourceType": row.kind.resource_type,
            "Value": tag["Value"],
        }
        for row in sorted(rows.values(), key=lambda row: row.serial)
        if is_id(row.id)
        for tag in row.get("Tags", ())
        if is_key(tag["Key"]) and is_value(tag["Value"])
    ]
    request: Data = {
        "Filters": Filters, "NextPageToken": NextPageToken, "ResultsPerPage": ResultsPerPage
    }  # fmt: skip
    return reads.page(call, "ReadTags", "Tags", found, request)


def _test(wanted: list[str] | None) -> Test:
    """Return the test of a text against the values of a filter, wildcards included."""
    if wanted is None:
        return lambda text: True
    exact = {value for value in wanted if not reads.is_wild(value)}
    patterns = [reads.pattern(value) for value in wanted if reads.is_wild(value)]
    return lambda text: text in exact or any(each(text) for each in patterns)


def _exact(wanted: list[str] | None) -> list[str] | None:
    """Return the values of a filter when an index can find them."""
    if wanted is None or any(reads.is_wild(value) for value in wanted):
        return None
    return list(dict.fromkeys(wanted))


def _candidates(call: Call, filters: Data) -> Iterator[Row]:
    """Yield the caller's live rows that may match, from the narrowest index there is."""
    is_type = _test(filters.get("ResourceTypes"))
    ids = _exact(filters.get("ResourceIds"))
    if ids is not None:
        for id_ in ids:
            kind = _kind(id_)
            row = call.store.row(kind.name, id_) if kind is not None else None
            if row is not None and _is_mine(call, row) and is_type(row.kind.resource_type or ""):
                yield row
        return
    path, values = _index(call, filters)
    for kind in KINDS.values():
        if kind.resource_type is None or not is_type(kind.resource_type):
            continue
        for value in values:
            for row in call.store.rows(kind.name, path, value):
                if _is_mine(call, row):
                    yield row


def _index(call: Call, filters: Data) -> tuple[str, list[str]]:
    for name, path in (("Keys", "TagKey"), ("Values", "TagValue")):
        values = _exact(filters.get(name))
        if values is not None:
            return path, values
    return "live", [call.account]


def _is_mine(call: Call, row: Row) -> bool:
    return row.is_live and row.account == call.account
