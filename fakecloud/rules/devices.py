"""What a VM's end or halt does to its volumes and flexible GPUs.

https://docs.outscale.com/en/userguide/About-Flexible-GPUs.html
"""

from __future__ import annotations

from fakecloud.store import Store


def vm_stopped(store: Store, vm_id: str) -> None:
    """Finish the links of flexible GPUs, which change hands only while a VM is stopped."""
    for gpu in store.rows("FlexibleGpu", "VmId", vm_id):
        if gpu.state == "attaching":
            store.become(gpu, "attached")
        elif gpu.state == "detaching":
            free_gpu(store, gpu.id)


def vm_terminated(store: Store, vm_id: str) -> None:
    """Detach everything from a VM that is gone, and delete what was to be deleted with it."""
    for link in store.rows("LinkedVolume", "VmId", vm_id):
        volume = store.row("Volume", link["VolumeId"])
        store.remove(link)
        if link["DeleteOnVmDeletion"] and volume is not None:
            store.remove(volume)
    for gpu in store.rows("FlexibleGpu", "VmId", vm_id):
        if gpu["DeleteOnVmDeletion"]:
            store.remove(gpu)
        else:
            free_gpu(store, gpu.id)


def free_gpu(store: Store, gpu_id: str) -> None:
    """Give a flexible GPU back to its account, allocated but linked to no VM."""
    gpu = store.row("FlexibleGpu", gpu_id)
    if gpu is not None:
        store.edit(gpu).pop("VmId", None)
        store.become(gpu, "allocated")
