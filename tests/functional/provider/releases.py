"""A release as ``caposc manifests`` writes it, and what clusterctl makes of its templates."""

import functools
import pathlib
import re
import tempfile

import yaml
from click.testing import CliRunner

from provider import cli

VERSION = "v0.1.0"
PROVIDER = "infrastructure-outscale"
FLAVOURS = ("", "multiaz", "multiaz-secure", "secure", "secure-opensource", "topology")
OLD_FLAVOURS = FLAVOURS[:-1]
"""Those for a core that speaks v1beta1; they are those of the Go provider."""
NAMESPACE = "team"
# What a user sets for the Go provider's templates; the rest has defaults.
VARIABLES = {
    "CLUSTER_NAME": "demo",
    "NAMESPACE": NAMESPACE,
    "KUBERNETES_VERSION": "v1.34.1",
    "CONTROL_PLANE_MACHINE_COUNT": "3",
    "WORKER_MACHINE_COUNT": "2",
    "OSC_REGION": "eu-west-2",
    "OSC_SUBREGION_NAME": "eu-west-2a",
    "OSC_IMAGE_NAME": "ubuntu-2204-kubernetes-v1.34.1",
    # As digits only, it must not become a number.
    "OSC_IMAGE_ACCOUNT_ID": "012345678901",
    "OSC_KEYPAIR_NAME": "ops",
    "OSC_VM_TYPE": "tinav7.c4r8p1",
    "OSC_VOLUME_SIZE": "30",
    "OSC_ALLOW_FROM": "192.0.2.0/24",
    "OSC_ALLOW_FROM_CAPI": "198.51.100.7/32",
}
_VARIABLE = re.compile(r"\$\{(\w+)(?::=([^}]*))?\}")


@functools.cache
def written(contract="v1beta2"):
    """Return the files of a release by name, as the command writes them."""
    with tempfile.TemporaryDirectory() as folder:
        write(pathlib.Path(folder), f"--contract={contract}")
        place = pathlib.Path(folder, PROVIDER, VERSION)
        return {path.name: path.read_text(encoding="utf-8") for path in place.iterdir()}


def write(folder, *arguments):
    """Write a release into a folder with the command."""
    command = ["manifests", "--output", str(folder), "--version", VERSION, *arguments]
    done = CliRunner().invoke(cli.main, command)
    assert done.exit_code == 0, done.output


def variables(text):
    """Return the variables of a file with their defaults, None where there is none."""
    return {found[1]: found[2] for found in _VARIABLE.finditer(text)}


def filled_in(text, values):
    """Return what clusterctl reads: each variable replaced by its value or default."""
    return _VARIABLE.sub(lambda found: values.get(found[1]) or found[2], text)


def objects(text):
    return list(yaml.safe_load_all(text))


@functools.cache
def components():
    """Return the components as clusterctl installs them when no variable is set."""
    return objects(filled_in(written()["infrastructure-components.yaml"], {}))


def of_kind(*kinds):
    return [each for each in components() if each["kind"] in kinds]


def cluster(flavour, contract="v1beta2", **changes):
    """Return the objects of a cluster, as ``clusterctl generate cluster`` prints them."""
    values = {**VARIABLES, **changes}
    name = f"cluster-template-{flavour}.yaml".replace("-.yaml", ".yaml")
    texts = [written(contract)[name]]
    if flavour == "topology":
        texts.insert(0, written()["clusterclass-outscale.yaml"])
    found = [each for text in texts for each in objects(filled_in(text, values))]
    for each in found:
        each["metadata"]["namespace"] = NAMESPACE
    return found


def leaves(value, path=()):
    """Give path and value of everything in an object that is no object or list itself."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, each in items:
        if isinstance(each, dict | list):
            yield from leaves(each, (*path, key))
        else:
            yield (*path, key), each
