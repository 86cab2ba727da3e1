"""VM types: what `tinav5.c4r8p1` and `t2.small` mean in vCores, memory and performance.

https://docs.outscale.com/en/userguide/VM-Types.html
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from fakecloud import errors
from fakecloud.kinds import Data

DEFAULT = "t2.small"
TINA = re.compile(r"tinav([1-9])\.c([1-9]\d{0,2})r([1-9]\d{0,3})(?:p([1-3]))?")
PERFORMANCES = {"1": "highest", "2": "high", "3": "medium"}
TINA_NICS = 8
TINA_PRIVATE_IPS = 15
DEFAULT_PERFORMANCE = "high"

# Name, vCores, GiB of memory, performance, NICs, private IPs per NIC, ephemeral disks and the GiB
# of one. Sizes are those of the AWS types that these names come from.
_ROWS = """
t1.micro      1  0.613 medium   2  2 0    0
t2.nano       1  0.5   medium   2  2 0    0
t2.micro      1  1     medium   2  2 0    0
t2.small      1  2     medium   3  4 0    0
t2.medium     2  4     medium   3  6 0    0
t2.large      2  8     medium   3 12 0    0
m1.small      1  1.7   medium   2  4 1  160
m1.medium     1  3.75  medium   2  6 1  410
m1.large      2  7.5   medium   3 10 2  420
m1.xlarge     4 15     medium   4 15 4  420
m2.xlarge     2 17.1   medium   4 15 1  420
m2.2xlarge    4 34.2   medium   4 30 1  850
m2.4xlarge    8 68.4   medium   8 30 2  840
m3.medium     1  3.75  high     2  6 1    4
m3.large      2  7.5   high     3 10 1   32
m3.xlarge     4 15     high     4 15 1   40
m3.2xlarge    8 30     high     4 30 2   80
m4.large      2  8     high     2 10 0    0
m4.xlarge     4 16     high     4 15 0    0
m4.2xlarge    8 32     high     4 15 0    0
m4.4xlarge   16 64     high     8 30 0    0
m4.10xlarge  40 160    high     8 30 0    0
m5.large      2  8     high     3 10 0    0
m5.xlarge     4 16     high     4 15 0    0
m5.2xlarge    8 32     high     4 15 0    0
m5.4xlarge   16 64     high     8 30 0    0
c1.medium     2  1.7   high     2  6 1  350
c1.xlarge     8  7     high     4 15 4  420
c3.large      2  3.75  high     3 10 2   16
c3.xlarge     4  7.5   high     4 15 2   40
c3.2xlarge    8 15     high     4 15 2   80
c3.4xlarge   16 30     high     8 30 2  160
c3.8xlarge   32 60     high     8 30 2  320
c4.large      2  3.75  high     3 10 0    0
c4.xlarge     4  7.5   high     4 15 0    0
c4.2xlarge    8 15     high     4 15 0    0
c4.4xlarge   16 30     high     8 30 0    0
c4.8xlarge   36 60     high     8 30 0    0
c5.large      2  4     high     3 10 0    0
c5.xlarge     4  8     high     4 15 0    0
c5.2xlarge    8 16     high     4 15 0    0
c5.4xlarge   16 32     high     8 30 0    0
r3.large      2 15.25  high     3 10 1   32
r3.xlarge     4 30.5   high     4 15 1   80
r3.2xlarge    8 61     high     4 15 1  160
r3.4xlarge   16 122    high     8 30 1  320
r3.8xlarge   32 244    high     8 30 2  320
r4.large      2 15.25  high     3 10 0    0
r4.xlarge     4 30.5   high     4 15 0    0
r4.2xlarge    8 61     high     4 15 0    0
r4.4xlarge   16 122    high     8 30 0    0
r4.8xlarge   32 244    high     8 30 0    0
i2.xlarge     4 30.5   highest  4 15 1  800
i2.2xlarge    8 61     highest  4 15 2  800
i2.4xlarge   16 122    highest  8 30 4  800
i2.8xlarge   32 244    highest  8 30 8  800
"""

# What ReadVmTypes lists of the types that may have any numbers.
_GENERATIONS = (3, 4, 5, 6, 7)
_SIZES = ((1, 1), (1, 2), (2, 4), (2, 8), (4, 8), (4, 16), (8, 16), (8, 32), (16, 64), (32, 128))


@dataclass(frozen=True)
class VmType:
    """One type; ``performance`` is empty when the type leaves it open."""

    name: str
    cores: int
    memory_gib: float
    performance: str
    nics: int = TINA_NICS
    private_ips: int = TINA_PRIVATE_IPS
    disks: int = 0
    disk_gib: int = 0
    generation: int = 0

    def shown(self) -> Data:
        """Return the type as ReadVmTypes shows it."""
        view: Data = {
            "BsuOptimized": self.name in BSU_OPTIMIZED,
            "MaxPrivateIps": self.private_ips,
            "MemorySize": self.memory_gib,
            "VcoreCount": self.cores,
            "VmTypeName": self.name,
            "VolumeCount": self.disks,
        }
        if self.disks:
            view["VolumeSize"] = self.disk_gib
        return view


def _table() -> dict[str, VmType]:
    found = {}
    for line in _ROWS.strip().splitlines():
        name, cores, memory, performance, nics, ips, disks, disk_gib = line.split()
        numbers = (int(nics), int(ips), int(disks), int(disk_gib))
        found[name] = VmType(name, int(cores), float(memory), performance, *numbers)
    return found


NAMED = _table()

BSU_OPTIMIZED = frozenset(
    name
    for name in NAMED
    if name.startswith(("m3.xlarge", "m4.", "c4.", "r4.", "m5.", "c5.", "i2."))
)
"""The types for which BsuOptimized may be true."""


@functools.lru_cache(maxsize=4096)
def parse(name: str) -> VmType:
    """Return what a VM type means; raise 5024 for one that does not exist."""
    known = NAMED.get(name)
    if known is not None:
        return known
    match = TINA.fullmatch(name)
    if match is None:
        raise errors.refusal(
            5024,
            f"The VM type '{name}' does not exist. Write tinavW.cXrYpZ, or one of ReadVmTypes.",
        )
    generation, cores, memory, flag = match.groups()
    return VmType(
        name,
        int(cores),
        float(memory),
        PERFORMANCES.get(flag or "", ""),
        generation=int(generation),
    )


def performance(vm_type: VmType, wanted: str | None) -> str:
    """Return the performance of a VM: what the type says goes before what is wanted."""
    return vm_type.performance or wanted or DEFAULT_PERFORMANCE


@functools.cache
def listed() -> tuple[VmType, ...]:
    """Return the types that ReadVmTypes lists."""
    tina = [
        parse(f"tinav{generation}.c{cores}r{memory}p{flag}")
        for generation in _GENERATIONS
        for cores, memory in _SIZES
        for flag in PERFORMANCES
    ]
    return (*NAMED.values(), *tina)
