"""Validators side by side, on two real schemas of the API document and its own examples.

Each validator is made from the same schemas; before it is measured it must accept every example,
and it is told how many broken copies of them it refuses.
"""

from __future__ import annotations

import copy
import importlib.util
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, Literal

import msgspec

from fakecloud import document

Json = Any
Accepts = Callable[[Json], bool]
Make = Callable[[document.Document, str], Accepts]
SCHEMAS = ["CreateVmsRequest", "Vm"]
TITLES = ["CreateVmsRequest us", "Vm us"]


def vms(book: document.Document) -> list[Json]:
    """Return the VMs in the examples of ReadVms."""
    answers = book.examples("ReadVms")[1].values()
    return [vm for answer in answers for vm in answer["Vms"]]


def examples(book: document.Document, schema: str) -> list[Json]:
    """Return the document's examples of one of the two schemas."""
    return vms(book) if schema == "Vm" else list(book.examples("CreateVms")[0].values())


def broken(value: Json) -> Iterator[Json]:
    """Give copies of an example with one mistake each."""
    yield {**value, "Nonsense": 1}
    for key, item in value.items():
        wrong = copy.deepcopy(value)
        wrong[key] = {} if isinstance(item, str | int | bool | list) else "text"
        yield wrong
        if isinstance(item, list) and item and isinstance(item[0], dict):
            wrong = copy.deepcopy(value)
            wrong[key][0]["Nonsense"] = 1
            yield wrong


# Each validator, made from the document.


def by_msgspec(book: document.Document, schema: str) -> Accepts:
    """Use msgspec, as fakecloud does: structs are made from the schemas, and values converted."""
    shape = book.shape(schema)

    def accepts(value: Json) -> bool:
        try:
            msgspec.convert(value, shape)
        except msgspec.ValidationError:
            return False
        return True

    return accepts


def by_fastjsonschema(book: document.Document, schema: str) -> Accepts:
    """Use fastjsonschema, which writes Python code from a schema."""
    import fastjsonschema

    check = fastjsonschema.compile(json_schema(book, schema))

    def accepts(value: Json) -> bool:
        try:
            check(value)
        except fastjsonschema.JsonSchemaValueException:
            return False
        return True

    return accepts


def by_jsonschema_rs(book: document.Document, schema: str) -> Accepts:
    """Use jsonschema-rs, which is written in Rust."""
    import jsonschema_rs

    accepts: Accepts = jsonschema_rs.validator_for(json_schema(book, schema)).is_valid
    return accepts


def by_jsonschema(book: document.Document, schema: str) -> Accepts:
    """Use jsonschema, which is written in Python."""
    import jsonschema

    accepts: Accepts = jsonschema.Draft7Validator(json_schema(book, schema)).is_valid
    return accepts


def by_pydantic(book: document.Document, schema: str) -> Accepts:
    """Use pydantic, with models made from the schemas."""
    import pydantic

    adapter = pydantic.TypeAdapter(Models(book).model(schema))

    def accepts(value: Json) -> bool:
        try:
            adapter.validate_python(value, strict=True)
        except pydantic.ValidationError:
            return False
        return True

    return accepts


class Models:
    """Models of pydantic for the schemas of the document."""

    def __init__(self, book: document.Document) -> None:
        self._book = book
        self._known: dict[str, Any] = {}

    def model(self, name: str) -> Any:
        """Return the model of a schema."""
        import pydantic

        schema = self._book.schemas[name]
        if schema.get("type") != "object":
            return self.type(schema)
        if name not in self._known:
            required = set(schema.get("required", ()))
            closed = schema.get("additionalProperties") is False
            self._known[name] = pydantic.create_model(
                name,
                __config__=pydantic.ConfigDict(extra="forbid" if closed else "allow"),
                **{
                    key: (self.type(part), ... if key in required else None)
                    for key, part in schema.get("properties", {}).items()
                },
            )
        return self._known[name]

    def type(self, part: Json) -> Any:
        """Return the type of a property."""
        if "$ref" in part:
            return self.model(part["$ref"].rsplit("/", 1)[1])
        if "enum" in part:
            return Literal[tuple(part["enum"])]
        if part.get("type") == "array":
            return list[self.type(part["items"])]  # type: ignore[misc]
        scalars = {"string": str, "integer": int, "number": float, "boolean": bool}
        return scalars.get(part.get("type", ""), dict)


def json_schema(book: document.Document, schema: str) -> Json:
    """Return a schema of the document as JSON Schema, with what it refers to."""
    definitions: dict[str, Json] = {}

    def plain(part: Json) -> Json:
        if "$ref" in part:
            name = part["$ref"].rsplit("/", 1)[1]
            if name not in definitions:
                definitions[name] = {}
                definitions[name] = plain(book.schemas[name])
            return {"$ref": f"#/definitions/{name}"}
        kept = {key: part[key] for key in KEPT if key in part}
        if "items" in part:
            kept["items"] = plain(part["items"])
        if "properties" in part:
            kept["properties"] = {key: plain(each) for key, each in part["properties"].items()}
        return kept

    return {**plain({"$ref": f"#/{schema}"}), "definitions": definitions}


KEPT = ("type", "enum", "required", "additionalProperties")

KNOWN: dict[str, tuple[str, Make]] = {
    "msgspec.convert": ("msgspec", by_msgspec),
    "jsonschema-rs": ("jsonschema_rs", by_jsonschema_rs),
    "pydantic": ("pydantic", by_pydantic),
    "fastjsonschema": ("fastjsonschema", by_fastjsonschema),
    "jsonschema": ("jsonschema", by_jsonschema),
}


def import_ms(package: str) -> float:
    """Return the milliseconds of processor time for an import, at best, in a new process."""
    script = (
        f"import time; t = time.process_time(); import {package}; print(time.process_time() - t)"
    )
    command = [sys.executable, "-c", script]
    return 1000 * min(float(subprocess.check_output(command)) for _ in range(4))


Best = Callable[[Callable[[Json], object], Json], float]


def rows(book: document.Document, best: Best) -> Iterator[Any]:
    """Measure every validator that is installed."""
    for name, (package, make) in KNOWN.items():
        if importlib.util.find_spec(package) is None:
            yield [f"{name} is left out: {package} is not installed."]
            continue
        imports = import_ms(package)
        __import__(package)
        fresh = document.Document(book.raw)
        started = time.thread_time()
        checks = [make(fresh, schema) for schema in SCHEMAS]
        compiled = 1000 * (time.thread_time() - started)
        figures = []
        refused = asked = 0
        for schema, accepts in zip(SCHEMAS, checks, strict=True):
            good = examples(book, schema)
            bad = [wrong for value in good for wrong in broken(value)]
            assert all(accepts(value) for value in good), f"{name} refuses an example of {schema}."
            refused += sum(not accepts(wrong) for wrong in bad)
            asked += len(bad)
            figures.append(f"{sum(best(accepts, value) for value in good) / len(good):.2f}")
        yield [name, f"{imports:.0f}", f"{compiled:.1f}", *figures, f"{refused}/{asked}"]
