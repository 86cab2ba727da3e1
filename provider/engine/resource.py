"""What a cloud resource is: its fields, what it refers to, and the verbs that change it."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self

from provider.osc import errors

if TYPE_CHECKING:
    from provider.engine import world as worlds
    from provider.osc import cloud as clouds


@dataclasses.dataclass(frozen=True, kw_only=True)
class Resource:
    """One cloud resource, as it is wanted or as it was observed: both are of the same class.

    A field that holds another resource is a dependency, and there is no other way to state one.
    Only fields that are compared say what a resource is; ``id``, ``state`` and ``tags`` do not.
    """

    KIND: ClassVar[str]
    """The name of the kind in status, conditions, metrics and messages."""
    CONDITION: ClassVar[str]
    """The condition that tells about resources of this kind."""
    MUTABLE: ClassVar[frozenset[str]] = frozenset()
    """The fields that ``update`` can change. A difference in another one is refused in words."""
    LATER: ClassVar[frozenset[str]] = frozenset()
    """The fields that only the update after the create sets, so that the create waits for none."""
    READY: ClassVar[frozenset[str]] = frozenset({"", "available", "active", "in-use"})
    """States in which others can build on it."""
    BUSY: ClassVar[frozenset[str]] = frozenset()
    """States in which others can build on it, but it takes no change itself."""
    LEAVING: ClassVar[frozenset[str]] = frozenset({"deleting", "shutting-down"})
    """States after which it will be gone."""
    GOING: ClassVar[str] = ""
    """The state that its delete puts it in for a while; empty when it is gone at once."""
    BROKEN: ClassVar[frozenset[str]] = frozenset()
    """States that waiting does not end."""
    NEEDS_INTENT: ClassVar[bool] = True
    """Whether creating it twice makes two of it, so that an intent is kept before the first try."""
    ID_FILTER: ClassVar[str] = ""
    """The filter of its Read that takes ids, by which one that lost its tag is found again."""
    IS_PART: ClassVar[bool] = True
    """Whether its likes are looked for inside what it refers to, and not in the whole account."""
    HAS_TOKEN: ClassVar[bool] = False
    """Whether its create carries a token, for which the cloud makes one only, even a dead one."""
    TAKES_TAGS: ClassVar[bool] = True
    """Whether CreateTags can mark it; False where the create carries the tags, or nothing can."""
    OWN_TAGS: ClassVar[tuple[str, ...]] = ()
    """How the keys of tags begin that only we give it: those that are not wanted any more go."""
    USUAL_S: ClassVar[float] = 30.0
    """How long it usually takes to become ready, in seconds, for messages."""
    POLL_S: ClassVar[float] = 5.0
    """How often to look while it is not ready."""

    key: str
    """Its name inside its owner, unique within the kind; never an id of the cloud."""
    id: str = dataclasses.field(default="", compare=False)
    state: str = dataclasses.field(default="", compare=False)
    tags: Mapping[str, str] = dataclasses.field(default_factory=dict, compare=False, repr=False)
    is_managed: bool = dataclasses.field(default=True, compare=False)
    """False for what exists already and is only used: never created, changed or deleted."""
    is_taken: bool = dataclasses.field(default=False, compare=False, repr=False)
    """True for a lookalike that somebody's tag claims, or that something uses."""
    stays: bool = dataclasses.field(default=False, compare=False, repr=False)
    """True for what somebody else put beside it, which goes only when the owner goes."""

    def __str__(self) -> str:
        return self.KIND if self.key == "default" else f"{self.KIND}/{self.key}"

    @property
    def place(self) -> tuple[str, str]:
        """Where it is found in a world."""
        return self.KIND, self.key

    @property
    def is_ready(self) -> bool:
        """Whether others can build on it."""
        return self.state in self.READY or self.state in self.BUSY

    @property
    def is_linked(self) -> bool:
        """Whether it is in its place already: of two alike, the other one goes."""
        return self.state == "in-use"

    @property
    def refusal(self) -> str:
        """Why nothing can be made of it, in words; empty when something can."""
        return f"{self.id} is {self.state}. Delete it" if self.state in self.BROKEN else ""

    def stale_tags(self, observed: Resource) -> list[str]:
        """Return the keys of tags that it was given once and is not to have any more.

        Of what is to have no such tag at all, nothing was ever said: it keeps what it has.
        """
        if not any(key.startswith(self.OWN_TAGS) for key in self.tags):
            return []
        mine = [key for key in observed.tags if key.startswith(self.OWN_TAGS)]
        return [key for key in mine if key not in self.tags]

    # --- The verbs -------------------------------------------------------------------------------

    @classmethod
    def desired(cls, want: Any) -> Iterable[Self]:
        """Return those that are wanted; pure."""
        raise NotImplementedError(f"{cls.__name__} does not say what is desired.")

    @classmethod
    def observe(
        cls, cloud: clouds.Cloud, scope: worlds.Scope, world: worlds.World
    ) -> Iterable[Self]:
        """Return all that the owner has, found by tag, never by the spec; with one Read."""
        raise NotImplementedError(f"{cls.__name__} cannot be observed.")

    def fresh(self, cloud: clouds.Cloud) -> Self:  # noqa: ARG002 - for those that have a token
        """Return it with a token that nothing which is gone was made with."""
        return self

    def recalled(self, filters: Mapping[str, Any]) -> Self:  # noqa: ARG002 - as above
        """Return it as it was when its intent was formed, with these filters."""
        return self

    def likeness(self) -> dict[str, Any]:
        """Return the filters of a Read that finds all that look like this."""
        raise NotImplementedError(f"{type(self).__name__} keeps no intent.")

    @classmethod
    def lookalikes(cls, cloud: clouds.Cloud, filters: Mapping[str, Any], key: str) -> list[Self]:
        """Return all that such a Read finds, under ``key``, and say what somebody has already."""
        raise NotImplementedError(f"{cls.__name__} keeps no intent.")

    def create(self, cloud: clouds.Cloud) -> Self:
        """Create it with one call, and return what the cloud answered."""
        raise NotImplementedError(f"{type(self).__name__} cannot be created.")

    def update(self, cloud: clouds.Cloud, observed: Self) -> Self:
        """Make the difference go away, and return what is there then."""
        raise NotImplementedError(f"{type(self).__name__} cannot be changed.")

    def delete(self, cloud: clouds.Cloud) -> None:
        """Ask for its deletion. That it is gone is observed, never assumed."""
        raise NotImplementedError(f"{type(self).__name__} cannot be deleted.")

    def differences(self, observed: Self) -> tuple[Difference, ...]:
        """Return the compared fields in which what is there differs from what is wanted."""
        return tuple(
            Difference(name, there, wanted)
            for name in _compared(type(self))
            if (there := plain(getattr(observed, name))) != (wanted := plain(getattr(self, name)))
        )


