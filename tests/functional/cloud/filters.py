"""Where in an answer a filter looks: derived from names a second time, apart from fakecloud.

The name of a filter is the path of a field, written without dots and in the plural:
``NicLinkNicVmIds`` is ``Nics.LinkNic.VmId``. What is named otherwise is listed.
"""

import functools

from fakecloud import document

BOOK = document.load()
DEPTH = 4
FILTERED = [
    action for action, spec in BOOK.actions.items() if "Filters" in BOOK.properties(spec.request)
]

IRREGULAR = {}


def names_of(action):
    """Return filter name -> its schema."""
    part = BOOK.properties(BOOK.actions[action].request)["Filters"]
    return BOOK.resolve(part)["properties"]


def answer_of(action):
    """Return the key of the answer that lists the objects, and their schema."""
    for key, part in BOOK.properties(BOOK.actions[action].response).items():
        if part.get("type") == "array" and "$ref" in part["items"]:
            return key, part["items"]["$ref"].rsplit("/", 1)[1]
    raise AssertionError(f"{action} lists nothing.")


def path_of(action, name):
    """Return the dotted path that a filter looks at, or None."""
    if (action, name) in IRREGULAR:
        return IRREGULAR[action, name]
    _, schema = answer_of(action)
    if name == "Tags":
        return "Tags"
    if name in ("TagKeys", "TagValues"):
        return f"Tags.{name[3:-1]}"
    return paths(schema).get(name)


@functools.cache
def paths(schema):
    """Return written name -> dotted path, for every field below a schema."""
    found = {}
    _spell({"$ref": f"#/{schema}"}, (), ("",), found, DEPTH)
    return found


def _spell(part, path, spellings, found, depth):
    part = BOOK.resolve(part.get("items", part))
    for key, inner in part.get("properties", {}).items():
        grown = (*path, key)
        written = {start + form for start in spellings for form in {key, singular(key)}}
        for form in written:
            for name in (form, form + "s", form + "es", form[:-1] + "ies"):
                old = found.get(name)
                if old is None or old.count(".") > len(path):
                    found[name] = ".".join(grown)
        item = inner.get("items", inner)
        if "$ref" in item and depth:
            _spell(item, grown, tuple(written), found, depth - 1)


def singular(word):
    """Return a plural in the singular."""
    if word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def values(data, path):
    """Return what stands at a dotted path of an answer, through all lists."""
    if isinstance(data, list):
        return [value for item in data for value in values(item, path)]
    if path == "":
        return [data]
    first, _, rest = path.partition(".")
    return values(data[first], rest) if isinstance(data, dict) and first in data else []
