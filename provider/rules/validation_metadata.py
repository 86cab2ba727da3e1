"""What is wrong with labels and annotations in a template.

https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from provider.api import common
from provider.problem import Problem

NAME_MAX = 63
PREFIX_MAX = 253
ANNOTATIONS_MAX_BYTES = 256 * 1024

_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?")
_LABEL = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?"
_PREFIX = re.compile(rf"{_LABEL}(\.{_LABEL})*")


def problems(metadata: common.TemplateMetadata, path: str) -> Iterator[Problem]:
    """Check the metadata of a template, which stands at ``path``."""
    for name, values in (("labels", metadata.labels), ("annotations", metadata.annotations)):
        for key in values:
            yield from _key(f"{path}.{name}", key)
    for key, value in metadata.labels.items():
        if value and not (len(value) <= NAME_MAX and _NAME.fullmatch(value)):
            yield Problem(
                f"{path}.labels[{key}]",
                f'"{value}" is no value of a label. Use up to {NAME_MAX} letters, digits, dashes, '
                "dots and underscores, and begin and end with a letter or digit.",
            )
    size = sum(len((key + value).encode()) for key, value in metadata.annotations.items())
    if size > ANNOTATIONS_MAX_BYTES:
        yield Problem(
            f"{path}.annotations",
            f"They have {size} bytes. Use {ANNOTATIONS_MAX_BYTES} at most.",
        )


def _key(path: str, key: str) -> Iterator[Problem]:
    prefix, slash, name = key.rpartition("/")
    is_named = len(name) <= NAME_MAX and _NAME.fullmatch(name)
    is_prefixed = not slash or (len(prefix) <= PREFIX_MAX and _PREFIX.fullmatch(prefix))
    if not (is_named and is_prefixed):
        yield Problem(
            path,
            f'"{key}" is no key. Write a name of up to {NAME_MAX} letters, digits, dashes, dots '
            "and underscores, with a domain and a slash before it if you like.",
        )
