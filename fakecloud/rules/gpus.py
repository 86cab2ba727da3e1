"""The models of flexible GPUs, and which VMs may have them.

https://docs.outscale.com/en/userguide/About-Flexible-GPUs.html
"""

from __future__ import annotations

from dataclasses import dataclass

from fakecloud import errors
from fakecloud.kinds import Data
from fakecloud.rows import Row
from fakecloud.rules import vm_types


@dataclass(frozen=True)
class Model:
    """One row of the catalog: video memory in MiB, VM limits, and processor generations."""

    name: str
    vram_mib: int
    cores_max: int
    ram_gib_max: int
    generations: tuple[str, ...]

    def entry(self) -> Data:
        """Return the model as ReadFlexibleGpuCatalog shows it."""
        return {
            "Generations": list(self.generations),
            "MaxCpu": self.cores_max,
            "MaxRam": self.ram_gib_max,
            "ModelName": self.name,
            "VRam": self.vram_mib,
        }


# Which region has which model changes often: every region has all of them here.
_ROWS = (
    Model("nvidia-a100", 40_000, 35, 250, ("v5", "v6")),
    Model("nvidia-a100-80", 80_000, 35, 256, ("v6",)),
    Model("nvidia-k2", 4_096, 80, 512, ("v3", "v4")),
    Model("nvidia-l40", 48_000, 35, 250, ("v7",)),
    Model("nvidia-m60", 16_000, 80, 512, ("v3", "v4")),
    Model("nvidia-p100", 16_000, 80, 512, ("v5",)),
    Model("nvidia-p6", 16_000, 80, 512, ("v5",)),
    Model("nvidia-v100", 16_000, 35, 250, ("v5",)),
)
MODELS = {model.name: model for model in _ROWS}


def check_fit(gpu: Row, vm: Row, others: list[Row]) -> None:
    """Raise 9072 for a VM that cannot have a GPU.

    It must be of the highest performance and of the GPU's processor generation, within the cores
    and memory of the model, not dedicated, and all its GPUs must be of one model.
    """
    model = MODELS[gpu["ModelName"]]
    vm_type = vm_types.parse(vm["VmType"])
    problem = ""
    # A named type (m4.large) stands for one of a generation that the API does not tell.
    if vm_type.generation and f"v{vm_type.generation}" != gpu["Generation"]:
        problem = f"is of generation v{vm_type.generation}, but the GPU of {gpu['Generation']}"
    elif vm_type.cores > model.cores_max:
        problem = f"has {vm_type.cores} vCores, but {model.name} takes {model.cores_max} at most"
    elif vm_type.memory_gib > model.ram_gib_max:
        problem = (
            f"has {vm_type.memory_gib:g} GiB, but {model.name} takes {model.ram_gib_max} at most"
        )
    elif vm["Performance"] != "highest":
        problem = f"is of {vm['Performance']} performance, but a GPU needs the highest"
    elif vm["Placement"]["Tenancy"] != "default":
        problem = "is dedicated, and dedicated VMs have no GPU"
    elif any(other["ModelName"] != model.name for other in others):
        problem = f"has a GPU of another model than {model.name}"
    elif vm["Placement"]["SubregionName"] != gpu["SubregionName"]:
        problem = f"is in another subregion than the GPU, {gpu['SubregionName']}"
    if problem:
        raise errors.refusal(9072, f"The VM {vm.id} {problem}.")
