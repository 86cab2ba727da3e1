"""Flexible GPUs: allocated to an account, linked to a VM while that is stopped.

A link or unlink that comes while the VM runs is done when the VM stops: ``rules/devices.py``,
which the VM calls.

https://docs.outscale.com/en/userguide/About-Flexible-GPUs.html
"""

from __future__ import annotations

from fakecloud import errors, reads
from fakecloud.call import Call, action
from fakecloud.kinds import KINDS, Data, kind
from fakecloud.rows import Row
from fakecloud.rules import devices, gpus

kind(
    "FlexibleGpu",
    id="FlexibleGpuId",
    prefix="fgpu",
    weak={"VmId": "Vm"},
    absent=5074,
    in_use=6003,
    resource_type="flexible-gpu",
    read="ReadFlexibleGpus",
    answer="FlexibleGpus",
    quota="gpu_limit",
)


@action
def CreateFlexibleGpu(
    call: Call,
    ModelName: str,
    SubregionName: str,
    DeleteOnVmDeletion: bool = False,
    Generation: str | None = None,
) -> Data:
    """Allocate a GPU, for the oldest processor generation of its model unless told otherwise."""
    model = gpus.MODELS.get(ModelName)
    if model is None:
        raise errors.refusal(
            4047, f"The model is '{ModelName}', but must be one of {', '.join(gpus.MODELS)}."
        )
    if Generation is not None and Generation not in model.generations:
        raise errors.refusal(
            4047,
            f"The generation is '{Generation}', but {ModelName} is for "
            f"{', '.join(model.generations)}.",
        )
    if call.store.row("Subregion", SubregionName) is None:
        raise errors.refusal(5009)
    if not call.world.usable(ModelName, SubregionName):
        raise errors.refusal(10001)
    gpu = call.create(
        "FlexibleGpu",
        {
            "DeleteOnVmDeletion": DeleteOnVmDeletion,
            "Generation": Generation or model.generations[0],
            "ModelName": ModelName,
            "SubregionName": SubregionName,
        },
        state="allocated",
    )
    return {"FlexibleGpu": gpu}


@action
def UpdateFlexibleGpu(
    call: Call, FlexibleGpuId: str, DeleteOnVmDeletion: bool | None = None
) -> Data:
    """Decide whether a GPU goes with its VM; without that, change nothing."""
    gpu = call.get("FlexibleGpu", FlexibleGpuId)
    if DeleteOnVmDeletion is not None:
        call.edit(gpu)["DeleteOnVmDeletion"] = DeleteOnVmDeletion
    return {"FlexibleGpu": gpu}


@action
def DeleteFlexibleGpu(call: Call, FlexibleGpuId: str) -> Data:
    """Give back a GPU that is linked to no VM."""
    gpu = call.get("FlexibleGpu", FlexibleGpuId)
    if gpu.state != "allocated":
        raise _wrong(gpu, "deleted while it is allocated")
    call.delete(gpu)
    return {}


@action
def LinkFlexibleGpu(call: Call, FlexibleGpuId: str, VmId: str) -> Data:
    """Link a GPU to a VM: at once when the VM is stopped, else when it stops."""
    vm = call.get("Vm", VmId)
    gpu = call.get("FlexibleGpu", FlexibleGpuId)
    if gpu.state != "allocated":
        if gpu.state == "attached" or gpu["VmId"] != VmId:
            raise _wrong(gpu, "linked while it is allocated")
        if gpu.state == "detaching":
            call.become(gpu, "attached")
        return {}
    gpus.check_fit(gpu, vm, call.find("FlexibleGpu", "VmId", VmId))
    call.edit(gpu)["VmId"] = VmId
    call.become(gpu, "attached" if vm.state == "stopped" else "attaching")
    return {}


@action
def UnlinkFlexibleGpu(call: Call, FlexibleGpuId: str) -> Data:
    """Unlink a GPU from its VM: at once when the VM is stopped, else when it stops."""
    gpu = call.get("FlexibleGpu", FlexibleGpuId)
    if gpu.state == "allocated":
        raise _wrong(gpu, "unlinked while it is linked to a VM")
    vm = call.store.row("Vm", gpu["VmId"])
    if gpu.state == "attaching" or vm is None or vm.state == "stopped":
        devices.free_gpu(call.store, gpu.id)
    else:
        call.become(gpu, "detaching")
    return {}


def _wrong(gpu: Row, when: str) -> errors.ApiError:
    return errors.refusal(6003, f"The GPU {gpu.id} is {gpu.state}. A GPU is {when}.")


@action
def ReadFlexibleGpuCatalog(call: Call) -> Data:  # noqa: ARG001 - the same for every call
    """List the models that can be allocated."""
    return {"FlexibleGpuCatalog": [model.entry() for model in gpus.MODELS.values()]}


@action
def ReadFlexibleGpus(call: Call, Filters: Data | None = None) -> Data:
    """List GPUs. Alone among all, their filter on tags takes objects: an absent part is any."""
    filters = dict(Filters or {})
    if "Tags" in filters:
        filters["Tags"] = [
            f"{tag.get('Key', '*')}={tag.get('Value', '*')}" for tag in filters["Tags"]
        ]
    rows = reads.select(call, KINDS["FlexibleGpu"], "ReadFlexibleGpus", filters)
    return {"FlexibleGpus": rows}
