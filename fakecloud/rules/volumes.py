"""What a volume may be: its types, sizes, IOPS and device names.

https://docs.outscale.com/en/userguide/About-Volumes.html
"""

from __future__ import annotations

import re

from fakecloud import errors
from fakecloud.call import Call, absent, check_id
from fakecloud.kinds import KINDS
from fakecloud.rows import Row

TYPES = ("standard", "gp2", "io1")
SIZE_MAX_GIB = 14_901
IO1_SIZE_MIN_GIB = 4
IO1_IOPS_MIN = 100
IO1_IOPS_MAX = 13_000
IO1_IOPS_PER_GIB_MAX = 300
GP2_IOPS_PER_GIB = 3
GP2_IOPS_MIN = 100
GP2_IOPS_MAX = 10_000
VOLUMES_PER_VM_MAX = 40
"""Including the root device."""

_DEVICE = re.compile(r"/dev/(?:sda1|(?:sd|xvd)[b-z][a-z]?)")


def check_type(volume_type: str) -> None:
    """Raise 4047 for a volume type that does not exist."""
    if volume_type not in TYPES:
        raise errors.refusal(
            4047, f"The volume type is '{volume_type}', but must be one of {', '.join(TYPES)}."
        )


def check_size(size_gib: int, volume_type: str) -> None:
    """Raise 4078 for a size that a volume type cannot have."""
    least = IO1_SIZE_MIN_GIB if volume_type == "io1" else 1
    if not least <= size_gib <= SIZE_MAX_GIB:
        raise errors.refusal(
            4078,
            f"The size is {size_gib} GiB, but a volume of type '{volume_type}' has between "
            f"{least} and {SIZE_MAX_GIB} GiB.",
        )


def iops(volume_type: str, size_gib: int, wanted: int | None) -> int | None:
    """Return the IOPS of a volume: those wanted for io1, the baseline for gp2, else ``None``.

    Raise 7000 for io1 without IOPS, 4045 for IOPS with another type, 4029 outside 100..13000,
    and 4202 for more than 300 per GiB.
    """
    if volume_type != "io1":
        if wanted:
            raise errors.refusal(
                4045, f"Iops is given for the type '{volume_type}', but only 'io1' takes it."
            )
        if volume_type == "gp2":
            return min(max(size_gib * GP2_IOPS_PER_GIB, GP2_IOPS_MIN), GP2_IOPS_MAX)
        return None
    if wanted is None:
        raise errors.refusal(7000, parameters="Iops", least="1")
    if not IO1_IOPS_MIN <= wanted <= IO1_IOPS_MAX:
        raise errors.refusal(4029)
    if wanted > size_gib * IO1_IOPS_PER_GIB_MAX:
        raise errors.refusal(
            4202,
            f"{wanted} IOPS for {size_gib} GiB are more than {IO1_IOPS_PER_GIB_MAX} per GiB. "
            "Take fewer IOPS or a bigger volume.",
        )
    return wanted


def check_device(name: str) -> None:
    """Raise 4019 for a device name that a volume cannot have."""
    if not _DEVICE.fullmatch(name):
        raise errors.refusal(
            4019, f"The provided value ('{name}') for the parameter 'Device' is invalid."
        )


def source(call: Call, snapshot_id: str) -> Row:
    """Return the snapshot that a volume is made from; raise 5054 when it may not be used.

    Those who may launch an image may use its snapshots to do so, though they do not see them.
    """
    snapshots = KINDS["Snapshot"]
    check_id(snapshots, snapshot_id)
    row = call.store.row("Snapshot", snapshot_id)
    if row is not None and row.is_live:
        if call.sees(row):
            return row
        if call.action not in ("CreateVolume", "CreateImage"):
            images = call.store.rows("Image", "BlockDeviceMappings.Bsu.SnapshotId", snapshot_id)
            if any(call.sees(image) for image in images):
                return row
    raise absent(snapshots, snapshot_id)


def sized(size_gib: int | None, snapshot: Row | None, volume_type: str) -> int:
    """Return the size of a new volume: the one given, or its snapshot's.

    Raise 4078 for an impossible size and 4125 for one below the snapshot's.
    """
    if size_gib is None:
        assert snapshot is not None
        size_gib = int(snapshot["VolumeSize"])
    check_size(size_gib, volume_type)
    if snapshot is not None and size_gib < snapshot["VolumeSize"]:
        raise errors.refusal(
            4125,
            f"The size is {size_gib} GiB, but the snapshot {snapshot.id} needs "
            f"{snapshot['VolumeSize']} GiB. Give at least that.",
        )
    return size_gib
