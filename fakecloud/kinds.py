"""What a kind of resource is: its identifier, references, states, filters and how it is shown."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fakecloud.rows import Row
    from fakecloud.store import Store

Json = Any
Data = dict[str, Any]


@dataclass(frozen=True)
class Then:
    """After ``seconds`` in a state comes ``state``; ``None`` means that the row is gone."""

    seconds: float
    state: str | None


@dataclass(frozen=True, eq=False)
class Kind:
    """Describe one kind of resource; see the fields.

    name: the noun of the API; also its schema in the document unless ``schema`` says otherwise.
    id, prefix, digits: the field with the identifier, and how one is written (``vpc`` + 8 hex).
    refs: path -> kind. A live row holds what it refers to: deleting that is refused.
    weak: path -> kind. Indexed like ``refs``, but does not hold.
    index: further indexed paths.
    lifecycle, state, tombstones: which state follows which, where the state is written, and the
        states in which a row is still readable but holds nothing and can no longer be used.
    on: state -> hook(store, row), run when a row enters the state by the passing of time.
    absent, in_use: error codes for an unknown identifier and for a row that something holds.
    parameter: the name used for the identifier in messages; ``id`` unless it differs.
    resource_type: what ReadTags calls it; ``None`` when it takes no tags.
    view: how a row is shown; its public keys when ``None``.
    visible: whether an account sees a row of another; only its own when ``None``.
    read, answer: the derived Read action and the key of its answer.
    filters: name -> path, function or marker (see ``reads``), for filters that no rule derives.
    quota: the quota that limits live rows per account.
    strict_ids: whether a malformed identifier in the filter of that name is refused, not ignored.
    """

    name: str
    id: str = ""
    prefix: str = ""
    digits: int = 8
    schema: str = ""
    refs: Mapping[str, str] = field(default_factory=dict)
    weak: Mapping[str, str] = field(default_factory=dict)
    index: tuple[str, ...] = ()
    lifecycle: Mapping[str, Then] = field(default_factory=dict)
    state: str = "State"
    tombstones: frozenset[str] = frozenset()
    on: Mapping[str, Callable[[Store, Row], None]] = field(default_factory=dict)
    absent: int = 5044
    in_use: int = 9002
    parameter: str = ""
    resource_type: str | None = None
    view: Callable[[Store, Row], Data] | None = None
    visible: Callable[[Row, str], bool] | None = None
    read: str = ""
    answer: str = ""
    filters: Mapping[str, Any] = field(default_factory=dict)
    quota: str = ""
    strict_ids: bool = False

    @functools.cached_property
    def paths(self) -> tuple[str, ...]:
        """Return every indexed path."""
        return (*self.refs, *self.weak, *self.index)

    @functools.cached_property
    def plain_paths(self) -> tuple[str, ...]:
        """Return the indexed paths that are a single key: most of them."""
        return tuple(path for path in self.paths if "." not in path)

    @functools.cached_property
    def deep_paths(self) -> tuple[str, ...]:
        """Return the indexed paths that lead into nested data."""
        return tuple(path for path in self.paths if "." in path)


KINDS: dict[str, Kind] = {}
_HOLDING: dict[str, list[tuple[str, str]]] = {}


def kind(name: str, **facts: Any) -> Kind:
    """Declare a kind of resource; two kinds of one name are a mistake."""
    if name in KINDS:
        raise ValueError(f"Two kinds are called {name}. Rename one.")
    KINDS[name] = Kind(name=name, **{"schema": name, **facts})
    return KINDS[name]


def holding(name: str) -> list[tuple[str, str]]:
    """Return (path, kind) of every field anywhere that holds rows of a kind."""
    if not _HOLDING:
        for each in KINDS.values():
            for path, target in each.refs.items():
                _HOLDING.setdefault(target, []).append((path, each.name))
    return _HOLDING.get(name, [])
