"""All served resources, by group, version and plural; custom ones come and go."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fakekube.resource import Resource

Place = tuple[str, str, str]
"""Group, version and plural."""


class Catalog:
    """The resources that are served now; ``revision`` counts the changes, for caches."""

    def __init__(self, resources: Iterable[Resource] = ()) -> None:
        self._by_place: dict[Place, Resource] = {}
        self._by_kind: dict[Place, Resource] = {}
        self.revision = 0
        for resource in resources:
            self.add(resource)

    def __iter__(self) -> Iterator[Resource]:
        return iter(self._by_place.values())

    def add(self, resource: Resource) -> None:
        """Serve a resource, in place of what was served there."""
        self._by_place[resource.group, resource.version, resource.plural] = resource
        self._by_kind[resource.group, resource.version, resource.kind] = resource
        self.revision += 1

    def remove(self, resource: Resource) -> None:
        """Stop serving a resource."""
        place = (resource.group, resource.version, resource.plural)
        if self._by_place.get(place) is resource:
            del self._by_place[place]
            self._by_kind.pop((resource.group, resource.version, resource.kind), None)
            self.revision += 1

    def find(self, group: str, version: str, plural: str) -> Resource | None:
        """Return a resource by its plural."""
        return self._by_place.get((group, version, plural))

    def of_kind(self, api_version: str, kind: str) -> Resource | None:
        """Return a resource by the kind of its objects."""
        group, _, version = api_version.rpartition("/")
        return self._by_kind.get((group, version, kind))

    def of_group(self, group: str, plural: str) -> list[Resource]:
        """Return all served versions of one resource."""
        return [each for each in self if (each.group, each.plural) == (group, plural)]

    def serves(self, group: str, version: str | None = None) -> bool:
        """Tell whether anything of a group, or of one of its versions, is served."""
        return any(
            each.group == group and version in {None, each.version}
            for each in self._by_place.values()
        )

    def stored(self, table: str) -> Resource | None:
        """Return the resource whose version is the stored one of a table."""
        fallback = None
        for each in self:
            if each.storage_key == table and not each.stored_as[1]:
                if each.version == each.storage_version or not each.storage_version:
                    return each
                fallback = each
        return fallback
