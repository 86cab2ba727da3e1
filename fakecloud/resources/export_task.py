"""Exports of snapshots and images to a bucket, and the cancelling of such tasks.

https://docs.outscale.com/en/userguide/About-Snapshots.html
"""

from __future__ import annotations

from fakecloud import errors
from fakecloud.call import Call, action
from fakecloud.kinds import Data, Then, kind
from fakecloud.rows import Row
from fakecloud.rules import sharing
from fakecloud.store import Store

FORMATS = ("qcow2", "raw")
SHOWN = ("DiskImageFormat", "OsuBucket", "OsuPrefix")
WAITING = ("pending", "pending/queued", "active")


def _reach(progress: int, store: Store, row: Row) -> None:
    store.edit(row)["Progress"] = progress


kind(
    "SnapshotExportTask",
    id="TaskId",
    prefix="snap-export",
    weak={"SnapshotId": "Snapshot"},
    lifecycle={
        "pending": Then(3, "initializing"),
        "initializing": Then(3, "preparing"),
        "preparing": Then(3, "uploading"),
        "uploading": Then(20, "completed"),
    },
    on={
        "preparing": lambda store, row: _reach(13, store, row),
        "uploading": lambda store, row: _reach(50, store, row),
        "completed": lambda store, row: _reach(100, store, row),
    },
    absent=5058,
    resource_type="task",
    read="ReadSnapshotExportTasks",
    answer="SnapshotExportTasks",
)

kind(
    "ImageExportTask",
    id="TaskId",
    prefix="image-export",
    weak={"ImageId": "Image"},
    lifecycle={"pending/queued": Then(3, "pending"), "pending": Then(30, "completed")},
    on={
        "pending": lambda store, row: _reach(13, store, row),
        "completed": lambda store, row: _reach(100, store, row),
    },
    absent=5058,
    resource_type="task",
    read="ReadImageExportTasks",
    answer="ImageExportTasks",
)


def _checked(export: Data) -> Data:
    """Return what the task shows of an export; the key of the bucket stays secret."""
    if export["DiskImageFormat"] not in FORMATS:
        raise errors.refusal(
            4047,
            f"The format is '{export['DiskImageFormat']}', but must be one of "
            f"{', '.join(FORMATS)}.",
        )
    return {name: export[name] for name in SHOWN if name in export}


@action
def CreateSnapshotExportTask(call: Call, OsuExport: Data, SnapshotId: str) -> Data:
    """Export a completed snapshot of the account to a bucket."""
    shown = _checked(OsuExport)
    snapshot = call.get("Snapshot", SnapshotId)
    sharing.exportable(call, snapshot)
    if snapshot.state != "completed":
        raise errors.refusal(
            6003, f"The snapshot {SnapshotId} is {snapshot.state}. Wait until it is completed."
        )
    task = call.create(
        "SnapshotExportTask",
        {
            "Comment": f"Export of snapshot {SnapshotId}",
            "OsuExport": shown,
            "Progress": 0,
            "SnapshotId": SnapshotId,
        },
        state="pending",
    )
    return {"SnapshotExportTask": task}


@action
def CreateImageExportTask(call: Call, ImageId: str, OsuExport: Data) -> Data:
    """Export an image of the account to a bucket."""
    shown = _checked(OsuExport)
    image = call.get("Image", ImageId)
    sharing.exportable(call, image)
    if image.state != "available":
        raise errors.refusal(
            6001, f"The image {ImageId} is {image.state}. Wait until it is available."
        )
    if "OsuPrefix" in shown:
        shown["OsuPrefix"] = f"{shown['OsuPrefix']}/{ImageId}/"
    task = call.create(
        "ImageExportTask",
        {
            "Comment": f"Export of image {ImageId}",
            "ImageId": ImageId,
            "OsuExport": shown,
            "Progress": 0,
        },
        state="pending/queued",
    )
    return {"ImageExportTask": task}


@action
def DeleteExportTask(call: Call, ExportTaskId: str) -> Data:
    """Cancel an export that has not begun to write."""
    of_image = ExportTaskId.startswith("image-export-")
    task = call.get("ImageExportTask" if of_image else "SnapshotExportTask", ExportTaskId)
    if task.state not in WAITING:
        raise errors.refusal(
            6003, f"The task {ExportTaskId} is {task.state}. Only waiting ones are cancelled."
        )
    call.become(task, "cancelled")
    return {}
