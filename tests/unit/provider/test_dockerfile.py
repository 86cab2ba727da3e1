"""The Dockerfile fits what runs the image, and takes in nothing that is not pinned."""

import pathlib
import re

from provider import manifests
from provider.manifests import workload

ROOT = pathlib.Path(__file__).resolve().parents[3]
TEXT = (ROOT / "Dockerfile").read_text(encoding="utf-8")
LINES = [line for line in TEXT.splitlines() if not line.startswith("#")]


def one(instruction):
    """Return what the last stage says with an instruction."""
    last = "\n".join(LINES).rpartition("\nFROM ")[2]
    (found,) = re.findall(rf"^{instruction} (.*)", last, re.MULTILINE)
    return found


def test_the_user_is_the_one_of_the_deployment():
    assert one("USER") == f"{workload.USER}:{workload.USER}"


def test_the_command_is_the_one_of_the_deployment():
    assert one("ENTRYPOINT") == '["caposc"]'
    (container,) = [
        container
        for each in manifests.components(manifests.Options())
        if each["kind"] == "Deployment"
        for container in each["spec"]["template"]["spec"]["containers"]
    ]
    assert container["command"] == ["caposc"]
    assert one("CMD") == f'["{container["args"][0]}"]'


def test_every_package_is_installed_with_its_hash_or_from_the_wheel():
    commands = re.findall(r"pip install (.*)", TEXT)
    assert len(commands) == 3
    for each in commands:
        assert "--require-hashes" in each or "--no-index" in each, each


def test_everything_that_is_copied_is_there_and_not_ignored():
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    kept = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    copied = {
        name
        for line in LINES
        if line.startswith("COPY ") and "--from" not in line
        for name in line.split()[1:-1]
    }
    assert copied == kept
    assert all((ROOT / name).exists() for name in copied)


def test_the_images_it_starts_from_have_plain_names():
    for each in re.findall(r"^FROM (\S+)", TEXT, re.MULTILINE):
        assert re.fullmatch(r"[a-z]+:[\w.-]+", each), each
