"""What a node of a VM type has, so that a node group can be scaled up from none.

`tinavW.cXrYpZ` tells its own size. The types with the names of AWS stand for such ones, and have
at least the size of their namesakes. The sizes of the `inference` types are published nowhere that
could be studied: their templates say nothing of their capacity, and the annotations of the
autoscaler have to.

https://docs.outscale.com/en/userguide/VM-Types.html
https://cluster-api.sigs.k8s.io/developer/providers/contracts/infra-machine
"""

from __future__ import annotations

import dataclasses
import functools
import re

from provider.api import v1beta2

CPU, MEMORY, STORAGE = "cpu", "memory", "ephemeral-storage"
GPU = "nvidia.com/gpu"

_TINA = re.compile(r"tinav([1-9]\d?)\.c([1-9]\d{0,2})r([1-9]\d{0,3})(?:p[1-3])?")
_INFERENCE = re.compile(r"inference(\d+)-[a-z0-9]+\.[a-zA-Z0-9]+")

# Families, and the vCores and GiB of their sizes.
_NAMED = """
t1 micro 1 0.613
t2 nano 1 0.5, micro 1 1, small 1 2, medium 2 4, large 2 8
m1 small 1 1.7, medium 1 3.75, large 2 7.5, xlarge 4 15
m2 xlarge 2 17.1, 2xlarge 4 34.2, 4xlarge 8 68.4
m3 medium 1 3.75, large 2 7.5, xlarge 4 15, 2xlarge 8 30
m4 large 2 8, xlarge 4 16, 2xlarge 8 32, 4xlarge 16 64, 10xlarge 40 160
m5 large 2 8, xlarge 4 16, 2xlarge 8 32, 4xlarge 16 64
c1 medium 2 1.7, xlarge 8 7
c3 large 2 3.75, xlarge 4 7.5, 2xlarge 8 15, 4xlarge 16 30, 8xlarge 32 60
c4 large 2 3.75, xlarge 4 7.5, 2xlarge 8 15, 4xlarge 16 30, 8xlarge 36 60
c5 large 2 4, xlarge 4 8, 2xlarge 8 16, 4xlarge 16 32
r3 large 2 15.25, xlarge 4 30.5, 2xlarge 8 61, 4xlarge 16 122, 8xlarge 32 244
r4 large 2 15.25, xlarge 4 30.5, 2xlarge 8 61, 4xlarge 16 122, 8xlarge 32 244
i2 xlarge 4 30.5, 2xlarge 8 61, 4xlarge 16 122, 8xlarge 32 244
"""


@dataclasses.dataclass(frozen=True)
class VmType:
    """A VM type; zeros are what its name does not tell."""

    cores: int = 0
    memory_mib: int = 0
    generation: int = 0
    """Of the processor; a flexible GPU has to be of the same one."""


def _named() -> dict[str, VmType]:
    found = {}
    for line in _NAMED.strip().splitlines():
        family, sizes = line.split(maxsplit=1)
        for entry in sizes.split(", "):
            size, cores, memory_gib = entry.split()
            found[f"{family}.{size}"] = VmType(int(cores), int(float(memory_gib) * 1024))
    return found


_BY_NAME = _named()


@functools.lru_cache(maxsize=1024)
def vm_type(name: str) -> VmType | None:
    """Return what the name of a VM type tells, or None when there is no such type."""
    if match := _TINA.fullmatch(name):
        generation, cores, memory_gib = map(int, match.groups())
        return VmType(cores, memory_gib * 1024, generation)
    if match := _INFERENCE.fullmatch(name):
        return VmType(generation=int(match[1]))
    return _BY_NAME.get(name)


def takes_gpu(name: str) -> bool:
    """Tell whether a flexible GPU can be attached: to VMs of the highest performance only.

    https://docs.outscale.com/en/userguide/About-Flexible-GPUs.html
    """
    return bool(_TINA.fullmatch(name)) and name.endswith("p1")


def gpu_generation(name: str) -> str:
    """Return the generation that a flexible GPU for a VM type needs, such as ``v7``; or nothing."""
    known = vm_type(name)
    return f"v{known.generation}" if known and known.generation else ""


def capacity(vm: v1beta2.Vm) -> dict[str, str]:
    """Return the capacity of a node as Kubernetes writes it; nothing when the type tells no size.

    The number of pods is not among it: the kubelet decides about that, and the autoscaler assumes
    what the kubelet does by default.
    """
    known = vm_type(vm.vm_type)
    if known is None or not known.cores:
        return {}
    found = {
        CPU: str(known.cores),
        MEMORY: _quantity(known.memory_mib),
        STORAGE: f"{vm.root_disk.size}Gi",
    }
    if vm.flexible_gpu.model.startswith("nvidia-"):
        found[GPU] = "1"
    return found


def _quantity(mib: int) -> str:
    return f"{mib}Mi" if mib % 1024 else f"{mib // 1024}Gi"


def node_info() -> dict[str, str]:
    """Return what every node is like: OUTSCALE has one architecture, and machines run Linux."""
    return {"architecture": "amd64", "operatingSystem": "linux"}
