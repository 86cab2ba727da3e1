"""Random objects of a schema, right and wrong, from a seed."""

import copy
import random

from fakekube.schema import patterns

TEXTS = [
    *("", "a", "abc", "A", "a-b", "a.b.c", "example.com/a", "10Gi", "50%", "1", "0", "-1", "5m"),
    *("Ready", "Available", "True", "False", "Unknown", "Linux", "Always", "é", "a b", "a\nb"),
    *("v1.30.0", "10.0.0.0/8", "10.0.0.1", "::1", "2024-02-29T10:11:12Z", "2024-02-30T10:11:12Z"),
    *("2024-01-01T00:00:00.5+01:00", "YWJj", "YWJ", "[0-5]", "<&>", '"', "\\", "ext.example.com/x"),
]
ANYTHING = [None, True, False, 0, 1, -1, 1.5, 2**40, "", "a", "5", [], [1], {}, {"a": 1}, [None]]


class Maker:
    """Makes values of a schema; one in `1 / wrong` nodes is not what the schema wants."""

    def __init__(self, seed: int, wrong: float) -> None:
        self.random = random.Random(seed)
        self.wrong = wrong

    def maybe(self, chance: float) -> bool:
        return self.random.random() < chance

    def anything(self):
        return copy.deepcopy(self.random.choice(ANYTHING))

    def value(self, schema, depth=0):
        if self.maybe(self.wrong):
            return self.anything()
        if schema.get("nullable") and self.maybe(0.1):
            return None
        if schema.get("enum"):
            other = self.maybe(self.wrong * 5)
            return "other" if other else self.random.choice(schema["enum"])
        if schema.get("x-kubernetes-int-or-string"):
            return self.random.choice([0, 5, 2**31, "10%", "5", "x", "1.5Gi", "-3m"])
        kind = schema.get("type")
        if kind is None:
            return self.anything()
        return getattr(self, f"_{kind}")(schema, depth)

    def _boolean(self, _schema, _depth):
        return self.maybe(0.5)

    def _integer(self, schema, _depth):
        low, high = schema.get("minimum", -2), schema.get("maximum", 100)
        if self.maybe(self.wrong * 4):
            return self.random.choice([low - 1, high + 1, 1.0, 1.5, 2**31, 2**63, -(2**63)])
        return self.random.choice([low, high, self.random.randint(int(low), int(high))])

    def _number(self, schema, depth):
        return self._integer(schema, depth) + self.random.choice([0, 0.5])

    def _string(self, schema, _depth):
        least, most = schema.get("minLength", 0), schema.get("maxLength", 300)
        if self.maybe(self.wrong * 4):
            return self.random.choice([*TEXTS, "x" * (most + 1), "x" * max(least - 1, 0)])
        if schema.get("format") == "date-time" and not self.maybe(self.wrong * 4):
            return "2024-01-01T00:00:00Z"
        pattern = schema.get("pattern")
        texts = [*TEXTS, f"t{self.random.randrange(4)}", "x" * max(least, 1)]
        self.random.shuffle(texts)
        fits = (
            text
            for text in texts
            if least <= len(text) <= most and (not pattern or patterns.matcher(pattern)(text))
        )
        return next(fits, self.random.choice(TEXTS))

    def _array(self, schema, depth):
        least, most = schema.get("minItems", 0), schema.get("maxItems", 3)
        count = max(least, min(most, self.random.choice([0, 1, 1, 2, 3])))
        if self.maybe(self.wrong * 2):
            count = self.random.choice([0, min(most + 1, 70)])
        entries = [self.value(schema["items"], depth + 1) for _ in range(count)]
        if entries and self.maybe(0.1):
            entries.append(entries[0])
        return entries

    def _object(self, schema, depth):
        made = {}
        required = schema.get("required", [])
        # Deep in a large schema, only a few of the optional fields are filled.
        chance = 0.45 if depth < 2 else 0.3 if depth < 5 else 0.15
        for name, member in schema.get("properties", {}).items():
            if (name in required and not self.maybe(self.wrong * 2)) or self.maybe(chance):
                made[name] = self.value(member, depth + 1)
        rest = schema.get("additionalProperties")
        if isinstance(rest, dict):
            for name in self.random.sample(["a", "b", "c.d", "e/f"], self.random.randrange(3)):
                made[name] = self.value(rest, depth + 1)
        if self.maybe(self.wrong):
            made["unknown"] = self.anything()
        return made

    def resource(self, schema, group, version, kind, name):
        """Make an object with metadata of its own that is right."""
        made = {}
        for member, inner in schema.get("properties", {}).items():
            if member not in {"apiVersion", "kind", "metadata"} and self.maybe(0.95):
                made[member] = self.value(inner)
        if self.maybe(self.wrong):
            made["unknown"] = 1
        made["apiVersion"] = f"{group}/{version}"
        made["kind"] = kind
        made["metadata"] = {"name": name, "namespace": "default"}
        return made
