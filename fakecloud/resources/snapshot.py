"""Snapshots: CreateSnapshot, UpdateSnapshot, DeleteSnapshot and ReadSnapshots.

https://docs.outscale.com/en/userguide/About-Snapshots.html
"""

from __future__ import annotations

from typing import Any

from fakecloud import errors, reads
from fakecloud.call import Call, action, prune
from fakecloud.kinds import KINDS, Data, Then, kind
from fakecloud.reads import Since, Until
from fakecloud.rows import Row
from fakecloud.rules import parameters, sharing
from fakecloud.store import Store

GIB = 1024**3
PROGRESS_STEP = 34
NO_VOLUME = "vol-ffffffff"
"""The volume of a snapshot that was made from none."""


_OF_COPY = ("SourceSnapshotId", "SourceRegionName")
_OF_FILE = ("FileLocation", "SnapshotSize")
_APART = {
    "VolumeId": (*_OF_COPY, *_OF_FILE),
    "FileLocation": _OF_COPY,
    "SnapshotSize": _OF_COPY,
}
"""Parameters of one way to make a snapshot, and those of the other ways that they exclude."""


def _visible(row: Row, account: str) -> bool:
    return sharing.may_use(row["PermissionsToCreateVolume"], account)


def _progress(store: Store, row: Row) -> None:
    """Come nearer to completion each time; a snapshot stays pending until it is at 100."""
    done = min(row["Progress"] + PROGRESS_STEP, 100)
    store.edit(row)["Progress"] = done
    if done == 100:
        store.become(row, "completed")


kind(
    "Snapshot",
    id="SnapshotId",
    prefix="snap",
    weak={"VolumeId": "Volume"},
    index=("_ClientToken",),
    lifecycle={
        "in-queue": Then(2, "pending"),
        "pending": Then(2, "pending"),
        "deleting": Then(2, None),
    },
    on={"pending": _progress},
    tombstones=frozenset({"deleting"}),
    absent=5054,
    in_use=9002,
    resource_type="snapshot",
    visible=_visible,
    read="ReadSnapshots",
    answer="Snapshots",
    filters={
        "AccountAliases": sharing.aliases,
        "FromCreationDate": Since("CreationDate"),
        "ToCreationDate": Until("CreationDate"),
    },
    quota="snapshot_limit",
)


@action
def CreateSnapshot(
    call: Call, ClientToken: str | None = None, Description: str | None = None, **wish: Any
) -> Data:
    """Create a snapshot from a volume, as a copy of another, or from a file in a bucket.

    The further parameters are those of the document.
    """
    for first, others in _APART.items():
        for other in others:
            parameters.at_most_one(**{first: wish.get(first), other: wish.get(other)})
    known = call.same("Snapshot", ClientToken)
    if known:
        return {"Snapshot": known[0]}
    if wish.get("VolumeId"):
        source, state = _from_volume(call, wish["VolumeId"]), "in-queue"
    elif wish.get("SourceSnapshotId") or wish.get("SourceRegionName"):
        source, state = _from_snapshot(call, wish), "completed"
    else:
        source, state = _from_file(wish), "in-queue"
    data = {
        "AccountId": call.account,
        "CreationDate": call.today,
        "Description": "",
        "PermissionsToCreateVolume": sharing.private(),
        "Progress": 100 if state == "completed" else 0,
        **source,
        **prune(ClientToken=ClientToken, Description=Description, _ClientToken=ClientToken),
    }
    return {"Snapshot": call.create("Snapshot", data, state=state)}


def _from_volume(call: Call, volume_id: str) -> Data:
    volume = call.get("Volume", volume_id)
    if volume.state != "available":
        raise errors.refusal(
            6007, f"The volume {volume_id} is {volume.state}. Wait until it is available."
        )
    return {"VolumeId": volume_id, "VolumeSize": volume["Size"]}


def _from_snapshot(call: Call, wish: Data) -> Data:
    parameters.required(**{name: wish.get(name) for name in _OF_COPY})
    sharing.here(call, wish["SourceRegionName"])
    snapshot_id = wish["SourceSnapshotId"]
    snapshot = call.get("Snapshot", snapshot_id)
    if snapshot.state != "completed":
        raise errors.refusal(
            6003, f"The snapshot {snapshot_id} is {snapshot.state}. Wait until it is completed."
        )
    return {
        "Description": snapshot["Description"],
        "VolumeId": snapshot["VolumeId"],
        "VolumeSize": snapshot["VolumeSize"],
    }


def _from_file(wish: Data) -> Data:
    ways = ("FileLocation", "SourceSnapshotId", "VolumeId")
    parameters.some(**{name: wish.get(name) for name in ways})
    parameters.required(**{name: wish.get(name) for name in _OF_FILE})
    size_bytes = wish["SnapshotSize"]
    if size_bytes <= 0:
        raise errors.refusal(4047, f"The size is {size_bytes} bytes, but must be positive.")
    return {"VolumeId": NO_VOLUME, "VolumeSize": -(-size_bytes // GIB)}


@action
def UpdateSnapshot(call: Call, PermissionsToCreateVolume: Data, SnapshotId: str) -> Data:
    """Decide which accounts may create volumes from a snapshot."""
    sharing.check("PermissionsToCreateVolume", PermissionsToCreateVolume)
    snapshot = call.own("Snapshot", SnapshotId)
    permissions = sharing.changed(snapshot["PermissionsToCreateVolume"], PermissionsToCreateVolume)
    call.edit(snapshot)["PermissionsToCreateVolume"] = permissions
    return {"Snapshot": snapshot}


@action
def DeleteSnapshot(call: Call, SnapshotId: str) -> Data:
    """Delete a snapshot that no image uses; the volumes made from it stay."""
    call.delete(call.own("Snapshot", SnapshotId), state="deleting")
    return {}


@action
def ReadSnapshots(call: Call, Filters: Data | None = None, **pages: Any) -> Data:
    """List the snapshots of the account, those shared with it, and the public ones."""
    request = {**pages, "Filters": sharing.resolved(call, Filters)}
    return reads.read(call, KINDS["Snapshot"], "ReadSnapshots", "Snapshots", request)
