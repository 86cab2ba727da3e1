"""What is wrong with the spec of an OscMachine."""

from __future__ import annotations

from collections.abc import Iterator

from provider.api import v1beta2
from provider.problem import Problem
from provider.rules import capacity, devices, names, placement, user_data
from provider.rules import validation_parts as parts

TAG_KEY_MAX = 255
TAG_VALUE_MAX = 255


def problems(spec: v1beta2.OscMachineSpec, path: str) -> Iterator[Problem]:
    """Check the spec of a machine, which stands at ``path``."""
    if spec.provider_id and not names.parse_provider_id(spec.provider_id):
        yield Problem(
            f"{path}.providerID",
            f'"{spec.provider_id}" names no VM. Leave it out: it is set when the VM exists.',
        )
    yield from _vm(f"{path}.vm", spec.vm)
    yield from devices.problems(
        (f"{path}.volumes[{index}].device", each.device) for index, each in enumerate(spec.volumes)
    )
    for index, each in enumerate(spec.volumes):
        yield from _volume(f"{path}.volumes[{index}]", each)


def warnings(spec: v1beta2.OscMachineSpec, path: str) -> Iterator[Problem]:
    """Return what is allowed, but may not be what was meant."""
    vm, disk = spec.vm, spec.vm.root_disk
    if vm.public_ip_pool and not vm.public_ip:
        yield Problem(
            f"{path}.vm.publicIpPool",
            f'publicIpPool is "{vm.public_ip_pool}", but publicIp is false, so there will be no '
            "public IP. Set publicIp to true, or remove the pool.",
        )
    yield from parts.image_warnings(f"{path}.vm.image", spec.vm.image)
    yield from parts.volume_warnings(f"{path}.vm.rootDisk", disk.type, disk.iops)
    for index, each in enumerate(spec.volumes):
        yield from parts.volume_warnings(f"{path}.volumes[{index}]", each.type, each.iops)


def _vm(path: str, vm: v1beta2.Vm) -> Iterator[Problem]:
    yield from parts.one_of(f"{path}.role", vm.role, (names.CONTROL_PLANE, names.WORKER))
    yield from parts.vm_type(f"{path}.vmType", vm.vm_type)
    if not vm.keypair_name:
        yield Problem(f"{path}.keypairName", "No keypair is given. Set it to the name of one.")
    yield from parts.image(f"{path}.image", vm.image)
    yield from parts.volume(
        f"{path}.rootDisk", vm.root_disk.type, vm.root_disk.size, vm.root_disk.iops
    )
    yield from parts.subregions(f"{path}.subregions", vm.subregions)
    yield from parts.one_of(f"{path}.subregionMode", vm.subregion_mode, ("leastNodes", "random"))
    yield from parts.addresses(f"{path}.privateIps", vm.private_ips)
    yield from parts.unique(f"{path}.securityGroupNames", "", vm.security_group_names)
    yield from placement.problems(f"{path}.placement", vm.placement)
    yield from parts.identifier(f"{path}.resourceId", vm.resource_id, "i", "a VM")
    yield from _tags(f"{path}.tags", vm)
    if vm.flexible_gpu.model and vm.role == names.CONTROL_PLANE:
        yield Problem(
            f"{path}.flexibleGpu",
            f"A control plane has no use for a GPU, but model is {vm.flexible_gpu.model}. "
            "Remove it, or set role to worker.",
        )
    if vm.flexible_gpu.model and not capacity.takes_gpu(vm.vm_type):
        yield Problem(
            f"{path}.vmType",
            f"{vm.vm_type} takes no flexible GPU, but model is {vm.flexible_gpu.model}. Use a type "
            'of the highest performance, such as "tinav5.c4r8p1".',
        )


def _tags(path: str, vm: v1beta2.Vm) -> Iterator[Problem]:
    yield from user_data.tag_problems(path, vm.tags)
    for key, value in sorted(vm.tags.items()):
        name = user_data.tag_name(key)
        if len(name) > TAG_KEY_MAX or len(value) > TAG_VALUE_MAX:
            yield Problem(
                f"{path}[{key}]",
                f"The key has {len(name)} characters, the value {len(value)}. Use {TAG_KEY_MAX} at "
                f"most for the key and {TAG_VALUE_MAX} for the value.",
            )
        elif name.startswith((names.CLUSTER_PREFIX, names.NODE_NAME, names.MACHINE)):
            yield Problem(
                f"{path}[{key}]",
                f"{name} is set by the provider, and says what belongs to a cluster. Remove it.",
            )


def _volume(path: str, volume: v1beta2.Volume) -> Iterator[Problem]:
    yield from parts.volume(
        path, volume.type, volume.size, volume.iops, is_sized=not volume.from_snapshot
    )
    yield from parts.identifier(f"{path}.fromSnapshot", volume.from_snapshot, "snap", "a snapshot")
