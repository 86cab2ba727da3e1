"""Read specs as far as they can be read: what goes depends on no spec that somebody has broken."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import pydantic

M = TypeVar("M", bound=pydantic.BaseModel)


def read(model: type[M], spec: Any) -> tuple[M, list[str]]:
    """Return what can be read of a spec, and what is wrong with the rest."""
    try:
        return model.model_validate(spec or {}), []
    except pydantic.ValidationError as error:
        problems = [
            f"{'.'.join(['spec', *map(str, each['loc'])])} is {each['input']!r}, but: "
            f"{each['msg'].rstrip('.')}. Correct it."
            for each in error.errors()
        ]
        rest = copy.deepcopy(spec) if isinstance(spec, Mapping) else {}
        for each in error.errors():
            if each["loc"]:  # Otherwise it is no mapping at all.
                _remove(rest, each["loc"])
        return model.model_validate(rest), problems


def _remove(where: Any, path: Sequence[str | int]) -> None:
    """Remove what a path leads to, or the whole list that it is in."""
    key, *rest = path
    inner = where.get(key)
    if rest and isinstance(inner, Mapping):
        _remove(inner, rest)
    else:
        where.pop(key, None)
