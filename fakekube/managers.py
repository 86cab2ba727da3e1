"""Field managers of resources: one for each, made when it is first needed."""

from __future__ import annotations

from typing import Any

from fakekube.catalog import Catalog
from fakekube.patch import apply
from fakekube.resource import Resource

Object = dict[str, Any]


class Managers:
    """The field managers of one server."""

    def __init__(self, served: Catalog) -> None:
        self._catalog = served
        self._found: dict[Resource, apply.FieldManager] = {}

    def of(self, resource: Resource) -> apply.FieldManager:
        """Return the manager of a resource."""
        found = self._found.get(resource)
        if found is None:
            found = self._found[resource] = self._make(resource)
        return found

    def _make(self, resource: Resource) -> apply.FieldManager:
        if not resource.is_custom:
            return apply.FieldManager.built_in(resource.api_version, resource.kind)
        versions = self._catalog.of_group(resource.group, resource.plural)
        return apply.FieldManager.custom(
            resource.kind,
            {each.api_version: each.openapi for each in versions},
            has_status="status" in resource.subresources,
        )

    def track(
        self,
        resource: Resource,
        old: Object | None,
        new: Object,
        manager: str,
        now: str,
        subresource: str,
    ) -> None:
        """Write down in ``new`` who set what."""
        fields = self.of(resource)
        found = fields.update(old, new, manager, resource.api_version, now, subresource=subresource)
        kept = found["metadata"].get("managedFields")
        if kept:
            new["metadata"]["managedFields"] = kept
        else:
            new["metadata"].pop("managedFields", None)