_COMPARED: dict[type, tuple[str, ...]] = {}


def _compared(kind: type[Resource]) -> tuple[str, ...]:
    """Return the fields in which what is there is compared with what is wanted."""
    if kind not in _COMPARED:
        names = [field.name for field in dataclasses.fields(kind) if field.compare]
        _COMPARED[kind] = tuple(names)
    return _COMPARED[kind]


class Refusal(Exception):
    """Why something cannot be done, in words for the person who can change that."""

    cause = errors.Cause.OURS


@dataclasses.dataclass(frozen=True)
class Difference:
    """A field in which what is there differs from what is wanted."""

    field: str
    there: Any
    wanted: Any

    def __str__(self) -> str:
        name = self.field.replace("_", " ")
        if isinstance(self.there, Fields) and isinstance(self.wanted, Fields):
            inner = zip(self.there, self.wanted, strict=True)
            return "; ".join(
                str(Difference(f"{name} {field}", there, wanted))
                for (field, there), (_, wanted) in inner
                if there != wanted
            )
        return f"{name} is {_text(self.there)}, the spec wants {_text(self.wanted)}"


class Fields(tuple[tuple[str, Any], ...]):
    """The fields of a part of a resource, with their names."""

    __slots__ = ()


def _text(value: Any) -> str:
    if value in ("", None, (), frozenset()):
        return "nothing"
    if isinstance(value, Fields):
        said = (f"{name.replace('_', ' ')} {_text(each)}" for name, each in value if each != "")
        return f"({', '.join(said)})"
    if isinstance(value, tuple | frozenset):
        return "{" + ", ".join(sorted(_text(each) for each in value)) + "}"
    return str(value)


def plain(value: Any) -> Any:
    """Return a value in which every resource is replaced by the name of its place."""
    if isinstance(value, str):
        return value
    if isinstance(value, Resource):
        return str(value)
    if isinstance(value, tuple):
        return tuple(plain(each) for each in value)
    if isinstance(value, frozenset):
        return frozenset(plain(each) for each in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in dataclasses.fields(value)]
        return Fields((name, plain(getattr(value, name))) for name in names)
    return value


_PLAIN = frozenset(
    {"str", "int", "bool", "float", "None", "Any", "Mapping", "dict", "tuple", "list", "frozenset"}
)


_PARTS: dict[type, tuple[str, ...]] = {}


def _parts(kind: type) -> tuple[str, ...]:
    """Return the fields of a dataclass that can hold a resource; none for another class."""
    if kind not in _PARTS:
        _PARTS[kind] = _find_parts(kind)
    return _PARTS[kind]


def _find_parts(kind: type) -> tuple[str, ...]:
    if not dataclasses.is_dataclass(kind):
        return ()
    return tuple(
        field.name
        for field in dataclasses.fields(kind)
        if not set(re.findall(r"[A-Za-z_]\w*", str(field.type))) <= _PLAIN
    )


def references(value: object) -> Iterator[Resource]:
    """Return every resource that a resource, or a part of one, refers to directly."""
    for name in _parts(type(value)):
        yield from _within(getattr(value, name))


def needs(wanted: Resource) -> Iterator[Resource]:
    """Return every resource without which this one cannot be created."""
    for name in _parts(type(wanted)):
        if name not in wanted.LATER:
            yield from _within(getattr(wanted, name))


def _within(value: object) -> Iterator[Resource]:
    if isinstance(value, Resource):
        yield value
    elif isinstance(value, tuple | frozenset):
        for each in value:
            yield from _within(each)
    else:
        yield from references(value)


def bind(value: Any, find: Mapping[tuple[str, str], Resource]) -> Any:
    """Return a resource, or a part of one, that refers to what was observed."""
    changes = {}
    for name in _parts(type(value)):
        before = getattr(value, name)
        after = _bound(before, find)
        if after is not before:
            changes[name] = after
    return dataclasses.replace(value, **changes) if changes else value


def _bound(value: Any, find: Mapping[tuple[str, str], Resource]) -> Any:
    if isinstance(value, Resource):
        return find.get(value.place, value)
    if isinstance(value, tuple | frozenset):
        after = [_bound(each, find) for each in value]
        same = all(a is b for a, b in zip(after, value, strict=True))
        return value if same else type(value)(after)
    return bind(value, find)
