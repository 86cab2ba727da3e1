"""Every field of a spec, and what becomes of a change of it on something that exists already."""

import dataclasses
import typing
from collections.abc import Callable

import pydantic

from provider import admission
from provider.api import crd

AT_CREATION = "Takes effect at creation only"
"""What the description of a field says that is read when its resource is made, and never again."""


@dataclasses.dataclass(frozen=True)
class Case:
    """A change of one field: what it is, where, and what is to become of it.

    new: the value, or what gives it for a driver of what exists.
    base: what exists before.
    said: what a refusal says; empty when it is not refused.
    seen: whether the cloud is as it should be; None when it is not to change.
    shown_by: the test that shows it, where that takes more than a cloud.
    """

    new: object = None
    base: str = "plain"
    said: str = ""
    seen: Callable | None = None
    shown_by: str = ""

    def value(self, run):
        return self.new(run) if callable(self.new) else self.new


def refused(new, base="plain", said="cannot change that"):
    return Case(new, base, said=said)


def healed(new, seen, base="plain"):
    return Case(new, base, seen=seen)


def at_creation(new, base="plain"):
    return Case(new, base)


def shown(by):
    return Case(shown_by=by)


# --- The fields ----------------------------------------------------------------------------------


def leaves(model, path=""):
    """Give the path of every field that holds a value; ``[]`` stands for an item of a list."""
    for name, field in model.model_fields.items():
        yield from _within(field.annotation, f"{path}.{field.alias or name}".lstrip("."))


def _within(kind, path):
    arguments = typing.get_args(kind)
    if typing.get_origin(kind) is list and _is_part(arguments[0]):
        yield from leaves(arguments[0], f"{path}[]")
    elif _is_part(kind):
        yield from leaves(kind, path)
    elif type(None) in arguments:
        yield from _within(arguments[0], path)
    else:
        yield path


def _is_part(kind):
    return isinstance(kind, type) and issubclass(kind, pydantic.BaseModel)


def put(spec, path, value):
    """Set a field, in the first item of every list on the way; what is missing is made."""
    *way, last = path.split(".")
    for each in way:
        name = each.removesuffix("[]")
        spec = spec.setdefault(name, [{}] if each != name else {})
        spec = spec[0] if each != name else spec
    spec[last] = value


def description(model, path):
    """Return what the definition of a kind says about a field of its spec."""
    schema = crd.structural(model)
    for each in ("spec", *path.split(".")):
        name = each.removesuffix("[]")
        schema = schema["properties"][name]
        schema = schema["items"] if each != name else schema
    return schema["description"]


def problems(old, new):
    """Return what the webhook says against a change, as texts."""
    asked = {"operation": "UPDATE", "object": new, "oldObject": old}
    return [str(each) for each in admission.judge(asked).problems]
