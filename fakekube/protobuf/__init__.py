"""The protobuf encoding of built-in kinds: what client-go's typed clients speak.

A body is the magic ``k8s`` and a zero byte, then a ``runtime.Unknown`` that names the kind and
holds the message. Numbers and types of all fields come from ``fakekube.builtin``, so this needs
no compiler and no generated code. Custom resources have no protobuf, and neither have
CustomResourceDefinitions and APIServices here.
"""

from __future__ import annotations

import struct
from typing import Any, Final

from fakekube import builtin
from fakekube.builtin import normal
from fakekube.protobuf import reader, wire, writer

Json = Any
Object = dict[str, Any]

MAGIC: Final = b"k8s\0"
# These are the same in every group, so a client may name any.
EVERYWHERE: Final = {
    "APIGroup": "meta.v1.APIGroup",
    "APIGroupList": "meta.v1.APIGroupList",
    "APIResourceList": "meta.v1.APIResourceList",
    "APIVersions": "meta.v1.APIVersions",
    "DeleteOptions": "meta.v1.DeleteOptions",
    "PartialObjectMetadata": "meta.v1.PartialObjectMetadata",
    "Status": "meta.v1.Status",
    "WatchEvent": "meta.v1.WatchEvent",
}
LIST_META: Final = "meta.v1.ListMeta"
# JSON with a schema of its own is spelled in ways that no field table can tell.
UNSUPPORTED: Final = ("apiextensions.", "apiregistration.")


class NoProtobuf(LookupError):
    """Nothing is known about the kind that would let it be written in protobuf."""


def type_of(api_version: str, kind: str) -> str:
    """Return the name of the message of a kind; "" if it has none."""
    name = EVERYWHERE.get(kind) or builtin.name_of(api_version, kind)
    return "" if name.startswith(UNSUPPORTED) else name


def is_known(api_version: str, kind: str) -> bool:
    """Say whether objects of a kind, or lists of them, can be written in protobuf."""
    return bool(type_of(api_version, kind) or type_of(api_version, kind.removesuffix("List")))


def decode(body: bytes) -> Object:
    """Return the object in a body, spelled as Go would spell it in JSON.

    ``ValueError`` says in words what is wrong with the body.
    """
    if not body.startswith(MAGIC):
        prefix = " ".join(str(byte) for byte in MAGIC)
        raise ValueError(
            f"provided data does not appear to be a protobuf message, expected prefix [{prefix}]"
        )
    api_version, kind, raw = reader.envelope(body[len(MAGIC) :])
    if not kind:
        raise ValueError("Object 'Kind' is missing in '" + repr(raw)[2:-1] + "'")
    found: Object = {"kind": kind, "apiVersion": api_version} if api_version else {"kind": kind}
    name = type_of(api_version, kind)
    if name:
        found.update(reader.message(name, raw))
        normal.complete(found, name)
        return found
    name = type_of(api_version, kind.removesuffix("List"))
    if not name:
        raise ValueError(f'no kind "{kind}" is registered for version "{api_version}" in scheme')
    metadata, items = reader.listed(name, raw)
    normal.complete(metadata, LIST_META)
    for item in items:
        normal.complete(item, name)
    return {**found, "metadata": metadata, "items": items}


def encode(obj: Object) -> bytes:
    """Return the body for an object; ``NoProtobuf`` if its kind has none."""
    api_version, kind = obj.get("apiVersion", ""), obj.get("kind", "")
    name = type_of(api_version, kind)
    if name:
        raw = writer.message(name, obj)
    else:
        name = type_of(api_version, kind.removesuffix("List"))
        if not name:
            raise NoProtobuf(f"{kind} of {api_version} has no protobuf.")
        raw = writer.listed(name, obj)
    meta = wire.text(1, api_version) + wire.text(2, kind)
    # Go writes the last two fields, though they are empty.
    return MAGIC + wire.block(1, meta) + wire.block(2, raw) + wire.text(3, "") + wire.text(4, "")


def frame(event: str, obj: Object) -> bytes:
    """Return an event of a watch: its length, and a ``WatchEvent`` without the magic."""
    inner = wire.text(1, event) + wire.block(2, wire.block(1, encode(obj)))
    return struct.pack(">I", len(inner)) + inner


def unframed(data: bytes) -> tuple[str, Object, bytes]:
    """Return the type and object of the first event of a watch, and what comes after it."""
    (size,) = struct.unpack(">I", data[:4])
    event, raw = "", b""
    for number, value in wire.fields(data[4 : 4 + size]):
        if number == 1:
            event = wire.as_text(value)
        elif number == 2:
            raw = next((wire.as_bytes(item) for at, item in wire.fields(value) if at == 1), b"")
    return event, decode(raw), data[4 + size :]
