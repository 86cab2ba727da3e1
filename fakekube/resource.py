"""What the server knows about one served resource: names, verbs, and the hooks of its kind.

A built-in kind is a row of ``fakekube.kinds``; a custom one is made by ``fakekube.crd``. One
``Resource`` is one group, version and plural; versions of one resource share ``storage_key``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fakekube import status

if TYPE_CHECKING:
    from fakekube.schema.structural import Structural

Json = Any
Object = dict[str, Any]

ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True)
class Column:
    """A column of the table that ``kubectl get`` prints; ``path`` is JSONPath without braces."""

    name: str
    type: str = "string"
    path: str = ""
    format: str = ""
    description: str = ""
    priority: int = 0
    value: Callable[[Object, float], Json] | None = None
    """Compute the cell from object and time, where a path does not say it."""


@dataclass(frozen=True)
class Scale:
    """Where a resource keeps what its scale subresource shows; dotted paths with a first dot."""

    spec_path: str = ".spec.replicas"
    status_path: str = ".status.replicas"
    selector_path: str = ""
    """The path of a selector: a string, or a ``LabelSelector``."""


@dataclass(frozen=True)
class Strategy:
    """What a kind does in the write pipeline; every hook may change ``obj`` in place.

    The order is: ``default`` (also before admission webhooks, and again after them), ``prepare``
    (what clients may not set is taken away: the status, a generation), ``validate``.
    """

    default: Callable[[Object], None] | None = None
    prepare_create: Callable[[Object], None] | None = None
    prepare_update: Callable[[Object, Object], None] | None = None
    """Called with new and old on an update of the main resource."""
    prepare_status: Callable[[Object, Object], None] | None = None
    """Called with new and old on an update of the status, after spec was put back."""
    validate: Callable[[Object, Object | None], list[status.Cause]] | None = None
    """Check new against old (None on create), and return all causes."""
    warnings: Callable[[Object, Object | None], list[str]] | None = None
    grace_s: Callable[[Object, int | None], int] | None = None
    """Return how long a deletion takes: the object, and what the client asked for."""
    name: Callable[[str], list[str]] | None = None
    """Return what is wrong with a name; DNS subdomain when it is left out."""
    unknown: Callable[[Object], list[str]] | None = None
    """Remove the fields that the kind does not have, and return their paths."""


@dataclass(frozen=True, eq=False)
class Resource:
    """One served version of a resource."""

    group: str
    version: str
    plural: str
    kind: str
    singular: str = ""
    list_kind: str = ""
    namespaced: bool = True
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ALL_VERBS
    subresources: frozenset[str] = frozenset()
    """``status``, ``scale``, ``eviction``, ``token``, ``binding``, ``finalize``, ..."""
    columns: tuple[Column, ...] = ()
    schema: Structural | None = None
    """The compiled schema of a custom resource; built-in kinds have ``strategy``."""
    openapi: Mapping[str, Json] = field(default_factory=dict)
    """The schema as it is published."""
    storage_version: str = ""
    versions: tuple[str, ...] = ()
    """All served versions, most preferred first."""
    is_custom: bool = False
    has_generation: bool = False
    """``metadata.generation`` counts changes of anything but metadata and status."""
    unconditional_update: bool = True
    """PUT without a resource version overwrites."""
    creates_on_update: bool = False
    returns_deleted: bool = False
    """DELETE answers with the object instead of a Status."""
    ttl_s: int = 0
    """Objects vanish after this many seconds; 0 keeps them."""
    scale: Scale | None = None
    selectable: Mapping[str, Callable[[Object], str]] = field(default_factory=dict)
    """Field selectors besides ``metadata.name`` and ``metadata.namespace``."""
    strategy: Strategy = field(default_factory=Strategy)
    stored_as: tuple[str, str] = ("", "")
    """Group and plural under which objects are stored, where another resource shares them."""
    convert: Callable[[Object, str, str], Object] | None = None
    """Convert between ``apiVersion``s (from, to) of one store; None changes apiVersion only."""
    warning: str = ""
    """What every client of this version is told, such as that it is deprecated."""
    defaults_on_read: bool = False
    """The schema has changed since objects may have been stored, so defaults are applied again."""
    conversion_webhook: Mapping[str, Json] | None = None
    """``spec.conversion.webhook`` of the CRD, when its strategy is Webhook."""

    @functools.cached_property
    def api_version(self) -> str:
        """Return ``apiVersion`` of the objects of this resource."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @functools.cached_property
    def list_kind_name(self) -> str:
        """Return the kind of a list of these objects."""
        return self.list_kind or f"{self.kind}List"

    @functools.cached_property
    def singular_name(self) -> str:
        """Return the singular name."""
        return self.singular or self.kind.lower()

    @functools.cached_property
    def storage_key(self) -> str:
        """Return the name of the table that holds the objects: ``plural.group``."""
        group, plural = self.stored_as if self.stored_as[1] else (self.group, self.plural)
        return f"{plural}.{group}" if group else plural

    @functools.cached_property
    def storage_api_version(self) -> str:
        """Return ``apiVersion`` of the objects as they are stored."""
        group = self.stored_as[0] if self.stored_as[1] else self.group
        version = self.storage_version or self.version
        return f"{group}/{version}" if group else version

    @functools.cached_property
    def qualified(self) -> str:
        """Return ``plural.group``, as messages name the resource."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    def not_found(self, name: str) -> status.ApiError:
        """Return the refusal that there is no such object."""
        return status.not_found(self.plural, name, self.group)

    def conflict(self, name: str, text: str = status.CONFLICT_TEXT) -> status.ApiError:
        """Return the refusal that the object has changed."""
        return status.conflict(self.plural, name, text, self.group)

    def invalid(self, name: str, causes: list[status.Cause]) -> status.ApiError:
        """Return the refusal that the object is wrong."""
        return status.invalid(self.kind, self.group, name, causes)
