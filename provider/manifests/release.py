"""A release as clusterctl reads it: components, metadata, and templates of clusters.

``<folder>/infrastructure-outscale/<version>/`` is a local repository of clusterctl; the same files
are the assets of a release.
https://cluster-api.sigs.k8s.io/developer/providers/contracts/clusterctl
"""

from __future__ import annotations

import dataclasses
import importlib.metadata
import pathlib
import re
from collections.abc import Iterable, Iterator
from typing import Any

import yaml

from provider.api import crd
from provider.manifests import parts, rights, webhooks, workload

COMPONENTS = "infrastructure-components.yaml"
METADATA = "metadata.yaml"
TEMPLATES = {"v1beta1": "templates/v1beta1", "v1beta2": "templates"}
"""Where the templates of clusters are, by the contract that the core of Cluster API speaks."""
CONTRACT = "v1beta2"
"""The contract that the metadata says, unless a release is made for an older core."""
CANONICAL = re.compile(r"[^/]*[.:][^/]*(/[a-z0-9._-]+)+(:[\w.-]+)?(@sha256:[0-9a-f]{64})?")
"""The full name of an image, with the host it comes from; clusterctl refuses any other."""
VERSION = re.compile(r"v(\d+)\.(\d+)\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?")

_HERE = pathlib.Path(__file__).resolve()
_INSTALLED = _HERE.parent / "files"
"""Where a wheel carries what stands at the top of the repository."""
FILES = _INSTALLED if _INSTALLED.exists() else _HERE.parents[2]


class ReleaseError(Exception):
    """Tell why there can be no such release, and what to do."""


def own_version() -> str:
    """Return the version of this program as a release is named: ``v0.1.0``."""
    found = re.match(r"\d+\.\d+\.\d+", importlib.metadata.version("caposc"))
    assert found, "pyproject.toml says a version of three numbers."
    return f"v{found[0]}"


@dataclasses.dataclass(frozen=True)
class Options:
    """What a release is made for."""

    version: str = dataclasses.field(default_factory=own_version)
    image: str = ""
    """The image of the manager. Default: the one of this version."""
    contract: str = CONTRACT
    """The contract of Cluster API. The clusterctl of a core up to 1.10 takes only v1beta1."""

    @property
    def image_reference(self) -> str:
        """Return the image.

        It is no variable: clusterctl parses it as it stands, and replaces it with what ``images``
        in its configuration says.
        """
        return self.image or f"docker.io/outscale/caposc:{self.version}"


def components(options: Options) -> list[parts.Object]:
    """Return all that is installed in a management cluster."""
    namespace = parts.made(
        "v1", "Namespace", parts.NAMESPACE, is_namespaced=False, labels=parts.PODS
    )
    return [
        namespace,
        *webhooks.definitions(),
        *rights.components(),
        *workload.components(options.image_reference),
        *webhooks.certificate(),
        *webhooks.configurations(),
    ]


class _Plain(yaml.CSafeDumper):
    """Write every object in full."""

    def ignore_aliases(self, _data: Any) -> bool:
        """Return True: who reads the file by eye should not have to look up references."""
        return True


def text(objects: Iterable[parts.Object]) -> str:
    """Return objects as YAML documents."""
    return yaml.dump_all(objects, Dumper=_Plain, sort_keys=False, explicit_start=True, width=10_000)


def files(options: Options) -> Iterator[tuple[str, str]]:
    """Give name and content of each file of a release; raise ReleaseError."""
    metadata = (FILES / METADATA).read_text(encoding="utf-8")
    metadata = metadata.replace(f"contract: {CONTRACT}", f"contract: {options.contract}")
    _check_image(options.image_reference)
    _check_version(options.version, metadata)
    yield COMPONENTS, text(components(options))
    yield METADATA, metadata
    for path in sorted((FILES / TEMPLATES[options.contract]).glob("*.yaml")):
        yield path.name, path.read_text(encoding="utf-8")


def write(folder: pathlib.Path, options: Options) -> pathlib.Path:
    """Write a release as a local repository of clusterctl, and return its folder.

    What was written there for another contract, and has no place in this one, goes.
    """
    content = dict(files(options))
    place = folder / crd.PROVIDER / options.version
    place.mkdir(parents=True, exist_ok=True)
    ours = {path.name for each in TEMPLATES.values() for path in (FILES / each).glob("*.yaml")}
    for name in ours - content.keys():
        (place / name).unlink(missing_ok=True)
    for name, written in content.items():
        (place / name).write_text(written, encoding="utf-8")
    return place


def _check_image(image: str) -> None:
    if CANONICAL.fullmatch(image) is None:
        raise ReleaseError(
            f"The image is {image!r}, but clusterctl takes only full names like "
            f"{Options('v0.1.0').image_reference}. Write it with the host it comes from."
        )


def _check_version(version: str, metadata: str) -> None:
    found = VERSION.fullmatch(version)
    if found is None:
        raise ReleaseError(
            f"The version is {version!r}, but clusterctl takes only those like v0.1.0. Correct it."
        )
    series = yaml.safe_load(metadata)["releaseSeries"]
    known = {(each["major"], each["minor"]) for each in series}
    if (int(found[1]), int(found[2])) not in known:
        names = ", ".join(f"v{major}.{minor}" for major, minor in sorted(known))
        raise ReleaseError(
            f"The version is {version}, but {METADATA} has only the series {names}, so that "
            f"clusterctl would refuse it. Add the series with its contract to {METADATA}."
        )
