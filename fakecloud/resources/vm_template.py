"""VM templates: CreateVmTemplate, UpdateVmTemplate, DeleteVmTemplate, ReadVmTemplates.

https://docs.outscale.com/api.html#3ds-outscale-api-vmtemplate
"""

from __future__ import annotations

import re

from fakecloud import errors
from fakecloud.call import Call, action, prune
from fakecloud.kinds import Data, kind

TEMPLATES_MAX = 50
_GENERATION = re.compile(r"v[1-7]")

kind(
    "VmTemplate",
    id="VmTemplateId",
    prefix="vmtemplate",
    digits=32,
    weak={"ImageId": "Image"},
    in_use=9002,
    read="ReadVmTemplates",
    answer="VmTemplates",
)


@action
def CreateVmTemplate(
    call: Call,
    CpuCores: int,
    CpuGeneration: str,
    ImageId: str,
    Ram: int,
    VmTemplateName: str,
    CpuPerformance: str = "high",
    Description: str = "",
    KeypairName: str | None = None,
    Tags: list[Data] | None = None,
) -> Data:
    """Create a template for the VMs of VM groups."""
    if not _GENERATION.fullmatch(CpuGeneration):
        raise errors.refusal(
            4047, f"The processor generation is '{CpuGeneration}', but must be v1 to v7."
        )
    for name, value in (("CpuCores", CpuCores), ("Ram", Ram)):
        if value < 1:
            raise errors.refusal(4047, f"{name} is {value}, but must be at least 1.")
    image = call.get("Image", ImageId)
    if KeypairName and not call.find("Keypair", "KeypairName", KeypairName):
        raise errors.refusal(5071)
    if len(call.find("VmTemplate")) >= TEMPLATES_MAX:
        raise errors.refusal(
            10010, f"The maximum number of VM templates ({TEMPLATES_MAX}) is exceeded."
        )
    template = call.create(
        "VmTemplate",
        {
            "CpuCores": CpuCores,
            "CpuGeneration": CpuGeneration,
            "CpuPerformance": CpuPerformance,
            "CreationDate": call.today,
            "Description": Description,
            "ImageId": image.id,
            "Ram": Ram,
            "Tags": Tags or [],
            "VmTemplateName": VmTemplateName,
            **prune(KeypairName=KeypairName or None),
        },
    )
    return {"VmTemplate": template}


@action
def UpdateVmTemplate(
    call: Call,
    VmTemplateId: str,
    Description: str | None = None,
    Tags: list[Data] | None = None,
    VmTemplateName: str | None = None,
) -> Data:
    """Change the name, description or tags of a template."""
    template = call.get("VmTemplate", VmTemplateId)
    changes = prune(Description=Description, Tags=Tags, VmTemplateName=VmTemplateName)
    call.edit(template).update(changes)
    return {"VmTemplate": template}


@action
def DeleteVmTemplate(call: Call, VmTemplateId: str) -> Data:
    """Delete a template that no VM group uses."""
    call.delete(call.get("VmTemplate", VmTemplateId))
    return {}
