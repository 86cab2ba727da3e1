"""The document's examples with one thing changed: requests that nearly make sense.

What Schemathesis makes seldom gets past the first check of a handler, because its texts name
nothing. An example is accepted in its scene, so a small change of it reaches far.
"""

import copy
import functools
import random

import pytest

from fakecloud import ApiError, FakeCloud
from tests.functional.cloud import laws, shapes, world
from tests.functional.cloud.test_spec_examples import (
    BOOK,
    EXAMPLES,
    IDS,
    filled,
    request_of,
    scene_of,
    stage,
)

CHANGES_PER_EXAMPLE = 3
NUMBERS = (-1, 0, 1, 2, 7, 22, 80, 1000, 1001, 65_535, 65_536, 2**31, 2**63)
TEXTS = (
    "", " ", "a", "-1", "tcp", "*", "?", "/", "/example/", "x" * 300, "0.0.0.0/0", "10.0.0.0/16",
    "10.0.0.0/24", "10.0.0.4", "10.0.0.255", "10.0.0.0/33", "999.1.1.1", "::1", "fe80::/10",
    "aGVsbG8=", "2026-01-03", "2063-01-02T00:00:00.000Z", "not a date", "eu-west-2a", "eu-west-2",
    "example-lbu", "example-user", "example-usergroup", "another-policy", "default", "io1", "gp2",
    "TCP", "HTTPS", "ssl", "internal", "standard", "t2.small", "tinav9.c0r0p9", "tinav5.c1r1p1",
    "/dev/sdb", "/dev/sda1", "xvdzz", "Inbound", "Outbound", "[]", "{}", "null", "\u0000", "é",
    "v1", "v99", "ipsec.1", "123456789012", "orn:ows:idauth::012345678910:policy/x/y",
)  # fmt: skip


@functools.cache
def identifiers():
    """Return every identifier of the world."""
    return sorted(set(laws.IDENTIFIER.findall(world.saved("joined"))))


class Changer:
    """Change requests in one place; ``chance`` decides where and how."""

    def __init__(self, seed):
        self.chance = random.Random(seed)
        self.ids = identifiers()

    def changed(self, schema, request):
        """Return a copy of a request with one field replaced, taken away or added."""
        request = copy.deepcopy(request)
        holder, part = self._descend(request, {"$ref": f"#/{schema}"})
        fields = {name: inner for name, inner in part["properties"].items() if name != "DryRun"}
        if not fields:
            return request
        name = self.chance.choice(sorted(fields))
        if name in holder and self.chance.random() < 0.2:
            del holder[name]
        else:
            holder[name] = self.value(fields[name], name)
        return request

    def _descend(self, value, part):
        part = BOOK.resolve(part)
        inside = []
        for name, inner in part.get("properties", {}).items():
            item = value.get(name)
            if isinstance(item, list) and item and isinstance(item[0], dict):
                inside.append((self.chance.choice(item), inner["items"]))
            elif isinstance(item, dict) and "properties" in BOOK.resolve(inner):
                inside.append((item, inner))
        if inside and self.chance.random() < 0.6:
            return self._descend(*self.chance.choice(inside))
        return value, part

    def value(self, part, key):
        """Return a value for a schema that a field ``key`` has."""
        part = BOOK.resolve(part)
        if "enum" in part:
            return self.chance.choice(part["enum"])
        kind = part.get("type", "object" if "properties" in part else "string")
        if kind == "object":
            return {
                name: self.value(inner, name)
                for name, inner in part.get("properties", {}).items()
                if name in part.get("required", ()) or self.chance.random() < 0.5
            }
        if kind == "array":
            return [self.value(part["items"], key) for _ in range(self.chance.choice((0, 1, 1, 2)))]
        if kind == "boolean":
            return self.chance.random() < 0.5
        if kind in ("integer", "number"):
            return self.chance.choice(NUMBERS)
        is_id = key.endswith(("Id", "Ids")) and self.chance.random() < 0.8
        return self.chance.choice(self.ids if is_id else TEXTS)


@pytest.mark.parametrize(("action", "example"), EXAMPLES, ids=IDS)
def test_an_example_with_a_change_is_answered_or_refused_wholly(action, example):
    changer = Changer(f"{action}-{example}")
    scene, spec = scene_of(action, example), BOOK.actions[action]
    whole = filled(scene, request_of(action, example))
    staged = stage(scene)
    staged.call("ReadRegions")
    saved = staged.save()
    cloud = FakeCloud()
    cloud.load(saved)
    for _ in range(CHANGES_PER_EXAMPLE):
        request = changer.changed(spec.request, whole)
        try:
            answer = cloud.call(action, **request)
        except ApiError:
            continue
        except Exception as problem:
            raise AssertionError(f"{action} {request} stumbled") from problem
        assert shapes.problems(spec.response, answer) == [], request
        assert laws.missing_fields(action, answer) == [], request
        cloud.clock.advance(world.LONG_S)
        laws.keep_answers(cloud)
        cloud.load(saved)
    before = laws.state_of(staged)
    assert {**laws.state_of(cloud), "now": before["now"]} == before
