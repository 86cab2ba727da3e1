"""Apply YAML files to a server without a network."""

from __future__ import annotations

import pathlib
from typing import Any

from fakekube import codec, store
from fakekube.call import Request
from fakekube.server import Kube

Json = Any


async def apply(kube: Kube, path: pathlib.Path) -> list[str]:
    """Apply all objects of a file or folder, and return what went wrong.

    Definitions come first, whatever their order, so that their objects may stand beside them.
    """
    objects = read(path)
    objects.sort(key=lambda obj: obj.get("kind") != "CustomResourceDefinition")
    problems = []
    for obj in objects:
        problem = await apply_object(kube, obj)
        if problem:
            problems.append(problem)
    return problems


def read(path: pathlib.Path) -> list[Json]:
    """Return all objects of a file or folder."""
    import yaml

    files = [path] if path.is_file() else sorted([*path.rglob("*.yaml"), *path.rglob("*.yml")])
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    objects: list[Json] = []
    for file in files:
        with file.open("rb") as content:
            for obj in yaml.load_all(content, loader):
                objects += (obj.get("items") or [obj]) if isinstance(obj, dict) else []
    return objects


async def apply_object(kube: Kube, obj: Json) -> str:
    """Apply one object as the server itself, and return what went wrong."""
    resource = kube.catalog.of_kind(obj.get("apiVersion", ""), obj.get("kind", ""))
    name = (obj.get("metadata") or {}).get("name", "")
    label = f"{obj.get('kind')} {name}"
    if resource is None:
        return f"{label}: there is no kind {obj.get('kind')} in {obj.get('apiVersion')}."
    prefix = f"/apis/{resource.api_version}" if resource.group else f"/api/{resource.version}"
    if resource.namespaced:
        prefix += f"/namespaces/{obj['metadata'].get('namespace', 'default')}"
    target = f"{prefix}/{resource.plural}/{name}?fieldManager=fakekube&force=true"
    headers = {"content-type": "application/apply-patch+yaml", "accept": codec.JSON}
    request = Request("PATCH", target, headers, store.encode(obj))
    response = await kube.answer_as_admin(request)
    if response.status < 300:
        return ""
    return f"{label}: {store.decode(b''.join(response.parts))['message']}"
