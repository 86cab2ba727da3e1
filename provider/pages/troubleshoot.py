"""Write ``docs/troubleshoot.md``: what users are told when something is wrong, and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from provider import conditions
from provider.blueprint import KINDS
from provider.osc import errors
from provider.pages import messages, tables
from provider.pages.messages import Message
from provider.reasons import Reason
from provider.resources import flexible_gpu, load_balancer_backend, machine_ip, machine_vm

PAGE = tables.FOLDER / "troubleshoot.md"

MACHINE_KINDS = (
    machine_vm.MachineVm,
    machine_ip.MachineIp,
    flexible_gpu.FlexibleGpu,
    load_balancer_backend.LoadBalancerBackend,
)
BOTH = "OscCluster, OscMachine"
OTHER_CONDITIONS = (
    ("Ready", BOTH, "All of it: the worst part decides, and the message lists every part."),
    ("Paused", BOTH, "Whether the object is left alone."),
    ("Deleting", BOTH, "Whether the object is going, and what is left of it."),
    ("SpecReady", BOTH, "The spec asks for something that can be."),
    ("CredentialsReady", BOTH, "There are credentials that can be used."),
    ("CloudReady", BOTH, "The cloud answers; without that, nothing else is known."),
    ("EndpointReady", "OscCluster", "Without a load balancer: where the Kubernetes API is."),
    ("SecurityGroupsReady", "OscMachine", "Which security groups a running VM is to have."),
)

SECTIONS: dict[str, tuple[str, ...]] = {
    "CLUSTER": ("rules/validation_cluster", "rules/addressing"),
    "GROUPS": ("rules/validation_groups",),
    "MACHINE": (
        "rules/validation_machine",
        "rules/devices",
        "rules/placement",
        "rules/user_data",
    ),
    "PARTS": ("rules/validation_parts", "rules/validation"),
    "TEMPLATES": ("rules/validation_metadata", "admission"),
    "CHANGES": ("rules/validation_change",),
    "CLOUD": (
        "blueprint",
        "placing",
        "machine_blueprint",
        "machine_lost",
        "resources/",
        "engine/",
    ),
    "CREDENTIALS": ("osc/credentials", "manager/tenants", "account"),
    "DOCTOR": ("doctor", "doctor_secrets"),
    "COMMANDS": ("planning", "manifests/", "kube/auth", "api/conversion"),
}
"""By the name of a table: the modules whose messages are in it."""


def content() -> dict[str, list[str]]:
    """Return the tables of the page, by name."""
    found = messages.read()
    told = {name: _refusals(of(modules, found)) for name, modules in SECTIONS.items()}
    return {"REASONS": _reasons(), "CONDITIONS": _conditions(), "CODES": _codes(), **told}


def _reasons() -> list[str]:
    rows = [(f"`{each.value}`", each.means, each.remedy or "Nothing.") for each in Reason]
    return tables.rows(("reason", "what it means", "what to do"), rows)


def _conditions() -> list[str]:
    rows = [(f"`{name}`", on, about) for name, on, about in OTHER_CONDITIONS]
    for kind, on in [
        *((each, "OscCluster") for each in KINDS),
        *((each, "OscMachine") for each in MACHINE_KINDS),
    ]:
        rows.append((f"`{kind.CONDITION}`", on, f"`{kind.KIND}`"))
    return tables.rows(("condition", "on", "what it is about"), dict.fromkeys(rows))


def _codes() -> list[str]:
    """Return which codes of the API have which reason: families, and the exceptions from them."""
    rows = []
    for cause in errors.Cause:
        families = [
            f"{each * 1000} to {each * 1000 + 999}"
            for each in errors.FAMILIES
            if errors.FAMILIES[each] is cause
        ]
        codes = [f"{code} {name}" for code, name, its in errors.CODES if its is cause]
        reason = f"`{conditions.CAUSES[cause].value}`"
        rows.append((reason, ", ".join(families) or "none", ", ".join(codes) or "none"))
    return tables.rows(("reason", "families of codes", "codes that mean something else"), rows)


def of(modules: Sequence[str], found: Iterable[Message]) -> Iterator[Message]:
    """Give the messages of some modules; a name that ends with a slash is a package."""
    for each in found:
        if any(
            each.module == one or (one[-1] == "/" and each.module.startswith(one))
            for one in modules
        ):
            yield each


def _refusals(found: Iterable[Message]) -> list[str]:
    cells = [[f"`{each.where}`" if each.where else "", each.wrong, each.remedy] for each in found]
    first = 0 if any(row[0] for row in cells) else 1
    rows = dict.fromkeys(tuple(row[first:]) for row in cells)
    return tables.rows(("where", "what is wrong", "what to do")[first:], rows)


if __name__ == "__main__":
    tables.write(PAGE, content())
