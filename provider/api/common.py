"""What all versions of the API share: how a field is declared, and the types of Kubernetes.

A model only reads. Whatever the API server has stored can be read, however odd a value is, because
an object that cannot be read cannot be deleted either. What a value has to be is said beside its
type, and goes into the definition: the API server enforces it, the models do not.
"""

from __future__ import annotations

from typing import Annotated, Any

import pydantic
from pydantic import alias_generators

GROUP = "infrastructure.cluster.x-k8s.io"

NEEDED = "x-needed"
"""Marks a field that the API server requires."""
SUGGESTED = "x-suggested"
"""Marks a default that the API server itself fills in."""

_EXTENSIONS = {
    "list_type": "x-kubernetes-list-type",
    "list_keys": "x-kubernetes-list-map-keys",
    "open": "x-kubernetes-preserve-unknown-fields",
    "needed": NEEDED,
    "suggested": SUGGESTED,
}


def field(default: Any = None, *, alias: str | None = None, **rules: Any) -> Any:
    """Declare a field, with what its definition says beside its type.

    ``rules`` are keys of a structural schema, spelled as such or as in ``_EXTENSIONS``. ``needed``
    fields are required. ``suggested`` defaults are filled in by the API server: only scalars that
    depend on no other field, so that every server-side apply gives the same object.
    """
    schema = {_EXTENSIONS.get(key, key): value for key, value in rules.items()}
    return pydantic.Field(default, alias=alias, json_schema_extra=schema)


Quantity = Annotated[
    str,
    pydantic.BeforeValidator(str),
    pydantic.Field(json_schema_extra={"x-kubernetes-int-or-string": True}),
]
"""An amount of Kubernetes: a number, or a string such as ``8Gi``."""


class Part(pydantic.BaseModel):
    """A part of an object: JSON names in camelCase, attributes in snake_case."""

    model_config = pydantic.ConfigDict(
        alias_generator=alias_generators.to_camel,
        extra="ignore",
        populate_by_name=True,
        use_attribute_docstrings=True,
    )

    @pydantic.model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, given: Any) -> Any:
        """Take a null for nothing said, as the API server does when it stores an object."""
        if not isinstance(given, dict):
            return given
        return {name: value for name, value in given.items() if value is not None}


class Object(Part):
    """A whole object."""

    api_version: str = ""
    """The group and version of this object."""
    kind: str = ""
    """The kind of this object."""
    metadata: dict[str, Any] = {}
    """The name, namespace, labels, annotations and more."""


class TemplateMetadata(Part):
    """What is copied to the metadata of each object made from a template."""

    labels: dict[str, str] = {}
    """Labels of the new object."""
    annotations: dict[str, str] = {}
    """Annotations of the new object."""


class Endpoint(Part):
    """Where the Kubernetes API of the workload cluster is reached."""

    host: str = field("", maxLength=512)
    """The host name or IP address."""
    port: int = field(0, maximum=65535)
    """The port."""

    @property
    def is_set(self) -> bool:
        """Whether both halves are there."""
        return bool(self.host and self.port)


class Condition(Part):
    """A condition, as ``metav1.Condition``."""

    type: str = field("", needed=True, maxLength=316)
    """The type, in CamelCase."""
    status: str = field("", needed=True, enum=["True", "False", "Unknown"])
    """True, False or Unknown."""
    observed_generation: int = field(0, format="int64", minimum=0)
    """The generation of the object that this condition is about."""
    last_transition_time: str = field("", needed=True, format="date-time")
    """When the status last changed."""
    reason: str = field("", needed=True, maxLength=1024)
    """The reason in one word, for programs."""
    message: str = field("", needed=True, maxLength=32768)
    """The reason in sentences, for people."""


class Address(Part):
    """An address of a machine."""

    type: str = field(
        "",
        needed=True,
        enum=["Hostname", "ExternalIP", "InternalIP", "ExternalDNS", "InternalDNS"],
    )
    """Hostname, ExternalIP, InternalIP, ExternalDNS or InternalDNS."""
    address: str = field("", needed=True, maxLength=256)
    """The address."""


class NodeInfo(Part):
    """What nodes made from a template are like."""

    architecture: str = field("", enum=["amd64", "arm64", "s390x", "ppc64le"])
    """The architecture of the processor."""
    operating_system: str = ""
    """The operating system."""
